"""Heun's scheme for white noise in the sense of Stratonovich, strong order 1 for commutative noise (else 1/2); order 2 without noise."""

from __future__ import annotations

from fractions import Fraction

import sympy

from ..step import DT, Step, System
from .heun import TRAPEZOID
from .increments import kick, refuse_what_is_read_once
from .runge_kutta import explicit


def heun_stratonovich(system: System) -> Step:
    """x + dt/2 (f(x) + f(y)) + 1/2 sum_j (g_j(x) + g_j(y)) dW_j, y = x + dt f(x) + sum_j g_j(x) dW_j. Rümelin 1982, SIAM J. Numer. Anal. 19:604.

    With Brian2's conventions it is Brian2's `heun`: y leaves the drift out, and the drift is f(x) alone.
    """
    if not system.noise and not system.brian2:
        return explicit(TRAPEZOID, system)
    refuse_what_is_read_once(system, "heun_stratonovich")
    stages: list[tuple[str, sympy.Expr]] = []
    values: dict[str, sympy.Expr] = {}

    def named(state: str, what: str, value: sympy.Expr) -> sympy.Expr:
        stages.append((f"{state}@{what}", value))
        return sympy.Symbol(f"{state}@{what}")

    slopes = {state: named(state, "slope1", system.at(slope, {})) for state, slope in system.drift.items()}
    kicks = {state: system.at(kick(system, state), {}) for state in system.states}
    for state in system.states:
        drift = sympy.Integer(0) if system.brian2 else DT * slopes[state]
        values[state] = named(state, "stage2", system.hold(state, sympy.Symbol(state) + drift + kicks[state]))
    new = {}
    for state in system.states:
        later = slopes[state] if system.brian2 else system.at(system.drift[state], values, Fraction(1))
        pushed = (kicks[state] + system.at(kick(system, state), values, Fraction(1))) / 2
        moved = sympy.Symbol(state) + DT * (slopes[state] + later) / 2 + pushed
        new[state] = system.hold(state, moved)
    return Step(tuple(stages), new, calculus="Stratonovich")
