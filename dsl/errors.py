"""The exceptions that a person meets, and the catalogue of mistakes of meaning, which stand in files by what they are about."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar.mistakes import Mistake
from .rendering import render


def catalogue() -> tuple[type[Mistake], ...]:
    """Every kind of mistake that has to do with meaning."""
    from . import (
        call_mistakes,
        inheritance_mistakes,
        name_mistakes,
        noise_mistakes,
        statement_mistakes,
        unit_mistakes,
        value_mistakes,
    )

    found: dict[str, type[Mistake]] = {}
    modules = (
        name_mistakes,
        call_mistakes,
        inheritance_mistakes,
        statement_mistakes,
        value_mistakes,
        noise_mistakes,
        unit_mistakes,
    )
    for module in modules:
        for name, item in vars(module).items():
            if isinstance(item, type) and issubclass(item, Mistake) and item is not Mistake:
                found[name] = item
    return tuple(found.values())


def settled(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes by place, each once, and on a line that could not be read only what is wrong with its syntax."""
    from ..grammar.syntax_mistakes import SyntaxMistake  # a hundred classes, which a program without mistakes does not need

    unread = {place for mistake in mistakes if isinstance(mistake, SyntaxMistake) for place in lines_of(mistake)}
    kept: dict[object, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: (m.span.source.name, m.span.start, m.span.stop)):
        if isinstance(mistake, SyntaxMistake) or not unread & set(lines_of(mistake)):
            kept.setdefault((mistake.span.source.name, mistake.span.start, mistake.span.stop, mistake.message), mistake)
    return tuple(kept.values())


def lines_of(mistake: Mistake) -> list[tuple[str, int]]:
    """The lines of the texts that a mistake spans."""
    source, span = mistake.span.source, mistake.span
    return [(source.name, line) for line in range(span.line, source.line_at(max(span.start, span.stop - 1)) + 1)]


class ModelError(Exception):
    """What is wrong with a text: all its mistakes at once. `str()` is the report with carets."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = settled(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        return render(self.mistakes)


class UsageError(ValueError):
    """What is wrong with a call: names the argument, says what was expected."""


class NoSuchName(UsageError, KeyError):
    """A name that is asked for and that there is not: also a KeyError, so that `in` and `.get` of a mapping work."""

    __str__ = Exception.__str__  # KeyError's would put the message in quotes


class RunError(RuntimeError):
    """Trouble while running. `result` holds what there was up to then (None where nothing was)."""

    def __init__(self, message: str, result: object = None) -> None:
        self.result = result
        super().__init__(message)
