"""Exact integration of linear systems by a matrix exponential, computed numerically. Exact on the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy

from ..notation import text_of
from ..step import DT, Propagation, Refusal, Step, System
from ..symbolic import call
from .runge_kutta import refuse_noise


def exact(system: System) -> Step:
    """x' = A x + b: P x + Q b with P = exp(A dt), Q the integral of exp(A s) ds. Rotter & Diesmann 1999, Biol. Cybern. 81:381.

    Inputs b are held over the step. While the neuron is refractory a second pair of matrices, with the rows of the held
    variables set to zero, takes the place of the first.
    """
    refuse_noise(system, "exact")
    matrix, inputs = linear_parts(system)
    free, run = _propagate(system, matrix, inputs, "")
    if not system.held:
        return Step((), run, (free,))
    rows = [[0 if s in system.held else matrix[r, c] for c in range(len(system.states))] for r, s in enumerate(system.states)]
    still_inputs = [sympy.Integer(0) if s in system.held else b for s, b in zip(system.states, inputs, strict=True)]
    still, wait = _propagate(system, sympy.Matrix(rows), still_inputs, "_held")
    flag = sympy.Symbol("@is_refractory")
    new = {
        s: system.hold(s, run[s]) if s in system.held else _either(flag, wait[s], run[s], _reaches(matrix, system, s))
        for s in system.states
    }
    return Step((), new, tuple(_used(propagation, new) for propagation in (free, still)))


def _used(propagation: Propagation, new: Mapping[str, sympy.Expr]) -> Propagation:
    """Only the entries that some new value reads."""
    names = {symbol.name for value in new.values() for symbol in value.free_symbols}
    return replace(
        propagation,
        transition={place: name for place, name in propagation.transition.items() if name in names},
        input={place: name for place, name in propagation.input.items() if name in names},
    )


def _either(flag: sympy.Symbol, wait: sympy.Expr, run: sympy.Expr, differs: bool) -> sympy.Expr:
    return call("where", flag, wait, run) if differs else run


def _reaches(matrix: sympy.Matrix, system: System, state: str) -> bool:
    """Whether a held variable acts on `state`, directly or through others."""
    row = system.states.index(state)
    pattern = reach(matrix)
    return any(pattern[row][c] for c, other in enumerate(system.states) if other in system.held)


def linear_parts(system: System) -> tuple[sympy.Matrix, list[sympy.Expr]]:
    """A and b of x' = A x + b. Raises Refusal with the term that is not linear, or whose factor changes during a run."""
    symbols = [sympy.Symbol(state) for state in system.states]
    rows, inputs = [], []
    for state in system.states:
        slope = system.drift[state]
        for name in sorted(symbol.name for symbol in slope.free_symbols if symbol.name in system.across):
            raise Refusal(state, f"reads {system.across[name]}(...) of all neurons, which changes within a step")
        for node in slope.atoms(sympy.Function):
            if node.free_symbols & set(symbols):  # its derivative may vanish, as that of floor(v) does
                raise Refusal(state, f"is not linear: the term {_term_of(slope, node)}")
        row = [sympy.diff(slope, x) for x in symbols]
        for x, factor in zip(symbols, row, strict=True):
            if factor.free_symbols & set(symbols) or factor.has(sympy.Derivative, sympy.Subs):
                raise Refusal(state, f"is not linear: {term_with(slope, x, symbols)}")
            if not system.is_constant(factor):
                told = sympy.diff(system.named.get(state, slope), x)
                moving = sorted(s.name.removeprefix("@") for s in told.free_symbols if s.name in system.varying)
                raise Refusal(state, f"has a factor of {x.name} that reads {', '.join(moving)}, which changes during a run")
        rest = sympy.expand(slope - sum((f * x for f, x in zip(row, symbols, strict=True)), sympy.Integer(0)))
        left = rest.free_symbols & set(symbols)
        if left:
            rest = rest.xreplace({x: sympy.Integer(0) for x in left})
        rows.append(row)
        inputs.append(rest)
    return sympy.Matrix(rows), inputs


def term_with(slope: sympy.Expr, x: sympy.Symbol, states: Iterable[sympy.Symbol]) -> str:
    """The first term of a slope that is not linear in `x`, as a person would write it."""
    for term in sympy.Add.make_args(sympy.expand(slope)):
        if sympy.diff(term, x).free_symbols & set(states):
            return f"the term {text_of(term)}"
    return f"{x.name} does not stand alone in it"


def _term_of(slope: sympy.Expr, node: sympy.Expr) -> str:
    """The term of a slope that a function stands in."""
    terms = sympy.Add.make_args(sympy.expand(slope))
    return text_of(next((term for term in terms if term.has(node)), node))


def reach(matrix: sympy.Matrix) -> list[list[bool]]:
    """Which entries of exp(A) can differ from zero: the transitive closure of A's pattern, with the diagonal."""
    size = matrix.rows
    found = [[r == c or matrix[r, c] != 0 for c in range(size)] for r in range(size)]
    for middle in range(size):
        for r in range(size):
            for c in range(size):
                found[r][c] = found[r][c] or (found[r][middle] and found[middle][c])
    return found


def _propagate(
    system: System, matrix: sympy.Matrix, inputs: list[sympy.Expr], mark: str
) -> tuple[Propagation, dict[str, sympy.Expr]]:
    pattern = reach(matrix)
    transition: dict[tuple[int, int], str] = {}
    driven: dict[tuple[int, int], str] = {}
    new = {}
    for r, state in enumerate(system.states):
        total = sympy.Integer(0)
        for c, other in enumerate(system.states):
            if not pattern[r][c]:
                continue
            transition[r, c] = f"@P{mark}{r}_{c}"
            total += sympy.Symbol(transition[r, c]) * sympy.Symbol(other)
            if inputs[c] != 0:
                driven[r, c] = f"@Q{mark}{r}_{c}"
                total += sympy.Symbol(driven[r, c]) * inputs[c]
        new[state] = total
    return Propagation(matrix, DT, transition, driven), new
