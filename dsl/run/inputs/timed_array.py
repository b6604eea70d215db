"""Brian2's TimedArray as a series, known by what it can do; Brian2 is not imported."""

from __future__ import annotations

import numpy as np

from ...units import Dimension, coherent_text
from ..quantities import brian2_exponents
from .series import TimedSeries


def series_of(value: object) -> TimedSeries | None:
    """The series that a TimedArray of Brian2 holds, in base SI units; None for anything else."""
    if not (callable(value) and all(hasattr(value, name) for name in ("values", "dt", "dim"))):
        return None
    dimension = Dimension(brian2_exponents(value))
    return TimedSeries(np.asarray(value.values, np.float64), f"{float(value.dt)!r} s", coherent_text(dimension))  # type: ignore[attr-defined]
