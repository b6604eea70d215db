"""Checkpoints: a run that is saved and loaded is the run that was never interrupted, bit for bit; what is no checkpoint is refused."""

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

import dvdt
from dvdt.dsl.run import archive, inputs, keeper
from dvdt.dsl.run.checkpoint import Goal
from dvdt.dsl.run.sources import plain_source, same, source_from

NOISY = """
    tau*dv/dt = E_L - v + R*I + sigma*sqrt(2*tau)*xi : volt
    tau = 20 ms;  E_L = -70 mV;  R = 100 Mohm;  I = 0 nA;  sigma = 2 mV
    v(0) = E_L + 5 mV*rand()
    V_T = -60 mV + 1 mV*randn() (constant)
    k : integer
    each step: k = k + 1
    spike when v crosses V_T: v = -65 mV
    on low when v < -66 mV
    refractory 2 ms
    output mean(v)
"""
GIVEN = {"I": dvdt.noise("0.1 nA", "0.05 nA", "5 ms"), "R": dvdt.normal("100 Mohm", "5 Mohm")}
RECORD = {"v": None, "I": dvdt.record(every="1 ms", neurons=[3, 1]), "output": None, "k": None}
BACKENDS = ["reference", "cpu"]


def simulation(text=NOISY, **kwargs):
    return dvdt.Simulation(text, **{"n": 5, "backend": "reference", "seed": 3, "record": RECORD, "parameters": GIVEN, **kwargs})


def assert_same(one, other):
    assert one.names == other.names
    for name in one.names:
        assert np.array_equal(one.times[name], other.times[name])
        assert np.array_equal(one[name], other[name], equal_nan=True)
        assert one[name].dtype == other[name].dtype
    assert one.events.keys() == other.events.keys()
    for name, events in one.events.items():
        assert np.array_equal(events.t, other.events[name].t)
        assert np.array_equal(events.i, other.events[name].i)
    for name in one.final_state:
        assert np.array_equal(one.final_state[name], other.final_state[name])
    assert one.units == other.units


GO_ON = """
import sys, dvdt
running = dvdt.Simulation.load(sys.argv[1])
running.run("30 ms").save(sys.argv[2])
running.result().save(sys.argv[3])
"""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_another_process_goes_on_bit_for_bit(backend, precision, tmp_path):
    """Noise, draws, a driven and a drawn parameter, an integer state, refractoriness, a crossing, a mean over all: all are gone on with."""
    whole = simulation(backend=backend, precision=precision)
    whole.run("50 ms")
    saved = simulation(backend=backend, precision=precision)
    saved.run("50 ms")
    saved.save(tmp_path / "x.ckpt")
    paths = [str(tmp_path / name) for name in ("x.ckpt", "rest.npz", "all.npz")]
    subprocess.run([sys.executable, "-c", GO_ON, *paths], check=True, timeout=120)
    rest, everything = map(dvdt.load_result, paths[1:])
    assert len(whole.result().spikes) > 3
    assert len(whole.result().events["low"]) > 0
    assert_same(rest, whole.run("30 ms"))
    assert_same(everything, whole.result())


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
def test_what_was_set_during_the_run_is_gone_on_with(conventions, tmp_path):
    running = simulation(conventions=conventions)
    running.run("10 ms")
    running.parameters["I"] = "0.15 nA"
    running.step(7)
    running.parameters["R"] = "150 Mohm"
    running.parameters["E_L"] = np.linspace(-70, -65, 5)
    running.state["v"] = "v + 3 mV*rand()"
    running.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt")
    assert loaded.t == running.t
    assert loaded.parameters["R"] == 150.0
    assert_same(loaded.result(), running.result())
    for each in (running, loaded):
        each.run("5 ms")
        each.parameters["R"] = "140 Mohm"
        each.parameters["I"] = dvdt.step("0 nA", "0.3 nA", start="20 ms")
        each.run("20 ms")
    assert_same(loaded.result(), running.result())


class Dimension:
    """Of a current, as Brian2 tells it."""

    def get_dimension(self, base):
        return int(base == "A")


