"""Exact integration of linear systems by a matrix exponential, computed numerically. Exact on the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy

from ..notation import text_of
from ..step import DT, REFRACTORY, TIME, Propagation, Refusal, Step, System
from ..symbolic import FALSE, TRUE, call
from .moving import moving_rows, written_out
from .runge_kutta import refuse_noise

CONTINUOUS = {TIME, sympy.Symbol("@t_next")}
SPIKING = sympy.Symbol("@not_refractory")


def exact(system: System) -> Step:
    """x' = A x + b: P x + Q b with P = exp(A dt), Q the integral of exp(A s) ds. Rotter & Diesmann 1999, Biol. Cybern. 81:381.

    Inputs b are held over the step. Where A is another while the neuron is refractory (variables that are held, whose rows are zero then, or
    factors that say so), a second pair of matrices takes the place of the first. Rows whose factors change between steps are written out.
    """
    refuse_noise(system, "exact")
    matrix, inputs = linear_parts(system)
    switched = [SPIKING in matrix[r, :].free_symbols for r in range(matrix.rows)]
    free, run = _propagate(system, _settled(matrix, True), inputs, "")
    if not system.held and not any(switched):
        return Step((), run, _working(free))
    rows = [[0 if s in system.held else matrix[r, c] for c in range(len(system.states))] for r, s in enumerate(system.states)]
    still_inputs = [sympy.Integer(0) if s in system.held else b for s, b in zip(system.states, inputs, strict=True)]
    still, wait = _propagate(system, _settled(sympy.Matrix(rows), False), still_inputs, "_held")
    flag = REFRACTORY if system.held else call("not", SPIKING)  # of a model that need not have a refractory period
    other = {s for s, differs in zip(system.states, switched, strict=True) if differs or s in system.held}
    new = {
        s: system.hold(s, run[s]) if s in system.held else _either(flag, wait[s], run[s], _reaches(matrix, system, s, other))
        for s in system.states
    }
    return Step((), new, _working(_used(free, new), _used(still, new)))


def _settled(matrix: sympy.Matrix, spiking: bool) -> sympy.Matrix:
    """The matrix of a neuron that may spike, or of one that is refractory."""
    if SPIKING not in matrix.free_symbols:
        return matrix
    number = {call("to_real", SPIKING): sympy.Integer(spiking), call("to_integer", SPIKING): sympy.Integer(spiking)}
    return matrix.applyfunc(lambda entry: entry.xreplace(number).xreplace({SPIKING: TRUE if spiking else FALSE}))


def _working(*propagations: Propagation) -> tuple[Propagation, ...]:
    return tuple(propagation for propagation in propagations if propagation.transition or propagation.input)


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


def _reaches(matrix: sympy.Matrix, system: System, state: str, others: set[str]) -> bool:
    """Whether one of the others acts on `state`, directly or through others."""
    row = system.states.index(state)
    pattern = reach(matrix)
    return any(pattern[row][c] for c, other in enumerate(system.states) if other in others)


def linear_parts(system: System) -> tuple[sympy.Matrix, list[sympy.Expr]]:
    """A and b of x' = A x + b. Raises Refusal with the term that is not linear, or whose factor changes within a step."""
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
            if factor.free_symbols & CONTINUOUS:
                told = sympy.diff(system.named.get(state, slope), x).free_symbols
                moving = sorted(s.name.removeprefix("@") for s in told if s in CONTINUOUS or s.name in system.varying)
                raise Refusal(state, f"has a factor of {x.name} that reads {', '.join(moving)}, which changes within a step")
        rest = sympy.expand(slope - sum((f * x for f, x in zip(row, symbols, strict=True)), sympy.Integer(0)))
        left = rest.free_symbols & set(symbols)
        if left:
            rest = rest.xreplace({x: sympy.Integer(0) for x in left})
        rows.append(row)
        inputs.append(rest)
    return sympy.Matrix(rows), inputs


def moving_factor(system: System) -> str | None:
    """A factor of a linear system that changes between steps, as the end of a sentence; None where all are constant in a run."""
    matrix, _ = linear_parts(system)
    for r, state in enumerate(system.states):
        for c, other in enumerate(system.states):
            names = sorted(s.name.removeprefix("@") for s in matrix[r, c].free_symbols if s.name in system.varying)
            if names:
                what = "what is read once a step" if all(name.startswith("atom") for name in names) else ", ".join(names)
                return f"d{state}/dt has a factor of {other} that reads {what}, which changes during a run"
    return None


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
    moving = moving_rows(system, matrix, pattern)
    transition: dict[tuple[int, int], str] = {}
    driven: dict[tuple[int, int], str] = {}
    new = {}
    for r, state in enumerate(system.states):
        if r in moving:
            new[state] = written_out(system, matrix, inputs, r)
            continue
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
    constant = sympy.Matrix(matrix.rows, matrix.cols, lambda r, c: 0 if r in moving else matrix[r, c])
    return Propagation(constant, DT, transition, driven), new
