"""The rows of a recording that stay on a device, in one array that other programs may read there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cuda.functions import numba_cuda, simulated
from .cuda.machine import free_memory
from .unusable import Unavailable


class Held:
    """Rows of `columns` values of the quantity `name` on the device; `array` has `wanted` of them once `make_room` was called."""

    def __init__(self, name: str, columns: int, dtype: np.dtype[Any]) -> None:
        self.name, self.columns, self.dtype, self.wanted = name, columns, dtype, 0
        self.array: Any = None

    def make_room(self) -> None:
        """Have as many rows as are wanted, the first of them as they were. Raises Unavailable, with the figures, where they do not fit."""
        there = 0 if self.array is None else self.array.shape[0]
        if self.wanted <= there or not self.columns:
            return
        self._refuse_what_does_not_fit()
        before, self.array = self.array, numba_cuda().device_array((self.wanted, self.columns), self.dtype)
        if before is not None:
            self.array[:there].copy_to_device(before)

    def _refuse_what_does_not_fit(self) -> None:
        if simulated():
            return
        needed = self.wanted * self.columns * self.dtype.itemsize
        if needed > (free := free_memory(needed)):
            raise Unavailable(
                f"the recording of {self.name} ({self.wanted} rows of {self.columns} neurons) needs {needed / 1e9:.2f} GB on the GPU,"
                f" {free / 1e9:.2f} GB are free: record fewer neurons or less often, or without on='device'"
            )

    def rows(self, rows: slice) -> Any:
        """Some rows as they lie on the device."""
        count = max(0, rows.stop - rows.start)
        return self.array[rows] if count and self.columns else numba_cuda().device_array((count, self.columns), self.dtype)

    def copied(self, rows: slice) -> Any:
        """Some rows in an array of their own on the device."""
        source = self.rows(rows)
        made = numba_cuda().device_array(source.shape, self.dtype)
        if source.size:
            made.copy_to_device(source)
        return made

    def fetched(self, rows: slice) -> NDArray[Any]:
        """Some rows in the main memory."""
        source = self.rows(rows)
        return np.asarray(source.copy_to_host()) if source.size else np.empty(source.shape, self.dtype)

    def put(self, rows: slice, values: NDArray[Any]) -> None:
        """Write some rows from the main memory."""
        if values.size:
            self.make_room()
            self.array[rows].copy_to_device(np.ascontiguousarray(values))
