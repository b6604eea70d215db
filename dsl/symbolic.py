"""Between the plain expressions of a model and sympy, which only the schemes and the safe forms see.

Every operation that is not a ring operation is an opaque sympy Function with a known derivative, so that sympy never
rewrites, evaluates or reorders what stands inside: `exp(a)*exp(b)` stays as it was written. Numbers stay doubles:
whole ones below a million become sympy Integers, which are exact, all others Floats of 53 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from sympy.core.function import ArgumentIndexError

from ..backends.kernel import OPERATIONS, Constant, Expr, Kind, Operation, Symbol, kind_of

Derivative = Callable[..., sympy.Expr]

WHOLE_LIMIT = 1_000_000
TRUE, FALSE, INFINITY = sympy.Symbol("@true"), sympy.Symbol("@false"), sympy.Symbol("@inf")


def _number(value: float) -> sympy.Expr:
    if value != value:
        return sympy.Symbol("@nan")
    if value in (float("inf"), float("-inf")):
        return INFINITY if value > 0 else -INFINITY
    if value == int(value) and abs(value) < WHOLE_LIMIT:
        return sympy.Integer(int(value))
    return sympy.Float(value)


def function(name: str) -> type[sympy.Function]:
    """The sympy Function that stands for a kernel operation, always the same object for one name."""
    return FUNCTIONS[name]


def call(name: str, *arguments: sympy.Expr) -> sympy.Expr:
    return FUNCTIONS[name](*arguments)


_DERIVATIVES: Mapping[str, tuple[Derivative, ...]] = {
    "exp": (lambda x: call("exp", x),),
    "expm1": (lambda x: call("exp", x),),
    "log": (lambda x: 1 / x,),
    "log1p": (lambda x: 1 / (1 + x),),
    "log10": (lambda x: 1 / (x * _number(2.302585092994046)),),
    "log2": (lambda x: 1 / (x * _number(0.6931471805599453)),),
    "sqrt": (lambda x: 1 / (2 * call("sqrt", x)),),
    "cbrt": (lambda x: 1 / (3 * call("cbrt", x) ** 2),),
    "sin": (lambda x: call("cos", x),),
    "cos": (lambda x: -call("sin", x),),
    "tan": (lambda x: 1 + call("tan", x) ** 2,),
    "asin": (lambda x: 1 / call("sqrt", 1 - x**2),),
    "acos": (lambda x: -1 / call("sqrt", 1 - x**2),),
    "atan": (lambda x: 1 / (1 + x**2),),
    "sinh": (lambda x: call("cosh", x),),
    "cosh": (lambda x: call("sinh", x),),
    "tanh": (lambda x: 1 - call("tanh", x) ** 2,),
    "sigmoid": (lambda x: call("sigmoid", x) * (1 - call("sigmoid", x)),),
    # d/dx (e^x - 1)/x; the quotient is removable at 0, where the derivative is 1/2
    "exprel": (lambda x: _safe_quotient(call("exp", x) - call("exprel", x), x, sympy.Rational(1, 2)),),
    # and of its reciprocal x/(e^x - 1)
    "bernoulli": (lambda x: call("bernoulli", x) * _safe_quotient(1 - x - call("bernoulli", x), x, -sympy.Rational(1, 2)),),
    "sinc": (lambda x: _safe_quotient(call("cos", x) - call("sinc", x), x, sympy.Integer(0)),),
    "absolute": (lambda x: call("sign", x),),
    "atan2": (lambda y, x: x / (x**2 + y**2), lambda y, x: -y / (x**2 + y**2)),
    "modulo": (lambda x, y: sympy.Integer(1), lambda x, y: -call("floor", x / y)),
    "power": (
        lambda x, y: y * call("power", x, y - 1),
        lambda x, y: call("power", x, y) * call("log", x),
    ),
}

# piecewise constant in every argument
_FLAT = frozenset(
    "sign floor ceil round floor_divide shift_right to_real to_double to_integer to_boolean"
    " less less_equal greater greater_equal equal not_equal and or not is_finite element rows columns".split()
)


# (condition, what is taken where it holds, what elsewhere)
_CHOICES: Mapping[str, Callable[..., tuple[sympy.Expr, sympy.Expr, sympy.Expr]]] = {
    "where": lambda condition, x, y: (condition, x, y),
    "minimum": lambda x, y: (call("less_equal", x, y), x, y),
    "maximum": lambda x, y: (call("greater_equal", x, y), x, y),
    "below": lambda x, y: (call("less_equal", x, y), x, y),
}


def _safe_quotient(numerator: sympy.Expr, x: sympy.Expr, limit: sympy.Expr) -> sympy.Expr:
    near = call("less", call("absolute", x), _number(1e-5))
    return call("where", near, limit, numerator / call("where", near, sympy.Integer(1), x))


def hidden_in(derivative: sympy.Expr) -> str:
    """The function from outside that a derivative could not be taken of."""
    called = [node for node in derivative.atoms(sympy.Function) if getattr(node, "operation", "") == "call"]
    return f"the function {called[0].args[0]}" if called else "a function"


class _Opaque(sympy.Function):  # type: ignore[misc]  # sympy is not typed
    """One kernel operation. Its arguments are never evaluated."""

    operation = ""

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        """A choice differs as what was chosen: a product with 0 would take over the infinities of the other side."""
        choice = _CHOICES.get(self.operation)
        if choice is None:
            return super()._eval_derivative(s)
        condition, first, second = choice(*self.args)
        slopes = sympy.diff(first, s), sympy.diff(second, s)
        return slopes[0] if slopes[0] == slopes[1] else call("where", condition, *slopes)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        if self.operation in _FLAT:
            return sympy.Integer(0)
        rules = _DERIVATIVES.get(self.operation)
        if rules is None or argindex > len(rules):
            raise ArgumentIndexError(self, argindex)
        return rules[argindex - 1](*self.args)


def _opaque(name: str) -> type[sympy.Function]:
    return type(f"op_{name}", (_Opaque,), {"operation": name})


FUNCTIONS: Mapping[str, type[sympy.Function]] = {
    name: _opaque(name) for name in OPERATIONS if name not in ("add", "multiply", "subtract", "negate", "divide", "fma")
} | {"sample": _opaque("sample")}


def to_sympy(expression: Expr) -> sympy.Expr:
    """The sympy form of a plain expression."""
    match expression:
        case Constant(bool() as value):
            return TRUE if value else FALSE
        case Constant(value):
            return _number(value)
        case Symbol(name):
            return sympy.Symbol(name)
        case Operation("power", (base, Constant(int() as exponent))):
            return to_sympy(base) ** exponent
        case Operation(name, arguments):
            parts = [to_sympy(argument) for argument in arguments]
            return combined(name, parts)
    raise TypeError(expression)


def combined(name: str, parts: list[sympy.Expr]) -> sympy.Expr:
    """An operation of terms that are sympy's already."""
    match name:
        case "add":
            return sympy.Add(*parts)
        case "multiply":
            return sympy.Mul(*parts)
        case "subtract":
            return parts[0] - parts[1]
        case "negate":
            return -parts[0]
        case "divide":
            return parts[0] / parts[1]
        case "fma":
            return parts[0] * parts[1] + parts[2]
    return FUNCTIONS[name](*parts)


