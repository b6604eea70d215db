"""Stamps and rows of the three conventions."""

import numpy as np
import pytest

import dvdt
from dvdt.dsl.run.conventions import CONVENTIONS

CLOCK = """
    x(0) = 0
    each step: x = x + 1
    spike when x == 3
"""


def run(conventions, record, duration="1 ms"):
    return dvdt.simulate(CLOCK, duration, dt="0.1 ms", record=record, conventions=conventions, backend="reference")


@pytest.mark.parametrize(
    ("conventions", "first", "last"),
    [("dvdt", 0, 10), ("brian2", 0, 9), ("nest", 1, 10)],
)
def test_rows_of_every_step(conventions, first, last):
    result = run(conventions, ["x"])
    assert result["x"][:, 0].tolist() == list(range(first, last + 1))  # x counts the steps, so row t_k holds k
    assert np.allclose(result.t, np.arange(first, last + 1) * 1e-4, rtol=0, atol=1e-18)


@pytest.mark.parametrize(("conventions", "expected"), [("dvdt", [0, 3, 6, 9]), ("brian2", [0, 3, 6, 9]), ("nest", [3, 6, 9])])
def test_rows_at_an_interval(conventions, expected):
    assert run(conventions, {"x": dvdt.record(every="0.3 ms")})["x"][:, 0].tolist() == expected


@pytest.mark.parametrize(("conventions", "expected"), [("dvdt", [0, 5, 10]), ("brian2", [0, 5]), ("nest", [5, 10])])
def test_an_interval_that_ends_with_the_run(conventions, expected):
    assert run(conventions, {"x": dvdt.record(every="0.5 ms")})["x"][:, 0].tolist() == expected


@pytest.mark.parametrize(("conventions", "stamp"), [("dvdt", 3e-4), ("brian2", 2e-4), ("nest", 3e-4)])
def test_stamp(conventions, stamp):
    # the third step, from t_2 to t_3, takes x from 2 to 3
    assert run(conventions, []).spikes.t.tolist() == pytest.approx([stamp], abs=1e-15)


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_rows_of_a_split_run_are_those_of_the_whole(name, every):
    """Counted one by one, from the definition of the rows."""
    convention = CONVENTIONS[name]
    for first, last in [(0, 20), (0, 7), (7, 8), (8, 20), (20, 20)]:
        low, high = {"dvdt": (first, last), "brian2": (first, last - 1), "nest": (first + 1, last)}[name]
        due = [k for k in range(low, high + 1) if k % every == 0]
        assert convention.rows(first, last, every) == len(due)
        if due:
            assert convention.first_due(first, every) == due[0]
