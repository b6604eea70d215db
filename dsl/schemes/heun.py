"""Heun's rule (explicit trapezoid), order 2."""

from fractions import Fraction as F

from ..step import Step, System
from .runge_kutta import Tableau, explicit, refuse_noise

TRAPEZOID = Tableau(a=((F(1),),), b=(F(1, 2), F(1, 2)), c=(F(0), F(1)))


def heun(system: System) -> Step:
    """x + dt/2 (f(x) + f(x + dt f(x))). Heun 1900."""
    refuse_noise(system, "heun")
    return explicit(TRAPEZOID, system)
