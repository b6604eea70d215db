"""Numbers of the draws: given by name and place, so that the order of lines in a text does not change a run."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from ..backends.kernel import Constant, Expr, Operation, Symbol
from .checked import CheckedModel, Variable

M = TypeVar("M")
NUMBERED = frozenset({"uniform", "normal", "exponential", "poisson", "one_of"})


def numbered(model: CheckedModel) -> CheckedModel:
    """The model with its draws numbered anew, variables in the order of their names, then events and blocks."""
    numbers: dict[int, int] = {}
    variables = sorted((*model.parameters, *model.inputs, *model.derived, *model.states), key=lambda v: v.name)
    events = sorted(model.events, key=lambda event: event.name)
    rest = (model.refractory, model.each_step, model.each_step_after_reset, model.output, model.surrogate)
    for part in (*variables, *events, *rest):
        collect(part, numbers)
    return renumber(model, numbers) if numbers else model


def collect(part: object, numbers: dict[int, int]) -> None:
    """Give the next number to every draw in a part of the model that has none yet."""
    if isinstance(part, Operation):
        if part.name in NUMBERED and isinstance(part.arguments[0], Constant):
            numbers.setdefault(int(part.arguments[0].value), len(numbers))
        for argument in part.arguments:
            collect(argument, numbers)
    elif isinstance(part, tuple):
        for item in part:
            collect(item, numbers)
    elif is_dataclass(part) and not isinstance(part, (Constant, Symbol)):
        for field in fields(part):
            if field.name != "unit":
                collect(getattr(part, field.name), numbers)


def renumber(part: M, numbers: dict[int, int]) -> M:
    """The part with the new numbers."""
    if isinstance(part, Operation):
        return renumbered_operation(part, numbers)  # type: ignore[return-value]
    if isinstance(part, tuple):
        return tuple(renumber(item, numbers) for item in part)  # type: ignore[return-value]
    if isinstance(part, (CheckedModel, Variable)) or type(part).__module__ == CheckedModel.__module__:
        kept = ("unit", "declaration", "text", "flags")
        changed = {f.name: renumber(getattr(part, f.name), numbers) for f in fields(part) if f.name not in kept}  # type: ignore[arg-type]
        return replace(part, **changed)  # type: ignore[type-var]
    return part


def renumbered_operation(operation: Operation, numbers: dict[int, int]) -> Expr:
    arguments = tuple(renumber(argument, numbers) for argument in operation.arguments)
    if operation.name in NUMBERED and isinstance(arguments[0], Constant):
        arguments = (Constant(numbers[int(arguments[0].value)]), *arguments[1:])
    return Operation(operation.name, arguments)
