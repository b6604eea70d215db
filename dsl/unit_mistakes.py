"""Mistakes with units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from ..grammar.unit_table import REFUSED_UNITS
from .name_mistakes import one_of
from .units import Dimension, describe, noun, usual_unit


class Hint(NamedTuple):
    """What a person probably meant: what to say, what the spanned text would be then, and how certain it is (see `UnitMistake`)."""

    text: str | None = None
    replacement: str | None = None
    certainty: int = 0


def words(dimension: Dimension | None) -> str:
    return "another unit" if dimension is None else describe(dimension)


def short(dimension: Dimension | None) -> str:
    return "something of another unit" if dimension is None else noun(dimension)


@dataclass(frozen=True)
class UnitMistake(Mistake):
    """Units that contradict one another.

    `because`: the written units that it comes from; `fitting`: what to write where one of them alone is to blame, which is a better
    help than one of a lower certainty (2: this edit repairs the place, 1: it may, 0: in general).
    """

    code: ClassVar[str] = "units"
    because: tuple[Label, ...] = field(default=(), kw_only=True, compare=False)
    fitting: str | None = field(default=None, kw_only=True)

    @property
    def labels(self) -> tuple[Label, ...]:
        return self.because

    @property
    def certainty(self) -> int:
        return 0


@dataclass(frozen=True)
class HintedMistake(UnitMistake):
    """One with a hint for its place."""

    hint: Hint = field(default_factory=Hint, kw_only=True)

    @property
    def help(self) -> str | None:
        return self.fitting or self.hint.text

    @property
    def replacement(self) -> str | None:
        return self.hint.replacement if self.fitting is None else None

    @property
    def certainty(self) -> int:
        return self.hint.certainty


@dataclass(frozen=True)
class UnitsDiffer(HintedMistake):
    """Terms of a sum, sides of a comparison, arguments of min: what has to be of one unit and is not.

    `verb`: "add", "subtract", "compare", "choose between", or "give `max`".
    """

    verb: str
    found: Dimension | None
    other: Span
    other_found: Dimension | None

    @property
    def message(self) -> str:
        return f"cannot {self.verb} {short(self.found)} and {short(self.other_found)}"

    @property
    def note(self) -> str:
        return f"this is {words(self.found)}"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.other, f"this is {words(self.other_found)}"), *self.because)


@dataclass(frozen=True)
class WrongUnit(HintedMistake):
    """A value that has another unit than its place wants; `place`: "`v`", "dv/dt", "the duration"."""

    place: str
    wanted: Dimension | None
    found: Dimension | None

    @property
    def message(self) -> str:
        if self.wanted is None and self.found is None:
            return f"{self.place} and this are of different units"
        return f"{self.place} is {words(self.wanted)}, but this is {words(self.found)}"

    @property
    def note(self) -> str:
        return f"this is {words(self.found)}"


@dataclass(frozen=True)
class NumberNeeded(UnitMistake):
    """A quantity with a unit where only a number makes sense: exp of a voltage."""

    where: str
    found: Dimension | None

    @property
    def message(self) -> str:
        return f"{self.where} needs a number without unit, not {short(self.found)}"

    @property
    def note(self) -> str:
        return f"this is {words(self.found)}"

    @property
    def help(self) -> str:
        if self.fitting is not None:
            return self.fitting
        unit = usual_unit(self.found).text if self.found is not None else "its unit"
        text = self.span.text if self.span.text.isidentifier() else f"({self.span.text})"
        return f"divide it by a quantity of the same unit, for example `{text}/{unit if unit.isalnum() else f'(1 {unit})'}`"


@dataclass(frozen=True)
class ArgumentWithUnit(UnitMistake):
    """A quantity for an argument of a function from outside that takes a plain number."""

    function: str
    name: str
    arguments: tuple[str, ...]
    found: Dimension | None

    @property
    def message(self) -> str:
        return f"`{self.function}` takes its argument `{self.name}` as a number without unit, not {short(self.found)}"

    @property
    def note(self) -> str:
        return f"this is {words(self.found)}"

    @property
    def help(self) -> str:
        unit = usual_unit(self.found).text if self.found is not None else "unit"
        arguments = ", ".join(f"{name} : {unit}" if name == self.name else name for name in self.arguments)
        return f"if the function counts it in {unit}, declare it as `{self.function}({arguments}) : ...`; or divide it by its unit here"


@dataclass(frozen=True)
class ExponentNotConstant(UnitMistake):
    """`v^n` with a unit on v and an n that has no value in the text."""

    base: Span
    base_found: Dimension | None

    @property
    def message(self) -> str:
        return f"the exponent of {short(self.base_found)} has to be a number that the text gives, or its unit would change with the value"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.base, f"this is {words(self.base_found)}"), *self.because)

    @property
    def help(self) -> str:
        text = self.span.text.strip("( )")
        given = f"give it a value in the text, such as `{text} = 2`; or " if text.isidentifier() else ""
        return f"{given}divide the base by a quantity of its unit first: `(x/x_0)^n`"


@dataclass(frozen=True)
class UnitOpen(Mistake):
    """A quantity whose unit nothing in the text settles."""

    code: ClassVar[str] = "units"
    name: str
    linked: tuple[str, ...]

    @property
    def message(self) -> str:
        also = f" (nor that of {one_of(self.linked).replace(' or ', ' and ')})" if self.linked else ""
        return f"the unit of `{self.name}` cannot be worked out from the text{also}"

    @property
    def help(self) -> str:
        return "write it at the end of the statement, for example `: mV`, or `: 1` for a number without unit"


@dataclass(frozen=True)
class UnitsTangled(Mistake):
    """More names without a unit, hanging together, than can be solved for; or powers of powers of units."""

    code: ClassVar[str] = "units"

    @property
    def message(self) -> str:
        return "the units of this text are too entangled to be worked out"

    @property
    def note(self) -> str:
        return "given up here"

    @property
    def help(self) -> str:
        return "write the units of those that you know, at the end of their statements: `: mV`, or `: 1` for a number"


@dataclass(frozen=True)
class UnitForName(Mistake):
    """A name that nothing defines and that happens to be a unit, where a quantity is needed: `v - EL`."""

    code: ClassVar[str] = "name"
    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.name}` is not defined, and the unit of that name does not fit here"

    @property
    def help(self) -> str:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return f"define it (`{self.name} = ...`, or `{self.name} : unit`)"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class UnknownUnit(Mistake):
    """A word where a unit should stand, that is none."""

    code: ClassVar[str] = "units"
    symbol: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no unit `{self.symbol}`"

    @property
    def help(self) -> str:
        if self.symbol in REFUSED_UNITS:
            return REFUSED_UNITS[self.symbol]
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return "units are mV, ms, pA, nS, pF, Mohm, mM, Hz, uA/cm^2 and the like; `1` is for numbers without unit"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 and self.symbol not in REFUSED_UNITS else None


@dataclass(frozen=True)
class UnitInPlainText(Mistake):
    """A unit in a text that says `time in ms`."""

    code: ClassVar[str] = "units"
    statement: Span

    @property
    def message(self) -> str:
        return "this text has no units, because it says in what its plain numbers count time"

    @property
    def note(self) -> str:
        return "a unit"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.statement, "all numbers are plain"),)

    @property
    def help(self) -> str:
        return "write the number alone; only times may have their unit"


@dataclass(frozen=True)
class NotATimeUnit(Mistake):
    """`time in mV`."""

    code: ClassVar[str] = "units"
    found: Dimension

    @property
    def message(self) -> str:
        return f"time is counted in a unit of time, not in {noun(self.found)}"

    @property
    def help(self) -> str:
        return "write `time in ms` or `time in s`"
