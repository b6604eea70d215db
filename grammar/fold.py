"""The tokens of one statement made ready for the grammar: keywords in their places, quantities, flags and `d v/dt` as one terminal each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from . import syntax_mistakes as wrong
from .build import LARGEST_POWER, Terminal
from .layout import flag_texts
from .mistakes import Mistake
from .nodes import Flag, Unit, UnitFactor
from .source import Source, Span
from .spelling import nearest
from .tokens import Token
from .unit_table import REFUSED_UNITS, UNITS, nearest_unit
from .words import FLAGS, FOLLOWERS, KEYWORDS, LATER, SECOND_WORDS

Names = Callable[[], frozenset[str]]

_ENDS_OPERAND = frozenset({"NAME", "NUMBER", "QUANTITY", "RPAR"})
_STARTS_OPERAND = frozenset({"NAME", "NUMBER", "LPAR", "ADD", "NOT"})


def keyword_of(tokens: Sequence[Token]) -> str | None:
    """The keyword that leads a statement, None where its first word is an ordinary name."""
    first = tokens[0]
    if first.type != "NAME" or first.value not in KEYWORDS or len(tokens) < 2:
        return None
    second = tokens[1]
    if second.value == SECOND_WORDS.get(first.value) or (first.value == "on" and len(tokens) > 2 and tokens[2].value == "when"):
        return str(first.value)
    if second.type not in ("NAME", "NUMBER", "LPAR", "NOT") and second.value != "-":
        return None
    depth = 0
    for token in tokens:
        depth += (token.type == "LPAR") - (token.type == "RPAR")
        if token.type == "ASSIGN" and depth <= 0:
            return None
    return str(first.value)


def no_names() -> frozenset[str]:
    return frozenset()


def fold(source: Source, tokens: Sequence[Token], names: Names = no_names) -> tuple[list[Terminal], list[Mistake]]:
    """The terminals of a statement, and what is wrong with its quantities and flags.

    `names` gives the names of the whole text, which are not taken for misspelt units.
    """
    folding = _Folding(source, list(tokens), names)
    if tokens:
        folding.keywords()
        folding.find_unit()
        folding.flags()
        folding.run()
    return folding.out, folding.mistakes


def fold_expression(source: Source, tokens: Sequence[Token], names: Names = no_names) -> tuple[list[Terminal], list[Mistake]]:
    """The same for a lone expression, in which no word is a keyword."""
    folding = _Folding(source, list(tokens), names)
    folding.run()
    return folding.out, folding.mistakes


def fold_unit(source: Source, tokens: Sequence[Token]) -> tuple[list[Terminal], list[Mistake]]:
    """The same for a lone unit, in which no number takes a unit."""
    folding = _Folding(source, list(tokens), no_names, unit_from=-1)
    folding.run()
    return folding.out, folding.mistakes


@dataclass
class _Folding:
    source: Source
    tokens: list[Token]
    names: Names
    words: dict[int, str] = field(default_factory=dict)  # keyword terminals by place
    unit_from: int | None = None  # from here on stands a unit: no quantities
    flags_from: int | None = None
    out: list[Terminal] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def span(self, start: int, stop: int) -> Span:
        """The span of the tokens `start` to `stop` (not included)."""
        return Span(self.source, self.tokens[start].start, self.tokens[stop - 1].stop)

    def text(self, start: int, stop: int) -> str:
        return self.source.text[self.tokens[start].start : self.tokens[stop - 1].stop]

    def is_name(self, k: int, word: str | None = None) -> bool:
        return k < len(self.tokens) and self.tokens[k].type == "NAME" and (word is None or self.tokens[k].value == word)

    # ---- words -----------------------------------------------------------------------------

    def keywords(self) -> None:
        keyword = keyword_of(self.tokens)
        if keyword is None:
            return
        self.words[0] = keyword.upper()
        for place, word in FOLLOWERS.get(keyword, {}).items():
            if self.is_name(place, word):
                self.words[place] = word.upper()
        if keyword == "refractory" and self.is_name(1, "while"):
            self.words[1] = "WHILE"
        if keyword in LATER:
            self._later_word(LATER[keyword])
        if keyword == "time":
            self.unit_from = 1

    def _later_word(self, word: str) -> None:
        depth = 0
        for k, token in enumerate(self.tokens):
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            if k > 1 and depth <= 0 and self.is_name(k, word):
                self.words[k] = word.upper()
                return

    # ---- the unit and the flags at the end ----------------------------------------------------

    def find_unit(self) -> None:
        depth = 0
        for k, token in enumerate(self.tokens):
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            if token.type == "COLON" and depth <= 0:
                self.unit_from = k
                return

    def flags(self) -> None:
        if self.words or self.tokens[-1].type != "RPAR":
            return
        opening = self._opening_of_last()
        if opening is None or opening == 0:
            return
        inside = self.tokens[opening + 1 : -1]
        texts = flag_texts(inside)
        if not all(text in FLAGS for text in texts) and not self._meant_as_flags(opening, texts):
            return
        self.flags_from = opening

    def _opening_of_last(self) -> int | None:
        depth = 0
        for k in range(len(self.tokens) - 1, -1, -1):
            depth += (self.tokens[k].type == "RPAR") - (self.tokens[k].type == "LPAR")
            if depth == 0:
                return k
        return None

    def _meant_as_flags(self, opening: int, texts: list[str]) -> bool:
        """Whether a last bracket that holds something else than flags can only be flags."""
        inside = self.tokens[opening + 1 : -1]
        kinds = {token.type for token in inside}
        if not inside or not kinds <= {"NAME", "COMMA", "ADD", "OTHER"}:
            return False
        before = self.tokens[opening - 1]
        if self.unit_from is not None and opening > self.unit_from + 1:
            return before.type in ("NAME", "NUMBER", "RPAR")
        words = any(a.type == b.type == "NAME" for a, b in pairwise(inside))
        if words or any(text in FLAGS for text in texts):
            return before.type in _ENDS_OPERAND
        if not all(text.isidentifier() or "-" in text for text in texts) or not any(nearest(text, FLAGS) for text in texts):
            return False
        return before.type in ("RPAR", "NUMBER") or (before.type == "NAME" and before.stop < self.tokens[opening].start)

    def _fold_flags(self) -> None:
        assert self.flags_from is not None
        flags: list[Flag] = []
        start = self.flags_from + 1
        for k in range(start, len(self.tokens)):
            if self.tokens[k].type not in ("COMMA", "RPAR") or k < start:
                continue
            if k == start:
                self.mistakes.append(wrong.MissingExpression(self.span(k - 1, k + 1), self.text(k - 1, k)))
            else:
                flags.append(self._flag(start, k))
            start = k + 1
        self.out.append(Terminal("FLAGS", self.span(self.flags_from, len(self.tokens)), tuple(flags)))

    def _flag(self, start: int, stop: int) -> Flag:
        text = flag_texts(self.tokens[start:stop])[0]
        span = self.span(start, stop)
        if text not in FLAGS:
            self.mistakes.append(wrong.UnknownFlag(span, text, nearest_flag(text), FLAGS))
        return Flag(span, text)

    # ---- everything, from left to right ---------------------------------------------------------

    def run(self) -> None:
        k = 0
        while k < len(self.tokens):
            if k == self.flags_from:
                self._fold_flags()
                return
            k = self._next(k)

    def _next(self, k: int) -> int:
        """Put out the terminal that starts at token `k`; the place after it."""
        token = self.tokens[k]
        in_unit = self.unit_from is not None and k > self.unit_from
        if k in self.words:
            self.out.append(Terminal(self.words[k], token.span(self.source), token.value))
        elif token.type == "NUMBER":
            return self._number(k, in_unit)
        elif self.is_name(k, "d") and self._spaced_derivative(k):
            name = "d" + self.tokens[k + 1].value
            self.out.append(Terminal("NAME", self.span(k, k + 2), name))
            return k + 2
        elif self.is_name(k, "crosses") and self._between_operands(k):
            self.out.append(Terminal("COMPARE", token.span(self.source), "crosses"))
        else:
            self.out.append(Terminal(token.type, token.span(self.source), token.value))
        return k + 1

    def _spaced_derivative(self, k: int) -> bool:
        slash = k + 2 < len(self.tokens) and self.tokens[k + 2].value == "/"
        return self.is_name(k + 1) and slash and self.is_name(k + 3, "dt")

    def _between_operands(self, k: int) -> bool:
        if not self.out or k + 1 >= len(self.tokens):
            return False
        return self.out[-1].type in _ENDS_OPERAND and self.tokens[k + 1].type in _STARTS_OPERAND

    # ---- quantities -----------------------------------------------------------------------------

    def _number(self, k: int, in_unit: bool) -> int:
        token = self.tokens[k]
        if token.value is None:
            self.mistakes.append(wrong.NumberTooLarge(token.span(self.source)))
        value = 1 if token.value is None else token.value
        if in_unit or not self.is_name(k + 1) or k + 1 in self.words:
            self.out.append(Terminal("NUMBER", token.span(self.source), value))
            return k + 1
        if not self._is_unit(k + 1) or (self._next_statement(k + 1) and not in_unit):
            return self._not_a_unit(k, value)
        factors, stop = self._unit_chain(k + 1)
        if self.out and self.out[-1].value in ("/", "//", "%") and self.out[-1].type == "MUL" and len(factors) > 1:
            first = k + 1 + self._first_length(k + 1)
            parts = (self.text(k, stop), self.text(k, first), self.text(first, stop))
            self.mistakes.append(wrong.CompoundAfterDivision(self.span(k, stop), *parts))
        unit = Unit(self.span(k + 1, stop), tuple(factors))
        self.out.append(Terminal("QUANTITY", self.span(k, stop), (value, unit)))
        return stop

    def _is_unit(self, k: int) -> bool:
        if not self.is_name(k) or k in self.words:
            return False
        word = self.tokens[k].value
        called = k + 1 < len(self.tokens) and self.tokens[k + 1].type == "LPAR" and k + 1 != self.flags_from
        return (word in UNITS or word in REFUSED_UNITS) and not called

    def _not_a_unit(self, k: int, value: float) -> int:
        token, name = self.tokens[k], self.tokens[k + 1]
        number = Terminal("NUMBER", token.span(self.source), value)
        self.out.append(number)
        word = str(name.value)
        if word == "crosses" or self._next_statement(k + 1):
            return k + 1
        near_word = nearest(word, ("if", "else", "and", "or")) if len(word) > 2 else None
        if near_word is not None or (self.words.get(0) in ("REFRACTORY", "SURROGATE") and nearest(word, ("holding", "of"))):
            return k + 1  # the grammar stops here, and the misspelt word is named there
        if word in ("j", "J") and name.start == token.stop:
            what = f"`{self.text(k, k + 2)}` is no number: there are no imaginary numbers here"
            self.mistakes.append(
                wrong.ImaginaryNumber(self.span(k, k + 2), what, f"to multiply, write `{self.text(k, k + 1)}*{word}`")
            )
        else:
            near = None if word in self.names() else nearest_unit(word)
            self.mistakes.append(wrong.NotAUnit(name.span(self.source), self.text(k, k + 1), self.text(k + 1, k + 2), near))
        called = k + 2 < len(self.tokens) and self.tokens[k + 2].type == "LPAR"
        if called:  # `2 exp(x)` goes on as a product
            self.out.append(Terminal("MUL", Span(self.source, token.stop, name.start), "*"))
            return k + 1
        return k + 2

    def _next_statement(self, k: int) -> bool:
        """`v = 0 w = 1`: the name starts another statement, and the grammar says so."""
        if k + 1 >= len(self.tokens) or not self.is_name(k):
            return False
        unit = self.tokens[k].value in UNITS
        return self.tokens[k + 1].type == "ASSIGN" or (self.tokens[k + 1].type == "COLON" and not unit)

    def _unit_chain(self, k: int) -> tuple[list[UnitFactor], int]:
        """The unit that starts at token `k`: units, their number powers, and `/unit`; the place after it."""
        factors: list[UnitFactor] = []
        sign = 1
        while True:
            power, stop = self._power(k + 1)
            if abs(power) > LARGEST_POWER:
                self.mistakes.append(wrong.BadUnitSyntax(self.span(k, stop), self.text(k, stop)))
                power = Fraction(1)
            factors.append(UnitFactor(self.span(k, stop), self.tokens[k].value, sign * power))
            if not (stop < len(self.tokens) and self.tokens[stop].value == "/" and self._is_unit(stop + 1)):
                return factors, stop
            k, sign = stop + 1, -1

    def _first_length(self, k: int) -> int:
        return self._power(k + 1)[1] - k

    def _power(self, k: int) -> tuple[Fraction, int]:
        """The number power at token `k`, with or without brackets; 1 where there is none."""
        if not (k < len(self.tokens) and self.tokens[k].type == "POWER"):
            return Fraction(1), k
        bracket = k + 1 < len(self.tokens) and self.tokens[k + 1].type == "LPAR"
        start = k + 2 if bracket else k + 1
        sign, stop = 1, start
        if stop < len(self.tokens) and self.tokens[stop].type == "ADD":
            sign, stop = (-1 if self.tokens[stop].value == "-" else 1), stop + 1
        if not self._plain_number(stop):
            return Fraction(1), k
        power = sign * Fraction(str(self.tokens[stop].value))
        stop += 1
        if not bracket:
            return power, stop
        if (
            stop < len(self.tokens)
            and self.tokens[stop].value == "/"
            and self._plain_number(stop + 1)
            and self.tokens[stop + 1].value
        ):
            power, stop = power / Fraction(str(self.tokens[stop + 1].value)), stop + 2
        closed = stop < len(self.tokens) and self.tokens[stop].type == "RPAR"
        return (power, stop + 1) if closed else (Fraction(1), k)

    def _plain_number(self, k: int) -> bool:
        return k < len(self.tokens) and self.tokens[k].type == "NUMBER" and self.tokens[k].value is not None


def nearest_flag(text: str) -> str | None:
    """The flag that was most likely meant: near as a whole, or the same words run together or cut short."""
    close = nearest(text, FLAGS)
    if close is not None:
        return close
    words = text.split()
    for k in range(1, len(words)):
        if " ".join(words[:k]) in FLAGS and " ".join(words[k:]) in FLAGS:
            return f"{' '.join(words[:k])}, {' '.join(words[k:])}"
    bare = text.replace(" ", "").replace("-", "").replace("_", "").lower()
    same = [flag for flag in FLAGS if flag.replace(" ", "").replace("-", "") == bare]
    return (
        same[0]
        if same
        else next((flag for flag in FLAGS if bare and flag.replace(" ", "").startswith(bare) and len(bare) > 3), None)
    )
