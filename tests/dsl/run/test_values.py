"""What a person may give for a parameter or a state, and what is refused."""

import numpy as np
import pytest
from scipy import stats

import dvdt

LIF = """
    dv/dt = (E_L - v + R*I) / tau : mV
    tau = 20 ms
    E_L = -70 mV
    R = 100 Mohm
    I = 0 nA
    k = 3
    on_off = True
    label : integer
    v(0) = E_L
    spike when v > -50 mV: v = E_L
    wide = tau * 2
"""


def start(n=1, **kwargs):
    """The parameters and states before the first step."""
    return dvdt.Simulation(LIF, n=n, backend="reference", seed=3, **kwargs)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("500 pA", 0.5),
        ("0.5 nA", 0.5),
        ("0.5*nA", 0.5),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (np.array(0.5), 0.5),
        ("1 nA / 2", 0.5),
    ],
)
def test_one_value_comes_back_in_the_unit_of_the_model(value, expected):
    assert start(parameters={"I": value}).parameters["I"] == pytest.approx(expected, rel=1e-15)


def test_array_in_the_unit_of_the_model():
    given = np.array([0.1, 0.2, 0.3])
    assert start(3, parameters={"I": given}).parameters["I"] == pytest.approx(given, rel=1e-15)


def test_a_parameter_that_follows_another_is_one_a_neuron_where_that_is():
    simulation = start(2, parameters={"tau": [10.0, 20.0]})
    assert simulation.parameters["wide"] == pytest.approx([20.0, 40.0])
    simulation.parameters["wide"] = "5 ms"
    assert simulation.parameters["wide"] == 5.0


def test_expressions_of_parameters_the_index_and_draws():
    simulation = start(1000, parameters={"E_L": "-60 mV - 0.001 mV*i"}, state={"v": "E_L + 10 mV*rand()"})
    assert simulation.parameters["E_L"] == pytest.approx(-60 - 0.001 * np.arange(1000))
    offset = (simulation.state["v"] - simulation.parameters["E_L"]) / 10
    assert stats.kstest(offset, "uniform").pvalue > 1e-4


def test_distributions_are_what_they_say():
    simulation = start(20000, parameters={"E_L": dvdt.normal("-70 mV", "2 mV")}, state={"v": dvdt.uniform("-70 mV", "-55 mV")})
    assert stats.kstest(simulation.parameters["E_L"], "norm", (-70, 2)).pvalue > 1e-4
    assert stats.kstest(simulation.state["v"], "uniform", (-70, 15)).pvalue > 1e-4
    assert abs(np.corrcoef(simulation.parameters["E_L"], simulation.state["v"])[0, 1]) < 0.04


def test_draws_hang_on_seed_name_and_neuron_alone():
    both = {"E_L": dvdt.normal("-70 mV", "2 mV"), "R": dvdt.uniform("90 Mohm", "110 Mohm")}
    one = start(100, parameters=both)
    turned = start(50, parameters=dict(reversed(both.items())))
    assert np.array_equal(one.parameters["E_L"][:50], turned.parameters["E_L"])
    assert np.array_equal(one.parameters["R"][:50], turned.parameters["R"])
    other = dvdt.Simulation(LIF, n=100, backend="reference", seed=4, parameters=both)
    assert not np.array_equal(one.parameters["E_L"], other.parameters["E_L"])


def test_two_expressions_draw_different_numbers():
    simulation = start(1000, parameters={"E_L": "-70 mV + randn()*mV"}, state={"v": "-70 mV + randn()*mV"})
    assert abs(np.corrcoef(simulation.parameters["E_L"], simulation.state["v"])[0, 1]) < 0.15


def test_an_infinite_time_constant_is_a_value():
    result = dvdt.simulate(
        LIF, "1 ms", parameters={"tau": np.inf}, state={"v": "-60 mV"}, backend="reference", method="exponential_euler"
    )
    assert result.final_state["v"] == pytest.approx([-60.0])


