"""Chunks of the CUDA backend on numba's simulator: two at once, void ones, short lists, small buffers; all of it against the reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends import reference
from dvdt.backends.cuda import device as cuda_device
from dvdt.backends.cuda import pace as cuda_pace
from dvdt.backends.cuda import program as cuda
from dvdt.backends.cuda import recordings, spikes
from dvdt.backends.memory import Recording, recorded_as

pytestmark = pytest.mark.filterwarnings("ignore")  # the simulator computes with single NumPy numbers, whose overflows warn

DOUBLE, SINGLE = np.dtype(np.float64), np.dtype(np.float32)


@contextmanager
def chunks(steps: int = 1 << 20, places: int = 64, recorded: int = 1 << 20) -> Iterator[list[tuple[int, int]]]:
    """Chunks have `steps` steps, lists `places` places, buffers for recordings so many bytes. The chunks that are launched are noted."""
    launched: list[tuple[int, int]] = []
    launch = cuda_device.Device._launch

    def noted(device: Any, first: int, last: int, *more: Any, **others: Any) -> Any:
        launched.append((first, last))
        return launch(device, first, last, *more, **others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_device.Device, "_launch", noted)
        patch.setattr(spikes, "MOST", places)
        patch.setattr(spikes, "FEWEST", 1)
        patch.setattr(recordings, "RECORDED_BYTES", recorded)
        patch.setattr(cuda_pace, "MOST_STEPS", steps)
        patch.setattr(cuda_pace.Pace, "__post_init__", lambda pace: setattr(pace, "steps", steps))
        patch.setattr(cuda_pace, "SECONDS", 1e9)
        yield launched


def record(case: Any, memory: Any, steps: int, every: int, start: int, neurons: list[int]) -> None:
    """Record all probes."""
    for probe in case.kernel.probes:
        rows = max(0, -(-(steps + 1 - start) // every))
        values = np.zeros((rows, len(neurons)), recorded_as(probe.kind, memory.precision))
        memory.recordings.append(Recording(probe.name, every, start, np.array(neurons), values))


def in_order(memory: Any) -> list[list[tuple[int, ...]]]:
    """Events by step, then neuron, from a stable sort by step: within a chunk they have to come by neuron, then step."""
    found = []
    for listed in memory.spikes:
        events = [event for rows in listed for event in zip(*(row.tolist() for row in rows), strict=True)]
        found.append(sorted(events, key=lambda event: event[0]))
    return found


def same(got: Any, expected: Any) -> None:
    got.bring_home()
    np.testing.assert_array_equal(got.reals, expected.reals)
    np.testing.assert_array_equal(got.integers, expected.integers)
    assert in_order(got) == in_order(expected)
    for a, b in zip(got.recordings, expected.recordings, strict=True):
        np.testing.assert_array_equal(a.values, b.values)


# ---- lengths of chunks, lists and buffers -------------------------------------------------------


@pytest.mark.parametrize(("every", "start"), [(1, 0), (3, 2), (7, 0), (40, 11)])
@pytest.mark.parametrize("name", ["lif", "izhikevich", "driven", "noisy"])
def test_chunks_of_any_length_agree_with_the_reference(name: str, every: int, start: int, cases: Any) -> None:
    """Recordings that are due more often and less often than a chunk is long, and that begin behind the first chunks."""
    case = cases[name]()
    expected, got = case.memory(9), case.memory(9)
    for memory in (expected, got):
        record(case, memory, 23, every, start, [0, 3, 8])
    oracle, program = reference.build(case.kernel, DOUBLE), cuda.build(case.kernel, DOUBLE)
    with chunks(steps=4) as launched:
        for each, memory in ((oracle, expected), (program, got)):
            assert each.advance(memory, 0, 9).done == 9
            assert each.advance(memory, 9, 23).done == 23
            each.record(memory, 23)
    assert launched[:7] == [(0, 4), (4, 8), (8, 9), (9, 13), (13, 17), (17, 21), (21, 23)]
    same(got, expected)


def test_recordings_that_fill_their_buffers_shorten_the_chunks(cases: Any) -> None:
    case = cases["lif"]()
    expected, got = case.memory(9), case.memory(9)
    for memory in (expected, got):
        record(case, memory, 12, 1, 0, list(range(9)))
    row = sum(recording.values.dtype.itemsize * 9 for recording in got.recordings)
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 12)
    with chunks(recorded=5 * row) as launched:
        cuda.build(case.kernel, DOUBLE).advance(got, 0, 12)
    assert launched == [(0, 5), (5, 10), (10, 12)]
    same(got, expected)


def test_a_neuron_that_fires_at_every_step(cases: Any) -> None:
    """A list of three places holds three steps, so chunks become that long and are never void again."""
    case = cases["always"]()
    expected, got = case.memory(11), case.memory(11)
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 17)
    with chunks(steps=8, places=3) as launched:
        cuda.build(case.kernel, DOUBLE).advance(got, 0, 17)
    same(got, expected)
    assert launched[:4] == [(0, 8), (8, 16), (0, 3), (3, 6)]
    assert launched[2:] == [(first, min(17, first + 3)) for first in range(0, 17, 3)]


def test_a_void_chunk_voids_the_one_in_flight_behind_it(cases: Any) -> None:
    """The second chunk runs over when the third is launched already; both are made again, the third from where the second ended."""
    case = cases["burst"]()
    expected, got = case.memory(5), case.memory(5)
    for memory in (expected, got):
        record(case, memory, 24, 2, 0, [1, 4])
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 24)
    with chunks(steps=8, places=4) as launched:
        cuda.build(case.kernel, DOUBLE).advance(got, 0, 24)
    assert launched[:4] == [(0, 8), (8, 16), (16, 24), (8, 11)]
    same(got, expected)


def test_a_list_of_one_place_ends_in_single_steps(cases: Any) -> None:
    case = cases["always"]()
    expected, got = case.memory(3), case.memory(3)
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 6)
    with chunks(steps=4, places=1) as launched:
        cuda.build(case.kernel, DOUBLE).advance(got, 0, 6)
    same(got, expected)
    assert launched[-1] == (5, 6)


# ---- values that are not finite ------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("precision", [DOUBLE, SINGLE])
def test_what_is_not_finite_in_a_chunk_in_flight(steps: int, precision: Any, cases: Any) -> None:
    """Wherever the chunks end: the neuron, the step and the last values, and all that was recorded and listed before, are the reference's."""
    case = cases["squared"]()
    oracle, program = reference.build(case.kernel, precision), cuda.build(case.kernel, precision)
    memories = case.memory(8, precision.name), case.memory(8, precision.name)
    for memory in memories:
        memory.row(case.kernel, "x")[:] = [0.5, 1.0001, 0.1, 0.9, 1.0, 1.001, 1.00011, 0.3]
    with chunks(steps=steps) as launched:
        expected, got = oracle.advance(memories[0], 0, 40), program.advance(memories[1], 0, 40)
    assert expected.trouble is not None
    assert got.trouble is not None
    assert (got.done, got.trouble.array, got.trouble.neuron, got.trouble.step) == (
        *(expected.done, expected.trouble.array, expected.trouble.neuron),
        expected.trouble.step,
    )
    first = max(first for first, last in launched if last - first == min(steps, 40) and first <= got.done)
    assert len(got.trouble.recent) == min(8, got.done - first + 2)  # of what was before the chunk nothing is known any more
    np.testing.assert_array_equal(got.trouble.recent, expected.trouble.recent[-len(got.trouble.recent) :])
    memories[1].bring_home()
    np.testing.assert_array_equal(memories[1].reals, memories[0].reals)
    assert in_order(memories[1]) == in_order(memories[0])


