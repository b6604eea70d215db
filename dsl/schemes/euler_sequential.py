"""Explicit Euler, variable after variable, each using the new values of those before it. Order 1."""

from __future__ import annotations

import sympy

from ..step import DT, Refusal, Step, System
from .runge_kutta import refuse_noise


def euler_sequential(system: System) -> Step:
    """As in the published scripts of Izhikevich 2003 and 2004; the order is `method euler_sequential(v, u)`, else that of the text."""
    refuse_noise(system, "euler_sequential")
    order = system.order or system.states
    for name in order:
        if name not in system.states:
            raise Refusal(name, "does not exist, but euler_sequential names it")
    missing = [state for state in system.states if state not in order]
    if missing:
        raise Refusal(missing[0], f"is not in the order given to euler_sequential; name all of {', '.join(system.states)}")
    stages: list[tuple[str, sympy.Expr]] = []
    values: dict[str, sympy.Expr] = {}
    for state in order:
        moved = sympy.Symbol(state) + DT * system.at(system.drift[state], values)
        stages.append((f"{state}@next", system.hold(state, moved)))
        values[state] = sympy.Symbol(f"{state}@next")
    return Step(tuple(stages), values)
