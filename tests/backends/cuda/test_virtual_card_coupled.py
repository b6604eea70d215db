"""Everything that reads across the population in one kernel, in blocks of the size they have on a GPU, on the virtual card."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

import dvdt

from .virtual.card import Driver, inserted

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
        reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
    ),
    pytest.mark.filterwarnings("ignore:dt is"),
]

TEXT = """
    time in ms
    W : 1 (matrix)
    field = 0.1*total(v)/N + 0.05*mean(v) + 0.01*(largest(v) - smallest(v)) + 0.02*count(v > 0.5)/N
    dv/dt = (I - v - field + matmul(W, near) + (0.1 if any(v > 0.98) else 0))/tau
    near = v if v > 0.7 else 0
    tau = 20; I : 1
    v(0) = 0; won(0) = 0
    each step: won = won + (1 if one_of(spiked) else 0); place = rank(v)
    place(0) = 0
    spike when v > 1: v = 0
"""
STEPS = 14


@pytest.fixture(scope="module")
def card() -> Iterator[Driver]:
    with inserted() as made:
        yield made


@pytest.mark.parametrize(("n", "precision"), [(255, "float64"), (1300, "float64"), (1300, "float32")])
def test_all_that_reads_across_the_population_has_the_bits_of_the_processor(n: int, precision: str, card: Driver) -> None:
    """Less than a block, and several blocks with runs to merge in two rounds: states, spikes, and which neuron was chosen."""
    draws = np.random.default_rng(n)
    parameters = {"I": draws.uniform(0.5, 20.0, n), "W": draws.normal(0, 0.3, (n, n)) / n}
    told = {"n": n, "dt": "1 ms", "seed": 2, "precision": precision, "parameters": parameters, "record": ["v"], "progress": False}
    expected = dvdt.simulate(TEXT, f"{STEPS} ms", backend="cpu", **told)
    got = dvdt.simulate(TEXT, f"{STEPS} ms", backend="cuda", exact_math=True, **told)
    np.testing.assert_array_equal(got["v"], expected["v"])
    for state in ("v", "won", "place"):
        np.testing.assert_array_equal(got.final_state[state], expected.final_state[state])
    np.testing.assert_array_equal(got.spikes.i, expected.spikes.i)
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)
    chosen_from = np.unique(
        got.spikes.t[got.spikes.t < (STEPS - 0.5) * 1e-3]
    )  # those of the last step are chosen from in the next
    assert got.final_state["won"].sum() == len(chosen_from) > 5
    assert sorted(got.final_state["place"]) == list(range(n))
