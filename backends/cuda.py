"""The CUDA backend: a Kernel compiled by numba for an NVIDIA GPU, one thread a neuron, state on the device from run to run."""

from __future__ import annotations

import importlib.util
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cuda_functions import functions, names, simulated
from .generate_cuda import SEGMENTS, Argument, Function, Text, generate, place_of, rows_of
from .kernel import Array, Kernel, Kind, MatrixProduct, Reduce
from .machine_code import defined
from .memory import Memory, NonFinite, Outcome, Recording
from .outside import python_function

THREADS = 256  # of a block
PART = 2048  # values that a block of threads sums up
SPIKES = 1 << 20  # spikes of one event that a chunk has room for, at first
RECENT = 8  # values that a NonFinite shows
RECORDED_BYTES = 1 << 28  # of recordings that a chunk keeps on the device


Outside = Mapping[str, object]


class Unavailable(Exception):
    """There is nothing to run on; the message says what is missing and what to do."""


# ---- what this machine can run ------------------------------------------------------------------


def obstacle() -> str:
    """Why this machine cannot run the backend, and what to do; empty where it can."""
    if simulated():
        return ""
    if importlib.util.find_spec("numba_cuda") is None:
        return 'the package numba-cuda is not installed; run: python -m pip install "dvdt[cuda]"'
    if not numba_cuda().is_available():
        return "there is no NVIDIA GPU with a driver that CUDA can use here (`nvidia-smi` shows what the driver sees)"
    return ""


def build(
    kernel: Kernel, precision: np.dtype[np.floating], outside: Outside = MappingProxyType({}), *, exact_math: bool = False
) -> CudaProgram:
    """Compile the kernel for "float32" or "float64".

    outside      the functions from outside that the kernel calls
    exact_math   functions are the CPU's polynomials and every operation is rounded by itself: float64 states are the CPU's bit for bit

    Raises Unavailable where there is no GPU, no driver or no numba-cuda.
    """
    if why := obstacle():
        raise Unavailable(why)
    start = time.perf_counter()
    precision = np.dtype(precision)
    text = text_of(kernel, precision, exact_math)
    compiled = _compiled(text, outside, exact_math)
    return CudaProgram(kernel, precision, True, time.perf_counter() - start, text, compiled)


def text_of(kernel: Kernel, precision: np.dtype[np.floating], exact_math: bool = False) -> Text:
    """The text that `build` compiles, with the functions it defines and their arguments."""
    return generate(kernel, precision.name, names(), exact_math)


def namespace_of(text: Text, exact_math: bool, outside: Outside = MappingProxyType({})) -> dict[str, Any]:
    """The functions of a generated text, not yet compiled."""
    cuda = numba_cuda()
    called = {spelled: cuda.jit(device=True)(python_function(outside[name])) for name, spelled in text.outside}
    return defined(text.source, {"cuda": cuda, **called, **functions(text.imports, exact_math)})


def numba_cuda() -> Any:
    """The module of numba, or of numba-cuda, which comes in its place."""
    return import_module("numba.cuda")


def _compiled(text: Text, outside: Outside, exact_math: bool) -> Mapping[str, Any]:
    namespace = namespace_of(text, exact_math, outside)
    return {function.name: numba_cuda().jit(namespace[function.name]) for function in text.functions}


def signature(function: Function, precision: np.dtype[np.floating]) -> tuple[Any, ...]:
    """The numba types of the arguments of a generated function."""
    from numba import types

    real = types.float32 if precision == np.float32 else types.float64
    kinds = {Kind.REAL: real, Kind.DOUBLE: types.float64, Kind.INTEGER: types.int64, Kind.BOOLEAN: types.boolean}
    arrays = {
        **dict.fromkeys(("reals", "reals_out", "fixed", "series"), real[:, ::1]),
        **dict.fromkeys(("whole", "whole_out", "fixed_whole", "counts"), types.int64[:, ::1]),
        "spikes": types.int64[:, :, ::1],
        "bad": types.int64[::1],
        "column": types.int32[::1],
        "interval": types.float64,
        "dt": real,
    }

    def of(argument: Argument) -> Any:
        if argument.of == "scalar":
            return kinds[argument.kind]
        if argument.of == "values":
            return kinds[argument.kind][:, ::1]
        if argument.of == "result":
            return (real if argument.kind is Kind.REAL else types.int64)[::1]
        return arrays.get(argument.of, types.int64)

    return tuple(map(of, function.arguments))


