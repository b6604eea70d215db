"""Parameters that are read, and on whose value nothing depends: `g*(E - v)/g`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...backends.kernel import Constant, Expr, Operation, Symbol
from ...grammar import nodes
from ...grammar.source import Span
from ...grammar.walks import expressions_of as written_expressions
from ...grammar.walks import parts_of
from ..substitute import operations_of, symbols_of
from .findings import Cancels
from .subject import Subject

if TYPE_CHECKING:
    import sympy

MOST_THINGS = 12
MOST = 60  # operations of an expression that is brought to one fraction


def cancelling(subject: Subject) -> Iterator[Cancels]:
    for parameter in subject.model.parameters:
        name = parameter.name
        reading = [expression for expression in subject.expressions if name in symbols_of(expression)]
        if name in subject.read and "matrix" not in parameter.flags and all(_cancels(name, e) for e in reading):
            place = _first_place(subject, name)
            if place is not None:
                yield Cancels(subject.name_span(name), name, place)


def _cancels(name: str, expression: Expr) -> bool:
    """Whether sums, products and quotients take the name away; each function is a thing of its own."""
    import sympy

    if name not in symbols_of(expression):
        return True
    if not _is_ring(expression):
        return isinstance(expression, Operation) and all(_cancels(name, argument) for argument in expression.arguments)
    things: dict[Expr, sympy.Symbol] = {}
    symbolic = _fraction(expression, things)
    if len(things) <= MOST_THINGS and sum(1 for _ in operations_of(expression)) <= MOST:
        symbolic = sympy.cancel(sympy.together(symbolic))  # sympy takes equal terms and factors away by itself, sums only so
    left = symbolic.free_symbols
    return all(symbol not in left or (thing != Symbol(name) and _cancels(name, thing)) for thing, symbol in things.items())


def _is_ring(expression: Expr) -> bool:
    match expression:
        case Operation("power", (_, Constant(int()))):
            return True
        case Operation(name):
            return name in ("add", "subtract", "multiply", "divide", "negate")
    return False


def _fraction(expression: Expr, things: dict[Expr, sympy.Symbol]) -> sympy.Expr:
    """The sympy form, in which each function and each name is a symbol."""
    import sympy

    from ..symbolic import combined

    match expression:
        case Constant(value) if math.isfinite(value):
            return sympy.Rational(value)
        case Operation("power", (base, Constant(int() as exponent))):
            return _fraction(base, things) ** exponent
        case Operation(name, arguments) if _is_ring(expression):
            return combined(name, [_fraction(argument, things) for argument in arguments])
    return things.setdefault(expression, sympy.Symbol(f"thing{len(things)}"))


def _first_place(subject: Subject, name: str) -> Span | None:
    """The first expression in which the name is read more than once, else in which it is read."""
    found: Span | None = None
    for statement in subject.declaration.statements:
        for expression in written_expressions(statement):
            places = [part for part in parts_of(expression) if isinstance(part, nodes.Name) and part.id == name]
            if len(places) > 1:
                return expression.span
            if places and found is None:
                found = expression.span
    return found
