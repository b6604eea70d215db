"""What an expression begins with: numbers, quantities, names and what they stand for."""

from __future__ import annotations

import math
from fractions import Fraction

from ...backends.kernel import Constant, Expr, Kind, Symbol
from ...grammar import nodes
from ..call_mistakes import FunctionWithoutArguments
from ..dimensions import NUMBER, known, to_power
from ..functions import (
    FUNCTION_NAMES,
    call_text,
)
from ..name_mistakes import UnknownName
from ..noise_mistakes import NoiseOutsideEquation
from ..scope import UNREADABLE, Entry, Role, Value
from ..special_names import CHANGING_SPECIAL, CONSTANTS, FIXED_SPECIAL, SPECIAL_NAMES, TIMES
from ..unit_mistakes import (
    UnitInPlainText,
    UnknownUnit,
)
from ..units import TIME, shift, to_computing, unit_of, unit_of_symbol
from ..value_mistakes import ConstantNotFinite, InitialValueUses, MatrixMisused, ReductionInEvent
from .core import TIME_FORM, Translation

MOST = 1.7976931348623157e308


def is_noise(name: str) -> bool:
    return name == "xi" or name.startswith("xi_")


def read_number(t: Translation, node: nodes.Number) -> Value:
    value = float(node.value) if abs(node.value) <= MOST else math.inf
    if math.isinf(value):
        return t.scope.report(ConstantNotFinite(node.span))
    literal = node.value if isinstance(node.value, int) and abs(node.value) < 2**63 else None
    return Value(Constant(value), Kind.REAL, NUMBER, node.span, literal)


def read_quantity(t: Translation, node: nodes.Quantity) -> Value:
    unit = unit_of(node.unit)
    if isinstance(unit, nodes.UnitFactor):
        return unknown_unit(t, unit)
    if abs(node.value) > MOST:
        return t.scope.report(ConstantNotFinite(node.span))
    number = float(node.value)
    if t.scope.plain is not None:
        if unit.dimension != TIME:
            return t.scope.report(UnitInPlainText(node.unit.span, t.scope.plain.span))
        return Value(Constant(shift(number, unit.decade - t.scope.time_decade)), Kind.REAL, NUMBER, node.span)
    result = to_computing(number, unit)
    if math.isinf(result):
        return t.scope.report(ConstantNotFinite(node.span))
    return Value(Constant(result), Kind.REAL, known(unit.dimension), node.span)


def unknown_unit(t: Translation, factor: nodes.UnitFactor) -> Value:
    return t.scope.report(UnknownUnit(factor.span, factor.symbol, t.scope.near_units(factor.symbol)))


def read_name(t: Translation, node: nodes.Name) -> Value:
    name = node.id
    if name in t.arguments:
        return t.arguments[name]
    if name in t.locals:
        t.read.add(name)
        entry = t.locals[name]
        return Value(Symbol(name), entry.kind, entry.form, node.span)
    if name in t.scope.entries:
        return read_entry(t, node, t.scope.entries[name])
    if name in CONSTANTS:
        constant = CONSTANTS[name]
        return Value(Constant(constant), Kind.BOOLEAN if isinstance(constant, bool) else Kind.REAL, NUMBER, node.span)
    if name in FIXED_SPECIAL or name in CHANGING_SPECIAL:
        return read_special(t, node)
    if is_noise(name):
        return read_noise(t, node)
    return read_unit(t, node)


def read_entry(t: Translation, node: nodes.Name, entry: Entry) -> Value:
    t.scope.used.add(entry.name)
    if entry.role is Role.EXTERNAL:
        return t.scope.report(FunctionWithoutArguments(node.span, entry.name, f"{entry.name}({', '.join(entry.arguments)})"))
    if entry.role is Role.NOISE and entry.value is not None:
        return read_noise_formula(t, node, entry.value)
    if "matrix" in entry.flags:
        return t.scope.report(MatrixMisused(node.span, entry.name, True))
    if t.place.event and "reduction" in entry.changing:
        return t.scope.report(ReductionInEvent(node.span, entry.name))
    if t.place.before_run and entry.changing & {"time", "event", "reduction"}:
        return t.scope.report(InitialValueUses(node.span, entry.name, t.place.called))
    return Value(Symbol(entry.name), entry.kind, entry.form, node.span)


def read_noise_formula(t: Translation, node: nodes.Name, formula: Value) -> Value:
    if not t.place.noise:
        return t.scope.report(NoiseOutsideEquation(node.span, node.id, t.place.called))
    return formula._replace(span=node.span, noise=node.id)


def read_special(t: Translation, node: nodes.Name) -> Value:
    name = node.id
    if t.place.before_run and name in CHANGING_SPECIAL:
        return t.scope.report(InitialValueUses(node.span, name, t.place.called))
    symbol, kind = CHANGING_SPECIAL.get(name) or FIXED_SPECIAL[name]
    if name not in TIMES:
        return Value(Symbol(symbol), kind, NUMBER, node.span)
    form = NUMBER if t.scope.plain else TIME_FORM
    return Value(t.scope.from_ms(Symbol(symbol)), kind, form, node.span)


def read_noise(t: Translation, node: nodes.Name) -> Value:
    if not t.place.noise:
        return t.scope.report(NoiseOutsideEquation(node.span, node.id, t.place.called))
    if node.id == "xi":
        t.scope.noise_owners.setdefault(t.owner, node.span)
    expression: Expr = Symbol(f"@{node.id}")
    if t.scope.plain is None:
        return Value(expression, Kind.REAL, to_power(TIME_FORM, Fraction(-1, 2)), node.span, noise=node.id)
    scaled = t.scope.shifted(expression, (3 + t.scope.time_decade) / 2)
    return Value(scaled, Kind.REAL, NUMBER, node.span, noise=node.id)


def read_unit(t: Translation, node: nodes.Name) -> Value:
    unit = unit_of_symbol(node.id)
    if unit is None or node.id in ("integer", "boolean"):
        return unknown_name(t, node)
    if t.scope.plain is None:
        number = Constant(to_computing(1.0, unit))
        return Value(number, Kind.REAL, known(unit.dimension), node.span, unit_name=node.id)
    if unit.dimension != TIME:
        return t.scope.report(UnitInPlainText(node.span, t.scope.plain.span))
    return Value(Constant(shift(1.0, unit.decade - t.scope.time_decade)), Kind.REAL, NUMBER, node.span)


def unknown_name(t: Translation, node: nodes.Name) -> Value:
    name = node.id
    if name in t.scope.broken_names or name == UNREADABLE:
        return t.scope.anything(node.span)
    if name in FUNCTION_NAMES:
        return t.scope.report(FunctionWithoutArguments(node.span, name, call_text(name)))
    if name in t.scope.functions:
        arguments = ", ".join(argument.id for argument in t.scope.functions[name].arguments)
        return t.scope.report(FunctionWithoutArguments(node.span, name, f"{name}({arguments})"))
    own = (*t.arguments, *t.locals)
    names = (*own, *t.scope.known_names()) if own else t.scope.known_names()
    everywhere = (*SPECIAL_NAMES, "xi") if len(name) > 1 else ()  # `E` is no slip for `e`
    near = t.scope.near(name, (*names, *t.scope.given), everywhere) or (t.scope.near_units(name) if len(name) > 2 else ())
    return t.scope.report(UnknownName(node.span, name, near, names, t.place.in_value, t.scope.keyword_form))
