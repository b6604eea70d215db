"""Across the population, for kernels whose neurons read one another: all on one contiguous array, so that blocks do not show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from .primitives import copy, get, maximum, pair_sums, put
from .random import uniform_f64


def _total(values: Any, n: int) -> Any:
    """Neighbours are added, then neighbours of the sums; an odd one waits for the next round. `values` has room for 2n + 16."""
    source, target, size = 0, n, n
    while size > 1:
        half = size >> 1
        pair_sums(values, target, source, half)
        if size & 1:
            put(values, target + half, get(values, source + size - 1))
        source, target, size = target, source, half + (size & 1)
    return get(values, source)


def _largest(values: Any, n: int) -> Any:
    """nan if any is nan. 64 maxima side by side, so that the loop is a vector loop. `values` has room for 2n."""
    whole = n & -64
    for j in range(min(whole, 64)):
        put(values, n + j, get(values, j))
    for start in range(64, whole, 64):
        for j in range(64):
            put(values, n + j, maximum(get(values, n + j), get(values, start + j)))
    found = get(values, 0)
    for j in range(min(whole, 64)):
        found = maximum(found, get(values, n + j))
    for j in range(whole, n):
        found = maximum(found, get(values, j))
    return found


def _smallest(values: Any, n: int) -> Any:
    for j in range(n):
        put(values, j, -get(values, j))
    return -largest(values, n)


def _count(values: Any, n: int) -> int:
    found = 0
    for j in range(n):
        found += int(get(values, j) != 0)
    return found


def _rank(values: Any, order: Any, n: int) -> None:
    """The first n of `order` become the ranks: 0 for the largest, ties by index, nan last. A merge sort; `order` has room for 3n."""
    source, target = n, 2 * n
    for j in range(n):
        put(order, source + j, j)
    width = 1
    while width < n:
        for start in range(0, n, 2 * width):
            left, middle, end = start, min(start + width, n), min(start + 2 * width, n)
            right = middle
            for out in range(start, end):
                a = get(order, source + min(left, n - 1))
                b = get(order, source + min(right, n - 1))
                if left < middle and (right >= end or not precedes(get(values, b), get(values, a))):
                    put(order, target + out, a)
                    left += 1
                else:
                    put(order, target + out, b)
                    right += 1
        source, target, width = target, source, 2 * width
    for j in range(n):
        put(order, get(order, source + j), j)


def _precedes(a: float, b: float) -> bool:
    return a > b or (b != b and a == a)


def _one_of(values: Any, n: int, step: int, stream: int, k0: Any, k1: Any) -> None:
    """`values` becomes 1 for one neuron among those where it is not 0, the one with the largest draw, and 0 for the others."""
    best, chosen = -1.0, -1
    for j in range(n):
        if get(values, j) != 0:
            draw = uniform_f64(j, step, stream, k0, k1)
            if draw > best:
                best, chosen = draw, j
        put(values, j, 0)
    if chosen >= 0:
        put(values, chosen, 1)


def _product(transposed: Any, values: Any, columns: Any, n: int) -> None:
    """`values` becomes the sums over ascending columns, a column whose factor is exactly 0 passed over. It has room for 2n.

    Four columns are taken at a time: the same additions in the same order, a quarter of the loads and stores.
    """
    used = 0
    for c in range(n):
        put(columns, used, c)
        used += int(get(values, c) != 0)
    for r in range(n):
        put(values, n + r, 0)
    for q in range(0, used & -4, 4):
        a, b, c, d = get(columns, q), get(columns, q + 1), get(columns, q + 2), get(columns, q + 3)
        va, vb, vc, vd = get(values, a), get(values, b), get(values, c), get(values, d)
        for r in range(n):
            s = get(values, n + r) + get(transposed, a * n + r) * va
            s = s + get(transposed, b * n + r) * vb
            s = s + get(transposed, c * n + r) * vc
            put(values, n + r, s + get(transposed, d * n + r) * vd)
    for q in range(used & -4, used):
        a = get(columns, q)
        va = get(values, a)
        for r in range(n):
            put(values, n + r, get(values, n + r) + get(transposed, a * n + r) * va)
    copy(values, 0, values, n, n)


def _compiled(function: Callable[..., Any]) -> Any:
    """Only generated code calls these: the wrappers for calls from Python and C are not compiled."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(**options)(function)


total = _compiled(_total)
largest = _compiled(_largest)
smallest = _compiled(_smallest)
count = _compiled(_count)
precedes = _compiled(_precedes)
rank = _compiled(_rank)
one_of = _compiled(_one_of)
product = _compiled(_product)
