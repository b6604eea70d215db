"""Mistakes that the words and the layout of a statement show before the grammar reads it."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax_mistakes as wrong
from .layout import Piece
from .mistakes import Mistake
from .source import Source, Span
from .spelling import nearest
from .tokens import Token
from .words import OPENERS

MODELS = frozenset(
    {"neuron", "cell", "node", "class", "component", "population", "Model", "Neuron"}
)  # what a model is called elsewhere


def piece_mistake(source: Source, piece: Piece, in_block: bool = False) -> Mistake | None:
    """What is wrong with a statement as a whole, before its words are read."""
    first = piece.tokens[0]
    span = Span(source, first.start, piece.tokens[-1].stop)
    if first.type == "OPEN_DOCSTRING":
        return wrong.UnclosedDocstring(Span(source, first.start, first.start + 3), first.value[:3])
    if first.type == "DOCSTRING":
        return wrong.StrayDocstring(first.span(source))
    if piece.colon is None:
        return None
    if first.type in ("IF", "ELSE") or first.value in ("elif", "while", "for"):
        return _if_statement(source, piece, span, in_block)
    if in_block:
        return wrong.NotInBlock(span, "a block")
    if len(piece.tokens) == 1:
        what = f"there are no sections: `{first.value}:` opens nothing"
        meant = "write equations, parameters and values directly, in any order"
        if first.value in ("threshold", "reset"):
            meant = "write `spike when v > V_t:` with the assignments of the reset indented below"
        return wrong.SectionHeader(Span(source, first.start, piece.colon.stop), what, meant)
    if first.value == "synapse":
        return wrong.SynapseText(span)
    if first.value in MODELS and len(piece.tokens) == 2:
        return wrong.MisspeltWord(first.span(source), str(first.value), "model")
    meant_word = None if first.value in OPENERS else _meant_opener(piece.tokens)
    return wrong.MisspeltWord(first.span(source), str(first.value), meant_word) if meant_word else None


def _if_statement(source: Source, piece: Piece, span: Span, in_block: bool) -> Mistake:
    if piece.tokens[0].value in ("for", "while"):
        meant = "equations hold for every neuron and every step; what happens once a step stands under `each step:`"
        return wrong.IfStatement(span, f"there is no `{piece.tokens[0].value}` statement", meant)
    example = "v = 0 if v > 2 else v"
    if piece.body and len(piece.tokens) > 1:
        line, condition = piece.body[0].tokens, source.text[piece.tokens[1].start : piece.tokens[-1].stop]
        rest = source.text[line[0].start : piece.body[-1].tokens[-1].stop]
        if len(line) > 2 and line[1].value == "=" and "\n" not in condition:
            if not in_block and "\n" not in rest:
                meant = f"write `spike when {condition}: {rest}` where this is what a spike does; a value is `x = a if condition else b`"
                return wrong.IfStatement(span, "there is no `if` statement", meant)
            name, value = line[0].value, source.text[line[2].start : line[-1].stop]
            example = f"{name} = {value} if {condition} else {name}"
    return wrong.IfStatement(span, "there is no `if` statement", f"write the condition into the value: `{example}`")


def _meant_opener(tokens: Sequence[Token]) -> str | None:
    words = [token.value for token in tokens[:3]]
    if nearest(words[1], ("step",)) or words[1] == "step":
        return "each"
    if words[1] == "when":
        return "spike"
    if len(words) > 2 and words[2] == "when":
        return "on"
    return nearest(words[0], ("spike", "each", "model", "synapse"))
