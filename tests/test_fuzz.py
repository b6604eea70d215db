"""Texts that are nearly models become a model or a ModelError, in bounded time; the same outcomes as `python -m benchmarks.fuzz` counts."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

import dvdt
from dvdt.dsl.declaration import declaration_of
from dvdt.dsl.model import SHELF
from dvdt.dsl.reading import read_all
from dvdt.grammar.printer import print_model
from dvdt.grammar.source import Source

ROOT = Path(__file__).parents[1]
GROUPS = 20
TEXTS = 2000


def _mutator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutated_texts", ROOT / "benchmarks" / "mutated_texts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MUTATOR = _mutator()
ORIGINALS = [dvdt.model(row.name).text for row in dvdt.models()]


def read(text: str) -> dict[str, object] | None:
    """The models of a text, or None where it has mistakes, which can be printed."""
    found, problem = None, None
    try:
        found = dict(read_all(Source(text, "fuzz"), SHELF.declaration))
    except dvdt.ModelError as error:
        problem = error
    if problem is not None:
        assert problem.mistakes
        assert str(problem).strip()
        assert all(len(line) < 2000 for line in str(problem).splitlines())
    return found


@pytest.mark.parametrize("group", range(GROUPS))
def test_mutated_texts(group: int) -> None:
    for number in range(group, TEXTS, GROUPS):
        for name, model in (read(MUTATOR.mutated(number, ORIGINALS)) or {}).items():
            again = read(print_model(declaration_of(model)))  # type: ignore[arg-type]
            assert again is not None, number
            assert again.get(name) == model or len(again) > 1, number


@pytest.mark.parametrize("name", MUTATOR.monsters())
def test_monsters(name: str) -> None:
    """Made to take exponential time; the bound is for a machine that does much else."""
    began = time.process_time()
    read(MUTATOR.monsters()[name])
    assert time.process_time() - began < 10


def test_quantities_that_double_are_refused_before_they_are_written_out() -> None:
    with pytest.raises(dvdt.ModelError, match=r"more than 20000 terms"):
        dvdt.Model(MUTATOR.monsters()["states that double"])


def test_a_docstring_that_begins_below_its_quotes_prints_as_the_same_one() -> None:
    text = 'model a:\n    """\n     The first line stands one further in.\n\n    The others here.\n    """\n    x = 1\n'
    (model,) = (read(text) or {}).values()
    assert read(print_model(declaration_of(model))) == {"a": model}  # type: ignore[arg-type]


def test_an_initial_value_of_what_is_read_as_a_derivative() -> None:
    assert read("dV(0) = 0 ms^-1\ndV = (q - V)/tau_m") is None
