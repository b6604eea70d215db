"""Spikes and other events: collected in steps while a run goes on, sorted and told in seconds when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Pairs = list[tuple[NDArray[np.int64], NDArray[np.int64]]]

RADIX = 1 << 16  # steps of a chunk up to which their numbers are sorted as 16-bit ones, digit by digit


class Spikes:
    """The events of one name: `t` in seconds (float64) and `i`, the neuron (int64), sorted by time, then neuron."""

    def __init__(self, t: NDArray[np.float64], i: NDArray[np.int64]) -> None:
        self._both = t, i

    @property
    def t(self) -> NDArray[np.float64]:
        return self._both[0]

    @property
    def i(self) -> NDArray[np.int64]:
        return self._both[1]

    def __len__(self) -> int:
        return len(self.i)

    def __repr__(self) -> str:
        return f"Spikes({len(self)} of {len(np.unique(self.i))} neurons)"


class LoggedSpikes(Spikes):
    """Events that are sorted when they are asked for. `dt` in ms; an event of step k is told at (k + stamp)*dt."""

    def __init__(self, log: EventLog, stamp: int, dt: float) -> None:
        self._log, self._stamp, self._dt = log, stamp, dt

    @cached_property
    def _both(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # type: ignore[override]
        steps, neurons = self._log.sorted()
        return (steps + self._stamp) * self._dt / 1000, neurons

    def __len__(self) -> int:
        return self._log.count


@dataclass
class Chunk:
    """The events of the steps from `first` on that one chunk of a run emitted: block after block, each in the order of its steps."""

    first: int
    pairs: Pairs
    in_order: bool = False

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(steps, neurons) by step, then neuron. For one step, blocks stand in the order of their neurons already, so a stable sort will do."""
        if not self.in_order:
            steps, neurons = (np.concatenate(parts) for parts in zip(*self.pairs, strict=True))
            since = steps - self.first
            order = np.argsort(since.astype(np.uint16) if since.max() < RADIX else since, kind="stable")
            self.pairs, self.in_order = [(steps[order], neurons[order])], True
        return self.pairs[0]


@dataclass
class EventLog:
    """The events of one name, in chunks that follow one another in time."""

    chunks: list[Chunk] = field(default_factory=list)
    count: int = 0

    def drain(self, pairs: Pairs, first: int) -> None:
        """Take over what a chunk of steps from `first` on has emitted."""
        kept = [pair for pair in pairs if len(pair[0])]
        pairs.clear()
        if kept:
            self.chunks.append(Chunk(first, kept))
            self.count += sum(len(steps) for steps, _ in kept)

    def since(self, first: int) -> EventLog:
        """Only the events of the chunks that began at step `first` or later."""
        kept: list[Chunk] = []
        for chunk in reversed(self.chunks):
            if chunk.first < first:
                break
            kept.append(chunk)
        return EventLog(kept[::-1], sum(len(steps) for chunk in kept for steps, _ in chunk.pairs))

    def stored(self) -> dict[str, NDArray[np.int64]]:
        """All events as arrays by name; `restore` makes the same log of them."""
        steps, neurons = self.sorted()
        return {"steps": steps, "neurons": neurons}

    def restore(self, stored: Mapping[str, NDArray[np.int64]]) -> None:
        """Hold these events and no others."""
        steps, neurons = stored["steps"], stored["neurons"]
        self.chunks = [Chunk(int(steps[0]), [(steps, neurons)], in_order=True)] if len(steps) else []
        self.count = len(steps)

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(steps, neurons) by step, then neuron."""
        if not self.chunks:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        steps, neurons = (np.concatenate(parts) for parts in zip(*(chunk.sorted() for chunk in self.chunks), strict=True))
        return steps, neurons
