"""The longest step at which a scheme lets the decaying modes of a model decay: its equations linearised where they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from ..backends.kernel import Expr, Kind, symbols_of
from ..backends.reference import evaluate
from .checked import CheckedModel
from .discretise import Discretised
from .safe_forms import safe
from .step import System
from .substitute import definitions, operations_of, substitute
from .symbolic import from_sympy

Matrix = NDArray[np.floating]

LONGEST = 1e6  # ms; a scheme that is stable at this step is called stable at any


def stable_step(model: CheckedModel, discretised: Discretised) -> float | None:
    """The longest stable dt in ms: infinity where any is, None where it cannot be told.

    It cannot where the defaults of the model leave the slopes undefined at the start, or parameters differ between neurons.
    """
    system = discretised.system
    if system is None:
        return None
    jacobian = jacobian_at_start(model, system)
    if jacobian is None:
        return None
    return longest_step(jacobian, MAPS[discretised.scheme])


def longest_step(jacobian: Matrix, advance: Callable[[Matrix, float], Matrix]) -> float:
    """The largest dt up to which no more modes grow from step to step than the equations have growing ones; by bisection."""
    growing = int(np.sum(np.linalg.eigvals(jacobian).real > 1e-12))

    def stable(dt: float) -> bool:
        modes = np.linalg.eigvals(advance(jacobian, dt))
        return bool(np.sum(np.abs(modes) > 1 + 1e-9) <= growing)

    steps = np.geomspace(1e-6, LONGEST, 400)
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


def jacobian_at_start(model: CheckedModel, system: System) -> Matrix | None:
    """df/dx in 1/ms at the initial state, with default parameters, at t = 0, of a neuron that is not refractory."""
    values = values_at_start(model)
    symbols = [sympy.Symbol(state) for state in system.states]
    rows = []
    for state in system.states:
        entries = [safe(sympy.diff(system.drift[state], x)) for x in symbols]
        if any(entry.has(sympy.Derivative, sympy.Subs) for entry in entries) or values is None:
            return None
        kinds = {symbol.name: Kind.REAL for entry in entries for symbol in entry.free_symbols}
        if not kinds.keys() <= values.keys():
            return None
        rows.append([float(evaluate(from_sympy(entry, kinds), values)) for entry in entries])
    matrix = np.array(rows)
    return matrix if np.isfinite(matrix).all() else None


def values_at_start(model: CheckedModel) -> dict[str, Any] | None:
    """Every name at the start of a run with defaults; None where a default is drawn or differs between neurons."""
    waiting: dict[str, Expr] = {p.name: p.default for p in model.parameters if p.default is not None}
    written_out = definitions(model)
    waiting |= {state.name: substitute(state.initial, written_out) for state in model.states}
    found: dict[str, Any] = {"@t": np.float64(0), "@dt": np.float64(0.1), "@n": np.int64(1), "@is_refractory": np.bool_(False)}
    found |= {p.name: np.float64(0) for p in model.parameters if p.default is None}
    while waiting:
        ready = [name for name, expression in waiting.items() if _is_plain(expression, found)]
        if not ready:
            return None
        for name in ready:
            found[name] = evaluate(waiting.pop(name), found)
    return found


def _is_plain(expression: Expr, found: Mapping[str, object]) -> bool:
    draws = ("uniform", "normal", "exponential", "poisson")
    return symbols_of(expression) <= found.keys() and not any(o.name in draws for o in operations_of(expression))


# ---- what one step of each scheme does to a small deviation ------------------------------------


def _series(order: int) -> Callable[[Matrix, float], Matrix]:
    """An explicit scheme of as many stages as its order: the exponential series up to that order."""

    def advance(jacobian: Matrix, dt: float) -> Matrix:
        term: Matrix = np.eye(len(jacobian))
        total = term
        for n in range(1, order + 1):
            term = term @ (jacobian * dt) / n
            total = total + term
        return total

    return advance


def _sequential(jacobian: Matrix, dt: float) -> Matrix:
    """Each variable with the new values of those before it."""
    size = len(jacobian)
    before = np.tril(jacobian, -1)
    result: Matrix = np.linalg.solve(np.eye(size) - dt * before, np.eye(size) + dt * (jacobian - before))
    return result


def _phi(z: Matrix) -> Matrix:
    """(e^z - 1)/z."""
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


def _exponential(jacobian: Matrix, dt: float) -> Matrix:
    """The diagonal through phi1, the rest as it is."""
    phi = _phi(np.minimum(np.diag(jacobian), 0) * dt)
    return np.eye(len(jacobian)) + dt * phi[:, None] * jacobian


def _exponential_midpoint(jacobian: Matrix, dt: float) -> Matrix:
    """As `_exponential` over half a step, then over the whole one with the slope of the middle."""
    unit, decay = np.eye(len(jacobian)), np.minimum(np.diag(jacobian), 0)
    middle = _exponential(jacobian, dt / 2)
    slope = jacobian @ middle - decay[:, None] * (middle - unit)
    return unit + dt * _phi(decay * dt)[:, None] * slope


MAPS: Mapping[str, Callable[[Matrix, float], Matrix]] = {
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
    "backward_euler": lambda jacobian, dt: np.linalg.inv(np.eye(len(jacobian)) - dt * jacobian),
    "exact": lambda jacobian, dt: np.zeros_like(jacobian),  # what decays in the equations decays on the grid
}
