"""Published Brian2 strings parse unchanged, print and parse back; edge cases get the verdict of syntax that they should."""

from __future__ import annotations

import pytest

from dvdt.grammar import nodes
from dvdt.grammar.parse import parse, parse_block, parse_expression
from dvdt.grammar.printer import print_expression, print_module, print_statement
from dvdt.grammar.source import Source

from .corpus import needs_corpus, rows

NEURONS = rows("brian2_neurons.jsonl")
SYNAPSES = rows("brian2_synapses.jsonl")
EDGES = rows("edge_cases.jsonl")

# rows that must fail for their syntax alone; everything else that Brian2 rejects is a matter of meaning, or is allowed here
BAD_SYNTAX = {
    "backslash continuation",
    "prime notation",
    "second order",
    "threshold assignment",
    "reset if statement",
    "implicit multiplication",
    "string literal",
    "complex",
    "unbalanced parenthesis",
    "two colons",
    "equals equals",
}


def count_equations(text: str) -> int:
    """The number of equations, found without the parser: a colon that is no comment's ends exactly one."""
    return sum(line.split("#")[0].count(":") for line in text.split("\n"))


@needs_corpus
@pytest.mark.parametrize("row", [row for row in NEURONS if row["brian2_parses"]], ids=lambda row: str(row["id"]))
def test_neuron_parses_and_round_trips(row):
    source = Source(row["equations"])
    parsed = parse(source)
    assert parsed.mistakes == ()
    (model,) = parsed.module.models
    assert len(model.statements) == count_equations(row["equations"])
    assert parse(Source(print_module(parsed.module))).module == parsed.module
    for text in filter(None, (row["threshold"], row["refractory"])):
        expression, mistakes = parse_expression(Source(text))
        assert mistakes == ()
        assert expression is not None
        assert parse_expression(Source(print_expression(expression)))[0] == expression
    block, mistakes = parse_block(Source(row["reset"] or ""))
    assert mistakes == ()
    assert parse_block(Source("\n".join(print_statement(line) for line in block)))[0] == block


@needs_corpus
@pytest.mark.parametrize("row", [row for row in NEURONS if not row["brian2_parses"]], ids=lambda row: str(row["id"]))
def test_what_brian2_cannot_read_is_a_mistake(row):
    parsed = parse(Source(row["equations"]))
    assert [mistake.span.line for mistake in parsed.mistakes] == [1]
    # the other lines are read all the same
    assert len(parsed.module.models[0].statements) == count_equations(row["equations"]) - 1


@needs_corpus
@pytest.mark.parametrize("row", SYNAPSES, ids=lambda row: str(row.get("id")))
def test_synapse_equations_parse(row):
    if row["equations"]:
        parsed = parse(Source(row["equations"]))
        assert parsed.mistakes == ()
        assert len(parsed.module.models[0].statements) == count_equations(row["equations"])


@needs_corpus
@pytest.mark.parametrize("row", EDGES, ids=lambda row: str(row["name"]))
def test_edge_case(row):
    mistakes = [*parse(Source(row["equations"])).mistakes]
    if row["threshold"]:
        mistakes += parse_expression(Source(row["threshold"]))[1]
    if row["reset"]:
        mistakes += parse_block(Source(row["reset"]))[1]
    if row["refractory"]:
        mistakes += parse_expression(Source(row["refractory"]))[1]
    assert bool(mistakes) == (row["name"] in BAD_SYNTAX)
    if row["brian2"] == "accepted":
        assert not mistakes


@needs_corpus
def test_names_that_clash_with_sympy_are_names():
    texts = [row["equations"] for row in NEURONS if row["id"] in ("N_0160_1dc2c4", "N_0169_1dfbfe")]
    found = {statement.name.id for text in texts for statement in parse(Source(text)).module.models[0].statements}
    assert {"I", "C", "h", "Q_2"} <= found
    assert all(isinstance(s, nodes.Statement) for text in texts for s in parse(Source(text)).module.models[0].statements)
