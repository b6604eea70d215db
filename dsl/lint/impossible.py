"""Events whose condition can never hold, always holds, or holds still after their own reset."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...backends.kernel import Expr, Operation, Symbol
from ..checked import Event
from ..substitute import symbols_of
from .findings import AlwaysHolds, Finding, HoldsAfterReset, NeverHolds
from .intervals import Interval, bounds, holds
from .subject import Subject

ANY = Interval(-math.inf, math.inf)


def impossible(subject: Subject) -> Iterator[Finding]:
    known = known_values(subject)
    for event in subject.model.events:
        condition = event.condition
        written = subject.outline.events[event.name]
        if holds(condition, known) is False or _excluded(condition, known):
            names = tuple(name for name in subject.outline.names if name in symbols_of(condition) & subject.defaults.keys())
            yield NeverHolds(written.condition.span, event.name, names)
        elif holds(condition, known) and _reads_what_changes(subject, condition):
            yield AlwaysHolds(written.condition.span, event.name)
        elif (target := _holds_after(subject, event, condition, known)) is not None:
            last = [line for line in written.block if line.target.id == target][-1]
            yield HoldsAfterReset(last.span, event.name, written.condition.span)


def known_values(subject: Subject) -> dict[str, Interval]:
    """What is known of names before a run. A default of 0 (an input that waits to be set) says nothing."""
    found = {name: Interval(value, value) for name, value in subject.defaults.items() if value != 0 and math.isfinite(value)}
    found |= {name: Interval(0, math.inf) for name in ("@t", "@dt", "@i", "@n", "@step")}
    for formula in subject.model.formulas:
        found[formula.name] = bounds(formula.expression, found)
    return found


def _reads_what_changes(subject: Subject, condition: Expr) -> bool:
    """Whether a condition reads something, and no parameter: one of those may be there to switch the event off."""
    read = symbols_of(condition)
    return bool(read) and not any(parameter.name in read for parameter in subject.model.parameters)


def _excluded(condition: Expr, known: dict[str, Interval]) -> bool:
    """Whether `a > b and a < c` cannot hold, because b is not below c."""
    if not isinstance(condition, Operation) or condition.name != "and":
        return False
    ranges: dict[Expr, Interval] = {}
    for part in condition.arguments:
        if not isinstance(part, Operation) or part.name not in SIDES:
            continue
        for left, right, above in ((part.arguments[0], part.arguments[1], True), (part.arguments[1], part.arguments[0], False)):
            limit, so_far = bounds(right, known), ranges.get(left, ANY)
            if SIDES[part.name] is above:
                ranges[left] = Interval(max(so_far.low, limit.low), so_far.high)
            else:
                ranges[left] = Interval(so_far.low, min(so_far.high, limit.high))
    return any(found.low > found.high for found in ranges.values())


SIDES = {"greater": True, "greater_equal": True, "less": False, "less_equal": False}


def _holds_after(subject: Subject, event: Event, condition: Expr, known: dict[str, Interval]) -> str | None:
    """The state whose reset leaves `state > level` true, at the defaults of parameters."""
    if not isinstance(condition, Operation) or condition.name not in ("greater", "greater_equal", "less", "less_equal"):
        return None
    left = condition.arguments[0]
    resets = [line for line in event.block if isinstance(left, Symbol) and line.target == left.name and not line.local]
    if not isinstance(left, Symbol) or not resets or len({line.target for line in event.block} & symbols_of(condition)) != 1:
        return None
    after = resets[-1].expression
    if subject.value(after) is None:
        return None
    still = holds(Operation(condition.name, (after, condition.arguments[1])), known)
    return left.name if still else None
