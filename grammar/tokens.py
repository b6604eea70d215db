"""Text to tokens. Every token keeps its place in the original text; nothing that a person types raises here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from .source import Source, Span
from .spelling import as_written


class Token(NamedTuple):
    """`type` is a terminal of `neuron.lark` or one of the kinds of `FOREIGN`; `value` its meaning: the normalised name, the number, the operator."""

    type: str
    start: int
    stop: int
    value: Any

    def span(self, source: Source) -> Span:
        return Span(source, self.start, self.stop)


# letters, digits, combining marks, and the increment sign for a Delta; possessive, so that no text makes the match slow
_NAME = r"(?:[^\W\d⁰¹²³⁴⁵⁶⁷⁸⁹]|∆)[^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*+(?:[\u0300-\u036f∆][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*+)*+"
_PATTERN = re.compile(
    rf"""
      (?P<SPACE>[^\S\n]+|\ufeff)
    | (?P<NEWLINE>\n)
    | (?P<DOTTED>{_NAME}(?:\.{_NAME})++)
    | (?P<NAME>{_NAME})
    | (?P<NUMBER>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<COMMENT>\#[^\n]*)
    | (?P<DOCSTRING>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?''')
    | (?P<OPEN_DOCSTRING>\"\"\"[\s\S]*|'''[\s\S]*)
    | (?P<STRING>\"[^\"\n]*\"|(?<![\w)])'[^'\n]*')
    | (?P<OPERATOR>\*\*=|//=|[-+*/%^]=|\*\*|//|==|!=|<=|>=|&&|\|\||:=|[-+*/%^<>=(),:;])
    | (?P<SUPERSCRIPT>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<OTHER>[\s\S])
    """,
    re.VERBOSE,
)

OPERATORS: dict[str, tuple[str, str]] = {
    **{sign: ("ADD", sign) for sign in "+-"},
    **{sign: ("MUL", sign) for sign in ("*", "/", "//", "%")},
    "^": ("POWER", "^"),
    "**": ("POWER", "^"),
    **{sign: ("COMPARE", sign) for sign in ("<", "<=", ">", ">=", "==", "!=")},
    **{sign: ("ASSIGN", sign) for sign in ("=", "+=", "-=", "*=", "/=", "^=", "//=", "%=")},
    "**=": ("ASSIGN", "^="),
    "(": ("LPAR", "("),
    ")": ("RPAR", ")"),
    ",": ("COMMA", ","),
    ":": ("COLON", ":"),
    ";": ("SEMICOLON", ";"),
}

RESERVED: dict[str, str] = {"and": "AND", "or": "OR", "not": "NOT", "if": "IF", "else": "ELSE"}

# signs that papers and keyboards write for an operator; full-width forms come from NFKC
SIGNS: dict[str, str] = {"−": "-", "–": "-", "·": "*", "⋅": "*", "∗": "*", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!="}

# kinds of token that no grammar rule takes: each has a mistake of its own
FOREIGN = frozenset({"DOTTED", "STRING", "OPEN_DOCSTRING", "OTHER"})

# the largest whole number that a computer word holds
LARGEST_WHOLE = 2**63 - 1


def tokenise(source: Source) -> Iterator[Token]:
    """The tokens of a text, in order, with NEWLINE, COMMENT and DOCSTRING and without spaces."""
    for match in _PATTERN.finditer(source.text):
        kind, text = match.lastgroup, match[0]
        if kind == "SPACE":
            continue
        start, stop = match.start(), match.end()
        if kind == "NAME":
            yield _name(text, start, stop)
        elif kind == "OPERATOR":
            yield _operator(text, start, stop)
        elif kind == "NUMBER":
            yield Token("NUMBER", start, stop, number(text))
        elif kind == "SUPERSCRIPT":
            yield from _superscript(text, start, stop)
        elif kind == "OTHER":
            yield _other(text, start, stop)
        else:
            assert kind is not None
            yield Token(kind, start, stop, text)


def number(text: str) -> int | float | None:
    """The value of a number, None where it is too large to be kept."""
    if text.isdigit():
        value = int(text) if len(text) <= 19 else LARGEST_WHOLE + 1
        return value if value <= LARGEST_WHOLE else None
    real = float(text)
    return None if real in (float("inf"), float("-inf")) else real


def _name(text: str, start: int, stop: int) -> Token:
    name = as_written(text)
    if not name.isidentifier():
        return Token("OTHER", start, stop, text)
    return Token(RESERVED.get(name, "NAME"), start, stop, name)


def _operator(text: str, start: int, stop: int) -> Token:
    kind, value = OPERATORS.get(text, ("OTHER", text))
    return Token(kind, start, stop, value)


def _superscript(text: str, start: int, stop: int) -> Iterator[Token]:
    """`²` is `^2`, `⁻¹` is `^-1`: tokens that share the place of the superscript."""
    digits = unicodedata.normalize("NFKC", text).replace("−", "-")
    yield Token("POWER", start, stop, "^")
    if not digits[0].isdigit():
        yield Token("ADD", start, stop, digits[0])
    yield Token("NUMBER", start, stop, number(digits.lstrip("+-")))


def _other(text: str, start: int, stop: int) -> Token:
    sign = SIGNS.get(text) or unicodedata.normalize("NFKC", text)
    return _operator(sign, start, stop) if sign in OPERATORS else Token("OTHER", start, stop, text)
