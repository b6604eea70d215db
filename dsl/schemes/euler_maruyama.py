"""Euler-Maruyama for white noise in the sense of Ito. Strong order 1/2 (1 where the noise is additive), weak order 1."""

from __future__ import annotations

import sympy

from ..step import DT, Step, System
from .increments import kick


def euler_maruyama(system: System) -> Step:
    """x + dt f(x) + sum over j of g_j(x) dW_j, dW_j = sqrt(dt) N(0, 1). Maruyama 1955; Kloeden & Platen 1992, section 10.2.

    Without noise it is forward Euler.
    """
    new = {}
    for state, slope in system.drift.items():
        moved = sympy.Symbol(state) + DT * system.at(slope, {}) + system.at(kick(system, state), {})
        new[state] = system.hold(state, moved)
    return Step((), new, calculus="Ito")
