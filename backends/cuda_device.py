"""The arrays of one memory on a GPU, and the chunks of steps that are made there."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cuda_functions import numba_cuda, simulated
from .cuda_recordings import RECORDED_BYTES, Recordings
from .cuda_spikes import Lists
from .generate_cuda import Argument, Function, Text, place_of, rows_of
from .kernel import Kernel, Kind
from .memory import Memory, NonFinite, Outcome
from .unusable import Unavailable

THREADS = 256  # of a block
LISTED_BYTES = 1 << 28  # of the lists of all neurons, at most
MOST, FEWEST = 1 << 12, 2  # places of a neuron's list
RECENT = 8  # values that a NonFinite shows


class Device:
    """The arrays of one memory on the device. `ahead`: they are newer than those in the main memory."""

    def __init__(self, kernel: Kernel, text: Text, functions: Mapping[str, Any], memory: Memory) -> None:
        from .cuda_reductions import Across

        cuda = numba_cuda()
        self.cuda, self.kernel, self.text, self.functions, self.memory = cuda, kernel, text, functions, memory
        self.rows = rows_of(kernel)
        self.threads = 16 if simulated() else THREADS
        self.blocks = -(-memory.n // self.threads)
        self.grid = self.blocks, self.threads
        self.capacity = self._places()
        self.ahead, self.lent, self.changes = False, False, -1
        self._refuse_what_does_not_fit()
        counted = {
            place: sum(place_of(a) == place for a in kernel.arrays) for place in ("reals", "whole", "fixed", "fixed_whole")
        }
        kinds = {"reals": memory.precision, "fixed": memory.precision, "whole": np.int64, "fixed_whole": np.int64}
        self.arrays = {p: cuda.device_array((max(1, count), memory.n), kinds[p]) for p, count in counted.items()}
        self.other = {p: cuda.device_array(self.arrays[p].shape, kinds[p]) for p in ("reals", "whole")}
        self.lists = Lists(kernel, memory.n, self.capacity)
        self.fine = cuda.to_device(np.zeros(1, np.int64))  # the status before the first chunk
        self.at_once = 1 << 30  # steps of a chunk: as many as the lists have held so far
        self.series: dict[str, tuple[Any, Any]] = {}
        self.columns: dict[str, tuple[Any, Any]] = {}
        self.across = Across(cuda, kernel, memory, self.grid, self.arrays, self.columns)
        self.recordings = Recordings(cuda, kernel, memory)

    def _places(self) -> int:
        """How many events of one neuron a chunk has room for."""
        if simulated():
            return 8
        free, _ = self.cuda.current_context().get_memory_info()
        room = min(LISTED_BYTES, free // 8)
        return max(FEWEST, min(MOST, int(room) // (4 * max(1, len(self.kernel.events)) * self.memory.n)))

    def _refuse_what_does_not_fit(self) -> None:
        if simulated():
            return
        memory, kernel = self.memory, self.kernel
        item = self.memory.precision.itemsize
        sizes = [(8 if a.kind is Kind.INTEGER else item) * memory.n * (2 if a.written else 1) for a in kernel.arrays]
        needed = sum(sizes) + len(kernel.events) * memory.n * (4 * self.capacity + 12) + RECORDED_BYTES
        needed += sum(matrix.nbytes for matrix in memory.matrices.values()) + sum(
            table.nbytes for table in memory.series.values()
        )
        free, _ = self.cuda.current_context().get_memory_info()
        if needed > free:
            raise Unavailable(
                f"{memory.n} neurons of {kernel.name} need {needed / 1e9:.2f} GB on the GPU, {free / 1e9:.2f} GB are free: take fewer"
                ' neurons, precision="float32", or backend="cpu"'
            )

    # ---- between the main memory and the device ----------------------------------------------------

    def refresh(self) -> None:
        """Take over what was changed in the main memory."""
        memory, kernel = self.memory, self.kernel
        if self.changes != memory.changes:
            for array in kernel.arrays:
                row = memory.stored(kernel, array.name)
                self.arrays[place_of(array)][self.rows[array.name]].copy_to_device(np.ascontiguousarray(row))
            self.changes = memory.changes
        for name, table in memory.series.items():
            if name not in self.series or self.series[name][0] is not table:
                self.series[name] = table, self.cuda.to_device(np.ascontiguousarray(table))
        for name, matrix in memory.matrices.items():
            if name not in self.columns or self.columns[name][0] is not matrix:
                self.columns[name] = matrix, self.cuda.to_device(np.ascontiguousarray(memory.by_columns(name)))

    def bring_home(self) -> None:
        """Copy the written arrays to the main memory, where the device is ahead of it. Who has been lent an array may have written it
        since; but what was written in the main memory after the last copy is newer."""
        if self.ahead or (self.lent and self.changes == self.memory.changes):
            for array in self.kernel.arrays:
                if array.written:
                    values = self.arrays[place_of(array)][self.rows[array.name]].copy_to_host()
                    self.memory.stored(self.kernel, array.name)[:] = values
            self.ahead = False

    def lend(self, name: str) -> Any:
        """The array of that name, for others to read and write between the steps. It is the same one as long as the device lives."""
        self.lent = True
        self.cuda.synchronize()
        array = next(array for array in self.kernel.arrays if array.name == name)
        return self.arrays[place_of(array)][self.rows[name]]

    # ---- chunks -------------------------------------------------------------------------------------

    def make(self, first: int, last: int) -> bool:
        """Make a chunk of steps, and keep what it has made; False, and nothing has changed, where it is void."""
        self.lists.begin()
        self.recordings.prepare(first, last)
        kept: dict[str, Any] = {}
        if self.kernel.coupled:
            kept = {place: self._copy(array) for place, array in self.arrays.items() if place in self.other}
            for step in range(first, last):
                self._make_coupled(step, first)
            self.across.check(self.lists.status)
        else:
            self._launch(self._function("advance"), first, last, last)
        self.lists.gather()
        if self.lists.overfull or self.lists.not_finite:
            self._take(kept)
            return False
        if not self.kernel.coupled:
            self._swap()
        self.ahead = True
        self.lists.hand_over(self.memory, first)
        self.recordings.hand_over()
        return True

    def _take(self, new: Mapping[str, Any]) -> None:
        """These in the place of the arrays; or their values, where somebody holds the arrays."""
        for place, array in new.items():
            if self.lent:
                self.arrays[place].copy_to_device(array)
            else:
                self.arrays[place] = array

    def _swap(self) -> None:
        before = {place: self.arrays[place] for place in self.other}
        self._take(self.other)
        if not self.lent:
            self.other = before

    def record(self, step: int) -> None:
        """What is due at one step, from the present values."""
        self.recordings.prepare(step, step + 1)
        if self.kernel.coupled:
            self._launch(self._function("record"), step, step)
        else:
            self._launch(self._function("advance"), step, step, step + 1)
        self.recordings.hand_over()

    def _function(self, name: str) -> Function:
        return next(function for function in self.text.functions if function.name == name)

    def _make_coupled(self, step: int, first: int) -> None:
        kernel = self.kernel
        if self.recordings.buffers:
            self._launch(self._function("record"), step, first)
        for index, phase in enumerate(kernel.phases):
            if phase.body or phase.emits or phase.stores:
                self._launch(self._function(f"phase_{index}"), step, first)
            for reduction in phase.reductions:
                self.across.reduce(reduction, step)

    def _launch(self, function: Function, *times: int) -> None:
        values = {
            **dict(zip(("first", "last", "stop"), times, strict=False)),
            **dict(zip(("step", "base"), times, strict=False)),
            "interval": float(self.memory.scalars["@dt"]),
            "dt": self.memory.precision.type(self.memory.scalars["@dt"]),
            "n": self.memory.n,
            "k0": self.memory.seed & 0xFFFFFFFF,
            "k1": self.memory.seed >> 32 & 0xFFFFFFFF,
            "capacity": self.capacity,
            **self.arrays,
            **{f"{place}_out": array for place, array in self.other.items()},
            "listed": self.lists.listed,
            "counts": self.lists.counts,
            "status": self.lists.status,
            "before": self.fine,
        }
        self.functions[function.name][self.grid](*[self._argument(a, values) for a in function.arguments])

    def _argument(self, argument: Argument, values: Mapping[str, Any]) -> Any:
        of, place = argument.of, argument.place
        match of:
            case "scalar":
                value = self.memory.scalars[place]
                types = {
                    Kind.REAL: self.memory.precision.type,
                    Kind.DOUBLE: np.float64,
                    Kind.INTEGER: np.int64,
                    Kind.BOOLEAN: np.bool_,
                }
                return types[argument.kind](value)
            case "result":
                return self.across.results[place]
            case "series":
                return self.series[place][1]
            case "rows" | "columns":
                return np.int64(self.series[place][1].shape[of == "columns"])
            case "every" | "since" | "row" | "column" | "values":
                return self.recordings.argument(of, place, argument.kind)
        value = values[of]
        return np.int64(value) if isinstance(value, int) else value

    # ---- lengths of chunks --------------------------------------------------------------------------

    def steps_at_once(self, wanted: int) -> int:
        return self.recordings.steps_at_once(min(wanted, self.at_once))

    def shorten(self, steps: int) -> None:
        """A chunk of so many steps had more events than the lists have places. In one step, a neuron has one of a kind at most."""
        self.at_once = max(1, min(steps // 2, int(steps * 0.7 * self.capacity / self.lists.fullest)))

    # ---- a value that is not finite -----------------------------------------------------------------

    def replay(self, first: int, last: int) -> Outcome:
        """Make the steps one by one up to the first that leaves a value that is not finite."""
        guarded = self.kernel.guarded
        recent = deque([self._guarded()], maxlen=RECENT)
        for step in range(first, last):
            if not self.make(step, step + 1):
                if self.kernel.coupled:
                    self._make_coupled(step, step)
                else:
                    self._swap()
                self.recordings.hand_over()
                recent.append(self._guarded())
                neuron = int(np.flatnonzero(~np.isfinite(recent[-1]).all(axis=0))[0])
                row = int(np.flatnonzero(~np.isfinite(recent[-1][:, neuron]))[0])
                values = np.array([rows[row, neuron] for rows in recent])
                self.ahead = True
                return Outcome(step, NonFinite(guarded[row], neuron, step, values))
            recent.append(self._guarded())
        raise AssertionError("all values are finite when the steps are made one by one")

    def _guarded(self) -> NDArray[Any]:
        reals = self.arrays["reals"].copy_to_host()
        return np.stack([reals[self.rows[name]] for name in self.kernel.guarded])

    def _copy(self, array: Any) -> Any:
        made = self.cuda.device_array(array.shape, array.dtype)
        made.copy_to_device(array)
        return made
