"""The Jacobian of the equations as plain expressions, which a run can evaluate without sympy."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from ..backends.kernel import Expr, Kind
from .safe_forms import safe
from .step import System
from .structure import Jacobian
from .substitute import operations_of, substitute
from .symbolic import from_sympy


def jacobian_of(system: System, bounds: Mapping[str, Expr]) -> Jacobian | None:
    """df/dx where it is not 0; None where a derivative is not known, or calls somebody's function."""
    entries = []
    for row, state in enumerate(system.states):
        read = system.drift[state].free_symbols
        for column, other in enumerate(system.states):
            if sympy.Symbol(other) not in read:
                continue
            slope = system.at(safe(sympy.diff(system.drift[state], sympy.Symbol(other))), {})
            if slope.has(sympy.Derivative, sympy.Subs):
                return None
            if slope != 0:
                kinds = {symbol.name: Kind.REAL for symbol in slope.free_symbols}
                entry = substitute(from_sympy(slope, kinds), bounds)
                if any(operation.name == "call" for operation in operations_of(entry)):
                    return None
                entries.append((row, column, entry))
    return Jacobian(system.states, tuple(entries))
