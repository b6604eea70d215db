"""Whether a neuron is refractory, and how many steps a spike leaves it so."""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from .draft import Draft
from .names import IS_REFRACTORY, REFRACTORY


def refractory_now(condition: Expr | None) -> Expr:
    """From what the last step has left: steps to go, or with a condition that it still holds."""
    if condition is not None:
        return Operation("and", (Symbol(REFRACTORY), condition))
    return Operation("greater", (Symbol(REFRACTORY), Constant(0.0)))


def is_refractory(draft: Draft) -> Expr:
    if draft.model.refractory is None:
        return Constant(False)
    return draft.now.get(IS_REFRACTORY, refractory_now(None))


def steps_left(draft: Draft, flag: Symbol, duration: Expr) -> Expr:
    """Steps to go behind this one: the whole duration for those that spiked, one less for the others."""
    one_less = Operation("maximum", (Operation("subtract", (Symbol(REFRACTORY), Constant(1.0))), Constant(0.0)))
    return Operation("where", (flag, _counted(_in_double(duration, draft.kinds), draft.brian2), one_less))


def _in_double(value: Expr, kinds: Mapping[str, Kind]) -> Expr:
    """The value in float64 also in a float32 kernel, where 44.5 steps could come out as 44.499996."""
    match value:
        case Symbol(name) if kinds[name] is Kind.REAL:
            return Operation("to_double", (value,))
        case Operation("element" | "call"):
            return Operation("to_double", (value,))
        case Operation("rows" | "columns"):
            return value
        case Operation("to_real", arguments):
            return Operation("to_double", arguments)
        case Operation(name, arguments):
            return Operation(name, tuple(_in_double(argument, kinds) for argument in arguments))
    return value


def _counted(duration: Expr, brian2: bool) -> Expr:
    """Whole steps of a duration: round(T/dt), halves up; Brian2's floor(T/dt + 1e-3), one step shorter."""
    steps = Operation("divide", (duration, Operation("to_double", (Symbol("@dt"),))))
    if brian2:
        counted = Operation("floor", (Operation("add", (steps, Constant(1e-3))),))
        return Operation("to_real", (Operation("maximum", (Operation("subtract", (counted, Constant(1.0))), Constant(0.0))),))
    # 1e-6 of a step: 0.15/0.1 is 1.4999999999999998 in float64, and is meant as a half
    return Operation("to_real", (Operation("floor", (Operation("add", (steps, Constant(0.500001))),)),))