# ---- the program --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CudaProgram:
    kernel: Kernel
    precision: np.dtype[np.floating]
    compiled: bool
    compile_seconds: float
    text: Text
    functions: Mapping[str, Any]

    @property
    def source(self) -> str:
        return self.text.source

    def advance(self, memory: Memory, first: int, last: int, threads: int = 1) -> Outcome:
        """Make the steps first..last-1 on the device, in chunks; `threads` is of no account."""
        device = self._device(memory)
        begin = first
        while begin < last:
            end = min(last, begin + device.steps_at_once(begin, last))
            if device.make(begin, end):
                begin = end
            elif device.overfull():
                device.make_room()
            else:
                return device.replay(begin, end)
        return Outcome(last)

    def record(self, memory: Memory, step: int) -> None:
        """Write the recordings that are due at `step`, from the present values."""
        if memory.recordings:
            self._device(memory).record(step)

    def _device(self, memory: Memory) -> Device:
        if not isinstance(memory.device, Device) or memory.device.program is not self:
            memory.bring_home()
            memory.device = Device(self, memory)
        memory.device.refresh()
        return memory.device


@dataclass
class Buffer:
    """Where one recording is collected while a chunk runs: `column` of each neuron (-1: not recorded), rows from number `row` on."""

    recording: Recording
    column: Any
    values: Any
    row: int = 0
    rows: int = 0


