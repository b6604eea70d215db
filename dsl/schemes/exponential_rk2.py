"""The exponential midpoint rule with the diagonal of the Jacobian, order 2; gates relax as in exponential Euler, with rates of the midpoint."""

from __future__ import annotations

from fractions import Fraction

import sympy

from ..step import DT, Step, System
from ..symbolic import call
from .exponential_euler import decay, relaxed
from .runge_kutta import refuse_noise

HALF = Fraction(1, 2)


def exponential_rk2(system: System) -> Step:
    """m = x + dt/2 f(x) phi1(dt/2 a(x)), then x + dt phi1(dt a(m)) (f(m) - a(m) (m - x)), with a the diagonal of df/dx where negative.

    Sundnes et al. 2009, IEEE Trans. Biomed. Eng. 56:2546 (the second-order Rush-Larsen scheme), which it is where equations are linear
    in their own variable; with f(m) in the place of f(x_i, m_j) it is the exponential midpoint rule (Hochbruck & Ostermann 2010,
    Acta Numerica 19:209, eq. 2.40 with c2 = 1/2), of order 2 whatever a is, and the explicit midpoint rule where a is 0.
    """
    refuse_noise(system, "exponential_rk2")
    rates = {state: decay(system, state, "exponential_rk2") for state in system.states}
    middle = {state: sympy.Symbol(f"{state}@stage2") for state in system.states}
    stages = tuple(
        (middle[state].name, system.hold(state, relaxed(system, state, rate, DT / 2))) for state, rate in rates.items()
    )
    return Step(stages, {state: system.hold(state, _advanced(system, state, rate, middle)) for state, rate in rates.items()})


def _advanced(system: System, state: str, rate: sympy.Expr, middle: dict[str, sympy.Symbol]) -> sympy.Expr:
    x, slope = sympy.Symbol(state), system.at(system.drift[state], middle, HALF)
    if rate == 0:
        return x + DT * slope
    decays = system.at(rate, middle, HALF)
    return x + DT * (slope - decays * (middle[state] - x)) * call("exprel", DT * decays)
