"""The expressions in the form of a statement, before it is known which statement it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import nodes
from .balance import balanced
from .build import Declared, Equation, Head
from .walks import depth_of


def expressions_in(form: Any) -> list[nodes.Expression]:
    match form:
        case Equation():
            return [form.left, form.right]
        case Declared():
            return [form.left]
        case Head():
            settings = [
                value
                for part in form.parts
                if isinstance(part, tuple)
                for pair in part
                if isinstance(pair, tuple)
                for value in pair
            ]
            return [part for part in (*form.parts, *settings) if isinstance(part, nodes.Expression)]
    return [form] if isinstance(form, nodes.Expression) else []


def annotated(form: Any) -> list[nodes.Expression]:
    """The expressions of a form in which no argument has a unit: all but the declaration `f(v : mV) : nS`."""
    declares = isinstance(form, Declared) and isinstance(form.left, nodes.Call)
    return list(form.left.arguments) if declares else expressions_in(form)


def too_deep(form: Any, limit: int) -> nodes.Expression | None:
    return next((expression for expression in expressions_in(form) if depth_of(expression) > limit), None)


def balanced_form(form: Any) -> Any:
    """The form with its long sums and products as shallow trees."""
    match form:
        case Equation():
            return replace(form, left=balanced(form.left), right=balanced(form.right))
        case Declared():
            return replace(form, left=balanced(form.left))
        case Head():
            return Head(form.form, tuple(balanced_form(part) for part in form.parts))
        case tuple():
            return tuple(balanced_form(part) for part in form)
    return balanced(form) if isinstance(form, nodes.Expression) else form
