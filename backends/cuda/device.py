"""The chunks of steps that are made on a GPU: while one is made, what the one before has found is copied and handed over.

State lies in two sets of arrays; a chunk reads one and writes the other. A chunk that turns out to be void (the list of a neuron ran
over, or a value is not finite) has not touched what it read, and the chunk behind it, which may run already, finds that in its status
and does nothing. Both are made again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernel import Kernel
from ..memory import Memory, NonFinite, Outcome
from . import recordings, spikes
from .arrays import Arrays, narrowed
from .coupled import Together
from .functions import numba_cuda, simulated
from .machine import free_memory, refuse_what_needs
from .pace import Pace
from .recordings import Columns, Recordings
from .spikes import Lists
from .templates import RECORDED
from .text import Argument, Text

THREADS = 128  # of a block, at most
WARP = 32  # threads that go together
IN_FLIGHT = 2  # chunks that are launched and not yet looked at
RECENT = 8  # values that a NonFinite shows
PARTS = 32  # of a void chunk that is searched for a value that is not finite


class Chunk:
    """One of the two sets of what a chunk writes beside the state: the steps first..last-1, from the state number `source`."""

    def __init__(self, kernel: Kernel, memory: Memory, capacity: int, columns: Columns) -> None:
        self.lists = Lists(kernel, memory, capacity)
        self.recordings = Recordings(memory, columns)
        self.made = numba_cuda().event()
        self.first = self.last = self.source = 0
        self.launched = 0.0

    @property
    def void(self) -> bool:
        return self.lists.overfull or self.lists.not_finite


class Device(Arrays):
    """The arrays of one memory on a device, and the steps that are made there."""

    def __init__(self, kernel: Kernel, text: Text, functions: Mapping[str, Any], memory: Memory) -> None:
        super().__init__(kernel, memory)
        memory, cuda = self.memory, numba_cuda()
        self.text, self.functions = text, functions
        self.together = Together(kernel, memory.n, memory.precision)
        free = free_memory(2 * self.bytes())
        capacity = spikes.places(kernel, memory.n, memory.precision, free)
        self._refuse_what_does_not_fit(capacity, free)
        self.allocate()
        self.together.allocate()
        self.work, self.copies = cuda.stream(), cuda.stream()
        columns = Columns(kernel, memory)
        self.chunks = [Chunk(kernel, memory, capacity, columns) for _ in range(IN_FLIGHT)]
        self.turn = self.front = 0  # the set of the next chunk, and the arrays that hold the present state
        self.fine = cuda.to_device(np.zeros(1, np.int64))  # the status before the first chunk
        self.capacity = capacity
        self.pace = Pace(memory.n, capacity if kernel.events else 0)
        self.last_made = 0.0

    def _refuse_what_does_not_fit(self, capacity: int, free: float) -> None:
        kernel, memory = self.kernel, self.memory
        lists = spikes.bytes_of(kernel, memory.n, memory.precision, capacity)
        self.needed = self.bytes() + self.together.bytes + IN_FLIGHT * (lists + recordings.bytes_of(memory))
        refuse_what_needs(self.needed, f"{memory.n} neurons of {kernel.name}", free)

    # ---- a run --------------------------------------------------------------------------------------

    def run(self, first: int, last: int) -> Outcome:
        """Make the steps first..last-1, and leave the state in `arrays`. Arrays that have been lent stay the same ones."""
        try:
            return self._run(first, last)
        finally:
            self._settle()

    def _run(self, first: int, last: int) -> Outcome:
        flying: deque[Chunk] = deque()
        while first < last or flying:
            if first < last and len(flying) < IN_FLIGHT:
                steps = recordings.steps_at_once(self.memory, min(self.pace.steps, last - first))
                flying.append(self._launch(first, first + steps, flying[-1] if flying else None))
                first += steps
                continue
            chunk = flying.popleft()
            self._wait(chunk)
            if not chunk.void:
                self._hand_over(chunk)
                continue
            flying.clear()
            first, self.front = chunk.first, chunk.source
            if not chunk.lists.overfull:
                return self._search(chunk.first, chunk.last)
            self.pace.ran_over(chunk.last - chunk.first, chunk.lists.fullest)
        return Outcome(last)

    def record(self, step: int) -> None:
        """What is due at one step, from the present values."""
        chunk = self._launch(step, step, None)
        self.front = chunk.source
        self._wait(chunk)
        chunk.recordings.fetch(self.copies)
        self.copies.synchronize()
        chunk.recordings.hand_over()

    def _launch(self, first: int, last: int, after: Chunk | None, recorded: bool = True) -> Chunk:
        """Begin to make a chunk, behind another one or, where there is none, from a state that holds. No steps: record the first one."""
        chunk = self.chunks[self.turn]
        self.turn = (self.turn + 1) % IN_FLIGHT
        chunk.first, chunk.last, chunk.source = first, last, self.front
        chunk.lists.begin(self.work)
        chunk.recordings.prepare(first, max(last, first + 1) if recorded else first)
        self._make(chunk, self.fine if after is None else after.lists.status)
        chunk.lists.gather(self.work)
        chunk.made.record(self.work)
        self.front = 1 - self.front
        chunk.launched = time.perf_counter()
        return chunk

    def _wait(self, chunk: Chunk) -> None:
        """Until a chunk has been made, to learn what it tells of itself."""
        chunk.made.synchronize()
        now, steps = time.perf_counter(), chunk.last - chunk.first
        seconds = now - max(chunk.launched, self.last_made)
        self.last_made = now
        if steps and not chunk.void:
            self.pace.held(steps, chunk.lists.fullest, seconds)

    def _hand_over(self, chunk: Chunk) -> None:
        """Give the events and recordings of a chunk that holds to the memory."""
        self.ahead = True
        chunk.lists.fetch(self.work, self.copies)
        chunk.recordings.fetch(self.copies)
        self.copies.synchronize()
        chunk.lists.hand_over(self.memory, chunk.first)
        chunk.recordings.hand_over()

    def _settle(self) -> None:
        """The present state to `arrays`, where everybody looks for it: to the same ones where somebody holds them."""
        if self.front and not self.lent:
            self.states = self.states[1], self.states[0]
            self.arrays.update(self.states[0])
        elif self.front:
            for place, array in self.states[1].items():
                self.arrays[place].copy_to_device(array, stream=self.work)
        self.front = 0
        self.work.synchronize()

    # ---- a value that is not finite -----------------------------------------------------------------

    def _search(self, first: int, last: int) -> Outcome:
        """Make the steps of a void chunk in ever shorter ones, to the first step that leaves a value that is not finite."""
        start, begin = self._copied(), first
        while last - first > 1:
            steps = -(-(last - first) // PARTS)
            while not (chunk := self._made(first, min(last, first + steps))).void:
                self._hand_over(chunk)
                first = chunk.last
                assert first < last, "all values are finite when the steps are made in parts"
            last, self.front = chunk.last, chunk.source
        chunk = self._made(first, last)
        self.front = chunk.source
        chunk.recordings.fetch(self.copies)
        self.copies.synchronize()
        chunk.recordings.hand_over()
        return Outcome(first, self._told(start, begin, first))

    def _made(self, first: int, last: int) -> Chunk:
        chunk = self._launch(first, last, None)
        self._wait(chunk)
        return chunk

    def _told(self, start: Mapping[str, Any], first: int, step: int) -> NonFinite:
        """What is not finite after `step`, from the state at `first`; it is made twice, since states are kept for no time."""
        guarded = self.kernel.guarded
        self._put(start)
        self._quietly(first, step + 1)
        reals = self.states[self.front]["reals"].copy_to_host()
        rows = np.stack([reals[self.rows[name]] for name in guarded])
        neuron = int(np.flatnonzero(~np.isfinite(rows).all(axis=0))[0])
        name = guarded[int(np.flatnonzero(~np.isfinite(rows[:, neuron]))[0])]
        self._put(start)
        begin = max(first, step + 2 - RECENT)
        self._quietly(first, begin)
        recent = [self.states[self.front]["reals"][self.rows[name], neuron]]
        for each in range(begin, step + 1):
            self._quietly(each, each + 1)
            recent.append(self.states[self.front]["reals"][self.rows[name], neuron])
        self.ahead = True
        return NonFinite(name, neuron, step, np.array(recent))

    def _quietly(self, first: int, last: int) -> None:
        """Make steps and keep their state, whatever they find, and nothing else."""
        if first < last:
            self._launch(first, last, None, recorded=False).made.synchronize()

    def _copied(self) -> dict[str, Any]:
        """The present state, in the main memory."""
        return {place: array.copy_to_host() for place, array in self.states[self.front].items()}

    def _put(self, state: Mapping[str, Any]) -> None:
        for place, values in state.items():
            self.states[self.front][place].copy_to_device(values)

    # ---- launching ----------------------------------------------------------------------------------

    def _make(self, chunk: Chunk, before: Any) -> None:
        """Launch what makes the steps of a chunk."""
        source, target = self.states[self.front], self.states[1 - self.front]
        values = {
            **self.constants(),
            **source,
            **{f"{place}_out": array for place, array in target.items()},
            "first": chunk.first,
            "steps": chunk.last - chunk.first,
            "before": before,
            **self.of_lists(chunk),
            **self.together.arrays,
        }
        (function,) = self.text.functions
        made, arguments = self.functions[function.name], [self._of(argument, chunk, values) for argument in function.arguments]
        shape = self.together.grid(made, arguments) if self.kernel.coupled else grid(function.threads(self.memory.n))
        made[(*shape, self.work)](*arguments)

    def of_lists(self, chunk: Chunk) -> dict[str, Any]:
        found = {name: getattr(chunk.lists, name) for name in ("listed", "counts", "status")}
        moments = {"moments": chunk.lists.moments} if self.kernel.timed else {}
        return {**found, **moments, "capacity": self.capacity}

    def _of(self, argument: Argument, chunk: Chunk, values: Mapping[str, Any]) -> Any:
        if argument.of in RECORDED:
            return narrowed(argument.of, chunk.recordings.argument(argument.of, argument.place, argument.kind))
        return self.argument(argument, values)


def grid(n: int) -> tuple[int, int]:
    """Blocks and threads, for n threads: few threads in a block where that lets a small population have every multiprocessor."""
    if simulated():
        return -(-n // 16), 16
    processors = numba_cuda().get_current_device().MULTIPROCESSOR_COUNT
    threads = min(THREADS, max(WARP, -(-n // processors // WARP) * WARP))
    return -(-n // threads), threads
