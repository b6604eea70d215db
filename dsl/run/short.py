"""What a person gave for a parameter or a state, in a few words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 70  # letters


def short(value: object, unit: str) -> str:
    """A value as one line; `unit` is that of bare numbers."""
    if isinstance(value, int | float | np.number | list | tuple | np.ndarray):
        return _numbers(np.asarray(value), "" if unit in ("1", "", "integer", "boolean") else f" {unit}")
    sender = getattr(value, "model", value)
    if hasattr(sender, "states") and hasattr(sender, "name"):
        return f"the output of {sender.name}"
    line = getattr(value, "__name__", "a function") if callable(value) else " ".join(str(value).split())
    return line if len(line) <= MOST else line[: MOST - 3] + "..."


def _numbers(values: NDArray[Any], unit: str) -> str:
    if values.ndim == 0:
        return f"{values.item()}{unit}"
    size = " x ".join(map(str, values.shape))
    if not values.size or values.dtype.kind not in "iuf":
        return f"{size} values"
    return f"{size} values from {values.min():.6g} to {values.max():.6g}{unit}"
