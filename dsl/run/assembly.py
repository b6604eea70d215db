"""Assembly: a population compiled, and placed in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...backends.availability import device_of
from ...backends.kernel import Expr, Hoist, Kernel, Propagator
from ...backends.memory import Memory, allocate
from ...backends.program import DeviceProgram, Program
from ...backends.prologue import following, read_by, run_prologue
from ...backends.unusable import Unavailable
from ..errors import UsageError
from ..structure import LENGTH, Compiled, Structure
from . import drive
from .binding import Binding
from .estimate import Item
from .initial import fill, one_value
from .settings import Settings
from .values import Called, Stored


@dataclass(frozen=True)
class Consequences:
    """What has to be worked out anew when a parameter changes: parameters of one value, of one a neuron, and entries of the prologue."""

    scalars: tuple[str, ...]
    arrays: frozenset[str]
    entries: tuple[Hoist | Propagator, ...]
    reads: frozenset[str]


@dataclass
class Assembly:
    """The kernel of a binding, and, once `place` has run, its program and memory."""

    binding: Binding
    settings: Settings
    structure: Structure
    compiled: Compiled
    program: Program | None = None
    memory: Memory | None = None
    device: str = ""  # that the program runs on, where it is not the processor
    compiled_kernels: int = 0
    compile_seconds: float = 0.0
    tables: dict[str, NDArray[np.floating]] = field(default_factory=dict)
    consequences: dict[str, Consequences] = field(default_factory=dict)
    rows: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    @property
    def kernel(self) -> Kernel:
        return self.compiled.kernel

    # ---- size

    def items(self, steps: int) -> list[Item]:
        """What the arrays and tables will take that are not there yet, for a run up to step `steps`."""
        itemsize = self.settings.precision.itemsize
        found = []
        if self.memory is None:
            count, n = len(self.kernel.arrays), self.binding.n
            found.append(Item(f"{count} arrays (states, parameters, coefficients) of {n} neurons", count * n * itemsize))
        for name in self._driven():
            source = self.binding.sources[name]
            rows = drive.rows_needed(source, steps, self.settings.dt)
            if rows > len(self.tables.get(name, ())):
                size = rows * drive.columns(source, self.binding.n) * itemsize
                found.append(Item(f"the course of {name} ({rows} rows)", size))
        return found

    # ---- placing

    def place(self, steps: int = 0) -> Memory:
        """The memory, with initial values, and tables as long as a run up to step `steps` needs. Compiles on the first call."""
        if self.memory is None:
            self._refuse_what_does_not_fit(self.build())
            self.memory = allocate(self.kernel, self.binding.n, self.settings.precision, self.settings.seed)
            self.memory.functions = {name: source.interpreted for name, source in self._called().items()}
            self.set_parameters(steps)
            fill(
                self._rows(dict(self.compiled.initial)),
                self.binding,
                self.settings.seed,
                self.settings.dt,
                dict(self.compiled.initial),
            )
            self.observe(0)
        elif self._lengthen(steps):
            run_prologue(self.kernel, self.memory)
        return self.memory

    def _refuse_what_does_not_fit(self, program: Program) -> None:
        if self.device:
            try:
                cast(DeviceProgram, program).refuse_what_does_not_fit(self.binding.n)
            except Unavailable as obstacle:
                raise UsageError(f"backend={self.settings.backend!r}: {obstacle}") from None

    def build(self) -> Program:
        """The program; compiled on the first call."""
        if self.program is None:
            from ..compile import build

            settings, functions = self.settings, {name: source.function for name, source in self._called().items()}
            self.program = build(self.compiled, settings.backend, settings.precision.name, functions, settings.exact_math)
            self.device = device_of(settings.backend)
            self.compiled_kernels += self.program.compiled
            self.compile_seconds += self.program.compile_seconds
        return self.program

    def take_compiled(self) -> tuple[int, float]:
        """How many kernels were compiled, and in how many seconds, since this was last asked."""
        taken = self.compiled_kernels, self.compile_seconds
        self.compiled_kernels, self.compile_seconds = 0, 0.0
        return taken

    def change_parameter(self, name: str, binding: Binding) -> None:
        """Write the numbers of one parameter, and what is worked out from them once a run; all else is as it was."""
        memory, seed, dt = self._memory(), self.settings.seed, self.settings.dt
        self.binding = binding
        found = self.consequences.get(name)
        if found is None:
            found = self.consequences[name] = self._consequences(name)
        memory.scalars = {**memory.scalars, **{each: one_value(each, binding, seed, dt) for each in found.scalars}}
        if found.arrays:
            fill(self._rows(found.arrays), binding, seed, dt, {})
        if found.entries:
            run_prologue(self.kernel, memory, found.entries, found.reads)

    def _consequences(self, name: str) -> Consequences:
        names, shapes = self.binding.following(name), self.binding.shapes
        held, entries = {scalar.name for scalar in self.kernel.scalars}, following(self.kernel, names)
        return Consequences(
            tuple(each for each in names if each in held and shapes[each] == "scalar"),
            frozenset(each for each in names if shapes[each] == "array"),
            entries,
            read_by(entries),
        )

    def set_parameters(self, steps: int) -> None:
        """Write all parameters, and what is worked out from them once a run."""
        self.consequences.clear()
        memory, seed, dt = self._memory(), self.settings.seed, self.settings.dt
        shapes = self.binding.shapes
        scalars = {"@dt": dt, LENGTH: dt}
        for scalar in self.kernel.scalars:
            if scalar.name in shapes:
                scalars[scalar.name] = one_value(scalar.name, self.binding, seed, dt)
        for name in self._driven():
            scalars[f"@interval {name}"] = drive.interval(self.binding.sources[name], dt)
        memory.scalars = {**dict.fromkeys((scalar.name for scalar in self.kernel.scalars), 0.0), **scalars}
        memory.matrices = {matrix.name: self._matrix(matrix.name) for matrix in self.kernel.matrices}
        fill(self._rows({name for name, shape in shapes.items() if shape == "array"}), self.binding, seed, dt, {})
        self._lengthen(steps)
        run_prologue(self.kernel, memory)

    def _lengthen(self, steps: int) -> bool:
        """Make every table as long as a run up to step `steps` needs; whether any has changed."""
        changed = False
        memory, dt = self._memory(), self.settings.dt
        for name in self._driven():
            source, before = self.binding.sources[name], self.tables.get(name)
            rows = drive.rows_needed(source, steps, dt)
            if before is None or rows > len(before):
                rows = rows if before is None else drive.rows_needed(source, max(steps, 3 * len(before) // 2), dt)
                self.tables[name] = drive.table(
                    source, name, rows, self.binding.n, dt, self.settings.seed, self.settings.precision, before
                )
                changed = True
        memory.series = dict(self.tables)
        return changed

    def inherit(self, other: Assembly, steps: int) -> None:
        """Go on from the state of another assembly of the same population, in another structure."""
        self.compiled_kernels, self.compile_seconds = other.take_compiled()
        memory, theirs = self.place(steps), other._memory()
        known = {array.name for array in other.kernel.arrays if array.written}
        for array in self.kernel.arrays:
            if array.written and array.name in known:
                memory.row(self.kernel, array.name)[:] = theirs.read(other.kernel, array.name)
        self.observe(steps)

    def observe(self, step: int) -> None:
        """Work out anew what is recorded of all neurons together, because states or parameters were written before step `step`."""
        phases = self.kernel.phases[len(self.kernel.phases) - self.compiled.observing :]
        if phases:
            from ...backends import reference

            reference.build(self.kernel, self.settings.precision).make_phases(self._memory(), phases, step - 1)

    def written(self) -> dict[str, NDArray[np.generic]]:
        """The stored arrays that a step writes, by name (views to read): all that one step leaves to the next."""
        return {array.name: self._memory().read(self.kernel, array.name) for array in self.kernel.arrays if array.written}

    def rewrite(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Put these in the place of `written`."""
        for array in self.kernel.arrays:
            if array.written:
                self._memory().row(self.kernel, array.name)[:] = arrays[array.name]

    def writable(self, name: str) -> NDArray[np.generic]:
        """The stored array of a state (a view), to read and to write."""
        return self._memory().row(self.kernel, name)

    def state_rows(self) -> Mapping[str, NDArray[np.generic]]:
        """The stored array of each state (views), which a device may be ahead of until `fetch` is called."""
        if not self.rows:
            self.rows = {state.name: self._memory().stored(self.kernel, state.name) for state in self.binding.model.states}
        return self.rows

    def fetch(self) -> None:
        """Make the arrays in the main memory the newest ones."""
        self._memory().bring_home()

    def lend(self, name: str) -> Any:
        """The array of a state on the device, for others to read and write."""
        return cast(DeviceProgram, self.build()).settle(self.place()).lend(name)

    @property
    def lent(self) -> bool:
        """Whether somebody may read and write arrays on the device."""
        return self.memory is not None and self.memory.device is not None and self.memory.device.lent

    def show(self) -> None:
        """Have those who read arrays on the device see what was written in the main memory."""
        if self.lent and self.memory is not None and self.memory.device is not None:
            self.memory.device.refresh()

    def release(self) -> None:
        """Give the memory of a device back, because the run is over: what lies there is brought home."""
        memory = self._memory()
        memory.bring_home()
        memory.device = None

    def _memory(self) -> Memory:
        assert self.memory is not None
        return self.memory

    def _rows(self, names: Mapping[str, Expr] | set[str] | frozenset[str]) -> dict[str, NDArray[np.generic]]:
        return {array.name: self._memory().row(self.kernel, array.name) for array in self.kernel.arrays if array.name in names}

    def _called(self) -> dict[str, Called]:
        return {name: source for name, source in self.binding.sources.items() if isinstance(source, Called)}

    def _driven(self) -> list[str]:
        return [name for name, shape in self.binding.shapes.items() if shape in ("series", "columns")]

    def _matrix(self, name: str) -> NDArray[np.floating]:
        source = self.binding.sources[name]
        assert isinstance(source, Stored)
        return np.ascontiguousarray(source.values, self.settings.precision)


def assemble(binding: Binding, settings: Settings, recorded: tuple[str, ...]) -> Assembly:
    """Compile a binding to a kernel; nothing of the size of the population is made yet. Raises UsageError for a method that cannot."""
    from ..compile import compile_model

    structure = Structure(
        method=settings.method,
        shapes=tuple(binding.shapes.items()),
        functions=binding.functions,
        conventions=settings.convention.name,
        recorded=recorded,
        outside=binding.outside,
        spike_times=settings.spike_times,
        spikes=settings.spikes,
    )
    return Assembly(binding, settings, structure, compile_model(binding.model, structure))
