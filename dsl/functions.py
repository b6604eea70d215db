"""The functions of the language: arguments, what happens to dimensions and kinds, and the kernel operations they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ..backends.kernel import Constant, Expr, Operation
from .folding import fold


@dataclass(frozen=True)
class Function:
    """One function.

    `arguments`: their names, for messages; `open_end`: the last one may be repeated. `dimension`: "number" (numbers to a number),
    "same" (all of one unit, which comes out), "ratio" (all of one unit, a number comes out), "any" (any unit, a number comes out),
    "time" (times, a number comes out), "root" (of one argument, to the power `power`), "product" (of all).
    `kind`: "real" (reals to a real), "alike" (the common kind of all), "integer", "whole" (whole numbers to one), "condition" (conditions),
    "choice" (a condition, then two alike). `build` makes the expression from the arguments.
    """

    arguments: tuple[str, ...]
    dimension: str
    kind: str
    build: Callable[..., Expr]
    open_end: bool = False
    power: tuple[int, int] = (1, 1)


def nested(operation: str, *arguments: Expr) -> Expr:
    """An operation on two applied to many, as a shallow tree."""
    if len(arguments) <= 2:
        return fold(operation, *arguments) if len(arguments) == 2 else arguments[0]
    middle = (len(arguments) + 1) // 2
    return fold(operation, nested(operation, *arguments[:middle]), nested(operation, *arguments[middle:]))


def clip(x: Expr, low: Expr, high: Expr) -> Expr:
    return fold("minimum", fold("maximum", x, low), high)


def relu(x: Expr) -> Expr:
    return fold("maximum", x, Constant(0.0))


def heaviside(x: Expr) -> Expr:
    """1 from zero on, 0 below."""
    return fold("to_real", fold("greater_equal", x, Constant(0.0)))


def shift_right(x: Expr, bits: Expr) -> Expr:
    """floor(x/2^bits) of whole numbers, the arithmetic shift; below 0 bits it is x, and from 63 bits on only the sign is left."""
    return Operation("shift_right", (x, clip(bits, Constant(0), Constant(63))))


def timestep(t: Expr, dt: Expr) -> Expr:
    """Which step of length dt the time t is in, with the small shift that keeps k*dt in step k (Brian2's definition)."""
    return fold("to_integer", fold("divide", fold("add", t, fold("multiply", Constant(1e-3), dt)), dt))


def number(name: str, *arguments: str) -> Function:
    return Function(arguments or ("x",), "number", "real", partial(fold, name))


FUNCTIONS: Mapping[str, Function] = {
    "exp": number("exp"),
    "log": number("log"),
    "log10": number("log10"),
    "log2": number("log2"),
    "log1p": number("log1p"),
    "expm1": number("expm1"),
    "sin": number("sin"),
    "cos": number("cos"),
    "tan": number("tan"),
    "asin": number("asin"),
    "acos": number("acos"),
    "atan": number("atan"),
    "sinh": number("sinh"),
    "cosh": number("cosh"),
    "tanh": number("tanh"),
    "exprel": number("exprel"),
    "sigmoid": number("sigmoid"),
    "floor": number("floor"),
    "ceil": number("ceil"),
    "round": number("round"),
    "sqrt": Function(("x",), "root", "real", partial(fold, "sqrt"), power=(1, 2)),
    "cbrt": Function(("x",), "root", "real", partial(fold, "cbrt"), power=(1, 3)),
    "atan2": Function(("y", "x"), "ratio", "real", partial(fold, "atan2")),
    "abs": Function(("x",), "same", "alike", partial(fold, "absolute")),
    "sign": Function(("x",), "any", "alike", partial(fold, "sign")),
    "relu": Function(("x",), "same", "real", relu),
    "heaviside": Function(("x",), "any", "real", heaviside),
    "clip": Function(("x", "low", "high"), "same", "alike", clip),
    "min": Function(("a", "b"), "same", "alike", partial(nested, "minimum"), open_end=True),
    "max": Function(("a", "b"), "same", "alike", partial(nested, "maximum"), open_end=True),
    "mod": Function(("x", "y"), "same", "alike", partial(fold, "modulo")),
    "where": Function(("condition", "a", "b"), "same", "choice", partial(fold, "where")),
    "int": Function(("x",), "number", "integer", partial(fold, "to_integer")),
    "shift_right": Function(("x", "bits"), "number", "whole", shift_right),
    "timestep": Function(("t", "dt"), "time", "real", timestep),
}

# Brian2's spellings
ALIASES: Mapping[str, str] = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}

# name: (arguments, the operation of a CheckedModel)
DRAWS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "rand": ((), "uniform"),
    "randn": ((), "normal"),
    "exponential": ((), "exponential"),
    "poisson": (("mean",), "poisson"),
}

# name: what its argument is ("same": its unit comes out; "any": a number comes out; "condition")
REDUCTIONS: Mapping[str, str] = {
    "total": "same",
    "mean": "same",
    "largest": "same",
    "smallest": "same",
    "rank": "any",
    "any": "condition",
    "count": "condition",
    "one_of": "condition",
    "matmul": "matrix",
}

INTEGER_REDUCTIONS = frozenset({"rank", "count"})
BOOLEAN_REDUCTIONS = frozenset({"any", "one_of"})

FUNCTION_NAMES = (*FUNCTIONS, *ALIASES, *DRAWS, *REDUCTIONS, "old")


def arguments_of(name: str) -> tuple[tuple[str, ...], bool]:
    """The names of the arguments of a function of the language, and whether the last may be repeated."""
    name = ALIASES.get(name, name)
    if name in FUNCTIONS:
        return FUNCTIONS[name].arguments, FUNCTIONS[name].open_end
    if name in DRAWS:
        return DRAWS[name][0], False
    return (("W", "x") if name == "matmul" else ("x",)), False


def call_text(name: str) -> str:
    """How a function is written: `clip(x, low, high)`."""
    arguments, open_end = arguments_of(name)
    return f"{name}({', '.join(arguments)}{', ...' if open_end else ''})"
