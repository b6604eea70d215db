"""The loop of a run: chunks of steps, short enough that a person is heard and told in between."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ...backends.memory import Memory, NonFinite
from ...backends.program import Program
from ...backends.unusable import CallFailed
from .interrupt import Interruption
from .progress import Silent
from .recorders.spikes import EventLog

CHUNK_SECONDS = 0.08  # aimed at, so that control returns within 0.1 s also when a chunk takes longer than the last one
FIRST_STEPS = 256  # that the first chunk has at most: nothing is known of the speed
FEWEST_STEPS = 32  # of a chunk once the speed is known: between chunks a large population travels through the main memory
GROWTH = 4  # the most by which a chunk is longer than the one before


class Onward:
    """What happens between the chunks of a run: nothing. A run that is saved on the way has a Keeper (see `keeper`)."""

    def limit(self, step: int, last: int) -> int:
        """How far the chunk that begins at `step` may go."""
        return last

    def reached(self, step: int) -> bool:
        """A chunk has ended at `step`; False ends the run."""
        return True


@dataclass(frozen=True)
class Reached:
    """`done`: the first step that was not made. `seconds`: how long the steps took.

    `why` the run ended before its time: "interrupted", "full" (more events than there is room for), "unsaved" (a checkpoint could not be
    written); empty where it did not, and with `trouble`.
    `failed`: what a function from outside did in the steps after `done`, whose states are lost.
    """

    done: int
    seconds: float
    why: str = ""
    trouble: NonFinite | None = None
    failed: str = ""


def run_steps(
    program: Program,
    memory: Memory,
    first: int,
    last: int,
    threads: int,
    logs: Sequence[EventLog],
    room: float,
    teller: Silent,
    halts: Onward,
) -> Reached:
    """Make the steps `first` to `last` (not included).

    A Ctrl-C, a KeyboardInterrupt of the callable that is told the progress, and more than `room` events end the loop between two chunks.
    """
    chunk, step, began = max(1, min(FIRST_STEPS, program.first_chunk // memory.n)), first, time.perf_counter()
    why, trouble = "", None
    with Interruption() as interruption:
        while step < last and not why and trouble is None:
            start, stop = time.perf_counter(), min(last, step + chunk, halts.limit(step, last))
            try:
                outcome = program.advance(memory, step, stop, threads)
            except CallFailed as failure:
                return Reached(step, start - began, failed=str(failure))
            for log, pairs in zip(logs, memory.spikes, strict=True):
                log.drain(pairs, step)
            taken = time.perf_counter() - start
            aimed = max(FEWEST_STEPS, int((stop - step) * CHUNK_SECONDS / max(taken, 1e-9)))
            chunk = max(1, min(GROWTH * (stop - step), aimed))
            step, trouble = outcome.done, outcome.trouble
            if not _told(teller, (step - first) / (last - first)) or interruption.asked:
                why = "interrupted"
            elif sum(log.count for log in logs) > room:
                why = "full"
            elif trouble is None and not halts.reached(step):
                why = "unsaved"
    return Reached(step, time.perf_counter() - began, "" if why == "full" and step == last else why, trouble)


def _told(teller: Silent, fraction: float) -> bool:
    """Tell the progress; False where that was answered with KeyboardInterrupt."""
    try:
        teller.tell(fraction)
    except KeyboardInterrupt:
        return False
    return True
