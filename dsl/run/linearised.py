"""The equations of some neurons, linearised where they are and along a short stretch of what is to come; held against dt before a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...backends.evaluation import Value, evaluate
from ...backends.kernel import Kernel, symbols_of
from ...backends.memory import Memory
from ...backends.program import Program
from ...backends.reference import build
from ..stability import MAPS, Matrix, excess, longest_step, thinned
from ..structure import Jacobian
from .assembly import Assembly

NEURONS = 8  # that stand for a population
LOOKS = 16  # times at which they are looked at along the stretch
AHEAD, FRACTION = 256, 8  # the stretch: steps, and which part of the run it may be
GROWTH = 0.05  # in one step of a mode that should decay; on the way to somewhere else less is no harm
STIFF = ("exponential_euler", "exponential_rk2", "backward_euler")
NEVER_UNSTABLE = frozenset(("exact", "backward_euler"))


def too_long(assembly: Assembly, first: int, last: int) -> str:
    """Why the step of a run from step `first` to `last` is too long for its scheme; empty where nothing speaks against it.

    A few neurons are looked at where they stand, and along the beginning of a run of their own, which is short where NumPy makes it: in the
    place of a device, which has better things to do than eight neurons.
    """
    jacobian, scheme, dt = assembly.compiled.jacobian, assembly.compiled.scheme, assembly.settings.dt
    if jacobian is None or scheme in NEVER_UNSTABLE or scheme not in MAPS:
        return ""
    memory, compiled = assembly.place(last), assembly.settings.backend == "cpu"
    memory.bring_home()
    program = assembly.build() if compiled else build(assembly.kernel, assembly.settings.precision)
    alone = not (assembly.kernel.coupled or memory.matrices or memory.functions)
    steps = 0 if not alone else min(AHEAD if compiled else LOOKS, (last - first) // FRACTION)
    few = some(assembly.kernel, memory, NEURONS)
    stack = along(program, few, jacobian, first, first + steps, LOOKS)
    if not len(stack):
        return ""
    stack = thinned(stack)
    growths = excess(stack, MAPS[scheme], dt)
    if np.max(growths) <= GROWTH:
        return ""
    limit = longest_step(stack[int(np.argmax(growths))], MAPS[scheme])
    other = "" if assembly.compiled.noise else f", or a method for stiff equations: {', '.join(s for s in STIFF if s != scheme)}"
    what = f"dt = {dt:.10g} ms is longer than {scheme} is stable for in this model, {limit:.3g} ms: what should decay will grow"
    return f"{what}. Take a smaller dt{other}"


def some(kernel: Kernel, memory: Memory, count: int) -> Memory:
    """A memory of its own with a few neurons of another, evenly chosen."""
    chosen = np.unique(np.linspace(0, memory.n - 1, min(count, memory.n)).astype(np.int64))
    series = {  # one that the text calls may have columns of a number of its own
        name: np.ascontiguousarray(table[:, chosen]) if table.shape[1] == memory.n else table
        for name, table in memory.series.items()
    }
    return replace(
        memory,
        n=len(chosen),
        reals=np.ascontiguousarray(memory.reals[:, chosen]),
        integers=np.ascontiguousarray(memory.integers[:, chosen]),
        series=series,
        recordings=[],
        spikes=[[] for _ in kernel.events],
        columns={},
        workers=[],
        device=None,
    )


def along(program: Program, memory: Memory, jacobian: Jacobian, first: int, last: int, looks: int) -> Matrix:
    """The Jacobians (looks and neurons, states, states) at the beginning of a stretch and along it; only finite ones."""
    found = [at(program.kernel, memory, jacobian, first)]
    for start, stop in _pieces(first, last, looks):
        outcome = program.advance(memory, start, stop, 1)
        if outcome.done < stop:
            break
        found.append(at(program.kernel, memory, jacobian, stop))
    stack = np.concatenate(found)
    finite: Matrix = stack[np.isfinite(stack).all(axis=(1, 2))]
    return finite


def _pieces(first: int, last: int, count: int) -> Iterator[tuple[int, int]]:
    edges = np.unique(np.linspace(first, last, count + 1).astype(np.int64)).tolist()
    yield from pairwise(edges)


def at(kernel: Kernel, memory: Memory, jacobian: Jacobian, step: int) -> Matrix:
    """The Jacobian of each neuron in 1/ms, at step `step`; none where it reads what is not stored."""
    size = len(jacobian.states)
    wanted = {name for _, _, entry in jacobian.entries for name in symbols_of(entry)}
    values = _values(kernel, memory, wanted, step)
    if not wanted <= values.keys():
        return np.empty((0, size, size))
    stack = np.zeros((memory.n, size, size))
    for row, column, entry in jacobian.entries:
        stack[:, row, column] = evaluate(entry, values)
    return stack


def _values(kernel: Kernel, memory: Memory, wanted: set[str], step: int) -> Mapping[str, Value]:
    """Names by what they are worth for each neuron, in float64."""
    dt = np.float64(memory.scalars["@dt"])
    found: dict[str, Value] = {"@t": step * dt, "@dt": dt, "@n": np.int64(memory.n), "@not_refractory": np.bool_(True)}
    found |= {name: np.float64(value) for name, value in memory.scalars.items() if name in wanted}
    for array in kernel.arrays:
        if array.name in wanted:
            found[array.name] = memory.stored(kernel, array.name).astype(np.float64)
    for name, table in memory.series.items():
        if name in wanted:
            found[name] = _sample(table, step * dt / memory.scalars[f"@interval {name}"])
    return found


def _sample(table: NDArray[np.floating], row: float) -> Value:
    values: Value = table[min(int(row + 1e-6), len(table) - 1)].astype(np.float64)
    return values[0] if len(values) == 1 else values
