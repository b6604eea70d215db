"""What is wrong with a statement that cannot be read: each function looks for one cause and gives its mistake, or None.

The order of the rules is from the most certain cause to the least.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from . import syntax_mistakes as wrong
from .build import Terminal
from .mistakes import Mistake
from .other_languages import FUNCTIONS
from .source import Source, Span
from .spelling import nearest
from .tokens import Token
from .unit_table import UNITS
from .words import FLAGS, KEYWORDS

OPERAND_ENDS = frozenset({"NAME", "NUMBER", "QUANTITY", "RPAR"})
OPERAND_STARTS = frozenset({"NAME", "NUMBER", "QUANTITY", "LPAR"})
OPERATORS = frozenset(
    {"ADD", "MUL", "POWER", "COMPARE", "AND", "OR", "NOT", "IF", "ELSE", "COMMA", "ASSIGN", "LPAR", "WHEN", "WHILE"}
)


@dataclass(frozen=True)
class _Place:
    """The terminals of a statement and where the grammar could not go on."""

    source: Source
    terminals: Sequence[Terminal]
    place: int
    expected: frozenset[str]
    start: Literal["statement", "expression", "unit"]
    above: Token | None
    in_block: bool

    @property
    def here(self) -> Terminal | None:
        return self.terminals[self.place] if self.place < len(self.terminals) else None

    @property
    def before(self) -> Terminal | None:
        return self.terminals[self.place - 1] if self.place else None

    @property
    def kind(self) -> str:
        return self.here.type if self.here is not None else "$END"

    @property
    def kind_before(self) -> str:
        return self.before.type if self.before is not None else "$START"

    @property
    def end(self) -> Span:
        """The span to point at: the terminal, or the last one at the end."""
        if self.here is not None:
            return self.here.span
        return self.terminals[-1].span if self.terminals else Span(self.source, 0, 0)

    def has_before(self, kind: str) -> bool:
        return any(terminal.type == kind for terminal in self.terminals[: self.place])

    def rest(self) -> list[str]:
        return [terminal.type for terminal in self.terminals[self.place :]]


def diagnose(
    source: Source,
    terminals: Sequence[Terminal],
    place: int,
    expected: frozenset[str],
    start: Literal["statement", "expression", "unit"],
    above: Token | None,
    in_block: bool,
) -> Mistake:
    """The most likely cause of a statement that fits no rule."""
    at = _Place(source, terminals, place, expected, start, above, in_block)
    for rule in RULES:
        if (mistake := rule(at)) is not None:
            return mistake
    return _unexpected(at)


def _misspelt_keyword(at: _Place) -> Mistake | None:
    """`refractry 2 ms`, `methd euler`, `spke when v > 1`, `outptu (v)`."""
    first = at.terminals[0] if at.terminals else None
    if first is None or first.type != "NAME" or at.start != "statement" or at.has_before("COLON"):
        return None
    if at.kind == "ASSIGN" or any(terminal.type == "ASSIGN" for terminal in at.terminals):
        return None
    second = at.terminals[1] if len(at.terminals) > 1 else None
    if second is None or not (at.place == 1 or second.type in ("LPAR", "ADD")):
        return None
    words = [str(terminal.value) for terminal in at.terminals[1:3]]
    meant = nearest(str(first.value), [word for word in KEYWORDS if _fits(word, words, second.type)])
    meant = meant or ("spike" if words[0] == "when" else "on" if words[1:] == ["when"] else None)
    return wrong.MisspeltWord(first.span, first.span.text, meant) if meant else None


def _fits(keyword: str, words: list[str], second: str) -> bool:
    """Whether what follows a misspelt word can follow the keyword."""
    match keyword:
        case "on":
            return words[1:] == ["when"]
        case "time":
            return words[0] == "in"
        case "each":
            return words[0] == "step"
        case "spike":
            return second == "NAME"
        case "dt" | "duration":
            return second in ("NUMBER", "QUANTITY")
        case "method" | "without" | "model" | "surrogate":
            return second == "NAME"
    return True


_WORDS = {
    word.upper(): word for word in ("when", "while", "step", "in", "after", "reset", "holding", "of", "if", "else", "and", "or")
}


def _misspelt_word(at: _Place) -> Mistake | None:
    """`spike wen`, `hodling`, `els`, `croses`: a name where one word of the language, spelt nearly so, can stand."""
    here, before = at.here, at.before
    if here is not None and here.type == "NAME":
        possible = [word for kind, word in _WORDS.items() if kind in at.expected]
        if "COMPARE" in at.expected and at.terminals[0].type in ("SPIKE", "ON", "NAME"):
            possible.append("crosses")
        # a short name is near every short word: only a word that can lead to something is meant
        meant = nearest(str(here.value), [word for word in possible if len(word) > 2 or len(str(here.value)) > 2])
        if meant is not None and (at.place + 1 < len(at.terminals) or meant in ("step", "reset")):
            return wrong.MisspeltWord(here.span, here.span.text, meant)
    if before is not None and before.type == "NAME" and at.kind in OPERAND_STARTS and len(str(before.value)) > 2:
        at_value = at.place < 2 or at.terminals[at.place - 2].type in OPERATORS | {"REFRACTORY"}
        possible = ["while"] if at.terminals[0].type == "REFRACTORY" and at.place == 2 else []
        meant = nearest(str(before.value), [*possible, "not"]) if at_value and at.place > 1 else None
        if meant is not None:
            return wrong.MisspeltWord(before.span, before.span.text, meant)
    return None


def _missing_word(at: _Place) -> Mistake | None:
    """`spike v > 1`: the one word that has to stand here."""
    kinds = at.expected - {"$END"}
    if len(kinds) == 1 and (word := _WORDS.get(next(iter(kinds)))) is not None and at.before is not None:
        return wrong.MissingWord(at.before.span.to(at.end), word, at.before.span.text)
    if at.kind == "ELSE" and not at.has_before("IF") and at.before is not None:
        return wrong.MissingWord(at.before.span.to(at.end), "if", at.before.span.text)
    if "ELSE" in at.expected and at.kind in ("$END", "RPAR", "COLON", "COMMA", "FLAGS") and at.kind_before in OPERAND_ENDS:
        return wrong.MissingWord(at.end, "else", "")
    return None


def _two_statements(at: _Place) -> Mistake | None:
    """`v = c u += d`, `I : amp w : 1`, `w : 1 (constant) dv/dt = ...`, `spike when v > 1 v = 0`."""
    if at.start != "statement" or at.here is None or at.before is None or at.kind_before not in OPERAND_ENDS:
        return None
    place = at.place
    if at.kind == "LPAR":  # flags, which can only end a statement
        place = next((k for k in range(place, len(at.terminals)) if at.terminals[k].type == "RPAR"), place) + 1
        words = at.source.text[at.here.span.stop : at.terminals[place - 1].span.start].split(",")
        if not all(" ".join(word.split()) in FLAGS for word in words):
            return None
    if not _starts_statement(at.terminals[place:]):
        return None
    first, text = at.terminals[place].span, at.source.text
    if at.terminals[0].type in ("SPIKE", "ON"):
        return wrong.MissingColon(
            Span(at.source, at.before.span.stop, first.stop), text[first.start : at.terminals[-1].span.stop]
        )
    if not (at.has_before("ASSIGN") or at.has_before("COLON")):
        return None
    return wrong.MissingSeparator(at.terminals[place - 1].span.to(first), text[first.start : _left_end(at.terminals, place)])


def _starts_statement(terminals: Sequence[Terminal]) -> bool:
    """`v =`, `v :`, `dv/dt =`."""
    kinds = [terminal.type for terminal in terminals[:4]]
    if kinds[:2] in (["NAME", "ASSIGN"], ["NAME", "COLON"]):
        return True
    return kinds == ["NAME", "MUL", "NAME", "ASSIGN"] and terminals[2].value == "dt"


def _left_end(terminals: Sequence[Terminal], place: int) -> int:
    """Where the left side that starts at a place ends."""
    stop = next(k for k in range(place, len(terminals)) if terminals[k].type in ("ASSIGN", "COLON"))
    return terminals[stop - 1].span.stop


def _second_equals(at: _Place) -> Mistake | None:
    """`v = 1` in a condition, `a = b = c`."""
    if at.kind != "ASSIGN" or at.here is None or "ASSIGN" in at.expected:
        return None
    if at.kind_before in OPERAND_ENDS and at.here.value == "=":
        first = next((terminal for terminal in at.terminals if terminal.type == "ASSIGN"), at.here)
        chain = first is not at.here and at.place == 3 and at.kind_before == "NAME" and not at.in_block
        return wrong.AssignmentForComparison(at.here.span, chain)
    return None


def _colons(at: _Place) -> Mistake | None:
    """`: volt : 1`, `dv/dt = ... :`, `x : (constant)`."""
    if at.kind == "COLON" and at.here is not None and at.has_before("COLON"):
        first = next(terminal for terminal in at.terminals if terminal.type == "COLON")
        return wrong.TwoColons(at.here.span, first.span)
    if at.kind_before == "COLON" and at.before is not None and at.kind in ("$END", "FLAGS"):
        return wrong.MissingUnit(at.before.span, "")
    if at.kind == "FLAGS" and at.here is not None and at.before is not None and at.place == 1:
        return wrong.MissingUnit(at.before.span.to(at.here.span), at.before.span.text)
    return None


def _double_equals(at: _Place) -> Mistake | None:
    """`dv/dt == -v/tau` without a unit: a comparison that nothing takes."""
    if at.start != "statement" or "ASSIGN" not in at.expected or at.kind not in ("$END", "FLAGS"):
        return None
    equals = _outside(at, lambda terminal: terminal.type == "COMPARE" and terminal.value == "==")
    return wrong.ComparisonForAssignment(equals.span) if equals is not None else None


def _outside(at: _Place, wanted: Callable[[Terminal], bool]) -> Terminal | None:
    """The first terminal outside brackets that is wanted."""
    depth = 0
    for terminal in at.terminals:
        depth += (terminal.type == "LPAR") - (terminal.type == "RPAR")
        if depth == 0 and wanted(terminal):
            return terminal
    return None


def _missing_value(at: _Place) -> Mistake | None:
    """`x =`, `a * / b`, `(a + )`, `f(a,)`, `if v > 2`."""
    if at.kind == "IF" and at.here is not None and not at.place:
        return wrong.IfStatement(at.here.span, "there is no `if` statement", "write `value if condition else other`")
    if at.before is None or at.kind_before not in OPERATORS or at.kind in OPERAND_STARTS:
        return None
    if at.kind == "IF" and at.here is not None:
        return wrong.IfStatement(at.here.span, "there is no `if` statement", "write `value if condition else other`")
    span = at.before.span if at.here is None else at.before.span.to(at.here.span)
    return wrong.MissingExpression(span, at.before.span.text)


def _missing_colon(at: _Place) -> Mistake | None:
    """`tau second`, `dv/dt = -v/tau volt (unless refractory)`."""
    if at.start != "statement" or at.in_block or at.has_before("COLON") or at.here is None or at.kind_before not in OPERAND_ENDS:
        return None
    if at.terminals[0].type not in ("NAME", "LPAR", "ADD", "NUMBER") or not (at.place == 1 or at.has_before("ASSIGN")):
        return None
    rest = [terminal for terminal in at.terminals[at.place :] if terminal.type != "FLAGS"]
    if not rest:
        return None
    one = len(rest) == 1 and rest[0].type == "NUMBER" and rest[0].value == 1
    units = rest[0].value in UNITS or rest[0].value in ("boolean", "integer")
    if not one and not (units and all(_in_unit(terminal) for terminal in rest)):
        return None
    text = at.source.text[rest[0].span.start : rest[-1].span.stop]
    assert at.before is not None
    return wrong.MissingColon(Span(at.source, at.before.span.stop, rest[-1].span.stop), text)


def _in_unit(terminal: Terminal) -> bool:
    if terminal.type == "NAME":
        return terminal.value in UNITS or terminal.value in ("boolean", "integer")
    return terminal.type in ("NUMBER", "POWER", "ADD", "LPAR", "RPAR") or terminal.value in ("*", "/")


def _missing_equals(at: _Place) -> Mistake | None:
    """`tau 20 ms`, `I_syn g*(v - E) : amp`, `dv/dt -v/tau`."""
    if at.start != "statement" or any(terminal.type == "ASSIGN" for terminal in at.terminals) or at.before is None:
        return None
    first = at.terminals[0]
    written = [str(terminal.value) for terminal in at.terminals[:3]]
    derivative = len(written) == 3 and written[0].startswith("d") and written[1:] == ["/", "dt"]
    if derivative and at.place >= 3:
        left = first.span.to(at.terminals[2].span)
        right = at.terminals[3].span if len(at.terminals) > 3 else left
        return wrong.MissingAssignment(left.to(right), left.text)
    if at.place == 1 and first.type == "NAME" and at.kind in OPERAND_STARTS and at.here is not None:
        return wrong.MissingAssignment(first.span.to(at.here.span), first.span.text)
    if at.kind in ("$END", "FLAGS") and "ASSIGN" in at.expected:
        return _no_statement(at)
    return None


def _no_statement(at: _Place) -> Mistake:
    """A lone expression: the end of the statement above, or `tau -20 ms`."""
    span = at.terminals[0].span.to(at.terminals[-1].span)
    above = at.above.span(at.source) if at.above is not None and at.above.type in OPERAND_ENDS else None
    return wrong.NoStatement(span, at.in_block, above)


def _side_by_side(at: _Place) -> Mistake | None:
    """`a b`, `(a)(b)`, `2 (a)`."""
    if at.kind not in OPERAND_STARTS or at.kind_before not in OPERAND_ENDS or at.here is None or at.before is None:
        return None
    rest = at.terminals[at.place : at.place + 3]
    if at.kind_before == "NUMBER" and [t.type for t in rest] == ["LPAR", "NAME", "RPAR"] and rest[1].value in UNITS:
        instead = f"{at.before.span.text} {rest[1].span.text}"
        what = "a unit stands behind its number without brackets"
        return wrong.BracketedUnit(at.before.span.to(rest[2].span), what, f"write `{instead}`", instead)
    if at.kind_before == "NUMBER" and at.here.value == 1 and [t.value for t in rest[1:2]] == ["/"] and rest[-1].value in UNITS:
        instead = f"{at.before.span.text} /{rest[-1].span.text}"
        what = f"`1/{rest[-1].span.text}` is no unit behind a number"
        return wrong.BracketedUnit(at.before.span.to(rest[-1].span), what, f"write `{instead}`", instead)
    span = at.before.span.to(at.here.span)
    called = at.kind_before == "NAME" and at.before.value in FUNCTIONS
    return wrong.MissingOperator(span, _group(at, at.place - 1, -1), _group(at, at.place, 1), _in_call(at), called)


def _in_call(at: _Place) -> bool:
    """Whether the place is directly inside the brackets of a call."""
    depth = 0
    for k in range(at.place - 1, 0, -1):
        depth += (at.terminals[k].type == "RPAR") - (at.terminals[k].type == "LPAR")
        if depth < 0:
            return at.terminals[k - 1].type == "NAME"
    return False


def _group(at: _Place, place: int, step: int) -> str:
    """The text of one operand: a terminal, or the bracket that ends or starts there."""
    depth, k = 0, place
    while 0 <= k < len(at.terminals):
        depth += (at.terminals[k].type == "LPAR") - (at.terminals[k].type == "RPAR")
        if depth == 0:
            break
        k += step
    first, last = sorted((place, min(max(k, 0), len(at.terminals) - 1)))
    text = at.source.text[at.terminals[first].span.start : at.terminals[last].span.stop]
    return text if len(text) <= 24 and "\n" not in text else "(...)"


def _unexpected(at: _Place) -> Mistake:
    found = at.here.span.text if at.here is not None else ""
    if found == "," and at.here is not None:
        text, comma = at.source.text, at.here.span.start
        before, after = re.search(r"[0-9]+$", text[max(0, comma - 20) : comma]), re.match(r"[0-9]+", text[comma + 1 : comma + 20])
        if before is not None and after is not None:
            span = Span(at.source, comma - len(before[0]), comma + 1 + len(after[0]))
            return wrong.DecimalComma(span, f"{before[0]}.{after[0]}")
    return wrong.Unexpected(at.end, found, describe(at.expected))


_DESCRIBED: tuple[tuple[str, str], ...] = (
    ("NAME", "a value"),
    ("MUL", "an operator"),
    ("ASSIGN", "`=`"),
    ("COLON", "`: unit`"),
    ("COMMA", "`,`"),
    ("RPAR", "`)`"),
    ("LPAR", "`(`"),
    ("$END", "the end of the statement"),
)


def describe(expected: frozenset[str]) -> str:
    """What could have stood there, in words."""
    parts = [text for kind, text in _DESCRIBED if kind in expected and not (kind == "LPAR" and "NAME" in expected)]
    parts += [f"`{word}`" for kind, word in _WORDS.items() if kind in expected and kind not in ("IF", "AND", "OR")]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1] if parts else ""


RULES: tuple[Callable[[_Place], Mistake | None], ...] = (
    _misspelt_keyword,
    _two_statements,
    _misspelt_word,
    _second_equals,
    _colons,
    _double_equals,
    _missing_value,
    _missing_colon,
    _missing_equals,
    _missing_word,
    _side_by_side,
)
