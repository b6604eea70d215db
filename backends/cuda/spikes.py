"""The events of one chunk on a device: a short list for each neuron, gathered into one array when the chunk has been made.

The places of a neuron's events in that array are the number of events of all neurons before it. So what is gathered is in the order of
the neurons, each in the order of its steps, whatever thread comes first, and nobody has to sort it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..kernel import Kernel
from ..memory import Memory
from .functions import simulated
from .templates import NOT_FINITE, OVERFULL

cuda: Any = import_module("numba.cuda")

LISTED_BYTES = 1 << 29  # of all lists, but for large populations more: a share of what is free
SHARE = 8
MOST, MANY, FEWEST = 8 if simulated() else 1 << 12, 16, 2  # places of a neuron's list: at most, for large populations, at least
THREADS, PART = (4, 8) if simulated() else (256, 2048)  # of a block, a power of two; neurons whose events one block counts
SMALL = 1 << 13  # bytes, of the status and the like
ROOM = 4 if simulated() else 1 << 16  # events of one kind that can be gathered, at first
STATUSES = 4 if simulated() else 64  # that chunks have one after the other, before they are cleaned together
STEP_BITS = 32  # a key is a step << STEP_BITS | neuron

# The numbers in `status`: the bits OVERFULL and NOT_FINITE, the most events that a neuron had, and how many there were of each kind
BITS, FULLEST, TOTALS = 0, 1, 2


def places(kernel: Kernel, n: int, precision: np.dtype[np.floating], free: float) -> int:
    """How many events a neuron's list has room for, where so many bytes are free."""
    one = max(1, 2 * n * _item(kernel, precision))  # place of every list
    return int(max(FEWEST, min(MOST, max(MANY, LISTED_BYTES // one), free / SHARE // one)))


def bytes_of(kernel: Kernel, n: int, precision: np.dtype[np.floating], capacity: int) -> int:
    """What the lists of one chunk take on the device, at first."""
    events, gathered = len(kernel.events), 8 + precision.itemsize * bool(kernel.timed)
    return events * (8 * n + 8 * (n // PART + 1) + gathered * ROOM) + n * capacity * _item(kernel, precision) + SMALL


def _item(kernel: Kernel, precision: np.dtype[np.floating]) -> int:
    return len(kernel.events) * (4 + precision.itemsize * bool(kernel.timed))


# ---- functions of the device -------------------------------------------------------------------


def defined() -> Mapping[str, Callable[..., Any]]:
    """In Python. Those that are called by one grid of blocks of THREADS threads have `cuda.syncthreads` in them."""

    def scanned(source: Any, target: Any, event: Any, begin: Any, end: Any, space: Any) -> Any:
        """target[event, j] = sum of source[event, begin:j] for each j; the sum of all comes back. THREADS of them at a time."""
        mine = cuda.threadIdx.x
        carried = 0
        for first in range(begin, end, THREADS):
            j = first + mine
            own = source[event, j] if j < end else 0
            space[mine] = own
            cuda.syncthreads()
            width = 1
            while width < THREADS:
                behind = space[mine - width] if mine >= width else 0
                cuda.syncthreads()
                space[mine] += behind
                cuda.syncthreads()
                width *= 2
            if j < end:
                target[event, j] = carried + space[mine] - own
            carried += space[THREADS - 1]
            cuda.syncthreads()
        return carried

    scan = cuda.jit(device=True)(scanned)

    def tally(counts: Any, size: Any, starts: Any, sums: Any, status: Any) -> None:
        """starts: the events before each neuron, of those in its part; sums: those of each part."""
        space = cuda.shared.array(THREADS, np.int64)
        begin = cuda.blockIdx.x * PART
        end = min(size, begin + PART)
        for event in range(counts.shape[0]):
            for i in range(begin + cuda.threadIdx.x, end, THREADS):
                if counts[event, i] > status[FULLEST]:
                    cuda.atomic.max(status, FULLEST, counts[event, i])
            total = scan(counts, starts, event, begin, end, space)
            if cuda.threadIdx.x == 0:
                if cuda.gridDim.x == 1:  # and nothing is left to be added up
                    sums[event, 0] = 0
                    status[TOTALS + event] = total
                else:
                    sums[event, cuda.blockIdx.x] = total

    def add_up(sums: Any, parts: Any, status: Any) -> None:
        """sums: the events of all parts before each; by one block of threads."""
        space = cuda.shared.array(THREADS, np.int64)
        for event in range(sums.shape[0]):
            total = scan(sums, sums, event, 0, parts, space)
            if cuda.threadIdx.x == 0:
                status[TOTALS + event] = total

    def gather(listed: Any, counts: Any, size: Any, starts: Any, sums: Any, keys: Any) -> None:
        """Each event to its place, as far as there is room."""
        i = cuda.grid(1)
        if i < size:
            for event in range(counts.shape[0]):
                place = sums[event, i // PART] + starts[event, i]
                for j in range(min(counts[event, i], listed.shape[1], keys.shape[1] - place)):
                    keys[event, place + j] = np.int64(listed[event, j, i]) << STEP_BITS | i

    def gather_moments(moments: Any, counts: Any, size: Any, starts: Any, sums: Any, delays: Any) -> None:
        """The moments of the events, beside them."""
        i = cuda.grid(1)
        if i < size:
            for event in range(counts.shape[0]):
                place = sums[event, i // PART] + starts[event, i]
                for j in range(min(counts[event, i], moments.shape[1], delays.shape[1] - place)):
                    delays[event, place + j] = moments[event, j, i]

    return {function.__name__: function for function in (tally, add_up, gather, gather_moments)}


def signatures() -> Mapping[str, tuple[Any, ...]]:
    """The numba types of their arguments."""
    types: Any = import_module("numba.types")
    whole, table, wholes = types.int64, types.int64[:, ::1], types.int64[::1]
    counts, starts, listed = types.int32[:, ::1], types.int32[:, ::1], types.int32[:, :, ::1]
    fixed = (counts, whole, starts, table)
    return {
        "tally": (*fixed, wholes),
        "add_up": (table, whole, wholes),
        "gather": (listed, *fixed, table),
        **{f"gather_moments {real}": (real[:, :, ::1], *fixed, real[:, ::1]) for real in (types.float32, types.float64)},
    }


@functools.cache
def kernels(precision: np.dtype[np.floating], timed: bool) -> Mapping[str, Any]:
    """The functions, ready to be launched."""
    from .cache import functions_for
    from .machine import gpu

    wanted = ("tally", "add_up", "gather", *(["gather_moments"] if timed else []))
    known = signatures()
    types = {name: known.get(name) or known[f"{name} {precision.name}"] for name in wanted}
    found, _ = functions_for("events of a chunk", "" if simulated() else gpu().architecture, types, lambda wanted: defined())
    return found


# ---- the lists ---------------------------------------------------------------------------------


class Lists:
    """The lists of all neurons for one chunk, `capacity` places each, and what is gathered from them.

    `listed`, `moments`, `counts` and `status` are what the functions that make steps are given (see `generate`).
    `told` is the status, in the main memory, once the chunk has been made.
    """

    def __init__(self, kernel: Kernel, memory: Memory, capacity: int) -> None:
        self.kernels = kernels(memory.precision, bool(kernel.timed))
        self.events, self.n, self.parts = len(kernel.events), memory.n, -(-memory.n // PART)
        self.timed = kernel.timed
        known, width = max(1, self.events), memory.n if self.events else 1
        self.clean = cuda.to_device(np.zeros((STATUSES, TOTALS + known), np.int64))
        self.statuses = cuda.to_device(np.zeros((STATUSES, TOTALS + known), np.int64))
        self.unused = [self.statuses[row] for row in range(STATUSES)]
        self.used: list[Any] = []
        self.status = self.unused[0]
        self.told = cuda.pinned_array(TOTALS + known, np.int64)
        self.counts = cuda.to_device(np.zeros((known, width), np.int32))
        self.starts = cuda.device_array((known, width), np.int32)
        self.sums = cuda.device_array((known, self.parts), np.int64)
        self.listed = cuda.device_array((known, capacity, width), np.int32)
        if self.timed:
            self.moments = cuda.device_array(self.listed.shape, memory.precision)
        self._make_room(ROOM, memory.precision)

    def _make_room(self, room: int, precision: np.dtype[np.floating]) -> None:
        """Room for so many events of each kind."""
        self.keys = cuda.device_array((max(1, self.events), room), np.int64)
        self.keys_home = cuda.pinned_array(self.keys.shape, np.int64)
        if self.timed:
            self.delays = cuda.device_array(self.keys.shape, precision)
            self.delays_home = cuda.pinned_array(self.keys.shape, precision)

    def begin(self, stream: Any) -> None:
        """No events, and no trouble."""
        if not self.unused:
            self.statuses.copy_to_device(self.clean, stream=stream)
            self.used, self.unused = [], self.used
        self.status = self.unused.pop()
        self.used.append(self.status)

    def gather(self, stream: Any) -> None:
        """Count and gather the events of the chunk, and tell the status, behind everything that the stream has to do."""
        if self.events:
            found, grid = self.kernels, (-(-self.n // THREADS), THREADS, stream)
            where = self.counts, self.n, self.starts, self.sums
            found["tally"][self.parts, THREADS, stream](*where, self.status)
            if self.parts > 1:
                found["add_up"][1, THREADS, stream](self.sums, self.parts, self.status)
            found["gather"][grid](self.listed, *where, self.keys)
            if self.timed:
                found["gather_moments"][grid](self.moments, *where, self.delays)
        self.status.copy_to_host(self.told, stream=stream)

    @property
    def overfull(self) -> bool:
        """Whether a neuron had more events than its list has places."""
        return bool(self.told[BITS] & OVERFULL)

    @property
    def not_finite(self) -> bool:
        return bool(self.told[BITS] & NOT_FINITE)

    @property
    def fullest(self) -> int:
        """The most events that a neuron had."""
        return int(self.told[FULLEST])

    @property
    def totals(self) -> list[int]:
        """How many events there were of each kind."""
        return [int(total) for total in self.told[TOTALS : TOTALS + self.events]]

    def fetch(self, work: Any, copies: Any) -> None:
        """Begin to copy the events to the main memory; where they had no room, they are gathered again."""
        if max(self.totals, default=0) > self.keys.shape[1]:
            self._make_room(max(self.totals) * 3 // 2, self.delays.dtype if self.timed else np.dtype(np.float64))
            self.gather(work)
            work.synchronize()
        for event, total in enumerate(self.totals):
            if total:
                self.keys[event, :total].copy_to_host(self.keys_home[event, :total], stream=copies)
                if event in self.timed:
                    self.delays[event, :total].copy_to_host(self.delays_home[event, :total], stream=copies)

    def hand_over(self, memory: Memory, first: int) -> None:
        """Give the events of a chunk from step `first` on, which have been copied, to the memory."""
        for event, total in enumerate(self.totals):
            if total:
                keys = self.keys_home[event, :total]
                moments = (self.delays_home[event, :total].astype(np.float64),) if event in self.timed else ()
                memory.spikes[event].append((first + (keys >> STEP_BITS), keys & (1 << STEP_BITS) - 1, *moments))
