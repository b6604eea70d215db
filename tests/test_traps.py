"""The traps of existing simulators, trap by trap, each against a number from somewhere else.

Where a trap has a test of its own beside the code that avoids it, it is not repeated here: rates at their singular voltage, equal time
constants, complex eigenvalues, AdEx with a low peak and the clock of float32 kernels in tests/dsl/test_safe_lowering.py and test_schemes.py;
shortest intervals, stamps and the order inside a step in tests/dsl/test_conventions.py; noise in tests/dsl/test_noise.py and
test_noise_statistics.py.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import dvdt

# ---- at the threshold ---------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "first"), [(">=", 4), (">", 5)])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_equality_at_the_threshold_is_as_written(sign: str, first: int, backend: str) -> None:
    """v rises by 1/4 a step, which is exact in binary: after 4 steps it is 1."""
    text = f"time in ms\ndv/dt = 1\nv(0) = 0\nspike when v {sign} 1: v = 0"
    result = dvdt.simulate(text, "2 ms", dt="0.25 ms", method="euler", backend=backend)
    assert result.spikes.t[0] == pytest.approx(first * 0.25e-3)


def test_a_row_at_a_spike_is_after_the_reset_and_at_the_stamp() -> None:
    text = "time in ms\ndv/dt = 1\nv(0) = 0\nspike when v >= 1: v = -5"
    result = dvdt.simulate(text, "2 ms", dt="0.25 ms", method="euler", record=["v"], backend="reference")
    row = round(result.spikes.t[0] / 0.25e-3)
    np.testing.assert_array_equal(result["v", 0][row - 1 : row + 2], [0.75, -5.0, -4.75])


# ---- refractory periods -------------------------------------------------------------------------

LIF = """
dv/dt = (1.2 - v)/tau : 1
tau = 10 ms; t_ref = 2 ms
v(0) = 0
spike when v > 1: v = 0
refractory t_ref holding v
method exact
"""


@pytest.mark.parametrize(("t_ref", "dt"), [(2, 0.1), (5, 0.1), (1, 0.1), (0.3, 0.1), (2, 0.025)])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_all_intervals_of_a_long_run_are_one(t_ref: float, dt: float, precision: str) -> None:
    """A timer that is compared in floating point gives 20 and 21 steps in one run, by how late it is."""
    text = f"time in ms\ndv/dt = 0\nv(0) = 2\nspike when v > 1\nrefractory {t_ref}"
    result = dvdt.simulate(text, "20 s", dt=f"{dt} ms", method="euler", precision=precision)
    steps = np.diff(np.round(result.spikes.t * 1e3 / dt))
    assert set(steps) == {round(t_ref / dt) + 1}


@pytest.mark.parametrize(
    ("conventions", "errors"),
    # mean rate against 1/(t_ref + tau ln 6), in percent, at dt 1, 0.5 and 0.1 ms: what only the handling of events does
    [("dvdt", (-0.41, -0.41, -0.41)), ("nest", (-0.41, -0.41, -0.41)), ("brian2", (4.82, 2.14, 0.09))],
)
def test_the_rate_of_a_neuron_on_the_grid(conventions: str, errors: tuple[float, ...]) -> None:
    exact = 1 / (2 + 10 * math.log(6))
    for dt, error in zip((1, 0.5, 0.1), errors, strict=True):
        spikes = dvdt.simulate(LIF, "2 s", dt=f"{dt} ms", conventions=conventions).spikes.t * 1e3
        rate = (len(spikes) - 1) / (spikes[-1] - spikes[0])
        assert 100 * (rate / exact - 1) == pytest.approx(error, abs=0.02)


def test_a_refractory_period_is_a_time_and_no_number_of_steps() -> None:
    """From one spike to the next there are t_ref and tau ln 6, up to the grid: at no dt is it off by more than two steps."""
    for dt in (0.01, 0.05, 0.2, 0.4):
        spikes = dvdt.simulate(LIF, "100 ms", dt=f"{dt} ms").spikes.t * 1e3
        assert np.diff(spikes) == pytest.approx(2 + 10 * math.log(6), abs=2 * dt)


def test_what_is_not_held_goes_on_in_the_refractory_period() -> None:
    text = """
    dv/dt = (2 - v)/(5 ms) : 1 (unless refractory)
    dw/dt = -w/(3 ms) : 1
    v(0) = 0.99; w(0) = 1
    spike when v > 1: v = 0
    refractory 2 ms
    """
    result = dvdt.simulate(text, "4 ms", dt="0.1 ms", record=["v", "w"], method="exact", backend="reference")
    np.testing.assert_allclose(result["w", 0], np.exp(-result.t * 1e3 / 3), rtol=1e-12)
    assert np.all(result["v", 0][1:22] == 0)


# ---- resets -------------------------------------------------------------------------------------


def test_statements_of_a_reset_run_in_order_and_old_is_before_all_of_them() -> None:
    text = """
    time in ms
    dv/dt = 1; dw/dt = 0; du/dt = 0; dx/dt = 0
    v(0) = 0; w(0) = 10; u(0) = 0; x(0) = 0
    spike when v >= 1:
        v = 0.25
        w += 2
        u = v + w
        x = old(v) + old(w)
    """
    state = dvdt.simulate(text, "1 ms", dt="0.25 ms", method="euler", backend="reference").final_state
    assert [state[name][0] for name in "vwux"] == [0.25, 12, 12.25, 11]


def test_conditions_of_all_events_are_tested_before_any_reset() -> None:
    text = """
    time in ms
    dv/dt = 1; v(0) = 0
    spike when v >= 1: v = 0
    on high when v >= 1
    """
    result = dvdt.simulate(text, "1 ms", dt="0.25 ms", method="euler", backend="reference")
    np.testing.assert_array_equal(result.events["high"].t, result.spikes.t)
    assert len(result.spikes.t) == 1


def test_subtraction_keeps_what_stood_above_the_threshold() -> None:
    """A drive of 0.3 a step, reset by subtraction: after 100 steps 30 = spikes + what is left."""
    text = "time in ms\ndv/dt = 0.3\nv(0) = 0\nspike when v >= 1: v -= 1"
    result = dvdt.simulate(text, "100 ms", dt="1 ms", method="euler", backend="reference")
    assert len(result.spikes.t) + result.final_state["v"][0] == pytest.approx(30, abs=1e-12)


# ---- schemes ------------------------------------------------------------------------------------

SQUARE = "time in ms\ndx/dt = -x^2 + y; dy/dt = -x\nx(0) = 1; y(0) = 0.5"


def square(s: np.ndarray) -> np.ndarray:
    return np.array([-(s[0] ** 2) + s[1], -s[0]])


def test_one_step_of_each_scheme_is_that_of_its_name() -> None:
    """Midpoint and Heun are two schemes, and none of them runs as Euler without a word; x and y move together."""
    h, s = 0.5, np.array([1.0, 0.5])
    k1 = square(s)
    k2 = square(s + h / 2 * k1)
    k3 = square(s + h / 2 * k2)
    k4 = square(s + h * k3)
    expected = {
        "euler": s + h * k1,
        "rk2": s + h * k2,
        "midpoint": s + h * k2,
        "heun": s + h / 2 * (k1 + square(s + h * k1)),
        "rk4": s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4),
    }
    for method, after in expected.items():
        result = dvdt.simulate(SQUARE, "0.5 ms", dt="0.5 ms", method=method, backend="reference")
        np.testing.assert_allclose([result.final_state[name][0] for name in "xy"], after, rtol=1e-14)
        assert result.report.scheme == ("rk2" if method == "midpoint" else method)


@pytest.mark.parametrize("model", ["lif", "adex", "izhikevich"])
def test_no_scheme_runs_as_another(model: str) -> None:
    drive = {"lif": "10 nA", "adex": "500 pA", "izhikevich": 5.0}[model]
    ends = {
        method: dvdt.simulate(model, "2 ms", dt="0.5 ms", method=method, parameters={"I": drive}, backend="reference")
        for method in ("euler", "rk2", "rk4", "exponential_euler", "exponential_rk2", "backward_euler")
    }
    values = {method: result.final_state["v"][0] for method, result in ends.items()}
    kept = 5 if model == "lif" else 6  # both exponential schemes are exact for a linear equation
    assert len(set(np.round(list(values.values()), 10))) == kept
    assert all(result.report.scheme == method for method, result in ends.items())


def test_a_decay_is_an_exponential_where_it_is_asked_for_and_only_there() -> None:
    for method, factor in (("euler", 1 - 0.5 / 2), ("exact", math.exp(-0.5 / 2)), ("exponential_euler", math.exp(-0.5 / 2))):
        result = dvdt.simulate("dv/dt = -v/tau; tau = 2 ms; v(0) = 1", "0.5 ms", dt="0.5 ms", method=method, backend="reference")
        assert result.final_state["v"][0] == pytest.approx(factor, rel=1e-15)


def test_a_constant_input_does_not_count_by_the_step() -> None:
    for dt in ("0.1 ms", "1 ms", "5 ms"):
        result = dvdt.simulate(
            "dv/dt = (R*I - v)/tau; tau = 10 ms; R = 10 Mohm; I = 1 nA; v(0) = 0 mV", "20 ms", dt=dt, backend="reference"
        )
        assert result.final_state["v"][0] == pytest.approx(10 * (1 - math.exp(-2)), rel=1e-13)


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "exponential_rk2", "backward_euler"])
def test_trivial_equations_are_taken(method: str) -> None:
    """Nothing on the right, a constant, a state of another equation: none of them divides by a rate of 0."""
    text = "dx/dt = 0/ms; dy/dt = 3/ms; dz/dt = x/ms; x(0) = 2; y(0) = 0; z(0) = 0"
    state = dvdt.simulate(text, "1 ms", dt="0.1 ms", method=method, backend="reference").final_state
    assert [state[name][0] for name in "xyz"] == pytest.approx([2, 3, 2], rel=1e-14)


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "exponential_rk2"])
def test_a_small_rate_does_not_cancel_in_single_precision(method: str) -> None:
    """(x + b/a) e^(a dt) - b/a with a = -1e-7 loses the whole increment in float32."""
    text = "time in ms\ndx/dt = -a*x + 0.5\na = 1e-7\nx(0) = 0"
    result = dvdt.simulate(text, "0.1 ms", dt="0.1 ms", method=method, precision="float32")
    assert result.final_state["x"][0] == pytest.approx(0.05, rel=3e-7)


def test_a_number_of_a_text_is_that_double_and_in_single_precision_that_float() -> None:
    """Printed with eight digits a float32 is another one."""
    values = [16777217.0, 0.1, 1.00000012, 8.1234567e-5]
    names = [f"y{place}" for place in range(len(values))]
    text = "; ".join(["dx/dt = 0/ms; x(0) = 0", *(f"{name} = x + {value!r}" for name, value in zip(names, values, strict=True))])
    for precision, backend in (("float64", "reference"), ("float32", "cpu")):
        result = dvdt.simulate(text, "0.1 ms", record=names, precision=precision, backend=backend)
        assert [result[name][0, 0] for name in names] == [np.dtype(precision).type(value) for value in values]


def test_spikes_are_in_order_of_time_and_then_of_the_neuron() -> None:
    text = "time in ms\ndv/dt = 1 + i % 7\nv(0) = 0\nspike when v > 3: v = 0"
    spikes = dvdt.simulate(text, "50 ms", dt="0.5 ms", n=3000, method="euler", threads=2).spikes
    order = np.lexsort((spikes.i, spikes.t))
    np.testing.assert_array_equal(order, np.arange(len(order)))
    assert len(np.unique(np.column_stack([spikes.t, spikes.i]), axis=0)) == len(order)


def test_a_spike_that_stays_above_the_threshold_is_one_with_crosses_and_many_without() -> None:
    """Hodgkin and Huxley's neuron stands above 50 mV for several steps of each spike."""
    parameters = {"I": "10 uA/cm^2"}
    once = dvdt.simulate("hh", "50 ms", dt="0.05 ms", parameters=parameters, record=["v"], backend="reference")
    above = once["v", 0] > 50
    rises = np.count_nonzero(above[1:] & ~above[:-1])
    assert len(once.spikes.t) == rises > 1
    level = dvdt.model("hh").extend("spike when v > V_spike", name="hh_level")
    assert len(
        dvdt.simulate(level, "50 ms", dt="0.05 ms", parameters=parameters, backend="reference").spikes.t
    ) == np.count_nonzero(above)
