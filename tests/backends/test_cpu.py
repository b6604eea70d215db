"""The CPU backend against the reference, and against itself where its results must not change."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dvdt.backends import machine_code, reference
from dvdt.backends.cpu import program as cpu

DOUBLE = np.dtype(np.float64)
SINGLE = np.dtype(np.float32)


def small_blocks(kernel: Any, precision: Any) -> cpu.CpuProgram:
    return cpu.build(kernel, precision, block=64)


def events(memory: Any) -> list[list[tuple[int, int]]]:
    """The events of each list, by step and neuron."""
    merged = []
    for pairs in memory.spikes:
        merged.append(sorted((int(s), int(i)) for steps, neurons in pairs for s, i in zip(steps, neurons, strict=True)))
    return merged


def assert_same(left: Any, right: Any) -> None:
    """The same bits everywhere."""
    assert left.reals.tobytes() == right.reals.tobytes()
    assert left.integers.tobytes() == right.integers.tobytes()
    assert events(left) == events(right)
    for a, b in zip(left.recordings, right.recordings, strict=True):
        assert a.values.tobytes() == b.values.tobytes()


@pytest.mark.parametrize("n", [1, 77, 192])
def test_a_step_agrees_with_the_reference(case: Any, n: int) -> None:
    """From the same state, step after step."""
    oracle, program = reference.build(case.kernel, DOUBLE), small_blocks(case.kernel, DOUBLE)
    expected, got = case.memory(n), case.memory(n)
    for step in range(25):
        got.reals[:], got.integers[:] = expected.reals, expected.integers
        oracle.advance(expected, step, step + 1)
        program.advance(got, step, step + 1, threads=1)
        np.testing.assert_allclose(got.reals, expected.reals, rtol=case.tolerance, atol=case.tolerance)
        np.testing.assert_array_equal(got.integers, expected.integers)
    assert events(got) == events(expected)


@pytest.mark.parametrize("name", ["lif", "adex", "noisy", "driven"])
def test_single_precision_agrees_with_the_reference(name: str, cases: Any) -> None:
    case = cases[name]()
    oracle, program = reference.build(case.kernel, SINGLE), small_blocks(case.kernel, SINGLE)
    expected, got = case.memory(100, "float32"), case.memory(100, "float32")
    assert got.reals.dtype == SINGLE
    scale = np.abs(expected.reals).max() + 1
    for step in range(10):
        got.reals[:], got.integers[:] = expected.reals, expected.integers
        oracle.advance(expected, step, step + 1)
        program.advance(got, step, step + 1, threads=1)
        np.testing.assert_allclose(got.reals, expected.reals, rtol=2e-6, atol=2e-6 * scale)


def run_in_parts(case: Any, program: Any, threads: int, edges: tuple[int, ...]) -> Any:
    memory = case.memory(1333)
    for first, last in pairwise(edges):
        assert program.advance(memory, first, last, threads).done == last
    return memory


def test_results_do_not_depend_on_threads_or_chunks(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "WORTH_A_THREAD", 1)
    program = small_blocks(case.kernel, DOUBLE)
    whole = run_in_parts(case, program, 1, (0, 60))
    for threads, edges in ((2, (0, 60)), (1, (0, 31, 60)), (3, (0, 7, 8, 60))):
        assert_same(run_in_parts(case, program, threads, edges), whole)


@pytest.mark.parametrize("name", ["lif", "coupled"])
def test_results_do_not_depend_on_the_size_of_a_block(name: str, cases: Any) -> None:
    case = cases[name]()
    small, large = (cpu.build(case.kernel, DOUBLE, block=block) for block in (64, 512))
    assert_same(run_in_parts(case, small, 1, (0, 60)), run_in_parts(case, large, 1, (0, 60)))


@pytest.mark.parametrize("name", ["lif", "coupled", "driven"])
def test_recordings_agree_with_the_reference_and_change_nothing(name: str, cases: Any, record: Any) -> None:
    case, steps, n = cases[name](), 20, 700
    plain, recorded, expected = case.memory(n), case.memory(n), case.memory(n)
    for memory in (recorded, expected):
        for index, probe in enumerate(case.kernel.probes):
            memory.recordings.append(record(case, probe.name, steps, range(n)))
            memory.recordings.append(record(case, probe.name, steps, [0, 3, 63, 64, 699], every=3, start=index))
            memory.recordings.append(record(case, probe.name, steps, []))
    program = small_blocks(case.kernel, DOUBLE)
    program.advance(plain, 0, steps, threads=1)
    for first, last in ((0, 13), (13, steps)):
        program.advance(recorded, first, last, threads=2)
    program.record(recorded, steps)
    oracle = reference.build(case.kernel, DOUBLE)
    oracle.advance(expected, 0, steps)
    oracle.record(expected, steps)
    assert recorded.reals.tobytes() == plain.reals.tobytes()
    for got, wanted in zip(recorded.recordings, expected.recordings, strict=True):
        np.testing.assert_allclose(got.values, wanted.values, rtol=1e-9, atol=1e-9)
        assert len(got.neurons) < n or got.values[-1].any()


def test_a_full_spike_buffer_loses_nothing(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    n, steps = 300, 200
    plenty, tight = case.memory(n), case.memory(n)
    program = small_blocks(case.kernel, DOUBLE)
    program.advance(plenty, 0, steps, threads=1)
    monkeypatch.setattr(cpu, "CAPACITY", 1)
    program.advance(tight, 0, steps, threads=1)
    assert_same(tight, plenty)
    if "spike" in case.kernel.events:
        assert len(tight.spikes[-1]) > len(plenty.spikes[-1])


@pytest.mark.parametrize("build", [small_blocks, reference.build])
@pytest.mark.parametrize("name", ["izhikevich", "coupled"])
def test_what_is_not_finite_is_found(build: Any, name: str, cases: Any) -> None:
    case = cases[name]()
    program = build(case.kernel, DOUBLE)
    memory = case.memory(1200)
    state = memory.row(case.kernel, case.kernel.guarded[0])
    assert program.advance(memory, 0, 5, 1).trouble is None
    state[[700, 1100]] = np.nan
    outcome = program.advance(memory, 5, 40, 1)
    assert outcome.done == 5
    assert outcome.trouble is not None
    assert (outcome.trouble.step, outcome.trouble.neuron) == (5, 700 if name == "izhikevich" else 0)
    assert outcome.trouble.array == case.kernel.guarded[0]
    assert all(step < 5 for step, _ in events(memory)[0])


def test_the_first_of_several_explosions_is_told(cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """x is squared each step: 1e10 becomes 1e20, 1e40, 1e80, 1e160 and then infinite, in the step of number 4."""
    monkeypatch.setattr(cpu, "WORTH_A_THREAD", 1)
    case = cases["squared"]()
    for build in (small_blocks, reference.build):
        memory = case.memory(900)
        memory.row(case.kernel, "x")[[100, 500, 501, 800]] = 1e5, 1e10, -1e10, 1e3
        outcome = build(case.kernel, DOUBLE).advance(memory, 0, 30, 2)
        assert outcome.trouble is not None
        assert (outcome.done, outcome.trouble.step, outcome.trouble.neuron, outcome.trouble.array) == (4, 4, 500, "x")
        np.testing.assert_allclose(outcome.trouble.recent, [1e10, 1e20, 1e40, 1e80, 1e160, np.inf], rtol=1e-13)
        # one neuron of another block explodes one step later; what it did up to then is kept, later events are void
        assert {step for step, _ in events(memory)[0]} == set(range(4))


def test_the_loop_is_a_vector_loop(cases: Any) -> None:
    """Arithmetic on whole vectors, as wide as the machine has them."""
    from llvmlite import binding

    if not binding.get_host_cpu_features().get("avx2"):
        pytest.skip("this processor has other vectors")
    for precision, suffix in ((DOUBLE, "pd"), (SINGLE, "ps")):
        case = cases["adex"]()
        text = machine_code.assembly(cpu.generated(case.kernel, precision))
        packed = [line for line in text.splitlines() if f"vfmadd213{suffix}" in line or f"vfmadd231{suffix}" in line]
        assert any("ymm" in line or "zmm" in line for line in packed)


def _double(number: int) -> int:
    return 2 * number


def test_fork_after_threads(cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "WORTH_A_THREAD", 1)
    case = cases["lif"]()
    small_blocks(case.kernel, DOUBLE).advance(case.memory(2000), 0, 20, threads=2)
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork on this system")
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map_async(_double, [1, 2]).get(timeout=20) == [2, 4]


def test_blocks_are_powers_of_two(cases: Any) -> None:
    with pytest.raises(ValueError, match="power of two"):
        cpu.build(cases["lif"]().kernel, DOUBLE, block=100)


def test_kernels_of_one_shape_share_their_code(cases: Any) -> None:
    """What stands in the name, or is worked out once a run, is not compiled."""
    kernel = cases["two_compartments"]().kernel
    small_blocks(kernel, DOUBLE)
    other = small_blocks(replace(kernel, name="another", prologue=()), DOUBLE)
    assert not other.compiled
