"""Interval arithmetic: between which values an expression lies, whatever the states are. The bounds are safe, not tight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...backends.kernel import Constant, Expr, Operation, Symbol


class Interval(NamedTuple):
    low: float
    high: float


ANYTHING = Interval(-math.inf, math.inf)
POSITIVE = Interval(0.0, math.inf)
UNIT = Interval(0.0, 1.0)
SIGNED_UNIT = Interval(-1.0, 1.0)


def bounds(expression: Expr, known: Mapping[str, Interval]) -> Interval:
    """Where the value of a number lies."""
    match expression:
        case Constant(value):
            return Interval(float(value), float(value))
        case Symbol(name):
            return known.get(name, ANYTHING)
        case Operation("power", (base, Constant(int() as exponent))):
            return _power(bounds(base, known), exponent)
        case Operation("where", (condition, one, other)):
            chosen = holds(condition, known)
            both = [bounds(side, known) for side, taken in ((one, True), (other, False)) if chosen in (None, taken)]
            return Interval(min(b.low for b in both), max(b.high for b in both))
        case Operation(name, arguments) if name in RULES:
            return RULES[name](*(bounds(argument, known) for argument in arguments))
        case Operation(name) if name in RANGES:
            return RANGES[name]
    return ANYTHING


def holds(condition: Expr, known: Mapping[str, Interval]) -> bool | None:
    """Whether a condition always holds or never does; None where it may be either."""
    match condition:
        case Constant(value):
            return bool(value)
        case Operation("not", (inner,)):
            found = holds(inner, known)
            return None if found is None else not found
        case Operation("and" | "or" as name, parts):
            decisive = name == "or"
            found_each = [holds(part, known) for part in parts]
            if decisive in found_each:
                return decisive
            return None if None in found_each else not decisive
        case Operation("greater" | "greater_equal" | "crosses" as name, (left, right)):
            return _above(bounds(left, known), bounds(right, known), name == "greater_equal")
        case Operation("less" | "less_equal" as name, (left, right)):
            return _above(bounds(right, known), bounds(left, known), name == "less_equal")
        case Operation("equal", (left, right)):
            one, other = bounds(left, known), bounds(right, known)
            return False if one.high < other.low or other.high < one.low else None
    return None


def _above(left: Interval, right: Interval, or_equal: bool) -> bool | None:
    if left.low > right.high or (or_equal and left.low >= right.high):
        return True
    if left.high < right.low or (not or_equal and left.high <= right.low and math.isfinite(left.high)):
        return False
    return None


def _product(*factors: Interval) -> Interval:
    result = Interval(1.0, 1.0)
    for factor in factors:
        ends = [_times(a, b) for a in result for b in factor]
        result = Interval(min(ends), max(ends))
    return result


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _quotient(above: Interval, below: Interval) -> Interval:
    if below.low <= 0 <= below.high:
        return ANYTHING
    return _product(above, Interval(1 / below.high, 1 / below.low))


def _power(base: Interval, exponent: int) -> Interval:
    if exponent < 0:
        return _quotient(Interval(1.0, 1.0), _power(base, -exponent))
    if exponent > 64:
        return POSITIVE if exponent % 2 == 0 else ANYTHING
    result = _product(*[base] * exponent)
    return Interval(0.0 if base.low <= 0 <= base.high else max(0.0, result.low), result.high) if exponent % 2 == 0 else result


def _exp(x: Interval) -> Interval:
    return Interval(math.exp(x.low) if x.low < 700 else math.inf, math.exp(x.high) if x.high < 700 else math.inf)


def _absolute(x: Interval) -> Interval:
    ends = (abs(x.low), abs(x.high))
    return Interval(0.0 if x.low <= 0 <= x.high else min(ends), max(ends))


RULES: Mapping[str, Callable[..., Interval]] = {
    "add": lambda *terms: Interval(sum(term.low for term in terms), sum(term.high for term in terms)),
    "subtract": lambda x, y: Interval(x.low - y.high, x.high - y.low),
    "negate": lambda x: Interval(-x.high, -x.low),
    "multiply": _product,
    "divide": _quotient,
    "exp": _exp,
    "absolute": _absolute,
    "minimum": lambda x, y: Interval(min(x.low, y.low), min(x.high, y.high)),
    "maximum": lambda x, y: Interval(max(x.low, y.low), max(x.high, y.high)),
}
RANGES: Mapping[str, Interval] = {
    "uniform": UNIT,
    "sigmoid": UNIT,
    "tanh": SIGNED_UNIT,
    "sin": SIGNED_UNIT,
    "cos": SIGNED_UNIT,
    "sign": SIGNED_UNIT,
    "sqrt": POSITIVE,
    "exponential": POSITIVE,
    "poisson": POSITIVE,
    "cosh": Interval(1.0, math.inf),
    "rank": POSITIVE,
    "count": POSITIVE,
}
