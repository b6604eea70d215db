"""Arrays on the device that others read and write without a copy, on numba's simulator: its arrays lie in the main memory, so that NumPy takes
the part of CuPy. `test_cuda` runs this file in a process of its own."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.dsl.run.on_device import OnDevice

pytestmark = pytest.mark.filterwarnings("ignore")  # the simulator computes with single NumPy numbers, whose overflows warn

TEXT = """
    dv/dt = (I - v)/tau : mV
    du/dt = -u/(5 ms) : V
    tau = 5 ms;  I = 30 mV
    v(0) = i*mV;  u(0) = 0.002 V
    k : integer;  on_ : boolean
    each step:
        k = k + 1
        on_ = v > 10 mV
    spike when v > 20 mV: v = 0 mV
"""
COUPLED = "dv/dt = (2 - v + 0.1*total(v))/(5 ms) : 1\nv(0) = 0.1*i\nm = mean(v)\nspike when v > 1: v = 0"


def view(values: Any) -> Any:
    """What CuPy makes of an object with the CUDA array interface."""
    found = values.__cuda_array_interface__
    assert found["version"] == 3
    assert found["stream"] is None

    class Pointer:
        def __init__(self) -> None:
            self.__array_interface__ = {key: value for key, value in found.items() if key != "stream"}

    return np.asarray(Pointer())


def simulation(backend: str = "cuda", text: str = TEXT, **kwargs: Any) -> dvdt.Simulation:
    usual = {"n": 5, "record": ["v"], "precision": "float64", "progress": False, "seed": 1}
    return dvdt.Simulation(text, backend=backend, **{**usual, **kwargs})


def as_here(act: Callable[[dvdt.Simulation, Callable[[str, Any], None]], None], **kwargs: Any) -> None:
    """`act`, which sets states with its second argument, by a view of the device and by sim.state of the reference: the same in the end."""
    results = []
    for backend in ("cuda", "reference"):
        sim = simulation(backend, **kwargs)
        views = {name: view(sim.state.on_device(name)) for name in sim.state if name != "u"} if backend == "cuda" else None

        def put(name: str, values: Any, sim: Any = sim, views: Any = views) -> None:
            if views is None:
                sim.state[name] = values
            else:
                views[name][:] = values

        act(sim, put)
        results.append(sim.result())
        if views is not None:
            for name in views:
                np.testing.assert_array_equal(views[name], sim.state[name])
    got, expected = results
    for name in expected.names:
        np.testing.assert_array_equal(got[name], expected[name])
    for name in expected.final_state:
        np.testing.assert_array_equal(got.final_state[name], expected.final_state[name])
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)


# ---- states -------------------------------------------------------------------------------------


def test_a_state_is_told_and_copied() -> None:
    sim = simulation()
    v = sim.state.on_device("v")
    assert isinstance(v, OnDevice)
    assert (v.unit, v.shape, v.dtype) == ("mV", (5,), np.float64)
    assert repr(v) == "OnDevice('v' in mV, 5, float64)"
    np.testing.assert_array_equal(v.copy_to_host(), np.arange(5.0))
    sim.run("3 ms")
    np.testing.assert_array_equal(v.copy_to_host(), sim.state["v"])
    assert sim.state.on_device("k").dtype == np.int64
    assert (sim.state.on_device("on_").dtype, sim.state.on_device("on_").unit) == (np.float64, "boolean")


@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_the_array_stays_the_same_one(text: str) -> None:
    sim = simulation(text=text)
    v = sim.state.on_device("v")
    place = v.__cuda_array_interface__["data"]
    for act in (
        lambda: sim.run("1 ms"),
        lambda: sim.step(),
        lambda: sim.step(4),
        lambda: sim.state.__setitem__("v", 0.5 if text is COUPLED else "3 mV"),
        lambda: sim.run("0.7 ms"),
    ):
        act()
        assert v.__cuda_array_interface__["data"] == place
        assert sim.state.on_device("v").__cuda_array_interface__["data"] == place
        np.testing.assert_array_equal(view(v), sim.state["v"])


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_what_is_written_holds_from_the_next_step_on(text: str, conventions: str) -> None:
    def act(sim: dvdt.Simulation, put: Callable[[str, Any], None]) -> None:
        put("v", np.linspace(0.0, 1.0, 5))
        sim.run("1 ms")
        put("v", np.linspace(0.9, 0.2, 5))
        sim.step()
        put("v", np.linspace(0.9, 0.1, 5))
        sim.run("0.5 ms")
        put("v", np.full(5, 0.5))

    as_here(act, text=text, record=["v"] if text is TEXT else ["v", "m"], conventions=conventions)


def test_what_is_set_here_and_there_both_hold() -> None:
    def act(sim: dvdt.Simulation, put: Callable[[str, Any], None]) -> None:
        sim.run("1 ms")
        put("v", [1.0, 2.0, 3.0, 4.0, 5.0])
        sim.state["k"] = 100
        sim.step()
        put("k", 7)
        sim.parameters["I"] = "40 mV"
        put("v", 2.5)
        sim.run("1 ms")
        sim.state["v"] = "1.5 mV"
        put("k", [1, 2, 3, 4, 5])
        sim.run("1 ms")

    as_here(act)


def test_a_result_stays_what_it_was() -> None:
    sim = simulation()
    v = view(sim.state.on_device("v"))
    first = sim.run("1 ms")
    before = v.copy()
    v[:] = 3.0
    np.testing.assert_array_equal(first.final_state["v"], before)
    np.testing.assert_array_equal(sim.state["v"], np.full(5, 3.0))


def test_a_checkpoint_has_what_was_written(tmp_path: Any) -> None:
    sim = simulation()
    sim.run("1 ms")
    view(sim.state.on_device("v"))[:] = 4.0
    sim.save(tmp_path / "x.ckpt")
    np.testing.assert_array_equal(dvdt.Simulation.load(tmp_path / "x.ckpt").state["v"], np.full(5, 4.0))


def test_another_kernel_has_other_arrays() -> None:
    sim = simulation()
    v = sim.state.on_device("v")
    sim.run("1 ms")
    sim.parameters["tau"] = [4.0, 5.0, 6.0, 7.0, 8.0]
    for look in (lambda: v.__cuda_array_interface__, lambda: v.copy_to_host()):
        with pytest.raises(dvdt.UsageError, match=r"v: another kernel runs by now, .* ask sim\.state\.on_device anew"):
            look()
    np.testing.assert_array_equal(sim.state.on_device("v").copy_to_host(), sim.state["v"])


def test_a_unit_that_is_not_computed_in_has_to_be_named() -> None:
    sim = simulation()
    with pytest.raises(
        dvdt.UsageError, match=r"u is declared in V and computed in mV, .* unit='mV'; sim\.state\['u'\] is a copy in V"
    ):
        sim.state.on_device("u")
    for unit in ("mV", "pA/nS"):
        u = sim.state.on_device("u", unit=unit)
        assert u.unit == unit
        np.testing.assert_allclose(view(u), 1e3 * sim.state["u"], rtol=1e-15)
    for unit, words in (("V", "computed in mV, not in V"), ("pA", "is a current"), ("flub", "is no unit"), (3, "is no unit")):
        with pytest.raises(dvdt.UsageError, match=words):
            sim.state.on_device("u", unit=unit)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_elsewhere_states_lie_in_the_main_memory(backend: str) -> None:
    with pytest.raises(dvdt.UsageError, match=r"states lie in the main memory, and sim\.state\['v'\] is it"):
        simulation(backend).state.on_device("v")
    with pytest.raises(dvdt.UsageError, match="there is no state 'w'"):
        simulation(backend).state.on_device("w")


def test_a_chunk_that_is_made_again_leaves_the_arrays_where_they_are() -> None:
    """A neuron fires in every step, so that chunks have more spikes than there is room for."""
    for text in ("x(0) = 0\neach step: x = x + 1\nspike when x > 0", "x(0) = 0\neach step: x = x + total(1)/5\nspike when x > 0"):
        sim = simulation(text=text, record=[])
        x = view(sim.state.on_device("x"))
        sim.run("1.2 ms")
        np.testing.assert_array_equal(x, np.full(5, 12.0))
        assert len(sim.result().spikes) == 60


# ---- recordings ---------------------------------------------------------------------------------

ASKED = {"v": dvdt.record(every="0.3 ms", on="device"), "k": dvdt.record(neurons=[1, 3], on="device"), "on_": None}


def recorded(name: str, sim: dvdt.Simulation) -> None:
    """What a test does with a simulation."""
    sim.run("1 ms")
    if name == "changed":
        sim.state["v"] = "5 mV"
        sim.state["k"] = 100
    sim.run("2 ms")
    sim.step(3)


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
@pytest.mark.parametrize("name", ["run", "changed"])
def test_recordings_on_the_device_are_those_of_the_main_memory(name: str, conventions: str) -> None:
    here = {name: dvdt.record(every=each.every, neurons=each.neurons) if each else None for name, each in ASKED.items()}
    got, expected = (
        simulation(record=ASKED, conventions=conventions),
        simulation("reference", record=here, conventions=conventions),
    )
    parts = []
    for sim in (got, expected):
        first = sim.run("0.5 ms")
        recorded(name, sim)
        parts.append((first, sim.result()))
    for mine, theirs in zip(*parts, strict=True):
        for each in here:
            np.testing.assert_array_equal(mine.times[each], theirs.times[each])
            np.testing.assert_array_equal(mine[each], theirs[each])
            assert mine[each].dtype == theirs[each].dtype
        for each in ("v", "k"):
            np.testing.assert_array_equal(view(mine.on_device(each)), theirs[each])
    values = parts[0][1].on_device("v")
    assert repr(values) == f"OnDevice('v' in mV, {len(parts[1][1]['v'])} x 5, float64)"
    assert "recorded   v [mV]" in str(parts[0][1])


@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_one_call_gives_its_recording(text: str) -> None:
    result = dvdt.simulate(text, "2 ms", n=5, backend="cuda", record={"v": dvdt.record(on="device")}, progress=False)
    expected = dvdt.simulate(text, "2 ms", n=5, backend="reference", precision="float32", record=["v"])
    values = result.on_device("v")
    assert (values.shape, values.dtype) == ((21, 5), np.float32)
    np.testing.assert_array_equal(view(values), expected["v"])
    np.testing.assert_array_equal(values.copy_to_host(), expected["v"])
    np.testing.assert_array_equal(result["v", 3], expected["v", 3])


def test_files_hold_recordings_of_the_device(tmp_path: Any) -> None:
    sim, whole = simulation(record=ASKED), simulation("reference", record=["v"])
    first = sim.run("1 ms")
    first.save(tmp_path / "r.npz")
    assert np.array_equal(dvdt.load_result(tmp_path / "r.npz")["v"], first["v"])
    assert np.array_equal(pickle.loads(pickle.dumps(first))["k"], first["k"])
    sim.save(tmp_path / "x.ckpt")
    expected = whole.run("2 ms")["v"][::3]
    for backend in ("cuda", "reference"):
        rest = dvdt.Simulation.load(tmp_path / "x.ckpt", backend=backend)
        rest.run("1 ms")
        np.testing.assert_array_equal(rest.result()["v"], expected)
        if backend == "cuda":
            np.testing.assert_array_equal(view(rest.result().on_device("v")), expected)


def test_a_recording_in_a_unit_that_is_not_computed_in() -> None:
    result = simulation(record={"u": dvdt.record(on="device")}).run("1 ms")
    with pytest.raises(dvdt.UsageError, match=r"result\.on_device\('u'\): u is declared in V and computed in mV"):
        result.on_device("u")
    np.testing.assert_allclose(view(result.on_device("u", unit="mV")), 1e3 * result["u"], rtol=1e-15)
    assert result["u"][0, 0] == 0.002


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
@pytest.mark.parametrize(("every", "neurons"), [(None, []), ("50 ms", None)], ids=["of nobody", "of hardly a moment"])
def test_recordings_of_nothing(every: Any, neurons: Any, conventions: str) -> None:
    told = {"conventions": conventions, "text": TEXT}
    got = simulation(record={"v": dvdt.record(every, neurons, on="device")}, **told)
    expected = simulation("reference", record={"v": dvdt.record(every, neurons)}, **told)
    for mine, theirs in ((got.result(), expected.result()), (got.run("0.5 ms"), expected.run("0.5 ms"))):
        assert mine.on_device("v").shape == mine["v"].shape == theirs["v"].shape
        np.testing.assert_array_equal(mine["v"], theirs["v"])


def test_what_cannot_stay_on_the_device_is_refused() -> None:
    for record, words in (
        ({"v": dvdt.record(on="gpu")}, "expected 'device', or None"),
        ({"v": dvdt.record(neurons=[3, 1], on="device")}, "in ascending order"),
    ):
        with pytest.raises(dvdt.UsageError, match=words):
            simulation(record=record)
    with pytest.raises(dvdt.UsageError, match=r"recordings lie in the main memory, and result\['v'\] is it"):
        simulation("reference", record={"v": dvdt.record(on="device")})
    result = simulation().run("1 ms")
    with pytest.raises(dvdt.UsageError, match=r"lies in the main memory, and result\['v'\] is it; .*dvdt\.record\(on='device'\)"):
        result.on_device("v")
    with pytest.raises(dvdt.UsageError, match="was not recorded"):
        result.on_device("w")


def test_a_recording_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that has 1 kB left, of which the recording would take 10 rows of 5 neurons more than that."""
    from dvdt.backends import held

    monkeypatch.setattr(held, "simulated", lambda: False)
    monkeypatch.setattr(held, "free_memory", lambda wanted: 1000)
    sim = simulation(record={"v": dvdt.record(on="device")})
    with pytest.raises(dvdt.UsageError, match=r"the recording of v \(36 rows of 5 neurons\) needs .* on the GPU"):
        sim.run("3.5 ms")
    assert simulation(record={"v": dvdt.record(on="device")}).run("2 ms")["v"].shape == (21, 5)


# ---- the page that tells of them ----------------------------------------------------------------

PAGE = Path(__file__).parents[3] / "docs" / "cuda.md"
BLOCK = re.compile(r"(?P<skipped><!-- not run: .* -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom, for few neurons; but for those that need another package and a card, which are at least Python."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    text, made = PAGE.read_text(encoding="utf-8").replace("1_000_000", "20"), 0
    for match in BLOCK.finditer(text):
        if match["language"] == "python":
            code = compile("\n" * text.count("\n", 0, match.start("text")) + match["text"], "docs/cuda.md", "exec")
            if not match["skipped"]:
                exec(code, names)
                made += 1
    assert made >= 6
