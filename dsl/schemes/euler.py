"""Forward Euler, order 1."""

from fractions import Fraction as F

from ..step import Step, System
from .runge_kutta import Tableau, explicit, refuse_noise

FORWARD = Tableau(a=(), b=(F(1),), c=(F(0),))


def euler(system: System) -> Step:
    """x + dt f(x). Where there is white noise `euler` means `euler_maruyama`."""
    refuse_noise(system, "euler")
    return explicit(FORWARD, system)
