"""The scheme that Brian2 takes where nobody names one: the first of exact, euler and heun that can do the equations."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from . import noise
from .schemes.exact import CONTINUOUS, linear_parts, reach
from .step import System

LARGEST = 6  # equations that hang together and whose determinant is worked out


def brian2_default(system: System, refusal: str | None) -> tuple[str, str]:
    """The scheme and why; `refusal` is what stands in the way of `exact` here.

    Brian2's `exact` also leaves alone what changes within a step, and equations without a point of rest (a timer, `dx/dt = 1`), after its
    `brian2.stateupdaters.exact`, version 2.9.
    """
    if system.noise:
        return noise.brian2_automatic(system)
    if refusal is not None:
        return "euler", "Brian2's default for equations that are not linear"
    matrix, inputs = linear_parts(system)
    names = {symbol.name for entry in (*matrix, *inputs) for symbol in entry.free_symbols}
    if names & ({symbol.name for symbol in CONTINUOUS} | system.unsteady):
        return "euler", "Brian2's default for equations that change within a step"
    if any(sympy.expand(block.det(method="berkowitz")) == 0 for block in _blocks(matrix) if block.rows <= LARGEST):
        return "euler", "Brian2's default for linear equations without a single point of rest"
    return "exact", "Brian2's default for linear equations"


def _blocks(matrix: sympy.Matrix) -> Iterator[sympy.Matrix]:
    """The square parts on the diagonal of equations that act on one another; their determinants multiply to that of the whole."""
    pattern, left = reach(matrix), list(range(matrix.rows))
    while left:
        together = [c for c in left if pattern[left[0]][c] and pattern[c][left[0]]]
        yield matrix.extract(together, together)
        left = [c for c in left if c not in together]
