"""States and parameters of a running simulation, read and set in the units of the model."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NoSuchName, UsageError
from ..near_names import near_names
from ..units import from_computing
from .assembly import Assembly
from .binding import Binding
from .initial import BLOCK, Block, fill, one_value
from .on_device import OnDevice, unit_on_device
from .result import FinalState
from .settings import Settings
from .values import DRIVEN, PerNeuron, Stored, Target, source_of


class States(Mapping[str, NDArray[Any]]):
    """The states of a simulation, by name, in their declared units."""

    def __init__(
        self,
        names: Sequence[str],
        now: Callable[[], FinalState],
        write: Callable[[str, object], None],
        lend: Callable[[str, object], OnDevice],
    ) -> None:
        self._names, self._now, self._write, self._lend = names, now, write, lend

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._now()[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._write(name, value)

    def si(self, name: str) -> NDArray[Any]:
        """The values in the base SI unit."""
        return self._now().si(name)

    def on_device(self, name: str, unit: object = None) -> OnDevice:
        """A state where it lies on the GPU, without a copy: CuPy, PyTorch and numba take it as an array of theirs, one value a neuron.

        What they write holds from the next step on, as if it had been set here; what is set here, they see. The array stays the same one
        until a parameter is given another shape. `unit`: where the model declares one that is not computed in, such as V, that which is,
        "mV". Raises UsageError for other backends than "cuda", whose states lie in the main memory, and for a unit that would need a copy.
        """
        return self._lend(name, unit)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"States({', '.join(self)})"


class Parameters(Mapping[str, object]):
    """The parameters of a simulation, by name, in their declared units."""

    def __init__(self, names: Sequence[str], read: Callable[[str], object], write: Callable[[str, object], None]) -> None:
        self._names, self._read, self._write = names, read, write

    def __getitem__(self, name: str) -> object:
        return self._read(name)

    def __setitem__(self, name: str, value: object) -> None:
        self._write(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"Parameters({', '.join(self)})"


def set_state(assembly: Assembly, name: str, value: object, step: int) -> None:
    """Write a state; an expression sees the states as they are, and draws numbers of its own at each step."""
    assembly.fetch()
    binding, rows = assembly.binding, assembly.state_rows()
    if name not in rows:
        near = near_names(name, rows)
        raise UsageError(
            f"state: there is no state {name!r}{f'; did you mean {near[0]!r}?' if near else ''} (known: {', '.join(rows)})"
        )
    itself = replace(binding.variables[name], name=f"new {name}")  # so that an expression may also use the value that it replaces
    source = source_of(value, Target(itself, binding.model, binding.n, f"state[{name!r}]"))
    now = replace(binding, sources={**binding.sources, **{state: PerNeuron(row) for state, row in rows.items()}})  # type: ignore[arg-type]
    row = assembly.writable(name)
    for first in range(0, binding.n, BLOCK):
        block = Block(now, assembly.settings.seed, assembly.settings.dt, first, min(first + BLOCK, binding.n), step=step)
        row[block.first : block.stop] = block.of_source(name, source)
    assembly.observe(step)


def state_on_device(assembly: Assembly, name: str, unit: object, now: Callable[[], Assembly | None]) -> OnDevice:
    """A state where it lies on the device, for others to read and write as long as the assembly is the one that there is `now` (None: the
    simulation is gone). It holds nothing but the array."""
    where, backend = f"state.on_device({name!r})", assembly.settings.backend
    if backend != "cuda":
        raise UsageError(f"{where}: with backend={backend!r} states lie in the main memory, and sim.state[{name!r}] is it")
    stored = unit_on_device(assembly.binding.variables[name], unit, where, f"sim.state[{name!r}]")
    array, mine = assembly.lend(name), weakref.ref(assembly)

    def outdated() -> str:
        return "" if now() is mine() else "another kernel runs by now, with arrays of its own; ask sim.state.on_device anew"

    return OnDevice(name, stored.text, tuple(array.shape), np.dtype(array.dtype), array, outdated)


def current_parameter(binding: Binding, given: Mapping[str, object], name: str, settings: Settings) -> object:
    """The value of a parameter in its declared unit: one, or an array; for what is driven, the input that was given."""
    if name not in binding.sources or name not in binding.variables:
        known = [p.name for p in binding.model.parameters]
        near = near_names(name, known)
        raise NoSuchName(
            f"parameters: there is no parameter {name!r}{f'; did you mean {near[0]!r}?' if near else ''} (known: {', '.join(known)})"
        )
    source, unit = binding.sources[name], binding.variables[name].unit
    if isinstance(source, DRIVEN):
        return given[name]
    if isinstance(source, Stored):
        return np.array(from_computing(source.values, unit))
    shape = binding.shapes[name]
    if shape == "function":
        raise UsageError(f"parameters[{name!r}]: {name} follows what varies in time; record it to see its course")
    if shape == "scalar":
        return from_computing(one_value(name, binding, settings.seed, settings.dt), unit)
    values = np.empty(binding.n)
    fill({name: values}, binding, settings.seed, settings.dt, {})
    return from_computing(values, unit)
