"""Habits of other languages, seen on the bare tokens of a statement before the grammar reads it."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax_mistakes as wrong
from .mistakes import Mistake
from .other_languages import other_languages
from .source import Source, Span
from .tokens import FOREIGN, Token
from .unit_table import UNITS
from .words import FLAGS


def habits(source: Source, tokens: Sequence[Token], in_block: bool) -> Mistake | None:
    """The first thing in a statement that belongs to another language or to none."""
    for habit in (_second_derivative, _closing_words, _derivative_before_name, _arrow, _increment, _flags_without_brackets):
        if (found := habit(source, tokens)) is not None:
            return found
    for habit in (
        _unit_before_equals,
        _derivative_without_slash,
        _foreign_words,
        _value_behind_colon,
        _start_at_time,
        other_languages,
    ):
        if not in_block and (found := habit(source, tokens)) is not None:
            return found
    for k, token in enumerate(tokens):
        if token.type in FOREIGN or token.type == "DOCSTRING":
            return _foreign(source, tokens, k)
        if token.value in ("//", "%") and token.type == "MUL" and _starts_comment(tokens, k):
            line = Span(source, token.start, token.stop)
            return wrong.ForeignComment(line, f"`{token.value}` starts no comment", "write `# ...`", "#")
    return None


def _second_derivative(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`d2v/dt2`, `d^2v/dt^2`."""
    written = [str(token.value) for token in tokens[:8]]
    name: str | None = None
    stop = 3
    if len(written) >= 3 and written[1] == "/" and written[2] == "dt2" and written[0].startswith("d2"):
        name = written[0][2:]
    elif written[:2] == ["d", "^"] and len(written) >= 8 and written[4:6] == ["/", "dt"] and written[6] == "^":
        name, stop = written[3], 8
    if not name:
        return None
    span = Span(source, tokens[0].start, tokens[stop - 1].stop)
    meant = f"name the first derivative: `d{name}/dt = {name}_1` and `d{name}_1/dt = ...`"
    return wrong.SecondDerivative(span, "equations are of first order", meant)


