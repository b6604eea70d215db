"""The CUDA backend on numba's simulator, a thread of Python for each thread of a device; `test_cuda` runs this file in a process of its own."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends import reference
from dvdt.backends.cuda import device as cuda_device
from dvdt.backends.cuda import pace as cuda_pace
from dvdt.backends.cuda import program as cuda
from dvdt.backends.cuda import spikes
from dvdt.backends.memory import Recording
from dvdt.dsl.compile import Structure, compile_model

pytestmark = pytest.mark.filterwarnings("ignore")  # the simulator computes with single NumPy numbers, whose overflows warn

DOUBLE, SINGLE = np.dtype(np.float64), np.dtype(np.float32)


def events(memory: Any) -> list[list[tuple[int, int]]]:
    return [
        sorted((int(s), int(i)) for steps, neurons in pairs for s, i in zip(steps, neurons, strict=True))
        for pairs in memory.spikes
    ]


@pytest.mark.parametrize("precision", [DOUBLE, SINGLE])
def test_steps_agree_with_the_reference(case: Any, precision: np.dtype[Any]) -> None:
    """In two chunks, with every probe recorded: the reference applies the same functions to the same numbers, so all bits are equal."""
    expected, got = case.memory(37, precision.name), case.memory(37, precision.name)
    for memory in (expected, got):
        for probe in case.kernel.probes:
            kind = {"real": precision, "integer": np.int64, "boolean": np.bool_}[probe.kind.value]
            values = np.zeros((2, 3), kind)
            memory.recordings.append(Recording(probe.name, 3, 0, np.array([0, 5, 36]), values))
    oracle, program = reference.build(case.kernel, precision), cuda.build(case.kernel, precision)
    for first, last in ((0, 2), (2, 5)):
        oracle.advance(expected, first, last)
        assert program.advance(got, first, last).done == last
    for each, memory in ((oracle, expected), (program, got)):
        each.record(memory, 5)
    got.bring_home()
    np.testing.assert_array_equal(got.reals, expected.reals)
    np.testing.assert_array_equal(got.integers, expected.integers)
    assert events(got) == events(expected)
    for a, b in zip(got.recordings, expected.recordings, strict=True):
        np.testing.assert_array_equal(a.values, b.values)


def test_what_is_written_in_between_is_taken_over(cases: Any) -> None:
    case = cases["adex"]()
    oracle, program = reference.build(case.kernel, DOUBLE), cuda.build(case.kernel, DOUBLE)
    expected, got = case.memory(9), case.memory(9)
    for each, memory in ((oracle, expected), (program, got)):
        each.advance(memory, 0, 3)
        memory.row(case.kernel, "v")[4] += 5.0
        each.advance(memory, 3, 6)
    got.bring_home()
    np.testing.assert_array_equal(got.reals, expected.reals)


@pytest.mark.parametrize("name", ["coupled", "driven"])
def test_more_spikes_than_room_are_made_again(name: str, cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A neuron has more spikes in a chunk than its list has places: the chunk is void, and made again in shorter ones."""
    monkeypatch.setattr(spikes, "MOST", 1)
    monkeypatch.setattr(spikes, "FEWEST", 1)
    monkeypatch.setattr(cuda_pace.Pace, "__post_init__", lambda pace: setattr(pace, "steps", 5))
    case = cases[name]()
    expected, got = case.memory(6), case.memory(6)
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 8)
    program = cuda.build(case.kernel, DOUBLE)
    program.advance(got, 0, 8)
    assert program.settle(got).pace.steps < 5
    assert events(got) == events(expected)
    assert max(np.bincount([neuron for _, neuron in listed]).max() for listed in events(got)) > 1


@pytest.mark.parametrize("name", ["izhikevich", "coupled"])
def test_what_is_not_finite_is_found(name: str, cases: Any) -> None:
    case = cases[name]()
    program, memory = cuda.build(case.kernel, DOUBLE), case.memory(12)
    assert program.advance(memory, 0, 3).trouble is None
    memory.row(case.kernel, case.kernel.guarded[0])[[7, 11]] = np.nan
    outcome = program.advance(memory, 3, 5)
    assert outcome.done == 3
    assert outcome.trouble is not None
    assert (outcome.trouble.step, outcome.trouble.neuron) == (3, 7 if name == "izhikevich" else 0)
    assert outcome.trouble.array == case.kernel.guarded[0]


def test_the_first_of_several_explosions_is_told(cases: Any) -> None:
    case = cases["squared"]()
    memory = case.memory(8)
    memory.row(case.kernel, "x")[[1, 5, 6, 7]] = 1e5, 1e10, -1e10, 1e3
    outcome = cuda.build(case.kernel, DOUBLE).advance(memory, 0, 30)
    assert outcome.trouble is not None
    assert (outcome.done, outcome.trouble.neuron, outcome.trouble.array) == (4, 5, "x")
    np.testing.assert_allclose(outcome.trouble.recent, [1e10, 1e20, 1e40, 1e80, 1e160, np.inf], rtol=1e-13)


def test_functions_from_outside_are_called() -> None:
    """A Python function in an equation, on the simulator as in the reference."""
    model = dvdt.Model(
        "dv/dt = (f(v, 2) - v)/(10 ms) : 1\nf(a, k) : 1\nv(0) = i", parameters={"f": lambda a, k: k * a / (1.0 + a * a)}
    )
    states = [
        dvdt.simulate(model, "1 ms", n=3, method="euler", backend=b, precision="float64").final_state["v"]
        for b in ("reference", "cuda")
    ]
    np.testing.assert_array_equal(*states)


