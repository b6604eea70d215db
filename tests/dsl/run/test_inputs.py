"""What varies in time, against closed forms."""

import numpy as np
import pytest
from scipy import signal

import dvdt

FOLLOWER = "y = I : pA\nI = 0 pA\ndv/dt = (I*(1 Gohm) - v)/tau : mV\ntau = 10 ms\nv(0) = 0 mV"


def course(drive, duration="1 ms", n=1, dt="0.1 ms", **kwargs):
    return dvdt.simulate(
        FOLLOWER, duration, dt=dt, n=n, record=["I", "y"], parameters={"I": drive}, backend="reference", **kwargs
    )


def test_a_series_is_held_between_samples_and_after_the_end():
    result = course(dvdt.TimedSeries([1.0, 2.0, 4.0], "0.3 ms"), conventions="brian2")
    assert result["I"][:, 0].tolist() == [1, 1, 1, 2, 2, 2, 4, 4, 4, 4]
    assert np.array_equal(result["y"], result["I"])


def test_a_series_at_dt_is_read_sample_by_sample():
    """k*dt divided by dt falls short of k for many k (0.3/0.1 is 2.9999999999999996)."""
    samples = np.arange(1000.0)
    for dt in ("0.1 ms", "0.3 ms", "0.7 ms", "0.05 ms"):
        duration = f"{1000 * float(dt.split()[0])} ms"
        result = course(dvdt.TimedSeries(samples, dt), duration, dt=dt, conventions="brian2")
        assert np.array_equal(result["I"][:, 0], samples)


def test_a_column_a_neuron():
    result = course(dvdt.TimedSeries(np.array([[1.0, 10.0], [2.0, 20.0]]), "0.5 ms"), n=2, conventions="brian2")
    assert result["I"][[0, 4, 5, 9]].tolist() == [[1, 10], [1, 10], [2, 20], [2, 20]]


def test_units_of_a_series():
    assert course(dvdt.TimedSeries([1.0, 2.0], "1 ms", unit="nA"))["I"][0, 0] == pytest.approx(1000.0)


def test_a_function_of_time():
    result = course(dvdt.function("5 pA + 2 pA * sin(2*pi*1 kHz*t)"), duration="2 ms")
    assert result["I"][:, 0] == pytest.approx(5 + 2 * np.sin(2 * np.pi * 1000 * result.t), abs=1e-12)


def test_a_function_may_use_parameters_and_the_index():
    result = course(dvdt.function("i * 1 pA * t/tau"), duration="10 ms", n=3)
    assert result["I"][-1] == pytest.approx([0.0, 1.0, 2.0])


def test_a_text_with_t_is_a_function():
    assert course("3 pA * t/(1 ms)")["I"][-1, 0] == pytest.approx(3.0)


def test_a_parameter_that_follows_what_varies():
    text = "dv/dt = (J*(1 Gohm) - v)/tau : mV\ntau = 10 ms\nI = 0 pA\nJ = 2*I\nv(0) = 0 mV"
    for drive in (dvdt.TimedSeries([1.0, 2.0], "0.5 ms"), dvdt.function("1 pA * t/(1 ms)")):
        result = dvdt.simulate(text, "1 ms", record=["I", "J"], parameters={"I": drive}, backend="reference")
        assert np.allclose(result["J"], 2 * result["I"], rtol=1e-15)
        assert result["I"].max() > 0


def test_an_input_of_the_model_can_be_set():
    text = "dv/dt = (I*(1 Gohm) - v)/(10 ms) : mV\nI = 2 pA * t/(1 ms) : pA\nv(0) = 0 mV"
    free = dvdt.simulate(text, "1 ms", record=["I"], backend="reference")
    assert free["I"][-1, 0] == pytest.approx(2.0)
    fixed = dvdt.simulate(text, "1 ms", record=["I"], parameters={"I": "7 pA"}, backend="reference")
    assert np.all(fixed["I"] == 7.0)


