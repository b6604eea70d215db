"""Calls: functions of the language and of the text, draws, reductions, and functions from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from ...backends.kernel import Expr, Kind, Operation, Symbol
from ...grammar import nodes
from ..call_mistakes import NotAFunction, UnknownFunction, WrongNumberOfArguments
from ..dimensions import NUMBER, Constraint, Form, known, times, to_power
from ..folding import NotFinite, fold
from ..functions import (
    ALIASES,
    BOOLEAN_REDUCTIONS,
    DRAWS,
    FUNCTION_NAMES,
    FUNCTIONS,
    INTEGER_REDUCTIONS,
    REDUCTIONS,
    Function,
    arguments_of,
)
from ..noise_mistakes import DrawMisplaced
from ..scope import UNREADABLE, Entry, Role, Value, as_kind, common_kind, real
from ..special_names import SPECIAL_NAMES
from ..unit_mistakes import (
    ArgumentWithUnit,
)
from ..units import Unit, unit_of
from ..value_mistakes import (
    ConstantNotFinite,
    InitialValueUses,
    MatrixMisused,
    OldMisused,
    PopulationFunctionHere,
    ReductionInEvent,
    WholeNumberNeeded,
)
from .core import TIME_FORM, Translation
from .operators import choice

KINDS: Mapping[str, Kind] = {
    "integer": Kind.INTEGER,
    "whole": Kind.INTEGER,
}  # that functions of a kind give, where it is no real number


def read_call(t: Translation, node: nodes.Call) -> Value:
    name = node.function
    if name in t.scope.functions:
        return inline(t, node, t.scope.functions[name])
    entry = t.scope.entries.get(name)
    if entry is not None and entry.role is Role.EXTERNAL:
        return from_outside(t, node, entry) if entry.takes else sample(t, node, entry)
    name = ALIASES.get(name, name)
    if name not in FUNCTION_NAMES:
        return unknown_function(t, node, entry)
    if not enough(t, node, *arguments_of(name)):
        return t.scope.anything(node.span)
    if name in FUNCTIONS:
        return apply(t, node, FUNCTIONS[name])
    if name in DRAWS:
        return draw(t, node, DRAWS[name][1])
    return reduction(t, node, name) if name in REDUCTIONS else old(t, node)


def unknown_function(t: Translation, node: nodes.Call, entry: Entry | None) -> Value:
    if node.function in t.scope.broken_names:
        return t.scope.anything(node.span)
    arguments = ", ".join(argument.span.text for argument in node.arguments)
    if entry is not None or node.function in t.locals:
        what = (entry or t.locals[node.function]).role.value
        return t.scope.report(NotAFunction(node.name_span, node.function, what, arguments))
    if node.function in SPECIAL_NAMES:
        return t.scope.report(NotAFunction(node.name_span, node.function, "a value", arguments))
    near = t.scope.near(node.function, (*FUNCTION_NAMES, *t.scope.functions, *t.scope.externals))
    t.scope.report(UnknownFunction(node.name_span, node.function, near, arguments))
    for argument in node.arguments:
        t.value(argument)
    return t.scope.anything(node.span)


def enough(t: Translation, node: nodes.Call, arguments: Sequence[str], open_end: bool) -> bool:
    found, wanted = len(node.arguments), len(arguments)
    if found == wanted or (open_end and found > wanted):
        return True
    count = {0: "no argument", 1: "one argument"}.get(wanted, f"{wanted} arguments") + (" or more" if open_end else "")
    call = f"{node.function}({', '.join(arguments)}{', ...' if open_end else ''})"
    t.scope.report(WrongNumberOfArguments(node.span, node.function, call, count, found))
    return False


def inline(t: Translation, node: nodes.Call, function: nodes.FunctionDefinition) -> Value:
    names = [argument.id for argument in function.arguments]
    if function.name.id in t.scope.broken_functions or not enough(t, node, names, False):
        return t.scope.anything(node.span)
    values = dict(zip(names, map(t.value, node.arguments), strict=True))
    body = replace(t, locals={}, arguments=values, read=set()).value(function.expression)
    if function.unit is not None and t.scope.plain is None:
        unit = unit_of(function.unit)
        if not isinstance(unit, nodes.UnitFactor):
            t.fits(f"`{function.name.id}`", known(unit.dimension), body)
    return body._replace(span=node.span, parts=())


def sample(t: Translation, node: nodes.Call, entry: Entry) -> Value:
    if not enough(t, node, entry.arguments, False):
        return t.scope.anything(node.span)
    if t.place.before_run:
        return t.scope.report(InitialValueUses(node.span, entry.name, t.place.called))
    time = t.value(node.arguments[0])
    t.without_noise(time)
    if t.scope.plain is None:
        t.fits(f"the argument of `{entry.name}`", TIME_FORM, time)
    is_t = isinstance(node.arguments[0], nodes.Name) and node.arguments[0].id == "t" and time.kind is Kind.REAL
    arguments = [Symbol("@t") if is_t and "t" not in t.scope.entries else t.scope.to_ms(real(time))]
    arguments += [whole(t, f"the index of `{entry.name}`", t.value(index)) for index in node.arguments[1:]]
    return Value(Operation("sample", (Symbol(entry.name), *arguments)), Kind.REAL, entry.form, node.span)


def from_outside(t: Translation, node: nodes.Call, entry: Entry) -> Value:
    """A call of a Python function: its arguments in the units that it takes them in, its result in the unit that is declared."""
    if not enough(t, node, entry.arguments, False):
        return t.scope.anything(node.span)
    written = zip(entry.arguments, entry.takes, node.arguments, strict=True)
    arguments = [handed_over(t, entry, *argument) for argument in written]
    called: Expr = Operation("call", (Symbol(entry.name), *arguments))
    if entry.kind is not Kind.REAL:
        return Value(fold(f"to_{entry.kind.value}", called), entry.kind, NUMBER, node.span)
    unit = t.scope.written[entry.name].unit if entry.name in t.scope.written else None
    if unit is not None:
        called = t.scope.to_text_time(called, unit) if t.scope.plain else t.scope.shifted(called, unit.computing_decade)
    return Value(called, Kind.REAL, entry.form, node.span)


def handed_over(t: Translation, function: Entry, name: str, unit: Unit, node: nodes.Expression) -> Expr:
    """An argument as a plain number in its unit."""
    called = f"the argument `{name}` of `{function.name}`"
    if unit.text == "boolean":
        return t.condition(node, called).expression
    value = t.value(node)
    if not t.without_noise(value) or unit.text == UNREADABLE:
        return Symbol(UNREADABLE)
    if unit.text == "integer":
        return whole(t, called, value)
    if t.scope.plain is not None:
        return t.scope.from_text_time(real(value), unit)
    if unit.dimension.is_one and value.form:
        blame = lambda found, _: ArgumentWithUnit(value.span, function.name, name, function.arguments, found)  # noqa: E731
        t.scope.constraints.append(Constraint(value.form, NUMBER, t.rank, (value.span,), blame))
    else:
        t.fits(called, known(unit.dimension), value)
    return t.scope.shifted(real(value), -unit.computing_decade)


def whole(t: Translation, place: str, value: Value) -> Expr:
    """The value as an INTEGER, for places that keep whole numbers."""
    t.number(place, value)
    if value.kind is Kind.REAL and value.literal is None:
        return t.scope.report(WholeNumberNeeded(value.span, place, "a whole number", "a real number")).expression
    return as_kind(value, Kind.INTEGER)


def apply(t: Translation, node: nodes.Call, function: Function) -> Value:
    if function.kind == "choice":
        condition = t.condition(node.arguments[0], "`where`")
        return choice(t, node.span, condition, t.value(node.arguments[1]), t.value(node.arguments[2]))
    values = [t.value(argument) for argument in node.arguments]
    if not t.without_noise(*values):
        return t.scope.anything(node.span)
    form = applied_form(t, node, function, values)
    kind = common_kind(values) if function.kind == "alike" else KINDS.get(function.kind, Kind.REAL)
    if function.kind == "whole":
        arguments = [whole(t, f"an argument of `{node.function}`", value) for value in values]
    else:
        arguments = [value.expression if function.kind == "integer" else as_kind(value, kind) for value in values]
    try:
        expression = function.build(*arguments)
    except NotFinite:
        return t.scope.report(ConstantNotFinite(node.span))
    return Value(expression, Kind.INTEGER if node.function == "timestep" else kind, form, node.span)


def applied_form(t: Translation, node: nodes.Call, function: Function, values: Sequence[Value]) -> Form:
    if function.dimension == "number":
        for value in values:
            t.number(f"`{node.function}`", value)
    elif function.dimension in ("same", "ratio"):
        t.alike(f"give `{node.function}`", values)
    elif function.dimension == "time" and t.scope.plain is None:
        for value in values:
            t.fits(f"the argument of `{node.function}`", TIME_FORM, value)
    elif function.dimension == "root":
        return to_power(values[0].form, Fraction(*function.power))
    return values[0].form if function.dimension == "same" else NUMBER


def draw(t: Translation, node: nodes.Call, distribution: str) -> Value:
    if not t.place.draws:
        return t.scope.report(DrawMisplaced(node.span, node.function, t.place.called))
    number = t.scope.next_draw()
    mean = [t.value(argument) for argument in node.arguments]
    t.without_noise(*mean)
    for value in mean:
        t.number(f"`{node.function}`", value)
    return Value(Operation(distribution, (number, *map(real, mean))), Kind.REAL, NUMBER, node.span)


def reduction(t: Translation, node: nodes.Call, name: str) -> Value:
    if t.place.event:
        return t.scope.report(ReductionInEvent(node.span, name))
    if not t.place.population:
        return t.scope.report(PopulationFunctionHere(node.span, name, t.place.called))
    rule = REDUCTIONS[name]
    if rule == "matrix":
        return matrix_product(t, node)
    value = t.condition(node.arguments[0], f"`{name}`") if rule == "condition" else t.value(node.arguments[0])
    t.without_noise(value)
    kind = Kind.INTEGER if name in INTEGER_REDUCTIONS else Kind.BOOLEAN if name in BOOLEAN_REDUCTIONS else Kind.REAL
    argument = value.expression if rule == "condition" or name == "rank" else real(value)
    if name == "rank":
        argument = real(value) if value.kind is Kind.BOOLEAN else value.expression
    if name in ("total", "largest", "smallest") and value.kind is Kind.INTEGER:
        kind, argument = Kind.INTEGER, value.expression
    extra = (t.scope.next_draw(),) if name == "one_of" else ()
    return Value(Operation(name, (*extra, argument)), kind, value.form if rule == "same" else NUMBER, node.span)


def matrix_product(t: Translation, node: nodes.Call) -> Value:
    matrix, vector = node.arguments[0], t.value(node.arguments[1])
    entry = t.scope.entries.get(matrix.id) if isinstance(matrix, nodes.Name) else None
    if entry is None or "matrix" not in entry.flags:
        return t.scope.report(MatrixMisused(matrix.span, "matmul", False))
    t.without_noise(vector)
    product = Operation("matmul", (Symbol(entry.name), real(vector)))
    return Value(product, Kind.REAL, times(entry.form, vector.form), node.span)


def old(t: Translation, node: nodes.Call) -> Value:
    if not t.place.old:
        return t.scope.report(OldMisused(node.span, True))
    argument = node.arguments[0]
    entry = t.scope.entries.get(argument.id) if isinstance(argument, nodes.Name) else None
    if entry is None or entry.role is not Role.STATE:
        return t.scope.report(OldMisused(argument.span, False))
    return Value(Operation("old", (Symbol(entry.name),)), entry.kind, entry.form, node.span)
