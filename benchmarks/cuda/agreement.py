"""Whether the CUDA backend is right on this device: every model of the library, and what only many neurons, blocks and chunks can show.

float64 with `exact_math` is held against the CPU bit for bit and against the reference to tolerance; float32 as it is run by default against
the reference in its first millisecond and in its number of spikes; three runs of it have to be the same.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dvdt
from dvdt.backends.cuda.functions import simulated

from ..cases import CASES, drive, start
from ..coupled import FIELD, INTEGRATE_AND_FIRE, LATERAL, ONE_SPIKE
from . import arrays

EXACT: Mapping[str, Any] = {"backend": "cuda", "precision": "float64", "exact_math": True}
CPU: Mapping[str, Any] = {"backend": "cpu", "precision": "float64"}


@dataclass(frozen=True)
class Extent:
    """How much is computed: neurons and time (ms) of each model, of what needs several blocks, and of what needs very many."""

    n: int
    ms: float
    blocks: int
    many: int
    steps: int


FULL = Extent(n=64, ms=20.0, blocks=20_000, many=1_000_003, steps=20_000)
TINY = Extent(n=3, ms=0.8, blocks=35, many=40, steps=40)  # for numba's simulator


def models() -> list[str]:
    return [row.name for row in dvdt.models()]


def model(name: str, extent: Extent) -> Iterator[str]:
    """What is wrong with one model of the library; nothing where all is well."""
    found = dvdt.model(name)
    given: dict[str, Any] = {
        p.name: np.full((extent.n, extent.n), 0.5 / extent.n) if "matrix" in p.flags else 1.0
        for p in found.checked.parameters
        if {"matrix", "required"} & p.flags
    }
    given |= {e.name: dvdt.spike_times([[0.2, 0.7], *[[]] * (extent.n - 2), [0.3]]) for e in found.checked.externals}
    told: dict[str, Any] = {"n": extent.n, "seed": 5, "parameters": given, "record": list(found.states), "dt": "0.1 ms"}

    def run(**how: Any) -> dvdt.Result:
        return dvdt.simulate(found, f"{extent.ms} ms", progress=False, **told, **how)

    expected, rounded = (run(backend="reference", precision=precision) for precision in ("float64", "float32"))
    exact = run(**EXACT)
    yield from differences(exact, run(**CPU), found.states, "float64 with exact_math, beside the CPU")
    for state in found.states:
        scale = np.nanmax(np.abs(np.asarray(expected[state], float)), initial=1e-6)
        if not np.allclose(exact[state], expected[state], rtol=1e-7, atol=1e-7 * scale, equal_nan=True):
            yield f"{state}: float64 with exact_math is not the reference's"
    first, *again = [run(backend="cuda") for _ in range(3)]
    for other in again:
        yield from differences(other, first, found.states, "float32, two runs of the same")
    early = slice(0, 11)
    for state in found.states:
        wanted, here, near = (np.asarray(result[state][early], float) for result in (expected, first, rounded))
        rounding = np.nanmax(np.abs(near - wanted), initial=0.0)
        scale = np.nanmax(np.abs(wanted), initial=1e-6)
        if not np.allclose(here, wanted, rtol=0, atol=8 * rounding + 1e-6 * scale, equal_nan=True):
            yield f"{state}: float32 leaves the reference within 1 ms by more than the reference in float32 does"
    if abs(len(first.spikes.t) - len(expected.spikes.t)) > 0.05 * len(expected.spikes.t) + 2:
        yield f"{len(first.spikes.t)} spikes in float32, {len(expected.spikes.t)} in the reference"


def differences(got: dvdt.Result, expected: dvdt.Result, recorded: Any, what: str) -> Iterator[str]:
    """Where two results are not the same to the bit."""
    for name in recorded:
        one, other = np.asarray(got[name]), np.asarray(expected[name])
        if one.shape != other.shape:
            yield f"{what}: {name} has shape {one.shape}, not {other.shape}"
        elif not _same(one, other):
            apart = np.abs(one.astype(float) - other.astype(float))
            place = np.unravel_index(int(np.nanargmax(np.where(one == other, -1.0, apart))), one.shape)
            yield f"{what}: {name} differs by up to {np.nanmax(apart):.3g} in {np.count_nonzero(one != other)} values, as at {place}"
    for name in got.final_state:
        if not _same(np.asarray(got.final_state[name]), np.asarray(expected.final_state[name])):
            yield f"{what}: the final state of {name} differs"
    if not (np.array_equal(got.spikes.t, expected.spikes.t) and np.array_equal(got.spikes.i, expected.spikes.i)):
        yield f"{what}: the spikes differ ({len(got.spikes.t)} and {len(expected.spikes.t)})"


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """To the bit; the simulator rounds sums and products like NumPy, not like the CPU."""
    if simulated() and one.dtype.kind == "f":
        close = 1e-9 if one.dtype == np.float64 else 1e-4
        return np.allclose(one, other, rtol=close, atol=close, equal_nan=True)
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


# ---- what models of 64 neurons do not show ------------------------------------------------------


def _alike(text: object, ms: float, record: Any = (), **told: Any) -> Iterator[str]:
    """The same to the bit on the GPU and on the CPU."""
    runs = [
        dvdt.simulate(text, f"{ms} ms", dt="0.1 ms", seed=3, progress=False, record=record, **told, **how) for how in (EXACT, CPU)
    ]
    yield from differences(runs[0], runs[1], record, "beside the CPU")


def _population(name: str, n: int) -> dvdt.Population:
    case = CASES[name]
    return dvdt.Population(case.text, n, parameters={"I": drive(case, n)}, state={"v": start(case, n)})


def draws(extent: Extent) -> Iterator[str]:
    """Uniform draws have the bits of the reference, normal draws those of the CPU, in both precisions and by either mathematics."""
    text = "x(0) = 0; y(0) = 0\neach step: x = rand(); y = randn()"
    told: dict[str, Any] = {"n": extent.blocks // 10, "seed": 7, "record": ["x", "y"], "progress": False}
    for precision in ("float64", "float32"):
        plain, cpu = (dvdt.simulate(text, "2 ms", backend=b, precision=precision, **told) for b in ("reference", "cpu"))
        for exact in (True, False):
            got = dvdt.simulate(text, "2 ms", backend="cuda", precision=precision, exact_math=exact, **told)
            what = f"{precision}, exact_math={exact}"
            if not np.array_equal(got["x"], plain["x"]):
                yield f"uniform draws are not the reference's, {what}"
            if not _same(np.asarray(got["y"]), np.asarray(cpu["y"])):
                yield f"normal draws are not the CPU's, {what}"


def blocks(extent: Extent) -> Iterator[str]:
    """Many blocks of threads, the last one not full."""
    for name in ("lif", "adex", "hodgkin_huxley", "noise"):
        for found in _alike(_population(name, extent.blocks), extent.ms, {"v": dvdt.record(neurons=[0, extent.blocks - 1])}):
            yield f"{name}: {found}"


def million(extent: Extent) -> Iterator[str]:
    yield from _alike(_population("izhikevich", extent.many), min(extent.ms, 10.0))


def overfull(extent: Extent) -> Iterator[str]:
    """Every neuron fires at every step: lists fill, chunks are made again."""
    result = dvdt.simulate(
        "dv/dt = 1/ms : 1\nspike when v > 0: v = 0",
        f"{extent.steps / 10} ms",
        dt="0.1 ms",
        n=extent.n,
        backend="cuda",
        progress=False,
    )
    if len(result.spikes.t) != extent.n * extent.steps:
        yield f"{len(result.spikes.t)} spikes, {extent.n * extent.steps} are due"
    elif not np.array_equal(result.spikes.i.reshape(extent.steps, extent.n), np.tile(np.arange(extent.n), (extent.steps, 1))):
        yield "the spikes are not in the order of time and neuron"


def coupled(extent: Extent) -> Iterator[str]:
    """Values of all neurons together: several blocks of threads wait for one another."""
    spread = {"parameters": {"I": dvdt.normal(1.2, 0.3)}}
    for n, functions in ((extent.blocks, "total(v)/N mean(v) largest(v) smallest(v)"), (extent.many, "total(v)/N")):
        for function in functions.split():
            for found in _alike(
                INTEGRATE_AND_FIRE.format(function), min(extent.ms, 5.0), ["v"] if n < 1000 else (), n=n, **spread
            ):
                yield f"{function}, {n} neurons: {found}"
    small = {"n": extent.blocks // 10, **spread}
    for text, what in ((INTEGRATE_AND_FIRE.format("rank(v)/N"), "rank"), (FIELD.format("total(rectified)"), "field")):
        yield from (f"{what}: {found}" for found in _alike(text, min(extent.ms, 5.0), **small))
    yield from (f"one_of: {found}" for found in _alike(ONE_SPIKE.format("one_of(spiked)"), extent.ms, ["output"], **small))
    size = min(500, extent.blocks)
    weights = np.random.default_rng(1).normal(0, 0.1, (size, size))
    lateral = {"n": size, "parameters": {"I": dvdt.normal(1.2, 0.3), "W": weights}}
    yield from (f"matmul: {found}" for found in _alike(LATERAL.format("spiked"), min(extent.ms, 5.0), **lateral))


def recordings(extent: Extent) -> Iterator[str]:
    """Rows in between, neurons out of order, values of another kind."""
    n = extent.blocks // 10
    record = {"v": dvdt.record(every="0.3 ms", neurons=[n - 1, 0, n // 2]), "u": dvdt.record(neurons=slice(0, n, 7))}
    yield from _alike(_population("izhikevich", n), extent.ms, record)


def pieces(extent: Extent) -> Iterator[str]:
    """A run in pieces, looked at and changed in between, on the GPU and on the CPU."""
    n, results = extent.blocks // 10, []
    for how in (EXACT, CPU):
        sim = dvdt.Simulation(_population("adex", n), dt="0.1 ms", seed=3, record=["v"], progress=False, **how)
        for part in (1, 2, 3):
            sim.run(f"{extent.ms * part / 10} ms")
            v = np.array(sim.state["v"])
            v[part % n] = -60.0
            sim.state["v"] = v
            sim.parameters["b"] = 80.5 + part
            sim.step(3)
        results.append(sim.result())
    yield from differences(results[0], results[1], ["v"], "in pieces, beside the CPU")


def resumed(extent: Extent) -> Iterator[str]:
    """Begun on the CPU, saved, gone on with on the GPU."""
    whole = dvdt.simulate(
        _population("noise", extent.blocks // 10), f"{extent.ms} ms", dt="0.1 ms", seed=3, progress=False, **CPU
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "half.ckpt"
        begun = dvdt.Simulation(
            _population("noise", extent.blocks // 10), dt="0.1 ms", seed=3, progress=False, exact_math=True, **CPU
        )
        begun.run(f"{extent.ms / 2} ms")
        begun.save(path)
        sim = dvdt.Simulation.load(path, backend="cuda", progress=False)
        sim.run(f"{extent.ms / 2} ms")
        yield from differences(sim.result(), whole, (), "resumed, beside the CPU")


def not_finite(extent: Extent) -> Iterator[str]:
    """The same neuron at the same step."""
    text, told = "dv/dt = v^2/ms : 1", []
    state = {"v": np.linspace(0.1, 0.4, extent.blocks // 10)}
    for how in (EXACT, CPU):
        try:
            dvdt.simulate(text, "20 ms", dt="0.1 ms", n=extent.blocks // 10, state=state, method="euler", progress=False, **how)
            told.append("no error")
        except dvdt.RunError as error:
            told.append(str(error))
    if told[0] != told[1]:
        yield f"on the GPU: {told[0]}; on the CPU: {told[1]}"


def without_spikes(extent: Extent) -> Iterator[str]:
    """`spikes=False` changes no state."""
    runs = [
        dvdt.simulate(
            _population("lif", extent.blocks), f"{extent.ms} ms", dt="0.1 ms", backend="cuda", progress=False, spikes=spikes
        )
        for spikes in (True, False)
    ]
    if not np.array_equal(runs[0].final_state["v"], runs[1].final_state["v"]):
        yield "the final states differ"


def lent(extent: Extent) -> Iterator[str]:
    """States and recordings that others read and write on the device."""
    yield from arrays.lent(_population("adex", extent.blocks), extent.ms, dict(EXACT), dict(CPU), _same)


def exact_times(extent: Extent) -> Iterator[str]:
    """Spikes between the points of the grid."""
    for name in ("lif", "izhikevich"):
        for found in _alike(_population(name, extent.blocks // 10), extent.ms, ["v"], spike_times="exact"):
            yield f"{name}: {found}"


SPECIAL: Mapping[str, Callable[[Extent], Iterator[str]]] = {
    check.__name__: check
    for check in (
        *(draws, blocks, overfull, recordings, pieces, coupled, exact_times),
        *(not_finite, without_spikes, lent, resumed, million),
    )
}


def check(item: str, extent: Extent) -> Iterator[dict[str, Any]]:
    """The troubles of one item: "model NAME", or the name of a special check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model(item.removeprefix("model "), extent) if item.startswith("model ") else SPECIAL[item](extent)
        for trouble in found:
            yield {"trouble": trouble}
