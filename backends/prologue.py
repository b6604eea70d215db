"""What is computed once a run, in float64: hoisted expressions and the propagators of linear systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .evaluation import Value, evaluate
from .kernel import Expr, Hoist, Kernel, Kind, Propagator, symbols_of
from .memory import Memory

TOGETHER = 4096  # matrices whose exponentials are computed at once

# [13/13] Pade approximant of exp; the norm up to which its backward error is below half a unit of float64.
# N. J. Higham, SIAM J. Matrix Anal. Appl. 26, 1179 (2005)
PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
PADE_NORM = 5.371920351148152


def run_prologue(
    kernel: Kernel, memory: Memory, entries: Sequence[Hoist | Propagator] | None = None, reads: frozenset[str] | None = None
) -> None:
    """Run the prologue of the kernel, or these entries of it: `memory.scalars` is extended, arrays are filled in the working precision.

    `memory.scalars` has "@dt" and every scalar that the entries do not make, `memory` every such array. `reads` is `read_by(entries)`.
    """
    entries = kernel.prologue if entries is None else entries
    environment = _environment(kernel, memory, read_by(entries) if reads is None else reads)
    for entry in entries:
        results = (
            {entry.name: evaluate(entry.expression, environment)} if isinstance(entry, Hoist) else _propagate(entry, environment)
        )
        for name, value in results.items():
            environment[name] = value
            _keep(kernel, memory, name, value, entry.per_neuron)


def following(kernel: Kernel, names: Sequence[str]) -> tuple[Hoist | Propagator, ...]:
    """The entries of the prologue that depend on one of the names."""
    changed, found = set(names), []
    for entry in kernel.prologue:
        if any(not changed.isdisjoint(symbols_of(expression)) for expression in _expressions(entry)):
            found.append(entry)
            changed |= set(_made(entry))
    return tuple(found)


def _made(entry: Hoist | Propagator) -> tuple[str, ...]:
    return (entry.name,) if isinstance(entry, Hoist) else tuple(name for _, _, name in (*entry.transition, *entry.input))


def read_by(entries: Sequence[Hoist | Propagator]) -> frozenset[str]:
    """The names that entries of the prologue use."""
    return frozenset(name for entry in entries for expression in _expressions(entry) for name in symbols_of(expression))


def _environment(kernel: Kernel, memory: Memory, wanted: frozenset[str]) -> dict[str, Value]:
    """What the entries read, and nothing else: an array of a large population is not copied for nothing."""
    found: dict[str, Value] = {"@n": np.int64(memory.n), **memory.series, **memory.functions}
    found |= {name: np.float64(value) for name, value in memory.scalars.items() if name in wanted}
    if "@i" in wanted:
        found["@i"] = np.arange(memory.n)
    for scalar in kernel.scalars:
        if scalar.name in found:
            found[scalar.name] = _of_kind(memory.scalars[scalar.name], scalar.kind)
    for array in kernel.arrays:
        if array.name in wanted:
            found[array.name] = _of_kind(memory.read(kernel, array.name), array.kind)
    return found


def _expressions(entry: Hoist | Propagator) -> tuple[Expr, ...]:
    return (entry.expression,) if isinstance(entry, Hoist) else (*entry.system, entry.step)


def _of_kind(value: Value, kind: Kind) -> Value:
    if kind is Kind.REAL and isinstance(value, float):
        return np.float64(value)
    if kind is Kind.BOOLEAN:
        return np.not_equal(value, 0)
    return np.asarray(value).astype(np.int64 if kind is Kind.INTEGER else np.float64, copy=False)[()]


def _keep(kernel: Kernel, memory: Memory, name: str, value: Value, per_neuron: bool) -> None:
    if per_neuron:
        with np.errstate(over="ignore"):
            memory.row(kernel, name)[:] = value
    else:
        memory.scalars = {**memory.scalars, name: float(value)}


def _propagate(entry: Propagator, environment: dict[str, Value]) -> dict[str, Value]:
    """The wanted entries of P and Q, one value each or one a neuron."""
    values = [evaluate(expression, environment) for expression in (*entry.system, entry.step)]
    table = np.stack(np.broadcast_arrays(*[np.atleast_1d(np.asarray(value, np.float64)) for value in values]), axis=-1)
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    system = distinct[:, :-1].reshape(-1, entry.size, entry.size)
    transition, inputs = propagators(system, distinct[:, -1])
    made = {name: transition[:, row, column][which.ravel()] for row, column, name in entry.transition}
    made |= {name: inputs[:, row, column][which.ravel()] for row, column, name in entry.input}
    return made if entry.per_neuron else {name: value[0] for name, value in made.items()}


def propagators(system: NDArray[np.float64], step: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """exp(A h) and the integral of exp(A s) ds from 0 to h, for systems (k, n, n) and steps (k,).

    Both stand in the exponential of the augmented matrix [[A h, h], [0, 0]] (C. Van Loan, IEEE Trans. Autom. Control 23, 395 (1978)).
    """
    count, size = system.shape[:2]
    augmented = np.zeros((count, 2 * size, 2 * size))
    augmented[:, :size, :size] = system * step[:, None, None]
    augmented[:, :size, size:] = np.eye(size) * step[:, None, None]
    for start in range(0, count, TOGETHER):
        augmented[start : start + TOGETHER] = matrix_exponential(augmented[start : start + TOGETHER])
    return augmented[:, :size, :size], augmented[:, :size, size:]


def matrix_exponential(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp of each of the matrices (k, n, n) by scaling and squaring; nan where an entry is not finite."""
    with np.errstate(all="ignore"):
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
        scaled = np.where(finite[:, None, None], matrices, 0.0)
        norms = np.abs(scaled).sum(axis=1).max(axis=1)
        squarings = np.maximum(0, np.ceil(np.log2(np.maximum(norms, 1e-300) / PADE_NORM))).astype(np.int64)
        result = _pade(np.ldexp(scaled, -squarings[:, None, None]))
        for done in range(int(squarings.max(initial=0))):
            result = np.where((squarings > done)[:, None, None], result @ result, result)
        return np.where(finite[:, None, None], result, np.nan)


def _pade(a: NDArray[np.float64]) -> NDArray[np.float64]:
    # divided by the first, so that the exponential of 0 is 1 to the last bit whatever divides the solver uses
    b, unit = [coefficient / PADE[0] for coefficient in PADE], np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * unit)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * unit
    result: NDArray[Any] = np.linalg.solve(even - odd, even + odd)
    return result
