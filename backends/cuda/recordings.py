"""What is recorded of a chunk on a device: a buffer for each recording that is due, copied to the main memory when the chunk holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..kernel import Kernel, Kind
from ..memory import Memory, Recording, recorded_as
from .functions import numba_cuda

RECORDED_BYTES = 1 << 26  # of recordings that a chunk keeps on the device
NEVER, SELDOM = (1 << 31) - 1, 1 << 30  # steps, of which no chunk has so many


def steps_at_once(memory: Memory, wanted: int) -> int:
    """As many steps as have room in the buffers of a chunk."""
    fetched = [recording for recording in memory.recordings if recording.held is None]
    bytes_a_step = sum(r.values.dtype.itemsize * len(r.neurons) / r.every for r in fetched)
    return max(1, min(wanted, int(RECORDED_BYTES / bytes_a_step) if bytes_a_step else wanted))


def bytes_of(memory: Memory) -> int:
    """What the buffers of one chunk take on the device, at most, and what tells them which neurons are recorded."""
    fetched = [recording for recording in memory.recordings if recording.held is None]
    row = sum(recording.values.dtype.itemsize * len(recording.neurons) for recording in fetched)
    return (max(row, RECORDED_BYTES) + row if row else 0) + 2 * memory.n * len(memory.recordings)


@dataclass
class Buffer:
    """Where one recording is collected while a chunk runs: `column` of each neuron (-1: not recorded), rows from number `row` on.

    `due` is the first step, since the first of the chunk, that is recorded, `apart` how many steps lie between two.
    """

    recording: Recording
    column: Any
    values: Any
    home: Any  # in the main memory; None for a recording that stays on the device
    row: int
    rows: int
    due: int
    apart: int


@dataclass
class Columns:
    """Which neurons are recorded, on the device, and empty arrays for what is not, since a function takes arguments for each probe."""

    kernel: Kernel
    memory: Memory
    known: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    empty: dict[tuple[str, Kind], Any] = field(default_factory=dict)

    def of(self, recording: Recording) -> Any:
        key = recording.probe
        if key not in self.known or self.known[key][0] is not recording.neurons:
            column = np.full(self.memory.n, -1, np.int32)
            column[recording.neurons] = np.arange(len(recording.neurons), dtype=np.int32)
            self.known[key] = recording.neurons, numba_cuda().to_device(column)
        return self.known[key][1]

    def nothing(self, of: str, kind: Kind) -> Any:
        """The argument of that name for a probe that is not recorded (see `generate_cuda.RECORDED`)."""
        if of not in ("column", "values"):
            return NEVER if of == "due" else SELDOM if of == "apart" else 0
        if (of, kind) not in self.empty:
            nothing = np.zeros(1, np.int32) if of == "column" else np.zeros((1, 1), recorded_as(kind, self.memory.precision))
            self.empty[of, kind] = numba_cuda().to_device(nothing)
        return self.empty[of, kind]

    def kind(self, probe: str) -> Kind:
        return next(found.kind for found in self.kernel.probes if found.name == probe)


@dataclass
class Recordings:
    """The buffers of one chunk."""

    memory: Memory
    columns: Columns
    buffers: dict[str, Buffer] = field(default_factory=dict)
    spaces: dict[str, tuple[Any, Any]] = field(default_factory=dict)

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
            due = recording.start + row * recording.every - first
            column, apart = self.columns.of(recording), min(recording.every, SELDOM)
            self.buffers[recording.probe] = Buffer(recording, column, *self._space(recording, row, rows), row, rows, due, apart)

    def _space(self, recording: Recording, row: int, rows: int) -> tuple[Any, Any]:
        """Arrays of as many rows at least, on the device and in the main memory: those of an earlier chunk where they are large enough.
        A recording that stays on the device has an array of its own."""
        if recording.held is not None:
            recording.held.make_room()
            return recording.held.rows(slice(row, row + rows)), None
        dtype = recorded_as(self.columns.kind(recording.probe), self.memory.precision)
        width = len(recording.neurons)
        values, home = self.spaces.get(recording.probe, (None, None))
        if values is None or values.shape[0] < rows or values.shape[1] != width:
            cuda = numba_cuda()
            values, home = cuda.device_array((rows, width), dtype), cuda.pinned_array((rows, width), dtype)
            self.spaces[recording.probe] = values, home
        return values, home

    def fetch(self, copies: Any) -> None:
        """Begin to copy the buffers to the main memory."""
        for buffer in self.buffers.values():
            if buffer.home is not None:
                buffer.values[: buffer.rows].copy_to_host(buffer.home[: buffer.rows], stream=copies)

    def hand_over(self) -> None:
        """Put what has been copied into the recordings."""
        for buffer in self.buffers.values():
            if buffer.home is not None:
                buffer.recording.values[buffer.row : buffer.row + buffer.rows] = buffer.home[: buffer.rows]

    def argument(self, of: str, probe: str, kind: Kind) -> Any:
        """What a function gets for one of its arguments about a probe (see `generate_cuda.RECORDING` and `RECORDED`)."""
        buffer = self.buffers.get(probe)
        if buffer is None:
            return self.columns.nothing(of, kind)
        numbers = {"every": buffer.recording.every, "since": buffer.recording.start}
        return numbers[of] if of in numbers else getattr(buffer, of)
