"""Mistakes with words, blocks and layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..nodes import Definition
from .base import SyntaxMistake


@dataclass(frozen=True)
class MisspeltWord(SyntaxMistake):
    """A word of the language that is misspelt: `spke when`, `refractry 2 ms`, `els`."""

    code: ClassVar[str] = "word"
    word: str
    meant: str

    @property
    def message(self) -> str:
        return f"`{self.word}` is not a word of the language here"

    @property
    def help(self) -> str:
        return f"did you mean `{self.meant}`?"

    @property
    def replacement(self) -> str:
        return self.meant


@dataclass(frozen=True)
class MissingWord(SyntaxMistake):
    """The one word that has to stand in a place: `spike v > 1`, `a if c`."""

    code: ClassVar[str] = "word"
    word: str
    after: str

    @property
    def message(self) -> str:
        return f"`{self.word}` is missing after `{self.after}`" if self.after else f"`{self.word}` is missing"

    @property
    def help(self) -> str:
        if self.word in ("if", "else"):
            return "write `value if condition else other`"
        return f"write `{self.after} {self.word} ...`"


@dataclass(frozen=True)
class KeywordDefined(SyntaxMistake):
    """`refractory = 2 ms`: a parameter that nothing uses."""

    code: ClassVar[str] = "word"
    word: str
    meant: str

    @property
    def message(self) -> str:
        return f"this defines a parameter `{self.word}` that nothing uses"

    @property
    def help(self) -> str:
        return f"did you mean `{self.meant}`?"

    @property
    def replacement(self) -> str:
        return self.meant


MEANT_BY: dict[str, str] = {
    "refractory": "refractory {value}",
    "spike": "spike when {value}",
    "threshold": "spike when {value}",
    "reset": "spike when ...: {value}",
    "method": "method {value}",
}


def keyword_defined(statement: Definition) -> KeywordDefined:
    """The mistake of a definition whose name is a word of the language and which nothing uses."""
    word = statement.name.id
    return KeywordDefined(statement.span, word, MEANT_BY[word].format(value=statement.expression.span.text))


@dataclass(frozen=True)
class BadIndentation(SyntaxMistake):
    code: ClassVar[str] = "indentation"
    column: int
    wanted: int

    @property
    def message(self) -> str:
        return f"this line starts in column {self.column}, the lines of its block in column {self.wanted}"

    @property
    def help(self) -> str:
        return "start all statements of a block in one column"


@dataclass(frozen=True)
class MissingBlockColon(SyntaxMistake):
    """`spike when v > 1` with an indented line below and no colon; spans the end of the header."""

    code: ClassVar[str] = "colon"

    @property
    def message(self) -> str:
        return "this line opens a block and does not end in `:`"

    @property
    def help(self) -> str:
        return "write a `:` at its end, and the block behind it or indented below"


@dataclass(frozen=True)
class EmptyBlock(SyntaxMistake):
    code: ClassVar[str] = "indentation"

    @property
    def message(self) -> str:
        return "the `:` opens a block, but no indented line follows"

    @property
    def help(self) -> str:
        return "indent the lines of the block, or take the `:` away"


@dataclass(frozen=True)
class MixedText(SyntaxMistake):
    """Bare statements beside named models."""

    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "this statement belongs to no model, though the text names its models"

    @property
    def help(self) -> str:
        return "indent it under `model NAME:`"


@dataclass(frozen=True)
class ModelInside(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "a model cannot stand inside another model or block"

    @property
    def help(self) -> str:
        return "start `model NAME:` in the first column"


@dataclass(frozen=True)
class SynapseText(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "synapses are not read by this version"


@dataclass(frozen=True)
class CrossesOutsideEvent(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "`crosses` has a meaning only in the condition of an event"

    @property
    def help(self) -> str:
        return "write `>` here, or use it in `spike when v crosses V_t` or `on NAME when ...`"
