"""Quantity objects of other packages, by what they can do."""

from fractions import Fraction

import numpy as np
import pytest

import dvdt
from dvdt.dsl.errors import ModelError, UsageError
from dvdt.dsl.expressions import quantity
from dvdt.dsl.run.duration import time_in_ms
from dvdt.dsl.run.quantities import physical, simply_written
from dvdt.dsl.units import CURRENT, VOLTAGE


class Brian2Dimension:
    def __init__(self, **powers):
        self.powers = powers

    def get_dimension(self, base):
        return self.powers.get(base, 0.0)


class Brian2Quantity(np.ndarray):
    """As Brian2's: an array in base SI units that carries its dimension."""


def brian2(values, **powers):
    made = np.asarray(values, float).view(Brian2Quantity)
    made.dim = Brian2Dimension(**powers)
    return made


def test_brian2_arrays_are_not_taken_for_bare_numbers():
    found = physical(brian2([-0.07, -0.05], m=2, kg=1, s=-3, A=-1))
    assert found.dimension == VOLTAGE
    assert found.values == pytest.approx([-70.0, -50.0])  # mV are the computing system's voltage


def test_brian2_time():
    assert time_in_ms(brian2(0.25, s=1), "duration") == pytest.approx(250.0)


def test_pint():
    pint = pytest.importorskip("pint")
    ureg = pint.UnitRegistry()
    assert time_in_ms(2 * ureg.second, "duration") == pytest.approx(2000.0)
    found = physical([1.0, 2.0] * ureg.nanoampere)
    assert found.dimension == CURRENT
    assert found.values == pytest.approx([1000.0, 2000.0])
    assert physical(ureg.Quantity(1.0, "mV**0.5")).dimension == VOLTAGE ** Fraction(1, 2)


def test_astropy():
    u = pytest.importorskip("astropy.units")
    assert time_in_ms(2 * u.s, "duration") == pytest.approx(2000.0)
    found = physical([1.0, 2.0] * u.nA)
    assert found.dimension == CURRENT
    assert found.values == pytest.approx([1000.0, 2000.0])
    assert physical(3 * u.mV).values == pytest.approx(3.0)


def test_quantities():
    pq = pytest.importorskip("quantities")
    assert time_in_ms(2 * pq.s, "duration") == pytest.approx(2000.0)
    found = physical(np.array([1.0, 2.0]) * pq.nA)
    assert found.dimension == CURRENT
    assert found.values == pytest.approx([1000.0, 2000.0])
    assert physical(3 * pq.mV).values == pytest.approx(3.0)


@pytest.mark.parametrize("value", [1.0, [1.0], np.zeros(3), "1 mV", None, object()])
def test_everything_else_is_none(value):
    assert physical(value) is None


@pytest.mark.parametrize(
    "value", [5, 5.0, None, "5", "5 mV", "nan s", "inf s", "soon", [1, 2], brian2([1.0, 2.0], s=1), brian2(1.0, m=1)]
)
def test_no_time(value):
    with pytest.raises(UsageError, match="duration"):
        time_in_ms(value, "duration")


@pytest.mark.parametrize("number", ["1", "-2.5", "+.1", "7.", "1e3", "3.7E-5", " 0 "])
@pytest.mark.parametrize(
    "symbol",
    ["s", "ms", "mV", "volt", "pA", "Mohm", "µF", "uF", "nS", "Hz", "mM", "degC", "e", "quux", "", "µ", "boolean"],
)
def test_simple_texts_are_read_as_the_grammar_reads_them(number, symbol):
    text = f"{number} {symbol}"
    try:
        expected = quantity(text, "x")
    except ModelError:
        expected = None
    found = simply_written(text)
    assert found is None or found == expected
    if symbol in ("s", "mV", "pA", "Mohm"):
        assert found is not None
        assert simply_written(text.replace(" ", "")) == expected


@pytest.mark.parametrize("text", ["1 mV/ms", "1*mV", "1 mV + 1 mV", "1 s s", "--1 s", "1e400 s", "٣ ms", "1_0 s", "nan s", "s"])
def test_other_texts_are_left_to_the_grammar(text):
    assert simply_written(text) is None


class TimedArray:
    """As Brian2's: values in base SI units, their interval in seconds and their dimension; called in expressions."""

    def __init__(self, values: object, dt: float, **powers: int) -> None:
        self.values, self.dt, self.dim = np.asarray(values, float), dt, Brian2Dimension(**powers)

    def __call__(self, t: float) -> float:
        raise NotImplementedError


@pytest.mark.parametrize("called", [True, False])
def test_a_timed_array_of_brian2_drives(called: bool) -> None:
    """v' = I/C with 1 nA for 2 ms and 3 nA from there on, C = 1 nF: 1 mV a ms, then 3 mV a ms."""
    current = TimedArray([1e-9, 3e-9], 2e-3, A=1)
    if called:
        model = dvdt.Model("dv/dt = I(t)/(1*nF) : volt", parameters={"I": current})
        result = dvdt.simulate(model, "5 ms", backend="reference", record=["v"])
    else:
        text = "dv/dt = I/(1 nF) : mV; I = 0 pA"
        result = dvdt.simulate(text, "5 ms", parameters={"I": current}, backend="reference", record=["v"])
    np.testing.assert_allclose(result.final_state.si("v"), [11e-3], rtol=1e-12)


def test_two_columns_of_a_timed_array_are_two_neurons() -> None:
    table = TimedArray([[1e-9, 2e-9], [3e-9, 4e-9]], 2e-3, A=1)
    model = dvdt.Model("dv/dt = I(t, i)/(1*nF) : volt", parameters={"I": table})
    result = dvdt.simulate(model, "5 ms", n=2, backend="reference")
    np.testing.assert_allclose(result.final_state.si("v"), [11e-3, 16e-3], rtol=1e-12)


def test_brian2_says_false_where_there_is_no_refractory_period() -> None:
    assert "refractory" not in str(dvdt.Model("dv/dt = -v/(10*ms) : 1", threshold="v > 1", refractory=False))
