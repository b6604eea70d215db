"""Operations on constants, computed in float64 while a text is read; every other operation is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..backends.kernel import Constant, Expr, Operation

Number = float | int | bool

FOLDED: Mapping[str, Callable[..., Number]] = {
    "add": lambda *terms: sum(terms[1:], terms[0]),
    "multiply": lambda *factors: math.prod(factors[1:], start=factors[0]),
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "power": lambda a, b: float(a) ** float(b),
    "floor_divide": lambda a, b: a // b,
    "modulo": lambda a, b: a % b,
    "absolute": abs,
    "minimum": min,
    "maximum": max,
    "floor": lambda a: float(math.floor(a)),
    "ceil": lambda a: float(math.ceil(a)),
    "round": lambda a: float(round(a)),
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "atan2": math.atan2,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "and": lambda *terms: all(terms),
    "or": lambda *terms: any(terms),
    "not": lambda a: not a,
    "to_real": float,
    "to_boolean": bool,
    "to_integer": lambda a: a if isinstance(a, int) and not isinstance(a, bool) else int(a),
}


class NotFinite(ArithmeticError):
    """An operation on finite constants whose result no float64 holds."""


def fold(name: str, *arguments: Expr) -> Expr:
    """The operation, or its value where all arguments are constants. Raises NotFinite."""
    simpler = trivial(name, arguments)
    if simpler is not None:
        return simpler
    if name not in FOLDED or not all(isinstance(argument, Constant) for argument in arguments):
        return Operation(name, arguments)
    values = [argument.value for argument in arguments if isinstance(argument, Constant)]
    try:
        result = FOLDED[name](*values)
    except (ArithmeticError, ValueError) as trouble:
        raise NotFinite(name) from trouble
    if isinstance(result, complex) or (isinstance(result, float) and not_allowed(result, values)):
        raise NotFinite(name)
    return Constant(result)


def not_allowed(result: float, values: list[Number]) -> bool:
    """nan always; an infinity unless somebody wrote `inf`."""
    return math.isnan(result) or (math.isinf(result) and all(math.isfinite(value) for value in values))


def trivial(name: str, arguments: tuple[Expr, ...]) -> Expr | None:
    """What multiplying or dividing by one, and converting back and forth, comes to: the same value, exactly."""
    one = Constant(1.0)
    if name == "multiply" and one in arguments:
        rest = tuple(argument for argument in arguments if argument != one)
        return rest[0] if len(rest) == 1 else None
    if name == "divide" and arguments[1] == one:
        return arguments[0]
    if name == "negate" and isinstance(arguments[0], Operation) and arguments[0].name == "negate":
        return arguments[0].arguments[0]
    if name == "to_real" and isinstance(arguments[0], Operation) and arguments[0].name == "to_integer":
        return Operation("to_real", arguments[0].arguments) if is_condition(arguments[0].arguments[0]) else None
    return None


def is_condition(expression: Expr) -> bool:
    """Whether an operation gives a truth value, as far as its name tells."""
    return isinstance(expression, Operation) and expression.name in CONDITIONS


CONDITIONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "and", "or", "not", "crosses"})
