"""Spikes and other events: collected in steps while a run goes on, told in seconds afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pairs = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True)
class Spikes:
    """The events of one name: `t` in seconds (float64) and `i`, the neuron (int64), sorted by time, then neuron."""

    t: NDArray[np.float64]
    i: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t)

    def __repr__(self) -> str:
        return f"Spikes({len(self)} of {len(np.unique(self.i))} neurons)"


@dataclass
class EventLog:
    """The events of one name as (steps, neurons), in sorted pieces that follow one another in time."""

    pieces: Pairs = field(default_factory=list)
    count: int = 0

    def drain(self, pairs: Pairs, first: int, n: int) -> None:
        """Take over what a chunk of steps from `first` on has emitted, in whatever order its blocks ran."""
        if not pairs:
            return
        key = np.concatenate([(steps - first) * n + neurons for steps, neurons in pairs])
        pairs.clear()
        if not len(key):
            return
        key.sort()
        self.pieces.append((first + key // n, key % n))
        self.count += len(key)

    def between(self, first: int, last: int) -> EventLog:
        """Only the events of the steps `first` to `last` (not included)."""
        kept: Pairs = []
        for steps, neurons in reversed(self.pieces):
            if steps[-1] < first:
                break
            part = slice(np.searchsorted(steps, first), np.searchsorted(steps, last))
            if part.stop > part.start:
                kept.append((steps[part], neurons[part]))
        return EventLog(kept[::-1])

    def spikes(self, stamp: int, dt: float) -> Spikes:
        """`dt` in ms. A spike of step k is told at (k + stamp)*dt."""
        if not self.pieces:
            return Spikes(np.empty(0), np.empty(0, np.int64))
        steps = np.concatenate([steps for steps, _ in self.pieces])
        return Spikes((steps + stamp) * dt / 1000, np.concatenate([neurons for _, neurons in self.pieces]))