class TimedArray:
    """As Brian2's: values in base SI units, their interval in seconds, their dimension; called in expressions."""

    values, dt, dim = np.linspace(0, 3e-10, 20), 1e-3, Dimension()

    def __call__(self, t):
        raise NotImplementedError


INPUTS = {
    "one value": "0.1 nA",
    "expression": "E_L/(1 Gohm) + 0.01 nA*rand()",
    "array": np.linspace(0, 0.2, 5),
    "series": dvdt.TimedSeries(np.linspace(0, 0.3, 20), "1 ms"),
    "columns": dvdt.TimedSeries(np.linspace(0, 0.3, 100).reshape(20, 5), "1 ms"),
    "function": dvdt.function("0.1 nA*sin(2*pi*t/(10 ms)) + E_L/(1 Gohm)"),
    "step": dvdt.step("0 nA", "0.2 nA", start="4 ms", stop="15 ms"),
    "ramp": dvdt.ramp("0 nA", "0.3 nA", stop="20 ms"),
    "noise": dvdt.noise("0.1 nA", "0.1 nA", "5 ms"),
    "normal": dvdt.normal("0.1 nA", "0.05 nA"),
    "uniform": dvdt.uniform("0 nA", "0.2 nA"),
    "timed array": TimedArray(),
    "sender": dvdt.Population("sine_current", parameters={"amplitude": 0.2}),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_value_is_gone_on_with(kind, tmp_path):
    whole = simulation(parameters={"I": INPUTS[kind]}, state={"v": dvdt.uniform("-70 mV", "-65 mV")})
    whole.run("8 ms")
    whole.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt")
    assert_same(loaded.run("15 ms"), whole.run("15 ms"))
    assert_same(loaded.result(), whole.result())


def test_a_table_of_a_file_is_gone_on_with_when_the_file_is_gone(tmp_path):
    (tmp_path / "i.csv").write_text("t (ms),I (nA)\n0,0\n1,0.2\n2,0.1\n3,0.4\n")
    whole = simulation(parameters={"I": dvdt.from_csv(tmp_path / "i.csv")})
    whole.run("1.5 ms")
    whole.save(tmp_path / "x.ckpt")
    (tmp_path / "i.csv").unlink()
    assert_same(dvdt.Simulation.load(tmp_path / "x.ckpt").run("5 ms"), whole.run("5 ms"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_exact_spike_times_are_gone_on_with(backend, tmp_path):
    """The moments inside the steps, and the fractions of refractory periods that are left."""
    text = """
        dv/dt = (E - v)/tau : mV
        tau = 10 ms;  E = 20 mV + 1 mV*i
        v(0) = 0 mV
        spike when v > 15 mV: v = 0 mV
        refractory 2.13 ms
    """
    kwargs = {"n": 4, "backend": backend, "spike_times": "exact", "record": ["v"], "seed": 1}
    whole = dvdt.Simulation(text, **kwargs)
    whole.run("40 ms")
    whole.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt")
    assert_same(loaded.result(), whole.result())
    assert_same(loaded.run("40 ms"), whole.run("40 ms"))
    result = loaded.result()
    assert_same(result, whole.result())
    assert len(result.spikes) > 8
    assert np.abs(result.spikes.t * 1e4 - np.rint(result.spikes.t * 1e4)).max() > 0.1
    result.save(tmp_path / "r.npz")
    read = dvdt.load_result(tmp_path / "r.npz")
    assert_same(read, result)
    assert read.report == result.report


def test_listed_spike_times_are_gone_on_with(tmp_path):
    times = dvdt.spike_times([[1.0, 2.5, 4.0], [0.5, 3.0]])
    whole = dvdt.Simulation("spike_times", n=2, parameters={"times": times}, backend="reference", seed=1)
    whole.run("2 ms")
    whole.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt")
    rest = loaded.run("4 ms")
    assert len(rest.spikes) == 3
    assert_same(rest, whole.run("4 ms"))


def test_every_source_is_plain_data():
    """Whatever an input binds to is written and read back; a kind of input that is added has to be, too."""
    arrays = {}
    sources = simulation(parameters={"I": "0.1 nA"}).population.binding.sources
    for value in INPUTS.values():
        sources = {**sources, **simulation(parameters={"I": value}).population.binding.sources}
        for source in sources.values():
            plain = plain_source(source, lambda array: arrays.setdefault(str(id(array)), array) is None or str(id(array)))
            assert same(source_from(json.loads(json.dumps(plain)), arrays), source)
    files = {entry.name[:-3] for entry in os.scandir(inputs.__path__[0]) if entry.name[0] != "_"}
    # a new kind needs a row in INPUTS, or a test of its own
    assert files == {"csv", "function", "noise", "ramp", "sender", "series", "spike_times", "step", "timed_array"}


def test_another_backend_goes_on_but_for_rounding(tmp_path):
    text = "dv/dt = (E - v)/tau + 0.1/(1 ms)*u*(1 mV); du/dt = (v/(1 mV) - 3*u)/tau; E = -60 mV; tau = 10 ms; v(0) = -70 mV; u(0) = i"
    running = simulation(text, backend="cpu", n=700, record=["v", "u"], parameters={}, method="rk4")
    running.run("10 ms")
    running.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt", backend="reference")
    assert np.array_equal(loaded.result()["v"], running.result()["v"])
    here, there = running.run("10 ms"), loaded.run("10 ms")
    assert there.report.backend == "reference"
    for name in ("v", "u"):
        assert there[name] == pytest.approx(here[name], rel=1e-12, abs=1e-10)


def test_a_simulation_that_has_not_begun_is_saved_too(tmp_path):
    simulation().save(tmp_path / "x.ckpt")
    assert_same(dvdt.Simulation.load(tmp_path / "x.ckpt").run("10 ms"), simulation().run("10 ms"))


def test_the_text_of_the_model_is_in_the_file(tmp_path):
    model = dvdt.Model(NOISY, name="noisy").extend("tau = 10 ms   # faster", name="faster")
    dvdt.Simulation(model, seed=1, backend="reference").save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt").population.model
    assert dvdt.Model.of(loaded) == model
    assert dvdt.Model(dvdt.Model.of(loaded).text) == model


def test_a_python_function_is_given_again(tmp_path):
    """No file holds it; its digest tells whether it is the same."""
    text = "dx/dt = f(x)/(5 ms) : 1\nx(0) = 0.1\nf(x) : 1"
    growth = {"f": lambda x: x * (1 - x)}
    whole = dvdt.Simulation(text, parameters=growth, backend="reference")
    whole.run("2 ms")
    whole.save(tmp_path / "x.ckpt")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt", parameters=growth)
    assert_same(loaded.run("2 ms"), whole.run("2 ms"))
    for parameters, words in (
        (None, r"no file can hold what was given for f: give it again, parameters=\{'f': \.\.\.\}"),
        ({"f": lambda x: x * (2 - x)}, r"parameters\['f'\] is another function"),
        ({**growth, "g": 1.0}, "the model of the checkpoint, model, has no 'g'"),
    ):
        with pytest.raises(dvdt.UsageError, match=words):
            dvdt.Simulation.load(tmp_path / "x.ckpt", parameters=parameters)
    whole.save(tmp_path / "x.ckpt")
    with pytest.raises(dvdt.UsageError, match=r"parameters\['f'\] is another function"):
        dvdt.simulate(
            text,
            "9 ms",
            parameters={"f": abs_of},
            backend="reference",
            checkpoint=tmp_path / "x.ckpt",
            seed=loaded.result().report.seed,
        )


def abs_of(x):
    return abs(x)


# ---- simulate(..., checkpoint=) ------------------------------------------------------------------


def run(duration, path, **kwargs):
    kwargs = {"n": 5, "backend": "reference", "seed": 3, "record": RECORD, "parameters": GIVEN, "every": "10 ms", **kwargs}
    return dvdt.simulate(NOISY, duration, checkpoint=path, **kwargs)


def stopping_at(part):
    def progress(fraction, elapsed):
        if fraction >= part:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_interrupted_run_is_resumed(backend, tmp_path):
    path = tmp_path / "x.ckpt"
    with pytest.raises(dvdt.RunError, match=r"dvdt\.resume\('.*x\.ckpt'\) goes on from here") as caught:
        run("60 ms", path, backend=backend, progress=stopping_at(0.4))
    partial = caught.value.result
    assert 0.024 <= partial.report.duration < 0.06
    assert dvdt.Simulation.load(path).t == pytest.approx(partial.report.duration)
    result = dvdt.resume(path)
    assert result.report.start == 0
    assert result.report.steps == 600
    assert any("gone on from" in note for note in result.report.notes)
    assert_same(result, simulation(backend=backend).run("60 ms"))


def test_the_same_call_goes_on_and_a_complete_run_is_not_made_again(tmp_path):
    path = tmp_path / "x.ckpt"
    with pytest.raises(dvdt.RunError):
        run("60 ms", path, progress=stopping_at(0.5))
    whole = simulation()
    expected = whole.run("60 ms")
    assert_same(run("60 ms", path), expected)
    again = []
    assert_same(run("60 ms", path, progress=lambda fraction, elapsed: again.append(fraction)), expected)
    assert not again
    whole.run("10 ms")
    assert_same(run("70 ms", path), whole.result())
    with pytest.raises(dvdt.UsageError, match=r"has reached 0\.07 s already, more than 60 ms"):
        run("60 ms", path)


def test_a_fresh_seed_is_that_of_the_file_when_the_run_goes_on(tmp_path):
    first = run("20 ms", tmp_path / "x.ckpt", seed=None)
    assert run("40 ms", tmp_path / "x.ckpt", seed=None).report.seed == first.report.seed


def test_a_precision_that_the_call_leaves_open_is_that_of_the_file(tmp_path):
    run("20 ms", tmp_path / "x.ckpt", precision="float32")
    result = run("40 ms", tmp_path / "x.ckpt")
    assert result.report.precision == "float32"
    assert_same(result, simulation(precision="float32").run("40 ms"))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"n": 6}, "n is 5 there and 6 here"),
        ({"dt": "0.05 ms"}, "dt is 0.1 ms there and 0.05 ms here"),
        ({"precision": "float32"}, "precision is 'float64' there and 'float32' here"),
        ({"conventions": "nest"}, "conventions is 'dvdt' there and 'nest' here"),
        ({"method": "milstein"}, "method is None there and 'milstein' here"),
        ({"seed": 4}, "seed is 3 there and 4 here"),
        ({"parameters": {**GIVEN, "R": "100 Mohm"}}, r"parameters\['R'\] has another value"),
        ({"parameters": {**GIVEN, "tau": "10 ms"}}, r"parameters\['tau'\] is set only here"),
        ({"state": {"v": "-70 mV"}}, r"state\['v'\] is set only here"),
        ({"record": ["v"]}, "I is recorded only there; output is recorded only there"),
        ({"record": {**RECORD, "v": dvdt.record(neurons=0)}}, "v is recorded at other times or of other neurons"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_checkpoint_of_another_run_is_refused_and_left_alone(changed, named, tmp_path):
    path = tmp_path / "x.ckpt"
    run("20 ms", path)
    before = path.read_bytes()
    with pytest.raises(dvdt.UsageError, match=named):
        run("40 ms", path, **changed)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        ("dv/dt = -v/(10 ms); v(0) = 1", "dv/dt = -v/(11 ms); v(0) = 1", "the state 'v' of the model differs"),
        ("dv/dt = -v/tau : 1; tau = 1 ms", "dv/dt = -v/tau : 1; tau = 2 ms", "the parameter 'tau' of the model differs"),
        (
            "dv/dt = -v/(1 ms) : 1",
            "dv/dt = -v/(1 ms) : 1; spike when v > 1",
            r"the event 'spike' of the model differs \(only here\)",
        ),
        ("dv/dt = -v/(1 ms) : 1; output v", "dv/dt = -v/(1 ms) : 1", "the `output` of the model differs"),
        ("adex", "eif", "its model is 'adex', not 'eif'"),
    ],
)
def test_the_checkpoint_of_another_model_is_refused(one, other, named, tmp_path):
    path = tmp_path / "x.ckpt"
    dvdt.simulate(one, "1 ms", checkpoint=path, backend="reference", seed=1)
    with pytest.raises(dvdt.UsageError, match=named):
        dvdt.simulate(other, "2 ms", checkpoint=path, backend="reference", seed=1)


