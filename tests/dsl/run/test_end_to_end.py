"""Texts to results on the CPU backend."""

import numpy as np
import pytest
from scipy.linalg import expm

import dvdt

LIF = """
    dv/dt = (E_L - v + R*I) / tau : mV (unless refractory)
    dw/dt = (0.1*(v - E_L) - w) / tau_w : mV
    tau = 20 ms;  E_L = -70 mV;  R = 100 Mohm;  I = 0 nA;  tau_w = 50 ms
    v(0) = E_L
    spike when v > -50 mV: v = -65 mV
    refractory 2 ms
"""


def run(duration="100 ms", **kwargs):
    return dvdt.simulate(LIF, duration, **{"seed": 1, "method": "exact", "parameters": {"I": "300 pA"}, **kwargs})


def test_below_threshold_the_course_is_the_matrix_exponential():
    result = run(parameters={"I": "150 pA"}, record=["v", "w"])
    rate = np.array([[-1 / 20, 0.0], [0.1 / 50, -1 / 50]])
    rest = np.array([15.0, 1.5])
    course = np.array([rest - expm(rate * t) @ rest for t in 1000 * result.t[::50]])
    assert np.allclose(result["v"][::50, 0] + 70, course[:, 0], atol=1e-10)
    assert np.allclose(result["w"][::50, 0], course[:, 1], atol=1e-10)


def test_first_spike_and_interval():
    spikes = run(dt="0.01 ms").spikes
    assert spikes.t[0] == pytest.approx(0.020 * np.log(3), abs=1.1e-5)
    assert np.diff(spikes.t) == pytest.approx(0.020 * np.log(2.5) + 0.002, abs=2.1e-5)


def test_another_size_dt_value_and_seed_compile_nothing():
    run(n=3, record=["v"])
    for kwargs in (
        {"n": 700},
        {"dt": "0.05 ms"},
        {"parameters": {"I": "350 pA"}},
        {"seed": 2},
        {"state": {"v": dvdt.uniform(-70, -60)}},
    ):
        report = run(record=["v"], **kwargs).report
        assert report.kernels_compiled == 0
        assert report.backend == "cpu"


def everything(result):
    return [result["v"], result.spikes.t, result.spikes.i, result.final_state["v"], result.final_state["w"]]


def test_the_result_does_not_hang_on_threads_pieces_or_recording():
    values = {"n": 1500, "parameters": {"I": dvdt.normal("300 pA", "30 pA")}, "state": {"v": "-70 mV + 10 mV*rand()"}}
    whole = everything(run(record=["v"], threads=1, **values))
    assert len(whole[1]) > 1500
    for again in (run(record=["v"], threads=2, **values), run(record={"v": None, "w": dvdt.record("1 ms", 3)}, **values)):
        assert all(np.array_equal(a, b) for a, b in zip(whole, everything(again), strict=True))
    pieces = dvdt.Simulation(LIF, record=["v"], seed=1, method="exact", **values)
    for duration in ("0.1 ms", "40 ms", "59.9 ms"):
        pieces.run(duration)
    assert all(np.array_equal(a, b) for a, b in zip(whole, everything(pieces.result()), strict=True))


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
def test_agrees_with_the_reference(conventions):
    kwargs = {"n": 5, "record": {"v": dvdt.record("0.7 ms"), "w": dvdt.record(neurons=[1, 4])}, "conventions": conventions}
    kwargs["parameters"] = {"I": dvdt.noise("300 pA", "100 pA", "5 ms"), "R": [90.0, 95.0, 100.0, 105.0, 110.0]}
    fast, slow = run("60 ms", **kwargs), run("60 ms", backend="reference", **kwargs)
    for name in ("v", "w"):
        assert fast[name].shape == slow[name].shape
        assert np.allclose(fast[name], slow[name], rtol=1e-11, atol=1e-11)
    assert np.array_equal(fast.spikes.t, slow.spikes.t)
    assert np.array_equal(fast.spikes.i, slow.spikes.i)


def test_float32_stays_close_and_is_recorded_as_such():
    single, double = run("40 ms", record=["v"], precision="float32"), run("40 ms", record=["v"])
    assert single["v"].dtype == np.float32
    assert np.allclose(single["v"][:200], double["v"][:200], atol=1e-3)


@pytest.mark.parametrize("bad", [3, 700])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_state_that_explodes(bad, threads):
    """Euler's scheme written out; what was recorded before the step that fails is there for every neuron."""
    x = 1e-4 * np.arange(1200.0)
    x[bad] = 1.0
    with pytest.raises(dvdt.RunError, match=f"x of neuron {bad} is not finite after the step to") as caught:
        dvdt.simulate("dx/dt = x^2/(1 ms)", "1 s", n=1200, state={"x": x}, record=["x"], method="euler", seed=1, threads=threads)
    result = caught.value.result
    with np.errstate(over="ignore"):
        rows = [x]
        while np.isfinite(rows[-1]).all():
            rows.append(rows[-1] + 0.1 * rows[-1] ** 2)
    assert result.report.steps == len(rows) - 2
    assert np.allclose(result["x"], rows[:-1], rtol=1e-12)


def test_lateral_weights():
    """x' = W x once a step."""
    text = "W : 1 (matrix)\nx(0) = i + 1\neach step: x = matmul(W, x)"
    weights = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])
    result = dvdt.simulate(text, "0.3 ms", n=3, parameters={"W": weights}, seed=1)
    assert result.final_state["x"] == pytest.approx(np.linalg.matrix_power(weights, 3) @ [1.0, 2.0, 3.0])
    for wrong in (weights[:2], weights[0], 3.0):
        with pytest.raises(dvdt.UsageError, match="matrix"):
            dvdt.simulate(text, "0.1 ms", n=3, parameters={"W": wrong})
