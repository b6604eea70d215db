"""Plain numbers under the name of a quantity, in a text with units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...grammar import nodes
from ...grammar.walks import expressions_of, parts_of
from ..units import TIME, VOLTAGE, Dimension, unit_of_symbol, usual_unit, written_with
from .findings import BareNumber
from .subject import Subject

NAMES: Mapping[re.Pattern[str], tuple[Dimension, str]] = {
    re.compile(r"tau\w*|τ\w*|t_ref\w*|tref"): (TIME, "a time"),
    re.compile(r"[VE]_(L|T|r|K|Na|e|i|ex|in|th|rest|reset|leak|rev|peak)|[vE]_?(rest|reset|th|thresh|leak|rev)"): (
        VOLTAGE,
        "a voltage",
    ),
}


def bare_numbers(subject: Subject) -> Iterator[BareNumber]:
    """A number beside which a unit is written wherever it is read (`v/tau/ms`) is meant as one; so is one behind which `: 1` stands."""
    if subject.model.plain or not any(state.unit.dimension == VOLTAGE for state in subject.model.states):
        return
    for parameter in subject.model.parameters:
        definition = subject.outline.definitions.get(parameter.name)
        if definition is None or definition.unit is not None or not _is_number(definition.expression):
            continue
        for pattern, (dimension, quantity) in NAMES.items():
            if pattern.fullmatch(parameter.name) and not _has_unit_beside(subject, parameter.name):
                meant = written_with(definition.expression.span.text, usual_unit(dimension))
                yield BareNumber(definition.expression.span, parameter.name, quantity, f"{parameter.name} = {meant}")


def _is_number(node: nodes.Expression) -> bool:
    while isinstance(node, nodes.Unary):
        node = node.operand
    return isinstance(node, nodes.Number) and node.value != 0


def _has_unit_beside(subject: Subject, name: str) -> bool:
    """Whether a product in which the name stands also holds a unit or a quantity."""
    for statement in subject.declaration.statements:
        for expression in expressions_of(statement):
            for part in parts_of(expression):
                if isinstance(part, nodes.Binary) and part.operator in "*/":
                    factors = [p for p in parts_of(part) if isinstance(p, nodes.Name | nodes.Quantity)]
                    names = {p.id for p in factors if isinstance(p, nodes.Name)}
                    if name in names and any(_is_unit(p, subject) for p in factors):
                        return True
    return False


def _is_unit(part: nodes.Expression, subject: Subject) -> bool:
    if isinstance(part, nodes.Quantity):
        return True
    return isinstance(part, nodes.Name) and part.id not in subject.outline.names and unit_of_symbol(part.id) is not None
