"""Across the population on a device: sums by the tree that all backends share, extremes, counts, ranks, one of many, matrix products.

Each part of some values is reduced by one block of threads, then the parts' results are, until one is left. Neighbours are
added first, then neighbours of the sums; parts are a power of two long, so that the parts' trees are branches of the whole one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from .cuda_functions import functions, simulated
from .generate_cuda import NOT_FINITE, place_of, rows_of
from .kernel import Array, Kernel, Kind, MatrixProduct, Reduce
from .memory import Memory

cuda: Any = import_module("numba.cuda")

THREADS = 256  # of a block
PART = 2048  # values that a block of threads combines


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

    def checked(values: Any, row: Any, size: Any, status: Any) -> None:
        i = cuda.grid(1)
        if i < size and not abs(values[row, i]) < np.inf:
            cuda.atomic.or_(status, 0, NOT_FINITE)

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


@dataclass
class Across:
    """The reductions and matrix products of one memory on its device, between the functions of two phases.

    `arrays` are those of the device, `columns` its matrices column by column, `results` one value for each reduction that has one.
    """

    cuda: Any
    kernel: Kernel
    memory: Memory
    grid: tuple[int, int]
    arrays: dict[str, Any]
    columns: dict[str, tuple[Any, Any]]
    spaces: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.threads, self.part = (4, 8) if simulated() else (THREADS, PART)
        self.kernels, self.rows, self.n = kernels(self.threads, self.part), rows_of(self.kernel), self.memory.n
        self.results = self._results()

    def _results(self) -> dict[str, Any]:
        reductions = [
            r for phase in self.kernel.phases for r in phase.reductions if isinstance(r, Reduce) and r.name not in self.rows
        ]
        kinds = {r.name: self.memory.precision if r.kind is Kind.REAL else np.dtype(np.int64) for r in reductions}
        return {name: self.cuda.to_device(np.zeros(1, dtype)) for name, dtype in kinds.items()}

    def check(self, status: Any) -> None:
        """Set the bit NOT_FINITE of status[0] where a value that has to be finite is not."""
        for name in self.kernel.guarded:
            self.kernels["checked"][self.grid](self.arrays["reals"], self.rows[name], self.n, status)

    def _space(self, key: str, size: int, dtype: Any) -> Any:
        if key not in self.spaces or self.spaces[key].shape[0] < size:
            self.spaces[key] = self.cuda.device_array(size, dtype)
        return self.spaces[key]

    def reduce(self, reduction: Reduce | MatrixProduct, step: int) -> None:
        found, n = self.kernels, self.n
        array = self._array(reduction.of)
        here = self.arrays[place_of(array)], self.rows[array.name], n
        if isinstance(reduction, MatrixProduct):
            found["product"][self.grid](self.columns[reduction.matrix][1], *here, *self._target(reduction.name))
        elif reduction.operation == "rank":
            found["ranked"][self.grid](*here, *self._target(reduction.name))
        elif reduction.operation == "one_of":
            draws = self._space("draws", n, np.float64)
            seed = self.memory.seed & 0xFFFFFFFF, self.memory.seed >> 32 & 0xFFFFFFFF
            found["drawn"][self.grid](*here, step, reduction.stream, *seed, draws)
            self._mark_largest(draws, reduction.name)
        else:
            counting = reduction.operation in ("any", "count")
            dtype = np.dtype(np.int64) if counting or array.kind is Kind.INTEGER else self.memory.precision
            space = self._space(f"values {dtype}", n, dtype)
            found["counted" if counting else "copied"][self.grid](*here, space)
            total = self._fold({"mean": "total", "any": "count"}.get(reduction.operation, reduction.operation), space, n, dtype)
            result = self.results[reduction.name]
            if reduction.operation == "mean":
                size = self._space("size", 1, self.memory.precision)
                size.copy_to_device(np.array([n], self.memory.precision))
                found["finished_mean"][1, 1](total, size, result)
            else:
                found["finished"][1, 1](total, result)

    def _mark_largest(self, draws: Any, name: str) -> None:
        n = self.n
        places, used = self._space("places", n, np.int64), self._space("used draws", n, np.float64)
        used.copy_to_device(draws)
        best = self._fold("largest", used, n, np.dtype(np.float64))
        self.kernels["first_of"][self.grid](draws, best, n, places)
        chosen = self._fold("smallest", places, n, np.dtype(np.int64))
        self.kernels["marked"][self.grid](chosen, n, *self._target(name))

    def _array(self, name: str) -> Array:
        return next(array for array in self.kernel.arrays if array.name == name)

    def _fold(self, operation: str, source: Any, size: int, dtype: np.dtype[Any]) -> Any:
        """All of `source`, which is used up, combined: an array whose first value is the result."""
        level = 0
        while size > 1 or level == 0:
            parts = -(-size // self.part)
            target = self._space(f"parts {dtype} {level}", parts, dtype)
            self.kernels[operation][parts, self.threads](source, target, size)
            source, size, level = target, parts, level + 1
        return source

    def _target(self, name: str) -> tuple[Any, int]:
        return self.arrays[place_of(self._array(name))], self.rows[name]