def test_a_run_that_explodes_keeps_its_results() -> None:
    """x' = x^2 from 1/20 ms reaches infinity at 20 ms; until then it is 1/(20 ms - t)."""
    model = dvdt.Model("dx/dt = x**2/ms : 1\nx(0) = 0.05\nspike when x > 0.2 : x = x")
    told: dict[str, Any] = {"dt": "0.05 ms", "method": "rk4", "precision": "float64", "n": 3, "record": "x"}
    failures = []
    for backend in ("reference", "cuda"):
        with chunks(steps=37, places=500), pytest.raises(dvdt.RunError) as failure:
            dvdt.simulate(model, "30 ms", backend=backend, **told)
        failures.append(failure.value)
    expected, got = failures
    (got_start, _, got_end), (start, _, end) = str(got).partition("values are"), str(expected).partition("values are")
    assert got_start == start
    assert got_end[-100:] == end[-100:]  # how many values are told depends on where a chunk began, and so on the clock
    np.testing.assert_array_equal(got.result["x"], expected.result["x"])
    np.testing.assert_array_equal(got.result.spikes.t, expected.result.spikes.t)
    times = np.arange(300) * 0.05
    np.testing.assert_allclose(got.result["x"][:300, 0], 1 / (20 - times), rtol=1e-5)


