"""Times that do not go with the step: time constants shorter than it, refractory periods between two of its multiples."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...backends.kernel import Constant, Expr, Operation
from ...grammar import nodes
from ..errors import UsageError
from ..structure import Jacobian, Structure
from ..substitute import operations_of, symbols_of
from ..units import TIME
from .findings import DecaysWithinStep, NoWholeSteps, ShorterThanStep
from .subject import Subject

NEAR = 1e-6  # of a step


# schemes under which what decays within a step decays, and does no harm
HOLDING = frozenset({"exact", "exponential_euler", "exponential_rk2", "backward_euler"})


def time_constants(subject: Subject) -> Iterator[ShorterThanStep]:
    """Parameters that are a time and divide in a differential equation, and equations that decay by a constant rate, where the
    scheme that a run takes minds."""
    from ..compile import compile_model

    found = list(_short(subject))
    if not found and subject.model.method in HOLDING:
        return
    try:
        compiled = compile_model(subject.model, Structure())
    except UsageError:  # the author has to choose a scheme first, or gives something from outside
        yield from found
        return
    if compiled.scheme not in HOLDING:
        yield from found
        yield from _decaying(subject, compiled.jacobian, frozenset(short.name for short in found))


def _decaying(subject: Subject, jacobian: Jacobian | None, told: frozenset[str]) -> Iterator[DecaysWithinStep]:
    """States whose own decay has a rate that the defaults decide, but for what the parameters `told` decide."""
    for row, column, entry in () if jacobian is None else jacobian.entries:
        rate = subject.value(entry) if row == column and not _all_read(subject, entry) & told else None
        if jacobian is not None and rate is not None and rate < 0 and -1 / rate < subject.dt * (1 - NEAR):
            name = jacobian.states[row]
            span = subject.outline.differentials[name].expression.span
            yield DecaysWithinStep(span, name, -1 / rate, subject.dt)


def _all_read(subject: Subject, expression: Expr) -> frozenset[str]:
    """The names that an expression reads, also through what parameters are defined from."""
    definitions = {parameter.name: parameter.default for parameter in subject.model.parameters if parameter.default is not None}
    found, waiting = set[str](), set(symbols_of(expression))
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= symbols_of(definitions[name]) - found if name in definitions else frozenset()
    return frozenset(found)


def _short(subject: Subject) -> Iterator[ShorterThanStep]:
    dividing = set[str]().union(*(_divisors(expression) for expression in _in_equations(subject)))
    for parameter in subject.model.parameters:
        value = subject.defaults.get(parameter.name, math.inf)
        if parameter.name in dividing and parameter.unit.dimension == TIME and 0 < value < subject.dt * (1 - NEAR):
            yield ShorterThanStep(subject.name_span(parameter.name), parameter.name, value, subject.dt)


def _in_equations(subject: Subject) -> list[Expr]:
    """The right-hand sides of the equations, and the formulas that they read."""
    formulas = {formula.name: formula.expression for formula in subject.model.formulas}
    found = [state.derivative for state in subject.model.states if state.derivative is not None]
    waiting = list(found)
    while waiting:
        for name in symbols_of(waiting.pop()) & formulas.keys():
            found.append(formulas.pop(name))
            waiting.append(found[-1])
    return found


def _divisors(expression: Expr) -> set[str]:
    found: set[str] = set()
    for operation in operations_of(expression):
        match operation:
            case Operation("divide", (_, below)):
                found |= symbols_of(below)
            case Operation("power", (base, Constant(value))) if value < 0:
                found |= symbols_of(base)
    return found


def refractory_times(subject: Subject) -> Iterator[NoWholeSteps]:
    """A duration that the defaults decide."""
    refractory, statement = subject.model.refractory, subject.outline.one(nodes.Refractory)
    if refractory is None or refractory.condition or statement is None:
        return
    duration = subject.value(refractory.expression)
    if duration is None or duration <= 0:
        return
    steps = duration / subject.dt
    if abs(steps - round(steps)) > NEAR * max(1.0, steps):
        yield NoWholeSteps(statement.expression.span, duration, subject.dt, math.floor(steps + 0.500001))
