"""The report of mistakes: the line, carets under what is wrong, notes beside the carets, and help."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span

TAB = 4
MOST_COLUMNS = 140
MOST_REPORTS = 50
MOST_LINES = 4  # of a place that runs over several lines; of a longer one the first and the last are shown

MOST_QUOTED = 120
QUOTED = re.compile(rf"`([^`]{{{MOST_QUOTED + 1},}})`")
Mark = tuple[int, int, str]  # columns from and to on the screen, and a note


def render(mistakes: Sequence[Mistake]) -> str:
    """All mistakes as one report, by place, each once."""
    once: dict[tuple[str, int, str], Mistake] = {}
    for mistake in mistakes:
        once.setdefault((mistake.span.source.name, mistake.span.start, mistake.message), mistake)
    # mistakes of one source stay together, sources in the order in which they were first met
    sources = {name: place for place, name in reversed(list(enumerate(m.span.source.name for m in mistakes)))}
    ordered = sorted(once.values(), key=lambda m: (sources[m.span.source.name], m.span.start, m.span.stop))
    reports = [report(mistake) for mistake in ordered[:MOST_REPORTS]]
    if len(ordered) > MOST_REPORTS:
        reports.append(f"... and {len(ordered) - MOST_REPORTS} more mistakes")
    return "\n\n".join(reports)


def report(mistake: Mistake) -> str:
    """One mistake."""
    lines = [f"{mistake.severity}[{mistake.code}]: {sayable(mistake.message)}"]
    labels = (Label(mistake.span, mistake.note), *mistake.labels)
    for source in dict.fromkeys(label.span.source.name for label in labels):
        mine = [label for label in labels if label.span.source.name == source]
        lines += excerpt(mine)
    if mistake.help is not None:
        lines.append(f"  help: {sayable(mistake.help)}")
    return "\n".join(lines)


def sayable(text: str) -> str:
    """A sentence with what it quotes cut to a readable length, and without what a terminal would obey."""
    return QUOTED.sub(lambda quoted: f"`{quoted[1][:MOST_QUOTED]}...`", on_screen(text.replace("\n", " ")))


def excerpt(labels: Sequence[Label]) -> Iterator[str]:
    """The lines of one source that the labels point at."""
    source = labels[0].span.source
    yield f"  --> {source.name}, line {labels[0].span.line}"
    marks: dict[int, list[Mark]] = {}
    for label in labels:
        for number, mark in marked(label):
            marks.setdefault(number, []).append(mark)
    before = None
    for number in sorted(marks):
        if before is not None and number > before + 1:
            yield "     ..."
        text, found = window(on_screen(source.line(number)), marks[number])
        yield f"{number:>4} | {text}".rstrip()
        yield from carets(found)
        before = number


def window(text: str, marks: Sequence[Mark]) -> tuple[str, list[Mark]]:
    """A line that is too long to read, cut to what stands round its first caret."""
    if len(text) <= MOST_COLUMNS:
        return text, list(marks)
    start = max(0, min(begin for begin, _, _ in marks) - MOST_COLUMNS // 2)
    shift = start - 3 if start else 0
    shown = ("..." if start else "") + text[start : start + MOST_COLUMNS] + ("..." if start + MOST_COLUMNS < len(text) else "")
    last = len(shown) - 1
    return shown, [(min(begin - shift, last), min(end - shift, last + 1), note) for begin, end, note in marks]


def marked(label: Label) -> list[tuple[int, Mark]]:
    """The lines that a label marks, with the columns on the screen; the note stands at the last."""
    source, span = label.span.source, trimmed(label.span)
    first, last = source.line_at(span.start), source.line_at(max(span.start, span.stop - 1))
    numbers = range(first, last + 1) if last - first < MOST_LINES else (first, last)
    found = []
    for number in numbers:
        text = source.line(number)
        begin = source.column_at(span.start) - 1 if number == first else len(text) - len(text.lstrip())
        end = source.column_at(span.stop - 1) if number == last and span.stop > span.start else len(text)
        if begin < end or number == first:
            note = label.note if number == last else ""
            found.append((number, columns(text, begin, max(end, begin + 1), note)))
    return found


def trimmed(span: Span) -> Span:
    """The span without blanks at its ends."""
    text = span.text
    bare = text.strip()
    if not bare:
        return Span(span.source, span.start, span.start)
    start = span.start + len(text) - len(text.lstrip())
    return Span(span.source, start, start + len(bare))


def columns(text: str, begin: int, end: int, note: str) -> Mark:
    left = width(on_screen(text[:begin]))
    return left, max(width(on_screen(text[:end])), left + 1), note


def on_screen(text: str) -> str:
    """A line with its tabs as blanks, and without what a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    column = 0
    for letter in text:
        if letter == "\t":
            shown.append(" " * (TAB - column % TAB))
        else:
            shown.append(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}")
        column += width(shown[-1])
    return "".join(shown)


def width(text: str) -> int:
    """How many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def carets(marks: Sequence[Mark]) -> Iterator[str]:
    """The row of carets with the note of the last one, then the other notes, each under its caret."""
    ordered = sorted(set(marks))
    row = [" "] * max(end for _, end, _ in ordered)
    for begin, end, _ in ordered:
        row[begin:end] = "^" * (end - begin)
    *others, (_, _, last) = sorted(ordered, key=lambda mark: (mark[1], mark[0]))
    yield f"     | {''.join(row)} {last}".rstrip()
    for begin, _, note in reversed(others):
        if note:
            yield f"     | {' ' * begin}{note}"