# ---- where the state lies, and what it takes -----------------------------------------------------


def test_the_state_stays_where_it_is(cases: Any) -> None:
    """After an odd and after an even number of chunks, so that a view of it shows what is there now."""
    case = cases["adex"]()
    expected, got = case.memory(5), case.memory(5)
    oracle, program = reference.build(case.kernel, DOUBLE), cuda.build(case.kernel, DOUBLE)
    view = program.settle(got).lend("v")
    with chunks(steps=2):
        for first, last in ((0, 2), (2, 6), (6, 7)):
            oracle.advance(expected, first, last)
            program.advance(got, first, last)
            np.testing.assert_array_equal(view.copy_to_host(), expected.row(case.kernel, "v"))


def test_everything_is_counted_before_anything_is_allocated(cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run takes on the device is what was asked for beforehand: no more, and not much less."""
    case = cases["driven"]()
    memory = case.memory(3000)
    record(case, memory, 4, 1, 0, list(range(0, 3000, 2)))
    monkeypatch.setattr(recordings, "RECORDED_BYTES", 2 * 1500 * 8)
    monkeypatch.setattr(spikes, "ROOM", 1 << 14)
    taken = 0
    for name in ("device_array", "to_device"):
        make = getattr(cuda_device.numba_cuda(), name)

        def counted(*given: Any, make: Any = make, **more: Any) -> Any:
            nonlocal taken
            made = make(*given, **more)
            taken += made.nbytes
            return made

        monkeypatch.setattr(cuda_device.numba_cuda(), name, counted)
    device = cuda.build(case.kernel, DOUBLE).settle(memory)
    for chunk in device.chunks:
        chunk.recordings.prepare(0, 3)
    assert 0.9 * device.needed < taken <= device.needed


def test_what_does_not_fit_is_refused_with_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(get_memory_info=lambda: (20_000_000, 40_000_000), memory_manager=None)
    monkeypatch.setattr(cuda_device.numba_cuda(), "current_context", lambda: context)
    allocated = []
    monkeypatch.setattr(cuda_device.numba_cuda(), "device_array", lambda *given, **more: allocated.append(given))
    with pytest.raises(
        dvdt.UsageError, match=r"1000000 neurons of lif need 0\.\d\d GB on the GPU, 0\.02 GB are free: take fewer neurons"
    ):
        dvdt.simulate("lif", "1 ms", n=1_000_000, backend="cuda")
    assert allocated == []


# ---- spikes between the points of the grid -------------------------------------------------------

REFRACTORY = dvdt.Model(
    """
    dv/dt = (1.2 + J(t) - v)/tau : 1 (unless refractory)
    tau = 10 ms
    spike when v > 1: v = 0
    refractory 2 ms
    on high when v > 0.5: v = v
    """,
    parameters={"J": dvdt.TimedSeries([0.5, 2.0, 0.1, 3.0], "4 ms")},
)
EXACT = {
    "refractory": (REFRACTORY, {"state": {"v": np.array([0.0, 0.3, 0.95])}}),
    "adex": (dvdt.model("adex"), {"parameters": {"I": dvdt.uniform("2 nA", "4 nA")}}),
    "lif": (dvdt.model("lif"), {"parameters": {"I": dvdt.uniform("30 nA", "90 nA")}, "method": "exact"}),
}


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_spike_times_agree_with_the_reference(name: str, precision: str) -> None:
    """The reference applies the same functions to the same numbers; the events that stay on the grid are told as such."""
    model, given = EXACT[name]
    told = {"dt": "0.3 ms", "n": 3, "seed": 5, "spike_times": "exact", "precision": precision, "record": "v", **given}
    expected = dvdt.simulate(model, "12 ms", backend="reference", **told)
    with chunks(steps=9, places=12) as launched:
        got = dvdt.simulate(model, "12 ms", backend="cuda", **told)
    assert len(launched) > 4
    np.testing.assert_array_equal(got["v"], expected["v"])
    assert set(got.events) == set(expected.events)
    for event in got.events:
        np.testing.assert_array_equal(got.events[event].t, expected.events[event].t)
        np.testing.assert_array_equal(got.events[event].i, expected.events[event].i)
    between = got.spikes.t / 0.3e-3 % 1
    assert len(between) > 2
    assert np.ptp(between) > 0.1
