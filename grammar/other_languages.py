"""Statements of other simulators' languages, seen on their bare tokens."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax_mistakes as wrong
from .mistakes import Mistake
from .source import Source, Span
from .tokens import Token

KINDS = {"real": ": 1", "integer": ": integer", "boolean": ": boolean", "string": None}
OPTIONS = ("init", "min", "max")
FUNCTIONS = frozenset("exp log sqrt abs sin cos tan tanh cosh sinh exprel floor ceil sign".split())


def other_languages(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    for habit in (_kind_before_equals, _option_behind_colon, _start_by_index, _pairs_with_commas):
        if (found := habit(source, tokens)) is not None:
            return found
    return None


def _kind_before_equals(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """NESTML's `r integer = 0`."""
    if len(tokens) < 4 or [token.type for token in tokens[:3]] != ["NAME", "NAME", "ASSIGN"] or tokens[1].value not in KINDS:
        return None
    name, kind = tokens[0].value, str(tokens[1].value)
    unit = KINDS[kind]
    meant = f"write `{name} = ... {unit}`" if unit else "names of a model stand for numbers; take this line away"
    return wrong.UnitBeforeEquals(tokens[1].span(source), f"a kind cannot stand before the `=`: `{name} {kind}`", meant, "")


def _option_behind_colon(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """ANNarchy's `tau*dv/dt = -v : init=-65`."""
    for k in range(1, len(tokens) - 2):
        if tokens[k].type == "COLON" and tokens[k + 1].value in OPTIONS and tokens[k + 2].value == "=":
            option, value = tokens[k + 1].value, _value(source, tokens[k + 3 :])
            name = _defined(tokens)
            bound = {"min": f"clip({name}, {value}, ...)", "max": f"clip({name}, ..., {value})"}.get(str(option))
            meant = (
                f"write `{name}(0) = {value}` as a statement of its own"
                if bound is None
                else f"bound it: `each step: {name} = {bound}`"
            )
            span = Span(source, tokens[k + 1].start, tokens[-1].stop)
            return wrong.ValueBehindColon(span, "behind the `:` stands a unit, and this is an option", meant, None)
    return None


def _value(source: Source, tokens: Sequence[Token]) -> str:
    """What stands up to a comma."""
    stop = next((k for k, token in enumerate(tokens) if token.type == "COMMA"), len(tokens))
    return source.text[tokens[0].start : tokens[stop - 1].stop] if stop else "..."


def _defined(tokens: Sequence[Token]) -> str:
    """The name that a statement is about."""
    left = tokens[: next((k for k, token in enumerate(tokens) if token.type == "ASSIGN"), 1)]
    tops = [str(a.value)[1:] for a, b, c in zip(left, left[1:], left[2:], strict=False) if (b.value, c.value) == ("/", "dt")]
    return tops[0] if tops else str(tokens[0].value)


def _start_by_index(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`v[0] = -70 mV`."""
    if len(tokens) < 6 or tokens[0].type != "NAME" or tokens[4].type != "ASSIGN":
        return None
    if [tokens[1].value, tokens[2].value, tokens[3].value] != ["[", 0, "]"]:
        return None
    return wrong.LeftSide(Span(source, tokens[0].start, tokens[3].stop), False, f"{tokens[0].value}(0)")


def _pairs_with_commas(source: Source, tokens: Sequence[Token]) -> Mistake | None:
    """`a = 1, b = 2`."""
    depth = 0
    for k, token in enumerate(tokens[:-2]):
        depth += (token.type == "LPAR") - (token.type == "RPAR")
        pair = [following.type for following in tokens[k + 1 : k + 3]] == ["NAME", "ASSIGN"]
        if depth == 0 and token.type == "COMMA" and pair and any(before.type == "ASSIGN" for before in tokens[:k]):
            return wrong.StatementComma(
                token.span(source), "no comma stands between statements", "write `;`, or start a new line", ";"
            )
    return None
