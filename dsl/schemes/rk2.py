"""The explicit midpoint rule, order 2."""

from fractions import Fraction as F

from ..step import Step, System
from .runge_kutta import Tableau, explicit, refuse_noise

MIDPOINT = Tableau(a=((F(1, 2),),), b=(F(0), F(1)), c=(F(0), F(1, 2)))


def rk2(system: System) -> Step:
    """x + dt f(x + dt/2 f(x)). Hairer, Norsett & Wanner 1993, section II.1."""
    refuse_noise(system, "rk2")
    return explicit(MIDPOINT, system)
