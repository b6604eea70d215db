"""What is read across the population: in equations, blocks, conditions and recordings, against loops in NumPy."""

import numpy as np
import pytest

import dvdt

BACKENDS = ["reference", "cpu"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


def run(text, duration="1 ms", **kwargs):
    return dvdt.simulate(text, duration, **{"dt": "0.1 ms", "n": 4, "method": "euler", "seed": 3, **kwargs})


def test_a_total_of_new_values_is_not_that_of_the_old_ones(backend):
    """The equation totals v before the step, the block after it; another reduction stands between."""
    result = run(
        """
        dv/dt = (0.01*total(v) - v)/tau : 1
        tau = 10 ms
        v(0) = i + 1
        w(0) = 2
        a(0) = 0;  b(0) = 0
        each step:
            a = total(w)
            b = total(v)
        """,
        backend=backend,
        record=["v", "a", "b"],
    )
    v = np.arange(1.0, 5.0)
    for row in range(1, 11):
        v = v + 0.1 * (0.01 * v.sum() - v) / 10
        assert result["v"][row] == pytest.approx(v, rel=1e-13)
        assert result["b"][row] == pytest.approx(v.sum(), rel=1e-13)
    assert np.all(result["a"][1:] == 8)


def test_recorded_quantities_of_all_neurons(backend):
    text = """
        dv/dt = -v/tau : 1
        tau = 1 ms
        v(0) = i + 1
        middle = mean(v)
        place = rank(v)
        high = count(v > 2)
        first = middle + t/(1 ms)
    """
    result = run(text, backend=backend, record=["v", "middle", "place", "high", "first"])
    v = result["v"]
    assert result["middle"] == pytest.approx(np.repeat(v.mean(axis=1)[:, np.newaxis], 4, axis=1), rel=1e-14)
    assert np.array_equal(result["place"], np.tile([3, 2, 1, 0], (11, 1)))
    assert np.array_equal(result["high"][:, 0], (v > 2).sum(axis=1))
    assert result["first"][:, 1] == pytest.approx(v.mean(axis=1) + 1000 * result.t, rel=1e-14)


def test_a_recorded_mean_reads_inputs_at_the_time_of_its_row(backend):
    drive = np.arange(12.0)
    text = "dv/dt = -v/tau : 1\ntau = 1 ms\nv(0) = i\nI = 0\nmiddle = I*mean(v)\n"
    parameters = {"I": dvdt.TimedSeries(drive, "0.1 ms")}
    result = run(text, backend=backend, parameters=parameters, record=["v", "middle"])
    assert result["middle"][:, 0] == pytest.approx(drive[:11] * result["v"].mean(axis=1), rel=1e-14)


def test_a_recorded_mean_follows_what_is_set_between_runs(backend):
    text = "dv/dt = -v/tau : 1\ntau = 1 ms\ngain = 1\nv(0) = i\nmiddle = gain*mean(v)\n"
    simulation = dvdt.Simulation(text, n=3, dt="0.1 ms", method="euler", backend=backend, record=["v", "middle"])
    simulation.run("0.3 ms")
    simulation.state["v"] = [4, 5, 9]
    simulation.run("0.3 ms")
    simulation.parameters["gain"] = 2
    simulation.run("0.3 ms")
    simulation.parameters["gain"] = [1, 2, 3]
    simulation.run("0.1 ms")
    result = simulation.result()
    gain = np.ones((11, 3))
    gain[6:] = 2
    gain[9:] = [1, 2, 3]
    assert result["v"][3] == pytest.approx([4, 5, 9])
    assert result["middle"] == pytest.approx(gain * result["v"].mean(axis=1, keepdims=True), rel=1e-14)


def test_a_crossing_beside_a_count(backend):
    """The count ends a phase, and the test of the crossing is kept for the next step only."""
    result = run(
        """
        dv/dt = 1/ms : 1
        v(0) = 0.2*i
        spike when v crosses 0.55 and count(v > 0.3) > 2
        """,
        backend=backend,
    )
    # neurons begin at 0, 0.2, 0.4, 0.6: they come above 0.55 after 6, 4 and 2 steps; three are above 0.3 from the second step on
    assert np.rint(result.spikes.t * 1e4).astype(int).tolist() == [2, 4, 6]
    assert result.spikes.i.tolist() == [2, 1, 0]


def test_once_a_step_quantities_may_read_all_neurons(backend):
    result = run(
        """
        dv/dt = -v/ms : 1
        v(0) = i + 1
        x(0) = 0
        middle = mean(v) (constant over dt)
        each step: x = middle
        """,
        backend=backend,
        record=["v", "x", "middle"],
    )
    assert result["x"][1:, 2] == pytest.approx(result["v"][:-1].mean(axis=1), rel=1e-14)
    assert np.array_equal(result["middle"][1:], result["x"][1:])
    assert np.isnan(result["middle"][0]).all()  # before the first step there is none


def test_exact_refuses_what_changes_within_a_step():
    text = "dv/dt = (mean(v) - v)/(10 ms) : 1\nv(0) = i\n"
    with pytest.raises(dvdt.UsageError, match=r"dv/dt reads mean\(...\) of all neurons, which changes within a step"):
        run(text, method="exact")
    assert run(text, method="auto").report.scheme == "exponential_euler"
    assert any("order 1" in note for note in run(text, method="rk4", backend="reference").report.notes)
    assert not any("order 1" in note for note in run(text, backend="reference").report.notes)
    assert run("dv/dt = (mean(w) - v)/(10 ms) : 1\nw(0) = i\n", method=None, backend="reference").report.scheme == "exact"
