"""Quantity objects of other packages (pint, quantities, astropy, Brian2), known by what they can do; none is imported."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...grammar.unit_table import UNITS
from ..errors import ModelError, UsageError
from ..units import BASES, Dimension, Exponents, Unit, to_computing

SIMPLE = re.compile(r"\s*(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(?P<symbol>[^\W\d]+)\s*")

PINT = {
    "[length]": ("meter", 0),
    "[mass]": ("kilogram", 1),
    "[time]": ("second", 2),
    "[current]": ("ampere", 3),
    "[temperature]": ("kelvin", 4),
    "[substance]": ("mole", 5),
    "[luminosity]": ("candela", 6),
}


@dataclass(frozen=True)
class Physical:
    """Numbers in the computing system, any shape, and their dimension."""

    values: NDArray[np.float64]
    dimension: Dimension


def physical(value: object) -> Physical | None:
    """The numbers and dimension of a quantity object; None for anything else."""
    for reading in (_pint, _brian2, _astropy, _quantities):
        found = reading(value)
        if found is not None:
            numbers, exponents = found
            dimension = Dimension(exponents)
            return Physical(
                np.asarray(to_computing(np.asarray(numbers, np.float64), Unit("", dimension, Fraction(0)))), dimension
            )
    return None


def simply_written(text: str) -> tuple[float, Dimension] | None:
    """What `written` gives for a number with one unit symbol behind it, without the grammar; None for every other text."""
    found = SIMPLE.fullmatch(text)
    if found is None or found["symbol"] not in UNITS:
        return None
    exponents, decade = UNITS[found["symbol"]]
    unit = Unit(found["symbol"], Dimension(tuple(map(Fraction, exponents))), Fraction(decade))  # type: ignore[arg-type]
    number = float(found["number"])
    return (to_computing(number, unit), unit.dimension) if math.isfinite(number) else None


def written(text: str, argument: str) -> tuple[float, Dimension]:
    """The number, in the computing system, and the dimension of a text such as "500 pA". Raises UsageError, which names `argument`."""
    simple = simply_written(text)
    if simple is not None:
        return simple
    from ..expressions import quantity

    try:
        return quantity(text, argument)
    except ModelError as error:
        raise UsageError(not_read(text, argument, error)) from error


def not_read(text: str, argument: str, error: ModelError) -> str:
    """What to say of a text that was given for `argument` and has mistakes."""
    return f"{argument}: {text!r} is no value for it\n\n{error}"


def _exponents(powers: Mapping[str, object], owner: str) -> Exponents:
    unknown = [name for name in powers if name not in BASES and name != "rad"]
    if unknown:
        raise UsageError(f"the unit {unknown[0]!r} of {owner} has no place among the SI units")
    found = [Fraction(str(powers.get(base, 0))).limit_denominator(1000) for base in BASES]
    return tuple(found)  # type: ignore[return-value]


def _pint(value: Any) -> tuple[object, Exponents] | None:
    if not (hasattr(value, "magnitude") and hasattr(value, "dimensionality") and hasattr(value, "to_base_units")):
        return None
    powers = [Fraction(0)] * 7
    for name, power in value.dimensionality.items():
        if name not in PINT:
            raise UsageError(f"the dimension {name} of {value} has no place among the SI units")
        powers[PINT[name][1]] = Fraction(str(power)).limit_denominator(1000)
    target = " * ".join(f"{unit}**({power})" for (unit, _), power in zip(PINT.values(), powers, strict=True) if power)
    return value.to(target or "dimensionless").magnitude, tuple(powers)  # type: ignore[return-value]


def _brian2(value: Any) -> tuple[object, Exponents] | None:
    if not (hasattr(value, "dim") and hasattr(value.dim, "get_dimension")) or callable(value):
        return None
    return np.array(value, np.float64, subok=False), brian2_exponents(value)


def brian2_exponents(value: Any) -> Exponents:
    """The dimension that an object of Brian2 carries."""
    return _exponents({base: value.dim.get_dimension(base) for base in BASES}, "the Brian2 quantity")


def _astropy(value: Any) -> tuple[object, Exponents] | None:
    if not (hasattr(value, "unit") and hasattr(value.unit, "decompose") and hasattr(value, "value")):
        return None
    base = value.decompose()
    powers = {b.name: p for b, p in zip(base.unit.bases, base.unit.powers, strict=True)}
    return base.value * base.unit.scale, _exponents(powers, "the astropy quantity")


def _quantities(value: Any) -> tuple[object, Exponents] | None:
    if not (hasattr(value, "magnitude") and hasattr(value, "simplified")):
        return None
    base = value.simplified
    return base.magnitude, _exponents({unit.symbol: power for unit, power in base.dimensionality.items()}, "the quantity")
