"""The longest step at which a scheme lets the decaying modes of linearised equations decay."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]  # (..., states, states)
Map = Callable[[Matrix, float], Matrix]

LONGEST = 1e6  # ms; a scheme that is stable at this step is called stable at any
ROUNDING = 1e-9


def longest_step(jacobian: Matrix, advance: Map, growth: float = ROUNDING) -> float:
    """The largest dt up to which no more modes grow from step to step, by more than `growth`, than the equations have growing ones;
    by bisection."""

    def stable(dt: float) -> bool:
        return bool(excess(jacobian, advance, dt) <= growth)

    steps = np.geomspace(1e-6, LONGEST, 200)
    failed = next((n for n, dt in enumerate(steps) if not stable(dt)), None)
    if failed is None:
        return np.inf
    if failed == 0:
        return 0.0
    low, high = steps[failed - 1], steps[failed]
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if stable(middle) else (low, middle)
    return float(low)


def excess(jacobian: Matrix, advance: Map, dt: float) -> NDArray[np.floating]:
    """By how much of its size the fastest of the modes that should decay grows in a step; below 0 where all decay.

    As many modes may grow as the equations have growing ones.
    """
    growing = np.sum(np.linalg.eigvals(jacobian).real > 1e-12, axis=-1)
    sizes = np.sort(np.abs(np.linalg.eigvals(advance(jacobian, dt))), axis=-1)[..., ::-1]
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


def _series(order: int) -> Map:
    """An explicit scheme of as many stages as its order: the exponential series up to that order."""

    def advance(jacobian: Matrix, dt: float) -> Matrix:
        term: Matrix = np.eye(jacobian.shape[-1])
        total = term
        for n in range(1, order + 1):
            term = term @ (jacobian * dt) / n
            total = total + term
        return total

    return advance


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


MAPS: Mapping[str, Map] = {
    "euler": _series(1),
    "euler_maruyama": _series(1),
    "milstein": _series(1),
    "heun_stratonovich": _series(2),
    "euler_sequential": _sequential,
    "exponential_euler": _exponential,
    "exponential_rk2": _exponential_midpoint,
    "rk2": _series(2),
    "heun": _series(2),
    "rk4": _series(4),
    "backward_euler": lambda jacobian, dt: np.linalg.inv(np.eye(jacobian.shape[-1]) - dt * jacobian),
    "exact": lambda jacobian, dt: np.zeros_like(jacobian),  # what decays in the equations decays on the grid
}
