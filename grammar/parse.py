"""Source to Module: every statement is read on its own, so all mistakes of a text are found together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import nodes
from . import syntax_mistakes as wrong
from .layout import lay_out
from .mistakes import Mistake
from .source import Source, Span, whole
from .statements import StatementReader
from .tokens import tokenise

MAX_LENGTH = 65_000


@dataclass(frozen=True)
class Parsed:
    """What a text says, as far as it could be read, and all its mistakes of syntax.

    `unread` holds the names that statements with a mistake seem to define, so that nobody calls them unknown.
    """

    module: nodes.Module
    mistakes: tuple[Mistake, ...]
    unread: frozenset[str] = field(default=frozenset())


def parse(source: Source) -> Parsed:
    """Read a whole text: a bare body, or named models. Never raises for what a person typed."""
    if (long := _too_long(source)) is not None:
        return Parsed(nodes.Module(whole(source), ()), (long,))
    pieces, mistakes = lay_out(source)
    reader = StatementReader(source, mistakes)
    module = reader.module(pieces)
    reader.mistakes += keywords_defined(module)
    return Parsed(module, _in_order(reader.mistakes), frozenset(reader.unread))


def parse_expression(source: Source) -> tuple[nodes.Expression | None, tuple[Mistake, ...]]:
    """Read a lone expression or condition (`v > V_t`, `2 ms`); None where it cannot be read."""
    if (long := _too_long(source)) is not None:
        return None, (long,)
    reader = StatementReader(source, [])
    tokens = [token for token in tokenise(source) if token.type not in ("NEWLINE", "COMMENT")]
    return reader.expression(tokens), _in_order(reader.mistakes)


def parse_block(source: Source) -> tuple[tuple[nodes.Assignment, ...], tuple[Mistake, ...]]:
    """Read the statements of a block, on lines or between `;` (`v = 0; w += 1`)."""
    if (long := _too_long(source)) is not None:
        return (), (long,)
    pieces, mistakes = lay_out(source)
    reader = StatementReader(source, mistakes)
    return reader.block(pieces), _in_order(reader.mistakes)


def parse_unit(source: Source) -> tuple[nodes.Unit | None, tuple[Mistake, ...]]:
    """Read a lone unit expression: `mV`, `nS/cm^2`, `1`."""
    if (long := _too_long(source)) is not None:
        return None, (long,)
    reader = StatementReader(source, [])
    tokens = [token for token in tokenise(source) if token.type not in ("NEWLINE", "COMMENT")]
    return reader.unit(tokens), _in_order(reader.mistakes)


def _too_long(source: Source) -> Mistake | None:
    text = source.text
    # blanks count less, so that the text of a model, printed in good order, can be read again
    length = len(text) if len(text) > 3 * MAX_LENGTH else len(text) - text.count(" ")
    return wrong.TextTooLong(Span(source, 0, 1), length, MAX_LENGTH) if length > MAX_LENGTH else None


def _in_order(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: (mistake.span.start, mistake.span.stop)))


def _is_rule(statement: nodes.Definition) -> bool:
    """Whether a definition may have been meant as a rule: `method` only where a lone name follows, since it may be a number."""
    word = statement.name.id
    return word in ("refractory", "spike", "threshold", "reset") or (
        word == "method" and isinstance(statement.expression, nodes.Name)
    )


def keywords_defined(module: nodes.Module) -> list[Mistake]:
    """`refractory = 2 ms` where nothing uses a name `refractory`."""
    from .walks import names_used

    suspects = [
        statement
        for model in module.models
        for statement in model.statements
        if isinstance(statement, nodes.Definition) and _is_rule(statement)
    ]
    if not suspects:
        return []
    used = {name for model in module.models for statement in model.statements for name in names_used(statement)}
    return [wrong.keyword_defined(statement) for statement in suspects if statement.name.id not in used]
