"""Stiff models: where explicit schemes are lost, exponential and implicit ones hold; and what an implicit step does, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import root

import dvdt

# Hodgkin and Huxley's axon with a synapse that opens within 0.05 ms and then outweighs all of its channels
SYNAPSE = """
ds/dt = (exp(-((t - 3 ms)/(0.5 ms))^2) - s) / tau_s
I = g_s*s*(E_s - v) : uA/cm^2
tau_s = 0.05 ms; g_s = 60 mS/cm^2; E_s = 60 mV
s(0) = 0
"""


def axon() -> dvdt.Model:
    return dvdt.model("hodgkin_huxley").extend(SYNAPSE, name="axon")


def axon_by_scipy(times: np.ndarray) -> np.ndarray:
    def slope(t: float, y: np.ndarray) -> list[float]:
        v, m, n, h, s = y
        a, b, c = (25 - v) / 10, (10 - v) / 10, (30 - v) / 10
        alpha_m, alpha_n = (u / np.expm1(u) if abs(u) > 1e-9 else 1.0 for u in (a, b))
        return [
            120 * m**3 * h * (115 - v) + 36 * n**4 * (-12 - v) + 0.3 * (10.613 - v) + 60 * s * (60 - v),
            alpha_m * (1 - m) - 4 * np.exp(-v / 18) * m,
            0.1 * alpha_n * (1 - n) - 0.125 * np.exp(-v / 80) * n,
            0.07 * np.exp(-v / 20) * (1 - h) - h / (np.exp(c) + 1),
            (np.exp(-(((t - 3) / 0.5) ** 2)) - s) / 0.05,
        ]

    start = [0, 0.0529, 0.3177, 0.5961, 0]
    run = solve_ivp(slope, (0, times[-1]), start, method="Radau", t_eval=times, rtol=1e-10, atol=1e-12, max_step=0.1)
    return run.y[0]


def axon_error(method: str, dt: float) -> float:
    """The largest deviation of v, in mV, over 10 ms."""
    result = dvdt.simulate(axon(), "10 ms", dt=f"{dt!r} ms", method=method, record={"v": dvdt.record(every="0.1 ms")})
    return float(np.max(np.abs(result["v", 0] - axon_by_scipy(result.t * 1e3))))


@pytest.mark.parametrize("method", ["euler", "rk2", "heun", "rk4"])
def test_explicit_schemes_lose_the_fast_synapse(method: str) -> None:
    try:
        error = axon_error(method, 0.1)
    except dvdt.RunError:  # not finite
        error = np.inf
    assert error > 100


@pytest.mark.parametrize(
    ("method", "order", "largest"), [("exponential_euler", 1, 40), ("backward_euler", 1, 40), ("exponential_rk2", 2, 20)]
)
def test_exponential_and_implicit_schemes_hold_it(method: str, order: int, largest: float) -> None:
    errors = [axon_error(method, dt) for dt in (0.1, 0.025, 0.0125)]
    assert errors[0] < largest
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.25)


# ---- the implicit step, against the equations solved by somebody else ----------------------------


def implicit(slope: object, start: list[float], dt: float, steps: int) -> np.ndarray:
    """x1 = x + dt f(t1, x1) by SciPy, from the old value on; one row a step."""
    rows, x = [], np.array(start, float)
    for step in range(1, steps + 1):
        x = root(lambda y, x=x, t=step * dt: y - x - dt * np.asarray(slope(t, y)), x, tol=1e-13).x  # type: ignore[operator]
        rows.append(x)
    return np.array(rows)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_three_equations_whose_first_pivots_are_zero(backend: str) -> None:
    """1 - dt df/dx is 0 for x at the start, and for y once x is eliminated: rows have to change places."""
    text = """
    dx/dt = (x + sin(x) * 0 + x^3 - y - z^3) / ms
    dy/dt = (x + y + y^3 - z + z^2) / ms
    dz/dt = (x^2 + y - z^3) / ms
    x(0) = 0; y(0) = 0; z(0) = 0.1
    """

    def slope(t: float, s: np.ndarray) -> list[float]:
        x, y, z = s
        return [x + x**3 - y - z**3, x + y + y**3 - z + z**2, x**2 + y - z**3]

    result = dvdt.simulate(text, "3 ms", dt="1 ms", method="backward_euler", record=["x", "y", "z"], backend=backend)
    got = np.column_stack([result[name, 0] for name in "xyz"])[1:]
    np.testing.assert_allclose(got, implicit(slope, [0, 0, 0.1], 1.0, 3), rtol=1e-9, atol=1e-9)


def test_time_and_inputs_are_those_of_the_end_of_the_step() -> None:
    text = "dx/dt = cos(t/ms)/ms - x^3/ms; x(0) = 0.5"
    result = dvdt.simulate(text, "2 ms", dt="0.1 ms", method="backward_euler", record=["x"])
    expected = implicit(lambda t, x: [np.cos(t) - x[0] ** 3], [0.5], 0.1, 20)[:, 0]
    np.testing.assert_allclose(result["x", 0][1:], expected, rtol=1e-9)


def test_linear_equations_are_solved_without_iterations() -> None:
    """Coupled both ways, with a time constant of each neuron's own; nothing is there that could fail."""
    text = "dx/dt = (y - x)/tau; dy/dt = (-x - y)/(2 ms) + I; I = 0.3/ms; tau = 1 ms; x(0) = 1; y(0) = 0.5"
    tau = np.array([0.01, 1.0, 30.0])
    simulation = dvdt.Simulation(text, dt="0.5 ms", method="backward_euler", n=3, parameters={"tau": tau})
    simulation.run("5 ms")
    for neuron, own in enumerate(tau):
        expected = implicit(lambda t, s, own=own: [(s[1] - s[0]) / own, (-s[0] - s[1]) / 2 + 0.3], [1, 0.5], 0.5, 10)[-1]
        got = [simulation.state[name][neuron] for name in "xy"]
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_what_is_held_stands_still_and_others_follow() -> None:
    text = """
    dv/dt = (20 mV - v + R*w) / tau + v^2/mV/tau*1e-3
    dw/dt = (a*v - w) / (30 ms)
    tau = 10 ms; a = 1 nS; R = 0.1 Gohm
    v(0) = 14.9 mV; w(0) = 0 pA
    spike when v > 15 mV: v = 5 mV
    refractory 2 ms holding v
    """
    result = dvdt.simulate(text, "4 ms", dt="0.1 ms", method="backward_euler", record=["v", "w"])
    first = round(result.spikes.t[0] * 1e4)
    np.testing.assert_array_equal(result["v", 0][first : first + 21], 5.0)
    assert result["v", 0][first + 21] > 5
    w = result["w", 0][first : first + 21]
    np.testing.assert_allclose(w[1:], (w[:-1] + 0.1 / 30 * 5) / (1 + 0.1 / 30), rtol=1e-10)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_step_without_solution_stops_the_run_and_says_where(backend: str) -> None:
    """y = x + dt y^2 has its solution (1 - sqrt(1 - 4 dt x))/(2 dt) until x passes 1/(4 dt)."""
    start, dt = np.array([0.1, 0.5, 0.4]), 0.1
    x, steps = start[1], 0
    while 4 * dt * x < 1:
        x, steps = (1 - np.sqrt(1 - 4 * dt * x)) / (2 * dt), steps + 1
    said = rf"Newton's method finds no solution .* for neuron 1 in the step to {(steps + 1) * dt:.10g} ms \(step {steps}\); a smaller dt"
    with pytest.raises(dvdt.RunError, match=said) as stopped:
        dvdt.simulate(
            "dx/dt = x^2/ms; x(0) = 0", "1 s", method="backward_euler", n=3, state={"x": start}, record=["x"], backend=backend
        )
    result = stopped.value.result
    assert result is not None
    assert len(result["x"]) == steps + 1
    assert result["x"][-1, 1] == pytest.approx(x, rel=1e-7)


