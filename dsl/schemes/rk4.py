"""The classical Runge-Kutta scheme, order 4."""

from fractions import Fraction as F

from ..step import Step, System
from .runge_kutta import Tableau, explicit, refuse_noise

CLASSICAL = Tableau(
    a=((F(1, 2),), (F(0), F(1, 2)), (F(0), F(0), F(1))),
    b=(F(1, 6), F(1, 3), F(1, 3), F(1, 6)),
    c=(F(0), F(1, 2), F(1, 2), F(1)),
)


def rk4(system: System) -> Step:
    """Kutta 1901."""
    refuse_noise(system, "rk4")
    return explicit(CLASSICAL, system)
