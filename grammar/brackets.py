"""Brackets that nothing closes or opens, and expressions that are nested too deeply."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax_mistakes as wrong
from .mistakes import Mistake
from .source import Source, Span
from .tokens import Token


def brackets(source: Source, tokens: Sequence[Token], limit: int) -> Mistake | None:
    """A bracket without its partner, or more of them inside one another than can be meant."""
    open_: list[int] = []
    for k, token in enumerate(tokens):
        if token.type == "LPAR":
            open_.append(k)
            if len(open_) > limit:
                return wrong.NestedTooDeeply(token.span(source), limit)
        elif token.type == "RPAR":
            if not open_:
                return _stray(source, tokens, k)
            open_.pop()
    return _unclosed(source, tokens, open_[0]) if open_ else None


def _stray(source: Source, tokens: Sequence[Token], k: int) -> Mistake:
    start = next((j + 1 for j in range(k - 1, -1, -1) if tokens[j].type in ("ASSIGN", "COLON")), 0)
    return wrong.StrayBracket(Span(source, tokens[start].start, tokens[k].stop), tokens[k].span(source))


def _unclosed(source: Source, tokens: Sequence[Token], k: int) -> Mistake:
    ends = ("COLON",) if tokens[0].value == "surrogate" else ("COLON", "ASSIGN")
    stop = next((j for j in range(k + 1, len(tokens)) if tokens[j].type in ends), len(tokens))
    return wrong.UnclosedBracket(Span(source, tokens[k].start, tokens[stop - 1].stop), tokens[k].span(source))
