"""What is recorded of a chunk on a device: a buffer for each recording that is due, copied to the main memory when the chunk holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .kernel import Kernel, Kind
from .memory import Memory, Recording, recorded_as

RECORDED_BYTES = 1 << 28  # of recordings that a chunk keeps on the device


@dataclass
class Buffer:
    """Where one recording is collected while a chunk runs: `column` of each neuron (-1: not recorded), rows from number `row` on."""

    recording: Recording
    column: Any
    values: Any
    row: int = 0
    rows: int = 0


@dataclass
class Recordings:
    """The buffers of one memory. A probe that is not recorded gets empty arrays, since a function takes arguments for each."""

    cuda: Any
    kernel: Kernel
    memory: Memory
    buffers: dict[str, Buffer] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    empty: dict[tuple[str, Kind], Any] = field(default_factory=dict)

    def steps_at_once(self, wanted: int) -> int:
        """As many steps as have room in the buffers of a chunk."""
        recordings = [recording for recording in self.memory.recordings if recording.held is None]
        bytes_a_step = sum(r.values.dtype.itemsize * len(r.neurons) / r.every for r in recordings)
        return max(1, min(wanted, int(RECORDED_BYTES / bytes_a_step) if bytes_a_step else wanted))

    def prepare(self, first: int, last: int) -> None:
        """A buffer for each recording, with a row for each step of the chunk that is due."""
        self.buffers = {}
        for recording in self.memory.recordings:
            row = max(0, -(-(first - recording.start) // recording.every))
            rows = max(0, -(-(last - recording.start) // recording.every)) - row
            if rows <= 0 or not len(recording.neurons):
                continue
            if recording.probe in self.buffers:
                raise ValueError(f"two recordings of {recording.probe} at once")
            column = self._column(recording)
            self.buffers[recording.probe] = Buffer(recording, column, self._values(recording, row, rows), row, rows)

    def _values(self, recording: Recording, row: int, rows: int) -> Any:
        """Where these rows are written on the device."""
        if recording.held is not None:
            recording.held.make_room()
            return recording.held.rows(slice(row, row + rows))
        dtype = recorded_as(self._kind(recording.probe), self.memory.precision)
        return self.cuda.device_array((rows, len(recording.neurons)), dtype)

    def _column(self, recording: Recording) -> Any:
        key = recording.probe
        if key not in self.columns:
            column = np.full(self.memory.n, -1, np.int32)
            column[recording.neurons] = np.arange(len(recording.neurons), dtype=np.int32)
            self.columns[key] = self.cuda.to_device(column)
        return self.columns[key]

    def hand_over(self) -> None:
        """Copy the buffers to the recordings, but for those that stay on the device."""
        for buffer in self.buffers.values():
            if buffer.recording.held is None:
                values = buffer.values.copy_to_host()
                buffer.recording.values[buffer.row : buffer.row + buffer.rows] = values

    def argument(self, of: str, probe: str, kind: Kind) -> Any:
        """What a function gets for one of its arguments about a probe (see `generate_cuda.RECORDING`)."""
        buffer = self.buffers.get(probe)
        if buffer is None:
            return self._nothing(of, kind)
        numbers = {"every": buffer.recording.every, "since": buffer.recording.start, "row": buffer.row}
        return np.int64(numbers[of]) if of in numbers else getattr(buffer, of)

    def _nothing(self, of: str, kind: Kind) -> Any:
        if of not in ("column", "values"):
            return np.int64(0)
        if (of, kind) not in self.empty:
            nothing = np.zeros(1, np.int32) if of == "column" else np.zeros((1, 1), recorded_as(kind, self.memory.precision))
            self.empty[of, kind] = self.cuda.to_device(nothing)
        return self.empty[of, kind]

    def _kind(self, probe: str) -> Kind:
        return next(found.kind for found in self.kernel.probes if found.name == probe)
