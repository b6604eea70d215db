"""Events, blocks, refractoriness, output and what the author recommends."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ...backends.kernel import Constant, Kind
from ...grammar import nodes
from .. import checked
from .. import scope as places
from ..blocks import block_of, is_broken
from ..outline import CALLED
from ..roles import has_flag
from ..scope import Value, real
from ..statement_mistakes import NotHeld, RefractoryKind, SettingOutOfRange, TimeWanted, UnknownSetting, UnknownSurrogate
from ..surrogates import POSITIVE, SURROGATES
from ..translation import TIME_FORM, translation_at
from ..value_mistakes import NumberWanted
from .subject import Analysis


def events_of(a: Analysis) -> tuple[checked.Event, ...]:
    return tuple(event_of(a, event) for event in a.outline.events.values())


def event_of(a: Analysis, event: nodes.Event) -> checked.Event:
    condition = translation_at(a.scope, places.CONDITION, 2).condition(event.condition, f"the event `{event.name.id}`")
    block = block_of(a.scope, event.block, places.EVENT_BLOCK, a.lenient)
    return checked.Event(event.name.id, condition.expression, block)


def step_block(a: Analysis, after_reset: bool) -> tuple[checked.Assignment, ...]:
    statement = a.outline.steps.get(after_reset)
    return block_of(a.scope, statement.block, places.STEP_BLOCK, a.lenient) if statement is not None else ()


def refractory_of(a: Analysis) -> checked.Refractory | None:
    statement = a.outline.one(nodes.Refractory)
    if statement is None:
        return None
    translation = translation_at(a.scope, places.REFRACTORY, 2)
    if statement.condition:
        return checked.Refractory(translation.condition(statement.expression, "`refractory while`").expression, True)
    value = translation.value(statement.expression)
    if value.kind is Kind.BOOLEAN:
        if not a.lenient:
            a.scope.report(RefractoryKind(statement.expression.span))
        a.scope.rewrites[id(statement)] = replace(statement, condition=True)
        return checked.Refractory(value.expression, True)
    if a.scope.plain is None:
        translation.fits("the refractory duration", TIME_FORM, value)
    return checked.Refractory(a.scope.to_ms(real(value)), False)


def held_states(a: Analysis) -> frozenset[str]:
    """The states whose derivative is zero while refractory."""
    statement = a.outline.one(nodes.Refractory)
    names = {name for name, equation in a.outline.differentials.items() if has_flag(equation, "unless refractory")}
    for name in statement.holding if statement is not None else ():
        if name.id not in a.outline.differentials:
            a.scope.report(NotHeld(name.span, name.id, a.scope.near(name.id, a.outline.differentials)))
        names.add(name.id)
    return frozenset(names)


def output_value(a: Analysis) -> Value | None:
    statement = a.outline.one(nodes.Output)
    return None if statement is None else translation_at(a.scope, places.OUTPUT, 2).value(statement.expression)


def surrogate_of(a: Analysis) -> checked.Surrogate | None:
    statement = a.outline.one(nodes.Surrogate)
    if statement is None:
        return None
    translation = translation_at(a.scope, places.SURROGATE, 2)
    called, arguments = statement.name.id, []
    if called not in SURROGATES:
        near = a.scope.near(called, SURROGATES)
        a.scope.report(UnknownSurrogate(statement.name.span, called, near, tuple(SURROGATES)))
    known = SURROGATES[called].settings if called in SURROGATES else None
    for name, node in statement.arguments:
        if known is not None and name.id not in known:
            a.scope.report(UnknownSetting(name.span, name.id, called, a.scope.near(name.id, known), tuple(known)))
            continue
        value = translation.value(node).expression
        if not isinstance(value, Constant):
            a.scope.report(NumberWanted(node.span, name.id))
            continue
        arguments.append((name.id, float(value.value)))
        if name.id in POSITIVE and not arguments[-1][1] > 0:
            a.scope.report(SettingOutOfRange(node.span, name.id, arguments[-1][1]))
    of = None if statement.of is None else real(translation.value(statement.of))
    return checked.Surrogate(called, tuple(arguments), of)


def recommended(a: Analysis, kind: type[nodes.RecommendedStep] | type[nodes.RecommendedDuration]) -> float | None:
    """The time that `dt` or `duration` says, in ms."""
    statement = a.outline.one(kind)
    if statement is None:
        return None
    translation = translation_at(a.scope, places.RECOMMENDED, 2)
    value = translation.value(statement.expression)
    if is_broken(value):
        return None
    if a.scope.plain is None:
        translation.fits(CALLED[kind], TIME_FORM, value)
    expression = a.scope.to_ms(real(value))
    if not isinstance(expression, Constant) or not 0 < float(expression.value) < inf:
        a.scope.report(TimeWanted(statement.expression.span, CALLED[kind]))
        return None
    return float(expression.value)