def test_two_values_are_told_in_the_unit_of_the_model(tmp_path):
    dvdt.simulate("adex", "1 ms", checkpoint=tmp_path / "x.ckpt", backend="reference", parameters={"I": "0.5 nA"})
    with pytest.raises(
        dvdt.UsageError, match=r"parameters\['I'\] is 500 pA there and 600 pA here|is 0\.5 nA there and 0\.6 nA here"
    ):
        dvdt.simulate("adex", "1 ms", checkpoint=tmp_path / "x.ckpt", backend="reference", parameters={"I": "0.6 nA"})


def test_order_and_remarks_do_not_make_another_model(tmp_path):
    path = tmp_path / "x.ckpt"
    dvdt.simulate("dv/dt = -v/tau; tau = 1 ms; v(0) = 1", "1 ms", checkpoint=path, backend="reference", seed=1)
    dvdt.simulate("v(0) = 1  # one\ntau = 1 ms\ndv/dt = -v/tau", "2 ms", checkpoint=path, backend="reference", seed=1)


@pytest.mark.parametrize("every", ["0 ms", "0.01 ms", "3", 5, "-1 s"])
def test_an_interval_that_is_none(every, tmp_path):
    with pytest.raises(dvdt.UsageError, match="every"):
        run("10 ms", tmp_path / "x.ckpt", every=every)
    with pytest.raises(dvdt.UsageError, match="checkpoint="):
        dvdt.simulate(NOISY, "10 ms", every="1 ms", parameters=GIVEN)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("wait", "often"), [(0.0, True), (3600.0, False)])
