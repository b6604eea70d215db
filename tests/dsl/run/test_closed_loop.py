"""Closed loops: single steps, values that are set in between, and whom the row at the join belongs to."""

import signal

import numpy as np
import pytest

import dvdt

DECAY = "dv/dt = (E - v)/tau : mV; tau = C/g; C = 100 pF; g = 10 nS; E = 0 mV; v(0) = 10 mV"
BACKENDS = ["reference", "cpu"]


def simulation(text=DECAY, **kwargs):
    return dvdt.Simulation(text, **{"backend": "reference", "method": "exact", "seed": 1, "threads": 1, **kwargs})


def steps_until(running, time, **values):
    """Step by step, with the parameters set anew before each."""
    while running.t < time - 1e-9:
        for name, value in values.items():
            running.parameters[name] = value
        running.step()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_parameter_that_others_follow_changes_them_too(backend):
    """tau = C/g goes from 10 to 20 ms: what is worked out once a run has to be worked out anew."""
    running = simulation(backend=backend, record=["v", "tau"])
    steps_until(running, 0.010, C="100 pF")
    steps_until(running, 0.030, C="200 pF")
    result = running.result()
    expected = np.where(result.t < 0.010, 10 * np.exp(-result.t / 0.010), 10 * np.exp(-1 - (result.t - 0.010) / 0.020))
    assert result["v"][:, 0] == pytest.approx(expected, rel=1e-12)
    assert result["tau"][:, 0] == pytest.approx(np.where(result.t < 0.010 - 1e-9, 10.0, 20.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_value_a_neuron_set_at_every_step(backend):
    running = simulation(backend=backend, n=3, parameters={"E": np.zeros(3)}, state={"v": 0.0})
    target = np.array([1.0, 2.0, 3.0])
    steps_until(running, 0.010, E=target)
    assert running.state["v"] == pytest.approx(target * (1 - np.exp(-1.0)), rel=1e-12)
    assert running.parameters["E"] == pytest.approx(target)


def test_a_value_of_another_shape_is_another_kernel_and_the_run_goes_on():
    running = simulation(n=2, parameters={"E": "1 mV"}, state={"v": 0.0}, record=["v"])
    for value in ("1 mV", [1.0, 1.0], dvdt.TimedSeries([1.0], "1 ms"), "C/(100 pF) * (1 mV)", "1 mV", 1.0):
        running.parameters["E"] = value
        running.step(20)
    result = running.result()
    assert result["v"] == pytest.approx(np.stack([1 - np.exp(-result.t / 0.010)] * 2, axis=1), abs=1e-12)


def test_a_parameter_that_follows_stops_doing_so_when_it_is_set():
    running = simulation()
    running.parameters["tau"] = "5 ms"
    running.parameters["C"] = "1 nF"
    running.step(50)
    assert running.state["v"] == pytest.approx([10 * np.exp(-1.0)])
    running.parameters["tau"] = "C/(100 nS)"
    running.parameters["C"] = "2 nF"
    running.step(200)
    assert running.state["v"] == pytest.approx([10 * np.exp(-2.0)])


@pytest.mark.parametrize("value", ["3 pA", np.nan, [1.0, 2.0]], ids=str)
def test_a_value_that_does_not_fit_changes_nothing(value):
    running = simulation()
    running.step()
    running.parameters["C"] = "200 pF"
    with pytest.raises(dvdt.UsageError, match="C"):
        running.parameters["C"] = value
    assert running.parameters["C"] == 200.0
    assert running.parameters["tau"] == pytest.approx(20.0)


def test_two_simulations_of_one_model_step_in_turn():
    """They share the machine code and nothing else."""
    one, other = (simulation(backend="cpu", n=n, record=["v"], parameters={"E": E}) for n, E in ((2, "0 mV"), (700, "20 mV")))
    for _ in range(50):
        one.step()
        other.step(2)
    assert one.result()["v"][-1] == pytest.approx(np.full(2, 10 * np.exp(-0.5)))
    assert other.result()["v"][-1] == pytest.approx(np.full(700, 20 - 10 * np.exp(-1.0)))


def test_spikes_of_a_step_are_told_once():
    text = "dv/dt = 1 mV/ms\nv(0) = -0.05 mV - 0.1 mV*i\nspike when v > 0 mV: v = -0.45 mV"
    running = simulation(text, backend="cpu", n=3, method="euler")
    told = [running.step().tolist() for _ in range(8)]
    assert told == [[0], [1], [2], [], [], [0], [1], [2]]
    assert running.result().spikes.i.tolist() == [0, 1, 2, 0, 1, 2]


JOINS = {  # at 1 ms v is set from 10 mV to 20 mV: the value of the row at 1 ms, in all and in each of the two stretches
    "dvdt": (20.0, 10.0, 20.0),
    "brian2": (20.0, None, 20.0),
    "nest": (10.0, 10.0, None),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("conventions", JOINS)
@pytest.mark.parametrize("stepping", [False, True])
def test_the_row_at_a_join(conventions, backend, stepping):
    """A row belongs to the step that begins at its time; with NEST's conventions, to the one that ends there."""
    running = simulation(
        "dv/dt = 0 mV/ms; v(0) = p; p = 10 mV", record=["v", "p"], backend=backend, conventions=conventions, method="euler"
    )
    go = (lambda: running.step(10)) if stepping else (lambda: running.run("1 ms"))
    first = go()
    running.state["v"] = 20.0
    running.parameters["p"] = 20.0
    second = go()
    whole, before, after = JOINS[conventions]
    for name in ("v", "p"):
        course = running.result()
        values = dict(zip(np.rint(course.t * 1e4).astype(int).tolist(), course[name][:, 0].tolist(), strict=True))
        assert values.pop(10) == whole
        assert all(value == (10.0 if step < 10 else 20.0) for step, value in values.items())
        assert sorted(values) == [
            k for k in range(*{"dvdt": (0, 21), "brian2": (0, 20), "nest": (1, 21)}[conventions]) if k != 10
        ]
        if not stepping:
            assert first[name][-1, 0] == (10.0 if before is None else before)
            assert second[name][0, 0] == (20.0 if after is None else after)
            assert len(first[name]) + len(second[name]) == len(values) + 1 + (before is not None and after is not None)


@pytest.mark.parametrize("conventions", ["dvdt", "nest"])
def test_the_last_row_of_all_is_what_stands_now(conventions):
    """With NEST's conventions it is what the last step led to, whatever was set after it."""
    running = simulation("dv/dt = 0 mV/ms; v(0) = 10 mV", record=["v"], conventions=conventions, method="euler")
    running.run("1 ms")
    running.state["v"] = 20.0
    assert running.result()["v"][-1, 0] == {"dvdt": 20.0, "nest": 10.0}[conventions]
    assert running.state["v"].tolist() == [20.0]


def test_what_a_step_needs_is_made_once():
    """Also where a parameter is set in between, and until a recording has to grow."""
    running = simulation(backend="cpu", n=1000, record={"v": dvdt.record(every="1 s")}, parameters={"E": np.zeros(1000)})
    running.step()
    workers = running._assembly.memory.workers
    for value in (np.ones(1000), np.zeros(1000)):
        running.parameters["E"] = value
        running.parameters["C"] = "200 pF"
        running.step()
        running.state["v"]
        assert running._assembly.memory.workers is workers


def test_ctrl_c_in_a_step_leaves_the_simulation_whole(monkeypatch):
    running = simulation()
    program = running._assembly.build()
    advance = program.advance

    def pressed(*arguments):
        signal.raise_signal(signal.SIGINT)
        return advance(*arguments)

    monkeypatch.setattr(program, "advance", pressed)
    with pytest.raises(KeyboardInterrupt):
        running.step()
    monkeypatch.undo()
    running.step(99)
    assert running.steps == 100
    assert running.state["v"] == pytest.approx([10 * np.exp(-1.0)])