def test_step_and_pulse():
    result = course(dvdt.step("1 pA", "5 pA", start="0.3 ms", stop="0.7 ms"), conventions="brian2")
    assert result["I"][:, 0].tolist() == [1, 1, 1, 5, 5, 5, 5, 1, 1, 1]
    result = course(dvdt.step("1 pA", "5 pA", start="0.25 ms"), conventions="brian2")
    assert result["I"][:, 0].tolist() == [1, 1, 1, 5, 5, 5, 5, 5, 5, 5]


def test_edges_stand_on_their_step_at_any_dt():
    for steps in range(1, 200):
        dt = 0.1
        course = dvdt.dsl.run.inputs.step.StepCourse(0.0, 1.0, steps * dt, None)
        assert course(np.arange(201) * dt)[:, 0].tolist() == [0.0] * steps + [1.0] * (201 - steps)


def test_ramp():
    result = course(dvdt.ramp("0 pA", "10 pA", start="0.2 ms", stop="0.7 ms"))
    assert result["I"][:, 0] == pytest.approx([0, 0, 0, 2, 4, 6, 8, 10, 10, 10, 10])


def test_noise_is_an_ornstein_uhlenbeck_process():
    """Mean, spread, correlation over time and independence of neurons, against the stationary solution."""
    n, tau = 400, 2.0
    result = course(dvdt.noise("3 pA", "2 pA", f"{tau} ms"), "20 ms", n=n, seed=5)
    x = result["I"]
    assert x.shape == (201, n)
    for row in (0, 100, 200):  # stationary from the start
        assert abs(x[row].mean() - 3) < 5 * 2 / np.sqrt(n)
        assert abs(x[row].std() - 2) < 5 * 2 / np.sqrt(2 * n)
    for lag in (1, 10, 20):
        found = np.mean((x[lag:] - 3) * (x[:-lag] - 3)) / 4
        assert found == pytest.approx(np.exp(-lag * 0.1 / tau), abs=0.06)
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < 0.6
    one = signal.correlate(x[:, 0] - 3, x[:, 1] - 3, "valid")[0] / len(x)
    assert abs(one) < 4 * 1.5


def test_noise_is_the_same_again_and_in_pieces():
    drive = dvdt.noise("0 pA", "1 pA", "1 ms")
    whole = course(drive, "3 ms", n=3, seed=7)
    pieces = dvdt.Simulation(FOLLOWER, n=3, record=["I"], parameters={"I": drive}, backend="reference", seed=7)
    for duration in ("0.4 ms", "0.1 ms", "2.5 ms"):
        pieces.run(duration)
    assert np.array_equal(pieces.result()["I"][:-1], whole["I"][:-1])
    assert np.array_equal(course(drive, "3 ms", n=2, seed=7)["I"], whole["I"][:, :2])
    assert not np.array_equal(course(drive, "3 ms", n=3, seed=8)["I"], whole["I"])


def test_noise_does_not_hang_on_the_step():
    """The spread after a step is std*sqrt(1 - exp(-2 dt/tau)) at every dt; Euler's scheme would have std*sqrt(2 dt/tau)."""
    x = course(dvdt.noise("0 pA", "1 pA", "1 ms"), "8 ms", n=500, dt="2 ms", seed=1)["I"]
    change = x[1:-1] - x[:-2] * np.exp(-2.0)
    assert change.std() == pytest.approx(np.sqrt(1 - np.exp(-4.0)), rel=0.1)


def test_a_callable_of_the_text():
    text = "dv/dt = (stim(t)*(1 Gohm) - v)/(10 ms) : mV\nI = stim(t) : pA\nstim(t) : pA"
    series = dvdt.TimedSeries([1.0, 2.0], "0.5 ms", unit="pA")
    result = dvdt.simulate(text, "1 ms", record=["I"], parameters={"stim": series}, conventions="brian2", backend="reference")
    assert result["I"][:, 0].tolist() == [1] * 5 + [2] * 5
    with pytest.raises(dvdt.UsageError, match="stim"):
        dvdt.simulate(text, "1 ms", backend="reference")
    with pytest.raises(dvdt.UsageError, match="TimedSeries"):
        dvdt.simulate(text, "1 ms", parameters={"stim": "3 pA"}, backend="reference")


