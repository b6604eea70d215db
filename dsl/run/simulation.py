"""Simulation: a population that runs, step by step or for a time, and can be looked at and changed in between."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...backends.availability import obstacle_of
from ...backends.memory import NonFinite, recorded_as
from ...backends.unusable import Unavailable
from ..errors import RunError, UsageError
from .assembly import assemble
from .binding import Binding, bind, rebound
from .change import Parameters, States, current_parameter, set_state, state_on_device
from .checkpoint import Checkpoint, Goal, digest_of, load, refuse_other_arrays, restored, save
from .duration import MOST_STEPS, step_for, time_in_ms, whole_steps
from .estimate import SPIKE_BYTES, Item, refuse_what_does_not_fit, spike_guess
from .keeper import Keeper
from .linearised import too_long
from .loop import Onward, Reached, run_steps
from .on_device import OnDevice
from .population import Population, population
from .progress import teller
from .recorders.spikes import Uncollected
from .recorders.state import Track, requests, track
from .recordings import Recordings
from .result import FinalState, Result
from .settings import Progress, Settings, anew, settings, whole_number
from .telling import Stretch, described, page, told, warn
from .used import recordable, unset_and_used

NOWHERE = Onward()


class Simulation:
    """A population that runs step by step, for closed loops.

    `what`: a Population, or a Model, the name of one or a text with `n`, `parameters` and `state`. The other arguments are those of
    `simulate`. `run` and `step` go on from where the last one ended; `state[...]` and `parameters[...]` are read and set in between.
    """

    def __init__(
        self,
        what: object,
        dt: object = None,
        record: object = (),
        method: str | None = None,
        backend: str = "cpu",
        precision: str | None = None,
        threads: int | None = None,
        seed: int | None = None,
        conventions: str = "dvdt",
        spike_times: str = "grid",
        progress: Progress = None,
        n: int | None = None,
        parameters: Mapping[str, object] | None = None,
        state: Mapping[str, object] | None = None,
        exact_math: bool = False,
        spikes: bool = True,
    ) -> None:
        neurons, asked = population(what, n, parameters, state), requests(record)
        step = step_for(dt, neurons.model)
        chosen = settings(step, method, backend, precision, threads, seed, conventions, spike_times, progress, exact_math, spikes)
        recordable(neurons.model, asked)
        planned = [track(name, how, neurons.n, chosen.dt, chosen.backend) for name, how in asked.items()]
        self._begin(neurons, chosen, [each for each, _ in planned], [note for _, note in planned if note])
        self._warn()

    def _begin(self, neurons: Population, settings: Settings, tracks: Sequence[Track], notes: Sequence[str]) -> None:
        self.population, self._settings, self._notes = neurons, settings, list(notes)
        self._given = dict(neurons.parameters)
        self._assembly = assemble(neurons.binding, settings, tuple(sorted(each.name for each in tracks)))
        self._kept = Recordings(tracks, self._dtype, self._assembly.kernel.events, settings.convention)
        self._step = 0
        self._seconds = 0.0
        self._room, self._look_again = 0.0, -1.0
        self._stopped = ""
        self._began = 0.0
        self._looked = False  # whether dt has been held against the equations
        self._snapshot: Callable[[], FinalState | None] = lambda: None

    # ---- looking

    @property
    def n(self) -> int:
        """The size of the population."""
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
        return States([s.name for s in self.population.model.states], self._states, self._set_state, self._on_device)

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
        self._assembly.release()
        self._stopped = "this simulation has been finished; run() leaves it open"
        return result

    def step(self, count: int = 1) -> NDArray[np.int64]:
        """Make one step, or `count`; returns the neurons that spiked, in order of time. With spikes=False nobody knows them: what is
        returned then raises a UsageError when it is looked at.

        A Ctrl-C is a KeyboardInterrupt when the steps in hand are whole, so that the simulation can go on.
        """
        first, whole_steps = self._step, whole_number(count, "count")
        if whole_steps > MOST_STEPS:
            raise UsageError(f"count: no more than {MOST_STEPS} steps can be counted")
        # what stands at the end is recorded by the next step, or when somebody asks for the result
        reached = self._advance(whole_steps, False, self._settings.convention.first_row > 0)
        if reached.why == "interrupted":
            raise KeyboardInterrupt
        self._raise(reached, first, first + whole_steps, [])
        if not self._settings.spikes:
            return cast(NDArray[np.int64], Uncollected("step"))
        return self._kept.spikes.since(first).sorted()[1]

    def result(self) -> Result:
        """The result of everything since the start."""
        self._assembly.place()
        self._note_lent()
        self._kept.record_end(self._assembly, self._step)
        return self._result(0, self._step, self._seconds, [], owned=False)

    def finish_at(self, last: int, notes: Sequence[str], keeper: Keeper) -> Result:
        """Run up to step `last`, saved on the way and at the end, for the last time; the result is that of everything since the start."""
        reached = self._advance(last - self._step, self._settings.progress, True, keeper)
        self._raise(reached, 0, last, notes, keeper)
        if not keeper.keep(self._step):
            raise self._ended(replace(reached, why="unsaved"), 0, last, notes, keeper)
        self._stopped = "this simulation has been finished"
        result = self._result(0, self._step, self._seconds, notes, owned=True)
        self._assembly.release()
        return result

    def steps_of(self, duration: object) -> tuple[int, list[str]]:
        """How many steps a time is, and a note where it is no whole number of them. Raises UsageError for what is no time."""
        length = time_in_ms(duration, "duration")
        if length < 0:
            raise UsageError(f"duration has to be 0 ms or longer, not {duration}")
        steps, note = whole_steps(length, self._settings.dt, "duration")
        if length and not steps:
            raise UsageError(f"duration of {length:g} ms is less than half a step of {self.dt * 1e3:g} ms: nothing would run")
        return steps, [note] if note else []

    def _run(self, duration: object, owned: bool) -> Result:
        first, (steps, notes) = self._step, self.steps_of(duration)
        reached = self._advance(steps, self._settings.progress, True)
        self._raise(reached, first, first + steps, notes)
        return self._result(first, self._step, reached.seconds, notes, owned)

    def _advance(self, steps: int, progress: Progress, record_end: bool, halts: Onward = NOWHERE) -> Reached:
        if self._stopped:
            raise UsageError(self._stopped)
        with self._obstacles():
            return self._made(steps, progress, record_end, halts)

    @contextmanager
    def _obstacles(self) -> Iterator[None]:
        """What keeps the backend from running is a mistake of the call."""
        try:
            yield
        except Unavailable as obstacle:
            raise UsageError(f"backend={self._settings.backend!r}: {obstacle}") from None

    def _made(self, steps: int, progress: Progress, record_end: bool, halts: Onward) -> Reached:
        first, last = self._step, self._step + steps
        room = self._room_for(first, last)
        self._keep_snapshot()
        memory, program = self._assembly.place(last), self._assembly.build()
        self._note_lent()
        if not self._looked:
            self._look_ahead(first, last)
        self._kept.attach(memory, last)
        self._kept.begin(first, last)
        self._began = time.perf_counter()
        bar = teller(progress)
        try:
            reached = run_steps(program, memory, first, last, self._settings.threads, self._kept.logs, room, bar, halts)
        finally:
            bar.close()
            self._kept.put_back()
        self._step, self._seconds = reached.done, self._seconds + reached.seconds
        if (record_end or reached.why) and not reached.failed and reached.trouble is None:
            self._kept.record_end(self._assembly, self._step)
        return reached

    def _raise(self, reached: Reached, first: int, last: int, notes: Sequence[str], keeper: Keeper | None = None) -> None:
        """Raise the RunError of steps that ended before their time, with the results from step `first` on."""
        seconds = self._seconds if first == 0 else reached.seconds
        if reached.failed:
            raise self._call_failed(reached.failed, first, seconds, notes)
        if reached.trouble is not None:
            raise self._not_finite(reached.trouble, first, seconds, notes)
        if reached.why:
            raise self._ended(reached, first, last, notes, keeper)

    def _room_for(self, first: int, last: int) -> float:
        """How many events the run may keep. Raises UsageError for a run that would not fit in memory.

        A step that needs no new array is not worth asking the system what is free: it is asked again when half of what was free is full.
        """
        items, count = [item for item in self._items(last) if item.size], self._kept.count
        if items or last - first > 1 or count > self._look_again:
            guess = spike_guess(len(self._kept.logs), self.n, (last - first) * self.dt)
            self._room = count + refuse_what_does_not_fit(items, guess) / SPIKE_BYTES
            self._look_again = (count + self._room) / 2
        return self._room

    def _items(self, last: int) -> list[Item]:
        """What a run up to step `last` will take that is not there yet."""
        return [*self._assembly.items(last), *self._kept.items(last)]

    # ---- checkpoints

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything that the simulation is now to a file, from which `Simulation.load` goes on, bit for bit the same.

        The file takes the place of an older one in one moment: a process that is killed leaves the old one or the new one. It holds the model,
        the values that were given, the states, and what was recorded so far. Raises UsageError where it cannot be written.
        """
        if self._stopped:
            raise UsageError(f"save: {self._stopped}")
        self._assembly.place(self._step)
        self._note_lent()
        self._kept.record_end(self._assembly, self._step)
        save(self.checkpoint(), path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        backend: str | None = None,
        threads: int | None = None,
        progress: Progress = None,
        parameters: Mapping[str, object] | None = None,
    ) -> Simulation:
        """The simulation that `save` wrote, or a run with `checkpoint=` that was ended before its time; `run` and `step` go on from there.

        `backend` None is the one that it was saved under; under another one the numbers agree but for rounding. `threads` None: all.
        `parameters` are only those that no file can hold. Raises UsageError for a file that is missing, damaged, of another kind or of another
        version of dvdt.
        """
        return cls.of(load(path, "load"), backend, threads, progress, parameters, "load")

    @classmethod
    def of(
        cls,
        kept: Checkpoint,
        backend: str | None,
        threads: int | None,
        progress: Progress,
        parameters: Mapping[str, object] | None,
        called: str,
    ) -> Simulation:
        """The simulation of a checkpoint."""
        if backend is None and (why := obstacle_of(kept.settings.backend)):
            begun, here = kept.settings.backend, f"{called}(..., backend='cpu')"
            raise UsageError(
                f"{called}: the run was begun with backend={begun!r}. {here} goes on with it here. Why not so: {why}"
            )
        values, state = restored(kept, "parameters", parameters or {}), restored(kept, "state", {})
        made = cls.__new__(cls)
        chosen = anew(kept.settings, backend, threads, progress)
        tracks = [replace(each, on_device=each.on_device and chosen.backend == "cuda") for each in kept.tracks]
        made._begin(Population(kept.model, kept.n, values, state), chosen, tracks, ())
        for name, digest in kept.outside.items():
            if digest_of(made._assembly.binding.sources[name]) != digest:
                raise UsageError(
                    f"{called}: parameters[{name!r}] is another function than when the run was saved, or seen by another version of Python"
                )
        made.restore(kept, called)
        return made

    def checkpoint(self, goal: Goal | None = None, step: int | None = None, running: float = 0.0) -> Checkpoint:
        """What the simulation is now; of one that has not begun, what it will compute. What was recorded last stands in the tables already.

        `step`: that a run has reached which is going on for `running` seconds.
        """
        assembly, step = self._assembly, self._step if step is None else step
        sources = assembly.binding.sources
        return Checkpoint(
            model=self.population.model,
            n=self.n,
            parameters={name: sources[name] for name in self._given},
            state={name: sources[name] for name in self.population.state},
            outside={},
            settings=self._settings,
            scheme=assembly.compiled.scheme,
            tracks=tuple(table.track for table in self._kept.tables),
            notes=tuple(self._notes),
            arrays=assembly.written() if assembly.memory is not None else {},
            rows=self._kept.rows(step),
            events={name: log.stored() for name, log in zip(assembly.kernel.events, self._kept.logs, strict=True)},
            step=step,
            seconds=self._seconds + running,
            touched=self._kept.touched,
            goal=goal,
        )

    def restore(self, kept: Checkpoint, called: str) -> None:
        """Go on from a checkpoint of the same run. Raises UsageError where its arrays are not those of this kernel."""
        refuse_other_arrays(kept, self._assembly, called)
        refuse_what_does_not_fit(self._items(kept.step), spike_guess(0, self.n, 0.0))
        self._assembly.place(kept.step)
        self._assembly.rewrite(kept.arrays)
        try:
            with self._obstacles():
                self._kept.restore(kept.step, kept.rows, tuple(kept.events.values()))
        except (KeyError, ValueError):
            raise UsageError(f"{called}: the checkpoint is damaged: its recordings are not those that it says") from None
        self._step, self._seconds, self._kept.touched = kept.step, kept.seconds, kept.touched
        self._notes = list(kept.notes)

    def write(self, path: Path, goal: Goal, step: int) -> None:
        """Write the checkpoint of a run that is going on and has reached `step`. Raises UsageError where it cannot be written."""
        self._assembly.place(step)
        self._kept.put_back()
        self._kept.record_end(self._assembly, step)
        running = time.perf_counter() - self._began if step > self._step else 0.0
        save(self.checkpoint(goal, step, running), path, "checkpoint")

    # ---- telling

    def _result(
        self, first: int, last: int, seconds: float, notes: Sequence[str], owned: bool, missing: str = "", ended: bool = True
    ) -> Result:
        """The result of the steps `first` to `last`; with `owned` its arrays are those of the run, which is over."""
        result = told(
            self._assembly,
            self._kept.tables,
            self._kept.logs,
            Stretch(first, last, seconds, (*self._notes, *notes), missing, ended),
            owned,
        )
        if not owned:
            self._snapshot = weakref.ref(result.final_state)
        if self._assembly.lent:  # to others, who write without a word
            result.final_state.keep()
        return result

    def _ended(self, reached: Reached, first: int, last: int, notes: Sequence[str], keeper: Keeper | None = None) -> RunError:
        if keeper is not None and reached.why != "unsaved":
            keeper.keep(reached.done)
        unsaved = keeper.trouble if keeper is not None else ""
        what = {"interrupted": "interrupted", "full": "stopped, because its spikes have filled the memory,", "unsaved": "stopped"}
        told = f"{what[reached.why]} at {self._told_time(reached.done)} of {self._told_time(last)}"
        told += f", because the state could not be saved ({unsaved})" if unsaved else ""
        told += "; the results so far are in .result"
        if keeper is not None and not unsaved:
            told += f", and dvdt.resume({str(keeper.path)!r}) goes on from here"
        seconds = self._seconds if first == 0 else reached.seconds
        return RunError(told, self._result(first, reached.done, seconds, notes, owned=False))

    def _not_finite(self, trouble: NonFinite, first: int, seconds: float, notes: Sequence[str]) -> RunError:
        what, advice = described(self._assembly, trouble, self._told_time(trouble.step + 1))
        self._stopped = f"this simulation has stopped: {what}"
        result = self._result(
            first, trouble.step, seconds, [*notes, what], owned=False, missing=f"the run has no final state: {what}"
        )
        return RunError(f"{what}; {advice}; the results up to there are in .result", result)

    def _call_failed(self, what: str, first: int, seconds: float, notes: Sequence[str]) -> RunError:
        self._stopped = f"this simulation has stopped: {what}"
        missing = f"the run has no final state: {what}"
        result = self._result(first, self._step, seconds, [*notes, what], owned=False, missing=missing, ended=False)
        return RunError(f"{what}, after {self._told_time(self._step)}; the results up to there are in .result", result)

    def _told_time(self, step: int) -> str:
        return f"{step * self._settings.dt:.10g} ms"

    # ---- changing

    def _set_parameter(self, name: str, value: object) -> None:
        """See `parameters`."""
        old, given = self._assembly, {**self._given, name: value}
        binding = rebound(old.binding, name, value)
        if binding is not None and old.memory is not None:
            old.change_parameter(name, binding)
            old.observe(self._step)
        else:
            self._bind_anew(bind(self.population.model, self.n, given, self.population.state), name)
        self._assembly.show()
        self._given, self._kept.touched = given, True

    def _bind_anew(self, binding: Binding, name: str) -> None:
        """Go on with other parameters, of which `name` has changed; another structure is another kernel."""
        old = self._assembly
        if old.memory is None:
            self._assembly = assemble(binding, self._settings, old.structure.recorded)
        elif all(getattr(binding, part) == getattr(old.binding, part) for part in ("shapes", "functions", "outside")):
            old.binding = binding
            old.tables.pop(name, None)
            old.set_parameters(self._step)
            old.observe(self._step)
        else:
            self._assembly = assemble(binding, self._settings, old.structure.recorded)
            self._assembly.inherit(old, self._step)

    def _parameter(self, name: str) -> object:
        """See `parameters`."""
        return current_parameter(self._assembly.binding, self._given, name, self._settings)

    def _set_state(self, name: str, value: object) -> None:
        """See `state`."""
        self._assembly.place()
        self._keep_snapshot()
        set_state(self._assembly, name, value, self._step)
        self._assembly.show()
        self._kept.touched = True

    def _states(self) -> FinalState:
        """The states now, as views of the memory."""
        self._assembly.place()
        units = {s.name: s.unit for s in self.population.model.states}
        return FinalState(self._assembly.state_rows(), units, fetch=self._assembly.fetch)

    def _on_device(self, name: str, unit: object) -> OnDevice:
        """See `state`."""
        if name not in self.state:
            self.state[name]  # raises, with near names
        self._keep_snapshot()
        here = weakref.ref(self)
        with self._obstacles():
            return state_on_device(self._assembly, name, unit, lambda: sim._assembly if (sim := here()) else None)

    def _note_lent(self) -> None:
        """Who has been lent an array may have written it since the last step."""
        if self._assembly.lent:
            self._kept.touched = True
            self._assembly.observe(self._step)

    def _keep_snapshot(self) -> None:
        """The last result shares its final state with the memory; before that changes, it takes a copy, if it is still alive."""
        last = self._snapshot()
        if last is not None:
            last.keep()
        self._snapshot = lambda: None

    def _dtype(self, name: str) -> np.dtype[np.generic]:
        return recorded_as(self._assembly.binding.variables[name].kind, self._settings.precision)

    def _look_ahead(self, first: int, last: int) -> None:
        self._looked = True
        why = too_long(self._assembly, first, last)
        if why and why not in self._notes:  # a run that goes on from a file has been told
            self._notes.append(why)
            warn(f"{self.population.model.name}: {why}")

    def _warn(self) -> None:
        unset = unset_and_used(self._assembly.binding)
        if unset:
            name, counts = self.population.model.name, "counts" if len(unset) == 1 else "count"
            warn(f"{name}: no value is set for {', '.join(unset)}, which {counts} as 0: give it in parameters={{...}}")

    def __reduce__(self) -> tuple[object, ...]:
        raise UsageError(
            "a Simulation is neither copied nor pickled: sim.save(path) keeps it, dvdt.Simulation.load(path) makes another"
        )

    def __repr__(self) -> str:
        return f"Simulation({self.population.model.name!r}, {self.n} neurons, t = {self._told_time(self._step)})"

    def _repr_html_(self) -> str:
        return page(self.population, self._assembly, self._told_time(self._step))
