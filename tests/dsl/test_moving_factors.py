"""`exact` where factors change between steps: against solutions worked out piece by piece, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import dvdt

DT = 0.1


def steps(matrix: np.ndarray, rest: np.ndarray, start: np.ndarray) -> np.ndarray:
    """x after one step of x' = A x + b."""
    whole = np.zeros((len(start) + 1, len(start) + 1))
    whole[:-1, :-1], whole[:-1, -1] = matrix, rest
    return (expm(whole * DT) @ np.append(start, 1.0))[:-1]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_factor_that_resets_change(backend: str) -> None:
    """A leak that grows with each spike, and two synapses; one has the rate of the leak to begin with, one does not decay to 0."""
    text = """
    dv/dt = -g*v + a + 2*b : 1
    da/dt = -a/(10 ms) : 1
    db/dt = (0.3 - b)/(4 ms) : 1
    g : 1/ms
    v(0) = 0; a(0) = 1; b(0) = 0.2; g(0) = 0.1 /ms
    spike when v > 1: v = 0; g += 0.05 /ms; a += 0.5
    """.replace("= -g*v + a + 2*b", "= -g*v + (a + 2*b)/ms")
    result = dvdt.simulate(text, "20 ms", dt="0.1 ms", method="exact", backend=backend, record=["v"])
    state, g, traces, spikes = np.array([0.0, 1.0, 0.2]), 0.1, [0.0], 0
    for _ in range(200):
        state = steps(np.array([[-g, 1, 2], [0, -0.1, 0], [0, 0, -0.25]]), np.array([0, 0, 0.3 / 4]), state)
        if state[0] > 1:
            state, g, spikes = state + np.array([-state[0], 0.5, 0]), g + 0.05, spikes + 1
        traces.append(state[0])
    assert len(result.spikes) == spikes > 5
    np.testing.assert_allclose(result["v", 0], traces, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_factor_that_says_whether_a_neuron_is_refractory(backend: str) -> None:
    """Two variables that act on each other, of which one stands still while refractory, said by hand and by the flag."""
    text = """
    dv/dt = not_refractory*(2 - v - w)/(10 ms) : 1
    dw/dt = (v - w)/(30 ms) : 1
    spike when v > 1: v = 0; w += 0.1
    refractory 3 ms
    """
    flagged = text.replace("not_refractory*", "").replace(": 1\n    dw", ": 1 (unless refractory)\n    dw")
    said, held = (
        dvdt.simulate(t, "60 ms", dt="0.1 ms", method="exact", backend=backend, record=["v", "w"]) for t in (text, flagged)
    )
    assert len(said.spikes) == len(held.spikes) > 2
    np.testing.assert_allclose(said["v"], held["v"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(said["w"], held["w"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("rate", ["1e-9", "1", "1e5"])
def test_rates_far_apart_and_equal(rate: str) -> None:
    """x' = -k x + y, y' = -y/(1 ms): also where k is the rate of y, or a hundred thousand times it."""
    text = f"dx/dt = -k*x + y/ms : 1; dy/dt = -y/ms : 1; k : 1/ms; k(0) = {rate} /ms; x(0) = 1; y(0) = 1; spike when x > 5: k += 1/ms"
    result = dvdt.simulate(text, "3 ms", dt="0.1 ms", method="exact", backend="reference").final_state["x"][0]
    k = float(rate)
    expected = 4 * np.exp(-3) if k == 1 else np.exp(-3 * k) + (np.exp(-3) - np.exp(-3 * k)) / (k - 1)
    assert result == pytest.approx(expected, rel=1e-11)


def test_what_has_no_short_solution_is_refused_with_the_reason() -> None:
    chain = "dx/dt = -k*x + y/ms : 1; dy/dt = (z - y)/ms : 1; dz/dt = -z/ms : 1; k : 1/ms; spike when x > 5: k += 1/ms"
    with pytest.raises(dvdt.UsageError, match="factors that change during a run, and reads y, which reads z in turn"):
        dvdt.simulate(chain, "1 ms", method="exact")
    with pytest.raises(dvdt.UsageError, match="has a factor of x that reads t, which changes within a step"):
        dvdt.simulate("dx/dt = -x*t/(1 ms^2) : 1", "1 ms", method="exact")


def test_the_choice_says_what_is_in_the_way_of_matrices() -> None:
    text = "dv/dt = -g*v : 1; g : 1/ms; spike when v > 1: g += 0.1/ms"
    result = dvdt.simulate(text, "1 ms", backend="reference")
    assert result.report["scheme"] == "exponential_euler"
    assert "reads g, which changes during a run" in str(dvdt.Model(text).explain())


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_neuron_without_a_refractory_period_is_never_refractory(backend: str) -> None:
    text = "dv/dt = int(not_refractory)*(2 - v - w)/(10 ms) : 1; dw/dt = (v - w)/(30 ms) : 1; spike when v > 1: v = 0"
    said, plain = (
        dvdt.simulate(t, "40 ms", method="exact", backend=backend, record=["v"])["v"]
        for t in (text, text.replace("int(not_refractory)*", ""))
    )
    np.testing.assert_allclose(said, plain, rtol=1e-12, atol=1e-13)
