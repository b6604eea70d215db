"""Units: seven exponents and a power of ten. Every unit of the language is a power of ten of the SI base units.

Numbers inside a simulation are kept in a coherent system in which the quantities of a neuron are near one, so that
float32 is safe: um, pg*1e3 (1e-12 kg), ms, pA, K, amol (1e-18 mol), cd. In it mV, pA, nS, pF, Gohm, ms, mM all have scale 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ..grammar import nodes
from ..grammar.unit_table import UNITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T", float, "NDArray[np.float64]")

Exponents = tuple[Fraction, Fraction, Fraction, Fraction, Fraction, Fraction, Fraction]

# powers of ten of the computing system's base units, in the order m, kg, s, A, K, mol, cd
COMPUTING = (-6, -12, -3, -12, 0, -18, 0)


BASES = ("m", "kg", "s", "A", "K", "mol", "cd")


@dataclass(frozen=True)
class Dimension:
    """Exponents of m, kg, s, A, K, mol, cd."""

    exponents: Exponents

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))  # type: ignore[arg-type]

    def __truediv__(self, other: Dimension) -> Dimension:
        return self * other**-1

    def __pow__(self, power: Fraction | int) -> Dimension:
        return Dimension(tuple(a * power for a in self.exponents))  # type: ignore[arg-type]

    @property
    def is_one(self) -> bool:
        return not any(self.exponents)


ONE = Dimension((Fraction(0),) * 7)


@dataclass(frozen=True)
class Unit:
    """A unit as it is written, its dimension, and the power of ten between it and the coherent SI unit."""

    text: str
    dimension: Dimension
    decade: Fraction

    @cached_property
    def computing_decade(self) -> Fraction:
        """Power of ten from this unit to the system that simulations compute in: 0 for mV, 3 for V."""
        return self.decade - sum((e * c for e, c in zip(self.dimension.exponents, COMPUTING, strict=True)), Fraction(0))


def coherent(**powers: int) -> Dimension:
    """The dimension m^a kg^b s^c A^d K^e mol^f cd^g, from keyword arguments of these names."""
    return Dimension(tuple(Fraction(powers.get(base, 0)) for base in BASES))  # type: ignore[arg-type]


TIME = coherent(s=1)
LENGTH = coherent(m=1)
CURRENT = coherent(A=1)
VOLTAGE = coherent(kg=1, m=2, s=-3, A=-1)
CONCENTRATION = coherent(mol=1, m=-3)
CONDUCTANCE = CURRENT / VOLTAGE
CAPACITANCE = CURRENT * TIME / VOLTAGE
AREA = LENGTH**2

DIMENSIONLESS = Unit("1", ONE, Fraction(0))
INTEGER_UNIT = Unit("integer", ONE, Fraction(0))
BOOLEAN_UNIT = Unit("boolean", ONE, Fraction(0))
KIND_UNITS: Mapping[str, Unit] = {"integer": INTEGER_UNIT, "boolean": BOOLEAN_UNIT}

# dimension: (what it is called, coherent unit, usual unit, decade of the usual unit)
NAMED: Mapping[Dimension, tuple[str, str, str, int]] = {
    TIME: ("a time", "s", "ms", -3),
    VOLTAGE: ("a voltage", "V", "mV", -3),
    CURRENT: ("a current", "A", "pA", -12),
    CONDUCTANCE: ("a conductance", "S", "nS", -9),
    VOLTAGE / CURRENT: ("a resistance", "ohm", "Mohm", 6),
    CAPACITANCE: ("a capacitance", "F", "pF", -12),
    CURRENT * TIME: ("a charge", "C", "pC", -12),
    TIME**-1: ("a rate", "1/s", "1/ms", 3),
    VOLTAGE / TIME: ("a voltage per time", "V/s", "mV/ms", 0),
    CURRENT / TIME: ("a current per time", "A/s", "pA/ms", -9),
    CONDUCTANCE / TIME: ("a conductance per time", "S/s", "nS/ms", -6),
    CURRENT / AREA: ("a current density", "A/m^2", "uA/cm^2", -2),
    CONDUCTANCE / AREA: ("a conductance per area", "S/m^2", "mS/cm^2", 1),
    CAPACITANCE / AREA: ("a capacitance per area", "F/m^2", "uF/cm^2", -2),
    CONCENTRATION: ("a concentration", "mol/m^3", "mM", 0),
    CONCENTRATION / TIME: ("a concentration per time", "mol/(m^3 s)", "mM/ms", 3),
    LENGTH: ("a length", "m", "um", -6),
    AREA: ("an area", "m^2", "um^2", -12),
    LENGTH**3: ("a volume", "m^3", "um^3", -18),
    coherent(kg=1): ("a mass", "kg", "kg", 0),
    coherent(K=1): ("a temperature", "K", "K", 0),
    coherent(mol=1): ("an amount of substance", "mol", "mol", 0),
}


def shift(value: T, decades: Fraction) -> T:
    """`value` (a number or an array) times ten to the power `decades`, rounded once."""
    whole = decades.denominator == 1
    factor: float = float(10 ** abs(decades.numerator)) if whole else 10.0 ** float(decades)
    return value / factor if whole and decades < 0 else value * factor


def to_computing(value: T, unit: Unit) -> T:
    """A value (or an array) in `unit` as a number of the computing system."""
    return shift(value, unit.computing_decade)


def from_computing(value: T, unit: Unit) -> T:
    """A number (or an array) of the computing system as a value in `unit`."""
    return shift(value, -unit.computing_decade)


def unit_of_symbol(symbol: str) -> Unit | None:
    """The unit of one symbol (`mV`, `volt`, `boolean`), or None where there is none of that name."""
    if symbol in KIND_UNITS:
        return KIND_UNITS[symbol]
    if symbol not in UNITS:
        return None
    exponents, decade = UNITS[symbol]
    return Unit(symbol, Dimension(tuple(map(Fraction, exponents))), Fraction(decade))  # type: ignore[arg-type]


def unit_of(unit: nodes.Unit) -> Unit | nodes.UnitFactor:
    """The unit that a piece of text names, or the first factor of it that is no unit."""
    dimension, decade = ONE, Fraction(0)
    for factor in unit.factors:
        found = unit_of_symbol(factor.symbol)
        if found is None:
            return factor
        dimension, decade = dimension * found.dimension**factor.power, decade + found.decade * factor.power
    return Unit(unit_text(unit), dimension, decade)


def unit_text(unit: nodes.Unit) -> str:
    """A unit as text that parses back to it: `nS/cm^2`, `1/ms`, `1`."""
    return spell((factor.symbol, factor.power) for factor in unit.factors)


def spell(factors: Iterable[tuple[str, Fraction]]) -> str:
    """Symbols with their powers as text: above the line first, then each one below it."""
    above: list[str] = []
    below: list[str] = []
    for symbol, power in factors:
        size = "" if abs(power) == 1 else f"^{abs(power)}" if power.denominator == 1 else f"^({abs(power)})"
        (above if power > 0 else below).append(symbol + size)
    return "/".join(["*".join(above) or "1", *below])


def electrical(dimension: Dimension) -> list[tuple[str, Fraction]]:
    """A dimension in V, A, m, s, K, mol, cd instead of kilograms, which no neuron is measured in."""
    m, kg, s, a, k, mol, cd = dimension.exponents
    parts = (("V", kg), ("A", a + kg), ("m", m - 2 * kg), ("s", s + 3 * kg), ("K", k), ("mol", mol), ("cd", cd))
    return [(symbol, power) for symbol, power in parts if power]


def coherent_text(dimension: Dimension) -> str:
    """The coherent SI unit of a dimension: `V`, `A/m^2`, `1`."""
    return NAMED[dimension][1] if dimension in NAMED else spell(electrical(dimension))


def describe(dimension: Dimension) -> str:
    """A dimension in words: "a voltage [V]", "a number", "a quantity [V^2/s]"."""
    if dimension.is_one:
        return "a number without unit"
    name = NAMED[dimension][0] if dimension in NAMED else "a quantity"
    return f"{name} [{coherent_text(dimension)}]"


def noun(dimension: Dimension) -> str:
    """A dimension as a short noun: "a voltage", "a number", "a quantity in V^2/s"."""
    if dimension.is_one:
        return "a number"
    return NAMED[dimension][0] if dimension in NAMED else f"a quantity in {coherent_text(dimension)}"


def usual_unit(dimension: Dimension) -> Unit:
    """The unit in which neuron models usually give a quantity: mV, ms, pA, nS, pF, mM, uA/cm^2, or a product of such."""
    if dimension.is_one:
        return DIMENSIONLESS
    if dimension in NAMED:
        *_, text, decade = NAMED[dimension]
        return Unit(text, dimension, Fraction(decade))
    usual = {"V": ("mV", -3), "A": ("pA", -12), "m": ("um", -6), "s": ("ms", -3)}
    parts = [(*usual.get(symbol, (symbol, 0)), power) for symbol, power in electrical(dimension)]
    text = spell((symbol, power) for symbol, _, power in parts)
    return Unit(text, dimension, sum((decade * power for _, decade, power in parts), Fraction(0)))


def computing_unit(dimension: Dimension) -> Unit:
    """The unit in which numbers of this dimension are computed: mV, pA, nS, and pA*ms for a charge."""
    usual = usual_unit(dimension)
    if usual.computing_decade == 0:
        return usual
    small = {"V": ("mV", -3), "A": ("pA", -12), "m": ("um", -6), "s": ("ms", -3), "mol": ("amol", -18)}
    parts = [(*small.get(symbol, (symbol, 0)), power) for symbol, power in electrical(dimension)]
    text = spell((symbol, power) for symbol, _, power in parts)
    return Unit(text, dimension, sum((decade * power for _, decade, power in parts), Fraction(0)))


def written_with(number: str, unit: Unit) -> str:
    """A number and its unit as a text of the language: `20 ms`, and `0.02 /ms` where the unit begins as `1/`."""
    return f"{number} {unit.text.removeprefix('1') if unit.text.startswith('1/') else unit.text}"
