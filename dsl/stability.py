"""The longest step at which a scheme lets the decaying modes of linearised equations decay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]  # (..., states, states)
Map = Callable[[Matrix, float], Matrix]
Modes = NDArray[Any]  # eigenvalues (..., states), real or complex

LONGEST = 1e6  # ms; a scheme that is stable at this step is called stable at any
ROUNDING = 1e-9
LARGE = 40  # states from which the eigenvalues of every step that is tried are felt


@dataclass(frozen=True)
class Propagation:
    """What one step of a scheme makes of a small deviation: the matrix it is multiplied by, from the Jacobian and dt; or, where the modes of
    the step are those of the equations, the `factor` that a mode is multiplied by, from its eigenvalue times dt."""

    matrix: Map | None = None
    factor: Callable[[Modes], Modes] | None = None

    def sizes(self, jacobian: Matrix, modes: Modes, dt: float) -> NDArray[np.floating]:
        """By how much each mode grows in a step, where the Jacobian has the eigenvalues `modes`."""
        with np.errstate(all="ignore"):
            if self.factor is not None:
                factors = self.factor(modes * dt)
            else:
                assert self.matrix is not None
                factors = np.linalg.eigvals(self.matrix(jacobian, dt))
            sizes: NDArray[np.floating] = np.abs(factors)
        return sizes


def longest_step(jacobian: Matrix, scheme: Propagation, growth: float = ROUNDING) -> float:
    """The largest dt up to which no more modes grow from step to step, by more than `growth`, than the equations have growing ones;
    by bisection, to four digits where there are many states."""
    modes = np.linalg.eigvals(jacobian)
    quick = scheme.factor is not None or jacobian.shape[-1] < LARGE

    def stable(dt: float) -> bool:
        return bool(excess(jacobian, scheme, dt, modes) <= growth)

    steps = np.geomspace(1e-6, LONGEST, 200 if quick else 60)
    failed = next((n for n, dt in enumerate(steps) if not stable(dt)), None)
    if failed is None:
        return np.inf
    if failed == 0:
        return 0.0
    low, high = steps[failed - 1], steps[failed]
    for _ in range(40 if quick else 13):
        middle = (low + high) / 2
        low, high = (middle, high) if stable(middle) else (low, middle)
    return float(low)


def excess(jacobian: Matrix, scheme: Propagation, dt: float, modes: Modes | None = None) -> NDArray[np.floating]:
    """By how much of its size the fastest of the modes that should decay grows in a step; below 0 where all decay.

    As many modes may grow as the equations have growing ones. `modes`: the eigenvalues of the Jacobian, where they are known already.
    """
    modes = np.linalg.eigvals(jacobian) if modes is None else modes
    growing = np.sum(modes.real > 1e-12, axis=-1)
    sizes = np.sort(scheme.sizes(jacobian, modes, dt), axis=-1)[..., ::-1]
    decaying = np.concatenate([sizes, np.zeros((*sizes.shape[:-1], 1))], axis=-1)
    found: NDArray[np.floating] = np.take_along_axis(decaying, growing[..., None], axis=-1)[..., 0] - 1
    return found


def thinned(jacobians: Matrix, work: float = 2e5) -> Matrix:
    """As many of a stack, evenly chosen, as are worth working out: eigenvalues cost the third power of the number of states."""
    count = max(1, int(work / jacobians.shape[-1] ** 3))
    return jacobians[:: -(-len(jacobians) // count)] if len(jacobians) else jacobians


def stiffest(jacobians: Matrix, count: int) -> Matrix:
    """The `count` matrices (of a stack) whose decaying modes are the fastest."""
    modes = np.linalg.eigvals(jacobians)
    speed = np.max(np.where(modes.real < 0, np.abs(modes), 0), axis=-1)
    return jacobians[np.argsort(-speed)[:count]]


# ---- what one step of each scheme does to a small deviation ------------------------------------


def _series(order: int) -> Propagation:
    """An explicit scheme of as many stages as its order: the exponential series up to that order."""

    def factor(z: Modes) -> Modes:
        term = np.ones_like(z)
        total = term
        for n in range(1, order + 1):
            term = term * z / n
            total = total + term
        return total

    return Propagation(factor=factor)


def _sequential(jacobian: Matrix, dt: float) -> Matrix:
    """Each variable with the new values of those before it."""
    size = jacobian.shape[-1]
    before = np.tril(jacobian, -1)
    result: Matrix = np.linalg.solve(np.eye(size) - dt * before, np.eye(size) + dt * (jacobian - before))
    return result


def _diagonal(jacobian: Matrix) -> Matrix:
    return np.diagonal(jacobian, axis1=-2, axis2=-1)


def _phi(z: Matrix) -> Matrix:
    """(e^z - 1)/z."""
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


def _exponential(jacobian: Matrix, dt: float) -> Matrix:
    """The diagonal through phi1, the rest as it is."""
    phi = _phi(np.minimum(_diagonal(jacobian), 0) * dt)
    return np.eye(jacobian.shape[-1]) + dt * phi[..., None] * jacobian


def _exponential_midpoint(jacobian: Matrix, dt: float) -> Matrix:
    """As `_exponential` over half a step, then over the whole one with the slope of the middle."""
    unit, decay = np.eye(jacobian.shape[-1]), np.minimum(_diagonal(jacobian), 0)
    middle = _exponential(jacobian, dt / 2)
    slope = jacobian @ middle - decay[..., None] * (middle - unit)
    return unit + dt * _phi(decay * dt)[..., None] * slope


MAPS: Mapping[str, Propagation] = {
    "euler": _series(1),
    "euler_maruyama": _series(1),
    "milstein": _series(1),
    "heun_stratonovich": _series(2),
    "euler_sequential": Propagation(_sequential),
    "exponential_euler": Propagation(_exponential),
    "exponential_rk2": Propagation(_exponential_midpoint),
    "rk2": _series(2),
    "heun": _series(2),
    "rk4": _series(4),
    "backward_euler": Propagation(factor=lambda z: 1 / (1 - z)),
    "exact": Propagation(factor=np.zeros_like),  # what decays in the equations decays on the grid
}