WRONG = {
    "unit": ({"I": "3 mV"}, {}, "I"),
    "unit of a state": ({}, {"v": "3 nA"}, "v"),
    "number without a unit": ({"I": "3"}, {}, "I"),
    "unknown parameter": ({"taau": "3 ms"}, {}, "'tau'"),
    "unknown state": ({}, {"vv": 1.0}, "'vv'"),
    "state as parameter": ({"v": -60.0}, {}, "state="),
    "parameter as state": ({}, {"tau": 10.0}, "parameters="),
    "shape": ({"I": [1.0, 2.0]}, {}, "(2,)"),
    "shape of a state": ({}, {"v": np.zeros((3, 1))}, "(3, 1)"),
    "nan": ({"I": float("nan")}, {}, "nan"),
    "nan in an array": ({"I": [0.0, 1.0, float("nan")]}, {}, "at 2"),
    "infinite state": ({}, {"v": np.inf}, "inf"),
    "fraction for a whole number": ({"label": 2.5}, {}, "2.5"),
    "two for a truth value": ({"on_off": 2}, {}, "truth"),
    "distribution for a whole number": ({"label": dvdt.normal(1, 1)}, {}, "whole number"),
    "nonsense": ({"I": object()}, {}, "I"),
    "list of texts": ({"I": ["1 nA", "2 nA", "3 nA"]}, {}, "I"),
    "ragged": ({"I": [[1.0], [1.0, 2.0]]}, {}, "I"),
    "complex": ({"I": 1j}, {}, "I"),
    "truth values for a current": ({"I": [True, False, True]}, {}, "nA"),
    "a name that is not there": ({"I": "1 nA*gain"}, {}, "a value here may use"),
    "none": ({"I": None}, {}, "I"),
    "a Python function": ({"I": lambda t: t}, {}, "dvdt.function"),
    "itself": ({"tau": "wide"}, {}, "itself"),
    "syntax": ({"I": "3 nA +"}, {}, "I"),
    "an attempt to run code": ({"I": "__import__('os').system('true')"}, {}, "I"),
    "negative deviation": ({"I": dvdt.normal("1 nA", "-1 nA")}, {}, "negative"),
    "distribution in the wrong unit": ({"I": dvdt.normal("1 nA", "1 mV")}, {}, "std"),
    "empty range": ({"I": dvdt.uniform("2 nA", "1 nA")}, {}, "below"),
    "driven state": ({}, {"v": dvdt.step("0 mV", "1 mV")}, "initial value"),
    "driven whole number": ({"label": dvdt.step(0, 1)}, {}, "whole number"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_refused(case):
    parameters, state, words = WRONG[case]
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.Population(LIF, 3, parameters=parameters, state=state)
    assert words in str(caught.value)


def test_a_bare_number_needs_a_unit_that_is_written():
    text = "dw/dt = -w/tau\ntau = 10 ms\nw(0) = 2*w_0\nw_0 = 3 nA\nu = w_0/2\nspike when w > 1 nA: w = u"
    with pytest.raises(dvdt.UsageError, match="no unit"):
        dvdt.Population(text, parameters={"u": 1.0})
    assert dvdt.Simulation(text, parameters={"u": "1 nA", "w_0": 2}, backend="reference").parameters["w_0"] == 2.0


def test_required_and_unset():
    text = "dv/dt = (a + b - v)/(10 ms)\na : 1 (required)\nb : 1"
    with pytest.raises(dvdt.UsageError, match="a"):
        dvdt.Population(text)
    with pytest.warns(UserWarning, match="no value is set for b"):
        dvdt.Simulation(text, parameters={"a": 1.0}, backend="reference")


def test_flags_are_kept():
    text = "dv/dt = (a + b - v)/(10 ms)\na : 1 (shared)\nb : 1 (constant)"
    with pytest.raises(dvdt.UsageError, match="shared"):
        dvdt.Population(text, 2, parameters={"a": [1.0, 2.0]})
    with pytest.raises(dvdt.UsageError, match="constant"):
        dvdt.Population(text, 2, parameters={"b": dvdt.step(0, 1)})


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", True])
def test_size(n):
    with pytest.raises(dvdt.UsageError, match="n:"):
        dvdt.Population(LIF, n)


def test_a_population_has_its_values_already():
    with pytest.raises(dvdt.UsageError, match="Population already"):
        dvdt.simulate(dvdt.Population(LIF), "1 ms", n=3)


SHARED = "dv/dt = (x - v)/(10 ms) : mV\nx = 2*a (shared)\na = 1 mV\nb = a/2 (shared)"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"a": np.ones(3)}, "x is flagged .* follows a, which has one value a neuron"),
        ({"a": dvdt.normal("1 mV", "1 mV")}, "x is flagged .* follows a"),
        ({"a": dvdt.TimedSeries(np.ones((2, 3)), "1 ms")}, "x is flagged .* follows a"),
        ({"b": "2 mV*i"}, "b is flagged .* follows the index of the neuron"),
        ({"b": dvdt.TimedSeries(np.ones((2, 3)), "1 ms", unit="mV")}, "b.* is flagged"),
    ],
)
def test_what_is_shared_follows_nothing_that_differs_between_neurons(given, read):
    with pytest.raises(dvdt.UsageError, match=read):
        dvdt.Population(SHARED, 3, parameters=given)


def test_what_is_shared_follows_what_is_one_for_all():
    for given in ({}, {"a": "3 mV"}, {"a": dvdt.TimedSeries([1.0, 2.0], "1 ms", unit="mV")}, {"b": "2*a"}):
        assert dvdt.Population(SHARED, 3, parameters=given).binding.shapes["b"] in ("scalar", "function")
