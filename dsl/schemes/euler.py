"""Forward Euler, order 1; with white noise it is the Euler-Maruyama scheme."""

from fractions import Fraction as F

import sympy

from ..step import DT, Step, System
from ..symbolic import call
from .runge_kutta import Tableau, explicit

FORWARD = Tableau(a=(), b=(F(1),), c=(F(0),))


def euler(system: System) -> Step:
    """x + dt f(x) + sum of g(x) sqrt(dt) N(0, 1), noise in the sense of Ito. Kloeden & Platen 1992, section 10.2."""
    if not system.noise:
        return explicit(FORWARD, system)
    new = {}
    for state in system.states:
        kick = sum(
            (g * call("sqrt", DT) * sympy.Symbol(source) for (s, source), g in system.noise.items() if s == state),
            sympy.Integer(0),
        )
        moved = sympy.Symbol(state) + DT * system.at(system.drift[state], {}) + system.at(kick, {})
        new[state] = system.hold(state, moved)
    return Step((), new)
