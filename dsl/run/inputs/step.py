"""A step, and by `stop` a pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..duration import time_in_ms
from ..values import Input, Sampled, Source, Target, amount


@dataclass(frozen=True)
class StepCourse:
    """`high` between two times in ms, `low` before and after; numbers of the computing system."""

    low: float
    high: float
    start: float
    stop: float | None

    def __call__(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        inside = times >= self.start * (1 - 1e-12)  # k*dt may fall short of the same time by a rounding
        if self.stop is not None:
            inside &= times < self.stop * (1 - 1e-12)
        return np.where(inside, self.high, self.low)[:, np.newaxis]


@dataclass(frozen=True)
class Step(Input):
    """See `step`."""

    low: object
    high: object
    start: float
    stop: float | None

    def __str__(self) -> str:
        return f"step from {self.low} to {self.high} at {self.start:g} ms{'' if self.stop is None else f', back at {self.stop:g} ms'}"

    def bind(self, target: Target) -> Source:
        low = amount(self.low, target.called(f"{target.argument}: low of the step"))
        high = amount(self.high, target.called(f"{target.argument}: high of the step"))
        return Sampled(StepCourse(low, high, self.start, self.stop), self.start if self.stop is None else self.stop)


def step(low: object, high: object, start: object = "0 ms", stop: object = None) -> Step:
    """`low` until `start`, then `high`, from `stop` on `low` again: `dvdt.step("0 pA", "500 pA", start="100 ms", stop="400 ms")`.

    The edges fall on the first step that begins at or after them.
    """
    begin = time_in_ms(start, "step: start")
    end = None if stop is None else time_in_ms(stop, "step: stop")
    if begin < 0:
        raise UsageError(f"step: start = {start} lies before the run, which begins at 0 ms")
    if end is not None and end <= begin:
        raise UsageError(f"step: stop = {stop} is not after start = {start}")
    return Step(low, high, begin, end)
