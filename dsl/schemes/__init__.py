"""Integration schemes, one a file. A new one is a file, a line of SCHEMES, and its name in `scheme_names`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..scheme_names import ALIASES
from ..step import Step, System
from .backward_euler import backward_euler
from .euler import euler
from .euler_maruyama import euler_maruyama
from .euler_sequential import euler_sequential
from .exact import exact
from .exponential_euler import exponential_euler
from .exponential_rk2 import exponential_rk2
from .heun import heun
from .heun_stratonovich import heun_stratonovich
from .milstein import milstein
from .rk2 import rk2
from .rk4 import rk4

__all__ = ["ALIASES", "SCHEMES", "Scheme"]


@dataclass(frozen=True)
class Scheme:
    """A scheme by name: `order` of convergence without noise (None: exact on the grid), whether it takes noise, its function.

    `bounded`: its right-hand sides read a state that explodes no higher than its spike level. euler_sequential is published code,
    in which one variable sees what the other has shot up to, and stays as published.
    """

    name: str
    order: int | None
    noise: bool
    step: Callable[[System], Step]
    bounded: bool = True


SCHEMES: Mapping[str, Scheme] = {
    "euler": Scheme("euler", 1, False, euler),
    "euler_sequential": Scheme("euler_sequential", 1, False, euler_sequential, bounded=False),
    "exponential_euler": Scheme("exponential_euler", 1, False, exponential_euler),
    "exponential_rk2": Scheme("exponential_rk2", 2, False, exponential_rk2),
    "rk2": Scheme("rk2", 2, False, rk2),
    "heun": Scheme("heun", 2, False, heun),
    "rk4": Scheme("rk4", 4, False, rk4),
    "backward_euler": Scheme("backward_euler", 1, False, backward_euler),
    "exact": Scheme("exact", None, False, exact),
    "euler_maruyama": Scheme("euler_maruyama", 1, True, euler_maruyama),
    "milstein": Scheme("milstein", 1, True, milstein),
    "heun_stratonovich": Scheme("heun_stratonovich", 2, True, heun_stratonovich),
}
