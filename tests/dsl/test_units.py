"""Units and dimensions, against arithmetic with powers of ten done by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from dvdt.dsl.dimensions import Constraint, dimension_of, known, solve, times, to_power, unknown
from dvdt.dsl.units import (
    CAPACITANCE,
    CONDUCTANCE,
    CURRENT,
    NAMED,
    ONE,
    TIME,
    VOLTAGE,
    Unit,
    coherent,
    describe,
    from_computing,
    to_computing,
    unit_of,
    usual_unit,
)
from dvdt.grammar.parse import parse_unit
from dvdt.grammar.source import Source
from dvdt.grammar.unit_table import UNITS


def unit(text):
    node, mistakes = parse_unit(Source(text))
    assert not mistakes
    found = unit_of(node)
    assert isinstance(found, Unit)
    return found


@pytest.mark.parametrize("text", ["mV", "ms", "pA", "nS", "pF", "Gohm", "mM", "1", "mV/ms", "1/ms", "um", "pA/mV"])
def test_the_units_of_a_neuron_have_scale_one(text):
    assert unit(text).computing_decade == 0


@pytest.mark.parametrize(
    ("text", "coherent_text"),
    [("V", "pA*Gohm"), ("S", "A/V"), ("F", "A*s/V"), ("ohm", "V/A"), ("C", "A*s"), ("W", "V*A"), ("J", "W*s"), ("Hz", "1/s")],
)
def test_coherent_units_agree_with_their_definitions(text, coherent_text):
    one, other = unit(text), unit(coherent_text)
    assert one.dimension == other.dimension
    assert other.decade - one.decade == (-3 if text == "V" else 0)


@pytest.mark.parametrize(
    ("value", "text", "decade"),
    [
        (0.0805, "nA", 3),
        (281.0, "pF", 0),
        (1.5, "nA/mV^2", 3),
        (0.02, "uF/cm^2", -2),
        (36.0, "mS/cm^2", -2),
        (0.1, "Mohm", -3),
        (7, "fV", -12),
    ],
)
def test_a_value_is_rounded_once(value, text, decade):
    """The number of the computing system is the float nearest to the exact decimal result of one multiplication or division."""
    exact = Decimal(value) * Decimal(10) ** decade
    assert to_computing(float(value), unit(text)) == float(exact)


def test_there_and_back_is_near_the_same_for_every_unit():
    for symbol in UNITS:
        one = unit(symbol)
        assert from_computing(to_computing(3.7, one), one) == pytest.approx(3.7, rel=4e-16)


def test_arrays_are_converted_element_by_element():
    values = np.array([0.1, -70.0, 0.0])
    assert to_computing(values, unit("nA")).tolist() == [to_computing(v, unit("nA")) for v in values.tolist()]


def test_the_usual_unit_of_a_dimension_is_of_that_dimension():
    odd = [
        VOLTAGE**2 / TIME,
        CURRENT * coherent(m=-1),
        coherent(mol=1, m=-3, s=-2),
        VOLTAGE / TIME ** Fraction(1, 2),
        CONDUCTANCE / VOLTAGE,
    ]
    for dimension in (*NAMED, *odd):
        usual = usual_unit(dimension)
        assert unit(usual.text).dimension == dimension
        assert unit(usual.text).decade == usual.decade


def test_dimensions_are_called_what_people_call_them():
    assert describe(VOLTAGE) == "a voltage [V]"
    assert describe(CURRENT) == "a current [A]"
    assert describe(CAPACITANCE) == "a capacitance [F]"
    assert describe(ONE) == "a number without unit"
    assert describe(VOLTAGE**2 / TIME) == "a quantity [V^2/s]"


# ---- linear forms ------------------------------------------------------------------------------


def equal(left, right, rank=0):
    return Constraint(left, right, rank, (), lambda a, b: (a, b))


def test_three_equations_in_three_unknowns_are_solved_together():
    """g*v = i, c*v = i*t, v known, i known: conductance and capacitance follow."""
    g, c, v, i = unknown("g"), unknown("c"), unknown("v"), unknown("i")
    constraints = [
        equal(times(g, v), i),
        equal(times(c, v), times(i, known(TIME))),
        equal(v, known(VOLTAGE)),
        equal(i, known(CURRENT)),
    ]
    solution, failed = solve(constraints)
    assert not failed
    assert solution.dimension(g) == CONDUCTANCE
    assert solution.dimension(c) == CAPACITANCE


def test_roots_of_units_are_rational():
    x = unknown("x")
    solution, _ = solve([equal(to_power(x, 2), known(TIME))])
    assert solution.dimension(x) == TIME ** Fraction(1, 2)


def test_a_contradiction_is_one_mistake_and_tells_both_sides():
    x = unknown("x")
    solution, failed = solve([equal(x, known(VOLTAGE)), equal(x, known(CURRENT), rank=1), equal(x, known(VOLTAGE), rank=2)])
    assert [(solution.dimension(c.left), solution.dimension(c.right)) for c in failed] == [(VOLTAGE, CURRENT)]


def test_what_nothing_settles_stays_open():
    solution, _ = solve([equal(unknown("x"), unknown("y"))])
    assert solution.dimension(unknown("x")) is None
    assert dimension_of(solution.reduce(times(unknown("x"), unknown("y"), -1))) == ONE
