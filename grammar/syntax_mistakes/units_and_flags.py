"""Mistakes behind the colon: units and flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..mistakes import Label
from ..source import Span
from .base import SyntaxMistake


@dataclass(frozen=True)
class MissingUnit(SyntaxMistake):
    """`x :`, `dv/dt = ... : (unless refractory)`, or, with the name, `x (constant)`."""

    code: ClassVar[str] = "unit"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` needs a unit before its flags" if self.name else "a unit is missing after `:`"

    @property
    def help(self) -> str:
        return "write the unit, `: mV` for instance; `: 1` is no dimension"


@dataclass(frozen=True)
class MissingColon(SyntaxMistake):
    """`tau second`, `dv/dt = -v/tau volt`, a block without its colon."""

    code: ClassVar[str] = "colon"
    before: str

    @property
    def message(self) -> str:
        return f"a `:` is missing before `{self.before}`"

    @property
    def help(self) -> str:
        return f"write `: {self.before}`"


@dataclass(frozen=True)
class TwoColons(SyntaxMistake):
    code: ClassVar[str] = "colon"
    first: Span = field(compare=False)

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.first, "the first one"),)

    @property
    def message(self) -> str:
        return "a statement has one `:` with its unit"

    @property
    def help(self) -> str:
        return "take one away; a product of units is written `: volt*second`"


@dataclass(frozen=True)
class BadUnitSyntax(SyntaxMistake):
    """Something in a unit that is neither a unit nor a power: `: 10*mV`."""

    code: ClassVar[str] = "unit"
    found: str

    @property
    def message(self) -> str:
        return f"`{self.found}` cannot stand in a unit"

    @property
    def help(self) -> str:
        return "a unit is made of unit names, `*`, `/` and number powers: `mV`, `nS/cm^2`, `1/ms`; `1` is no dimension"


@dataclass(frozen=True)
class UnknownFlag(SyntaxMistake):
    code: ClassVar[str] = "flag"
    flag: str
    near: str | None
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.flag}` is not a flag"

    @property
    def help(self) -> str:
        return f"did you mean `{self.near}`?" if self.near else "flags are " + ", ".join(f"`{flag}`" for flag in self.known)

    @property
    def replacement(self) -> str | None:
        return self.near