class Device:
    """The arrays of one memory on the device. `ahead`: they are newer than those in the main memory."""

    def __init__(self, program: CudaProgram, memory: Memory) -> None:
        from .cuda_reductions import kernels

        cuda = numba_cuda()
        self.cuda, self.program, self.memory = cuda, program, memory
        kernel = program.kernel
        self.rows = rows_of(kernel)
        self.threads = 16 if simulated() else THREADS
        self.blocks = -(-memory.n // self.threads)
        self.grid = self.blocks, self.threads
        self.reducing, self.part = (4, 8) if simulated() else (THREADS, PART)
        self.shared = kernels(self.reducing, self.part)
        events = max(1, len(kernel.events))
        self.capacity = 64 if simulated() else max(1024, SPIKES // SEGMENTS)
        self.ahead, self.changes = False, -1
        self.buffers: dict[str, Buffer] = {}
        self._refuse_what_does_not_fit()
        counted = {
            place: sum(place_of(a) == place for a in kernel.arrays) for place in ("reals", "whole", "fixed", "fixed_whole")
        }
        kinds = {"reals": program.precision, "fixed": program.precision, "whole": np.int64, "fixed_whole": np.int64}
        self.arrays = {p: cuda.device_array((max(1, count), memory.n), kinds[p]) for p, count in counted.items()}
        self.other = {p: cuda.device_array(self.arrays[p].shape, kinds[p]) for p in ("reals", "whole")}
        self.spikes = cuda.device_array((events, SEGMENTS, self.capacity), np.int64)
        self.counts = cuda.to_device(np.zeros((events, SEGMENTS), np.int64))
        self.bad = cuda.to_device(np.zeros(1, np.int64))
        self.series: dict[str, tuple[Any, Any]] = {}
        self.columns: dict[str, tuple[Any, Any]] = {}
        self.results = self._results()
        self.scratch: dict[str, Any] = {}

    def _refuse_what_does_not_fit(self) -> None:
        if simulated():
            return
        memory, kernel = self.memory, self.program.kernel
        item = self.program.precision.itemsize
        sizes = [(8 if a.kind is Kind.INTEGER else item) * memory.n * (2 if a.written else 1) for a in kernel.arrays]
        needed = sum(sizes) + len(kernel.events) * SEGMENTS * self.capacity * 8 + RECORDED_BYTES
        needed += sum(matrix.nbytes for matrix in memory.matrices.values()) + sum(
            table.nbytes for table in memory.series.values()
        )
        free, _ = self.cuda.current_context().get_memory_info()
        if needed > free:
            raise Unavailable(
                f"{memory.n} neurons of {kernel.name} need {needed / 1e9:.2f} GB on the GPU, {free / 1e9:.2f} GB are free: take fewer"
                ' neurons, precision="float32", or backend="cpu"'
            )

    def _results(self) -> dict[str, Any]:
        made = {}
        for phase in self.program.kernel.phases:
            for reduction in phase.reductions:
                if isinstance(reduction, Reduce) and reduction.name not in self.rows:
                    dtype = self.program.precision if reduction.kind is Kind.REAL else np.dtype(np.int64)
                    made[reduction.name] = self.cuda.to_device(np.zeros(1, dtype))
        return made

    # ---- between the main memory and the device ----------------------------------------------------

    def refresh(self) -> None:
        """Take over what was changed in the main memory."""
        memory, kernel = self.memory, self.program.kernel
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
        """Copy the written arrays to the main memory, where the device is ahead of it."""
        if self.ahead:
            for array in self.program.kernel.arrays:
                if array.written:
                    values = self.arrays[place_of(array)][self.rows[array.name]].copy_to_host()
                    self.memory.stored(self.program.kernel, array.name)[:] = values
            self.ahead = False

    # ---- chunks -------------------------------------------------------------------------------------

    def steps_at_once(self, first: int, last: int) -> int:
        """So many steps that the recordings of a chunk have room on the device."""
        bytes_a_step = sum(
            recording.values.dtype.itemsize * len(recording.neurons) / recording.every for recording in self.memory.recordings
        )
        return max(1, min(last - first, int(RECORDED_BYTES / bytes_a_step) if bytes_a_step else last - first))

    def make(self, first: int, last: int) -> bool:
        """Make a chunk of steps, and keep what it has made; False, and nothing has changed, where it is void."""
        self._empty()
        self._prepare(first, last)
        if self.program.kernel.coupled:
            kept = {place: self._copy(array) for place, array in self.arrays.items() if place in self.other}
            for step in range(first, last):
                self._make_coupled(step, first)
            for name in self.program.kernel.guarded:
                self.shared["checked"][self.grid](self.arrays["reals"], self.rows[name], self.memory.n, self.bad)
            if not self._void():
                self._collect(first)
                return True
            self.arrays.update(kept)
            return False
        self._launch(self._function("advance"), first, last, last)
        if self._void():
            return False
        for place in self.other:
            self.arrays[place], self.other[place] = self.other[place], self.arrays[place]
        self._collect(first)
        return True

    def record(self, step: int) -> None:
        """What is due at one step, from the present values."""
        self._empty()
        self._prepare(step, step + 1)
        if self.program.kernel.coupled:
            self._launch(self._function("record"), step, step)
        else:
            self._launch(self._function("advance"), step, step, step + 1)
        self._hand_over()

    def _function(self, name: str) -> Function:
        return next(function for function in self.program.text.functions if function.name == name)

    def _make_coupled(self, step: int, first: int) -> None:
        kernel = self.program.kernel
        if self.buffers:
            self._launch(self._function("record"), step, first)
        for index, phase in enumerate(kernel.phases):
            if phase.body or phase.emits or phase.stores:
                self._launch(self._function(f"phase_{index}"), step, first)
            for reduction in phase.reductions:
                self._reduce(reduction, step)

    def _launch(self, function: Function, *times: int) -> None:
        values = {
            **dict(zip(("first", "last", "stop"), times, strict=False)),
            **dict(zip(("step", "base"), times, strict=False)),
            "interval": float(self.memory.scalars["@dt"]),
            "dt": self.program.precision.type(self.memory.scalars["@dt"]),
            "n": self.memory.n,
            "k0": self.memory.seed & 0xFFFFFFFF,
            "k1": self.memory.seed >> 32 & 0xFFFFFFFF,
            "capacity": self.capacity,
            **self.arrays,
            **{f"{place}_out": array for place, array in self.other.items()},
            "spikes": self.spikes,
            "counts": self.counts,
            "bad": self.bad,
        }
        self.program.functions[function.name][self.grid](*[self._argument(a, values) for a in function.arguments])

    def _argument(self, argument: Any, values: Mapping[str, Any]) -> Any:
        of, place = argument.of, argument.place
        match of:
            case "scalar":
                value = self.memory.scalars[place]
                types = {
                    Kind.REAL: self.program.precision.type,
                    Kind.DOUBLE: np.float64,
                    Kind.INTEGER: np.int64,
                    Kind.BOOLEAN: np.bool_,
                }
                return types[argument.kind](value)
            case "result":
                return self.results[place]
            case "series":
                return self.series[place][1]
            case "rows" | "columns":
                return np.int64(self.series[place][1].shape[of == "columns"])
            case "every" | "since" | "row" | "column" | "values":
                return self._recorded(of, self.buffers.get(place), argument.kind)
        value = values[of]
        return np.int64(value) if isinstance(value, int) else value

    def _recorded(self, of: str, buffer: Buffer | None, kind: Kind) -> Any:
        if buffer is None:
            empty = {"column": np.zeros(1, np.int32), "values": np.zeros((1, 1), _recorded_dtype(kind, self.program.precision))}
            if of in empty:
                return self._once(f"{of} {kind.value}", empty[of])
            return np.int64(0)
        numbers = {"every": buffer.recording.every, "since": buffer.recording.start, "row": buffer.row}
        return np.int64(numbers[of]) if of in numbers else getattr(buffer, of)

    def _once(self, key: str, value: NDArray[Any]) -> Any:
        if key not in self.scratch:
            self.scratch[key] = self.cuda.to_device(value)
        return self.scratch[key]

    # ---- spikes and recordings ----------------------------------------------------------------------

    def _empty(self) -> None:
        self.counts.copy_to_device(np.zeros(self.counts.shape, np.int64))
        self.bad.copy_to_device(np.zeros(1, np.int64))

    def _void(self) -> bool:
        return self.overfull() or bool(self.bad.copy_to_host()[0])

    def overfull(self) -> bool:
        """Whether the last chunk had more spikes than there is room for."""
        return int(self.counts.copy_to_host().max()) > self.capacity

    def make_room(self) -> None:
        """Room for the spikes that the last chunk had, and some more."""
        self.capacity = int(self.counts.copy_to_host().max() * 1.5) + 64
        self.spikes = self.cuda.device_array((len(self.spikes), SEGMENTS, self.capacity), np.int64)

    def _prepare(self, first: int, last: int) -> None:
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
            dtype = _recorded_dtype(_kind_of_probe(self.program.kernel, recording.probe), self.program.precision)
            values = self.cuda.device_array((rows, len(recording.neurons)), dtype)
            self.buffers[recording.probe] = Buffer(recording, column, values, row, rows)

    def _column(self, recording: Recording) -> Any:
        key = f"column of {recording.probe}"
        if key not in self.scratch:
            column = np.full(self.memory.n, -1, np.int32)
            column[recording.neurons] = np.arange(len(recording.neurons), dtype=np.int32)
            self.scratch[key] = self.cuda.to_device(column)
        return self.scratch[key]

    def _collect(self, first: int) -> None:
        """Hand over the events and recordings of a chunk that holds."""
        self.ahead = True
        counts = self.counts.copy_to_host()
        for event in range(len(self.program.kernel.events)):
            if counts[event].any():
                parts = [self.spikes[event, s, :many].copy_to_host() for s, many in enumerate(counts[event]) if many]
                keys = np.sort(np.concatenate(parts))
                self.memory.spikes[event].append((first + (keys >> 32), keys & 0xFFFFFFFF))
        self._hand_over()

    def _hand_over(self) -> None:
        for buffer in self.buffers.values():
            values = buffer.values.copy_to_host()
            buffer.recording.values[buffer.row : buffer.row + buffer.rows] = values

    # ---- a value that is not finite -----------------------------------------------------------------

    def replay(self, first: int, last: int) -> Outcome:
        """Make the steps one by one up to the first that leaves a value that is not finite."""
        guarded = self.program.kernel.guarded
        recent = deque([self._guarded()], maxlen=RECENT)
        for step in range(first, last):
            while not self.make(step, step + 1):
                if not self.overfull():
                    if not self.program.kernel.coupled:
                        self.arrays["reals"], self.other["reals"] = self.other["reals"], self.arrays["reals"]
                    else:
                        self._make_coupled(step, step)
                    self._hand_over()
                    recent.append(self._guarded())
                    neuron = int(np.flatnonzero(~np.isfinite(recent[-1]).all(axis=0))[0])
                    row = int(np.flatnonzero(~np.isfinite(recent[-1][:, neuron]))[0])
                    values = np.array([rows[row, neuron] for rows in recent])
                    self.ahead = True
                    return Outcome(step, NonFinite(guarded[row], neuron, step, values))
                self.make_room()
            recent.append(self._guarded())
        raise AssertionError("all values are finite when the steps are made one by one")

    def _guarded(self) -> NDArray[Any]:
        reals = self.arrays["reals"].copy_to_host()
        return np.stack([reals[self.rows[name]] for name in self.program.kernel.guarded])

    # ---- across the population ----------------------------------------------------------------------

    def _copy(self, array: Any) -> Any:
        made = self.cuda.device_array(array.shape, array.dtype)
        made.copy_to_device(array)
        return made

    def _space(self, key: str, size: int, dtype: Any) -> Any:
        if key not in self.scratch or self.scratch[key].shape[0] < size:
            self.scratch[key] = self.cuda.device_array(size, dtype)
        return self.scratch[key]

    def _reduce(self, reduction: Reduce | MatrixProduct, step: int) -> None:
        found, memory, n = self.shared, self.memory, self.memory.n
        array = self._array(reduction.of)
        here = self.arrays[place_of(array)], self.rows[array.name], n
        if isinstance(reduction, MatrixProduct):
            found["product"][self.grid](self.columns[reduction.matrix][1], *here, *self._target(reduction.name))
        elif reduction.operation == "rank":
            found["ranked"][self.grid](*here, *self._target(reduction.name))
        elif reduction.operation == "one_of":
            draws = self._space("draws", n, np.float64)
            seed = memory.seed & 0xFFFFFFFF, memory.seed >> 32 & 0xFFFFFFFF
            found["drawn"][self.grid](*here, step, reduction.stream, *seed, draws)
            self._mark_largest(draws, reduction.name)
        else:
            counting = reduction.operation in ("any", "count")
            dtype = np.dtype(np.int64) if counting or array.kind is Kind.INTEGER else self.program.precision
            space = self._space(f"values {dtype}", n, dtype)
            found["counted" if counting else "copied"][self.grid](*here, space)
            total = self._fold({"mean": "total", "any": "count"}.get(reduction.operation, reduction.operation), space, n, dtype)
            result = self.results[reduction.name]
            if reduction.operation == "mean":
                size = self._once("size", np.array([n], self.program.precision))
                found["finished_mean"][1, 1](total, size, result)
            else:
                found["finished"][1, 1](total, result)

    def _mark_largest(self, draws: Any, name: str) -> None:
        n = self.memory.n
        places, used = self._space("places", n, np.int64), self._space("used draws", n, np.float64)
        used.copy_to_device(draws)
        best = self._fold("largest", used, n, np.dtype(np.float64))
        self.shared["first_of"][self.grid](draws, best, n, places)
        chosen = self._fold("smallest", places, n, np.dtype(np.int64))
        self.shared["marked"][self.grid](chosen, n, *self._target(name))

    def _array(self, name: str) -> Array:
        return next(array for array in self.program.kernel.arrays if array.name == name)

    def _fold(self, operation: str, source: Any, size: int, dtype: np.dtype[Any]) -> Any:
        """All of `source`, which is used up, combined: an array whose first value is the result."""
        level = 0
        while size > 1 or level == 0:
            parts = -(-size // self.part)
            target = self._space(f"parts {dtype} {level}", parts, dtype)
            self.shared[operation][parts, self.reducing](source, target, size)
            source, size, level = target, parts, level + 1
        return source

    def _target(self, name: str) -> tuple[Any, int]:
        return self.arrays[place_of(self._array(name))], self.rows[name]


def _recorded_dtype(kind: Kind, precision: np.dtype[np.floating]) -> np.dtype[Any]:
    return {
        Kind.REAL: precision,
        Kind.DOUBLE: np.dtype(np.float64),
        Kind.INTEGER: np.dtype(np.int64),
        Kind.BOOLEAN: np.dtype(np.bool_),
    }[kind]


def _kind_of_probe(kernel: Kernel, name: str) -> Kind:
    return next(probe.kind for probe in kernel.probes if probe.name == name)