def from_sympy(expression: sympy.Expr, kinds: Mapping[str, Kind]) -> Expr:
    """The plain form of a sympy expression; `kinds` tells the kind of every symbol."""
    return _Reader(kinds).read(expression)


class _Reader:
    """Reads one expression; numbers take the kind of what they stand beside (REAL where nothing says otherwise)."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.seen: dict[sympy.Expr, Expr] = {}

    def read(self, expression: sympy.Expr) -> Expr:
        found = self.seen.get(expression)
        if found is None:
            found = self.seen[expression] = self._read(expression)
        return found

    def _read(self, expression: sympy.Expr) -> Expr:
        if expression == -INFINITY:  # a number, and nothing to be computed once a run
            return Constant(float("-inf"))
        if expression.is_Symbol:
            return _SPECIAL.get(expression, Symbol(expression.name))
        if expression.is_Number:
            return Constant(to_float(expression))
        if expression.is_Add:
            return self._nary("add", expression.args)
        if expression.is_Mul:
            return self._nary("multiply", expression.args)
        if expression.is_Pow:
            return self._power(*expression.args)
        if isinstance(expression, _Opaque):
            return self._operation(expression.operation, expression.args)
        raise TypeError(f"no plain form for {expression!r}")

    def _nary(self, name: str, arguments: tuple[sympy.Expr, ...]) -> Expr:
        return Operation(name, self._alike([self.read(argument) for argument in arguments]))

    def _alike(self, parts: list[Expr]) -> tuple[Expr, ...]:
        """Numbers beside integers are integers: sympy knows only one kind of number."""
        integer = any(not isinstance(part, Constant) and kind_of(part, self.kinds) is Kind.INTEGER for part in parts)
        if not integer:
            return tuple(parts)
        return tuple(Constant(int(part.value)) if isinstance(part, Constant) else part for part in parts)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Expr:
        below = self.read(base)
        if exponent.is_Integer:
            return Operation("power", (below, Constant(int(exponent))))
        return Operation("power", (below, self.read(exponent)))

    def _operation(self, name: str, arguments: tuple[sympy.Expr, ...]) -> Expr:
        parts = [self.read(argument) for argument in arguments]
        if name == "where":
            return Operation(name, (parts[0], *self._alike(parts[1:])))
        if name == "element":
            indices = (Constant(int(p.value)) if isinstance(p, Constant) else p for p in parts[1:])
            return Operation(name, (parts[0], *indices))
        if OPERATIONS.get(name) is not None and OPERATIONS[name].takes == "number":
            return Operation(name, self._alike(parts))
        return Operation(name, tuple(parts))


_SPECIAL: Mapping[sympy.Symbol, Expr] = {
    TRUE: Constant(True),
    FALSE: Constant(False),
    INFINITY: Constant(float("inf")),
    sympy.Symbol("@nan"): Constant(float("nan")),
}


def to_float(number: sympy.Expr) -> float:
    """A sympy number as a double; beyond the range it is infinite, as in any float64 arithmetic."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
