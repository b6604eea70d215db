"""Tokens that do not fit where they stand."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from .base import SyntaxMistake


@dataclass(frozen=True)
class Unexpected(SyntaxMistake):
    """Something stands where nothing of its kind can stand, and no closer cause is known."""

    found: str
    wanted: str

    @property
    def message(self) -> str:
        return f"`{self.found}` cannot stand here" if self.found else "something is missing at the end"

    @property
    def note(self) -> str:
        return f"expected {self.wanted}" if self.wanted else ""


@dataclass(frozen=True)
class DecimalComma(SyntaxMistake):
    """`1,5 ms`."""

    code: ClassVar[str] = "number"
    meant: str

    @property
    def message(self) -> str:
        return "a decimal point is no comma"

    @property
    def help(self) -> str:
        return f"write `{self.meant}`"

    @property
    def replacement(self) -> str | None:
        return self.meant


@dataclass(frozen=True)
class MissingOperator(SyntaxMistake):
    """Two things side by side: `a b`, `(a)(b)`, `2 (a)`."""

    code: ClassVar[str] = "operator"
    left: str
    right: str
    in_call: bool = False
    function: bool = False  # the left one is the name of a function

    @property
    def message(self) -> str:
        what = "a comma or an operator" if self.in_call else "an operator"
        return f"{what} is missing between `{self.left}` and `{self.right}`"

    @property
    def help(self) -> str:
        if self.function:
            return f"a function takes its argument in brackets: `{self.left}({self.right})`"
        comma = f"for two arguments, write `{self.left}, {self.right}`; " if self.in_call else ""
        return f"{comma}to multiply, write `{self.left}*{self.right}`"


@dataclass(frozen=True)
class NotAUnit(SyntaxMistake):
    """A name after a number that is no unit: `3 v`, `20 msec`."""

    code: ClassVar[str] = "unit"
    number: str
    name: str
    near: str | None

    @property
    def message(self) -> str:
        return f"`{self.name}` is not a unit, and a name after a number is read as its unit"

    @property
    def help(self) -> str:
        times = f"`{self.number}*{self.name}`"
        return f"did you mean `{self.near}`? To multiply, write {times}" if self.near else f"to multiply, write {times}"

    @property
    def replacement(self) -> str | None:
        return self.near


@dataclass(frozen=True)
class CompoundAfterDivision(SyntaxMistake):
    """`x / 1.5 nA/mV`: is mV above or below?"""

    code: ClassVar[str] = "unit"
    quantity: str
    first: str
    rest: str

    @property
    def message(self) -> str:
        return f"`{self.quantity}` directly after a division can be read in two ways"

    @property
    def help(self) -> str:
        return f"write `/ ({self.quantity})`, or `/ ({self.first}) {self.rest}`"

    @property
    def replacement(self) -> str:
        return f"({self.quantity})"


@dataclass(frozen=True)
class MissingExpression(SyntaxMistake):
    """Nothing stands where a value is needed: after `=`, after an operator, between brackets."""

    code: ClassVar[str] = "missing"
    after: str

    @property
    def message(self) -> str:
        return f"a value is missing after `{self.after}`" if self.after else "a value is missing here"

    @property
    def note(self) -> str:
        return "expected a number, a name or a bracket"

    @property
    def help(self) -> str | None:
        return "`%` is the remainder of a division; one percent is `0.01`" if self.after == "%" else None


@dataclass(frozen=True)
class UnknownCharacter(SyntaxMistake):
    code: ClassVar[str] = "character"
    character: str

    @property
    def message(self) -> str:
        if self.invisible:
            return f"an invisible character stands here, U+{ord(self.character):04X}"
        return f"`{self.character}` has no meaning here"

    @property
    def invisible(self) -> bool:
        return len(self.character) == 1 and unicodedata.category(self.character)[0] in "CZ"

    @property
    def help(self) -> str | None:
        if self.invisible:
            return "delete it, or write a blank in its place"
        return {
            "$(...)": "names stand without signs: GeNN's `$(V)` is `V`",
            "$": "names are letters, digits and `_`",
            '"': "take the quotes away: names and numbers stand without them",
            "'": "take it away; a derivative is written `dv/dt`",
            "@": "to multiply a matrix, write `matmul(W, x)`; a function of its arguments is `f(x) = ...`",
            "∂": "a derivative is written `dv/dt`",
            "!": "write `not`, or `!=` for unequal",
            "~": "write `not`",
            "|": "write `or`",
            "&": "write `and`",
            "\\": "to go on over the line end no sign is needed: end the line with an operator; LaTeX is not read, names have no `\\`",
        }.get(self.character)


@dataclass(frozen=True)
class QuotedText(SyntaxMistake):
    """`"v > V_t"`; `meant` is the statement that was probably meant."""

    code: ClassVar[str] = "character"
    meant: str | None = None

    @property
    def message(self) -> str:
        return "text in quotes has no meaning here"

    @property
    def help(self) -> str:
        if self.meant is not None:
            return f"write `{self.meant}`"
        return "write names without quotes; a description goes between three quotes directly below `model NAME:`"


@dataclass(frozen=True)
class UnclosedDocstring(SyntaxMistake):
    code: ClassVar[str] = "docstring"
    quotes: str

    @property
    def message(self) -> str:
        return "this description is never closed"

    @property
    def help(self) -> str:
        return f"end it with {self.quotes}"


@dataclass(frozen=True)
class StrayDocstring(SyntaxMistake):
    code: ClassVar[str] = "docstring"

    @property
    def message(self) -> str:
        return "a description in quotes stands only at the top, directly below `model NAME:`"

    @property
    def help(self) -> str:
        return "write a comment: `# ...`; equations stand without quotes"
