"""Across the population on a device: sums by the tree that all backends share, extremes, counts, ranks, one of many, matrix products.

Each part of some values is reduced by one block of threads, then the parts' results are, until one is left. Neighbours are
added first, then neighbours of the sums; parts are a power of two long, so that the parts' trees are branches of the whole one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .cuda_functions import functions

cuda: Any = import_module("numba.cuda")


@functools.cache
def kernels(threads: int, part: int) -> dict[str, Any]:
    """The device functions by name, for blocks of `threads` and parts of `part` values (a power of two); each is compiled for the kind of
    its arguments when it is first called."""
    uniform_f64 = functions(("uniform_f64",), exact=True)["uniform_f64"]

    def reduced(combine: Callable[[Any, Any], Any]) -> Any:
        """(source, target, size): target[part] = all of the part combined; `source` is used up."""
        pair = cuda.jit(device=True)(combine)

        def reduce(source: Any, target: Any, size: Any) -> None:
            first = cuda.blockIdx.x * part
            many = min(part, size - first)
            width = 1
            while width < many:
                for place in range(cuda.threadIdx.x * 2 * width, many, threads * 2 * width):
                    if place + width < many:
                        source[first + place] = pair(source[first + place], source[first + place + width])
                width *= 2
                cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                target[cuda.blockIdx.x] = source[first]

        return cuda.jit(reduce)

    def copied(values: Any, row: Any, size: Any, target: Any) -> None:
        i = cuda.grid(1)
        if i < size:
            target[i] = values[row, i]

    def counted(values: Any, row: Any, size: Any, target: Any) -> None:
        i = cuda.grid(1)
        if i < size:
            target[i] = 1 if values[row, i] != 0 else 0

    def ranked(values: Any, row: Any, size: Any, ranks: Any, to: Any) -> None:
        """0 for the largest, ties by index, nan last: how many stand before each."""
        i = cuda.grid(1)
        if i < size:
            mine = values[row, i]
            before = 0
            for j in range(size):
                other = values[row, j]
                ahead = other > mine or (mine != mine and other == other)
                equal = other == mine or (mine != mine and other != other)
                if ahead or (equal and j < i):
                    before += 1
            ranks[to, i] = before

    def drawn(values: Any, row: Any, size: Any, step: Any, stream: Any, k0: Any, k1: Any, draws: Any) -> None:
        """A uniform draw of each candidate, -1 for the others."""
        i = cuda.grid(1)
        if i < size:
            draws[i] = uniform_f64(i, step, stream, k0, k1) if values[row, i] != 0 else -1.0

    def first_of(draws: Any, largest: Any, size: Any, places: Any) -> None:
        """The index where the largest draw stands, else `size`."""
        i = cuda.grid(1)
        if i < size:
            places[i] = i if draws[i] == largest[0] and draws[i] >= 0.0 else size

    def marked(chosen: Any, size: Any, target: Any, to: Any) -> None:
        i = cuda.grid(1)
        if i < size:
            target[to, i] = 1 if chosen[0] == i else 0

    def product(columns: Any, values: Any, row: Any, size: Any, target: Any, to: Any) -> None:
        """Sums over ascending columns, a column whose factor is exactly 0 passed over."""
        i = cuda.grid(1)
        if i < size:
            total = values[row, 0] - values[row, 0]
            for c in range(size):
                factor = values[row, c]
                if factor != 0:
                    total += columns[c, i] * factor
            target[to, i] = total

    def checked(values: Any, row: Any, size: Any, bad: Any) -> None:
        i = cuda.grid(1)
        if i < size and not abs(values[row, i]) < np.inf:
            bad[0] = 1

    def finished(source: Any, result: Any) -> None:
        result[0] = source[0]

    def finished_mean(source: Any, size: Any, result: Any) -> None:
        result[0] = source[0]
        result[0] = result[0] / size[0]

    def larger(a: Any, b: Any) -> Any:
        return a if a > b or a != a else b

    def smaller(a: Any, b: Any) -> Any:
        return a if a < b or a != a else b

    def added(a: Any, b: Any) -> Any:
        return a + b

    plain = (copied, counted, ranked, drawn, first_of, marked, product, checked, finished, finished_mean)
    return {
        **{function.__name__: cuda.jit(function) for function in plain},
        "total": reduced(added),
        "largest": reduced(larger),
        "smallest": reduced(smaller),
        "count": reduced(added),
    }
