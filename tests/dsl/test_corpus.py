"""Texts that real users published, and the cases on which Brian2's verdict is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dvdt.dsl.analyse import analyse
from dvdt.dsl.errors import render
from dvdt.dsl.keywords import CallableOf, with_keywords
from dvdt.grammar.parse import parse, parse_expression
from dvdt.grammar.source import Source

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of published texts is not beside this checkout")

# what dvdt takes and Brian2 does not: units inferred or scaled, names that Brian2 keeps to itself, `^`, quantities without `*`,
# conditions in arithmetic, parameters written as `a = 3 (constant)`
ACCEPTED_BEYOND_BRIAN2 = {
    "no unit",
    "scaled unit as dimension",
    "unit meter2",
    "scaled left side",
    "name with leading underscore",
    "name e",
    "name pi",
    "name exp",
    "name mV",
    "name cm",
    "name in",
    "constant on subexpression",
    "comparison times number",
    "caret power",
    "unit literal without *",
    "refractory True",
}
# refused by Brian2 when it runs: by dvdt when a scheme is chosen or a population is made
REFUSED_LATER = {"linked unset", "noise exponential_euler", "exact on nonlinear", "exponential_euler on v**2"}


def rows(name):
    path = CORPUS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def given(row):
    """The namespace as parameters: what is no expression of the language (arrays, attributes) is left out."""
    found = {}
    for name, text in (row["namespace"] or {}).items():
        text = text.replace("b2.", "").replace("np.", "")
        if text.startswith("TimedArray"):
            found[name] = CallableOf("1", 2 if f"{name}(t," in row["equations"] else 1)
        elif not parse_expression(Source(text))[1]:
            found[name] = text
    return found


def checked(row, method=None):
    parsed = parse(Source(row["equations"]))
    mistakes = parsed.mistakes
    if not parsed.module.models:
        return None, mistakes
    keywords = {key: row[key] for key in ("threshold", "reset", "refractory")}
    declaration, wrong = with_keywords(parsed.module.models[0], method=method, parameters=given(row), **keywords)
    model, found = analyse(declaration, keyword_form=True, unread=parsed.unread)
    mistakes = (*mistakes, *wrong, *found)
    return (None if mistakes else model), mistakes


@pytest.mark.parametrize("row", [row for row in rows("brian2_neurons") if row["runs"]], ids=lambda row: row["id"])
def test_every_published_text_that_runs_is_checked_without_a_mistake(row):
    model, mistakes = checked(row)
    assert model is not None, render(mistakes)
    assert {state.name for state in model.states} >= set(row["final_state_SI"]) - {
        p.name for p in model.parameters + model.derived
    }


@pytest.mark.parametrize("row", [row for row in rows("brian2_neurons") if not row["runs"]], ids=lambda row: row["id"])
def test_the_other_texts_miss_nothing_but_what_their_namespace_misses(row):
    """Their namespaces are incomplete (arrays of the script, functions): names and the units of such arrays are all that may be wrong."""
    if not row["brian2_parses"]:
        pytest.skip("Brian2 does not read it either")
    kinds = {type(mistake).__name__ for mistake in checked(row)[1]}
    missing = {"UnknownName", "UnknownFunction", "UnitForName"}
    arrays = {"UnitsDiffer", "WrongUnit", "FunctionWithoutArguments"} if "TimedArray" in str(row["namespace"]) else set()
    assert kinds <= missing | arrays or row["equations"] == "dv/dt = 1-v : 1"


@pytest.mark.parametrize("row", rows("edge_cases"), ids=lambda row: row["name"])
def test_the_verdict_on_each_edge_case(row):
    method = row["method"] if row["name"] == "unknown method" else None
    model, mistakes = checked(row, method)
    accepted = row["brian2"] == "accepted" or row["name"] in ACCEPTED_BEYOND_BRIAN2 | REFUSED_LATER
    assert (model is not None) == accepted, render(mistakes)
