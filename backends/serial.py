"""Frozen dataclasses and enums to data that JSON can hold, and back, exactly.

Every class that may occur stands in a table by its name, so that data from a file makes nothing else.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Any

from . import kernel

KERNEL_CLASSES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        kernel.Kind,
        kernel.Constant,
        kernel.Symbol,
        kernel.Operation,
        kernel.Array,
        kernel.Scalar,
        kernel.SeriesPlace,
        kernel.Matrix,
        kernel.FunctionPlace,
        kernel.Hoist,
        kernel.Propagator,
        kernel.Assign,
        kernel.Draw,
        kernel.Emit,
        kernel.Store,
        kernel.Reduce,
        kernel.MatrixProduct,
        kernel.Phase,
        kernel.Probe,
        kernel.Kernel,
    )
}

CLASS = "@"  # the key of the class of an object; a tuple is a list, a mapping a list of pairs


def to_plain(value: Any, classes: Mapping[str, type] = KERNEL_CLASSES) -> Any:
    """The value as lists, dictionaries, strings and numbers. Raises TypeError for a class that is not in the table."""
    match value:
        case Enum() if classes.get(type(value).__name__) is type(value):
            return {CLASS: type(value).__name__, "value": value.value}
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {CLASS: "float", "value": repr(value)}
        case Fraction():
            return {CLASS: "Fraction", "value": str(value)}
        case tuple():
            return [to_plain(element, classes) for element in value]
        case frozenset():
            return {CLASS: "frozenset", "value": sorted((to_plain(element, classes) for element in value), key=repr)}
        case Mapping():
            return {CLASS: "dict", "value": [[to_plain(key, classes), to_plain(item, classes)] for key, item in value.items()]}
    name = type(value).__name__
    if not dataclasses.is_dataclass(value) or classes.get(name) is not type(value):
        raise TypeError(f"{name} is not among the classes that can be written")
    fields = {field.name: to_plain(getattr(value, field.name), classes) for field in dataclasses.fields(value) if field.init}
    return {CLASS: name, **fields}


def from_plain(plain: Any, classes: Mapping[str, type] = KERNEL_CLASSES) -> Any:
    """The value that `to_plain` was given. Raises KeyError for a class that is not in the table, TypeError for wrong fields."""
    if isinstance(plain, list):
        return tuple(from_plain(element, classes) for element in plain)
    if not isinstance(plain, dict):
        return plain
    name = plain[CLASS]
    if name == "float":
        return float(plain["value"])
    if name == "Fraction":
        return Fraction(plain["value"])
    if name == "dict":
        return {from_plain(key, classes): from_plain(item, classes) for key, item in plain["value"]}
    if name == "frozenset":
        return frozenset(from_plain(element, classes) for element in plain["value"])
    fields = {key: from_plain(item, classes) for key, item in plain.items() if key != CLASS}
    return classes[name](**fields)
