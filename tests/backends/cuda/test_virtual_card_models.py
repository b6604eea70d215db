"""Every distinct kernel of the library on a virtual card, host code and all: the CPU's bits with exact mathematics, else near them."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends.cuda.functions import LIBRARY
from dvdt.backends.kernel import Kernel
from dvdt.dsl.compile import Structure, compile_model

from ...stdlib_models.strong_inputs import STRONG
from .virtual.card import Driver, inserted

if (
    importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None
):  # before the models are looked at
    pytest.skip('needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"', allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:dt is")

N = 300  # neurons: more than one block of threads


@pytest.fixture(scope="module")
def card() -> Iterator[Driver]:
    with inserted() as made:
        yield made


@functools.cache
def distinct() -> dict[str, Kernel]:
    """The models of the library, of several that differ in their numbers alone the first."""
    found: dict[Kernel, str] = {}
    for model in dvdt.models():
        checked = dvdt.model(model.name).checked
        found.setdefault(replace(compile_model(checked, Structure()).kernel, name=""), model.name)
    return {name: kernel for kernel, name in found.items()}


@functools.cache
def with_functions() -> list[str]:
    """Those that call functions, draw random numbers, or ask for the time: for the others, mathematics makes no difference."""
    told = {name: repr((kernel.phases, kernel.probes)) for name, kernel in distinct().items()}
    wanted = [*(f"'{operation}'" for operation in LIBRARY), "Draw(", "'@t'", "'@t_next'"]
    return [name for name, text in told.items() if any(part in text for part in wanted)]


def given(name: str) -> dict[str, object]:
    """Drive enough to spike where the model can, another one for each neuron."""
    model = dvdt.model(name).checked
    found: dict[str, object] = {p.name: 1.0 for p in model.parameters if "required" in p.flags}
    found |= {p.name: np.random.default_rng(2).normal(0, 1, (N, N)) / N for p in model.parameters if "matrix" in p.flags}
    if name in STRONG:
        parameter, strong = STRONG[name]
        found[parameter] = np.linspace(0, 1, N) * strong
    return found | {e.name: dvdt.spike_times([[0.2, 0.7, 11], [], [0.3, 5, 30]] * (N // 3)) for e in model.externals}


def run(name: str, backend: str, precision: str, **more: Any) -> Any:
    return dvdt.simulate(
        name,
        "40 ms",
        n=N,
        seed=3,
        backend=backend,
        precision=precision,
        parameters=given(name),
        record=list(dvdt.model(name).states),
        **more,
    )


def spikes(result: Any) -> set[tuple[float, int]]:
    found = set(zip(result.spikes.t.tolist(), result.spikes.i.tolist(), strict=True))
    assert len(found) == len(result.spikes.t)
    return found


def differing(one: Any, other: Any) -> set[int]:
    """The neurons that spike at other times."""
    return {neuron for _, neuron in spikes(one) ^ spikes(other)}


def assert_same_bits(got: Any, expected: Any, states: Iterable[str]) -> None:
    for state in states:
        np.testing.assert_array_equal(got[state], expected[state], err_msg=state)
        np.testing.assert_array_equal(got.final_state[state], expected.final_state[state])
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)
    np.testing.assert_array_equal(got.spikes.i, expected.spikes.i)


@pytest.mark.parametrize("name", [name for name in distinct() if name not in with_functions()])
def test_exact_mathematics_has_the_bits_of_the_processor(name: str, card: Driver) -> None:
    assert_same_bits(run(name, "cuda", "float64", exact_math=True), run(name, "cpu", "float64"), dvdt.model(name).states)


@pytest.mark.parametrize("name", with_functions())
def test_either_mathematics_in_both_precisions(name: str, card: Driver) -> None:
    """With exact mathematics the bits of the processor. Else, with functions of NVIDIA's library and sums drawn together with products, its
    spikes in float64, and in float32 not many more neurons with others than on the processor. What a rounding grows to in 40 ms the
    processor's own float32 tells, which rounds 2^29 times as coarsely as float64; four times that is allowed."""
    states = list(dvdt.model(name).states)
    double, single = (run(name, "cpu", precision) for precision in ("float64", "float32"))
    for expected in (double, single):
        assert_same_bits(run(name, "cuda", "float64" if expected is double else "float32", exact_math=True), expected, states)
    finer, coarser = (run(name, "cuda", precision) for precision in ("float64", "float32"))
    assert spikes(finer) == spikes(double)
    hanging = differing(single, double), differing(coarser, double)
    assert len(hanging[1]) <= 2 * len(hanging[0]) + 3
    firm = np.array([neuron not in hanging[0] | hanging[1] for neuron in range(N)])
    for state in states:
        truth = double[state].astype(float)
        scale = np.abs(truth).max() + np.finfo(float).tiny
        grown = np.abs(single[state] - truth)[:, firm].max(initial=0) + 2.0**-20 * scale
        np.testing.assert_allclose(coarser[state][:, firm], truth[:, firm], rtol=0, atol=4 * grown, err_msg=state)
        np.testing.assert_allclose(finer[state][:, firm], truth[:, firm], rtol=0, atol=4 * grown * 2.0**-29, err_msg=state)
