"""Source and Span: where a thing stands in the text that a person wrote."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """One text, exactly as it was given, and the name it goes by in messages ("adex", a path, "threshold")."""

    text: str
    name: str = "model"

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(place + 1 for place, letter in enumerate(self.text) if letter == "\n"))

    def line_at(self, offset: int) -> int:
        """The number of the line, from 1, that holds the character at `offset`."""
        return bisect_right(self._starts, min(max(offset, 0), len(self.text)))

    def column_at(self, offset: int) -> int:
        """The column, from 1, of the character at `offset`."""
        return min(max(offset, 0), len(self.text)) - self._starts[self.line_at(offset) - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        start = self._starts[number - 1]
        stop = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:stop].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """The characters `start` to `stop` (not included) of a source."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        return self.source.line_at(self.start)

    @property
    def column(self) -> int:
        return self.source.column_at(self.start)

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`, which stands in the same source."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))


def whole(source: Source) -> Span:
    """All of a text."""
    return Span(source, 0, len(source.text))
