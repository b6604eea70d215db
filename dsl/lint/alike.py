"""Two sides that are one and the same: `v > v`, `(v - v)/tau`, `a if c else a`; assignments that change nothing: `w = w`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...backends.kernel import Symbol
from ...grammar import nodes
from ...grammar.printer import print_expression
from ...grammar.walks import expressions_of, parts_of
from ..functions import DRAWS
from .findings import BothSides, ChangesNothing
from .subject import Subject

EQUAL = ("==", "!=")  # `x == x` asks whether x is a number


def alike(subject: Subject) -> Iterator[BothSides]:
    for statement in subject.declaration.statements:
        for expression in expressions_of(statement):
            for part in parts_of(expression):
                for operator, one, other in _sides(part):
                    text = print_expression(one)
                    if text == print_expression(other) and _says_something(subject, one):
                        yield BothSides(part.span, operator, text)


def _sides(part: nodes.Expression) -> Iterator[tuple[str, nodes.Expression, nodes.Expression]]:
    """Pairs of sides that say nothing where they are the same, and what joins them."""
    match part:
        case nodes.Comparison(first=first, rest=rest):
            left = first
            for operator, right in rest:
                if operator not in EQUAL:
                    yield operator, left, right
                left = right
        case nodes.Binary(operator="-" | "/" as operator, left=left, right=right):
            yield operator, left, right
        case nodes.Logical(operator=operator, operands=operands):
            yield from _neighbours(operator, operands)
        case nodes.Conditional(then=then, otherwise=otherwise):
            yield "else", then, otherwise
        case nodes.Call(function="min" | "max" as function, arguments=arguments):
            yield from _neighbours(function, arguments)


def _neighbours(joint: str, parts: Sequence[nodes.Expression]) -> Iterator[tuple[str, nodes.Expression, nodes.Expression]]:
    yield from ((joint, one, other) for one, other in pairwise(parts))


def _says_something(subject: Subject, side: nodes.Expression) -> bool:
    """Whether a side reads a name, and has one value: two draws differ, and so may two calls."""
    inner = list(parts_of(side))
    draws = any(isinstance(p, nodes.Call) and (p.function in DRAWS or p.function in subject.own_functions) for p in inner)
    return not draws and any(isinstance(p, nodes.Name) and p.id in subject.outline.names for p in inner)


def changeless(subject: Subject) -> Iterator[ChangesNothing]:
    """Assignments of a state to itself, in the blocks of events and steps."""
    model, outline = subject.model, subject.outline
    blocks = [(event.block, outline.events[event.name].block) for event in model.events]
    steps = ((model.each_step, False), (model.each_step_after_reset, True))
    blocks += [(block, outline.steps[after].block) for block, after in steps if after in outline.steps]
    for checked, written in blocks:
        for assignment, line in zip(checked, written, strict=True):
            if assignment.expression == Symbol(assignment.target):
                yield ChangesNothing(line.span, assignment.target)
