"""Habits of other languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import SyntaxMistake


@dataclass(frozen=True)
class Habit(SyntaxMistake):
    """What another language writes: `what` is said of it, `meant` is how it is written here (`replacement`: for exactly the spanned text)."""

    code: ClassVar[str] = "habit"
    what: str
    meant: str
    instead: str | None = None

    @property
    def message(self) -> str:
        return self.what

    @property
    def help(self) -> str:
        return self.meant

    @property
    def replacement(self) -> str | None:
        return self.instead


@dataclass(frozen=True)
class PrimeNotation(Habit):
    """`v' = ...`."""


@dataclass(frozen=True)
class SecondDerivative(Habit):
    """`d2v/dt2 = ...`."""


@dataclass(frozen=True)
class TernaryOperator(Habit):
    """`a ? b : c`."""


@dataclass(frozen=True)
class LogicOperator(Habit):
    """`&&`, `||`, `!`."""


@dataclass(frozen=True)
class SectionHeader(Habit):
    """`parameters:`."""


@dataclass(frozen=True)
class UnitBeforeEquals(Habit):
    """`tau ms = 20 ms`."""


@dataclass(frozen=True)
class DottedName(Habit):
    """`np.exp`."""


@dataclass(frozen=True)
class IfStatement(Habit):
    """`if v > 2: v = 0` in a block."""


@dataclass(frozen=True)
class ImaginaryNumber(Habit):
    """`1j`."""


@dataclass(frozen=True)
class ForeignComment(Habit):
    """`// ...`, `% ...`."""


@dataclass(frozen=True)
class WalrusAssignment(Habit):
    """`v := 2`."""


@dataclass(frozen=True)
class BracketedUnit(Habit):
    """`20 [ms]`, `20 (ms)`."""


@dataclass(frozen=True)
class DeclaringWord(Habit):
    """`const tau = 20 ms`."""


@dataclass(frozen=True)
class RuleWord(Habit):
    """`threshold v > 30 mV`, `reset: v = c`, `spike: v > 30 mV`."""


@dataclass(frozen=True)
class ValueBehindColon(Habit):
    """`tau: 20 ms`."""


@dataclass(frozen=True)
class Arrow(Habit):
    """`v -> c`."""


@dataclass(frozen=True)
class AbsoluteBars(Habit):
    """`|v|`."""


@dataclass(frozen=True)
class BareFlag(Habit):
    """`... : mV unless refractory`."""


@dataclass(frozen=True)
class StatementComma(Habit):
    """`a = 1, b = 2`."""
