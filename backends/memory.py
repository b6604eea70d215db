"""Memory: the arrays of one population while it runs, the same for every backend that lives in the main memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .kernel import Kernel, Kind

if TYPE_CHECKING:
    from .held import Held

Listed = tuple[NDArray[Any], ...]  # steps, neurons, and for a timed event moments: one value an event


@dataclass
class Recording:
    """Where one probe is written: row (k - start)//every of `values` at each step k >= start with (k - start) % every == 0. Where its
    rows stay on a device they are those of `held`, and `values` has none."""

    probe: str
    every: int
    start: int
    neurons: NDArray[np.int64]  # ascending
    values: NDArray[np.generic]  # (rows, len(neurons)), as `recorded_as` says of the kind of the probe
    held: Held | None = None


def recorded_as(kind: Kind, precision: np.dtype[np.floating]) -> np.dtype[np.generic]:
    """How values of a kind are recorded."""
    return {Kind.INTEGER: np.dtype(np.int64), Kind.BOOLEAN: np.dtype(np.bool_)}.get(kind, precision)


class Elsewhere(Protocol):
    """What a backend keeps of a memory on a device of its own."""

    lent: bool  # whether an array has been lent: others may have written it at any time

    def bring_home(self) -> None:
        """Copy to the arrays of the memory what is newer on the device."""

    def refresh(self) -> None:
        """Take over what was changed in the arrays of the memory."""

    def lend(self, name: str) -> Any:
        """The array of that name on the device, for others to read and write between the steps. It is the same one as long as the device
        lives."""


@dataclass
class Memory:
    """Every value that a kernel reads and writes, by place.

    `reals` has one row for each REAL and BOOLEAN array of the kernel in the order of `kernel.arrays`, `integers` one for each
    INTEGER array. `scalars` has, beside those of the kernel, "@dt". A matrix is replaced, never changed in place: `columns` keeps the
    matrices column by column for backends that read them so. `spikes[e]` collects, for event e, pairs (steps, neurons) of
    int64 arrays as they are drained, or triples with the moments within the steps (float64). `workers` are what a backend keeps from
    one call to the next; it finds out itself whether they still fit. `functions` are those from outside, on NumPy values
    (`outside.interpreted`). A backend with a memory of its own leaves `device` here; `changed` names the arrays that have been handed out to
    be written since it read them last.
    """

    n: int
    precision: np.dtype[np.floating]
    reals: NDArray[np.floating]
    integers: NDArray[np.int64]
    scalars: Mapping[str, float]
    series: Mapping[str, NDArray[np.floating]]
    matrices: Mapping[str, NDArray[np.floating]]
    seed: int
    recordings: list[Recording] = field(default_factory=list)
    spikes: list[list[Listed]] = field(default_factory=list)
    columns: dict[str, tuple[NDArray[np.floating], NDArray[np.floating]]] = field(default_factory=dict, repr=False)
    workers: list[Any] = field(default_factory=list, repr=False)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict, repr=False)
    device: Elsewhere | None = field(default=None, repr=False)
    changed: set[str] = field(default_factory=set)

    @property
    def arrays(self) -> list[object]:
        """Every array that machine code is told the address of: who keeps an address asks whether they are the same ones."""
        written = [part for recording in self.recordings for part in (recording, recording.neurons, recording.values)]
        return [self.reals, self.integers, *self.series.values(), *self.matrices.values(), *written]

    def by_columns(self, name: str) -> NDArray[np.floating]:
        """The matrix of that name, column behind column."""
        matrix = self.matrices[name]
        if name not in self.columns or self.columns[name][0] is not matrix:
            self.columns[name] = matrix, np.ascontiguousarray(matrix.T)
        return self.columns[name][1]

    def bring_home(self) -> None:
        """Make the arrays here the newest ones."""
        if self.device is not None:
            self.device.bring_home()

    def row(self, kernel: Kernel, name: str) -> NDArray[np.generic]:
        """The array of that name (a view), to read and to write: it is the newest one from now on."""
        found = self.read(kernel, name)
        self.changed.add(name)
        return found

    def read(self, kernel: Kernel, name: str) -> NDArray[np.generic]:
        """The array of that name (a view), to read."""
        if any(array.written and array.name == name for array in kernel.arrays):
            self.bring_home()
        return self.stored(kernel, name)

    def stored(self, kernel: Kernel, name: str) -> NDArray[np.generic]:
        """The array of that name (a view) as it stands here, also where it is newer on a device."""
        real = integer = 0
        for array in kernel.arrays:
            if array.name == name:
                found: NDArray[np.generic] = self.integers[integer] if array.kind is Kind.INTEGER else self.reals[real]
                return found
            if array.kind is Kind.INTEGER:
                integer += 1
            else:
                real += 1
        raise KeyError(name)


def allocate(kernel: Kernel, n: int, precision: np.dtype[np.floating], seed: int) -> Memory:
    """A memory of zeros for `n` neurons, with empty scalars, series and matrices."""
    integers = sum(array.kind is Kind.INTEGER for array in kernel.arrays)
    return Memory(
        n=n,
        precision=precision,
        reals=np.zeros((len(kernel.arrays) - integers, n), precision),
        integers=np.zeros((integers, n), np.int64),
        scalars={},
        series={},
        matrices={},
        seed=seed,
        spikes=[[] for _ in kernel.events],
    )


@dataclass(frozen=True)
class NonFinite:
    """A state that stopped being finite: the array, the first neuron (lowest step, then index), the step after which it was seen."""

    array: str
    neuron: int
    step: int
    recent: NDArray[np.floating]  # the last values of that array, oldest first, the bad one last


@dataclass(frozen=True)
class Outcome:
    """`done`: the first step that has not been made. `trouble`: set where the run has to stop; all results from `trouble.step` on are void."""

    done: int
    trouble: NonFinite | None = None
