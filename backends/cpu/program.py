"""The CPU backend: a Kernel compiled by numba to vector instructions, blocks of neurons shared out over threads."""

from __future__ import annotations

import functools
import json
import operator
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernel import Kernel, MatrixProduct, Reduce
from ..memory import Listed, Memory, NonFinite, Outcome, recorded_as
from ..program import FIRST_CHUNK
from ..serial import to_plain
from ..unusable import CallFailed, CodeFailed
from .generate import generate
from .layout import rows_of
from .loops import carried, drawn_rows
from .templates import PLAN

BLOCK = 512  # neurons; a power of two. Ten float64 arrays of a block are 40 kB
CAPACITY = 1 << 16  # spikes of one event that a thread collects before they are drained
SORTING = 6 << 11  # counts of the digits by which ranks are sorted
RECENT = 8  # values that a NonFinite shows
WORTH_A_THREAD = 200_000  # neuron-steps below which a further thread costs more than it saves
WORTH_WAITING = 5_000_000  # neuron-steps from which they are not made by the calling thread

DONE, FULL, NOT_FINITE = 0, 1, 2  # what the compiled function returns
FIRST_BLOCK, BEGIN = PLAN.index("first_block"), PLAN.index("begin")  # where it says how far it came


def build(
    kernel: Kernel, precision: np.dtype[np.floating], functions: Mapping[str, object] | None = None, *, block: int = BLOCK
) -> CpuProgram:
    """Compile the kernel for "float64" or "float32", or load it from the cache; `block` is a power of two, at least 64.

    `functions` are the Python functions that the kernel calls. Raises Unusable for one that cannot be compiled.
    """
    from ..machine_code import function_for

    if block < 64 or block & (block - 1):
        raise ValueError(f"block must be a power of two and at least 64, not {block}")
    start = time.perf_counter()
    precision = np.dtype(precision)
    # neither the name nor what is worked out once a run is compiled: models of one shape share their code
    content = json.dumps([to_plain(replace(kernel, name="", prologue=())), precision.name, block])
    outside = functools.partial(_outside, kernel, functions or {})
    function, compiled = function_for(content, lambda: generated(kernel, precision, block), outside)
    return CpuProgram(kernel, precision, compiled, time.perf_counter() - start, block, function)


def _outside(kernel: Kernel, functions: Mapping[str, object]) -> Mapping[str, object]:
    if not kernel.functions:
        return {}
    from ..outside import namespace

    return namespace(kernel.functions, functions)


def generated(kernel: Kernel, precision: np.dtype[np.floating], block: int = BLOCK) -> str:
    """The text that `build` compiles."""
    from ..vector_math import names

    return generate(kernel, precision.name, block, names())


