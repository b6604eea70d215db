"""Program: what every backend makes of a Kernel."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .kernel import Kernel
from .memory import Elsewhere, Memory, Outcome

FIRST_CHUNK = 1 << 14  # neuron-steps


class Program(Protocol):
    """A kernel that can run. It holds nothing of a run: the same program may serve several memories, also at once.

    `source` is the generated text (empty for the reference), `compiled` says whether machine code was made for it (False: it
    came from memory or from disk), `compile_seconds` how long building took. `first_chunk`: as many neuron-steps as a call should be
    asked for at most while nothing is known of the speed.
    """

    @property
    def kernel(self) -> Kernel: ...

    @property
    def precision(self) -> np.dtype[np.floating]: ...

    @property
    def source(self) -> str: ...

    @property
    def compiled(self) -> bool: ...

    @property
    def compile_seconds(self) -> float: ...

    @property
    def first_chunk(self) -> int: ...

    def advance(self, memory: Memory, first: int, last: int, threads: int) -> Outcome:
        """Make the steps first..last-1; events are appended to `memory.spikes`, recordings are written at the start of each step."""

    def record(self, memory: Memory, step: int) -> None:
        """Write the recordings that are due at `step`, from the present values."""


class DeviceProgram(Program, Protocol):
    """A kernel that runs on a device with a memory of its own."""

    def refuse_what_does_not_fit(self, n: int) -> None:
        """Raise Unavailable where the arrays of `n` neurons need more than is free on the device; nothing has been allocated yet."""

    def settle(self, memory: Memory) -> Elsewhere:
        """The arrays of a memory on the device, as new as those in the main memory."""
