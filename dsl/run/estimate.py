"""How much memory a run will take, before it is taken."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError

SPIKE_BYTES = 32  # step and neuron while the run goes on, time and neuron in the result
SPIKE_RATE = 20.0  # Hz: a guess, because nobody knows before the run how many there will be
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Item:
    """A part of the memory that a run takes: what it is for, its bytes, and what would make it smaller (may be empty)."""

    what: str
    size: int
    advice: str = ""


def refuse_what_does_not_fit(items: Sequence[Item], guess: Item, available: int | None = None) -> float:
    """Raise UsageError, with the figures, if all items need more than is free. Returns the bytes that are left for spikes.

    A guess alone refuses nothing: it counts up to half of what is free, and a run ends when the spikes have filled what is left.
    """
    free = free_memory() if available is None else available
    if free is None:
        return math.inf
    counted = [*items, replace(guess, size=min(guess.size, free // 2))]
    needed = sum(item.size for item in counted)
    if needed > free:
        largest = sorted(counted, key=lambda item: -item.size)
        parts = ", ".join(f"{told(item.size)} for {item.what}" for item in largest[:3] if item.size)
        advice = f". {largest[0].advice}" if largest[0].advice else ""
        raise UsageError(f"this run would need about {told(needed)} of memory, and {told(free)} are free: {parts}{advice}")
    return free - sum(item.size for item in items)


def spike_guess(events: int, n: int, duration: float) -> Item:
    """The memory of the spikes of `n` neurons in `duration` seconds, at a guessed rate."""
    return Item("spikes (a guess)", int(events * n * duration * SPIKE_RATE * SPIKE_BYTES))


def free_memory() -> int | None:
    """Bytes that can be taken without swapping: of the machine, or of the control group this process is held to. None where unknown."""
    found = [size for size in (_of_the_machine(), _of_the_group()) if size is not None]
    return min(found) if found else None


def _of_the_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # not Linux: asked for otherwise below
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_the_group() -> int | None:
    try:
        return int((CGROUP / "memory.max").read_text()) - int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return None  # no control group, or no limit ("max")


def told(size: int) -> str:
    """A number of bytes for people."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}" if value < 1000 else f"{value:.3e} {units[0]}"
