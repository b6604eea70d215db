"""simulate and resume: a population or a model, run for a time in one call, also one that a process has begun and another ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError
from ..paths import path_of
from .checkpoint import Goal, load, refuse_another_run
from .duration import time_in_ms, whole_steps
from .keeper import Keeper
from .result import Result
from .settings import Progress
from .simulation import Simulation


def simulate(
    what: object,
    duration: object,
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
    checkpoint: str | os.PathLike[str] | None = None,
    every: object = None,
    exact_math: bool = False,
    spikes: bool = True,
) -> Result:
    """Run a population, or `n` neurons of a model, for a time.

    what        a Population, or a Model, the name of one, or a text, with `n` (1), `parameters` and `state` as a Population takes them
    duration    "1 s", or a quantity object; rounded to whole steps of `dt`, with a note in the report
    dt          the step; None: what the model recommends, or else 0.1 ms
    record      names of states, parameters, derived quantities, inputs and "output", or a mapping from names to
                dvdt.record(every=, neurons=)
    method      an integration scheme; None: what the model recommends, or else a choice that the report explains
    backend     "cpu", "cuda" or "reference" (slow, for comparison); dvdt.backends() tells what this machine can run
    precision   "float64" or "float32"; None: "float64", on "cuda" "float32"
    threads     of the CPU; None: all
    seed        of all draws; None: a fresh one, which the report tells
    conventions "dvdt", "brian2" or "nest": stamps of spikes, rows of recordings, counting of refractory periods
    spike_times "grid": spikes at the ends of steps. "exact": at the moment when the condition becomes true, found on the solution between
                the points of the grid; the reset happens then, the rest of the step is made from there, and the refractory period
                ends when it ends. Spike times are then as good as the scheme. At most one spike a neuron and step. Refused for
                white noise, draws in the condition, `each step` blocks, values of all neurons, and conventions="brian2"
    progress    None: a bar on a terminal and in a notebook; True, False, or a callable(fraction, elapsed seconds)
    checkpoint  a file that holds the state of the run, written `every` so much simulated time ("10 s"; None: about once a minute of
                waiting), on Ctrl-C and at the end. Where the file is there already and of this very run, the run goes on from it
    exact_math  on "cuda": functions and rounding of the CPU, so that float64 states are the CPU's bit for bit; slower
    spikes      False: neither spikes nor other events are collected, which takes memory and time from a large or long run. They still
                happen; the result raises a UsageError where they are asked for

    Raises ModelError for mistakes in a text, UsageError for an argument that does not fit, a run that would not fit in memory or a
    checkpoint of another run, RunError, with the results so far, where a state stops being finite, on Ctrl-C, and where a checkpoint
    cannot be written.
    """
    if checkpoint is None and every is not None:
        raise UsageError("every: says how often a checkpoint is written; give the file too, checkpoint='run.ckpt'")
    kept = None
    if checkpoint is not None and os.path.lexists(path_of(checkpoint, "checkpoint")):
        kept = load(checkpoint, "checkpoint")
    if kept is not None:  # what the call leaves open is as it was
        seed = kept.settings.seed if seed is None else seed
        precision = kept.settings.precision.name if precision is None else precision
    simulation = Simulation(
        what,
        dt,
        record,
        method,
        backend,
        precision,
        threads,
        seed,
        conventions,
        spike_times,
        progress,
        n,
        parameters,
        state,
        exact_math,
        spikes,
    )
    if checkpoint is None:
        return simulation.finish(duration)
    last, notes = simulation.steps_of(duration)
    goal = Goal(last, _interval(every, simulation.dt * 1000, notes))
    if kept is not None:
        refuse_another_run(kept, simulation.checkpoint(), checkpoint)
        if kept.step > last:
            reached = f"{kept.step * simulation.dt:.10g} s"
            raise UsageError(f"duration: {checkpoint} has reached {reached} already, more than {duration}: ask for a longer run")
        simulation.restore(kept, "checkpoint")
        notes.append(_gone_on(simulation, checkpoint))
    return _kept(simulation, goal, Path(checkpoint), notes, begin=kept is None)


def resume(
    checkpoint: str | os.PathLike[str],
    backend: str | None = None,
    threads: int | None = None,
    progress: Progress = None,
    parameters: Mapping[str, object] | None = None,
) -> Result:
    """Go on with a run that `simulate(..., checkpoint=...)` has begun, to the end that it was to have; the result is that of the whole.

    The file is written on as before. `backend` None is the one that the run was begun with; `parameters` are only those that no file can
    hold. Raises UsageError for a file that is missing, damaged, of another version, or no checkpoint of such a run, else as `simulate`.
    """
    kept = load(checkpoint, "resume")
    if kept.goal is None:
        raise UsageError(
            f"resume: {checkpoint} was saved by sim.save and has no end to run to; dvdt.Simulation.load({str(checkpoint)!r}) goes on from it"
        )
    simulation = Simulation.of(kept, backend, threads, progress, parameters, "resume")
    return _kept(simulation, kept.goal, Path(checkpoint), [_gone_on(simulation, checkpoint)], begin=False)


def _kept(simulation: Simulation, goal: Goal, path: Path, notes: list[str], begin: bool) -> Result:
    """Run to the goal, with checkpoints. A new file is written before the first step: what keeps it from being written shows at once."""
    keeper = Keeper(path, goal, simulation.write)
    if begin:
        simulation.write(path, goal, 0)
    return simulation.finish_at(goal.last, notes, keeper)


def _gone_on(simulation: Simulation, path: object) -> str:
    return f"gone on from {path} at {simulation.t:.10g} s"


def _interval(every: object, dt: float, notes: list[str]) -> int | None:
    """Every how many steps a checkpoint is written."""
    if every is None:
        return None
    time = time_in_ms(every, "every")
    steps, note = whole_steps(time, dt, "every")
    if steps < 1:
        raise UsageError(f"every: {every} is shorter than a step of {dt:g} ms")
    notes += [note] if note else []
    return steps
