"""Whether a neuron is refractory, and how many steps a spike leaves it so."""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..substitute import operations_of, substitute, symbols_of
from .draft import Draft
from .names import DRAWS, IS_REFRACTORY, REFRACTORY, SINCE


def refractory_now(draft: Draft, kept: Expr | None) -> Expr:
    """At the start of a step: what `kept` says, the condition or the duration as it is now, of what the last step has left."""
    if is_compared(draft):
        assert kept is not None
        some = Operation("greater", (Symbol(SINCE), Constant(0.0)))
        return Operation("and", (some, Operation("less_equal", (Symbol(SINCE), steps_of(draft, kept)))))
    return left_refractory(draft) if kept is None else Operation("and", (Symbol(REFRACTORY), kept))


def left_refractory(draft: Draft) -> Expr:
    """Whether the last step has left a neuron refractory: a flag, or steps to go."""
    if draft.kinds[REFRACTORY] is Kind.BOOLEAN:
        return Symbol(REFRACTORY)
    return Operation("greater", (Symbol(REFRACTORY), Constant(0.0)))


def is_compared(draft: Draft) -> bool:
    """Whether the steps since the spike are compared with the duration in each step anew, as Brian2 does: where it may have changed."""
    refractory = draft.model.refractory
    if refractory is None or refractory.condition or not draft.brian2:
        return False
    duration = substitute(refractory.expression, draft.written_out)
    fixed = {p.name for p in draft.model.parameters} - draft.driven.keys() | {"@dt", "@n", "@i"}
    return not symbols_of(duration) <= fixed or any(node.name in DRAWS for node in operations_of(duration))


def is_refractory(draft: Draft) -> Expr:
    if draft.model.refractory is None:
        return Constant(False)
    return draft.now[IS_REFRACTORY] if IS_REFRACTORY in draft.now else left_refractory(draft)


def steps_left(draft: Draft, flag: Symbol, duration: Expr) -> Expr:
    """Steps to go behind this one: the whole duration for those that spiked, one less for the others."""
    one_less = Operation("maximum", (Operation("subtract", (Symbol(REFRACTORY), Constant(1.0))), Constant(0.0)))
    return Operation("where", (flag, steps_of(draft, duration), one_less))


def steps_since(flag: Symbol) -> Expr:
    """Steps from the spike to the next step; 0 before the first spike."""
    some = Operation("greater", (Symbol(SINCE), Constant(0.0)))
    one_more = Operation("where", (some, Operation("add", (Symbol(SINCE), Constant(1.0))), Constant(0.0)))
    return Operation("where", (flag, Constant(1.0), one_more))


def steps_of(draft: Draft, duration: Expr) -> Expr:
    """How many steps behind that of a spike a duration takes."""
    return _counted(_in_double(duration, draft.kinds), draft.brian2)


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
