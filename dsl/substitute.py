"""Walking plain expressions: replacing symbols, finding them, writing derived quantities out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..backends.kernel import Constant, Expr, Operation, Symbol, symbols_of
from .checked import CheckedModel

__all__ = ["definitions", "is_number", "operations_of", "substitute", "symbols_of", "transform"]


def operations_of(expression: Expr) -> Iterator[Operation]:
    """Every operation in an expression, inner ones first."""
    if isinstance(expression, Operation):
        for argument in expression.arguments:
            yield from operations_of(argument)
        yield expression


def substitute(expression: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with symbols replaced by their values, once."""
    return transform(expression, lambda node: values.get(node.name, node) if isinstance(node, Symbol) else node)


def transform(expression: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with `change` applied to every node, leaves first; shared parts are visited once."""
    seen: dict[int, Expr] = {}

    def visit(node: Expr) -> Expr:
        found = seen.get(id(node))
        if found is None:
            if isinstance(node, Operation):
                arguments = tuple(visit(argument) for argument in node.arguments)
                found = change(node if _same(arguments, node.arguments) else Operation(node.name, arguments))
            else:
                found = change(node)
            seen[id(node)] = found
        return found

    return visit(expression)


def _same(new: tuple[Expr, ...], old: tuple[Expr, ...]) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def definitions(model: CheckedModel, functions: Mapping[str, Expr] | None = None) -> dict[str, Expr]:
    """Each input and derived quantity that is evaluated where it is used, and each driven parameter, fully written out."""
    found: dict[str, Expr] = {}
    for name, expression in (functions or {}).items():
        found[name] = expression
    for variable in model.formulas:
        if not variable.once_a_step and variable.name not in (functions or {}):
            found[variable.name] = substitute(variable.expression, found)
    return found


def expressions_of(model: CheckedModel) -> Iterator[Expr]:
    """Every expression of a model but the defaults of its parameters."""
    for state in model.states:
        yield state.initial
        if state.derivative is not None:
            yield state.derivative
    yield from (derived.expression for derived in model.derived)
    yield from (given.expression for given in model.inputs)
    for event in model.events:
        yield event.condition
        yield from (a.expression for a in event.block)
    yield from (a.expression for a in (*model.each_step, *model.each_step_after_reset))
    if model.refractory is not None:
        yield model.refractory.expression
    if model.output is not None:
        yield model.output.expression


def is_number(expression: Expr, value: float) -> bool:
    return isinstance(expression, Constant) and not isinstance(expression.value, bool) and expression.value == value
