"""What a scheme makes of a model, in words, formulas and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import sympy

from ..backends.kernel import Assign, Hoist, Kernel
from .checked import CheckedModel
from .discretise import Discretised, discretise
from .explanation import Explanation, Trial
from .lowering import lower
from .notation import latex_of, latex_of_name, readable, text_of
from .structure import Structure
from .substitute import operations_of
from .symbolic import to_sympy

BYTES = 8  # of a value in float64
SOLVED = "each step is solved for the values at its end, by Newton's method; where there is no solution the run stops"


def explain(
    model: CheckedModel, structure: Structure, dt: float, attempt: Callable[[], Trial] = lambda: Trial(0.0)
) -> Explanation:
    """The scheme that a structure leads to, and what it does with a step of `dt` ms; `attempt` makes the short run that it is judged by.

    Raises UsageError for a method that cannot do the model.
    """
    discretised = discretise(model, structure)
    kernel, _, _ = lower(model, structure, discretised)
    return Explanation(
        model=model.name,
        scheme=discretised.scheme,
        why=discretised.why,
        notes=(*discretised.notes, *([SOLVED] if discretised.step.conditions else [])),
        updates=tuple((readable(name), text_of(value)) for name, value in _updates(discretised)),
        latex=tuple((latex_of_name(name), latex_of(value)) for name, value in _updates(discretised)),
        hoisted=tuple(_hoisted(kernel)),
        cost=tuple(_cost(kernel)),
        reads=BYTES * len(kernel.arrays),
        writes=BYTES * sum(array.written for array in kernel.arrays),
        dt=dt,
        noise=discretised.sense,
        attempt=attempt,
    )


def _updates(discretised: Discretised) -> list[tuple[str, sympy.Expr]]:
    step = discretised.step
    bounds = [(name.removeprefix("@"), to_sympy(bound)) for name, bound in discretised.bounds.items()]
    if step.shown:
        return [*bounds, *step.shown]
    return [*bounds, *step.stages, *((f"{state}(t + dt)", value) for state, value in step.new.items())]


def _hoisted(kernel: Kernel) -> Iterator[tuple[str, str]]:
    for item in kernel.prologue:
        if isinstance(item, Hoist):
            yield item.name.removeprefix("@"), text_of(to_sympy(item.expression))
        else:
            entries = ", ".join(name.removeprefix("@") for _, _, name in (*item.transition, *item.input))
            yield entries, f"the exponential of a {item.size} by {item.size} matrix over dt"


def _cost(kernel: Kernel) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for phase in kernel.phases:
        for statement in phase.body:
            if isinstance(statement, Assign):
                counts.update(operation.name for operation in operations_of(statement.expression))
            else:
                counts[f"{statement.distribution} draw"] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