def doubled(x: float) -> float:
    return 2.0 * math.exp(x)


def test_functions_that_call_others_and_those_that_read_arrays() -> None:
    text, table = "dv/dt = (f(v) - v)/(10 ms) : 1\nf(a) : 1\nv(0) = i/10", np.ones(3)
    told: dict[str, Any] = {"n": 3, "method": "euler", "precision": "float64"}
    given = {"f": lambda a: doubled(a) + 1.0}
    states = [dvdt.simulate(text, "1 ms", backend=b, parameters=given, **told).final_state["v"] for b in ("reference", "cuda")]
    np.testing.assert_allclose(*states, rtol=1e-14)
    with pytest.raises(dvdt.UsageError, match='f reads an array, and on a GPU no index is checked; backend="cpu"'):
        dvdt.simulate(text, "1 ms", backend="cuda", parameters={"f": lambda a: table[int(a)]}, **told)


class CUDAError(Exception):
    """As NVIDIA's packages raise it."""


def test_a_device_that_is_too_small_or_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs in a UsageError, in the middle in a RunError that has the results so far."""
    told: dict[str, Any] = {"dt": "0.1 ms", "method": "exact", "backend": "cuda", "precision": "float64", "record": "v"}
    sim = dvdt.Simulation("dv/dt = -v/(10 ms); v(0) = 1", n=2, progress=False, **told)
    launch = cuda_device.Device._launch

    def fails(*given: object) -> None:
        raise CUDAError("CUDA_ERROR_OUT_OF_MEMORY: The API call failed")

    with monkeypatch.context() as changed:
        changed.setattr(cuda_device.Device, "__init__", fails)
        with pytest.raises(dvdt.UsageError, match="backend='cuda': the memory of the GPU is full"):
            sim.run("40 ms")

    def fails_later(device: Any, first: int, *more: Any) -> Any:
        if first >= 256:
            raise CUDAError("CUDA_ERROR_LAUNCH_FAILED: an exception occurred on the device")
        return launch(device, first, *more)

    with monkeypatch.context() as changed:
        changed.setattr(cuda_device.Device, "_launch", fails_later)
        with pytest.raises(dvdt.RunError, match=r"the GPU stopped in a kernel .*, after 25\.6 ms; the results") as failed:
            sim.run("40 ms")
    np.testing.assert_allclose(failed.value.result["v"][:, 0], np.exp(-np.arange(256) / 100), rtol=1e-12)
    with pytest.raises(dvdt.UsageError, match="this simulation has stopped: the GPU stopped in a kernel"):
        sim.run("1 ms")


def distinct() -> list[str]:
    """The models of the library, of several that differ in their numbers alone the first."""
    found: dict[object, str] = {}
    for model in dvdt.models():
        checked = dvdt.model(model.name).checked
        found.setdefault(replace(compile_model(checked, Structure()).kernel, name=""), model.name)
    return list(found.values())


@pytest.mark.parametrize("name", distinct())
def test_library_models_agree_with_the_reference(name: str) -> None:
    """A run of a few steps with drive enough to spike where the model can, recording every state."""
    model = dvdt.model(name)
    given: dict[str, object] = {
        p.name: np.full((3, 3), 0.25) if "matrix" in p.flags else 1.0
        for p in model.checked.parameters
        if {"matrix", "required"} & p.flags
    }
    given |= {e.name: dvdt.spike_times([[0.2, 0.7], [], [0.3]]) for e in model.checked.externals}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [
            dvdt.simulate(
                model,
                "1.5 ms",
                dt="0.1 ms",
                n=3,
                seed=3,
                backend=backend,
                precision="float64",
                parameters=given,
                record=list(model.states),
            )
            for backend in ("reference", "cuda")
        ]
    expected, got = results
    for state in model.states:
        np.testing.assert_allclose(got[state], expected[state], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)
    np.testing.assert_array_equal(got.spikes.i, expected.spikes.i)


@pytest.mark.parametrize("n", [1, 32, 33, 70])
def test_two_neurons_of_a_thread(n: int) -> None:
    """Where draws are shared a thread makes two neurons, of which the second may not be there: states, recordings and spikes of each."""
    text = "dv/dt = (-v + push)/tau + sigma*sqrt(2/tau)*xi : mV (unless refractory)\n"
    text += "tau = 2 ms; sigma = 9 mV; push : mV\nspike when v > 6 mV: v = -2 mV\nrefractory 0.2 ms"
    told: dict[str, Any] = {
        "n": n,
        "seed": 4,
        "parameters": {"push": np.linspace(0.0, 9.0, n)},
        "record": {"v": dvdt.record(neurons=sorted({0, n // 2, n - 1}), every="0.2 ms")},
        "precision": "float64",
        "progress": False,
    }
    expected, got = (dvdt.simulate(text, "1 ms", dt="0.1 ms", backend=name, **told) for name in ("reference", "cuda"))
    np.testing.assert_array_equal(got["v"], expected["v"])
    np.testing.assert_array_equal(got.spikes.i, expected.spikes.i)
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)
    assert n < 70 or (got.spikes.i >= 32).any()
