"""The solution over one step of a linear equation whose factors change between steps: written out, where no matrix is worked out once a run."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from ..step import DT, Refusal, System
from ..symbolic import call


def moving_rows(system: System, matrix: sympy.Matrix, reach: Sequence[Sequence[bool]]) -> frozenset[int]:
    """The rows of exp(A dt) that hang on an entry of A which changes during a run."""
    changing = {r for r in range(matrix.rows) if any(not system.is_constant(matrix[r, c]) for c in range(matrix.cols))}
    return frozenset(r for r in range(matrix.rows) if any(reach[r][other] for other in changing))


def written_out(system: System, matrix: sympy.Matrix, inputs: Sequence[sympy.Expr], row: int) -> sympy.Expr:
    """x' = a x + b + the sum of m_c y_c, with y_c' = a_c y_c + b_c, after a step, all factors held over it.

    The integral of exp(a (h - s)) exp(a_c s) is h exp(a h) phi((a_c - a) h), phi(z) = (e^z - 1)/z, taken with the larger rate in front, so
    that no rates are too near or too far apart. Raises Refusal where a y_c reads further variables.
    """
    a, x = matrix[row, row], sympy.Symbol(system.states[row])
    own = DT * _phi(DT * a)
    total = x * call("exp", DT * a) + inputs[row] * own
    for c, state in enumerate(system.states):
        factor, rate = matrix[row, c], matrix[c, c]
        if c == row or factor == 0:
            continue
        further = [other for k, other in enumerate(system.states) if k != c and matrix[c, k] != 0]
        if further or (inputs[c] != 0 and rate == 0):
            reads = f" reads {', '.join(further)} in turn" if further else " does not decay"
            raise Refusal(
                system.states[row],
                f"has factors that change during a run, and reads {state}, which{reads}: that has no short solution",
            )
        both = DT * call("exp", DT * call("maximum", a, rate)) * _phi(DT * (call("minimum", a, rate) - call("maximum", a, rate)))
        total += factor * (sympy.Symbol(state) * both)
        if inputs[c] != 0:
            total += factor * inputs[c] * (both - own) / rate
    return total


def _phi(z: sympy.Expr) -> sympy.Expr:
    return sympy.Integer(1) if z == 0 else call("exprel", z)
