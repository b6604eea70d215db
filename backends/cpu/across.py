"""Across the population, for kernels whose neurons read one another.

Sums, maxima and counts are made block by block, while a block is at hand, and then over the blocks; what stands in the places
between the two does not depend on the size of a block. Ranks and products take one contiguous array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from ..primitives import bits_of, copy, get, largest_of, maximum, minimum, pair_sums, put, select, sums_of_64
from ..random import uniform_f64

DIGIT = 11  # bits by which ranks are sorted at a time
DIGITS = 6

# ---- of a block, and over the blocks -----------------------------------------------------------


def _tree(values: Any, place: int, n: int) -> Any:
    """The sum of n values from `place` on: neighbours are added, then neighbours of the sums; an odd one waits for the next round.

    The values are lost, and up to 7 behind them.
    """
    while n > 1:
        half, odd = n >> 1, get(values, place + n - 1)
        pair_sums(values, place, values, place, half)
        if n & 1:
            put(values, place + half, odd)
        n = half + (n & 1)
    return get(values, place)


def _tree_of_block(values: Any, place: int, n: int, spare: Any, at: int) -> Any:
    """The sum of a block by the same tree; the values stay, the sums stand in `spare` from `at` on."""
    whole, rest = n >> 6, n & 63
    sums_of_64(spare, at, values, place, whole)
    if rest:
        behind = at + whole + 16
        copy(spare, behind, values, place + n - rest, rest)
        put(spare, at + whole, tree(spare, behind, rest))
        whole += 1
    return tree(spare, at, whole)


def _largest(values: Any, n: int) -> Any:
    """nan if any is nan."""
    found = get(values, 0)
    for j in range(n):
        found = maximum(found, get(values, j))
    return found


def _smallest(values: Any, n: int) -> Any:
    found = get(values, 0)
    for j in range(n):
        found = minimum(found, get(values, j))
    return found


def _count(values: Any, place: int, n: int) -> int:
    """How many are not 0."""
    found = 0
    for j in range(n):
        found += int(get(values, place + j) != 0)
    return found


def _sum_up(values: Any, n: int) -> int:
    found = 0
    for j in range(n):
        found += get(values, j)
    return found


def _one_of_block(
    values: Any, place: int, n: int, first: int, draws: Any, at: int, step: int, stream: int, k0: Any, k1: Any
) -> int:
    """The neuron of a block with the largest draw among those where the value is not 0; -1 where there is none.

    Few candidates draw one by one, many together, with their draws in `draws` from `at` on. `first` is the block's first neuron.
    """
    candidates = count(values, place, n)
    if candidates == 0:
        return -1
    best, chosen = -1.0, -1
    if 8 * candidates < n:
        for j in range(n):
            if get(values, place + j) != 0:
                draw = uniform_f64(first + j, step, stream, k0, k1)
                if draw > best:
                    best, chosen = draw, first + j
        return chosen
    lanes = (n + 31) & -32
    for j in range(lanes):
        draw = uniform_f64(first + j, step, stream, k0, k1)
        put(draws, at + j, select((j < n) & (get(values, place + j) != 0), draw, -1.0))
    best = largest_of(draws, at, lanes)
    chosen = 0
    while get(draws, at + chosen) != best:
        chosen += 1
    return first + chosen


def _one_of(chosen: Any, blocks: int, step: int, stream: int, k0: Any, k1: Any) -> int:
    """The neuron with the largest draw among those that the blocks have chosen; -1 where there is none."""
    best, found = -1.0, -1
    for block in range(blocks):
        neuron = get(chosen, block)
        if neuron >= 0:
            draw = uniform_f64(neuron, step, stream, k0, k1)
            if draw > best:
                best, found = draw, neuron
    return found


# ---- of all values -----------------------------------------------------------------------------


def _rank(values: Any, order: Any, n: int) -> None:
    """The first n of `order` become the ranks: 0 for the largest, ties by index, nan last. `order` has room for 5n + 12288."""
    for j in range(n):
        put(order, n + j, descending(float(get(values, j))))
    places_of_sorted(order, n)


def _rank_wholes(values: Any, order: Any, n: int) -> None:
    """As `rank`, of whole numbers. `values` and `order` may be one."""
    for j in range(n):
        put(order, n + j, get(values, j) ^ 0x7FFFFFFFFFFFFFFF)
    places_of_sorted(order, n)


def _places_of_sorted(order: Any, n: int) -> None:
    """The first n of `order` become the places that the keys behind them, read without sign, have in ascending order, ties by index.

    So many bits at a time (Knuth, The Art of Computer Programming, 3, 5.2.5); what all keys have in common is passed over.
    """
    counts, keys, neurons, other_keys, other_neurons = 5 * n, n, 2 * n, 3 * n, 4 * n
    for place in range(DIGITS << DIGIT):
        put(order, counts + place, 0)
    for j in range(n):
        key = get(order, keys + j)
        put(order, neurons + j, j)
        for digit in range(DIGITS):
            place = counts + (digit << DIGIT) + ((key >> (DIGIT * digit)) & ((1 << DIGIT) - 1))
            put(order, place, get(order, place) + 1)
    for digit in range(DIGITS):
        first = counts + (digit << DIGIT)
        shift, mask = DIGIT * digit, (1 << DIGIT) - 1
        if get(order, first + ((get(order, keys) >> shift) & mask)) < n:
            before = 0
            for place in range(first, first + (1 << DIGIT)):
                many = get(order, place)
                put(order, place, before)
                before += many
            for j in range(n):
                key = get(order, keys + j)
                place = first + ((key >> shift) & mask)
                to = get(order, place)
                put(order, place, to + 1)
                put(order, other_keys + to, key)
                put(order, other_neurons + to, get(order, neurons + j))
            keys, neurons, other_keys, other_neurons = other_keys, other_neurons, keys, neurons
    for j in range(n):
        put(order, get(order, neurons + j), j)


def _descending(x: float) -> int:
    """A whole number that, read without sign, is the smaller the larger x is; nan comes last."""
    if x != x:
        return -1
    bits: int = bits_of(x + 0.0)  # one zero
    return bits if bits < 0 else bits ^ 0x7FFFFFFFFFFFFFFF


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


tree = _compiled(_tree)
tree_of_block = _compiled(_tree_of_block)
largest = _compiled(_largest)
smallest = _compiled(_smallest)
count = _compiled(_count)
sum_up = _compiled(_sum_up)
one_of_block = _compiled(_one_of_block)
one_of = _compiled(_one_of)
descending = _compiled(_descending)
places_of_sorted = _compiled(_places_of_sorted)
rank = _compiled(_rank)
rank_wholes = _compiled(_rank_wholes)
product = _compiled(_product)
