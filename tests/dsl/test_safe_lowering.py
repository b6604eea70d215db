"""Numerical traps that other simulators fall into, each with the right answer from somewhere else."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dvdt

RATES = {
    # name, text with v in mV, singular voltage, mpmath
    "alpha_m 1952": (
        "0.1/mV/ms*(25 mV - v)/(exp((25 mV - v)/(10 mV)) - 1)",
        25,
        lambda v: 0.1 * (25 - v) / mpmath.expm1((25 - v) / 10),
    ),
    "alpha_n 1952": (
        "0.01/mV/ms*(10 mV - v)/(exp((10 mV - v)/(10 mV)) - 1)",
        10,
        lambda v: 0.01 * (10 - v) / mpmath.expm1((10 - v) / 10),
    ),
    "1 - exp below": (
        "0.1/mV/ms*(v + 40 mV)/(1 - exp(-(v + 40 mV)/(10 mV)))",
        -40,
        lambda v: -0.1 * (v + 40) / mpmath.expm1(-(v + 40) / 10),
    ),
    "plain numbers": (
        "(3.5 + 0.1*v/mV)/(1 - exp(-3.5 - 0.1*v/mV))/ms",
        -35,
        lambda v: -(v + 35) / 10 / mpmath.expm1(-(v + 35) / 10),
    ),
    "expm1": ("0.28/mV/ms*(v - 5 mV)/expm1((v - 5 mV)/(5 mV))", 5, lambda v: 0.28 * (v - 5) / mpmath.expm1((v - 5) / 5)),
    "with parameters": ("a*(v - V_T)/(exp((v - V_T)/k) - 1)", -63, lambda v: 0.3 * (v + 63) / mpmath.expm1((v + 63) / 4)),
}


@pytest.mark.parametrize("rate", list(RATES), ids=list(RATES))
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_rates_at_and_around_their_singular_voltage(rate: str, precision: str, backend: str) -> None:
    text, singular, exact = RATES[rate]
    distances = np.concatenate([[0.0], 10.0 ** np.arange(-9, 0), -(10.0 ** np.arange(-9, 0))])
    voltages = (singular + distances).astype(precision)
    model = f"dv/dt = 0 mV/ms : mV; r = {text} : 1/ms; V_T = -63 mV; k = 4 mV; a = 0.3/mV/ms"
    result = dvdt.simulate(
        model,
        "0.1 ms",
        n=len(voltages),
        state={"v": voltages},
        record=["r"],
        precision=precision,
        backend=backend,
        method="euler",
    )
    with mpmath.workdps(60):
        near = [mpmath.mpf(float(v)) + (mpmath.mpf("1e-30") if v == singular else 0) for v in voltages]
        expected = [float(exact(v)) for v in near]
    np.testing.assert_allclose(result["r"][0], expected, rtol=1e-13 if precision == "float64" else 3e-6)


def test_a_gate_that_starts_on_the_singular_voltage_stays_finite() -> None:
    result = dvdt.simulate("hodgkin_huxley", "1 ms", dt="0.01 ms", n=2, state={"v": [25.0, 10.0]}, record=["m", "n"])
    assert np.all(np.isfinite(result["m"]))
    assert np.all(np.isfinite(result["n"]))


def test_a_gate_that_starts_at_rest_on_its_singular_voltage() -> None:
    """m(0) = alpha/(alpha + beta) is 0/0 there, too."""
    text = "dv/dt = 0 mV/ms : mV; dm/dt = a*(1 - m) - m/ms; a = 0.1/mV/ms*(25 mV - v)/(exp((25 mV - v)/(10 mV)) - 1); m(0) = a/(a + 1/ms)"
    result = dvdt.simulate(text, "1 ms", state={"v": 25.0}, record=["m"])
    np.testing.assert_allclose(result["m"], 0.5, rtol=1e-12)


ADEX = """
dv/dt = (g_L*(E_L - v) + g_L*D*exp((v - V_T)/D) - w + I) / C
dw/dt = (a*(v - E_L) - w) / tau_w
C = 281 pF; g_L = 30 nS; E_L = -70.6 mV; V_T = -50.4 mV; D = 2 mV; tau_w = 144 ms; a = 4 nS; b = 80.5 pA; V_p = 0 mV; I = 800 pA
v(0) = E_L
spike when v > V_p: v = E_L; w += b
"""


def adex_by_scipy(duration: float) -> int:
    """Spikes of the same neuron, integrated between its events at tight tolerance."""
    spikes, time, state = 0, 0.0, [-70.6, 0.0]

    def slope(t: float, s: np.ndarray) -> list[float]:
        v, w = s
        return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + 800) / 281, (4 * (v + 70.6) - w) / 144]

    def peak(t: float, s: np.ndarray) -> float:
        return float(s[0])

    peak.terminal, peak.direction = True, 1  # type: ignore[attr-defined]
    while time < duration:
        run = solve_ivp(slope, (time, duration), state, events=peak, rtol=1e-10, atol=1e-10)
        time = run.t[-1]
        if not run.t_events[0].size:
            break
        spikes += 1
        state = [-70.6, run.y[1, -1] + 80.5]
    return spikes


@pytest.mark.parametrize("method", ["euler", "rk2", "heun", "rk4", "exponential_euler", "exponential_rk2"])
def test_adex_with_a_low_peak_does_not_fall_silent(method: str) -> None:
    """Without the bound one step of rk4 drives w to 8e9 pA, and the neuron fires once."""
    result = dvdt.simulate(ADEX, "300 ms", dt="0.1 ms", method=method)
    assert len(result.spikes.t) == adex_by_scipy(300.0)
    assert np.abs(result.final_state["w"][0]) < 2000


def test_the_bound_leaves_a_model_without_reset_alone() -> None:
    """A bound at the spike level of Hodgkin-Huxley would lift its peak from about 105 mV to 1350 mV."""
    result = dvdt.simulate("hodgkin_huxley", "20 ms", dt="0.01 ms", parameters={"I": "15 uA/cm^2"}, record=["v"])
    assert 90 < result["v"].max() < 115


def test_brian2_conventions_switch_the_bound_off() -> None:
    result = dvdt.simulate(ADEX, "300 ms", dt="0.1 ms", method="rk4", conventions="brian2")
    assert len(result.spikes.t) == 1


def test_constants_are_doubles() -> None:
    """A tower of powers neither hangs nor becomes an exact integer; 0.1 stays the double that it is."""
    with pytest.raises((dvdt.ModelError, dvdt.RunError)):
        dvdt.simulate("dx/dt = 9^9^9^9/ms; x(0) = 0", "1 ms")
    result = dvdt.simulate("dx/dt = 0/ms; y = 0.1 + 0.2; x(0) = y", "0.1 ms")
    assert result.final_state["x"][0] == 0.1 + 0.2


def test_time_is_counted_in_float64_also_in_float32() -> None:
    """sin(2 pi 10 Hz t) after 1000 s: a float32 clock would be off by 3e-5 s, a phase of 0.002."""
    text = "dx/dt = 0/ms; s = sin(2*pi*10 Hz*t + 0.7)"
    simulation = dvdt.Simulation(text, dt="1 s", precision="float32", record=["s"], method="euler")
    simulation.run("1000 s")
    np.testing.assert_allclose(simulation.result()["s"][:, 0], np.sin(0.7), atol=1e-6)
