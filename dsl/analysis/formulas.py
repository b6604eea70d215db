"""Formulas: definitions, equations, initial values."""

from __future__ import annotations

from dataclasses import replace

from ...backends.kernel import Expr, Kind
from ...grammar import nodes
from .. import scope as places
from ..blocks import KIND_WORDS, converted
from ..dimensions import NUMBER, times
from ..folding import NotFinite, fold
from ..noise_mistakes import DrawNeedsFlag
from ..roles import has_flag
from ..scope import Role, Value, common_kind, real
from ..statement_mistakes import DerivativeOfKind
from ..suspects import Origin
from ..translation import TIME_FORM, Translation, translation_at
from ..units import DIMENSIONLESS
from ..value_mistakes import ConstantNotFinite
from .names import KINDS, enter, kind_of
from .subject import Analysis


def define(a: Analysis, name: str) -> None:
    """Translate one definition and enter its name."""
    definition = a.outline.definitions[name]
    role = a.roles.role(name)
    place = places.DEFAULT if role is Role.PARAMETER else places.INITIAL if role is Role.STATE else places.DEFINITION
    translation = translation_at(a.scope, place, 1 if role in (Role.DERIVED, Role.NOISE) else 0, name)
    value = translation.value(definition.expression)
    if name in a.unread:  # `tau = 10 msec`: what was read of it says nothing
        value = a.scope.anything(definition.expression.span)
    kind = kind_of(a, name) if role is Role.STATE else defined_kind(a, name, value)
    if role in (Role.DERIVED, Role.INPUT) and keeps_its_value(a, definition, kind, value):
        kind = Kind.REAL
    expression = kept_as(a, kind, translation, definition, value)
    entry = enter(a, name, role, kind, definition.name.span, value=value._replace(expression=expression, kind=kind))
    translation.fits(f"`{name}`", entry.form, value, origin_of(a, name, definition))
    a.values[name] = expression
    if role is Role.PARAMETER:
        a.scope.defaults[name] = expression
    if role is Role.NOISE:
        a.scope.notes.append(f"`{name}` holds white noise, so it is part of the equations and has no value of its own")
    own = a.roles.reading_of(name).changing
    if (
        "draw" in own
        and role is not Role.STATE
        and not (has_flag(definition, "constant") or has_flag(definition, "constant over dt"))
    ):
        a.scope.report(DrawNeedsFlag(definition.span, name))


def keeps_its_value(a: Analysis, definition: nodes.Definition, kind: Kind, value: Value) -> bool:
    """Whether a formula of the keyword form says `: integer` and is none: Brian2 puts it where it is read, as it is."""
    name = definition.name.id
    fits = (
        kind is Kind.REAL or value.kind is kind or value.literal is not None or (kind, value.kind) == (Kind.INTEGER, Kind.BOOLEAN)
    )
    if not a.lenient or fits or has_flag(definition, "constant over dt") or name not in a.written:
        return False
    a.scope.notes.append(f"`{name}` is declared {KIND_WORDS[kind]} and has other values; it keeps them, as in Brian2")
    a.written[name] = replace(a.written[name], unit=DIMENSIONLESS)
    a.scope.rewrites[id(definition)] = replace(definition, unit=nodes.Unit(definition.span, ()))
    return True


def defined_kind(a: Analysis, name: str, value: Value) -> Kind:
    if name in a.written:
        return KINDS.get(a.written_unit(name).text, Kind.REAL)
    return Kind.BOOLEAN if value.kind is Kind.BOOLEAN else common_kind((value,))


def derivative_of(a: Analysis, name: str, equation: nodes.Differential) -> Expr:
    entry = a.scope.entries[name]
    if entry.kind is not Kind.REAL:
        unit = equation.unit.span if equation.unit is not None else equation.name.span
        a.scope.report(DerivativeOfKind(unit, name, KIND_WORDS[entry.kind]))
    translation = translation_at(a.scope, places.EQUATION, 1, name)
    value = translation.value(equation.expression)
    wanted = NUMBER if a.scope.plain else times(entry.form, TIME_FORM, -1)
    expression, left = real(value), f"d{name}/dt"
    if equation.factor is not None:
        factor = translation.value(equation.factor)
        translation.without_noise(factor)
        wanted, left = times(wanted, factor.form), f"{equation.factor.span.text.strip()}*{left}"
        expression = divided(a, equation, expression, real(factor))
    translation.fits(left, wanted, value)
    return a.scope.shifted(expression, -3 - a.scope.time_decade) if a.scope.plain else expression


def divided(a: Analysis, equation: nodes.Differential, above: Expr, below: Expr) -> Expr:
    try:
        return fold("divide", above, below)
    except NotFinite:
        return a.scope.report(ConstantNotFinite(equation.span)).expression


def initial_of(a: Analysis, name: str, initial: nodes.Initial) -> Expr:
    entry = a.scope.entries[name]
    translation = translation_at(a.scope, places.INITIAL, 0, name)
    value = translation.value(initial.expression)
    translation.fits(f"`{name}`", entry.form, value, origin_of(a, name, initial))
    return kept_as(a, entry.kind, translation, initial, value)


def kept_as(a: Analysis, kind: Kind, translation: Translation, statement: nodes.Definition | nodes.Initial, value: Value) -> Expr:
    """A value in the kind of the name that it is for; the keyword form cuts a real number off for an integer."""
    if a.lenient and kind is Kind.INTEGER and value.kind is Kind.REAL and value.literal is None:
        span = statement.expression.span
        a.scope.rewrites[id(statement)] = replace(statement, expression=nodes.Call(span, "int", (statement.expression,), span))
    return converted(translation, f"`{statement.name.id}`", value, kind, a.lenient)


def origin_of(a: Analysis, name: str, statement: nodes.Definition | nodes.Initial) -> str | None:
    """The name, where its value or a formula says its unit."""
    if name in a.written:
        return name if a.written[name].in_value else None
    a.scope.formulas.setdefault(name, Origin(name, None, statement.expression.span, statement.span))
    return name
