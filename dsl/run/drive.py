"""Tables of what varies in time, as long as a run needs them."""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .initial import BLOCK, FLUCTUATIONS
from .values import Fluctuating, Sampled, Source, Table


def interval(source: Source, dt: float) -> float:
    """Time between the rows of a table, in ms."""
    return source.interval if isinstance(source, Table) else dt


def rows_needed(source: Source, steps: int, dt: float) -> int:
    """How many rows a run needs that ends after `steps`, with one for the recording at its end; the last one holds on."""
    if isinstance(source, Table):
        return len(source.values)
    if isinstance(source, Sampled):
        return min(steps + 1, math.ceil(source.until / dt) + 2)
    return steps + 1


def columns(source: Source, n: int) -> int:
    if isinstance(source, Table):
        return int(source.values.shape[1])
    return n if isinstance(source, Fluctuating) else 1


def table(
    source: Source,
    name: str,
    rows: int,
    n: int,
    dt: float,
    seed: int,
    precision: np.dtype[np.floating],
    before: NDArray[np.floating] | None,
) -> NDArray[np.floating]:
    """The first `rows` rows. `before` are those that are known already."""
    match source:
        case Table(_, values):
            return np.ascontiguousarray(values, precision)
        case Sampled(at):
            return np.ascontiguousarray(at(np.arange(rows, dtype=np.float64) * np.float64(dt)), precision)
        case Fluctuating():
            return _fluctuations(source, name, rows, n, dt, seed, precision, before)
    raise TypeError(source)


def _fluctuations(
    source: Fluctuating,
    name: str,
    rows: int,
    n: int,
    dt: float,
    seed: int,
    precision: np.dtype[np.floating],
    before: NDArray[np.floating] | None,
) -> NDArray[np.floating]:
    """x(t + dt) = mean + (x(t) - mean) e^(-dt/tau) + std sqrt(1 - e^(-2 dt/tau)) xi, from the stationary distribution."""
    from ...backends import philox

    made = np.empty((rows, n), precision)
    known = 0 if before is None else len(before)
    if before is not None:
        made[:known] = before
    keep, fresh = math.exp(-dt / source.tau), source.deviation * math.sqrt(-math.expm1(-2 * dt / source.tau))
    stream, key, double = crc32(name.encode()), philox.key(seed), np.dtype(np.float64)
    for first in range(0, n, BLOCK):
        part = slice(first, min(first + BLOCK, n))
        for row in range(known, rows):
            drawn = philox.normal(np.arange(part.start, part.stop), FLUCTUATIONS + row, stream, *key, double)
            if row == 0:
                made[0, part] = source.mean + source.deviation * drawn
            else:
                made[row, part] = source.mean + (made[row - 1, part] - source.mean) * keep + fresh * drawn
    return made
