"""Result: what a run left, in the units that the model is written in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...grammar.spelling import as_written
from ..checked import Variable
from ..errors import NoSuchName, UsageError
from ..html import folded, table
from ..near_names import near_names
from ..units import Unit, from_computing, shift
from .conventions import CONVENTIONS
from .duration import time_in_ms, whole_steps
from .on_device import OnDevice, unit_on_device
from .recorders.spikes import Spikes, Uncollected
from .report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Trace:
    """A recorded quantity: `values` (time, neuron) in `unit`, at times `t` (seconds), of `neurons` (their indices, in the order asked for)."""

    t: NDArray[np.float64]
    neurons: NDArray[np.int64]
    values: Values
    unit: str

    def of(self, neuron: object, name: str) -> Values:
        """The course of one neuron, or of several, by their index in the population."""
        wanted = np.asarray(neuron)
        if wanted.dtype.kind not in "iu" or wanted.ndim > 1:
            raise UsageError(f"result[{name!r}, {neuron!r}]: expected the index of a neuron, or a list of indices")
        missing = np.setdiff1d(wanted, self.neurons)
        if len(missing):
            raise UsageError(
                f"result[{name!r}, {neuron!r}]: {name} of neuron {missing[0]} was not recorded ({_some(self.neurons)} were)"
            )
        return np.asarray(self.values[:, self.columns(wanted)])

    def columns(self, neurons: NDArray[np.integer]) -> NDArray[np.int64]:
        """The columns of neurons that were recorded."""
        if not len(self.neurons):
            return np.empty(neurons.shape, np.int64)
        return np.asarray(self._order[np.searchsorted(self.neurons, neurons, sorter=self._order)])

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def on_device(self, name: str, unit: object) -> OnDevice:
        """The array where it lies on a GPU. Raises UsageError where it does not."""
        raise UsageError(
            f"result.on_device({name!r}): this recording lies in the main memory, and result[{name!r}] is it; on a GPU it stays with"
            f" record={{{name!r}: dvdt.record(on='device')}} and backend='cuda'"
        )

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """The columns in ascending order of neuron."""
        return np.argsort(self.neurons, kind="stable")


class TraceOnDevice(Trace):
    """A recorded quantity that lies on a device: `array` (time, neuron) in the unit that it is computed in. `values` fetches it."""

    array: Any
    variable: Variable

    def __init__(self, t: NDArray[np.float64], neurons: NDArray[np.int64], array: Any, variable: Variable) -> None:
        for name, value in (
            ("t", t),
            ("neurons", neurons),
            ("unit", variable.unit.text),
            ("array", array),
            ("variable", variable),
        ):
            object.__setattr__(self, name, value)

    @cached_property
    def values(self) -> Values:
        fetched = self.array.copy_to_host() if self.array.size else np.empty(self.shape, self.array.dtype)
        return np.asarray(from_computing(fetched, self.variable.unit) if fetched.dtype.kind == "f" else fetched)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    def on_device(self, name: str, unit: object) -> OnDevice:
        stored = unit_on_device(self.variable, unit, f"result.on_device({name!r})", f"result[{name!r}]")
        return OnDevice(name, stored.text, self.shape, np.dtype(self.array.dtype), self.array)

    def __reduce__(self) -> tuple[object, ...]:
        """The numbers alone go to another process."""
        return Trace, (self.t, self.neurons, self.values, self.unit)


class FinalState(Mapping[str, Values]):
    """The states at the end of a run: `final_state["v"]` in the declared unit, `final_state.si("v")` in the base SI unit."""

    def __init__(
        self,
        rows: Mapping[str, Values],
        units: Mapping[str, Unit],
        missing: str = "",
        declared: bool = False,
        fetch: Callable[[], object] = lambda: None,
    ) -> None:
        """`rows` are in the computing system, or, with `declared`, in `units`; `missing` says why there are none. Where their values
        are on a device, `fetch` brings them here; it is called when somebody looks."""
        self._rows, self._units, self._missing, self._declared = dict(rows), units, missing, declared
        self._fetch = fetch

    def __getitem__(self, name: str) -> Values:
        row = self._row(name)
        return np.array(row if self._declared or row.dtype.kind != "f" else from_computing(row, self._units[name]))

    def si(self, name: str) -> Values:
        """The values in the base SI unit: volt, ampere, ..."""
        row = self._row(name)
        if row.dtype.kind != "f":
            return np.array(row)
        unit = self._units[name]
        return np.array(shift(row, unit.decade if self._declared else unit.decade - unit.computing_decade))

    def keep(self) -> None:
        """Take a copy, because the arrays behind it are about to change."""
        self._fetch()
        self._rows, self._fetch = {name: row.copy() for name, row in self._rows.items()}, lambda: None

    def __reduce__(self) -> tuple[object, ...]:
        """The numbers alone go to another process, not the device or the kernel that they came from."""
        self._fetch()
        rows = {name: np.array(row) for name, row in self._rows.items()}
        return FinalState, (rows, dict(self._units), self._missing, self._declared)

    def unit(self, name: str) -> Unit:
        return self._units[name]

    def _row(self, name: str) -> Values:
        if self._missing:
            raise UsageError(self._missing)
        if name not in self._rows:
            raise NoSuchName(f"final_state: there is no state {name!r}{_near(name, self._rows)}")
        self._fetch()
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"FinalState({', '.join(f'{name} in {self._units[name].text}' for name in self._rows)})"


class Named(dict[str, T]):
    """A dict whose error for a name that it has not says what is missing, and what there is."""

    def __init__(self, missing: str, entries: Mapping[str, T]) -> None:
        super().__init__(entries)
        self._missing = missing

    def __missing__(self, name: object) -> T:
        raise NoSuchName(f"{self._missing} is called {name!r}{_near(name, self)}")


@dataclass(frozen=True, eq=False)
class Result:
    """What a run left.

    `result["v"]` is an array (time, neuron) in the unit `result.units["v"]`, at the times `result.t` in seconds; `result["v", 3]` the course
    of neuron 3. `spikes.t` (seconds) and `spikes.i` are sorted by time, then neuron; `events["burst"]` likewise. `report` tells
    how it came about. Raises UsageError for what was not recorded, spikes and events of a run with spikes=False too.
    """

    report: Report
    traces: Mapping[str, Trace]
    events: Mapping[str, Spikes]
    final_state: FinalState
    stimuli: Mapping[str, Trace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = Named(f"events: {self.report.model} has no event", self.events) if self.report.spikes else Uncollected("events")
        object.__setattr__(self, "events", named)

    @property
    def n(self) -> int:
        """The size of the population."""
        return self.report.n

    @property
    def names(self) -> tuple[str, ...]:
        """What was recorded."""
        return tuple(self.traces)

    @property
    def collected(self) -> Mapping[str, Spikes]:
        """The events by name, as `events`; none where they were not collected."""
        return self.events if self.report.spikes else {}

    @property
    def spikes(self) -> Spikes:
        """The events of the name "spike"; none in a model without such an event. Raises UsageError where they were not collected."""
        if not self.report.spikes:
            Uncollected("spikes").refuse()
        return self.events.get("spike", Spikes(np.empty(0), np.empty(0, np.int64)))

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of every recorded quantity and every state, as text."""
        states = {name: self.final_state.unit(name).text for name in self.final_state}
        return Named(
            "units: nothing recorded and no state", {**states, **{name: trace.unit for name, trace in self.traces.items()}}
        )

    @property
    def t(self) -> NDArray[np.float64]:
        """The times of the rows in seconds. Raises UsageError where quantities were recorded at different intervals: see `times`."""
        times = list(self.times.values())
        if any(len(other) != len(times[0]) or not np.array_equal(other, times[0]) for other in times[1:]):
            raise UsageError("t: quantities were recorded at different intervals; the times of one are result.times['NAME']")
        return times[0] if times else np.empty(0)

    @property
    def times(self) -> Mapping[str, NDArray[np.float64]]:
        """The times of the rows of each recorded quantity, in seconds."""
        return Named("times: nothing recorded", {name: trace.t for name, trace in self.traces.items()})

    def __getitem__(self, key: str | tuple[str, object]) -> Values:
        if isinstance(key, tuple):
            name, neuron = key
            return self._trace(name).of(neuron, name)
        return self._trace(key).values

    def __contains__(self, name: object) -> bool:
        return name in self.traces

    def on_device(self, name: str, unit: object = None) -> OnDevice:
        """A quantity that was recorded with `on="device"` as an array (time, neuron) on the GPU, which CuPy, PyTorch and numba read without
        a copy.

        `unit`: where the model declares one that is not computed in, such as V, that which is, "mV". Raises UsageError for what was
        recorded in the main memory or not at all, and for a unit that would need a copy.
        """
        return self._trace(name).on_device(name, unit)

    def _trace(self, name: object) -> Trace:
        if isinstance(name, str) and as_written(name) in self.traces:
            return self.traces[as_written(name)]
        raise UsageError(f"{name!r} was not recorded{_near(name, self.traces)}; ask for it in simulate(..., record=[...])")

    def rates(self, window: object = None) -> NDArray[np.float64]:
        """Spikes a second: one value a neuron over the whole run, or, with a `window` such as "50 ms", an array (window, neuron)."""
        if not self.report.steps:
            raise UsageError("rates: the run made no step")
        if window is None:
            return np.bincount(self.spikes.i, minlength=self.n) / self.report.duration
        dt = self.report.dt * 1000
        steps, _ = whole_steps(time_in_ms(window, "rates: window"), dt, "rates: window")
        if not 1 <= steps <= self.report.steps:
            raise UsageError(
                f"rates: a window of {window} is not between one step ({dt:g} ms) and the run ({self.report.duration:g} s)"
            )
        bins = -(-self.report.steps // steps)
        made = self.spike_steps()
        counts = np.bincount((made // steps) * self.n + self.spikes.i, minlength=bins * self.n).reshape(bins, self.n)
        lengths = np.minimum(steps, self.report.steps - steps * np.arange(bins)) * self.report.dt
        return np.asarray(counts / lengths[:, np.newaxis])

    def spike_steps(self) -> NDArray[np.int64]:
        """The step of this run, from 0, in which each spike was made, in the order of `spikes`."""
        since = (self.spikes.t - self.report.start) / self.report.dt
        if self.report.spike_times == "exact":
            return np.clip(np.floor(since).astype(np.int64), 0, self.report.steps - 1)
        return np.rint(since).astype(np.int64) - CONVENTIONS[self.report.conventions].stamp

    def spike_trains(self) -> list[NDArray[np.float64]]:
        """The spike times of each neuron, in seconds."""
        order = np.argsort(self.spikes.i, kind="stable")
        ends = np.cumsum(np.bincount(self.spikes.i, minlength=self.n))
        return np.split(self.spikes.t[order], ends[:-1])

    def plot(self, names: object = None, neurons: object = None) -> Figure:
        """A figure of stimulus, traces and raster over time.

        `names`: which recorded quantities (None: all). `neurons`: indices whose traces are drawn (None: the first five recorded).
        Raises UsageError, with the line to type, where matplotlib is not installed.
        """
        from .plot import figure

        return figure(self, names, neurons)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one .npz file, at once or not at all; `dvdt.load_result` reads it."""
        from .storage import save

        save(self, path)

    def summary(self) -> list[tuple[str, str]]:
        """What happened, as pairs of a label and a text."""
        kept = self.collected.items()
        lines = [(f"{name}s" if name == "spike" else name, self._counted(events)) for name, events in kept]
        if self.traces:
            lines.append(
                ("recorded", ", ".join(f"{k} [{v.unit}] {' x '.join(map(str, v.shape))}" for k, v in self.traces.items()))
            )
        return lines + self.report.lines()

    def _counted(self, events: Spikes) -> str:
        if not len(events):
            return "none"
        mean = len(events) / self.n / self.report.duration
        active = len(np.unique(events.i))
        return f"{len(events)} of {active} neuron{'s' if active > 1 else ''}, {mean:.4g} Hz on average"

    def __str__(self) -> str:
        return "\n".join(f"{label:<10} {text}" for label, text in self.summary())

    def __repr__(self) -> str:
        recorded, size = ", ".join(self.traces) or "nothing", f"{self.n} neuron{'s' if self.n > 1 else ''}"
        spikes = f"{len(self.spikes)} spikes" if self.report.spikes else "spikes not collected"
        return f"Result({self.report.model}, {size}, {self.report.duration:g} s, {spikes}, recorded: {recorded})"

    def _repr_html_(self) -> str:
        count = len(self.report.lines())
        found = self.summary()
        title = f"<b>{escape(self.report.model)}</b>, {self.n} neuron{'s' if self.n > 1 else ''}, {self.report.duration:g} s"
        told = [*found[: len(found) - count], *[line for line in found if line[0] == "note"]]
        return f"<div>{title}</div>{table((), told)}{folded('how it was run', table((), self.report.lines()))}"


def _near(name: object, known: Mapping[str, object]) -> str:
    near = near_names(str(name), known)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return f"{hint} (known: {', '.join(known) or 'none'})"


def _some(neurons: NDArray[np.int64]) -> str:
    if len(neurons) <= 6:
        return ", ".join(map(str, neurons)) or "none"
    return f"{len(neurons)}, from {neurons.min()} to {neurons.max()},"
