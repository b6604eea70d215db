"""Refusing what would grow beyond all bounds."""

from __future__ import annotations

from ...grammar import nodes
from ..extent import MOST_LEVELS, MOST_TERMS, Extent, extent
from ..name_mistakes import WrittenOutTooLong
from ..scope import Role
from .subject import Analysis


def check_size(a: Analysis) -> None:
    """Refuse what would grow beyond all bounds once functions are written out, and, in initial values, definitions."""
    formulas: dict[str, tuple[tuple[str, ...], Extent]] = {}
    for name in a.roles.function_order:
        function = a.outline.functions[name]
        arguments = tuple(argument.id for argument in function.arguments)
        if name not in a.roles.broken_functions:
            formulas[name] = arguments, extent(function.expression, formulas, frozenset(arguments))
    definitions = dict(formulas)
    terms = 0
    for expression in a.expressions():
        found = extent(expression, formulas)
        terms += found.terms
        if refuse(a, expression, found, terms):
            return
    for name in a.roles.order:
        if a.roles.role(name) is Role.DERIVED:
            definitions[name] = (), extent(a.outline.definitions[name].expression, definitions)
    for initial in a.outline.initials.values():
        if refuse(a, initial.expression, extent(initial.expression, definitions), terms):
            return


def refuse(a: Analysis, expression: nodes.Expression, found: Extent, terms: int) -> bool:
    if found.too_large or terms > MOST_TERMS:
        many = max(terms, found.terms) > MOST_TERMS
        mistake = WrittenOutTooLong(expression.span, MOST_TERMS if many else None, MOST_LEVELS)
        a.scope.report(mistake)
        return True
    return False
