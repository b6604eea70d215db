"""Refusing what would grow beyond all bounds."""

from __future__ import annotations

from ...grammar import nodes
from ...grammar.walks import parts_of
from ..extent import LONGEST, MOST_LEVELS, MOST_TERMS, Extent, Formulas, extent
from ..name_mistakes import WrittenOutTooLong
from ..scope import Role
from .subject import Analysis


def check_size(a: Analysis) -> None:
    """Refuse what would grow beyond all bounds once functions and definitions are written out: a quantity that uses another twice
    is twice as long, and sixty such in a row would fill any memory."""
    functions = functions_of(a)
    formulas = {**functions, **definitions_of(a, functions)}
    terms = 0
    for expression in a.expressions():
        terms += extent(expression, functions).terms
        found = extent(expression, formulas)
        if terms > MOST_TERMS or found.too_large:
            a.scope.report(too_long(expression, found, terms, formulas))
            return


def too_long(expression: nodes.Expression, found: Extent, terms: int, formulas: Formulas) -> WrittenOutTooLong:
    """What is too much in an expression up to which the model has `terms` terms."""
    most, what = (LONGEST, "terms") if found.terms > LONGEST else (MOST_LEVELS, "levels")
    if not found.too_large:
        most, what = MOST_TERMS, "terms"
    used = [part.id if isinstance(part, nodes.Name) else getattr(part, "function", "") for part in parts_of(expression)]
    longest = max((name for name in used if name in formulas), key=lambda name: formulas[name][1].terms, default="")
    return WrittenOutTooLong(expression.span, most, what, not found.too_large, longest)


def functions_of(a: Analysis) -> Formulas:
    """Of the functions, in which the definitions that they read are left open."""
    formulas: dict[str, tuple[tuple[str, ...], Extent]] = {}
    for name in a.roles.function_order:
        function = a.outline.functions[name]
        arguments = tuple(argument.id for argument in function.arguments)
        if name not in a.roles.broken_functions:
            formulas[name] = arguments, extent(function.expression, formulas, frozenset((*arguments, *a.outline.definitions)))
    return formulas


def definitions_of(a: Analysis, functions: Formulas) -> Formulas:
    """Of what is evaluated where it is used. Parameters are not: each is worked out once."""
    formulas = dict(functions)
    for name in a.roles.order:
        if a.roles.role(name) in (Role.DERIVED, Role.INPUT, Role.NOISE):
            formulas[name] = (), extent(a.outline.definitions[name].expression, formulas)
    return formulas
