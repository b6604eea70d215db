"""A ramp between two values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..duration import time_in_ms
from ..values import Input, Sampled, Source, Target, amount


@dataclass(frozen=True)
class RampCourse:
    """Evenly from `low` to `high` between two times in ms; numbers of the computing system."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(times, [self.start, self.stop], [self.low, self.high])[:, np.newaxis]


@dataclass(frozen=True)
class Ramp(Input):
    """See `ramp`."""

    low: object
    high: object
    start: float
    stop: float

    def __str__(self) -> str:
        return f"ramp from {self.low} at {self.start:g} ms to {self.high} at {self.stop:g} ms"

    def bind(self, target: Target) -> Source:
        low = amount(self.low, target.called(f"{target.argument}: low of the ramp"))
        high = amount(self.high, target.called(f"{target.argument}: high of the ramp"))
        return Sampled(RampCourse(low, high, self.start, self.stop), self.stop)


def ramp(low: object, high: object, start: object = "0 ms", stop: object = None) -> Ramp:
    """`low` until `start`, then evenly to `high` at `stop`, and `high` after: `dvdt.ramp("0 pA", "1 nA", start="0 ms", stop="1 s")`.

    Sampled at the start of each step and held over it; for schemes of higher order write `dvdt.function`.
    """
    if stop is None:
        raise UsageError("ramp: stop= says when `high` is reached, such as stop='1 s'")
    begin, end = time_in_ms(start, "ramp: start"), time_in_ms(stop, "ramp: stop")
    if begin < 0:
        raise UsageError(f"ramp: start = {start} lies before the run, which begins at 0 ms")
    if end <= begin:
        raise UsageError(f"ramp: stop = {stop} is not after start = {start}")
    return Ramp(low, high, begin, end)
