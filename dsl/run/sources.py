"""Sources as plain data: what was given for the parameters and states of a run, in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.serial import CLASS, from_plain, to_plain
from .inputs.ramp import RampCourse
from .inputs.step import StepCourse
from .values import Drawn, Fluctuating, Formula, PerNeuron, Sampled, Source, Stored, Table, TimeFunction, Uniform

CLASSES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        Uniform,
        PerNeuron,
        Stored,
        Formula,
        Drawn,
        Table,
        Sampled,
        Fluctuating,
        TimeFunction,
        StepCourse,
        RampCourse,
    )
}
ARRAY = "array"

Keep = Callable[[NDArray[Any]], str]  # puts an array into a file, and tells its key


def plain_source(source: object, keep: Keep) -> dict[str, Any] | None:
    """A source as what JSON can say, its arrays kept apart; None for one that no file can hold, such as a function of Python."""
    try:
        written = _plain(source, keep)
    except TypeError:
        return None
    return written if isinstance(written, dict) else None


def _plain(value: object, keep: Keep) -> Any:
    if isinstance(value, np.ndarray):
        return {CLASS: ARRAY, "key": keep(value)}
    name = type(value).__name__
    if CLASSES.get(name) is type(value) and is_dataclass(value):
        return {CLASS: name, **{field.name: _plain(getattr(value, field.name), keep) for field in fields(value)}}
    return to_plain(value)


def source_from(plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Source:
    """The source that `plain_source` was given. Raises KeyError, TypeError or ValueError for what it did not write."""
    source = _value(plain, arrays)
    if not isinstance(source, Source):
        raise TypeError(f"{plain} is no source")
    return source


def _value(plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    name = plain[CLASS] if isinstance(plain, dict) else ""
    if name == ARRAY:
        return arrays[plain["key"]]
    if name in CLASSES:
        return CLASSES[name](**{key: _value(item, arrays) for key, item in plain.items() if key != CLASS})
    return from_plain(plain)


def same(one: object, other: object) -> bool:
    """Whether two sources give the same numbers."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    if type(one) in CLASSES.values() and is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return one == other
