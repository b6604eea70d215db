"""What a coupled kernel needs on a device: as many blocks as can run at once, and the arrays by which they tell one another."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ..kernel import Kernel, Reduce
from ..unusable import Unavailable
from .functions import simulated
from .reductions import ON_DEVICE, SIMULATED, parts_of, reductions_of, room_of

MOST_RANKED = 1 << 30  # neurons, whose places are found in numbers of 32 bits

cuda: Any = import_module("numba.cuda")


class Together:
    """`arrays` by their name in the text (see `reductions.Room`)."""

    def __init__(self, kernel: Kernel, n: int, precision: np.dtype[np.floating]) -> None:
        self.layout = SIMULATED if simulated() else ON_DEVICE
        if n > MOST_RANKED and any(isinstance(r, Reduce) and r.operation == "rank" for r in reductions_of(kernel)):
            raise Unavailable(f'rank is made of {MOST_RANKED} neurons at most, not of {n}: take fewer, or backend="cpu"')
        self.tiles = -(-n // self.layout.threads)
        columns = {"keys": n, "whole_keys": n}
        kinds = {"double_parts": np.float64, "whole_parts": np.int64, "whole_keys": np.int64}
        self.shapes = {
            place: (rows, columns.get(place, parts_of(n, self.layout.threads))) for place, rows in room_of(kernel).rows.items()
        }
        self.kinds = {place: np.dtype(kinds.get(place, precision)) for place in self.shapes}
        self.arrays: dict[str, Any] = {}
        self.most = 0

    @property
    def bytes(self) -> int:
        return sum(rows * columns * self.kinds[place].itemsize for place, (rows, columns) in self.shapes.items())

    def allocate(self) -> None:
        self.arrays = {place: cuda.device_array(shape, self.kinds[place]) for place, shape in self.shapes.items()}

    def grid(self, function: Any, arguments: Sequence[Any]) -> tuple[int, int]:
        """Blocks and threads: a block for each tile, but no more than there is room for at once, since they wait for one another."""
        if not self.most:
            self.most = 1 if simulated() else self._blocks(function, arguments)  # the simulator runs one block after the other
        return min(self.most, self.tiles), self.layout.threads

    def _blocks(self, function: Any, arguments: Sequence[Any]) -> int:
        compiled = function.compile(tuple(map(function.typeof_pyval, arguments)))
        return int(compiled.max_cooperative_grid_blocks(self.layout.threads))
