"""Every name of a model with its unit, its kind and its role."""

from __future__ import annotations

from dataclasses import replace

from ...backends.kernel import Kind
from ...grammar import nodes
from ...grammar.source import Span
from ..dimensions import NUMBER, Form, unknown
from ..outline import Outline
from ..scope import UNREADABLE, Entry, Role, Value
from ..suspects import Origin
from ..unit_mistakes import NotATimeUnit, UnitInPlainText, UnknownUnit
from ..units import DIMENSIONLESS, TIME, Unit, unit_of, unit_of_symbol
from .subject import Analysis

KINDS = {"integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}


def read_time_unit(a: Analysis) -> None:
    statement = a.outline.one(nodes.TimeIn)
    if statement is None:
        return
    a.scope.plain = statement
    unit = unit_of(statement.unit)
    if isinstance(unit, nodes.UnitFactor):
        unknown_unit(a, unit)
    elif unit.dimension != TIME:
        a.scope.report(NotATimeUnit(statement.unit.span, unit.dimension))
    else:
        a.scope.time_decade = unit.decade


def unknown_unit(a: Analysis, factor: nodes.UnitFactor) -> None:
    near = a.scope.near_units(factor.symbol, tuple(KINDS))
    a.scope.report(UnknownUnit(factor.span, factor.symbol, near))


def declare(a: Analysis) -> None:
    """Enter every name but the formulas; those follow in the order in which they use one another."""
    for name, span in a.outline.names.items():
        read_unit(a, name)
        if name in a.roles.in_circles:
            continue
        role = a.roles.role(name)
        if name not in a.outline.definitions or role is Role.STATE:
            entry = enter(a, name, role, kind_of(a, name), span)
            if role is Role.EXTERNAL:
                a.scope.entries[name] = with_arguments(a, entry, a.outline.callables[name])


def enter(a: Analysis, name: str, role: Role, kind: Kind, span: Span, value: Value | None = None) -> Entry:
    flags = frozenset(flag.text for s in a.statements_of(name) for flag in getattr(s, "flags", ()))
    changing = a.roles.changing(name)
    entry = Entry(name, role, kind, form_of(a, name), span, flags, changing, value)
    a.scope.entries[name] = entry
    return entry


def with_arguments(a: Analysis, entry: Entry, declaration: nodes.CallableDeclaration) -> Entry:
    """A function from outside with its arguments; one without a unit takes a plain number."""
    names = tuple(argument.id for argument in declaration.arguments)
    written = declaration.units or (None,) * len(names)
    takes = () if declaration.of_time else tuple(argument_unit(a, unit) for unit in written)
    return replace(entry, arguments=names, takes=takes)


def argument_unit(a: Analysis, written: nodes.Unit | None) -> Unit:
    unit = DIMENSIONLESS if written is None else unit_of(written)
    if isinstance(unit, nodes.UnitFactor):
        unknown_unit(a, unit)
        return replace(DIMENSIONLESS, text=UNREADABLE)
    if a.scope.plain is not None and written is not None and not unit.dimension.is_one and unit.dimension != TIME:
        a.scope.report(UnitInPlainText(written.span, a.scope.plain.span))
    return unit


def read_unit(a: Analysis, name: str) -> None:
    """The unit that is written for a name: after its statement, or by its value or initial value (`C = 281 pF`)."""
    for statement in a.statements_of(name):
        unit = getattr(statement, "unit", None)
        if unit is not None and name not in a.written:
            take_unit(a, name, unit, statement)
    if name not in a.written and a.scope.plain is None:
        for table in (a.outline.definitions, a.outline.initials):
            found = quantity_unit(table[name].expression, a.outline) if name in table else None
            if found is not None:
                a.written[name] = Origin(name, *found, table[name].span, in_value=True)


def take_unit(a: Analysis, name: str, unit: nodes.Unit, statement: nodes.Statement) -> None:
    found = unit_of(unit)
    if isinstance(found, nodes.UnitFactor):
        unknown_unit(a, found)
        a.scope.broken_names.add(f"unit of {name}")
    elif a.scope.plain is not None and not found.dimension.is_one:
        if found.dimension != TIME:
            a.scope.report(UnitInPlainText(unit.span, a.scope.plain.span))
    else:
        a.written[name] = Origin(name, found, unit.span, statement.span)


def form_of(a: Analysis, name: str) -> Form:
    if a.scope.plain is not None:
        return NUMBER
    if f"unit of {name}" in a.scope.broken_names:
        return unknown(f"?{name}")
    return unknown(name)


def kind_of(a: Analysis, name: str) -> Kind:
    """What is written (`: integer`), or what the initial value is; a real number otherwise."""
    if name in a.written and a.written_unit(name).text in KINDS:
        return KINDS[a.written_unit(name).text]
    start = a.outline.initials.get(name) or a.outline.definitions.get(name)
    if start is not None and name not in a.written and name not in a.outline.differentials:
        return Kind.BOOLEAN if looks_boolean(start.expression) else Kind.REAL
    return Kind.REAL


def looks_boolean(node: nodes.Expression) -> bool:
    """Whether an initial value is a truth value, by its form."""
    match node:
        case nodes.Comparison() | nodes.Logical() | nodes.Unary(operator="not"):
            return True
        case nodes.Name(id=name):
            return name in ("True", "False")
    return False


def quantity_unit(node: nodes.Expression, outline: Outline) -> tuple[Unit, Span] | None:
    """The unit of a value that is one quantity (`-70 mV`, `20*ms`), and where it stands."""
    match node:
        case nodes.Quantity(unit=unit):
            found = unit_of(unit)
            return None if isinstance(found, nodes.UnitFactor) else (found, unit.span)
        case nodes.Unary(operand=operand):
            return quantity_unit(operand, outline)
        case nodes.Binary(operator="*", left=nodes.Number() | nodes.Unary(operand=nodes.Number()), right=nodes.Name() as symbol):
            named = None if symbol.id in outline.names else unit_of_symbol(symbol.id)
            return None if named is None else (named, symbol.span)
    return None
