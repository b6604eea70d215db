"""Recordings: what a run has kept so far, and which step a row belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.memory import Memory
from .assembly import Assembly
from .conventions import Convention
from .estimate import Item
from .recorders.spikes import EventLog
from .recorders.state import Table, Track, table_of


class Recordings:
    """The tables of recorded quantities and the logs of events, `logs` in the order of the kernel's.

    A row belongs to the step that begins at its time, so that it holds what a person has set between two steps; where the conventions
    let it belong to the step that ends there, it stays what that step has led to. `touched`: values were set since the last step.
    """

    def __init__(
        self, tracks: Sequence[Track], dtype: Callable[[str], np.dtype[np.generic]], events: Sequence[str], convention: Convention
    ) -> None:
        self.tables = [table_of(track, dtype(track.name), convention) for track in tracks]
        self.logs = [EventLog() for _ in events]
        self.spikes = dict(zip(events, self.logs, strict=True)).get("spike", EventLog())
        self.touched = False
        self._convention = convention
        self._ended: list[tuple[Table, slice, NDArray[Any]]] = []

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(log.count for log in self.logs)

    def items(self, last: int) -> list[Item]:
        """What the tables of a run up to step `last` will take that is not there yet."""
        found = []
        for table in self.tables:
            size = table.size_for(last)
            if size:
                rows, neurons = self._convention.rows(0, last, table.track.every), len(table.track.neurons)
                what = f"the recording of {table.track.name} ({rows} rows of {neurons} neurons)"
                found.append(Item(what, size, "Record fewer neurons or less often: dvdt.record(every=..., neurons=...)"))
        return found

    def attach(self, memory: Memory, last: int) -> None:
        """Have a kernel write here, with room for a run up to step `last`."""
        for table in self.tables:
            table.grow(last)
        memory.recordings = [table.recording for table in self.tables]

    def begin(self, first: int, last: int) -> None:
        """The steps `first` to `last` are about to be made: put aside the rows of now that belong to the step before."""
        ended = self.touched and self._convention.first_row > 0
        found = [(each, row) for each in self.tables if (row := each.row_at(first)) is not None] if ended else []
        self._ended = [(each, row, each.read(row).copy()) for each, row in found]
        self.touched = self.touched and last == first

    def put_back(self) -> None:
        """Give the rows that were put aside the values that they had."""
        for each, row, values in self._ended:
            each.write(row, values)

    def record_end(self, assembly: Assembly, step: int) -> None:
        """Record what stands now, where a row of this moment is due and not ended."""
        kept = self._convention.first_row > 0 and self.touched
        if self.tables and not self._convention.rows_short and not kept:
            memory, program = assembly.place(step), assembly.build()
            self.attach(memory, step)
            program.record(memory, step)

    def rows(self, step: int) -> dict[str, NDArray[Any]]:
        """The rows of each table up to a step (views)."""
        return {table.track.name: table.read(table.rows(0, step)) for table in self.tables}

    def restore(self, step: int, rows: Mapping[str, NDArray[Any]], events: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        """Hold what was stored at a step. Raises KeyError or ValueError for what was not stored of these tables."""
        for table in self.tables:
            table.grow(step)
            table.write(table.rows(0, step), rows[table.track.name])
        for log, stored in zip(self.logs, events, strict=True):
            log.restore(stored)