def test_without_every_it_is_written_after_a_time_of_waiting(wait, often, tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "USUAL", wait)
    monkeypatch.setattr(keeper, "SHARE", 0)
    reached = []
    told = lambda fraction, elapsed: reached.append(dvdt.Simulation.load(tmp_path / "x.ckpt").steps)  # noqa: E731
    run("60 ms", tmp_path / "x.ckpt", every=None, progress=told)
    assert (len(set(reached)) > 1) == often
    assert dvdt.Simulation.load(tmp_path / "x.ckpt").steps == 600


@pytest.mark.parametrize(("writing", "written"), [(1.0, [60, 121, 182]), (10.0, [60, 270, 480])])
def test_files_that_take_long_are_written_less_often(writing, written, tmp_path, monkeypatch):
    """A clock of whole seconds, one a step: a minute between two, or twenty times what the writing took."""
    now, moments = [0.0], []
    monkeypatch.setattr(keeper, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def write(path, goal, step):
        moments.append(now[0])
        now[0] += writing

    kept = keeper.Keeper(tmp_path / "x.ckpt", Goal(last=10_000, every=None), write)
    for step in range(1, 600):
        now[0] += 1.0
        assert kept.reached(step)
    assert moments[:3] == written


def test_a_run_that_stops_being_finite_leaves_the_last_checkpoint(tmp_path):
    text = "dv/dt = v^2/(1 mV*ms); v(0) = 0.1 mV"
    with pytest.raises(dvdt.RunError, match="not finite"):
        dvdt.simulate(text, "1 s", method="euler", backend="reference", checkpoint=tmp_path / "x.ckpt", every="1 ms")
    loaded = dvdt.Simulation.load(tmp_path / "x.ckpt")
    assert loaded.t >= 0.009
    assert np.isfinite(loaded.state["v"]).all()
    with pytest.raises(dvdt.RunError, match="not finite"):
        loaded.run("1 s")
    with pytest.raises(dvdt.UsageError, match="has stopped"):
        loaded.save(tmp_path / "y.ckpt")


def test_trouble_after_a_resumption_is_told_with_the_results_of_the_whole(tmp_path):
    text, path = "dv/dt = v^2/(1 mV*ms); v(0) = 0.1 mV", tmp_path / "x.ckpt"
    kwargs = {"method": "euler", "backend": "reference", "record": ["v"]}
    with pytest.raises(dvdt.RunError, match="interrupted"):
        dvdt.simulate(text, "1 s", checkpoint=path, every="1 ms", progress=stopping_at(0.004), **kwargs)
    with pytest.raises(dvdt.RunError, match="not finite") as resumed:
        dvdt.resume(path)
    with pytest.raises(dvdt.RunError, match="not finite") as whole:
        dvdt.simulate(text, "1 s", **kwargs)
    assert resumed.value.result.report.start == 0
    assert np.array_equal(resumed.value.result["v"], whole.value.result["v"])


def test_what_has_no_end_is_not_resumed(tmp_path):
    simulation().save(tmp_path / "x.ckpt")
    with pytest.raises(dvdt.UsageError, match=r"Simulation\.load"):
        dvdt.resume(tmp_path / "x.ckpt")


# ---- kills ---------------------------------------------------------------------------------------

KEPT = """
import sys, time, dvdt
def told(fraction, elapsed):
    print(fraction, flush=True)
    time.sleep(0.02)
dvdt.simulate("adex", "1 s", n=20, seed=5, parameters={"I": dvdt.noise("0.8 nA", "0.1 nA", "5 ms")}, record=["v"],
              backend="reference", dt="1 ms", checkpoint=sys.argv[1], every="50 ms", progress=told)
"""


def test_kill_9_loses_at_most_one_interval(tmp_path):
    path = tmp_path / "x.ckpt"
    child = subprocess.Popen([sys.executable, "-c", KEPT, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        told = next(fraction for fraction in map(float, child.stdout) if fraction >= 0.3)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    assert dvdt.Simulation.load(path).t >= told - 0.05 - 1e-9
    result = dvdt.resume(path)
    noise = dvdt.noise("0.8 nA", "0.1 nA", "5 ms")
    whole = dvdt.simulate("adex", "1 s", n=20, seed=5, parameters={"I": noise}, record=["v"], backend="reference", dt="1 ms")
    assert len(whole.spikes) > 100
    assert_same(result, whole)


SAVING = """
import sys, numpy as np, dvdt
running = dvdt.Simulation("dv/dt = 1/(1 ms)", n=200_000, backend="reference", method="euler", dt="1 ms")
while True:
    running.step()
    running.save(sys.argv[1])
    print(running.steps, flush=True)
"""


def test_a_kill_while_a_file_is_written_leaves_the_old_or_the_new_one(tmp_path):
    path = tmp_path / "x.ckpt"
    for delay in (0.0, 0.003, 0.011):
        child = subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None
            written = next(number for number in map(int, child.stdout) if number >= 3)
            time.sleep(delay)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait(60)
        loaded = dvdt.Simulation.load(path)
        assert loaded.steps >= written
        assert np.array_equal(loaded.state["v"], np.full(200_000, float(loaded.steps)))
    loaded.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.ckpt"]  # what the killed ones left is swept away


# ---- trouble -------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    running = simulation()
    running.run("10 ms")
    running.save(tmp_path / "x.ckpt")
    return tmp_path / "x.ckpt"


def assert_refused(path, words):
    for door, called in ((dvdt.Simulation.load, "load"), (dvdt.resume, "resume")):
        with pytest.raises(dvdt.UsageError, match=words) as caught:
            door(path)
        assert str(caught.value).startswith(f"{called}: ")
    with pytest.raises(dvdt.UsageError, match=words):
        run("20 ms", path)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, saved):
    with pytest.raises(dvdt.UsageError, match="cannot be read: No such file"):
        dvdt.Simulation.load(tmp_path / "missing.ckpt")
    assert_refused(tmp_path, "cannot be read: Is a directory")
    foreign = tmp_path / "notes.txt"
    for content in (b"", b"not ours", b"PK\x03\x04 nearly", json.dumps({"format": "dvdt checkpoint"}).encode()):
        foreign.write_bytes(content)
        assert_refused(foreign, "is damaged, or no file that dvdt wrote")
        assert foreign.read_bytes() == content
    np.savez(tmp_path / "a.npz", v=np.zeros(3))
    assert_refused(tmp_path / "a.npz", "is damaged, or no file that dvdt wrote")
    simulation().run("1 ms").save(tmp_path / "result.npz")
    assert_refused(tmp_path / "result.npz", "is a result; dvdt.load_result reads it")
    with pytest.raises(dvdt.UsageError, match=r"is a checkpoint; dvdt\.Simulation\.load"):
        dvdt.load_result(saved)


def test_a_truncated_file_is_refused(saved):
    whole = saved.read_bytes()
    for length in (1, 100, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        assert_refused(saved, "is damaged")


def test_a_damaged_file_is_refused(saved):
    """One byte of each array is changed; the sums that the file keeps tell."""
    whole = saved.read_bytes()
    with zipfile.ZipFile(saved) as file:
        heads = [entry.header_offset for entry in file.infolist()]
        sizes = [entry.file_size for entry in file.infolist()]
    names = [sum(struct.unpack_from("<HH", whole, head + 26)) for head in heads]  # their lengths, and those of what follows them
    places = [head + 30 + name + size - 1 for head, name, size in zip(heads, names, sizes, strict=True)]
    for place in places:
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(dvdt.UsageError, match="is damaged"):
            dvdt.Simulation.load(saved)


def with_index(path, **changes):
    with np.load(path) as file:
        arrays = dict(file)
    index = json.loads(arrays["index"].tobytes())
    for key, value in changes.items():
        index[key] = value(index[key]) if callable(value) else value
    arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dvdt": "0.0.1"}, "was written by dvdt 0.0.1, and this is dvdt"),
        ({"version": 99}, "was written by another version of dvdt"),
        ({"format": "something"}, "is damaged, or no file that dvdt wrote"),
        ({"scheme": "rk4"}, "its scheme is rk4, not euler_maruyama"),
        ({"arrays": lambda arrays: {name: key for name, key in arrays.items() if name != "v"}}, "v is stored only here"),
        ({"arrays": lambda arrays: {**arrays, "w": arrays["v"]}}, "w is stored only there"),
        ({"arrays": lambda arrays: {**arrays, "v": arrays["k"]}}, "the values of v are of another kind"),
        ({"events": lambda events: {"spike": events["spike"]}}, "its events are spike, not spike, low"),
        ({"rows": lambda rows: {**rows, "v": rows["I"]}}, "damaged"),
        ({"model": {"@": "open", "file": "/etc/passwd"}}, "damaged"),
        ({"model": None}, "damaged"),
        ({"parameters": {"I": {"@": "Uniform", "wrong": 1}}}, "damaged"),
        ({"settings": {}}, "damaged"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_file_that_does_not_fit_is_refused_with_the_difference(changes, words, saved):
    with_index(saved, **changes)
    with pytest.raises(dvdt.UsageError, match=words):
        dvdt.Simulation.load(saved)


def compressed(path):
    with np.load(path) as file:
        arrays = dict(file)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


@pytest.mark.parametrize("other", [compressed, lambda path: None])
def test_no_byte_that_is_changed_ends_in_another_error(other, saved):
    """Readers of archives and of the heads of arrays raise errors of their own: of zlib, tokenize and RuntimeError among them."""
    other(saved)
    whole = saved.read_bytes()
    draw = np.random.default_rng(1)
    with zipfile.ZipFile(saved) as file:
        heads = [entry.header_offset for entry in file.infolist()]
    encrypted = whole.rfind(b"PK\x01\x02") + 8
    for place in (encrypted, *(head + 6 for head in heads[:3]), *draw.integers(0, len(whole), 150)):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << int(draw.integers(8)))]) + whole[place + 1 :])
        with suppress(dvdt.UsageError):
            dvdt.Simulation.load(saved)


