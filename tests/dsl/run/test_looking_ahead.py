"""What is looked at before a run is a copy: the run is the one that it would have been."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt.dsl.run.linearised import some

TEXT = """
dv/dt = (I - v)/tau + s*xi : 1
tau = 5 ms; s = 0.3/ms^0.5; I = 1
v(0) = 0.1*i
spike when v > 1: v = 0
refractory 2 ms holding v
"""


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_few_are_a_copy_of_their_own(backend: str) -> None:
    drive = dvdt.TimedSeries(np.linspace(0, 2, 60).reshape(3, 20), "1 ms")
    simulation = dvdt.Simulation(TEXT, n=20, seed=1, backend=backend, parameters={"I": drive}, record=["v"])
    simulation.run("1 ms")
    memory, kernel = simulation._assembly.place(), simulation._assembly.kernel
    before = memory.reals.copy()
    few = some(kernel, memory, 8)
    assert few.n == 8
    np.testing.assert_array_equal(few.stored(kernel, "v")[[0, -1]], memory.stored(kernel, "v")[[0, -1]])
    simulation._assembly.build().advance(few, 10, 40, 1)
    np.testing.assert_array_equal(memory.reals, before)
    assert not any(few.workers is other for other in (memory.workers,))
    assert not np.array_equal(few.stored(kernel, "v")[[0, -1]], memory.stored(kernel, "v")[[0, -1]])
    assert few.series["I"].shape == (3, 8)


@pytest.mark.parametrize(
    "text", [TEXT, TEXT.replace("I - v", "I - v + 0.1*mean(v)"), TEXT.replace("I - v", "I - v + f(v)") + "\nf(v) : 1"]
)
def test_a_run_at_once_is_the_run_step_by_step(text: str) -> None:
    """The one looks ahead for an eighth of its steps, the other for none."""
    given = {"f": lambda v: 0.1 * v} if "f(v)" in text else {}
    runs = [dvdt.Simulation(text, n=20, seed=3, parameters=given) for _ in range(2)]
    runs[0].run("20 ms")
    for _ in range(200):
        runs[1].step()
    np.testing.assert_array_equal(runs[0].state["v"], runs[1].state["v"])
    np.testing.assert_array_equal(runs[0].result().spikes.t, runs[1].result().spikes.t)
