"""Spikes and other events: collected in steps while a run goes on, sorted and told in seconds when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ....backends.memory import Listed
from ...errors import UsageError

ROWS = ("steps", "neurons", "moments")  # of a log, as it is stored
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
        active = len(np.unique(self.i))
        return f"Spikes({len(self)} of {active} neuron{'' if active == 1 else 's'})"


class Uncollected:
    """Stands where spikes or events would, in a run that collects none: whoever looks at them is told so, by a UsageError."""

    def __init__(self, what: str) -> None:
        self._what = what

    def refuse(self, *_: object) -> NoReturn:
        raise UsageError(
            f"{self._what}: this run has spikes=False and collects neither spikes nor events; run it with spikes=True"
        )

    __len__ = __bool__ = __iter__ = __getitem__ = __contains__ = __eq__ = __array__ = refuse
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        self.refuse()

    def __repr__(self) -> str:
        return "not collected (spikes=False)"


class LoggedSpikes(Spikes):
    """Events that are sorted when they are asked for. `dt` in ms; an event of step k is told at (k + stamp)*dt, or, where its moment
    within the step is known, at (k + moment)*dt."""

    def __init__(self, log: EventLog, stamp: int, dt: float) -> None:
        self._log, self._stamp, self._dt = log, stamp, dt

    @cached_property
    def _both(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # type: ignore[override]
        steps, neurons, *moments = self._log.sorted()
        return (steps + (moments[0] if moments else self._stamp)) * self._dt / 1000, neurons

    def __len__(self) -> int:
        return self._log.count


@dataclass
class Chunk:
    """The events of the steps from `first` on that one chunk of a run emitted: block after block, each in the order of its steps."""

    first: int
    listed: list[Listed]
    in_order: bool = False

    def sorted(self) -> Listed:
        """(steps, neurons, and moments where they are known) by step, then neuron. For one step, blocks stand in the order of their
        neurons already, so a stable sort will do."""
        if not self.in_order:
            whole = _joined(self.listed)
            since = whole[0] - self.first
            order = np.argsort(since.astype(np.uint16) if since.max() < RADIX else since, kind="stable")
            self.listed, self.in_order = [tuple(row[order] for row in whole)], True
        return self.listed[0]


@dataclass
class EventLog:
    """The events of one name, in chunks that follow one another in time."""

    chunks: list[Chunk] = field(default_factory=list)
    count: int = 0

    def drain(self, listed: list[Listed], first: int) -> None:
        """Take over what a chunk of steps from `first` on has emitted."""
        kept = [rows for rows in listed if len(rows[0])]
        listed.clear()
        if kept:
            self.chunks.append(Chunk(first, kept))
            self.count += sum(len(rows[0]) for rows in kept)

    def since(self, first: int) -> EventLog:
        """Only the events of the chunks that began at step `first` or later."""
        kept: list[Chunk] = []
        for chunk in reversed(self.chunks):
            if chunk.first < first:
                break
            kept.append(chunk)
        return EventLog(kept[::-1], sum(len(rows[0]) for chunk in kept for rows in chunk.listed))

    def stored(self) -> dict[str, NDArray[Any]]:
        """All events as arrays by name; `restore` makes the same log of them."""
        return dict(zip(ROWS, self.sorted(), strict=False))

    def restore(self, stored: Mapping[str, NDArray[Any]]) -> None:
        """Hold these events and no others."""
        rows = tuple(stored[name] for name in ROWS if name in stored)
        self.chunks = [Chunk(int(rows[0][0]), [rows], in_order=True)] if len(rows[0]) else []
        self.count = len(rows[0])

    def sorted(self) -> Listed:
        """(steps, neurons, and moments where they are known) by time, then neuron."""
        if not self.chunks:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        steps, neurons, *moments = whole = _joined([chunk.sorted() for chunk in self.chunks])
        if not moments:
            return whole
        order = np.lexsort((neurons, steps + moments[0]))
        return tuple(row[order] for row in whole)


def _joined(listed: list[Listed]) -> Listed:
    return tuple(np.concatenate(rows) for rows in zip(*listed, strict=True))