def test_a_file_is_never_unpickled(saved):
    with np.load(saved) as file:
        arrays = dict(file)
    arrays["array0"] = np.array([{}], object)
    with saved.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(dvdt.UsageError, match="damaged"):
        dvdt.Simulation.load(saved)


def test_a_full_disk_leaves_the_old_file(saved, monkeypatch):
    """The system refuses in the middle of the file, as it does when the disk is full."""
    before = saved.read_bytes()
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    running = simulation()
    running.run("20 ms")
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
    try:
        with pytest.raises(dvdt.UsageError, match=r"save: .*x\.ckpt cannot be written: File too large"):
            running.save(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["x.ckpt"]
    running.save(saved)
    assert dvdt.Simulation.load(saved).t == pytest.approx(0.02)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up_ends_the_run_with_its_results(tmp_path, monkeypatch):
    path = tmp_path / "x.ckpt"

    def progress(fraction, elapsed):
        if fraction > 0.45:
            monkeypatch.setattr(archive.np, "savez", full)

    with pytest.raises(dvdt.RunError, match=r"stopped at 15 ms of 30 ms.*No space left on device.*\.result") as caught:
        run("30 ms", path, progress=progress, every="5 ms")
    monkeypatch.undo()
    assert_same(caught.value.result, simulation().run("15 ms"))
    assert dvdt.Simulation.load(path).t == pytest.approx(0.01)
    assert_same(dvdt.resume(path), simulation().run("30 ms"))


def test_a_place_that_cannot_be_written_shows_before_the_run(tmp_path):
    made = []
    for path in (tmp_path / "missing" / "x.ckpt", "/proc/x.ckpt"):
        with pytest.raises(dvdt.UsageError, match="cannot be written"):
            run("10 ms", path, progress=lambda fraction, elapsed: made.append(fraction))
        with pytest.raises(dvdt.UsageError, match="cannot be written"):
            simulation().save(path)
    assert not made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "expected a mapping of names"),
        ({"sigma_": 1}, "the model of the checkpoint, model, has no 'sigma_'; did you mean 'sigma'"),
        ({"zzz": 1}, "has no 'zzz'$"),
        ({"sigma": 1}, r"the checkpoint has its value; set it in sim\.parameters\['sigma'\]"),
    ],
)
def test_what_is_given_with_a_file_that_holds_it(given, words, saved):
    with pytest.raises(dvdt.UsageError, match=words):
        dvdt.Simulation.load(saved, parameters=given)