def test_a_neuron_does_not_feel_how_long_its_neighbours_iterate() -> None:
    currents = np.linspace(0, 40, 9)
    crowd = dvdt.simulate("hh", "20 ms", dt="0.1 ms", method="backward_euler", n=9, parameters={"I": currents}, record=["v"])
    for neuron in (0, 4, 8):
        alone = dvdt.simulate(
            "hh", "20 ms", dt="0.1 ms", method="backward_euler", parameters={"I": currents[[neuron]]}, record=["v"]
        )
        np.testing.assert_array_equal(crowd["v", neuron], alone["v", 0])


def test_single_precision_converges_too() -> None:
    drive = {"I": np.array([12.0])}
    runs = [
        dvdt.simulate(
            "hh",
            "20 ms",
            dt="0.1 ms",
            method="backward_euler",
            parameters=drive,
            record=["v"],
            precision=precision,
            backend="reference",
        )
        for precision in ("float64", "float32")
    ]
    assert runs[0]["v"].max() > 90
    np.testing.assert_allclose(runs[1]["v"], runs[0]["v"], atol=0.05)


def test_an_upstroke_may_end_within_the_step() -> None:
    """Above some v the implicit equation of an exponential neuron has no solution below the spike level: it fires, whatever dt."""
    parameters = {"I": np.linspace(500.0, 5000.0, 500)}
    for dt in ("0.02 ms", "0.1 ms", "0.5 ms"):
        result = dvdt.simulate("adex", "100 ms", dt=dt, method="backward_euler", n=500, parameters=parameters)
        assert np.all(np.isfinite(result.final_state["w"]))
        counts = np.bincount(result.spikes.i, minlength=500)
        if dt == "0.02 ms":
            fine = np.bincount(
                dvdt.simulate("adex", "100 ms", dt="0.01 ms", method="rk4", n=500, parameters=parameters).spikes.i, minlength=500
            )
            assert np.max(np.abs(counts - fine)) <= 1
        assert np.all(np.diff(counts) >= -1)


def test_too_many_equations_at_once_are_refused() -> None:
    names = "abcdefghj"
    ring = zip(names, names[1:] + names[:1], strict=True)
    lines = [f"dx_{one}/dt = (x_{other}^2 - x_{one}^3)/ms; x_{one}(0) = 0.1" for one, other in ring]
    with pytest.raises(dvdt.UsageError, match=r"one of 9 equations that depend on one another.*up to 8.*Methods that can: euler"):
        dvdt.simulate("\n".join(lines), "1 ms", method="backward_euler")


@pytest.mark.parametrize("method", ["exponential_rk2", "backward_euler"])
def test_what_cannot_be_differentiated_or_is_noise_is_refused(method: str) -> None:
    with pytest.raises(dvdt.UsageError, match=rf"{method} cannot integrate .*hides x in the function f, .*{method} needs it"):
        dvdt.simulate("dx/dt = f(x)/ms\nf(x) : 1", "1 ms", method=method, parameters={"f": lambda x: -x})
    with pytest.raises(dvdt.UsageError, match=rf"{method} cannot integrate .*holds the white noise xi"):
        dvdt.simulate("dx/dt = -x/ms + s*xi; s = 1/ms^0.5", "1 ms", method=method)
