"""The solution between two points of the grid: from any state on, over any part of a step, under the scheme of the whole step.

A path is the scheme itself, made with a shorter step, where that costs one evaluation of the equations (its step has no stages); otherwise
the straight line between its ends for a scheme of order 1, and the cubic Hermite polynomial, whose error is of order 4, for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sympy

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..schemes import SCHEMES
from ..step import DT
from ..structure import LENGTH
from ..substitute import is_number, transform
from .draft import Draft
from .integration import demand, plain
from .names import IS_REFRACTORY
from .reading import read

ZERO, ONE = Constant(0.0), Constant(1.0)
SPAN = sympy.Symbol("@span")  # how much of a step is made

Values = Mapping[str, Expr]


@dataclass(frozen=True)
class Start:
    """Where a stretch of the solution begins: the states with an equation, the steps since t_k, and whether the neuron is refractory."""

    values: Values
    since: Expr = ZERO
    refractory: bool = False


@dataclass(frozen=True)
class Path:
    """The solution from `start` on, as a function of u from 0 to `reach`, where `span` steps are one unit of u.

    `end` are the values at `reach`; `bends` the factors of u, u^2, u^3 by state, empty where the scheme itself is the path.
    """

    start: Start
    span: Expr
    reach: Expr
    end: Values
    bends: Mapping[str, tuple[Expr, ...]]


# ---- times -----------------------------------------------------------------------------------------


def plus(first: Expr, second: Expr) -> Expr:
    if is_number(first, 0.0):
        return second
    return first if is_number(second, 0.0) else Operation("add", (first, second))


def times(first: Expr, second: Expr) -> Expr:
    if is_number(first, 1.0):
        return second
    return first if is_number(second, 1.0) else Operation("multiply", (first, second))


def minus(first: Expr, second: Expr) -> Expr:
    return first if is_number(second, 0.0) else Operation("subtract", (first, second))


def clock(draft: Draft, since: Expr) -> Expr:
    """The time that lies `since` steps behind t_k, in float64."""
    if is_number(since, 0.0) or is_number(since, 1.0):
        return Symbol("@t" if is_number(since, 0.0) else "@t_next")
    draft.scalar(LENGTH, Kind.DOUBLE)
    return Operation("add", (Symbol("@t"), Operation("multiply", (Operation("to_double", (since,)), Symbol(LENGTH)))))


@contextmanager
def seen_at(draft: Draft, values: Values, since: Expr) -> Iterator[None]:
    """What is read within sees these values, and this time."""
    before, time = {name: draft.now.get(name) for name in values}, draft.time
    draft.now.update(values)
    draft.time = clock(draft, since)
    try:
        yield
    finally:
        draft.time = time
        for name, value in before.items():
            if value is None:
                del draft.now[name]
            else:
                draft.now[name] = value


# ---- along the solution ----------------------------------------------------------------------------


def advance(draft: Draft, start: Start, length: Expr, names: Iterable[str] | None = None) -> Values:
    """The states (or some of them) `length` steps behind the start."""
    if draft.discretised.step.propagations:
        found = path(draft, start, length)
        return along(draft, found, found.reach, names)
    return _stepped(draft, start, length, names)


def path(draft: Draft, start: Start, length: Expr) -> Path:
    """The solution over `length` steps. Matrix exponentials are those of a whole step, so that path is a part of a whole one."""
    step = draft.discretised.step
    if step.propagations:
        whole = _stepped(draft, start, ONE)
        found = Path(start, ONE, length, whole, _bends(draft, start, ONE, whole))
        return found if is_number(length, 1.0) else Path(start, ONE, length, along(draft, found, length), found.bends)
    end = _stepped(draft, start, length)
    return Path(start, length, ONE, end, _bends(draft, start, length, end) if step.stages else {})


def along(draft: Draft, course: Path, u: Expr, names: Iterable[str] | None = None) -> Values:
    """The states (or some of them) at u."""
    wanted = tuple(course.start.values) if names is None else tuple(names)
    if not course.bends:
        return _stepped(draft, course.start, times(course.span, u), wanted)
    return {name: _polynomial(draft, name, course.start.values[name], course.bends[name], u) for name in wanted}


def _polynomial(draft: Draft, name: str, first: Expr, bends: tuple[Expr, ...], u: Expr) -> Symbol:
    value = bends[-1]
    for bend in bends[-2::-1]:
        value = Operation("fma", (value, u, bend))
    return draft.assign(f"{name}@path", Kind.REAL, Operation("fma", (value, u, first)))


def _stepped(draft: Draft, start: Start, length: Expr, names: Iterable[str] | None = None) -> Values:
    """The step of the scheme, made from the start with the length `length`*dt."""
    step = draft.discretised.step
    wanted = step.new if names is None else {name: step.new[name] for name in names}
    with seen_at(draft, {**start.values, IS_REFRACTORY: Constant(start.refractory), SPAN.name: length}, _since(draft, start)):
        for name, expression in step.stages:
            draft.now[name] = made_here = _value(draft, name, expression, length)
            draft.kinds[name] = draft.kinds[made_here.name]
        made = {state: _value(draft, state, expression, length) for state, expression in wanted.items()}
        demand(draft)
    for name, _ in step.stages:
        del draft.now[name]
    return made


def _since(draft: Draft, start: Start) -> Expr:
    """`exact` holds what depends on time over the whole step."""
    return ZERO if draft.discretised.step.propagations else start.since


def _value(draft: Draft, name: str, expression: sympy.Expr, length: Expr) -> Symbol:
    partial = expression if is_number(length, 1.0) else expression.xreplace({DT: SPAN * DT})
    value = transform(read(draft, plain(draft, partial)), _chosen)
    kind = Kind.BOOLEAN if draft.kind(value) is Kind.BOOLEAN else Kind.REAL
    return draft.assign(name, kind, value, free=True)


def _chosen(node: Expr) -> Expr:
    """A choice that is settled."""
    match node:
        case Operation("where", (Constant(bool() as first), yes, no)):
            return yes if first else no
        case Operation("where", (_, yes, no)) if yes == no:
            return yes
    return node


def _bends(draft: Draft, start: Start, span: Expr, end: Values) -> Mapping[str, tuple[Expr, ...]]:
    rises = {
        state: draft.assign(f"{state}@rise", Kind.REAL, Operation("subtract", (end[state], value)))
        for state, value in start.values.items()
    }
    if SCHEMES[draft.discretised.scheme].order == 1:
        return {state: (rise,) for state, rise in rises.items()}
    first = _slopes(draft, start.values, start, start.since, span)
    last = _slopes(draft, end, start, plus(start.since, span), span)
    return {state: _cubic(draft, state, first[state], last[state], rise) for state, rise in rises.items()}


def _cubic(draft: Draft, state: str, first: Expr, last: Expr, rise: Expr) -> tuple[Expr, ...]:
    """first*u + (3*rise - 2*first - last)*u^2 + (first + last - 2*rise)*u^3: Hermite's polynomial over the value at 0."""
    both = Operation("add", (first, last))
    square = Operation("subtract", (Operation("multiply", (Constant(3.0), rise)), Operation("add", (both, first))))
    cube = Operation("subtract", (both, Operation("multiply", (Constant(2.0), rise))))
    return first, *(draft.assign(f"{state}@bend", Kind.REAL, factor) for factor in (square, cube))


def _slopes(draft: Draft, values: Values, start: Start, since: Expr, span: Expr) -> Values:
    """The right-hand sides, as changes over the span."""
    system = draft.discretised.system
    assert system is not None
    seen = {**values, IS_REFRACTORY: Constant(start.refractory), SPAN.name: span}
    still = system.held if start.refractory else frozenset()
    with seen_at(draft, seen, ZERO if draft.discretised.step.propagations else since):
        return {
            state: ZERO if state in still else _value(draft, f"{state}@slope", DT * system.at(slope, {}), span)
            for state, slope in system.drift.items()
        }
