"""Simulation: a population that runs, step by step or for a time, and can be looked at and changed in between."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ...backends.memory import NonFinite
from ..errors import RunError, UsageError
from ..units import from_computing
from .assembly import assemble, dtype_of
from .binding import bind
from .change import Parameters, States, current_parameter, set_state
from .duration import time_in_ms, whole_steps
from .estimate import SPIKE_BYTES, Item, refuse_what_does_not_fit, spike_guess
from .loop import Reached, run_steps
from .population import population
from .progress import teller
from .recorders.spikes import EventLog
from .recorders.state import Table, requests, track
from .result import FinalState, Result
from .settings import Progress, settings, whole_number
from .telling import Stretch, told
from .used import recordable, unset_and_used


class Simulation:
    """A population that runs step by step, for closed loops.

    `what`: a Population, or a Model, the name of one or a text with `n`, `parameters` and `state`. The other arguments are those of
    `simulate`. `run` and `step` go on from where the last one ended; `state[...]` and `parameters[...]` are read and set in between.
    """

    def __init__(
        self,
        what: object,
        dt: object = "0.1 ms",
        record: object = (),
        method: str | None = None,
        backend: str = "cpu",
        precision: str = "float64",
        threads: int | None = None,
        seed: int | None = None,
        conventions: str = "dvdt",
        spike_times: str = "grid",
        progress: Progress = None,
        n: int | None = None,
        parameters: Mapping[str, object] | None = None,
        state: Mapping[str, object] | None = None,
    ) -> None:
        self.population = population(what, n, parameters, state)
        self._settings = settings(dt, method, backend, precision, threads, seed, conventions, spike_times, progress)
        asked = requests(record)
        recordable(self.population.model, asked)
        planned = [track(name, how, self.population.n, self._settings.dt) for name, how in asked.items()]
        self._tracks = [planned_track for planned_track, _ in planned]
        self._notes = [note for _, note in planned if note]
        self._given = dict(self.population.parameters)
        self._assembly = assemble(self.population.binding, self._settings, tuple(sorted(asked)))
        self._tables = [Table(t, self._dtype(t.name), self._settings.convention) for t in self._tracks]
        self._logs = [EventLog() for _ in self._assembly.kernel.events]
        self._step = 0
        self._seconds = 0.0
        self._stopped = ""
        self._snapshot: Callable[[], FinalState | None] = lambda: None
        self._warn()

    # ---- looking

    @property
    def n(self) -> int:
        return self.population.n

    @property
    def dt(self) -> float:
        """The step in seconds."""
        return self._settings.dt / 1000

    @property
    def t(self) -> float:
        """The time that has been reached, in seconds."""
        return self._step * self._settings.dt / 1000

    @property
    def steps(self) -> int:
        """The number of steps that have been made."""
        return self._step

    @property
    def state(self) -> States:
        """The states now: `sim.state["v"]` is an array in the declared unit; what is set takes any value that a Population takes."""
        return States([s.name for s in self.population.model.states], self._states, self._set_state)

    @property
    def parameters(self) -> Parameters:
        """The parameters: one value or an array in the declared unit (what is driven: its input). Set, they hold from the next step on."""
        names = [parameter.name for parameter in self._assembly.binding.model.parameters]
        return Parameters(names, self._parameter, self._set_parameter)

    # ---- running

    def run(self, duration: object) -> Result:
        """Run for a time and return the result of that stretch.

        Raises UsageError for what is no time and for a run that does not fit in memory; RunError, with the results so far, where a
        state stops being finite and on Ctrl-C (after which a simulation can go on).
        """
        return self._run(duration, owned=False)

    def finish(self, duration: object) -> Result:
        """As `run`, for the last time: the result takes the arrays over instead of copying them."""
        result = self._run(duration, owned=True)
        self._stopped = "this simulation has been finished; run() leaves it open"
        return result

    def step(self, count: int = 1) -> NDArray[np.int64]:
        """Make one step, or `count`; returns the neurons that spiked, in order of time."""
        first = self._step
        self._advance(whole_number(count, "count"), [], progress=False)
        logs = [log for name, log in zip(self._assembly.kernel.events, self._logs, strict=True) if name == "spike"]
        return logs[0].since(first).sorted()[1] if logs else np.empty(0, np.int64)

    def result(self) -> Result:
        """The result of everything since the start."""
        self._assembly.place()
        return self._result(0, self._step, self._seconds, [], owned=False)

    def _run(self, duration: object, owned: bool) -> Result:
        time = time_in_ms(duration, "duration")
        if time < 0:
            raise UsageError(f"duration has to be 0 ms or longer, not {duration}")
        steps, note = whole_steps(time, self._settings.dt, "duration")
        if time and not steps:
            raise UsageError(f"duration of {time:g} ms is less than half a step of {self.dt * 1e3:g} ms: nothing would run")
        first, notes = self._step, [note] if note else []
        reached = self._advance(steps, notes, self._settings.progress)
        return self._result(first, self._step, reached.seconds, notes, owned)

    def _advance(self, steps: int, notes: list[str], progress: Progress) -> Reached:
        if self._stopped:
            raise UsageError(self._stopped)
        first, last = self._step, self._step + steps
        room = self._room(first, last)
        self._keep_snapshot()
        memory, program = self._assembly.place(last), self._assembly.build()
        for table in self._tables:
            table.grow(last)
        memory.recordings = [table.recording for table in self._tables]
        bar = teller(progress)
        try:
            record_end = not self._settings.convention.rows_short
            reached = run_steps(program, memory, first, last, self._settings.threads, self._logs, room, bar, record_end)
        finally:
            bar.close()
        self._step, self._seconds = reached.done, self._seconds + reached.seconds
        if reached.trouble is not None:
            raise self._not_finite(reached.trouble, first, reached.seconds, notes)
        if reached.why:
            raise self._ended(reached, first, last, notes)
        return reached

    def _room(self, first: int, last: int) -> float:
        """How many events the run may keep. Raises UsageError for a run that would not fit in memory."""
        items = self._assembly.items(last)
        for table in self._tables:
            rows, neurons = self._settings.convention.rows(0, last, table.track.every), len(table.track.neurons)
            what = f"the recording of {table.track.name} ({rows} rows of {neurons} neurons)"
            items.append(
                Item(what, table.size_for(last), "Record fewer neurons or less often: dvdt.record(every=..., neurons=...)")
            )
        guess = spike_guess(len(self._logs), self.n, (last - first) * self.dt)
        return sum(log.count for log in self._logs) + refuse_what_does_not_fit(items, guess) / SPIKE_BYTES

    # ---- telling

    def _result(self, first: int, last: int, seconds: float, notes: list[str], owned: bool, missing: str = "") -> Result:
        """The result of the steps `first` to `last`; with `owned` its arrays are those of the run, which is over."""
        result = told(
            self._assembly, self._tables, self._logs, Stretch(first, last, seconds, (*self._notes, *notes), missing), owned
        )
        if not owned:
            self._snapshot = weakref.ref(result.final_state)
        return result

    def _ended(self, reached: Reached, first: int, last: int, notes: list[str]) -> RunError:
        what = "interrupted" if reached.why == "interrupted" else "stopped, because its spikes have filled the memory,"
        told = f"{what} at {self._told_time(reached.done)} of {self._told_time(last)}; the results so far are in .result"
        return RunError(told, self._result(first, reached.done, reached.seconds, notes, owned=False))

    def _not_finite(self, trouble: NonFinite, first: int, seconds: float, notes: list[str]) -> RunError:
        unit = self._assembly.binding.variables[trouble.array].unit
        recent = ", ".join(f"{value:.6g}" for value in from_computing(np.asarray(trouble.recent, np.float64), unit))
        what = (
            f"{trouble.array} of neuron {trouble.neuron} is not finite after the step to {self._told_time(trouble.step + 1)}"
            f" (step {trouble.step}); its last values are {recent}{'' if unit.text in ('', '1') else ' ' + unit.text}"
        )
        self._stopped = f"this simulation has stopped: {what}"
        result = self._result(
            first, trouble.step, seconds, [*notes, what], owned=False, missing=f"the run has no final state: {what}"
        )
        advice = "a smaller dt or another method may keep it finite; the results up to there are in .result"
        return RunError(f"{what}; {advice}", result)

    def _told_time(self, step: int) -> str:
        return f"{step * self._settings.dt:.10g} ms"

    # ---- changing

    def _set_parameter(self, name: str, value: object) -> None:
        """See `parameters`."""
        given = {**self._given, name: value}
        binding = bind(self.population.model, self.n, given, self.population.state)
        old = self._assembly
        if old.memory is None:
            self._assembly = assemble(binding, self._settings, old.structure.recorded)
        elif binding.shapes == old.binding.shapes and binding.functions == old.binding.functions:
            old.binding = binding
            old.tables.pop(name, None)
            old.set_parameters(self._step)
            old.observe(self._step)
        else:
            self._assembly = assemble(binding, self._settings, old.structure.recorded)
            self._assembly.inherit(old, self._step)
        self._given = given

    def _parameter(self, name: str) -> object:
        """See `parameters`."""
        return current_parameter(self._assembly.binding, self._given, name, self._settings)

    def _set_state(self, name: str, value: object) -> None:
        """See `state`."""
        self._assembly.place()
        self._keep_snapshot()
        set_state(self._assembly, name, value, self._step)

    def _states(self) -> FinalState:
        """The states now, as views of the memory."""
        self._assembly.place()
        return FinalState(self._assembly.states(), {s.name: s.unit for s in self.population.model.states})

    def _keep_snapshot(self) -> None:
        """The last result shares its final state with the memory; before that changes, it takes a copy, if it is still alive."""
        last = self._snapshot()
        if last is not None:
            last.keep()
        self._snapshot = lambda: None

    def _dtype(self, name: str) -> np.dtype[np.generic]:
        return dtype_of(self._assembly.binding.variables[name].kind, self._settings.precision)

    def _warn(self) -> None:
        unset = unset_and_used(self._assembly.binding)
        if unset:
            name, counts = self.population.model.name, "counts" if len(unset) == 1 else "count"
            warnings.warn(
                f"{name}: no value is set for {', '.join(unset)}, which {counts} as 0: give it in parameters={{...}}",
                stacklevel=3,
            )

    def __repr__(self) -> str:
        return f"Simulation({self.population.model.name!r}, {self.n} neurons, t = {self._told_time(self._step)})"


def simulate(
    what: object,
    duration: object,
    dt: object = "0.1 ms",
    record: object = (),
    method: str | None = None,
    backend: str = "cpu",
    precision: str = "float64",
    threads: int | None = None,
    seed: int | None = None,
    conventions: str = "dvdt",
    spike_times: str = "grid",
    progress: Progress = None,
    n: int | None = None,
    parameters: Mapping[str, object] | None = None,
    state: Mapping[str, object] | None = None,
) -> Result:
    """Run a population, or `n` neurons of a model, for a time.

    what        a Population, or a Model, the name of one, or a text, with `n` (1), `parameters` and `state` as a Population takes them
    duration    "1 s", or a quantity object; rounded to whole steps of `dt`, with a note in the report
    record      names of states, parameters, derived quantities and inputs, or a mapping from names to dvdt.record(every=, neurons=)
    method      an integration scheme; None: what the model recommends, or else a choice that the report explains
    backend     "cpu" or "reference" (slow, for comparison); precision "float64" or "float32"; threads None: all
    seed        of all draws; None: a fresh one, which the report tells
    conventions "dvdt", "brian2" or "nest": stamps of spikes, rows of recordings, counting of refractory periods
    progress    None: a bar on a terminal and in a notebook; True, False, or a callable(fraction, elapsed seconds)

    Raises ModelError for mistakes in a text, UsageError for an argument that does not fit or a run that would not fit in memory,
    RunError, with the results so far, where a state stops being finite or on Ctrl-C.
    """
    simulation = Simulation(
        what, dt, record, method, backend, precision, threads, seed, conventions, spike_times, progress, n, parameters, state
    )
    return simulation.finish(duration)
