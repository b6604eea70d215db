"""Whether arrays that are lent on this device are those of the simulation: read and written without a copy, through the CUDA array interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dvdt
from dvdt.backends.cuda.functions import numba_cuda, simulated

Values = NDArray[Any]
Same = Callable[[Values, Values], bool]


def view(values: Any) -> Any:
    """What numba makes of an object with the interface; its simulator knows none, and takes the array itself."""
    return values.array if simulated() else numba_cuda().as_cuda_array(values)


def lent(population: dvdt.Population, ms: float, gpu: dict[str, Any], cpu: dict[str, Any], same: Same) -> Iterator[str]:
    """A run in which v is written in between, there through a view on the device, here in the main memory, beside each other; and a
    recording that stays on the device."""
    there = dvdt.Simulation(population, dt="0.1 ms", seed=3, record={"v": dvdt.record(on="device")}, progress=False, **gpu)
    here = dvdt.Simulation(population, dt="0.1 ms", seed=3, record=["v"], progress=False, **cpu)
    v = view(there.state.on_device("v"))
    for part in (1, 2, 3):
        for sim in (there, here):
            sim.run(f"{ms * part / 10} ms")
        if not same(v.copy_to_host(), here.state["v"]):
            yield f"the view has other values than the CPU, in part {part}"
        new = np.linspace(-65.0, -60.0, population.n)
        v.copy_to_device(new.astype(v.dtype))
        here.state["v"] = new
        for sim in (there, here):
            sim.step(3)
    if not same(there.state["v"], here.state["v"]):
        yield "what was written through the view did not hold"
    recorded = there.result().on_device("v")
    if not same(view(recorded).copy_to_host(), here.result()["v"]):
        yield "the recording on the device has other values than that of the CPU"
