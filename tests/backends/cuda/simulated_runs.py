"""Whatever a person does with a run, done on backend="cuda" and held against the reference, bit for bit: numba's simulator applies the same
functions to the same numbers. `test_cuda` runs this file in a process of its own."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.dsl.cli import main
from dvdt.dsl.run import loop, telling

pytestmark = pytest.mark.filterwarnings("ignore")  # the simulator computes with single NumPy numbers, whose overflows warn

TEXT = """
    tau*dv/dt = E_L - v + R*I + sigma*sqrt(tau)*xi : mV
    tau = 5 ms;  E_L = -70 mV;  R = 100 Mohm;  I = 0.5 nA;  sigma = 2 mV
    v(0) = E_L + i*mV
    k : integer
    each step: k = k + 1
    spike when v > -50 mV: v = -65 mV
    on low when v crosses -60 mV
    refractory 1 ms holding v
    output spiked
"""
COUPLED = """
    dv/dt = (I - v + 0.1*matmul(W, s))/(5 ms) : 1
    s = v - mean(v)
    I = 4
    W : 1 (matrix)
    v(0) = 0.3*i
    spike when v > 1: v = 0
"""
WEIGHTS = np.linspace(-1.0, 1.0, 16).reshape(4, 4)
RECORD = {"v": dvdt.record(every="0.3 ms", neurons=[3, 1]), "k": None, "output": dvdt.record(neurons=slice(1, 3))}


def simulation(backend: str = "cuda", text: str = TEXT, **kwargs: Any) -> dvdt.Simulation:
    usual = {"n": 4, "seed": 3, "record": RECORD, "precision": "float64", "progress": False}
    if text is COUPLED:
        usual |= {"record": ["v", "s"], "parameters": {"W": WEIGHTS}}
    return dvdt.Simulation(text, backend=backend, **{**usual, **kwargs})


def assert_same(got: dvdt.Result, expected: dvdt.Result) -> None:
    assert got.names == expected.names
    for name in expected.names:
        np.testing.assert_array_equal(got.times[name], expected.times[name])
        np.testing.assert_array_equal(got[name], expected[name])
        assert got[name].dtype == expected[name].dtype
    assert list(got.events) == list(expected.events)
    for name, events in expected.events.items():
        np.testing.assert_array_equal(got.events[name].t, events.t)
        np.testing.assert_array_equal(got.events[name].i, events.i)
    for name in expected.final_state:
        np.testing.assert_array_equal(got.final_state[name], expected.final_state[name])


def both(act: Callable[[dvdt.Simulation], Any], **kwargs: Any) -> dvdt.Result:
    """The result on the device after `act`, which is that of the reference."""
    got, expected = (simulation(backend, **kwargs) for backend in ("cuda", "reference"))
    for each in (got, expected):
        act(each)
    assert_same(got.result(), expected.result())
    return got.result()


# ---- running, looking, changing -----------------------------------------------------------------


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_stretches_steps_and_conventions(text: str, conventions: str) -> None:
    def act(sim: dvdt.Simulation) -> None:
        sim.run("1 ms")
        sim.step()
        sim.step(7)
        sim.run("1.3 ms")

    assert len(both(act, text=text, conventions=conventions).spikes) > 3


@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_a_step_tells_who_spiked(text: str) -> None:
    got, expected = simulation(text=text), simulation("reference", text=text)
    found = [(got.step(count), expected.step(count)) for count in [1] * 20 + [10]]
    for mine, theirs in found:
        np.testing.assert_array_equal(mine, theirs)
    assert sum(len(mine) for mine, _ in found) > 2


def test_states_and_parameters_are_read_and_set_in_between() -> None:
    seen: list[Any] = []

    def act(sim: dvdt.Simulation) -> None:
        sim.run("1 ms")
        seen.append(sim.state["v"])
        sim.state["v"] = [-60.0, -61.0, -62.0, -63.0]
        sim.run("1 ms")
        sim.parameters["I"] = "0.5 nA"
        sim.step(5)
        sim.parameters["tau"] = [4.0, 5.0, 6.0, 7.0]  # another kernel
        sim.run("1 ms")
        sim.parameters["tau"] = [7.0, 6.0, 5.0, 4.0]
        sim.state["k"] = "k + 10*i"
        sim.run("1 ms")
        seen.extend([sim.state.si("v"), sim.parameters["I"], sim.parameters["tau"]])

    both(act)
    for mine, theirs in zip(seen[:4], seen[4:], strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    "drive",
    [
        dvdt.TimedSeries(np.linspace(0.0, 1.0, 9), "0.5 ms", unit="nA"),
        dvdt.TimedSeries(np.linspace(0.0, 1.0, 24).reshape(6, 4), "0.7 ms", unit="nA"),
        dvdt.function("0.5 nA*(1 + sin(2*pi*200 Hz*t))"),
        dvdt.noise("0.4 nA", "0.3 nA", "1 ms"),
        dvdt.step("0 nA", "0.9 nA", start="1 ms", stop="3 ms"),
        dvdt.Population("sine_current", parameters={"amplitude": 300, "period": 4}),
    ],
    ids=["series", "one a neuron", "function", "noise", "step", "sender"],
)
def test_what_varies_in_time(drive: Any) -> None:
    def act(sim: dvdt.Simulation) -> None:
        sim.run("2 ms")
        sim.run("3 ms")  # longer tables
        sim.parameters["I"] = "0.1 nA"
        sim.step(3)
        sim.parameters["I"] = drive
        sim.run("1 ms")

    both(act, parameters={"I": drive}, record=["v", "I"])


def test_listed_spike_times() -> None:
    times = dvdt.spike_times([[0.2, 0.7], [], [0.3, 1.9], [0.1]])
    result = both(lambda sim: [sim.run("1 ms"), sim.run("1 ms")], text="spike_times", parameters={"times": times}, record=[])
    assert result.spikes.i.tolist() == [3, 0, 2, 0, 2]


def test_a_matrix_is_replaced() -> None:
    def act(sim: dvdt.Simulation) -> None:
        sim.run("0.5 ms")
        sim.parameters["W"] = WEIGHTS[::-1] * 3
        sim.run("0.5 ms")

    both(act, text=COUPLED)


def test_a_python_function_of_a_parameter() -> None:
    text = "dv/dt = (f(v, 2) - v)/(5 ms) : 1\nf(a, k) : 1\nv(0) = 1 + i"
    both(lambda sim: sim.run("1 ms"), text=text, parameters={"f": lambda a, k: k * a / (1.0 + a * a)}, record=["v"])


def test_two_simulations_at_once() -> None:
    expected = [simulation("reference", seed=seed) for seed in (3, 4)]
    got = [simulation(seed=seed) for seed in (3, 4)]
    for duration in ("1 ms", "0.5 ms", "2 ms"):
        for each in (*got, *expected):
            each.run(duration)
    for mine, theirs in zip(got, expected, strict=True):
        assert_same(mine.result(), theirs.result())


def test_a_result_stays_when_the_simulation_goes_on() -> None:
    sim = simulation()
    first = sim.run("1 ms")
    sim.run("1 ms")
    assert_same(first, simulation("reference").run("1 ms"))


def test_finish_and_what_comes_after_it() -> None:
    got, expected = simulation(), simulation("reference")
    assert_same(got.finish("2 ms"), expected.finish("2 ms"))
    with pytest.raises(dvdt.UsageError, match="has been finished"):
        got.run("1 ms")


@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_without_spikes(text: str) -> None:
    silent, collected = simulation(text=text, spikes=False), simulation(text=text)
    for each in (silent, collected):
        each.run("1 ms")
        each.step(3)
    np.testing.assert_array_equal(silent.result()["v"], collected.result()["v"])
    with pytest.raises(dvdt.UsageError, match="run it with spikes=True"):
        silent.result().spikes  # noqa: B018


def test_exact_spike_times_without_spikes() -> None:
    text = "dv/dt = (30 mV - v)/(2 ms) : mV\nspike when v > 20 mV: v = 0 mV\nrefractory 0.55 ms"
    told = {"text": text, "spike_times": "exact", "state": {"v": "i*mV"}, "record": ["v"]}
    runs = [simulation(backend, spikes=spikes, **told).run("6 ms") for backend, spikes in (("cuda", False), ("reference", True))]
    assert len(runs[1].spikes) > 4
    np.testing.assert_array_equal(runs[0]["v"], runs[1]["v"])


# ---- what a run says ----------------------------------------------------------------------------


def test_the_report_names_what_computed() -> None:
    result = simulation(threads=2).run("1 ms")
    assert (result.report.backend, result.report.device, result.report.threads) == ("cuda", "numba's simulator", 1)
    assert "cuda, float64, on numba's simulator" in str(result)
    assert "thread" not in str(result)
    assert "cuda       ready, on numba's simulator" in str(dvdt.backends())
    assert simulation("cpu", threads=1).run("1 ms").report.device == ""


def test_float32_is_what_is_meant_where_nothing_is_said() -> None:
    assert dvdt.simulate("lif", "1 ms", backend="cuda").report.precision == "float32"


def test_a_step_that_is_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """tau = 1 ms and dt = 2.5 ms: explicit Euler multiplies by -1.5 in each step."""
    told: list[str] = []
    monkeypatch.setattr(telling.warnings, "warn", lambda text, stacklevel: told.append(text))
    result = dvdt.simulate("dv/dt = -v/(1 ms)\nv(0) = 1", "50 ms", dt="2.5 ms", method="euler", n=3, backend="cuda")
    assert [text for text in told if "is longer than euler is stable for in this model, 2 ms" in text]
    assert any("longer than euler is stable for" in note for note in result.report.notes)


def test_looking_ahead_changes_nothing() -> None:
    at_once, by_steps = simulation(method="euler_maruyama"), simulation(method="euler_maruyama")
    at_once.run("3 ms")
    by_steps.step(30)
    assert_same(at_once.result(), by_steps.result())


def test_progress_is_told_up_to_the_end() -> None:
    seen: list[float] = []
    simulation(progress=lambda fraction, elapsed: seen.append(fraction)).run("5 ms")
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_state_that_is_not_finite_ends_the_run() -> None:
    text = "dv/dt = v^2/(1 mV*ms) : mV\nv(0) = i*mV"
    results = []
    for backend in ("cuda", "reference"):
        sim = simulation(backend, text=text, record=["v"], method="euler", n=3)
        with pytest.raises(
            dvdt.RunError, match=r"v of neuron 2 is not finite after the step to .* its last values are"
        ) as caught:
            sim.run("10 ms")
        results.append(caught.value)
        with pytest.raises(dvdt.UsageError, match="has stopped"):
            sim.step()
    assert str(results[0]) == str(results[1])
    np.testing.assert_array_equal(results[0].result["v"], results[1].result["v"])


def _raise(fraction: float, elapsed: float) -> None:
    if fraction >= 0.3:
        raise KeyboardInterrupt


def _interrupt(fraction: float, elapsed: float) -> None:
    if fraction >= 0.3:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("stop", [_raise, _interrupt], ids=["from the callable", "from the keyboard"])
@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_an_interrupted_run_keeps_what_there_is_and_goes_on(text: str, stop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_STEPS", 4)
    sim = simulation(text=text, progress=stop)
    with pytest.raises(dvdt.RunError, match=r"interrupted at .* of 6 ms; the results so far are in \.result") as caught:
        sim.run("6 ms")
    done = sim.steps
    assert 0.3 * 60 <= done < 60
    whole = simulation("reference", text=text)
    assert_same(caught.value.result, whole.run(f"{done * 0.1} ms"))
    sim.step(5)
    whole.step(5)
    assert_same(sim.result(), whole.result())


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("cuda", "cuda"), ("reference", "cuda"), ("cuda", "reference")])
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_a_checkpoint_is_gone_on_with(text: str, precision: str, before: str, after: str, tmp_path: Path) -> None:
    path, drive = tmp_path / "x.ckpt", dvdt.noise(0.3, 0.3, "1 ms") if text is TEXT else 3.0
    given = {"I": drive, **({"W": WEIGHTS} if text is COUPLED else {})}
    whole, begun = (simulation(b, text=text, precision=precision, parameters=given) for b in ("reference", before))
    for each in (whole, begun):
        each.run("0.7 ms")
        each.parameters["I"] = 5.0
        each.step(3)
    begun.save(path)
    begun.step(2)  # what is saved stays what it was
    rest = dvdt.Simulation.load(path, backend=after)
    assert_same(rest.run("0.8 ms"), whole.run("0.8 ms"))
    assert_same(rest.result(), whole.result())
    assert rest.result().report.precision == precision


@pytest.mark.parametrize(("before", "after"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_the_cpu_goes_on_and_is_gone_on_with(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    whole, begun = simulation("cpu"), simulation(before)
    whole.run("4 ms")
    begun.run("2 ms")
    begun.save(path)
    rest = dvdt.Simulation.load(path, backend=after)
    rest.run("2 ms")
    np.testing.assert_allclose(rest.result()["v"], whole.result()["v"], rtol=1e-12)
    np.testing.assert_array_equal(rest.result().spikes.i, whole.result().spikes.i)


def test_a_run_that_keeps_checkpoints_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    kwargs: dict[str, Any] = {"n": 4, "seed": 3, "record": RECORD, "checkpoint": path, "every": "2 ms"}
    with pytest.raises(dvdt.RunError, match=r"dvdt\.resume\("):
        dvdt.simulate(TEXT, "20 ms", backend="cuda", precision="float64", progress=_raise, **kwargs)
    assert_same(dvdt.resume(path, progress=False), simulation("reference").run("20 ms"))
    assert_same(dvdt.resume(path, backend="reference"), simulation("reference").run("20 ms"))


def test_a_precision_of_its_own_is_refused_and_one_left_open_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    dvdt.simulate(TEXT, "1 ms", n=4, seed=3, record=RECORD, checkpoint=path, backend="reference")
    with pytest.raises(dvdt.UsageError, match="precision is 'float64' there and 'float32' here"):
        dvdt.simulate(TEXT, "2 ms", n=4, seed=3, record=RECORD, checkpoint=path, backend="cuda", precision="float32")
    result = dvdt.simulate(TEXT, "2 ms", n=4, seed=3, record=RECORD, checkpoint=path, backend="cuda")
    assert (result.report.backend, result.report.precision) == ("cuda", "float64")
    assert_same(result, simulation("reference").run("2 ms"))


def test_saved_and_pickled_results(tmp_path: Path) -> None:
    sim = simulation()
    result = sim.run("3 ms")
    result.save(tmp_path / "r.npz")
    sent = pickle.dumps(result)
    sim.run("1 ms")
    expected = simulation("reference").run("3 ms")
    for read in (dvdt.load_result(tmp_path / "r.npz"), pickle.loads(sent)):
        assert_same(read, expected)
        assert read.report.device == "numba's simulator"


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, out = str(tmp_path / "x.ckpt"), str(tmp_path / "r.npz")
    told = ["run", "lif", "--n", "3", "--set", "I=1nA", "--record", "v", "--backend", "cuda", "--checkpoint", kept]
    assert main([*told, "--duration", "3ms"]) == 0
    assert "cuda, float32, on numba's simulator" in capsys.readouterr().out
    assert main([*told, "--duration", "6ms", "--out", out]) == 0
    assert "gone on from" in capsys.readouterr().out
    expected = dvdt.simulate(
        "lif", "6 ms", n=3, parameters={"I": "1 nA"}, record=["v"], backend="reference", precision="float32", seed=1
    )
    assert_same(dvdt.load_result(out), expected)
    assert main(["resume", kept, "--backend", "cuda"]) == 0
    exact = ["--backend", "cuda", "--exact-math", "--precision", "float64"]
    assert main(["run", "lif", "--duration", "1ms", *exact]) == 0
    assert "cuda, float64" in capsys.readouterr().out


def test_only_what_was_changed_goes_to_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a closed loop that sets an array each step, the states stay where they are."""
    sim = simulation(parameters={"I": [0.3, 0.4, 0.5, 0.6]}, record=[])
    sim.step(2)
    device = sim._assembly.memory.device
    homes: list[bool] = []
    bring_home = type(device).bring_home
    monkeypatch.setattr(type(device), "bring_home", lambda self: homes.append(self.ahead) or bring_home(self))
    sim.parameters["I"] = [0.6, 0.5, 0.4, 0.3]
    assert not any(homes)
    changed = {name for name in sim._assembly.memory.changed if not name.startswith("@")}
    assert changed == {"I"}
    sim.step()
    assert sim._assembly.memory.changed == set()
    sim.state["k"] = 5
    assert any(homes)
    assert sim._assembly.memory.changed == {"k"}
    sim.step()
