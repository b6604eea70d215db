"""The events of one chunk on a device: a short list for each neuron, gathered into one array when the chunk has been made.

The places of a neuron's events in that array are the number of events of all neurons before it. So what is gathered is in the order of
the neurons, each in the order of its steps, whatever thread comes first.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

import numpy as np

from .cuda_functions import simulated
from .generate_cuda import NOT_FINITE, OVERFULL
from .kernel import Kernel
from .memory import Listed, Memory

cuda: Any = import_module("numba.cuda")

THREADS = 256  # of a block
PART = 2048  # neurons whose events one block of threads counts
ROOM = 1 << 16  # events of one kind that can be gathered, at first
STEP_BITS = 32  # a key is a step << STEP_BITS | neuron

# The numbers in `status`: the bits OVERFULL and NOT_FINITE, the most events that a neuron had, and how many there were of each kind
BITS, FULLEST, TOTALS = 0, 1, 2


@functools.cache
def kernels(threads: int, part: int) -> dict[str, Any]:
    """The device functions by name, for blocks of `threads` (a power of two) and parts of `part` neurons."""

    def scanned(source: Any, target: Any, event: Any, begin: Any, end: Any, space: Any) -> Any:
        """target[event, j] = sum of source[event, begin:j] for each j; the sum of all comes back. `threads` of them at a time."""
        mine = cuda.threadIdx.x
        carried = 0
        for first in range(begin, end, threads):
            j = first + mine
            own = source[event, j] if j < end else 0
            space[mine] = own
            cuda.syncthreads()
            width = 1
            while width < threads:
                behind = space[mine - width] if mine >= width else 0
                cuda.syncthreads()
                space[mine] += behind
                cuda.syncthreads()
                width *= 2
            if j < end:
                target[event, j] = carried + space[mine] - own
            carried += space[threads - 1]
            cuda.syncthreads()
        return carried

    scan = cuda.jit(device=True)(scanned)

    def tally(counts: Any, size: Any, starts: Any, sums: Any, status: Any) -> None:
        """starts: the events before each neuron, of those in its part; sums: those of each part."""
        space = cuda.shared.array(threads, np.int64)
        begin = cuda.blockIdx.x * part
        end = min(size, begin + part)
        for event in range(counts.shape[0]):
            for i in range(begin + cuda.threadIdx.x, end, threads):
                if counts[event, i] > status[FULLEST]:
                    cuda.atomic.max(status, FULLEST, counts[event, i])
            total = scan(counts, starts, event, begin, end, space)
            if cuda.threadIdx.x == 0:
                sums[event, cuda.blockIdx.x] = total

    def add_up(sums: Any, parts: Any, status: Any) -> None:
        """sums: the events of all parts before each; by one block of threads."""
        space = cuda.shared.array(threads, np.int64)
        for event in range(sums.shape[0]):
            total = scan(sums, sums, event, 0, parts, space)
            if cuda.threadIdx.x == 0:
                status[TOTALS + event] = total

    def gather(listed: Any, counts: Any, size: Any, starts: Any, sums: Any, keys: Any) -> None:
        """Each event to its place, as far as there is room."""
        i = cuda.grid(1)
        if i < size:
            for event in range(counts.shape[0]):
                place = sums[event, i // part] + starts[event, i]
                for j in range(min(counts[event, i], listed.shape[1], keys.shape[1] - place)):
                    keys[event, place + j] = np.int64(listed[event, j, i]) << STEP_BITS | i

    return {function.__name__: cuda.jit(function) for function in (tally, add_up, gather)}


class Lists:
    """The lists of all neurons for one chunk, `capacity` places each, and what is gathered from them.

    `listed`, `counts` and `status` are what the functions that make steps are given (see `generate_cuda`).
    """

    def __init__(self, kernel: Kernel, n: int, capacity: int) -> None:
        self.threads, self.part = (4, 8) if simulated() else (THREADS, PART)
        self.kernels = kernels(self.threads, self.part)
        self.events, self.n = len(kernel.events), n
        self.parts = -(-n // self.part)
        known = max(1, self.events)
        width = n if self.events else 1
        self.status = cuda.to_device(np.zeros(TOTALS + known, np.int64))
        self.counts = cuda.to_device(np.zeros((known, width), np.int32))
        self.starts = cuda.device_array((known, width), np.int64)
        self.sums = cuda.device_array((known, self.parts), np.int64)
        self.told = np.zeros(TOTALS + known, np.int64)
        self.make_room(capacity)
        self.keys = cuda.device_array((known, 4 if simulated() else ROOM), np.int64)

    def make_room(self, capacity: int) -> None:
        """Places for `capacity` events of each neuron."""
        self.capacity = capacity
        self.listed = cuda.device_array((max(1, self.events), capacity, self.counts.shape[1]), np.int32)

    def begin(self) -> None:
        """No events, and no trouble."""
        self.status.copy_to_device(np.zeros(self.status.shape, np.int64))
        self.counts.copy_to_device(np.zeros(self.counts.shape, np.int32))

    def gather(self) -> None:
        """Count and gather the events of the chunk, and look at its status."""
        if self.events:
            found, grid = self.kernels, -(-self.n // self.threads)
            found["tally"][self.parts, self.threads](self.counts, self.n, self.starts, self.sums, self.status)
            found["add_up"][1, self.threads](self.sums, self.parts, self.status)
            found["gather"][grid, self.threads](self.listed, self.counts, self.n, self.starts, self.sums, self.keys)
        self.told = self.status.copy_to_host()

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

    def hand_over(self, memory: Memory, first: int) -> None:
        """Give the events of a chunk from step `first` on to the memory."""
        totals = self.told[TOTALS : TOTALS + self.events]
        if self.events and totals.max() > self.keys.shape[1]:
            self.keys = cuda.device_array((self.events, int(totals.max() * 1.5)), np.int64)
            self.gather()
        for event, total in enumerate(totals):
            if total:
                memory.spikes[event].append(_told(self.keys[event, :total].copy_to_host(), first))


def _told(keys: Any, first: int) -> Listed:
    return first + (keys >> STEP_BITS), keys & (1 << STEP_BITS) - 1
