"""The differential equations: what they read once a step, and the advance of all states from old values only."""

from __future__ import annotations

import sympy

from ...backends.kernel import Constant, Expr, Kind, Operation, Propagator
from ..checked import Derived, Input
from ..step import Propagation
from ..structure import FAILED
from ..substitute import substitute
from ..symbolic import from_sympy
from .arrange import Pace
from .draft import Draft
from .names import IS_REFRACTORY, ZEROS, reads_all
from .reading import read
from .refractoriness import is_compared, refractory_now


def step_values(draft: Draft) -> None:
    """What is read once, at the start of the step: `constant over dt`, refractoriness, samples and reductions in equations."""
    for variable in draft.model.formulas:
        if variable.once_a_step and variable.name not in draft.written_out:
            _hold_for_step(draft, variable)
    refractory = draft.model.refractory
    if refractory is not None:
        kept = read(draft, refractory.expression) if refractory.condition or is_compared(draft) else None
        draft.now[IS_REFRACTORY] = draft.assign(IS_REFRACTORY, Kind.BOOLEAN, refractory_now(draft, kept))
    for name, expression in draft.discretised.atoms.items():
        value = read(draft, expression)
        draft.now[name] = value
        draft.kinds[name] = draft.kind(value)


def _hold_for_step(draft: Draft, variable: Derived | Input) -> None:
    value = draft.assign(variable.name, variable.kind, read(draft, variable.expression))
    draft.array(variable.name, variable.kind, written=True)
    draft.now[variable.name] = value
    first = substitute(variable.expression, draft.initial_values())
    unknown = Constant(float("nan")) if variable.kind is Kind.REAL else ZEROS[variable.kind]
    draft.initial.append((variable.name, unknown if reads_all(first) else first))


def integrate(draft: Draft) -> None:
    """All differential equations advance together, from old values only."""
    step = draft.discretised.step
    for propagation in step.propagations:
        if propagation.transition or propagation.input:
            _declare_propagator(draft, propagation)
    for name, expression in step.stages:
        value = read(draft, plain(draft, expression))
        draft.kinds[name] = Kind.BOOLEAN if draft.kind(value) is Kind.BOOLEAN else Kind.REAL
        draft.now[name] = draft.assign(name, draft.kinds[name], value, free=True)
    new = {
        state: draft.assign(state, Kind.REAL, read(draft, plain(draft, value)), free=True) for state, value in step.new.items()
    }
    demand(draft)
    draft.now.update(new)
    for name, _ in step.stages:
        del draft.now[name]


def demand(draft: Draft) -> None:
    """For each condition of the scheme a guarded array, which a step in which it does not hold leaves at nan, whatever comes after."""
    for name, condition in draft.discretised.step.conditions:
        place, holds = f"{FAILED}{name}", read(draft, plain(draft, condition))
        if place not in draft.arrays:
            draft.state(place, Kind.REAL, Constant(0.0))
            draft.guards.append(place)
        kept = Operation("where", (holds, draft.now[place], Constant(float("nan"))))
        draft.now[place] = draft.assign(place, Kind.REAL, kept)


def plain(draft: Draft, expression: sympy.Expr) -> Expr:
    for symbol in expression.free_symbols:
        draft.kinds.setdefault(symbol.name, Kind.REAL)
    return from_sympy(expression, draft.kinds)


def _declare_propagator(draft: Draft, propagation: Propagation) -> None:
    transition, driven = propagation.transition, propagation.input
    entries = tuple(plain(draft, entry) for entry in propagation.system)
    per_neuron = any(draft.arranger.pace(entry) & Pace.PER_NEURON for entry in entries)
    for name in (*transition.values(), *driven.values()):
        if per_neuron:
            draft.array(name, Kind.REAL, written=False, pace=Pace.PER_NEURON)
        else:
            draft.scalar(name, Kind.REAL)
    draft.propagators.append(
        Propagator(
            size=propagation.system.rows,
            step=plain(draft, propagation.step),
            system=entries,
            transition=tuple((r, c, name) for (r, c), name in transition.items()),
            input=tuple((r, c, name) for (r, c), name in driven.items()),
            per_neuron=per_neuron,
        )
    )
