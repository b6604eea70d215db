"""Newton's method written out for a kernel without loops: a fixed number of iterations, each left as it is once it has converged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from ..symbolic import FALSE, INFINITY, call

ITERATIONS, UPSTROKE = 8, 10  # the second where an upstroke may end in the step
TOLERANCE = sympy.Float(1e-6)  # of the last change, which the next would square; float32 reaches it, too
FLATTEST = sympy.Float(0.1)  # slope of one equation below which a step would go anywhere

Values = Mapping[str, sympy.Expr]
Equations = Callable[[Values, str], tuple[list[sympy.Expr], list[list[sympy.Expr]]]]
Stage = Callable[[str, sympy.Expr], sympy.Symbol]


@dataclass(frozen=True)
class Problem:
    """Unknowns, how large the terms of the equation of each are, bounds through which equations read them, whether all is linear."""

    unknowns: Sequence[str]
    scales: Mapping[str, sympy.Expr]
    ceilings: Mapping[str, sympy.Expr]
    linear: bool


def solve(problem: Problem, equations: Equations, stage: Stage) -> tuple[dict[str, sympy.Expr], sympy.Expr | None]:
    """The unknowns where G(y) = 0, from the old values on, and whether that was reached (None: always).

    `equations(y, mark)` gives G and its Jacobian, the names it makes marked; `stage(name, value)` names a value.
    """
    values: dict[str, sympy.Expr] = {unknown: sympy.Symbol(unknown) for unknown in problem.unknowns}
    if problem.linear:
        residuals, rows = equations(values, "solved")
        changes = _eliminated(rows, residuals, stage, "solved")
        new = {u: stage(f"{u}@next", values[u] - change) for u, change in zip(problem.unknowns, changes, strict=True)}
        return new, None
    scales = {u: stage(f"scale of {u}@newton", scale) for u, scale in problem.scales.items()}
    bracket = (-INFINITY, INFINITY)
    done: sympy.Expr = FALSE
    last = UPSTROKE if problem.ceilings else ITERATIONS
    for count in range(1, last + 1):
        mark = f"newton{count}"
        residuals, rows = equations(values, mark)
        residuals = [stage(f"residual of {u}@{mark}", r) for u, r in zip(problem.unknowns, residuals, strict=True)]
        if len(problem.unknowns) == 1:
            tried, bracket = _safeguarded(problem, values, residuals[0], rows[0][0], bracket, stage, mark)
        else:
            changes = _eliminated(rows, residuals, stage, mark)
            tried = {u: stage(f"{u} tried@{mark}", values[u] - c) for u, c in zip(problem.unknowns, changes, strict=True)}
        if count == last:  # two solutions about to meet are approached slowly, and the equations hold before the steps are small
            flat = _all(_small(r, scales[u], values[u]) for u, r in zip(problem.unknowns, residuals, strict=True))
            done = stage(f"satisfied@{mark}", call("or", done, flat))
        small = _all(_small(tried[u] - values[u], scales[u], values[u]) for u in problem.unknowns)
        values = {u: stage(f"{u}@{mark}", tried[u] if done == FALSE else call("where", done, values[u], tried[u])) for u in tried}
        done = stage(f"converged@{mark}", small if done == FALSE else call("or", done, small))
    return values, done


def _small(change: sympy.Expr, scale: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
    return call("less_equal", call("absolute", change), TOLERANCE * (scale + call("absolute", value)))


def _all(conditions: object) -> sympy.Expr:
    found = list(conditions)  # type: ignore[call-overload]
    return found[0] if len(found) == 1 else call("and", *found)


# ---- one equation ------------------------------------------------------------------------------


def _safeguarded(
    problem: Problem,
    values: Values,
    residual: sympy.Expr,
    slope: sympy.Expr,
    bracket: tuple[sympy.Expr, sympy.Expr],
    stage: Stage,
    mark: str,
) -> tuple[dict[str, sympy.Expr], tuple[sympy.Expr, sympy.Expr]]:
    """One step for one equation, which rises from minus to plus infinity: it never leaves the interval in which the sign is known to
    change, and where an upstroke leaves no solution below its bound it goes there."""
    (unknown,) = problem.unknowns
    y = values[unknown]
    slope = stage(f"slope of {unknown}@{mark}", slope)
    low = stage(f"low@{mark}", call("where", call("less", residual, sympy.Integer(0)), y, bracket[0]))
    high = stage(f"high@{mark}", call("where", call("greater", residual, sympy.Integer(0)), y, bracket[1]))
    step = y - residual / call("maximum", slope, FLATTEST)
    if unknown in problem.ceilings:
        ceiling = problem.ceilings[unknown]
        rising = call("and", call("less", slope, FLATTEST), call("less", residual, sympy.Integer(0)))
        bounded = call("and", call("less", y, ceiling), call("less", ceiling, INFINITY))
        step = call("where", call("and", rising, bounded), ceiling, step)
    step = stage(f"{unknown} aimed@{mark}", step)
    inside = call("and", call("greater_equal", step, low), call("less_equal", step, high))  # its borders, for a step of nothing
    tried = call("where", inside, step, (low + high) / 2)
    return {unknown: stage(f"{unknown} tried@{mark}", tried)}, (low, high)


# ---- several equations -------------------------------------------------------------------------


def _eliminated(rows: list[list[sympy.Expr]], right: list[sympy.Expr], stage: Stage, mark: str) -> list[sympy.Expr]:
    """The solution of a linear system by Gaussian elimination with partial pivoting: rows change places by selection."""
    size = len(right)
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    table = [[stage(f"a{r}{c}@{mark}", value) for c, value in enumerate(row)] for r, row in enumerate(table)]
    for pivot in range(size):
        for other in range(pivot + 1, size):
            _swap_if_larger(table, pivot, other, stage, mark)
        for other in range(pivot + 1, size):
            factor = stage(f"l{other}{pivot}@{mark}", table[other][pivot] / table[pivot][pivot])
            for column in range(pivot + 1, size + 1):
                value = table[other][column] - factor * table[pivot][column]
                table[other][column] = stage(f"a{other}{column} less {pivot}@{mark}", value)
    found: list[sympy.Expr] = []
    for row in reversed(range(size)):
        rest = table[row][size] - sum((table[row][row + 1 + n] * x for n, x in enumerate(found)), sympy.Integer(0))
        found.insert(0, stage(f"x{row}@{mark}", rest / table[row][row]))
    return found


def _swap_if_larger(table: list[list[sympy.Expr]], pivot: int, other: int, stage: Stage, mark: str) -> None:
    upper, lower = table[pivot], table[other]
    larger = call("greater", call("absolute", lower[pivot]), call("absolute", upper[pivot]))
    larger = stage(f"swap {pivot} {other}@{mark}", larger)
    for column in range(pivot, len(upper)):
        above, below = upper[column], lower[column]
        upper[column] = stage(f"a{pivot}{column} over {other}@{mark}", call("where", larger, below, above))
        lower[column] = stage(f"a{other}{column} under {pivot}@{mark}", call("where", larger, above, below))
