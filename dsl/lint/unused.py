"""Parameters with a value, and functions, that nothing reads; refractoriness that nothing begins."""

from __future__ import annotations

from collections.abc import Iterator

from ...grammar import nodes
from .findings import NeverRefractory, NeverUsed
from .subject import Subject


def unused(subject: Subject) -> Iterator[NeverUsed]:
    """Formulas, and what has a flag (positions, labels: `x = i*d (constant)`), may be there to be looked at, and are not told."""
    outline = subject.outline
    for parameter in subject.model.parameters:
        definition = outline.definitions.get(parameter.name)
        if (
            definition is not None
            and not definition.flags
            and parameter.name not in subject.read
            and is_value(definition.expression)
        ):
            yield NeverUsed(definition.name.span, parameter.name, "parameter")
    for name, function in outline.functions.items():
        if name not in subject.read:
            yield NeverUsed(function.name.span, name, "function")
    for name, declared in outline.callables.items():
        if name not in subject.read:
            yield NeverUsed(declared.name.span, name, "function")


def unused_refractoriness(subject: Subject) -> Iterator[NeverRefractory]:
    """A spike alone makes a neuron refractory."""
    statement = subject.outline.one(nodes.Refractory)
    if statement is not None and all(event.name != "spike" for event in subject.model.events):
        yield NeverRefractory(statement.span)


def is_value(node: nodes.Expression) -> bool:
    """Whether a definition is one number or quantity."""
    while isinstance(node, nodes.Unary):
        node = node.operand
    match node:
        case nodes.Binary(operator="*", left=left, right=nodes.Name()):
            return is_value(left)
    return isinstance(node, nodes.Number | nodes.Quantity)
