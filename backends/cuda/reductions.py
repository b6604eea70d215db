"""What a coupled kernel does across the population on a device, as pieces of its text.

Sums, extremes, counts and one of many are folded: each block of threads folds tiles of neighbouring neurons in shared memory and leaves
one part of each tile; behind a barrier every block folds the parts once more, each for itself, with a level between where there are too
many of them. Neighbours are added first, then neighbours of the sums; tiles are a power of two long, so their trees are branches of the
whole one: the tree that all backends share. What is missing at the end stands as a value that changes nothing.

Ranks: each tile is sorted by counting, then sorted runs are merged some at a time: a neuron looks for its place in the runs beside its own.
Rows of a matrix are multiplied some side by side, all threads fetching columns that some of them then add in ascending order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..kernel import Array, Kernel, Kind, MatrixProduct, Reduce


@dataclass(frozen=True)
class Layout:
    """`threads` of a block (a power of four), which are the neurons of a tile; `rows` of a matrix side by side; `fan`: runs merged at once
    (a power of two)."""

    threads: int
    rows: int
    fan: int


ON_DEVICE = Layout(256, 32, 4)
SIMULATED = Layout(4, 2, 2)
TOGETHER = 4  # reductions that are folded side by side
FETCHED = 8  # values of a matrix that a thread fetches at a time

# ---- folds --------------------------------------------------------------------------------------

TREE = """
cuda.syncthreads()
width = 1
while width < cuda.blockDim.x:
    place = thread * 4 * width
    if place < cuda.blockDim.x:
        COMBINE
    width *= 4
    cuda.syncthreads()
"""

TILE_FOLDED = """
PUT
TREE
if thread == 0:
    KEEP
"""

FOLDED = """
at = 0
many = tiles
while many > 4 * THREADS:
    group = block
    while group * 4 * THREADS < many:
        part = (group * THREADS + thread) * 4
        GATHER
        TREE
        if thread == 0:
            KEEP
        group += blocks
    at += many
    many = (many + 4 * THREADS - 1) // (4 * THREADS)
    grid.sync()
part = thread * 4
GATHER
TREE
RESULT
cuda.syncthreads()
"""

ONE_COMBINED = """
best = SPACE[place]
who = WHO[place]
for other in range(1, 4):
    if SPACE[place + other * width] > best:
        best = SPACE[place + other * width]
        who = WHO[place + other * width]
SPACE[place] = best
WHO[place] = who
"""

ONE_GATHERED = """
best = -1.0
who = n
for other in range(part, min(part + 4, many)):
    if PARTS[ROW + (step & 1), at + other] > best:
        best = PARTS[ROW + (step & 1), at + other]
        who = WHO_PARTS[WHO_ROW + (step & 1), at + other]
SPACE[thread] = best
WHO[thread] = who
"""

# ---- ranks --------------------------------------------------------------------------------------

# How many stand before: 0 for the largest, ties by index, nan last. First among some neighbours, then among those of the tile.
TILE_RANKED = """
SPACE[thread] = VALUE
cuda.syncthreads()
begin = thread // RUN * RUN
position = 0
for other in range(begin, begin + RUN):
    OTHER = SPACE[other]
    ahead = (OTHER > VALUE) | ((VALUE != VALUE) & (OTHER == OTHER))
    equal = (OTHER == VALUE) | ((VALUE != VALUE) & (OTHER != OTHER))
    if ahead | (equal & (other < thread)):
        position += 1
SORTED[begin + position] = VALUE
cuda.syncthreads()
PLACED
if i < n:
    KEYS[ROW + 2 * (step & 1), tile * THREADS + position] = VALUE
    TARGET = position
cuda.syncthreads()
"""

# `position`, so far among its own sorted run of 1 << BITS, becomes that among the FAN runs that are merged: of equals, that with the lower
# index stands first. All the runs are searched side by side, so that one does not wait for what another one reads.
PLACED = """
own = int32(PLACE >> BITS)
first_run = int32(own >> FAN_BITS << FAN_BITS)
NONE_BEFORE
width = int32(1 << BITS)
while width > 0:
    READ
    COMPARE
    width = int32(width >> 1)
ALL_BEFORE
"""

NONE_BEFORE = """
BEGIN = int32(first_run + NUMBER << BITS)
LENGTH = int32(min(1 << BITS, LIMIT - BEGIN))
BEFORE = int32(0)
"""

READ = """
OTHER = KEY
"""

COMPARE = """
ahead = (OTHER > VALUE) | ((VALUE != VALUE) & (OTHER == OTHER))
behind = (VALUE > OTHER) | ((OTHER != OTHER) & (VALUE == VALUE))
further = ahead | ((first_run + NUMBER < own) & (not behind))
if further & (int32(BEFORE + width) <= LENGTH) & (first_run + NUMBER != own):
    BEFORE = int32(BEFORE + width)
