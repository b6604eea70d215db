"""Times from Python: "1 s", "0.1 ms" or a quantity object, in ms; and how many steps they are."""

from __future__ import annotations

import math

from ..checked import CheckedModel
from ..errors import UsageError
from ..units import TIME, Dimension
from .quantities import physical, written

USUAL_STEP = "0.1 ms"  # of models that recommend none
MOST_STEPS = 2**53  # whole numbers up to here are exact in float64
A_TIME = "a time with its unit, such as '1 s' or '0.1 ms'"


def time_in_ms(value: object, argument: str) -> float:
    """A time in ms. Raises UsageError, which names `argument`, for what is no finite time with a unit."""
    number, dimension = _quantity(value, argument)
    if dimension != TIME:
        raise UsageError(f"{argument}: expected {A_TIME}, not {value!r}")
    if not math.isfinite(number):
        raise UsageError(f"{argument}: {value} is not a finite time")
    return number


def time_step(value: object, argument: str = "dt") -> float:
    """A step of time in ms, longer than 0."""
    dt = time_in_ms(value, argument)
    if not dt > 0:
        raise UsageError(f"{argument} has to be longer than 0 ms, not {value}")
    return dt


def step_for(dt: object, model: CheckedModel) -> object:
    """The step of a run: what the caller says, else what the model recommends, else 0.1 ms."""
    if dt is not None:
        return dt
    return USUAL_STEP if model.dt is None else f"{model.dt!r} ms"


def whole_steps(time: float, dt: float, argument: str) -> tuple[int, str | None]:
    """The nearest whole number of steps, and a note where `time` (ms) is none."""
    ratio = time / dt
    if ratio > MOST_STEPS:
        raise UsageError(f"{argument}: {time:g} ms is {ratio:.3g} steps of {dt:g} ms, more than can be counted")
    steps = round(ratio)
    if abs(ratio - steps) <= 1e-9 * max(1.0, ratio):
        return steps, None
    return (
        steps,
        f"{argument} of {time:.10g} ms is no whole number of steps of {dt:.10g} ms: {steps} steps ({steps * dt:.10g} ms) were taken",
    )


def _quantity(value: object, argument: str) -> tuple[float, Dimension]:
    if isinstance(value, str):
        return written(value, argument)
    found = physical(value)
    if found is None:
        raise UsageError(f"{argument}: expected {A_TIME}, not {value!r}")
    if found.values.ndim:
        raise UsageError(f"{argument}: expected one time, not {found.values.size} values")
    return float(found.values), found.dimension
