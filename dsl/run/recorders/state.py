"""What `record=` asks for, the rows that this means, and the table they are written to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....backends.held import Held
from ....backends.memory import Recording
from ....grammar.spelling import as_written
from ...errors import UsageError
from ..conventions import Convention
from ..duration import time_in_ms, whole_steps


@dataclass(frozen=True)
class Record:
    """How a quantity is recorded: `every` an interval (None: each step), `neurons` a slice, a list or one number (None: all), `on` what."""

    every: object = None
    neurons: object = None
    on: object = None


def record(every: object = None, neurons: object = None, on: object = None) -> Record:
    """How to record a quantity: `record={"v": dvdt.record(every="1 ms", neurons=slice(0, 10))}`.

    `every`: a time, a whole number of steps (rounded to one, with a note in the report); None is each step.
    `neurons`: a slice, a list of indices, a boolean mask, or one index; None is all. The columns stand in this order.
    `on`: "device" keeps the recording on the GPU that makes it, in one array (rows, neurons) which `result.on_device` gives to other
    programs; `result["v"]` fetches it. The neurons stand in ascending order then. None is the main memory.
    """
    return Record(every, neurons, on)


@dataclass(frozen=True)
class Track:
    """One quantity that is recorded: every how many steps, of which neurons, in the order in which they were asked for, and whether its
    rows stay on the device."""

    name: str
    every: int
    asked: NDArray[np.int64]
    on_device: bool = False

    @cached_property
    def neurons(self) -> NDArray[np.int64]:
        """The neurons that kernels write, ascending and once each."""
        return self.asked if bool((np.diff(self.asked) > 0).all()) else np.unique(self.asked)

    @cached_property
    def columns(self) -> NDArray[np.int64] | None:
        """Where the neurons that were asked for stand among `neurons`; None where that is one by one."""
        return None if self.neurons is self.asked else np.searchsorted(self.neurons, self.asked)


def requests(asked: object) -> dict[str, Record]:
    """The `record=` argument as a mapping from names."""
    if asked is None:
        return {}
    if isinstance(asked, str):
        return {asked: Record()}
    if isinstance(asked, Mapping):
        return {_name(name): _request(name, how) for name, how in asked.items()}
    if isinstance(asked, Iterable):
        return {_name(name): Record() for name in asked}
    raise UsageError(f"record: expected names such as ['v'], or a mapping to dvdt.record(...), not {asked!r}")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise UsageError(f"record: {name!r} is not a name")
    return as_written(name)


def _request(name: object, how: object) -> Record:
    if how is None or how is True:
        return Record()
    if isinstance(how, Record):
        return how
    raise UsageError(f"record[{name!r}]: expected dvdt.record(every=..., neurons=...), not {how!r}")


def track(name: str, asked: Record, n: int, dt: float, backend: str) -> tuple[Track, str | None]:
    """What `asked` means for `n` neurons at `dt` (ms), and a note where the interval had to be rounded."""
    where = f"record[{name!r}]"
    every, note = 1, None
    if asked.every is not None:
        interval = time_in_ms(asked.every, f"{where}: every")
        if not interval > 0:
            raise UsageError(f"{where}: every has to be longer than 0 ms, not {asked.every}")
        every, note = whole_steps(interval, dt, f"{where}: every")
        if every == 0:
            raise UsageError(f"{where}: every = {asked.every} is shorter than half of dt = {dt:g} ms")
    found = Track(name, every, _neurons(asked.neurons, n, where), _on_device(asked.on, backend, name))
    if found.on_device and found.columns is not None:
        raise UsageError(f"{where}: on='device' records neurons in ascending order, once each; give them so")
    return found, note


def _on_device(asked: object, backend: str, name: str) -> bool:
    if asked is not None and asked != "device":
        raise UsageError(f"record[{name!r}]: on: expected 'device', or None for the main memory, not {asked!r}")
    if asked == "device" and backend != "cuda":
        raise UsageError(
            f"record[{name!r}]: on='device': with backend={backend!r} recordings lie in the main memory, and result[{name!r}] is it"
        )
    return asked == "device"


def _neurons(asked: object, n: int, where: str) -> NDArray[np.int64]:
    if asked is None:
        return np.arange(n, dtype=np.int64)
    if isinstance(asked, slice):
        try:
            return np.arange(n, dtype=np.int64)[asked].copy()  # kernels take arrays without gaps
        except (TypeError, ValueError) as error:
            raise UsageError(f"{where}: neurons={asked!r} is not a slice of neurons: {error}") from None
    chosen = np.atleast_1d(np.asarray(asked))
    if chosen.dtype == np.bool_:
        if chosen.shape != (n,):
            raise UsageError(f"{where}: a mask of neurons has one value for each of the {n}, this one has shape {chosen.shape}")
        return np.flatnonzero(chosen).astype(np.int64)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise UsageError(f"{where}: neurons is a slice, a list of indices or one index, not {asked!r}")
    outside = chosen[(chosen < -n) | (chosen >= n)] if chosen.size else chosen
    if outside.size:
        raise UsageError(f"{where}: there is no neuron {outside[0]}; the population has {n} (0 to {n - 1})")
    return np.where(chosen < 0, chosen + n, chosen).astype(np.int64)


class Table:
    """The rows of one track, growing as a run goes on: row r is written at step start + r*every."""

    def __init__(self, track: Track, dtype: np.dtype[np.generic], convention: Convention) -> None:
        self.track, self.convention = track, convention
        self.start = convention.first_due(0, track.every)
        self.values: NDArray[Any] = np.empty((0, len(track.neurons)), dtype)
        self.recording = self._recording()

    def size_for(self, last: int) -> int:
        """Bytes that the table will have been grown by when it holds a run up to step `last`."""
        rows = self.convention.rows(0, last, self.track.every)
        return max(0, rows - len(self.values)) * self.values.itemsize * len(self.track.neurons)

    def grow(self, last: int) -> None:
        """Make room for the rows of a run up to step `last`."""
        needed = self.convention.rows(0, last, self.track.every)
        if needed > len(self.values):
            longer = np.empty((max(needed, len(self.values) * 3 // 2), self.values.shape[1]), self.values.dtype)
            longer[: len(self.values)] = self.values
            self.values = longer
            self.recording = self._recording()

    def rows(self, first: int, last: int) -> slice:
        """Which rows belong to a run of the steps `first` to `last` (not included)."""
        row = (self.convention.first_due(first, self.track.every) - self.start) // self.track.every
        return slice(row, row + self.convention.rows(first, last, self.track.every))

    def row_at(self, step: int) -> slice | None:
        """The row that is written at the start of a step, where one is due then and there is room for it."""
        row, off = divmod(step - self.start, self.track.every)
        return slice(row, row + 1) if off == 0 and 0 <= row < self.room else None

    @property
    def room(self) -> int:
        """How many rows there is room for."""
        return len(self.values)

    def read(self, rows: slice) -> NDArray[Any]:
        """Some rows, in the main memory (a view where they lie there)."""
        return self.values[rows]

    def write(self, rows: slice, values: NDArray[Any]) -> None:
        """Put these in the place of some rows."""
        self.values[rows] = values

    def steps(self, rows: slice) -> NDArray[np.int64]:
        """The steps at whose start the rows are written."""
        return self.start + self.track.every * np.arange(rows.start, rows.stop)

    def _recording(self) -> Recording:
        """The table as kernels write to it."""
        return Recording(self.track.name, self.track.every, self.start, self.track.neurons, self.values)


class TableOnDevice(Table):
    """The rows of a track that stay on the device: `values` has none."""

    def __init__(self, track: Track, dtype: np.dtype[np.generic], convention: Convention) -> None:
        self.held = Held(track.name, len(track.neurons), dtype)
        super().__init__(track, dtype, convention)

    def size_for(self, last: int) -> int:
        return 0

    def grow(self, last: int) -> None:
        needed = self.convention.rows(0, last, self.track.every)
        if needed > self.held.wanted:
            self.held.wanted = max(needed, self.held.wanted * 3 // 2)

    @property
    def room(self) -> int:
        return self.held.wanted

    def read(self, rows: slice) -> NDArray[Any]:
        return self.held.fetched(rows)

    def write(self, rows: slice, values: NDArray[Any]) -> None:
        self.held.put(rows, values)

    def _recording(self) -> Recording:
        return replace(super()._recording(), held=self.held)


def table_of(track: Track, dtype: np.dtype[np.generic], convention: Convention) -> Table:
    """The table that a track is written to."""
    return (TableOnDevice if track.on_device else Table)(track, dtype, convention)
