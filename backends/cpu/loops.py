"""The loops over the neurons of a block that make one phase: a body with many functions is cut into several.

A processor overlaps what it has in sight, some hundred instructions. The functions of a long body wait for one another and fill
that window; in a loop of few functions the next neurons are in sight as well. Values that a later loop reads are carried in rows
of the scratch; all stores and flags stand in the last loop, so that every loop reads the arrays as the phase found them. What
is computed does not change by a bit. Draws have loops of their own ahead of these: they hang on the neuron and the step, and counts on
a mean, for which whatever it needs is made there too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..kernel import Assign, Constant, Draw, Expr, Kernel, Kind, Operation, Phase, symbols_of

TOGETHER = 4  # functions in a loop that still overlap well
WORTH = 7  # functions from which a body is cut

FUNCTIONS = frozenset(
    "power exp log log10 log2 log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh exprel sinc sigmoid"
    " exprel_decay bernoulli atan2".split()
)


@dataclass(frozen=True)
class Loop:
    """`reads` are the names it uses; `taken` are loaded from their rows, `statements` made in order, `kept` stored in their rows."""

    reads: frozenset[str]
    taken: tuple[str, ...]
    statements: tuple[Assign | Draw, ...]
    kept: tuple[str, ...]


def loops_of(kernel: Kernel, phase: Phase) -> tuple[Loop, ...]:
    """The loops of a phase but for those of the draws, in order. A coupled kernel keeps no rows for them, a phase for few neurons needs
    none: these stay whole."""
    ahead = drawn(phase)
    phase = replace(phase, body=tuple(statement for statement in phase.body if statement not in ahead))
    weights = {statement.name: functions_in(statement) for statement in phase.body}
    total = sum(weights.values())
    others = (statement for statement in phase.body if isinstance(statement, Assign) and statement.kind is not Kind.REAL)
    if kernel.coupled or phase.where is not None or total < WORTH or any(weights[statement.name] for statement in others):
        return (Loop(_reads(phase.body) | _results(phase), (), phase.body, ()),)
    places = _places(phase, weights, -(-total // TOGETHER))
    return _linked(phase, places)


def drawn(phase: Phase) -> list[Draw]:
    """The draws of a phase that are made ahead of its loops, one row each; those of few neurons are made in place."""
    return [] if phase.where is not None else [statement for statement in phase.body if isinstance(statement, Draw)]


def made_for(expression: Expr, phase: Phase) -> list[Assign]:
    """The statements of a phase that an expression needs, in order."""
    made = {statement.name: statement for statement in phase.body}
    needed: set[str] = set()
    waiting = list(symbols_of(expression))
    while waiting:
        name = waiting.pop()
        statement = made.get(name)
        if isinstance(statement, Assign) and name not in needed:
            needed.add(name)
            waiting += symbols_of(statement.expression)
    return [statement for statement in phase.body if isinstance(statement, Assign) and statement.name in needed]


def drawn_rows(kernel: Kernel) -> int:
    """How many rows the draws of a phase take, at most."""
    return max((len(drawn(phase)) for phase in kernel.phases), default=0)


def carried(kernel: Kernel) -> int:
    """How many rows the loops of a phase carry values in, at most; where neurons read one another, the row of what is passing."""
    if kernel.coupled:
        return int(any(array.passing for array in kernel.arrays))
    return max((len(rows_between(loops_of(kernel, phase))) for phase in kernel.phases), default=0)


def rows_between(loops: tuple[Loop, ...]) -> dict[str, int]:
    """The row of each carried name."""
    return {name: row for row, name in enumerate(name for loop in loops for name in loop.kept)}


def functions_in(statement: Assign | Draw) -> int:
    if isinstance(statement, Draw):
        return 2
    return _functions(statement.expression)


def _functions(expression: Expr) -> int:
    if not isinstance(expression, Operation):
        return 0
    inside = sum(_functions(argument) for argument in expression.arguments)
    whole_power = expression.name == "power" and isinstance(expression.arguments[1], Constant)
    return inside + (expression.name in FUNCTIONS and not whole_power)


def _places(phase: Phase, weights: dict[str, int], count: int) -> dict[str, int]:
    """The number of the loop of each statement: equal shares of the functions, in order; what has none goes with the one before."""
    total, done, places = sum(weights.values()), 0, {}
    for statement in phase.body:
        middle = done + weights[statement.name] / 2
        places[statement.name] = min(int(middle * count / total), count - 1)
        done += weights[statement.name]
    return places


def _linked(phase: Phase, places: dict[str, int]) -> tuple[Loop, ...]:
    """Each loop with what it takes from earlier ones; conditions and whole numbers, which have no functions, are made again."""
    made = {statement.name: statement for statement in phase.body}
    last = max(places.values())
    results = _results(phase)
    needs: list[dict[str, None]] = []
    for number in range(last + 1):
        roots = [name for name, place in places.items() if place == number]
        roots += [name for name in sorted(results) if name in made] if number == last else []
        needs.append(_needs(roots, made, places, number))
    loops = []
    for number, here in enumerate(needs):
        taken = [name for name in made if name in here and _carried(made[name]) and places[name] < number]
        statements = [made[name] for name in made if name in here and name not in taken]
        later = {name for after in needs[number + 1 :] for name in after}
        kept = [name for name in made if places[name] == number and name in later and _carried(made[name])]
        reads = _reads(statements) | (results if number == last else frozenset())
        loops.append(Loop(reads, tuple(taken), tuple(statements), tuple(kept)))
    return tuple(loops)


def _needs(roots: list[str], made: dict[str, Assign | Draw], places: dict[str, int], number: int) -> dict[str, None]:
    """The names that a loop takes or makes, so that its roots are there."""
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        statement = made[name]
        if _carried(statement) and places[name] < number:
            continue
        waiting += [read for read in sorted(_reads((statement,))) if read in made]
    return found


def _reads(statements: Iterable[Assign | Draw]) -> frozenset[str]:
    expressions = [s.mean if isinstance(s, Draw) else s.expression for s in statements]
    return frozenset(name for expression in expressions if expression is not None for name in symbols_of(expression))


def _results(phase: Phase) -> frozenset[str]:
    return frozenset(store.name for store in phase.stores) | {emit.flag for emit in phase.emits}


def _carried(statement: Assign | Draw) -> bool:
    return isinstance(statement, Draw) or statement.kind is Kind.REAL
