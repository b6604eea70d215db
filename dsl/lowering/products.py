"""Sums as terms with a sign, products and quotients as factors, integer powers as products."""

from __future__ import annotations

from ...backends.kernel import Constant, Expr, Operation


def terms_of(expression: Expr, sign: int) -> list[tuple[int, Expr]]:
    if isinstance(expression, Operation):
        if expression.name == "add":
            return [term for argument in expression.arguments for term in terms_of(argument, sign)]
        if expression.name == "subtract":
            return terms_of(expression.arguments[0], sign) + terms_of(expression.arguments[1], -sign)
        if expression.name == "negate":
            return terms_of(expression.arguments[0], -sign)
    return [(sign, expression)]


def factors_of(expression: Expr) -> tuple[float, list[Expr], list[Expr]]:
    """A product as (number, factors above, factors below); powers are spread out."""
    match expression:
        case Constant(value):
            return float(value), [], []
        case Operation("negate", (inner,)):
            number, above, below = factors_of(inner)
            return -number, above, below
        case Operation("multiply", arguments):
            number, above, below = 1.0, [], []
            for argument in arguments:
                part = factors_of(argument)
                number, above, below = number * part[0], above + part[1], below + part[2]
            return number, above, below
        case Operation("divide", (top, bottom)):
            over, under = factors_of(top), factors_of(bottom)
            if under[0] == 0:
                return 1.0, [expression], []
            return over[0] / under[0], over[1] + under[2], over[2] + under[1]
        case Operation("power", (base, Constant(int() as exponent))) if exponent < 0:
            number, above, below = factors_of(power(base, -exponent))
            return (1.0 / number, below, above) if number else (1.0, [expression], [])
    return 1.0, [expanded(expression) if isinstance(expression, Operation) else expression], []


def expanded(expression: Operation) -> Operation:
    """Powers as products and roots; any other operation as it is."""
    match expression:
        case Operation("power", (base, Constant(int() as exponent))):
            if exponent < 0:
                return Operation("divide", (Constant(1.0), power(base, -exponent)))
            result = power(base, exponent)
            return result if isinstance(result, Operation) else Operation("multiply", (Constant(1.0), result))
        case Operation("power", (base, Constant(float() as exponent))) if abs(exponent) == 0.5:
            root = Operation("sqrt", (base,))
            return root if exponent > 0 else Operation("divide", (Constant(1.0), root))
        case Operation("power", (base, Constant(float() as exponent))) if exponent == 1.5:
            return Operation("multiply", (base, Operation("sqrt", (base,))))
    return expression


_LONGEST_PRODUCT = 64


def power(base: Expr, exponent: int) -> Expr:
    """A power as products of squares; beyond 64 it stays a power."""
    if exponent == 0:
        return Constant(1.0)
    if exponent == 1:
        return base
    if exponent > _LONGEST_PRODUCT:
        return Operation("power", (base, Constant(float(exponent))))
    half = power(base, exponent // 2)
    square = Operation("multiply", (half, half))
    return square if exponent % 2 == 0 else Operation("multiply", (square, base))


def first_of(expression: Expr) -> Expr:
    assert isinstance(expression, Operation)
    return expression.arguments[0]


def second_of(expression: Expr) -> Expr:
    assert isinstance(expression, Operation)
    return expression.arguments[1]


def is_a(expression: Expr, name: str) -> bool:
    return isinstance(expression, Operation) and expression.name == name


def product_of(factors: list[Expr]) -> Expr:
    if not factors:
        return Constant(1.0)
    return factors[0] if len(factors) == 1 else Operation("multiply", tuple(factors))


def quotient(number: float, above: list[Expr], below: list[Expr]) -> Expr:
    top = product_of(([] if number == 1.0 else [Constant(number)]) + above)
    return Operation("divide", (top, product_of(below))) if below else top


def signed(sign: int, term: Expr) -> Expr:
    return term if sign > 0 else Operation("negate", (term,))


def negative(factor: Expr) -> Expr:
    return Constant(-factor.value) if isinstance(factor, Constant) else Operation("negate", (factor,))


def plain_sum(terms: list[tuple[int, Expr]]) -> Expr:
    total = signed(*terms[0])
    for sign, term in terms[1:]:
        total = Operation("add" if sign > 0 else "subtract", (total, term))
    return total
