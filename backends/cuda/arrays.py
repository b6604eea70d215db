"""The arrays of one memory on a GPU, how they are filled and fetched, and the arguments that generated functions get."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernel import Kernel, Kind
from ..memory import Memory
from .functions import numba_cuda
from .text import Argument, place_of, rows_of

NARROW = ("steps", "capacity", "due", "apart")  # arguments that are int32


def bytes_of(kernel: Kernel, n: int, precision: np.dtype[np.floating]) -> int:
    """What the arrays of `n` neurons take on the device: those that a step writes are there twice."""
    sizes = [(8 if a.kind is Kind.INTEGER else precision.itemsize) * (2 if a.written else 1) for a in kernel.arrays]
    return n * sum(sizes)


class Arrays:
    """The values of one memory on the device, by place. `ahead`: they are newer than those in the main memory.

    `states` are two sets of those that are written; the first one's are among `arrays`, which stay the same ones once one has been lent.
    """

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        self.kernel = kernel
        self.memory: Memory = weakref.proxy(
            memory
        )  # which holds the device: what neither is held for any more is given back at once
        self.rows = rows_of(kernel)
        self.ahead, self.lent, self.filled = False, False, False
        self.arrays: dict[str, Any] = {}
        self.states: tuple[dict[str, Any], dict[str, Any]] = {}, {}
        self.series: dict[str, tuple[Any, Any]] = {}
        self.columns: dict[str, tuple[Any, Any]] = {}

    def bytes(self) -> int:
        """What they take on the device."""
        memory = self.memory
        tables = sum(table.nbytes for table in (*memory.matrices.values(), *memory.series.values()))
        return bytes_of(self.kernel, memory.n, memory.precision) + tables

    def allocate(self) -> None:
        precision, whole = self.memory.precision, np.dtype(np.int64)
        for place, kind in {"reals": precision, "whole": whole, "fixed": precision, "fixed_whole": whole}.items():
            count = sum(place_of(array) == place for array in self.kernel.arrays)
            shape = (count, self.memory.n) if count else (1, 1)
            self.arrays[place] = numba_cuda().device_array(shape, kind)
            if place in ("reals", "whole"):
                self.states[0][place] = self.arrays[place]
                self.states[1][place] = numba_cuda().device_array(shape, kind)

    def refresh(self) -> None:
        """Take over what was changed in the main memory."""
        memory, kernel, cuda = self.memory, self.kernel, numba_cuda()
        for array in kernel.arrays:
            if array.name in memory.changed or not self.filled:
                row = memory.stored(kernel, array.name)
                self.arrays[place_of(array)][self.rows[array.name]].copy_to_device(np.ascontiguousarray(row))
        memory.changed.clear()
        self.filled = True
        for name, table in memory.series.items():
            if name not in self.series or self.series[name][0] is not table:
                self.series[name] = table, cuda.to_device(np.ascontiguousarray(table))
        for name, matrix in memory.matrices.items():
            if name not in self.columns or self.columns[name][0] is not matrix:
                self.columns[name] = matrix, cuda.to_device(np.ascontiguousarray(memory.by_columns(name)))

    def bring_home(self) -> None:
        """Copy the written arrays to the main memory, where the device is ahead of it. Who has been lent an array may have written it
        since; but what was written in the main memory after the last copy is newer."""
        if self.ahead or self.lent:
            for array in self.kernel.arrays:
                if array.written and array.name not in self.memory.changed:
                    values = self.arrays[place_of(array)][self.rows[array.name]].copy_to_host()
                    self.memory.stored(self.kernel, array.name)[:] = values
            self.ahead = False

    def lend(self, name: str) -> Any:
        """The array of that name, for others to read and write between the steps. It is the same one as long as the device lives."""
        self.lent = True
        numba_cuda().synchronize()
        array = next(array for array in self.kernel.arrays if array.name == name)
        return self.arrays[place_of(array)][self.rows[name]]

    def constants(self) -> dict[str, Any]:
        """Arguments of every function, by what they are of."""
        memory = self.memory
        return {
            "interval": float(memory.scalars["@dt"]),
            "dt": memory.precision.type(memory.scalars["@dt"]),
            "n": memory.n,
            "k0": memory.seed & 0xFFFFFFFF,
            "k1": memory.seed >> 32 & 0xFFFFFFFF,
            **self.arrays,
        }

    def argument(self, argument: Argument, values: Mapping[str, Any]) -> Any:
        """What a function gets for one of its arguments: `values` are those that are no scalars and no series."""
        of, place = argument.of, argument.place
        match of:
            case "scalar":
                return self._typed(self.memory.scalars[place], argument.kind)
            case "series":
                return self.series[place][1]
            case "matrix":
                return self.columns[place][1]
            case "rows" | "columns":
                return np.int64(self.series[place][1].shape[of == "columns"])
        return narrowed(of, values[of])

    def _typed(self, value: Any, kind: Kind) -> Any:
        types = {
            Kind.REAL: self.memory.precision.type,
            Kind.DOUBLE: np.float64,
            Kind.INTEGER: np.int64,
            Kind.BOOLEAN: np.bool_,
        }
        return types[kind](value)


def narrowed(of: str, value: Any) -> Any:
    """A whole number as wide as the function takes it."""
    return (np.int32(value) if of in NARROW else np.int64(value)) if isinstance(value, int) else value
