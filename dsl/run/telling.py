"""From the arrays of a run to its Result."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ...backends.memory import NonFinite
from ..html import folded, table
from ..structure import FAILED, FAILURES
from ..substitute import expressions_of, operations_of
from ..units import from_computing
from .assembly import Assembly
from .population import Population
from .recorders.spikes import EventLog, LoggedSpikes
from .recorders.state import Table, TableOnDevice
from .report import Report
from .result import FinalState, Result, Trace, TraceOnDevice
from .stimuli import stimuli
from .used import unset_and_used


@dataclass(frozen=True)
class Stretch:
    """The steps `first` to `last` (not included), the seconds they took, notes, why there is no final state (empty where there is one), and
    whether what stood at the end was recorded."""

    first: int
    last: int
    seconds: float
    notes: tuple[str, ...]
    missing: str = ""
    ended: bool = True


def told(assembly: Assembly, tables: Sequence[Table], logs: Sequence[EventLog], stretch: Stretch, owned: bool) -> Result:
    """The result of a stretch of a run; with `owned` it may keep the arrays of the run, which is over."""
    settings, states = assembly.settings, assembly.binding.model.states
    first, last = stretch.first, stretch.last
    return Result(
        report=_report(assembly, stretch),
        traces={table.track.name: _trace(assembly, table, stretch, owned) for table in tables},
        events={
            name: LoggedSpikes(log.since(first), settings.convention.stamp, settings.dt)
            for name, log in zip(assembly.kernel.events, logs, strict=True)
        },
        final_state=FinalState(
            {} if stretch.missing else assembly.state_rows(),
            {s.name: s.unit for s in states},
            stretch.missing,
            fetch=assembly.fetch,
        ),
        stimuli=stimuli(assembly.binding, settings, first, last),
    )


def described(assembly: Assembly, trouble: NonFinite, time: str) -> tuple[str, str]:
    """What stopped a run in the step to `time`, and what may help."""
    neuron, step = f"neuron {trouble.neuron}", f"the step to {time} (step {trouble.step})"
    if trouble.array.startswith(FAILED):
        return f"{FAILURES[trouble.array.removeprefix(FAILED)]} for {neuron} in {step}", "a smaller dt or another method has one"
    unit = assembly.binding.variables[trouble.array].unit
    recent = ", ".join(f"{value:.6g}" for value in from_computing(np.asarray(trouble.recent, np.float64), unit))
    values = f"its last values are {recent}{'' if unit.text in ('', '1') else ' ' + unit.text}"
    unset = unset_and_used(assembly.binding)
    advice = "a smaller dt or another method may keep it finite"
    if unset:
        advice = f"{', '.join(unset)} {'was' if len(unset) == 1 else 'were'} never set and counted as 0: give parameters={{{unset[0]!r}: ...}}"
    if any(operation.name == "poisson" for e in expressions_of(assembly.binding.model) for operation in operations_of(e)):
        advice = f"`poisson(mean)` gives nan where its mean is negative or infinite; else {advice}"
    return f"{trouble.array} of {neuron} is not finite after {step}; {values}", advice


def _trace(assembly: Assembly, table: Table, stretch: Stretch, owned: bool) -> Trace:
    rows, unit = table.rows(stretch.first, stretch.last), assembly.binding.variables[table.track.name].unit
    if not stretch.ended and rows.stop > rows.start and table.steps(rows)[-1] == stretch.last:
        rows = slice(rows.start, rows.stop - 1)
    t = table.steps(rows) * assembly.settings.dt / 1000
    if isinstance(table, TableOnDevice):
        array = table.held.rows(rows) if owned else table.held.copied(rows)
        return TraceOnDevice(t, table.track.asked, array, assembly.binding.variables[table.track.name])
    values, columns = table.values[rows], table.track.columns
    if columns is not None:
        values, owned = values[:, columns], True
    if values.dtype.kind == "f" and unit.computing_decade:
        values = from_computing(values, unit)
    elif not owned:
        values = values.copy()
    return Trace(t, table.track.asked, values, unit.text)


def _report(assembly: Assembly, stretch: Stretch) -> Report:
    settings, n = assembly.settings, assembly.binding.n
    steps, seconds = stretch.last - stretch.first, stretch.seconds
    compiled, spent = assembly.take_compiled()
    return Report(
        model=assembly.binding.model.name,
        n=n,
        scheme=assembly.compiled.scheme,
        why=assembly.compiled.why,
        conventions=settings.convention.name,
        dt=settings.dt / 1000,
        start=stretch.first * settings.dt / 1000,
        steps=steps,
        duration=steps * settings.dt / 1000,
        backend=settings.backend,
        precision=settings.precision.name,
        threads=1 if assembly.device else settings.threads,
        seed=settings.seed,
        wall_time=seconds,
        compile_seconds=spent,
        kernels_compiled=compiled,
        neuron_steps_per_second=n * steps / seconds if seconds else 0.0,
        notes=(*stretch.notes, *assembly.binding.model.notes, *assembly.compiled.notes),
        noise=assembly.compiled.noise,
        spike_times=settings.spike_times,
        spikes=settings.spikes,
        device=assembly.device,
    )


def page(population: Population, assembly: Assembly, time: str) -> str:
    """A simulation at `time`, for a notebook: what was set, and how it is run."""
    settings, compiled = assembly.settings, assembly.compiled
    lines = [
        ("scheme", f"{compiled.scheme}: {compiled.why}"),
        ("dt", f"{settings.dt:.10g} ms, conventions {settings.convention.name}"),
        ("backend", f"{settings.backend}, {settings.precision.name}"),
        ("seed", str(settings.seed)),
        *[("note", note) for note in (*assembly.binding.model.notes, *compiled.notes)],
    ]
    return f"{population._repr_html_()}<div>at t = {escape(time)}</div>{folded('how it is run', table((), lines))}"


def warn(text: str) -> None:
    """A Python warning that points at the first function outside of this package."""
    package = __name__.partition(".")[0] + "."
    frame, count = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(package):
        frame, count = frame.f_back, count + 1
    warnings.warn(text, stacklevel=count)
