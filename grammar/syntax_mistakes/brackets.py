"""Mistakes with brackets, and texts that are too large."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ..source import Span
from .base import SyntaxMistake


@dataclass(frozen=True)
class UnclosedBracket(SyntaxMistake):
    """A bracket that nothing closes: spans from the bracket to the last place where its partner can stand."""

    code: ClassVar[str] = "bracket"
    opening: Span = field(compare=False)

    @property
    def message(self) -> str:
        return "this `(` is never closed"

    @property
    def note(self) -> str:
        return "a `)` is missing in here"

    @property
    def help(self) -> str:
        return "write the missing `)`"


@dataclass(frozen=True)
class StrayBracket(SyntaxMistake):
    """A closing bracket that nothing opens: spans from the first place where its partner can stand to the bracket."""

    code: ClassVar[str] = "bracket"
    closing: Span = field(compare=False)

    @property
    def message(self) -> str:
        return "this `)` closes nothing"

    @property
    def note(self) -> str:
        return "a `(` is missing in here, or the `)` is one too many"

    @property
    def help(self) -> str:
        return "write the missing `(`, or take the `)` away"


@dataclass(frozen=True)
class SquareBracket(SyntaxMistake):
    """`[`, `]`, `{` or `}`, which mean nothing in the language."""

    code: ClassVar[str] = "bracket"
    bracket: str

    @property
    def message(self) -> str:
        return f"`{self.bracket}` has no meaning here"

    @property
    def help(self) -> str:
        if self.bracket in "{}":
            return "group with `(` and `)`; blocks have no braces, they are indented below a line that ends in `:`"
        if self.bracket == "[":
            return "group with `(` and `)`; values that differ between neurons are given from Python: parameters={...}"
        return "group with `(` and `)`"


@dataclass(frozen=True)
class Indexing(SyntaxMistake):
    """`x[i]`."""

    code: ClassVar[str] = "habit"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` takes no index"

    @property
    def help(self) -> str:
        return f"every name already stands for the value of this neuron: write `{self.name}`"

    @property
    def replacement(self) -> str:
        return self.name


@dataclass(frozen=True)
class NestedTooDeeply(SyntaxMistake):
    """More levels than any equation needs, so that no later stage runs out of stack."""

    code: ClassVar[str] = "too-deep"
    limit: int

    @property
    def message(self) -> str:
        return f"this expression is more than {self.limit} levels deep"

    @property
    def help(self) -> str:
        return "give parts of it names of their own"


@dataclass(frozen=True)
class TextTooLong(SyntaxMistake):
    code: ClassVar[str] = "too-long"
    length: int
    limit: int

    @property
    def message(self) -> str:
        return f"the text has {self.length} characters; a model has at most {self.limit}"

    @property
    def help(self) -> str:
        return "give large tables of numbers as parameters from Python instead"


@dataclass(frozen=True)
class TooManyMistakes(SyntaxMistake):
    """Where reading stopped, because nearly everything before was wrong."""

    code: ClassVar[str] = "too-many"
    limit: int

    @property
    def message(self) -> str:
        return f"{self.limit} mistakes were found above: the text is not read from here on"

    @property
    def help(self) -> str:
        return "put those right first; `dv/dt = (E_L - v)/tau : mV` is an equation, `tau = 20 ms` a value, `# ...` a comment"


@dataclass(frozen=True)
class NumberTooLarge(SyntaxMistake):
    code: ClassVar[str] = "number"

    @property
    def message(self) -> str:
        return "this number is too large to be kept"

    @property
    def help(self) -> str:
        return "a number reaches to 1.7e308, a whole number without a point to 9223372036854775807; `inf` is infinity"
