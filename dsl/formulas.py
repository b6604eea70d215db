"""Formulas put in the place of names."""

from __future__ import annotations

from collections.abc import Mapping

from ..backends.kernel import Expr, Operation, Symbol


def substituted(expression: Expr, formulas: Mapping[str, Expr]) -> Expr:
    """The expression with every symbol that has a formula replaced by it; the formulas hold no such symbol themselves."""
    match expression:
        case Symbol(name):
            return formulas.get(name, expression)
        case Operation(name, arguments):
            new = tuple(substituted(argument, formulas) for argument in arguments)
            return expression if new == arguments else Operation(name, new)
    return expression


def written_out(formulas: Mapping[str, Expr]) -> dict[str, Expr]:
    """Formulas without one another, given in an order in which each uses only those before it."""
    result: dict[str, Expr] = {}
    for name, expression in formulas.items():
        result[name] = substituted(expression, result)
    return result
