"""A short run of one neuron, with a step and with half of it: where it is stable, and what the step costs in accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...backends.kernel import Draw, Kernel
from ..checked import CheckedModel
from ..errors import UsageError
from ..explanation import Trial
from ..stability import MAPS, Matrix, longest_step, stiffest, thinned
from ..structure import Structure
from ..substitute import operations_of
from ..units import from_computing
from .assembly import Assembly, assemble
from .binding import Binding, bind
from .linearised import GROWTH, at
from .settings import settings

LOOKS = 64
LONGEST, SHORTEST, OPERATIONS = 512, 16, 30_000  # steps; and operations of the reference that a person waits for
PATIENCE = 4  # how many times as many a large model may take before it is looked at in fewer steps
HALVINGS = 6  # of a step with which the run does not stay finite
STIFFEST = 6  # places whose longest step is worked out


@dataclass(frozen=True)
class Course:
    """What a run came by: states (looks, states) and Jacobians at the looks (times in ms), spikes (ms), whether it stayed finite."""

    assembly: Assembly
    times: NDArray[np.float64]
    states: NDArray[np.float64]
    jacobians: Matrix
    spikes: NDArray[np.float64]
    finite: bool


def given_structure(model: CheckedModel, method: str | None, given: Mapping[str, object]) -> tuple[CheckedModel, Structure]:
    """A model and its structure with values for one neuron, as a run of it would have them. Raises UsageError for values that do not fit."""
    if not given:
        return model, Structure(method=method)
    binding = bind(model, 1, given, {})
    shapes = tuple(binding.shapes.items())
    return binding.model, Structure(method=method, shapes=shapes, functions=binding.functions, outside=binding.outside)


def attempt(model: CheckedModel, method: str | None, dt: float, parameters: Mapping[str, object]) -> Trial:
    """A run of one neuron over at most some hundred steps of `dt` ms."""
    try:
        binding = bind(model, 1, parameters, {})
    except UsageError as missing:
        return Trial(0.0, remark=f"not tried: {missing}")
    steps = _length(_assembled(binding, method, dt), dt)
    coarse, fine = (_course(binding, method, dt / part, steps * part, min(LOOKS, steps)) for part in (1, 2))
    limit, where = _limit(_smooth_enough(fine, binding, method, dt, steps))
    duration = steps * dt
    if not coarse.finite:
        return Trial(duration, limit, where, remark=f"with dt = {dt:g} ms the run does not stay finite")
    if _draws(coarse.assembly.kernel):
        return Trial(duration, limit, where, remark="a run with dt/2 draws other numbers, so that no error is told")
    if not fine.finite:
        return Trial(duration, limit, where, remark="with dt/2 the run does not stay finite")
    counts = len(coarse.spikes), len(fine.spikes)
    shift = float(np.max(np.abs(coarse.spikes - fine.spikes), initial=0.0)) if counts[0] == counts[1] else float("nan")
    return Trial(duration, limit, where, _errors(coarse, fine), counts, shift)


def _assembled(binding: Binding, method: str | None, dt: float) -> Assembly:
    how = settings(f"{dt!r} ms", method, "reference", "float64", 1, 0, "dvdt", "grid", False)
    return assemble(binding, how, ())


def _length(assembly: Assembly, dt: float) -> int:
    body = [statement for phase in assembly.kernel.phases for statement in phase.body]
    work = sum(1 if isinstance(s, Draw) else sum(1 for _ in operations_of(s.expression)) for s in body)
    if work * LOOKS > PATIENCE * OPERATIONS:
        return SHORTEST
    return max(LOOKS, min(LONGEST, OPERATIONS // max(work, 1))) // LOOKS * LOOKS


def _course(binding: Binding, method: str | None, dt: float, steps: int, looks: int) -> Course:
    assembly = _assembled(binding, method, dt)
    memory, program, jacobian = assembly.place(steps), assembly.build(), assembly.compiled.jacobian
    edges = np.linspace(0, steps, looks + 1).astype(np.int64).tolist()

    def look(step: int) -> None:
        times.append(step * dt)
        states.append([float(row[0]) for row in assembly.state_rows().values()])
        if jacobian is not None:
            jacobians.append(at(assembly.kernel, memory, jacobian, step))

    times: list[float] = []
    states: list[list[float]] = []
    jacobians: list[Matrix] = []
    finite = True
    look(0)
    for start, stop in pairwise(edges):
        finite = finite and program.advance(memory, start, stop, 1).done == stop
        if not finite:
            break
        look(stop)
    return Course(
        assembly,
        np.array(times),
        np.array(states).reshape(len(times), -1),
        np.concatenate(jacobians) if jacobians else np.empty((0, 0, 0)),
        _spikes(assembly, dt),
        finite,
    )


def _spikes(assembly: Assembly, dt: float) -> NDArray[np.float64]:
    assert assembly.memory is not None
    steps = [
        s
        for name, pairs in zip(assembly.kernel.events, assembly.memory.spikes, strict=True)
        if name == "spike"
        for s, *_ in pairs
    ]
    return (np.concatenate([np.empty(0), *steps]) + 1) * dt


def _draws(kernel: Kernel) -> bool:
    return any(isinstance(statement, Draw) for phase in kernel.phases for statement in phase.body)


def _errors(coarse: Course, fine: Course) -> tuple[tuple[str, float, str], ...]:
    """The largest difference of each state up to the first spike, in its unit."""
    first = min([np.inf, *coarse.spikes[:1], *fine.spikes[:1]])
    quiet = coarse.times < first
    found = []
    for place, state in enumerate(coarse.assembly.binding.model.states):
        both = from_computing(np.array([coarse.states[quiet, place], fine.states[quiet, place]]), state.unit)
        found.append((state.name, float(np.max(np.abs(both[0] - both[1]))), "" if state.unit.text == "1" else state.unit.text))
    return tuple(found)


def _smooth_enough(fine: Course, binding: Binding, method: str | None, dt: float, steps: int) -> Course:
    """A run that stays finite, with steps as short as that takes."""
    for halving in range(2, HALVINGS + 1):
        if fine.finite:
            break
        fine = _course(binding, method, dt / 2**halving, steps, min(LOOKS, steps))
    return fine


def _limit(course: Course) -> tuple[float | None, str]:
    """The longest stable step along a run, and a remark where that is the end of it."""
    scheme, stack = course.assembly.compiled.scheme, course.jacobians
    stack = thinned(stack[np.isfinite(stack).all(axis=(1, 2))])
    if not len(stack) or scheme not in MAPS:
        return None, ""
    start = longest_step(stack[0], MAPS[scheme])
    limits = [
        longest_step(matrix, MAPS[scheme], GROWTH)
        for matrix in stiffest(stack, max(1, min(STIFFEST, 2000 // stack.shape[-1] ** 2)))
    ]
    if start <= min(limits):
        return start, ""
    return min(limits), f" (at the start it is stable up to {start:.4g} ms)" if np.isfinite(start) else ""