@pytest.mark.parametrize("path", [3, None, "", "a\0b", 1.5, []])
def test_what_is_no_path_is_refused(path):
    doors = [simulation().save, dvdt.Simulation.load, dvdt.resume, simulation().run("1 ms").save, dvdt.load_result]
    for door in doors:
        with pytest.raises(dvdt.UsageError, match="expected a path"):
            door(path)
    if path is not None:
        with pytest.raises(dvdt.UsageError, match="checkpoint: expected a path"):
            run("1 ms", path)


def test_a_device_is_not_replaced_by_a_file(tmp_path):
    """A pipe stands for all that is no file, such as /dev/null: a file that takes its place would be the end of it."""
    pipe = tmp_path / "x.ckpt"
    os.mkfifo(pipe)
    linked = tmp_path / "linked.ckpt"
    linked.symlink_to(pipe)
    for path in (pipe, linked):
        doors = [simulation().save, dvdt.Simulation.load, dvdt.resume, simulation().run("1 ms").save, dvdt.load_result]
        for door in doors:
            with pytest.raises(dvdt.UsageError, match="is no file but a device or a pipe"):
                door(path)
        with pytest.raises(dvdt.UsageError, match=r"checkpoint: .* is no file but a device or a pipe"):
            run("1 ms", path)
    assert pipe.is_fifo()


def test_a_link_stays_one(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "x.ckpt").symlink_to(tmp_path / "disk" / "real.ckpt")
    simulation().save(tmp_path / "x.ckpt")
    assert (tmp_path / "x.ckpt").is_symlink()
    assert dvdt.Simulation.load(tmp_path / "disk" / "real.ckpt").steps == 0
