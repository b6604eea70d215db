"""The reference: a Kernel interpreted with NumPy, one operation after the other. Slow and obvious, the yardstick of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .evaluation import Value, value_of
from .kernel import Array, Assign, Draw, Expr, Kernel, Kind, MatrixProduct, Phase, Probe, Reduce
from .memory import Memory, NonFinite, Outcome, Recording
from .program import FIRST_CHUNK

RECENT = 8  # values that a NonFinite shows

# ---- reductions --------------------------------------------------------------------------------


def total(values: NDArray[Any]) -> Value:
    """The sum by a fixed tree: neighbours are added, then neighbours of the sums; an odd one waits for the next round."""
    while values.size > 1:
        pairs = values[0 : values.size - 1 : 2] + values[1::2]
        values = np.concatenate([pairs, values[-1:]]) if values.size % 2 else pairs
    return values[0]


def rank(values: NDArray[Any]) -> NDArray[np.int64]:
    """0 for the largest, ties by index, nan last."""
    key = np.where(np.isnan(values), np.inf, -values) if values.dtype.kind == "f" else -values
    order = (
        np.lexsort((np.arange(values.size), np.isnan(values), key))
        if values.dtype.kind == "f"
        else np.argsort(key, kind="stable")
    )
    ranks = np.empty(values.size, np.int64)
    ranks[order] = np.arange(values.size)
    return ranks


# ---- program -----------------------------------------------------------------------------------


def build(kernel: Kernel, precision: np.dtype[np.floating]) -> Reference:
    """A program that interprets the kernel."""
    return Reference(kernel, np.dtype(precision))


@dataclass
class Reference:
    kernel: Kernel
    precision: np.dtype[np.floating]
    source: str = ""
    compiled: bool = False
    compile_seconds: float = 0.0
    kinds: Mapping[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {array.name: array.kind for array in self.kernel.arrays}

    @property
    def first_chunk(self) -> int:
        return FIRST_CHUNK

    def advance(self, memory: Memory, first: int, last: int, threads: int = 1) -> Outcome:
        recent: deque[Mapping[str, NDArray[Any]]] = deque([self._guarded(memory)], maxlen=RECENT)
        with np.errstate(all="ignore"):
            settled = self._settled(memory)
            for step in range(first, last):
                environment = self._places(memory, step, settled)
                self._record(memory, step, environment)
                self._step(memory, step, environment)
                recent.append(self._guarded(memory))
                if trouble := self._trouble(recent, step):
                    for pairs in memory.spikes:
                        pairs[:] = [pair for pair in pairs if pair[0][0] != step]
                    return Outcome(step, trouble)
        return Outcome(last)

    def make_phases(self, memory: Memory, phases: Sequence[Phase], step: int) -> None:
        """Some phases of step `step` alone; their events are not listed."""
        environment = self._places(memory, step, self._settled(memory))
        for phase in phases:
            self._phase(replace(phase, emits=()), environment, memory, step)

    def record(self, memory: Memory, step: int) -> None:
        with np.errstate(all="ignore"):
            self._record(memory, step, self._places(memory, step, self._settled(memory)))

    def _record(self, memory: Memory, step: int, environment: Mapping[str, Value]) -> None:
        probes = {probe.name: probe for probe in self.kernel.probes}
        for recording in memory.recordings:
            row, off = divmod(step - recording.start, recording.every)
            if step >= recording.start and off == 0:
                recording.values[row] = self._probe(probes[recording.probe], dict(environment), memory, step, recording)

    def _probe(self, probe: Probe, environment: dict[str, Value], memory: Memory, step: int, recording: Recording) -> Value:
        for statement in (*probe.uniform, *probe.body):
            self._assign(statement, environment, memory, step)
        value = self._cast(self._evaluate(probe.expression, environment), probe.kind)
        return np.broadcast_to(value, memory.n)[recording.neurons]

    def _step(self, memory: Memory, step: int, environment: dict[str, Value]) -> None:
        for phase in self.kernel.phases:
            self._phase(phase, environment, memory, step)

    def _phase(self, phase: Phase, environment: dict[str, Value], memory: Memory, step: int) -> None:
        concerned = True if phase.where is None else environment[phase.where]
        if not np.any(concerned):
            return
        for statement in (*phase.uniform, *phase.body):
            self._assign(statement, environment, memory, step)
        flags = {emit: np.broadcast_to(environment[emit.flag] & concerned, memory.n) for emit in phase.emits}
        stored = {store.array: environment[store.name] for store in phase.stores}
        for name, value in stored.items():
            kept = value if phase.where is None else np.where(concerned, value, environment[name])
            self._store(memory, environment, name, kept)
        for emit, flag in flags.items():
            neurons = np.flatnonzero(flag)
            if neurons.size:
                moments = () if emit.moment is None else (np.float64(environment[emit.moment][neurons]),)
                memory.spikes[emit.event].append((np.full(neurons.size, step, np.int64), neurons, *moments))
        for reduction in phase.reductions:
            self._reduce(reduction, environment, memory, step)

    def _settled(self, memory: Memory) -> dict[str, Value]:
        """What stays as it is from step to step."""
        dt = np.float64(memory.scalars["@dt"])
        settled: dict[str, Value] = {
            "@dt": self.precision.type(dt),
            "@i": np.arange(memory.n),
            "@n": np.int64(memory.n),
            **memory.series,
            **memory.functions,
        }
        for scalar in self.kernel.scalars:
            settled[scalar.name] = self._cast(np.float64(memory.scalars[scalar.name]), scalar.kind)
        return settled

    def _places(self, memory: Memory, step: int, settled: Mapping[str, Value]) -> dict[str, Value]:
        dt = np.float64(memory.scalars["@dt"])
        environment: dict[str, Value] = {
            **settled,
            "@step": np.int64(step),
            "@t": np.float64(step) * dt,
            "@t_next": np.float64(step + 1) * dt,
        }
        for array in self.kernel.arrays:
            environment[array.name] = self._load(memory, array)
        return environment

    def _load(self, memory: Memory, array: Array) -> Value:
        row = memory.row(self.kernel, array.name)
        return row != 0 if array.kind is Kind.BOOLEAN else row.copy()

    def _store(self, memory: Memory, environment: dict[str, Value], name: str, value: Value) -> None:
        row = memory.row(self.kernel, name)
        row[:] = value
        environment[name] = row != 0 if self.kinds[name] is Kind.BOOLEAN else row.copy()

    def _assign(self, statement: Assign | Draw, environment: dict[str, Value], memory: Memory, step: int) -> None:
        if isinstance(statement, Draw):
            environment[statement.name] = self._draw(statement, environment, memory, step)
        else:
            environment[statement.name] = self._cast(self._evaluate(statement.expression, environment), statement.kind)

    def _evaluate(self, expression: Expr, environment: Mapping[str, Value]) -> Value:
        return value_of(expression, environment, None, self.precision.type)

    def _cast(self, value: Value, kind: Kind) -> Value:
        if kind is Kind.BOOLEAN:
            return np.not_equal(value, 0)
        dtype = {Kind.REAL: self.precision, Kind.DOUBLE: np.dtype(np.float64), Kind.INTEGER: np.dtype(np.int64)}[kind]
        return np.asarray(value).astype(dtype)[()]

    def _draw(self, draw: Draw, environment: Mapping[str, Value], memory: Memory, step: int) -> Value:
        from . import philox

        key = philox.key(memory.seed)
        neurons = np.arange(memory.n)
        if draw.distribution == "poisson":
            assert draw.mean is not None
            mean = np.broadcast_to(self._evaluate(draw.mean, environment), memory.n)
            return self._cast(philox.poisson(neurons, step, draw.stream, *key, mean, self.precision), Kind.REAL)
        function = {"uniform": philox.uniform, "normal": philox.normal, "exponential": philox.exponential}[draw.distribution]
        return self._cast(function(neurons, step, draw.stream, *key, self.precision), Kind.REAL)

    def _reduce(self, reduction: Reduce | MatrixProduct, environment: dict[str, Value], memory: Memory, step: int) -> None:
        values = memory.row(self.kernel, reduction.of)
        if isinstance(reduction, MatrixProduct):
            self._store(memory, environment, reduction.name, _product(memory.matrices[reduction.matrix], values))
        elif reduction.operation == "rank":
            self._store(memory, environment, reduction.name, rank(values))
        elif reduction.operation == "one_of":
            self._store(memory, environment, reduction.name, self._one_of(values != 0, memory, step, reduction.stream))
        else:
            environment[reduction.name] = self._cast(self._reduced(reduction.operation, values), reduction.kind)

    def _reduced(self, operation: str, values: NDArray[Any]) -> Value:
        match operation:
            case "total":
                return total(values)
            case "mean":
                return total(values).astype(self.precision) / self.precision.type(values.size)
            case "largest":
                return values.max()
            case "smallest":
                return values.min()
            case "any":
                return np.any(values != 0)
            case "count":
                return np.count_nonzero(values)
        raise KeyError(operation)

    def _one_of(self, candidates: NDArray[np.bool_], memory: Memory, step: int, stream: int) -> NDArray[np.bool_]:
        from . import philox

        draws = philox.uniform(np.arange(memory.n), step, stream, *philox.key(memory.seed), np.dtype(np.float64))
        chosen = np.zeros(memory.n, np.bool_)
        if candidates.any():
            chosen[np.argmax(np.where(candidates, draws, -1.0))] = True
        return chosen

    def _guarded(self, memory: Memory) -> Mapping[str, NDArray[Any]]:
        return {name: memory.row(self.kernel, name).copy() for name in self.kernel.guarded}

    def _trouble(self, recent: deque[Mapping[str, NDArray[Any]]], step: int) -> NonFinite | None:
        """The lowest neuron that is not finite, and of its arrays the first in the order of `guarded`."""
        bad = [
            (int(np.flatnonzero(~np.isfinite(row))[0]), name) for name, row in recent[-1].items() if not np.isfinite(row).all()
        ]
        if not bad:
            return None
        neuron, name = min(bad, key=lambda found: found[0])
        return NonFinite(name, neuron, step, np.array([rows[name][neuron] for rows in recent]))


def _product(matrix: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Sums over ascending columns; a column whose factor is exactly 0 is passed over."""
    result = np.zeros_like(values)
    for column in np.flatnonzero(values):
        result = result + matrix[:, column] * values[column]
    return result
