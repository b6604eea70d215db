"""Every scheme has the order that its table row says, measured on coupled systems against SciPy at tight tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import dvdt
from dvdt.dsl.schemes import SCHEMES

OSCILLATOR = """
dv/dt = (v - v^3/3 - w + I) / tau
dw/dt = (v + 0.7 - 0.8*w) / tau_w
tau = 1 ms; tau_w = 12.5 ms; I = 0.5
v(0) = 0.2; w(0) = -0.3
"""
DRIVEN = """
dx/dt = (-x + sin(2*pi*f*t)*y) / tau
dy/dt = -y*(1 + x^2) / tau
tau = 2 ms; f = 100 Hz
x(0) = 1; y(0) = 0.5
"""


def oscillator(t: float, s: np.ndarray) -> list[float]:
    v, w = s
    return [v - v**3 / 3 - w + 0.5, (v + 0.7 - 0.8 * w) / 12.5]


def driven(t: float, s: np.ndarray) -> list[float]:
    x, y = s
    return [(-x + np.sin(2 * np.pi * 0.1 * t) * y) / 2, -y * (1 + x**2) / 2]


def final(text: str, method: str, dt: float, duration: float, names: tuple[str, ...]) -> np.ndarray:
    result = dvdt.simulate(text, f"{duration} ms", dt=f"{dt!r} ms", method=method, backend="reference")
    return np.array([result.final_state[name][0] for name in names])


@pytest.mark.parametrize("method", [name for name, scheme in SCHEMES.items() if scheme.order is not None])
@pytest.mark.parametrize(
    ("text", "slope", "start", "names"),
    [(OSCILLATOR, oscillator, (0.2, -0.3), ("v", "w")), (DRIVEN, driven, (1.0, 0.5), ("x", "y"))],
    ids=["oscillator", "driven"],
)
def test_order_of_convergence(method: str, text: str, slope: object, start: tuple[float, ...], names: tuple[str, ...]) -> None:
    duration = 8.0
    exact = solve_ivp(slope, (0, duration), start, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    steps = (0.1, 0.05, 0.025) if SCHEMES[method].order == 1 else (0.2, 0.1, 0.05)
    errors = [np.max(np.abs(final(text, method, dt, duration, names) - exact)) for dt in steps]
    observed = np.log2(errors[-2] / errors[-1])
    assert observed == pytest.approx(SCHEMES[method].order, abs=0.15)


def test_the_whole_system_advances_together() -> None:
    """Staging each variable alone makes RK2 first order; the oscillator's coupling shows it."""
    exact = solve_ivp(oscillator, (0, 8.0), (0.2, -0.3), method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    assert np.max(np.abs(final(OSCILLATOR, "rk2", 0.05, 8.0, ("v", "w")) - exact)) < 1e-4


LINEAR = """
dv/dt = (-v + R*(i_1 + i_2)) / tau_m
di_1/dt = -i_1 / tau_1
di_2/dt = (-i_2 + k*v) / tau_2
tau_m = {tau_m}; tau_1 = {tau_1}; tau_2 = {tau_2}; R = 10 Mohm; k = {k}
v(0) = 3 mV; i_1(0) = 200 pA; i_2(0) = -50 pA
"""


@pytest.mark.parametrize(
    ("tau_m", "tau_1", "tau_2", "k"),
    [
        (10.0, 5.0, 3.0, 0.0),
        (10.0, 10.0, 10.0, 0.0),  # equal time constants: a symbolic exponential divides by tau_m - tau_1
        (10.0, 5.0, 3.0, -500.0),  # complex eigenvalues
        (10.0, np.inf, 3.0, 20.0),  # a time constant that is infinite
        (1e-3, 5.0, 3.0, 20.0),  # stiff
    ],
)
def test_exact_is_exact_on_the_grid(tau_m: float, tau_1: float, tau_2: float, k: float) -> None:
    texts = {
        "tau_m": f"{tau_m} ms",
        "tau_1": "inf * 1 ms" if np.isinf(tau_1) else f"{tau_1} ms",
        "tau_2": f"{tau_2} ms",
        "k": f"{k} pA/mV",
    }
    got = final(LINEAR.format(**texts), "exact", 0.5, 20.0, ("v", "i_1", "i_2"))
    resistance = 10e-3  # mV/pA
    matrix = np.array([[-1 / tau_m, resistance / tau_m, resistance / tau_m], [0, -1 / tau_1, 0], [k / tau_2, 0, -1 / tau_2]])
    np.testing.assert_allclose(got, expm(matrix * 20.0) @ [3.0, 200.0, -50.0], rtol=1e-11, atol=1e-12)


def test_exact_holds_what_is_refractory() -> None:
    """While v is held the current goes on decaying, and v resumes from where it was held."""
    text = """
    dv/dt = (-v + R*c) / tau : mV (unless refractory)
    dc/dt = -c / tau_c
    tau = 10 ms; tau_c = 4 ms; R = 100 Mohm
    v(0) = 14 mV; c(0) = 400 pA
    spike when v > 15 mV: v = 0 mV
    refractory 3 ms
    """
    result = dvdt.simulate(text, "8 ms", dt="0.1 ms", record=["v", "c"], method="exact", backend="reference")
    np.testing.assert_allclose(result["c", 0], 400 * np.exp(-result.t * 1e3 / 4), rtol=1e-12)
    first = round(result.spikes.t[0] * 1e4)
    assert np.all(result["v", 0][first : first + 31] == 0)
    assert result["v", 0][first + 31] > 0


def test_a_factor_of_zero_and_a_conductance_of_zero() -> None:
    text = "dv/dt = -g*(v - E)/C + k; g = 0 nS; E = -70 mV; C = 100 pF; k = 2 mV/ms; v(0) = -60 mV"
    for method in ("exact", "exponential_euler"):
        assert final(text, method, 0.1, 5.0, ("v",))[0] == pytest.approx(-50.0, abs=1e-10)


def test_auto_is_decided_by_structure() -> None:
    chosen = {
        "dx/dt = -x/tau; tau = 1 ms; x(0) = 1": "exact",
        "dx/dt = -x*y/tau; dy/dt = (x - y)/tau; tau = 1 ms; x(0) = 1": "exponential_euler",
        "dx/dt = -x^2/tau; tau = 1 ms; x(0) = 1": "rk2",
    }
    for text, scheme in chosen.items():
        assert dvdt.Model(text).explain().scheme == scheme


@pytest.mark.parametrize("function", ["floor(x)", "sign(x - 2)", "(x > 2)", "int(x)", "min(x, 2)", "(x if x < 2 else 2)"])
def test_what_is_linear_in_pieces_is_not_linear(function: str) -> None:
    """Its derivative vanishes or is constant almost everywhere, and that makes no propagator."""
    with pytest.raises(dvdt.UsageError, match="not linear"):
        dvdt.Model(f"dx/dt = ({function} - x)/(5 ms) : 1").explain(method="exact")


def test_a_refusal_names_the_equation_the_term_and_who_can() -> None:
    with pytest.raises(dvdt.UsageError, match=r"exact cannot integrate .*dv/dt is not linear: the term .*v\^3.*euler"):
        dvdt.simulate(OSCILLATOR, "1 ms", method="exact")
    with pytest.raises(dvdt.UsageError, match="did you mean 'rk4'"):
        dvdt.simulate(OSCILLATOR, "1 ms", method="rk44")


def test_sequential_euler_is_the_published_script() -> None:
    """u sees the v of the same step, also where that has shot above its peak (Izhikevich 2004)."""
    text = """
    time in ms
    dv/dt = 0.04*v^2 + 5*v + 140 - u + 10
    du/dt = 0.02*(0.2*v - u)
    v(0) = -70; u(0) = -14
    spike when v >= 30: v = -65; u += 8
    method euler_sequential(v, u)
    """
    v, u, spikes = -70.0, -14.0, []
    for step in range(1, 801):
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + 10)
        u += 0.5 * 0.02 * (0.2 * v - u)
        if v >= 30:
            spikes.append(step)
            v, u = -65.0, u + 8
    result = dvdt.simulate(text, "400 ms", dt="0.5 ms")
    np.testing.assert_array_equal(np.round(result.spikes.t * 2e3), spikes)
    assert result.final_state["u"][0] == pytest.approx(u, rel=1e-9)