def _unit_before_equals(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`tau ms = 20 ms`."""
    if len(tokens) < 4 or [token.type for token in tokens[:3]] != ["NAME", "NAME", "ASSIGN"] or tokens[1].value not in UNITS:
        return None
    name, unit = tokens[0].value, tokens[1].value
    what = f"a unit cannot stand before the `=`: `{name} {unit}`"
    meant = f"write `{name} = ...` with the unit behind its number, or `: {unit}` at the end"
    return wrong.UnitBeforeEquals(tokens[1].span(source), what, meant, "")


def _derivative_without_slash(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`dv dt = ...`."""
    if len(tokens) < 3 or tokens[0].type != "NAME" or tokens[1].value != "dt" or tokens[2].type != "ASSIGN":
        return None
    name = str(tokens[0].value)
    span = Span(source, tokens[0].start, tokens[1].stop)
    return wrong.LeftSide(span, False, f"{name}/dt") if name.startswith("d") and len(name) > 1 else None


def _derivative_before_name(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`d/dt v = ...`, `d/dt(v) = ...`."""
    written = [str(token.value) for token in tokens[:6]]
    bracket = written[3:4] == ["("] and written[5:6] == [")"]
    stop = 6 if bracket else 4
    if written[:3] != ["d", "/", "dt"] or len(tokens) <= stop or tokens[stop].type != "ASSIGN":
        return None
    name = written[4] if bracket else written[3]
    return wrong.LeftSide(Span(source, tokens[0].start, tokens[stop - 1].stop), False, f"d{name}/dt")


def _start_at_time(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`v(t=0) = -65 mV`, `v(0 ms) = -65 mV`."""
    close = next((k for k, token in enumerate(tokens) if token.type == "RPAR"), len(tokens))
    if close + 1 >= len(tokens) or tokens[close + 1].type != "ASSIGN" or [token.type for token in tokens[:2]] != ["NAME", "LPAR"]:
        return None
    inside = [token.value for token in tokens[2:close]]
    named, with_unit = inside in (["t", "=", 0], ["t", "==", 0]), len(inside) == 2 and inside[0] == 0 and inside[1] in UNITS
    whole = Span(source, tokens[0].start, tokens[close].stop)
    return wrong.LeftSide(whole, False, f"{tokens[0].value}(0)") if named or with_unit else None


def _increment(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`n++`."""
    if len(tokens) != 3 or tokens[0].type != "NAME" or tokens[1].value not in ("+", "-") or tokens[2].value != tokens[1].value:
        return None
    meant = f"{tokens[0].value} {tokens[1].value}= 1"
    whole = Span(source, tokens[0].start, tokens[2].stop)
    return wrong.Arrow(whole, f"`{tokens[1].value * 2}` is no operator", f"write `{meant}`", meant)


def _flags_without_brackets(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`dv/dt = ... : mV unless refractory`."""
    for count, flag in ((2, ["unless", "refractory"]), (3, ["constant", "over", "dt"])):
        if len(tokens) > count + 2 and [token.value for token in tokens[-count:]] == flag:
            span = Span(source, tokens[-count].start, tokens[-1].stop)
            meant = f"({' '.join(flag)})"
            return wrong.BareFlag(span, f"the flag `{' '.join(flag)}` stands in brackets", f"write `{meant}`", meant)
    return None


def _starts_comment(tokens: Sequence[Token], k: int) -> bool:
    after = tokens[k + 1 : k + 3]
    words = [token.type for token in after] == ["NAME", "NAME"] and after[1].value not in ("holding", "of", "crosses")
    unit = k > 1 and tokens[k - 2].type == "COLON" and tokens[k - 1].value in UNITS and after and after[0].value not in UNITS
    return k == 0 or bool(unit) or (tokens[k].value == "//" and words)


_LOGIC = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not ", "~": "not ", "¬": "not ", "∧": "and", "∨": "or"}


def _foreign(source: Source, tokens: Sequence[Token], k: int) -> Mistake:
    token = tokens[k]
    span, text = token.span(source), str(token.value)
    if token.type == "DOTTED":
        last = text.rsplit(".", 1)[1]
        return wrong.DottedName(span, f"`{text}`: names have no dots", f"did you mean `{last}`?", last)
    if token.type == "STRING":
        return wrong.QuotedText(span, _unquoted(tokens, k))
    if token.type == "DOCSTRING":
        return wrong.StrayDocstring(span)
    if token.type == "OPEN_DOCSTRING":
        return wrong.UnclosedDocstring(Span(source, token.start, token.start + 3), text[:3])
    if text in ("'", "′", "´", "’") and k and tokens[k - 1].type == "NAME":
        name = tokens[k - 1].value
        whole = Span(source, tokens[k - 1].start, token.stop)
        return wrong.PrimeNotation(whole, "a derivative is not written with a prime", f"write `d{name}/dt`", f"d{name}/dt")
    if text == "?":
        return _ternary(source, tokens, k)
    if text == "|" and sum(token.value == "|" for token in tokens) >= 2:
        return wrong.AbsoluteBars(
            span, "`|` has no meaning here", "for the size of a number write `abs(x)`; for a choice write `or`"
        )
    if text in _LOGIC:
        word = _LOGIC[text].strip()
        return wrong.LogicOperator(span, f"`{text}` is written `{word}`", f"did you mean `{word}`?", _LOGIC[text])
    if text == ":=":
        return wrong.WalrusAssignment(span, "`:=` is written `=`", "did you mean `=`?", "=")
    if text in "[]{}":
        return _square(source, tokens, k)
    called = text == "$" and k + 1 < len(tokens) and tokens[k + 1].value == "("
    return wrong.UnknownCharacter(span, "$(...)" if called else text)


def _unquoted(tokens: Sequence[Token], k: int) -> str | None:
    """What `threshold='v > V_t'` and `eqs = 'dv/dt = ...'` mean."""
    if k != 2 or tokens[1].type != "ASSIGN" or tokens[0].type != "NAME" or len(tokens) > 3:
        return None
    inside = _short(str(tokens[2].value).strip("'\""))
    words = {**RULES, "refractory": "refractory {}", "method": "method {}"}
    if tokens[0].value in words:
        return str(words[tokens[0].value]).format(inside)
    return inside if "/dt" in inside else None


def _ternary(source: Source, tokens: Sequence[Token], k: int) -> Mistake:
    """`a ? b : c`, as far as the bracket goes in which it stands."""
    start, stop = _before(tokens, k), _after(tokens, k)
    colon = next((j for j in range(k + 1, stop) if tokens[j].type == "COLON"), None)
    what = "`?` has no meaning here"
    if colon is None or not start < k < colon - 1 or colon == stop - 1:
        return wrong.TernaryOperator(tokens[k].span(source), what, "write `value if condition else other`")
    end = next((j for j in range(colon + 1, stop) if tokens[j].type == "COLON"), stop)
    instead = (
        f"{_text(source, tokens, k + 1, colon)} if {_text(source, tokens, start, k)} else {_text(source, tokens, colon + 1, end)}"
    )
    return wrong.TernaryOperator(Span(source, tokens[start].start, tokens[end - 1].stop), what, f"write `{instead}`", instead)


def _text(source: Source, tokens: Sequence[Token], first: int, last: int) -> str:
    return source.text[tokens[first].start : tokens[last - 1].stop]


def _before(tokens: Sequence[Token], k: int) -> int:
    """The first token of the bracket, the argument or the right side that token `k` stands in."""
    depth = 0
    for j in range(k - 1, -1, -1):
        depth += (tokens[j].type == "RPAR") - (tokens[j].type == "LPAR")
        if depth < 0 or (depth == 0 and tokens[j].type in ("ASSIGN", "COMMA")):
            return j + 1
    return 0


def _after(tokens: Sequence[Token], k: int) -> int:
    """The place after the last one."""
    depth = 0
    for j in range(k + 1, len(tokens)):
        depth += (tokens[j].type == "LPAR") - (tokens[j].type == "RPAR")
        if depth < 0 or (depth == 0 and tokens[j].type == "COMMA"):
            return j
    return len(tokens)


def _square(source: Source, tokens: Sequence[Token], k: int) -> Mistake:
    close = next((j for j in range(k + 1, len(tokens)) if tokens[j].value == "]"), None)
    if tokens[k].value == "[" and close is not None and k:
        whole = Span(source, tokens[k - 1].start, tokens[close].stop)
        inside = tokens[k + 1 : close]
        if tokens[k - 1].type == "NUMBER" and inside and inside[0].value in UNITS:
            instead = f"{_text(source, tokens, k - 1, k)} {_text(source, tokens, k + 1, close)}"
            return wrong.BracketedUnit(whole, "a unit stands behind its number without brackets", f"write `{instead}`", instead)
        if inside and inside[0].value in UNITS and close == len(tokens) - 1 and tokens[k - 1].type in ("NAME", "RPAR"):
            instead = f": {_text(source, tokens, k + 1, close)}"
            here = Span(source, tokens[k].start, tokens[close].stop)
            return wrong.BracketedUnit(here, "a unit stands behind a colon, without brackets", f"write `{instead}`", instead)
        if tokens[k - 1].type == "NAME":
            return wrong.Indexing(whole, str(tokens[k - 1].value))
    return wrong.SquareBracket(tokens[k].span(source), str(tokens[k].value))


# ---- words that lead a statement elsewhere --------------------------------------------------------

DECLARING = frozenset(
    "const param parameter state var let double float real int global local par aux inline kernel recordable def number".split()
)
ENDS = frozenset({"end", "done", "endif", "pass", "END"})
RULES = {"threshold": "spike when {}", "reset": "spike when ...: {}"}


def _closing_words(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`end`, `return v`."""
    if len(tokens) == 1 and tokens[0].value in ENDS:
        what = f"`{tokens[0].value}` closes nothing"
        return wrong.RuleWord(tokens[0].span(source), what, "take it away: a block ends where its indentation ends", "")
    if tokens[0].value in ("import", "from") and len(tokens) > 1 and tokens[1].type == "NAME":
        return wrong.RuleWord(Span(source, tokens[0].start, tokens[-1].stop), "a text holds no Python", "take this line away", "")
    if tokens[0].value == "return" and len(tokens) > 1 and tokens[1].type != "ASSIGN":
        rest = _short(_text(source, tokens, 1, len(tokens)))
        return wrong.RuleWord(
            tokens[0].span(source), "there is no statement `return`", f"a function is one line: `f(x) = {rest}`"
        )
    return None


def _foreign_words(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`const tau = 20 ms`, `threshold v > 30 mV`, `reset: v = c`."""
    if len(tokens) < 3 or tokens[0].type != "NAME":
        return None
    word, second = str(tokens[0].value), tokens[1]
    if word in ("init", "initial") and second.type == "NAME" and tokens[2].type == "ASSIGN" and len(tokens) > 3:
        what, value = f"there is no statement `{word}`", _short(_text(source, tokens, 3, len(tokens)))
        return wrong.RuleWord(Span(source, tokens[0].start, second.stop), what, f"write `{second.value}(0) = {value}`")
    if word == "when" and second.type in ("NAME", "LPAR") and tokens[2].type != "ASSIGN":
        rest = _short(_text(source, tokens, 1, len(tokens)))
        meant = f"write `spike when {rest}`, or `on NAME when {rest}`"
        return wrong.RuleWord(tokens[0].span(source), "what happens `when` a condition holds has a name", meant, "spike when")
    if word == "on" and second.type == "NAME" and tokens[2].type == "COMPARE":
        rest = _short(_text(source, tokens, 1, len(tokens)))
        return wrong.RuleWord(tokens[0].span(source), "an event has a name", f"write `on NAME when {rest}`", "on NAME when")
    if word == "spike" and second.type == "IF" and all(token.type != "ELSE" for token in tokens):
        meant = f"spike when {_short(_text(source, tokens, 2, len(tokens)))}"
        span = Span(source, tokens[0].start, second.stop)
        return wrong.RuleWord(span, "a spike happens `when` a condition holds, not `if`", f"write `{meant}`", "spike when")
    declares = tokens[2].type in ("ASSIGN", "COLON", "LPAR")
    if word in DECLARING and second.type == "NAME" and (declares or _has_unit_before_equals(tokens[1:])):
        rest = _text(source, tokens, 1, len(tokens))
        if word == "def":
            rest = f"{rest} = ..."
        what = f"no word such as `{word}` stands before a name"
        return wrong.DeclaringWord(Span(source, tokens[0].start, second.start), what, f"write `{_short(rest)}`", "")
    start = 2 if second.type == "COLON" else 1
    says = start < len(tokens) and tokens[start].type in ("NAME", "LPAR") and not _is_unit(tokens[start:])
    if word in RULES and says and second.type in ("NAME", "LPAR", "COLON"):
        meant = RULES[word].format(_short(_text(source, tokens, start, len(tokens))))
        what = f"there is no statement `{word}`"
        return wrong.RuleWord(Span(source, tokens[0].start, tokens[start].start), what, f"write `{meant}`")
    if word == "spike" and second.type == "COLON" and says:
        meant = f"spike when {_short(_text(source, tokens, 2, len(tokens)))}"
        return wrong.RuleWord(
            Span(source, tokens[0].start, second.stop), "`when` is missing after `spike`", f"write `{meant}`", "spike when"
        )
    return None


def _has_unit_before_equals(tokens: Sequence[Token]) -> bool:
    return len(tokens) > 2 and tokens[1].value in UNITS and tokens[2].type == "ASSIGN"


def _is_unit(tokens: Sequence[Token]) -> bool:
    """Whether this may be a unit, with flags in brackets behind it or not."""
    signs = ("MUL", "POWER", "NUMBER", "LPAR", "RPAR", "COMMA", "ADD")
    words = {word for flag in FLAGS for word in flag.replace("-", " ").split()}
    return all(
        token.value in UNITS or token.value in ("boolean", "integer") or token.value in words or token.type in signs
        for token in tokens
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 and "\n" not in text else "..."


# ---- values and arrows ----------------------------------------------------------------------------


def _value_behind_colon(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`tau: 20 ms`, `V_t : -50*mV`."""
    kinds = [token.type for token in tokens]
    if kinds[:2] != ["NAME", "COLON"] or "ASSIGN" in kinds:
        return None
    signed = kinds[2:3] == ["ADD"]
    number = 3 if signed else 2
    if kinds[number : number + 1] != ["NUMBER"] or (tokens[number].value == 1 and not signed):
        return None
    value = _short(_text(source, tokens, 2, len(tokens)))
    if tokens[0].value in ("refractory", "dt", "duration"):
        meant = f"write `{tokens[0].value} {value}`"
        return wrong.RuleWord(tokens[1].span(source), f"no colon stands behind `{tokens[0].value}`", meant, "")
    instead = f"{tokens[0].value} = {value}"
    what = "behind the `:` stands a unit, and this is a value"
    return wrong.ValueBehindColon(tokens[1].span(source), what, f"did you mean `{instead}`?", "=")


def _arrow(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`v -> c`, `v <- c`."""
    for k in range(1, len(tokens) - 1):
        a, b = tokens[k], tokens[k + 1]
        if a.stop == b.start and (a.value, b.value) in (("-", ">"), ("<", "-")) and k + 2 < len(tokens):
            if (a.value, b.value) == ("<", "-") and (k > 1 or tokens[k + 2].start == b.stop):
                continue  # `x <-1` compares
            instead = f"{_short(_text(source, tokens, 0, k))} = {_short(_text(source, tokens, k + 2, len(tokens)))}"
            return wrong.Arrow(Span(source, a.start, b.stop), "an arrow assigns nothing here", f"write `{instead}`", "=")
    return None
