"""Chunks, lists and buffers on the virtual card, which does what lies in streams late and in an order drawn by chance: the CPU's bits."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends.cuda import pace as cuda_pace
from dvdt.backends.cuda import recordings, spikes

from .virtual.card import Driver, inserted

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
        reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
    ),
    pytest.mark.filterwarnings("ignore:dt is"),
]


@pytest.fixture(scope="module")
def card() -> Iterator[Driver]:
    with inserted() as made:
        yield made


N = 300
BURSTING = """
    dv/dt = (a - v)/(5 ms) : 1
    a = 1 + 3*(t % (10 ms) > 6 ms)*(i % 7)
    v(0) = i/N
    spike when v > 0.99: v = 0
    on low when v < 0.2
"""


def run(backend: str, text: str, **given: Any) -> Any:
    more = {"exact_math": True} if backend == "cuda" else {}
    recorded = {"v": dvdt.record(every="0.3 ms", neurons=[0, 17, 255, 256, 299])}
    return dvdt.simulate(
        text, "25 ms", dt="0.1 ms", n=N, seed=3, precision="float64", backend=backend, record=recorded, **given, **more
    )


def short(patch: pytest.MonkeyPatch, steps: int, places: int) -> None:
    """Chunks of `steps` steps, lists of `places` places, little room for what is gathered, buffers of ten rows."""
    patch.setattr(cuda_pace.Pace, "__post_init__", lambda pace: setattr(pace, "steps", steps))
    patch.setattr(cuda_pace, "MOST_STEPS", steps)
    patch.setattr(cuda_pace, "SECONDS", 1e9)
    patch.setattr(spikes, "MOST", places)
    patch.setattr(spikes, "ROOM", 8)
    patch.setattr(recordings, "RECORDED_BYTES", 10 * 5 * 8)


def same(got: Any, expected: Any) -> None:
    np.testing.assert_array_equal(got["v"], expected["v"])
    np.testing.assert_array_equal(got.final_state["v"], expected.final_state["v"])
    for event in expected.events:
        np.testing.assert_array_equal(got.events[event].t, expected.events[event].t)
        np.testing.assert_array_equal(got.events[event].i, expected.events[event].i)


@pytest.mark.parametrize("seed", range(2))
def test_void_chunks_in_flight(seed: int, card: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bursts run over the lists now and then, while the next chunk is in flight."""
    short(monkeypatch, steps=40, places=6)
    void = []
    ran_over = cuda_pace.Pace.ran_over
    monkeypatch.setattr(cuda_pace.Pace, "ran_over", lambda *given: (void.append(given[1:]), ran_over(*given)))
    card.queue.chance = np.random.default_rng(seed)
    same(run("cuda", BURSTING), run("cpu", BURSTING))
    assert void


def test_exact_spike_times(card: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "dv/dt = (1.2 + i/N - v)/(5 ms) : 1 (unless refractory)\nspike when v > 1: v = 0\nrefractory 1.3 ms\non high when v > 0.9"
    )
    short(monkeypatch, steps=50, places=40)
    same(run("cuda", text, spike_times="exact"), run("cpu", text, spike_times="exact"))


@pytest.mark.parametrize("steps", [7, 100])
def test_a_value_that_is_not_finite(steps: int, card: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The neuron that explodes first does so at 20 ms; all spikes and recordings before are there."""
    text = "dx/dt = x**2/ms : 1\nx(0) = 0.05*i/N\nv = x : 1\nspike when x > 0.2: x = x"
    short(monkeypatch, steps, places=100)
    failures = []
    for backend in ("cuda", "cpu"):
        with pytest.raises(dvdt.RunError) as failure:
            run(backend, text, method="rk4")
        failures.append(failure.value)
    got, expected = failures
    assert str(got).partition("values are")[0] == str(expected).partition("values are")[0]
    np.testing.assert_array_equal(got.result["v"], expected.result["v"])
    np.testing.assert_array_equal(got.result.spikes.t, expected.result.spikes.t)
