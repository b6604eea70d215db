"""Expressions evaluated with NumPy, one operation after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .kernel import Constant, Expr, Operation, Symbol

Value = Any  # a NumPy scalar or array; one value, or one value a neuron
DrawCallback = Callable[[str, int, "Value | None"], Value]


def evaluate(
    expression: Expr,
    environment: Mapping[str, Value],
    *,
    draw: DrawCallback | None = None,
    precision: np.dtype[Any] | type[np.floating] = np.float64,
) -> Value:
    """The value of an expression, given the values of its symbols: a NumPy scalar, or an array where a symbol is one.

    REAL constants have the given precision, or float64 beside a float64 value. `draw(distribution, stream, mean)` answers the
    operations "uniform", "normal", "exponential" and "poisson", whose first argument is the stream; they stand in the initial
    values of a model only. Raises KeyError for a symbol that has no value.
    """
    with np.errstate(all="ignore"):
        return value_of(expression, environment, draw, np.dtype(precision).type)


def value_of(expression: Expr, environment: Mapping[str, Value], draw: DrawCallback | None, real: type[np.floating]) -> Value:
    """`evaluate`, where the warnings of NumPy are off already."""
    match expression:
        case Symbol(name):
            return environment[name]
        case Operation(name, arguments) if name in APPLY and name != "power":
            values = [value_of(argument, environment, draw, real) for argument in arguments]
            if real is not np.float64:
                values = _alike(arguments, values)
            return np.asarray(APPLY[name](*values))[()]
        case Constant(bool() as value):
            return np.bool_(value)
        case Constant(int() as value):
            return np.int64(value)
        case Constant(value):
            return real(value)
        case Operation("uniform" | "normal" | "exponential" | "poisson" as name, (Constant(int() as stream), *rest)):
            if draw is None:
                raise TypeError(f"{name} needs a `draw` callback")
            return draw(name, stream, *[value_of(argument, environment, draw, real) for argument in rest] or [None])
        case Operation("power", (base, Constant(int() as exponent))) if not isinstance(exponent, bool):
            value = value_of(base, environment, draw, real)
            return value.dtype.type(1.0) * value**exponent if exponent >= 0 else value.dtype.type(1.0) / value**-exponent
        case Operation("call", (Symbol(function), *arguments)):
            values = [
                argument.value if isinstance(argument, Constant) else value_of(argument, environment, draw, real)
                for argument in arguments
            ]
            return np.asarray(environment[function](*values)).astype(real)[()]
        case Operation("to_real", (argument,)):
            return np.asarray(value_of(argument, environment, draw, real)).astype(real)[()]
        case Operation(name, arguments):
            values = [value_of(argument, environment, draw, real) for argument in arguments]
            return np.asarray(APPLY[name](*_alike(arguments, values)))[()]
    raise TypeError(expression)


def _alike(arguments: tuple[Expr, ...], values: list[Value]) -> list[Value]:
    """REAL constants beside a DOUBLE are taken as they were written, not rounded to the working precision."""
    if not any(getattr(value, "dtype", None) == np.float64 for value in values):
        return values
    return [
        np.float64(argument.value) if isinstance(argument, Constant) and isinstance(argument.value, float) else value
        for argument, value in zip(arguments, values, strict=True)
    ]


def _left_to_right(operation: Callable[[Value, Value], Value]) -> Callable[..., Value]:
    def apply(first: Value, *rest: Value) -> Value:
        for value in rest:
            first = operation(first, value)
        return first

    return apply


def _through_double(function: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """Functions are computed in float64 and rounded, so that the float32 reference is correct to half a unit."""

    def apply(x: Value) -> Value:
        return np.asarray(function(np.asarray(x, np.float64))).astype(np.asarray(x).dtype)

    return apply


def _exprel(x: Value) -> Value:
    # (e^x - 1)/x stays finite a little longer than e^x
    small = np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))
    return np.where(x == np.inf, np.inf, np.where(x > 700, np.exp(x - np.log(x)), small))


def _fma(a: Value, b: Value, c: Value) -> Value:
    # float32: the product is exact in float64. float64: extended precision rounds the product to 64 bits first; the
    # difference to a true fma is far below the tolerance that the reference is compared with
    wide = np.float64 if np.result_type(a, b, c) == np.float32 else np.longdouble
    return (np.asarray(a, wide) * np.asarray(b, wide) + np.asarray(c, wide)).astype(np.result_type(a, b, c))


def _integer(x: Value) -> Value:
    return np.trunc(x).astype(np.int64) if np.asarray(x).dtype.kind == "f" else np.asarray(x).astype(np.int64)


FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "exprel": _exprel,
    "exprel_decay": lambda x: _exprel(np.where(x > 0, 0.0, x)),
    "bernoulli": lambda x: 1 / _exprel(x),
    "sinc": lambda x: np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x)),
    "sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(np.minimum(x, 0)) / (1 + np.exp(np.minimum(x, 0)))),
}

APPLY: Mapping[str, Callable[..., Value]] = {
    "add": _left_to_right(np.add),
    "multiply": _left_to_right(np.multiply),
    "subtract": np.subtract,
    "divide": np.divide,
    "negate": np.negative,
    "fma": _fma,
    "power": lambda x, y: np.power(np.float64(x), np.float64(y)).astype(np.result_type(x, y)),
    "floor_divide": np.floor_divide,
    "modulo": np.mod,
    "shift_right": np.right_shift,
    "absolute": np.abs,
    "sign": np.sign,
    "minimum": lambda x, y: np.where((x < y) | (x != x), x, y),
    "maximum": lambda x, y: np.where((x > y) | (x != x), x, y),
    "below": lambda x, bound: np.where(x > bound, bound, x),
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    **{name: _through_double(function) for name, function in FUNCTIONS.items()},
    "atan2": lambda y, x: np.arctan2(np.float64(y), np.float64(x)).astype(np.result_type(y, x)),
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "is_finite": np.isfinite,
    "and": _left_to_right(np.logical_and),
    "or": _left_to_right(np.logical_or),
    "not": np.logical_not,
    "where": np.where,
    "to_double": lambda x: np.asarray(x).astype(np.float64),
    "to_integer": _integer,
    "to_boolean": lambda x: np.not_equal(x, 0),
    "element": lambda series, row, column: series[row, column],
    "rows": lambda series: np.int64(series.shape[0]),
    "columns": lambda series: np.int64(series.shape[1]),
}