"""

MERGED = """
VALUE = LOADED
position = TARGET
PLACED
KEYS[ROW + 2 * (step & 1) + 1 - side, (i >> bits + FAN_BITS << bits + FAN_BITS) + position] = VALUE
TARGET = position
"""

SETTLED = """
position = TARGET
if 1 << bits < n:
    PLACED
REGISTER = position
TARGET = position
"""

# the last round is left to the pass that reads the ranks
RANKED = """
bits = THREAD_BITS
side = 0
while 1 << bits + FAN_BITS < n:
    tile = block
    while tile < tiles:
        i = tile * THREADS + thread
        if i < n:
            MERGES
        tile += blocks
    bits += FAN_BITS
    side = 1 - side
    grid.sync()
"""

# ---- matrix products ----------------------------------------------------------------------------

# Sums over ascending columns, a column whose factor is exactly 0 passed over. All threads fetch, the first of each row adds.
PRODUCT = """
beside = thread % ROWS
team = thread // ROWS
group = block
while group * ROWS < n:
    row = group * ROWS + beside
    total = real(0.0)
    first_column = 0
    while first_column < n:
        some = 0
        column = thread
        while column < SPAN:
            factor = real(0.0)
            if first_column + column < n:
                factor = FACTOR
            factors[column] = factor
            if factor != 0:
                some = 1
            column += THREADS
        if cuda.syncthreads_or(some) != 0:
            FETCH
            KEEP
            cuda.syncthreads()
            if team == 0:
                for column in range(SPAN):
                    if factors[column] != 0:
                        total += terms[column * ROWS + beside]
            cuda.syncthreads()
        first_column += SPAN
    if (team == 0) & (row < n):
        TARGET = total
    group += blocks
"""

FETCH = """
factor = factors[COLUMN]
TERM = real(0.0)
if (factor != 0) & (row < n):
    TERM = MATRIX[first_column + COLUMN, row] * factor
"""

TEMPLATES = (
    *(TREE, TILE_FOLDED, FOLDED, ONE_COMBINED, ONE_GATHERED),
    *(TILE_RANKED, PLACED, NONE_BEFORE, READ, COMPARE, MERGED, SETTLED, RANKED, PRODUCT, FETCH),
)

# ---- what blocks tell one another ---------------------------------------------------------------

PARTS: Mapping[Kind, str] = {Kind.REAL: "parts", Kind.DOUBLE: "double_parts", Kind.INTEGER: "whole_parts"}  # arguments by kind
KEYS: Mapping[Kind, str] = {Kind.REAL: "keys", Kind.INTEGER: "whole_keys"}
LARGEST_INTEGER = (1 << 63) - 1


def reductions_of(kernel: Kernel) -> tuple[Reduce | MatrixProduct, ...]:
    return tuple(reduction for phase in kernel.phases for reduction in phase.reductions)


def folded(reduction: Reduce | MatrixProduct) -> bool:
    return isinstance(reduction, Reduce) and reduction.operation != "rank"


def kind_folded(reduction: Reduce, of: Array) -> Kind:
    """The kind of the values that are folded."""
    if reduction.operation == "one_of":
        return Kind.DOUBLE
    return Kind.INTEGER if reduction.operation in ("any", "count") or of.kind is Kind.INTEGER else Kind.REAL


@dataclass(frozen=True)
class Room:
    """Rows of the arrays by which blocks tell one another: the first of each reduction, and how many each array has. Those of a step are
    written while others may still read those of the step before, so all are there twice."""

    first: Mapping[tuple[str, str], int]
    rows: Mapping[str, int]


def room_of(kernel: Kernel) -> Room:
    arrays = {array.name: array for array in kernel.arrays}
    first: dict[tuple[str, str], int] = {}
    rows: dict[str, int] = {}

    def take(place: str, reduction: Reduce, many: int) -> None:
        first[place, reduction.name] = rows.get(place, 0)
        rows[place] = rows.get(place, 0) + many

    for reduction in reductions_of(kernel):
        if not isinstance(reduction, Reduce):
            continue
        of = arrays[reduction.of]
        if reduction.operation == "rank":
            take(KEYS[Kind.INTEGER if of.kind is Kind.INTEGER else Kind.REAL], reduction, 4)
        else:
            take(PARTS[kind_folded(reduction, of)], reduction, 2)
        if reduction.operation == "one_of":
            take(PARTS[Kind.INTEGER], reduction, 2)
    return Room(first, rows)


def parts_of(n: int, threads: int) -> int:
    """How many parts a fold of n values has, on all levels."""
    many = found = -(-n // threads)
    while many > 4 * threads:
        many = -(-many // (4 * threads))
        found += many
    return found
