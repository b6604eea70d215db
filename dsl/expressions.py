"""Texts that stand for one value: quantities, initial values, parameters and functions of time that are given from Python."""

from __future__ import annotations

from ..backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..grammar import nodes
from ..grammar.source import Source, Span
from .blocks import converted
from .checked import CheckedModel, Derived, External, Input, Parameter, State, Variable
from .declaration import declaration_of
from .dimensions import NUMBER, Form, Solution, known
from .errors import ModelError
from .formulas import substituted, written_out
from .scope import Entry, Place, Role, Scope, Value
from .translation import Translation, translation_at
from .units import ONE, Dimension, Unit, unit_of
from .value_mistakes import NotAValue

ROLES = {State: Role.STATE, Parameter: Role.PARAMETER, Derived: Role.DERIVED, Input: Role.INPUT, External: Role.EXTERNAL}
TIME_SYMBOLS = frozenset({"@t", "@step"})
EVENT_SYMBOLS = frozenset({"@spiked", "@lastspike", "@not_refractory"})
REDUCED = frozenset({"total", "mean", "largest", "smallest", "any", "count", "rank", "one_of", "matmul"})


def quantity(text: str, name: str) -> tuple[float, Dimension]:
    """A number with its unit, such as "500 pA", "20*ms" or "3": its value in the computing system, and its dimension.

    `name` is what messages call it. Raises ModelError.
    """
    scope = Scope()
    value = read(
        translation_at(scope, Place(f"`{name}`", before_run=True, population=False, draws=False, in_value=True), 0), text, name
    )
    if not scope.mistakes and (not isinstance(value.expression, Constant) or value.kind is Kind.BOOLEAN):
        scope.report(NotAValue(value.span))
    solution = finish(scope)
    return float(value.expression.value), solution.dimension(value.form) or ONE  # type: ignore[union-attr]


def expression_in(model: CheckedModel, text: str, name: str, variable: Variable) -> Expr:
    """The value that a text gives to a state or a parameter of a model, in its unit and kind.

    It may use the parameters of the model, `i`, `N`, `dt` and draws; that of a state also other states, and quantities derived from
    them, which are written out; that of a parameter `t`. Raises ModelError.
    """
    if isinstance(variable, State):
        place = Place(f"the initial value of `{variable.name}`", before_run=True, population=False, in_value=True)
        return checked_text(model, text, name, variable, place, (State, Parameter, Derived))
    return checked_text(
        model, text, name, variable, Place(f"the value of `{variable.name}`", population=False, in_value=True), (Parameter,)
    )


def function_of_time(model: CheckedModel, text: str, name: str, variable: Variable) -> Expr:
    """A function of `t` that drives a parameter; it may use the parameters of the model, `i`, `N` and `dt`. Raises ModelError."""
    return checked_text(
        model, text, name, variable, Place("a function of time", population=False, draws=False, in_value=True), (Parameter,)
    )


def checked_text(
    model: CheckedModel, text: str, name: str, variable: Variable, place: Place, usable: tuple[type[Variable], ...]
) -> Expr:
    scope = scope_of(model, usable, variable.name)
    translation = translation_at(scope, place, 0)
    value = read(translation, text, name)
    translation.fits(f"`{variable.name}`", form_of(variable, model), value)
    expression = converted(translation, f"`{variable.name}`", value, variable.kind)
    finish(scope)
    return (
        substituted(expression, written_out({d.name: d.expression for d in model.derived})) if Derived in usable else expression
    )


def read(translation: Translation, text: str, name: str) -> Value:
    """The value of a text. Raises ModelError where it cannot be read at all."""
    from ..grammar.parse import parse_expression

    node, mistakes = parse_expression(Source(text, name))
    if mistakes or node is None:
        raise ModelError(mistakes)
    return translation.value(node)


def finish(scope: Scope) -> Solution:
    """Settle the units. Raises ModelError for all that was found."""
    solution = scope.settle()
    if scope.mistakes:
        raise ModelError(scope.mistakes)
    return solution


def scope_of(model: CheckedModel, usable: tuple[type[Variable], ...], itself: str) -> Scope:
    """The names of a checked model that a text may use."""
    scope = Scope()
    if model.plain:
        statements = declaration_of(model).statements
        time = next((s for s in statements if isinstance(s, nodes.TimeIn)), None)
        nowhere = Span(Source("time in ms", model.name), 0, 10)
        scope.plain = time or nodes.TimeIn(nowhere, "", nodes.Unit(nowhere, ()))
        unit = unit_of(time.unit) if time is not None else None
        scope.time_decade = unit.decade if isinstance(unit, Unit) else scope.time_decade
    for variable in (*model.parameters, *model.states, *model.inputs, *model.derived, *model.externals):
        if isinstance(variable, usable) and variable.name != itself:
            scope.entries[variable.name] = entry_of(variable, model, scope.entries)
    return scope


def entry_of(variable: Variable, model: CheckedModel, before: dict[str, Entry]) -> Entry:
    changing = frozenset(changes(variable.expression, before)) if isinstance(variable, (Derived, Input)) else frozenset[str]()
    nowhere = Span(Source("", model.name), 0, 0)
    outside = (variable.arguments, variable.takes) if isinstance(variable, External) else ((), ())
    role = ROLES[type(variable)]
    return Entry(variable.name, role, variable.kind, form_of(variable, model), nowhere, variable.flags, changing, None, *outside)


def form_of(variable: Variable, model: CheckedModel) -> Form:
    return NUMBER if model.plain else known(variable.unit.dimension)


def changes(expression: Expr, before: dict[str, Entry]) -> set[str]:
    """What a formula hangs on, of what has no value before a run."""
    match expression:
        case Symbol(name):
            own = {"time"} if name in TIME_SYMBOLS else {"event"} if name in EVENT_SYMBOLS else set[str]()
            return own | set(before[name].changing if name in before else ())
        case Operation(name, arguments):
            own = {"reduction"} if name in REDUCED else {"time"} if name == "sample" else set()
            return own.union(*(changes(argument, before) for argument in arguments))
    return set()
