"""Mistakes with `=`, `==` and what stands left of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..mistakes import Label
from ..source import Span
from .base import SyntaxMistake


@dataclass(frozen=True)
class AssignmentForComparison(SyntaxMistake):
    """`=` where a condition needs `==`, or a second `=` in a statement."""

    code: ClassVar[str] = "equals"
    second: bool = False

    @property
    def message(self) -> str:
        return "a statement defines one name" if self.second else "`=` defines, it does not compare"

    @property
    def help(self) -> str:
        return "write a statement for each name; to compare, write `==`" if self.second else "did you mean `==`?"

    @property
    def replacement(self) -> str | None:
        return None if self.second else "=="


@dataclass(frozen=True)
class ComparisonForAssignment(SyntaxMistake):
    """`==` where an equation or a definition needs `=`."""

    code: ClassVar[str] = "equals"

    @property
    def message(self) -> str:
        return "`==` compares, it does not define"

    @property
    def help(self) -> str:
        return "did you mean `=`?"

    @property
    def replacement(self) -> str:
        return "="


@dataclass(frozen=True)
class MissingAssignment(SyntaxMistake):
    """A statement that has a name and a value and no `=` between them."""

    code: ClassVar[str] = "equals"
    left: str

    @property
    def message(self) -> str:
        return f"an `=` is missing after `{self.left}`"

    @property
    def help(self) -> str:
        return f"write `{self.left} = ...`"


@dataclass(frozen=True)
class MissingSeparator(SyntaxMistake):
    """Two statements on one line: `v = c u += d`."""

    code: ClassVar[str] = "statement"
    second: str

    @property
    def message(self) -> str:
        return f"another statement starts at `{self.second}`"

    @property
    def help(self) -> str:
        return f"write `; {self.second}`, or start a new line"


@dataclass(frozen=True)
class NoStatement(SyntaxMistake):
    """An expression that defines nothing; perhaps the end of the statement above."""

    code: ClassVar[str] = "statement"
    in_block: bool
    above: Span | None = field(compare=False, default=None)

    @property
    def message(self) -> str:
        return "this defines nothing"

    @property
    def note(self) -> str:
        return "expected `name = ...`" if self.in_block else "expected `dx/dt = ...`, `x = ...` or `x : unit`"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.above, "if it belongs to this line, an operator is missing at its end"),) if self.above else ()


@dataclass(frozen=True)
class LeftSide(SyntaxMistake):
    """Something left of `=` or `:` that cannot be defined."""

    code: ClassVar[str] = "statement"
    in_block: bool
    meant: str | None = None
    reserved: str | None = None  # the word of the language that stands as a name

    @property
    def message(self) -> str:
        if self.reserved is not None:
            return f"`{self.reserved}` is a word of the language and cannot be a name"
        return "only a name can be assigned here" if self.in_block else "this cannot stand left of `=` or `:`"

    @property
    def replacement(self) -> str | None:
        return self.meant

    @property
    def help(self) -> str:
        if self.meant is not None:
            return f"did you mean `{self.meant}`?"
        if self.reserved is not None:
            return f"take another name, such as `{self.reserved}_`"
        if self.in_block:
            return "write `name = ...`"
        return "write `dx/dt = ...` (a factor may stand before it: `tau*dx/dt = ...`), `x = ...`, `x(0) = ...` or `f(a, b) = ...`"


@dataclass(frozen=True)
class UnitOfArgument(SyntaxMistake):
    """`x = f(v : mV)`, `f(v : mV) = ...`."""

    code: ClassVar[str] = "statement"
    unit: str

    @property
    def message(self) -> str:
        return "the unit of an argument is written only where a function is declared that comes from outside, `f(v : mV) : nS`"

    @property
    def help(self) -> str:
        return f"take `: {self.unit}` away: units of what a text defines are checked where it is used"


@dataclass(frozen=True)
class FactorPlace(SyntaxMistake):
    """`dv/dt*2 = ...`, `dv/dt + v = ...`."""

    code: ClassVar[str] = "statement"
    derivative: str

    @property
    def message(self) -> str:
        return f"left of `=`, only a factor before `{self.derivative}` is read"

    @property
    def help(self) -> str:
        return f"write `factor*{self.derivative} = ...` and take everything else to the right"


@dataclass(frozen=True)
class BlockOperator(SyntaxMistake):
    """`w += b` outside a block."""

    code: ClassVar[str] = "statement"
    operator: str

    @property
    def message(self) -> str:
        return f"`{self.operator}` changes a value, which happens only inside an event or step block"

    @property
    def help(self) -> str:
        return "define with `=`, or indent the line under `spike when ...:` or `each step:`"


@dataclass(frozen=True)
class NotInBlock(SyntaxMistake):
    """A statement other than an assignment inside an event or step block."""

    code: ClassVar[str] = "statement"
    what: str

    @property
    def message(self) -> str:
        return f"{self.what} cannot stand inside an event or step block"

    @property
    def help(self) -> str:
        return "a block holds assignments: `v = c`, `w += b`"