WRONG = {
    "nan": lambda: dvdt.TimedSeries([1.0, np.nan], "1 ms"),
    "infinite": lambda: dvdt.TimedSeries([1.0, np.inf], "1 ms"),
    "unit": lambda: dvdt.TimedSeries([1.0, 2.0], "1 ms", unit="mV"),
    "no unit": lambda: dvdt.TimedSeries([1.0, 2.0], "1 ms", unit="quux"),
    "columns": lambda: dvdt.TimedSeries(np.zeros((5, 2)), "1 ms"),
    "empty": lambda: dvdt.TimedSeries([], "1 ms"),
    "cube": lambda: dvdt.TimedSeries(np.zeros((2, 2, 2)), "1 ms"),
    "scalar": lambda: dvdt.TimedSeries(3.0, "1 ms"),
    "interval": lambda: dvdt.TimedSeries([1.0, 2.0], "0 ms"),
    "interval without unit": lambda: dvdt.TimedSeries([1.0, 2.0], 1.0),
    "words": lambda: dvdt.TimedSeries(["a", "b"], "1 ms"),
    "function in the wrong unit": lambda: dvdt.function("3 mV * t/(1 ms)"),
    "function of a state": lambda: dvdt.function("v*t"),
    "function of nothing known": lambda: dvdt.function("3 pA * quux"),
    "function that draws": lambda: dvdt.function("3 pA * rand()"),
    "function that is none": lambda: dvdt.function(np.sin),
    "step that ends before it begins": lambda: dvdt.step("0 pA", "1 pA", start="2 ms", stop="1 ms"),
    "step before the run": lambda: dvdt.step("0 pA", "1 pA", start="-2 ms"),
    "step in the wrong unit": lambda: dvdt.step("0 pA", "1 mV"),
    "ramp without an end": lambda: dvdt.ramp("0 pA", "1 pA"),
    "noise of no duration": lambda: dvdt.noise("0 pA", "1 pA", "0 ms"),
    "noise of negative spread": lambda: dvdt.noise("0 pA", "-1 pA", "1 ms"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_refused(case):
    with pytest.raises(dvdt.UsageError):
        dvdt.Population(FOLLOWER, 3, parameters={"I": WRONG[case]()})


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_callable_has_columns_of_its_own_count(backend):
    """Two columns for five neurons, shared out by the text; one column is that of all neurons, whatever index is asked for."""
    text = "dv/dt = stimulus(t, {})/ms : 1\nstimulus(t, i) : 1\n"
    run = {"dt": "0.1 ms", "n": 5, "method": "euler", "record": ["v"], "backend": backend}
    two = np.arange(20.0).reshape(10, 2)
    given = {"stimulus": dvdt.TimedSeries(two, "0.1 ms")}
    shared = dvdt.simulate(text.format("i % 2"), "1 ms", parameters=given, **run)
    assert shared["v"][-1] == pytest.approx(0.1 * two.sum(axis=0)[[0, 1, 0, 1, 0]])
    with pytest.raises(dvdt.UsageError, match=r"stimulus\(t, i\), one column a neuron; there are 2 columns for 5 neurons"):
        dvdt.simulate(text.format("i"), "1 ms", parameters=given, **run)
    one = dvdt.simulate(text.format("i"), "1 ms", parameters={"stimulus": dvdt.TimedSeries(two[:, 0], "0.1 ms")}, **run)
    assert one["v"][-1] == pytest.approx(np.full(5, 0.1 * two[:, 0].sum()))


@pytest.mark.parametrize("drive", [dvdt.ramp("0", "2", start="0 ms", stop="1 ms"), dvdt.noise("0", "1", "1 ms")])
def test_the_row_at_the_end_of_a_run_is_that_of_its_time(drive):
    """The input at t_end belongs to the next step, and is recorded already."""
    kwargs = {"what": "dv/dt = I/ms : 1\nI = 0", "seed": 2, "parameters": {"I": drive}, "record": ["I"], "backend": "reference"}
    split = dvdt.Simulation(**kwargs)
    first = split.run("0.5 ms")
    split.run("0.5 ms")
    whole = dvdt.simulate(duration="1 ms", **kwargs)
    assert np.array_equal(first["I"], whole["I"][:6])
    assert np.array_equal(split.result()["I"], whole["I"])
    assert len(np.unique(whole["I"])) == 11