@dataclass(frozen=True)
class CpuProgram:
    kernel: Kernel
    precision: np.dtype[np.floating]
    compiled: bool
    compile_seconds: float
    block: int
    function: Callable[[int], int]

    @property
    def source(self) -> str:
        return generated(self.kernel, self.precision, self.block)

    @cached_property
    def carried(self) -> int:
        """Rows of the scratch behind those of the arrays."""
        return carried(self.kernel)

    @property
    def rows(self) -> Mapping[str, int]:
        return rows_of(self.kernel)

    @property
    def first_chunk(self) -> int:
        return FIRST_CHUNK

    def advance(self, memory: Memory, first: int, last: int, threads: int = 1) -> Outcome:
        """Make the steps first..last-1. Blocks of an uncoupled kernel are shared out over at most `threads` threads."""
        blocks = -(-memory.n // self.block)
        worth = 1 + memory.n * (last - first) // WORTH_A_THREAD
        parts = 1 if self.kernel.coupled else max(1, min(threads, worth, blocks))
        workers = self._workers(memory, parts)
        if parts == 1 and memory.n * (last - first) < WORTH_WAITING:
            workers[0].advance(first, last)
        else:  # while others work, the calling thread hears signals
            with ThreadPoolExecutor(parts) as pool:
                for future in [pool.submit(worker.advance, first, last) for worker in workers]:
                    future.result()
        return _gathered(memory, workers, last)

    def record(self, memory: Memory, step: int) -> None:
        """Write the recordings that are due at `step`, from the present values."""
        if memory.recordings:
            self._workers(memory, 1)[0].run(step, step, step + 1)

    def _workers(self, memory: Memory, parts: int) -> list[Worker]:
        """Those of the last call, where they are for these arrays: to make one step costs less than to make a worker."""
        kept, arrays = memory.workers, memory.arrays
        if len(kept) == parts and all(worker.serves(self, arrays) for worker in kept):
            for worker in kept:
                worker.refresh()
        else:
            kept = memory.workers = [Worker(self, memory, *part) for part in _parts(-(-memory.n // self.block), parts)]
        return kept


def _parts(blocks: int, count: int) -> list[tuple[int, int]]:
    """Ranges of blocks, about equal."""
    edges = [blocks * part // count for part in range(count + 1)]
    return list(pairwise(edges))


def _gathered(memory: Memory, workers: list[Worker], last: int) -> Outcome:
    """Hand over the events; where a value was not finite, those up to the step before the first such one."""
    troubles = [trouble for worker in workers for trouble in worker.troubles]
    trouble = min(troubles, key=lambda found: (found.step, found.neuron), default=None)
    for worker in workers:
        for event, pairs in enumerate(worker.spikes):
            for listed in pairs:
                kept = slice(None) if trouble is None else listed[0] < trouble.step
                memory.spikes[event].append(tuple(row[kept] for row in listed))
        worker.forget()
    return Outcome(last) if trouble is None else Outcome(trouble.step, trouble)


class Worker:
    """One thread's range of blocks, with the scratch and the spike buffer it works on."""

    def __init__(self, program: CpuProgram, memory: Memory, first_block: int, last_block: int) -> None:
        kernel, block = program.kernel, program.block
        self.program, self.memory, self.addressed = program, memory, memory.arrays
        self.scalars = np.empty(1 + len(kernel.scalars))
        address(memory.reals, program.precision, (len(memory.reals), memory.n))
        address(memory.integers, np.dtype(np.int64), (len(memory.integers), memory.n))
        self.first_block, self.last_block = first_block, last_block
        at_once = memory.n if kernel.coupled else block  # neurons that may fire between two looks at the buffer
        scratches = last_block if kernel.coupled else 1
        events = len(kernel.events)
        whole = np.dtype(np.int64)
        blocks = -(-memory.n // block)
        spare, spare_wholes = _spare(kernel, memory.n, blocks, block)
        self.spikes: list[list[Listed]] = [[] for _ in kernel.events]
        self.troubles: list[NonFinite] = []
        self.guarded = np.array([program.rows[name] for name in kernel.guarded], np.int64)
        width = len(memory.reals) + drawn_rows(kernel)
        rows = scratches * width
        self.scratch = aligned((rows + program.carried) * block, memory.precision)
        self.stored = self.scratch[: rows * block].reshape(scratches, width, block)
        self.buffer = np.empty((events, 3 if kernel.timed else 2, max(CAPACITY, 2 * at_once)), np.int64)
        self.counts = np.zeros(events, np.int64)
        self.places = {  # the arrays whose addresses stand in the plan; they live as long as the worker
            "reals": memory.reals,
            "integers": memory.integers,
            "scalars": self.scalars,
            "scratch": self.scratch,
            "wholes": aligned(scratches * len(memory.integers) * block, whole),
            "flags": aligned(max(events, 1) * block, np.dtype(np.uint8)),
            "spikes": self.buffer,
            "counts": self.counts,
            "marks": np.zeros_like(self.counts),
            "records": _records(kernel, memory),
            "ranges": _ranges(memory, block),
            "spare": aligned(spare, memory.precision),
            "spare_wholes": aligned(spare_wholes, whole),
            "searched": aligned(4 * block if drawn_rows(kernel) else 0, np.dtype(np.float64)),
        }
        series = [number for place in kernel.series for number in _series(memory, place.name)]
        matrices = [address(memory.by_columns(place.name), memory.precision, (memory.n, memory.n)) for place in kernel.matrices]
        numbers = {
            "n": memory.n,
            "k0": memory.seed & 0xFFFFFFFF,
            "k1": memory.seed >> 32 & 0xFFFFFFFF,
            "capacity": self.buffer.shape[2],
            "at_once": at_once,
            "recordings": len(memory.recordings),
            "blocks": blocks,
            **{name: address(array) for name, array in self.places.items()},
        }
        self.plan = np.array([*[numbers.get(name, 0) for name in PLAN], *series, *matrices], np.int64)
        self.plan_address = address(self.plan)
        self.scalar_names = ("@dt", *[place.name for place in kernel.scalars])
        self.refresh()

    def serves(self, program: CpuProgram, arrays: list[object]) -> bool:
        """Whether the addresses in the plan are those of these arrays, and the machine code that of this program."""
        return self.program is program and len(arrays) == len(self.addressed) and all(map(operator.is_, arrays, self.addressed))

    def refresh(self) -> None:
        """Begin anew on the same arrays: with the scalars that hold now."""
        values = self.memory.scalars
        self.scalars[:] = [values[name] for name in self.scalar_names]
        self.counts[:] = 0
        self.forget()

    def forget(self) -> None:
        """What was found has been handed over."""
        self.troubles, self.spikes = [], [[] for _ in self.spikes]

    def advance(self, first: int, last: int) -> None:
        """Make the steps for all blocks; where one is not finite, find out when it stopped being so, and go on with the others."""
        block = self.first_block
        while block < self.last_block:
            block, begin = self.run(first, last, last, block)
            if block < self.last_block:
                self.troubles.append(self.replay(block, begin, last))
                block = self.last_block if self.program.kernel.coupled else block + 1

    def run(self, first: int, last: int, stop: int, block: int = -1, end: int = -1) -> tuple[int, int]:
        """Run blocks until one is not finite: its number, and the step from which its kept values are. Else the number behind the last."""
        block, end = (self.first_block, self.last_block) if block < 0 else (block, self.last_block if end < 0 else end)
        begin = first
        while True:
            self.plan[FIRST_BLOCK : FIRST_BLOCK + 6] = block, end, begin, first, last, stop
            status = self._called()
            self.drain()
            if status == DONE:
                return end, last
            reached, step = int(self.plan[FIRST_BLOCK]), int(self.plan[BEGIN])
            if status == NOT_FINITE:
                return reached, begin if reached == block else first
            block, begin = reached, step

    def _called(self) -> int:
        """Call the machine code; an error inside a function from outside is told as such."""
        try:
            return self.program.function(self.plan_address)
        except CodeFailed:
            functions = [function.name for function in self.program.kernel.functions]
            if not functions:
                raise
            told = f"{' or '.join(functions)}, given from outside, failed, such as by an index outside its array"
            raise CallFailed(told) from None

    def drain(self) -> None:
        if not self.counts.any():
            return
        for event, count in enumerate(self.counts):
            if count:
                steps, neurons, *moments = self.buffer[event, : 3 if event in self.program.kernel.timed else 2, :count].copy()
                self.spikes[event].append((steps, neurons, *[row.view(np.float64) for row in moments]))
        self.counts[:] = 0

    def replay(self, block: int, first: int, last: int) -> NonFinite:
        """Make the steps of one block (of all, where they are coupled) one by one, to the first that leaves a value that is not finite."""
        kernel, width = self.program.kernel, self.program.block
        end = self.last_block if kernel.coupled else block + 1
        here = slice(block * width, end * width)
        recent = deque([self.memory.reals[self.guarded, here]], maxlen=RECENT - 1)
        for step in range(first, last):
            if self.run(step, step + 1, step + 1, block, end)[0] < end:
                rows = self.stored[:, self.guarded].swapaxes(0, 1)
                bad = rows.reshape(len(self.guarded), -1)[:, : recent[-1].shape[1]]
                neuron, row = np.argwhere(~np.isfinite(bad.T))[0]
                values = np.array([*[values[row, neuron] for values in recent], bad[row, neuron]])
                return NonFinite(kernel.guarded[row], int(here.start + neuron), step, values)
            recent.append(self.memory.reals[self.guarded, here])
        raise AssertionError(f"block {block} is finite when its steps are made one by one")


def _spare(kernel: Kernel, n: int, blocks: int, block: int) -> tuple[int, int]:
    """Room that reductions work in: numbers of the working precision, and whole numbers."""
    if not kernel.coupled:
        return 0, 0
    partial = blocks + 2 * block + 64
    reductions = [reduction for phase in kernel.phases for reduction in phase.reductions]
    if any(isinstance(reduction, Reduce) and reduction.operation == "rank" for reduction in reductions):
        return partial + 2 * n, partial + 5 * n + SORTING
    whole = any(isinstance(reduction, MatrixProduct) for reduction in reductions)
    return partial + 2 * n * whole, partial + 2 * n * whole


def aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that begin on a cache line, so that no vector is read from two."""
    raw = np.zeros(size * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(dtype)


def address(array: NDArray[Any], dtype: np.dtype[Any] | None = None, shape: tuple[int, ...] | None = None) -> int:
    """Where the values of an array begin. Machine code goes by it, so an array of another make is refused with a ValueError."""
    if (
        not array.flags.c_contiguous
        or (dtype is not None and array.dtype != dtype)
        or (shape is not None and array.shape != shape)
    ):
        raise ValueError(f"expected contiguous values of {dtype} of shape {shape}, not {array.dtype} of shape {array.shape}")
    found: int = array.ctypes.data
    return found


def _records(kernel: Kernel, memory: Memory) -> NDArray[np.int64]:
    """One row a recording: number of the probe, every, start, neurons recorded, addresses of the neurons and of the values."""
    numbers = {probe.name: number for number, probe in enumerate(kernel.probes)}
    rows = []
    for recording in memory.recordings:
        number, size = numbers[recording.probe], len(recording.neurons)
        places = address(recording.neurons, np.dtype(np.int64), (size,))
        dtype = recorded_as(kernel.probes[number].kind, memory.precision)
        values = address(recording.values, dtype, (len(recording.values), size))
        rows.append((number, recording.every, recording.start, size, places, values))
    return np.array(rows, np.int64)


def _ranges(memory: Memory, block: int) -> NDArray[np.int64]:
    """One row a recording: the place, among its neurons, of the first one of each block; at last their number."""
    edges = np.arange(0, memory.n + block, block)
    return np.array([np.searchsorted(recording.neurons, edges) for recording in memory.recordings], np.int64)


def _series(memory: Memory, name: str) -> tuple[int, int, int]:
    values = memory.series[name]
    rows, columns = values.shape
    return address(values, memory.precision), rows, columns
