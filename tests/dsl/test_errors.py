"""The reports of mistakes: a golden pair for every kind, and how the renderer lays them out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from dvdt.dsl.errors import ModelError, catalogue, render
from dvdt.grammar import syntax_mistakes
from dvdt.grammar.mistakes import Label, Mistake
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source, Span

PAIRS = sorted((Path(__file__).parents[1] / "errors").glob("*.dvdt"))


def reports():
    spec = importlib.util.spec_from_file_location("reports", Path(__file__).with_name("reports.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REPORTS = reports()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda path: path.stem)
def test_the_report_is_the_golden_one(pair):
    found = REPORTS.mistakes_in(pair.read_text("utf-8"))
    assert REPORTS.report_of(found) == pair.with_suffix(".txt").read_text("utf-8")


def test_every_kind_of_mistake_has_a_golden_pair():
    seen = {type(mistake) for pair in PAIRS for mistake in REPORTS.mistakes_in(pair.read_text("utf-8"))}
    syntax = {item for item in vars(syntax_mistakes).values() if isinstance(item, type) and issubclass(item, Mistake)}
    kinds = {kind for kind in (syntax | set(catalogue())) if not kind.__subclasses__()}
    # texts of half a million characters, or with hundreds of mistakes, are no golden files; they have the tests below
    assert kinds - seen == {syntax_mistakes.TextTooLong, syntax_mistakes.TooManyMistakes}


def test_a_text_that_is_too_long_is_refused_in_one_short_report():
    mistakes = parse(Source("x" * 500_001)).mistakes
    assert [type(mistake) for mistake in mistakes] == [syntax_mistakes.TextTooLong]
    assert all(len(line) < 200 for line in render(mistakes).splitlines())


def test_reading_stops_after_hundreds_of_mistakes_and_the_report_is_short():
    text = "tau = 20 ms\n" + "a b c\n" * 1000 + "dv/dt = -v/tau : nonsense\nx = y"
    mistakes = REPORTS.mistakes_in(text)
    assert isinstance(mistakes[-1], syntax_mistakes.TooManyMistakes)
    assert len(mistakes) == mistakes[-1].limit + 1
    assert render(mistakes).count("error[") == 50
    assert render(mistakes).endswith("... and 51 more mistakes")


def test_a_name_of_any_length_is_quoted_short():
    assert all(len(line) < 600 for line in render(REPORTS.mistakes_in("x = 3 + " + "a" * 50_000)).splitlines())


@pytest.mark.parametrize("pair", PAIRS, ids=lambda path: path.stem)
def test_every_mistake_says_where_and_what_to_do(pair):
    """A span inside its text, one sentence without a full stop, and a note or a help."""
    for mistake in REPORTS.mistakes_in(pair.read_text("utf-8")):
        assert 0 <= mistake.span.start <= mistake.span.stop <= len(mistake.span.source.text)
        assert mistake.message
        assert not mistake.message.endswith(".")
        assert mistake.help or mistake.note or isinstance(mistake, syntax_mistakes.SynapseText)


class Plain(Mistake):
    """A mistake made by hand."""

    def __init__(self, span, note="", labels=(), message="wrong"):
        object.__setattr__(self, "span", span)
        object.__setattr__(self, "given", (note, tuple(labels), message))

    note = property(lambda self: self.given[0])
    labels = property(lambda self: self.given[1])
    message = property(lambda self: self.given[2])


def place(text, word, name="m"):
    source = Source(text, name)
    start = text.index(word)
    return Span(source, start, start + len(word))


def test_notes_of_one_line_stand_under_their_carets_last_first():
    source = Source("a + bb - ccc")
    labels = [Label(Span(source, 0, 1), "first"), Label(Span(source, 4, 6), "second")]
    assert render([Plain(Span(source, 9, 12), "third", labels)]).splitlines()[2:] == [
        "   1 | a + bb - ccc",
        "     | ^   ^^   ^^^ third",
        "     |     second",
        "     | first",
    ]


def test_tabs_and_wide_letters_keep_carets_in_place():
    """Columns are those of a terminal: a tab goes to the next multiple of four, a wide letter takes two, a combining one none."""
    for text in ("\tx = y", "膜x = y", "e\u0301x = y"):
        _, _, line, carets = render([Plain(place(text, "y"))]).splitlines()
        wide = line.replace("膜", "膜 ").replace("\u0301", "")
        assert carets.index("^") == wide.index("y")


def test_a_place_over_several_lines_marks_each_of_them():
    lines = render([Plain(place("x = (a +\n     b)\n", "(a +\n     b)"), "this")]).splitlines()
    assert lines[2:] == ["   1 | x = (a +", "     |     ^^^^", "   2 |      b)", "     |      ^^ this"]


def test_a_place_at_the_end_of_the_text_has_a_caret():
    source = Source("x =")
    assert render([Plain(Span(source, 3, 3))]).splitlines()[-1] == "     |    ^"


def test_mistakes_are_sorted_within_their_source_and_said_once():
    text = "a\nb\n"
    first, second = Plain(place(text, "a"), message="one"), Plain(place(text, "b"), message="two")
    other = Plain(place("c", "c", "threshold"), message="three")
    report = render([second, first, other, second])
    assert [line for line in report.splitlines() if line.startswith("error")] == [
        "error[mistake]: one",
        "error[mistake]: two",
        "error[mistake]: three",
    ]
    assert "--> threshold, line 1" in report


def test_what_a_terminal_would_obey_is_not_passed_on():
    assert "\x1b" not in render([Plain(place("x = \x1b[31m", "x"))])


def test_an_error_shows_the_report_and_keeps_the_mistakes():
    error = ModelError(parse(Source("v' = 3")).mistakes)
    assert str(error) == render(error.mistakes)
    assert error.mistakes[0].span.line == 1


def test_meaning_is_not_judged_where_syntax_failed():
    text = "dv/dt = -(v/tau + 3 : volt\ntau = 20 ms\nw = tau + 3"
    codes = [mistake.code for mistake in REPORTS.mistakes_in(text)]
    assert codes == ["bracket", "units"]
