"""The LALR parser of `neuron.lark`: terminals to what a rule makes of them, or to the place where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .build import Builder, Terminal

Start = Literal["statement", "expression", "unit"]


@cache
def grammar() -> Any:
    """The LALR parser of `neuron.lark`, built once a process."""
    from lark import Lark
    from lark.lexer import Lexer

    class Ready(Lexer):
        """Terminals come ready from `fold`; the grammar has no lexer of its own."""

        def __init__(self, configuration: Any) -> None:
            pass

        def lex(self, state: Any, parser_state: Any) -> Any:
            raise NotImplementedError

    text = Path(__file__).with_name("neuron.lark").read_text("utf-8")
    starts = ["statement", "expression", "unit"]
    return Lark(text, parser="lalr", strict=True, lexer=Ready, start=starts, maybe_placeholders=True, transformer=Builder())


@dataclass(frozen=True)
class _End:
    """The terminal after the last one."""

    type: str = "$END"


@dataclass(frozen=True)
class Stop:
    """Where the grammar could not go on: the terminal (its number, the count of all at the end) and what it would have taken."""

    place: int
    expected: frozenset[str]


def read(terminals: Sequence[Terminal], start: Start) -> Any:
    """What the rule `start` makes of the terminals, or the `Stop` where they fit no rule."""
    from lark.exceptions import UnexpectedToken

    parser = grammar().parse_interactive(start=start)
    state = parser.parser_state
    place = 0
    try:
        for place, terminal in enumerate(terminals):  # noqa: B007
            state.feed_token(terminal)
        place = len(terminals)
        return state.feed_token(_End(), True)
    except UnexpectedToken:
        return Stop(place, frozenset(parser.accepts()))
