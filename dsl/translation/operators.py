"""Operators: sums, products, powers, comparisons, conditions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from ...backends.kernel import Constant, Expr, Kind, Operation
from ...grammar import nodes
from ...grammar.source import Span
from ..dimensions import NUMBER, Constraint, times, to_power
from ..scope import Value, as_kind, common_kind, real
from ..substitute import substitute, symbols_of, transform
from ..unit_mistakes import (
    ExponentNotConstant,
)
from ..value_mistakes import CrossesMisused
from .core import Translation

COMPARED = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
WHOLE: Mapping[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "floor_divide": lambda a, b: a // b if b else 0,
    "modulo": lambda a, b: a % b if b else 0,
}


def read_unary(t: Translation, node: nodes.Unary) -> Value:
    if node.operator == "not":
        value = t.condition(node.operand, "`not`")
        return Value(t.fold(node.span, "not", value.expression), Kind.BOOLEAN, NUMBER, node.span)
    value = t.value(node.operand)
    if value.kind is Kind.BOOLEAN:
        value = value._replace(expression=real(value), kind=Kind.REAL)
    if node.operator == "+":
        return value._replace(span=node.span)
    literal = None if value.literal is None else -value.literal
    return value._replace(expression=t.fold(node.span, "negate", value.expression), span=node.span, literal=literal)


def read_binary(t: Translation, node: nodes.Binary) -> Value:
    for operators, reader in CHAINS:
        if node.operator in operators:
            return reader(t, node, operators)
    return read_power(t, node) if node.operator == "^" else read_whole_division(t, node)


def chain(t: Translation, node: nodes.Binary, operators: str) -> tuple[Value, list[tuple[nodes.Binary, Value]]]:
    """A chain `a + b - c` as its first operand and the further ones, without recursion along the chain."""
    links: list[nodes.Binary] = []
    left: nodes.Expression = node
    while isinstance(left, nodes.Binary) and left.operator in operators and len(left.operator) == 1:
        links.append(left)
        left = left.left
    first = t.value(left)
    return first, [(link, t.value(link.right)) for link in reversed(links)]


def read_sum(t: Translation, node: nodes.Binary, operators: str) -> Value:
    first, links = chain(t, node, operators)
    for link, term in links:
        if term.form != first.form:
            t.scope.constraints.append(t.unlike("add" if link.operator == "+" else "subtract", first, term))
    total = first
    for link, term in links:
        total = combine(t, link, "add" if link.operator == "+" else "subtract", total, term)
    return total._replace(form=first.form, noise=next((v.noise for v in (first, *(t for _, t in links)) if v.noise), None))


def read_product(t: Translation, node: nodes.Binary, operators: str) -> Value:
    first, links = chain(t, node, operators)
    product, form, noise = first, first.form, first.noise
    parts: list[tuple[Value, int]] = [*(first.parts or ((first, 1),))]
    for link, factor in links:
        sign = 1 if link.operator == "*" else -1
        form = times(form, factor.form, sign)
        parts.append((factor, sign))
        if factor.noise is not None and (noise is not None or sign < 0):
            t.without_noise(factor)
            form = t.scope.anything(factor.span).form
        noise = noise or factor.noise
        product = combine(t, link, "multiply" if sign > 0 else "divide", product, factor)
    return product._replace(form=form, noise=noise, parts=tuple(parts), unit_name=None)


def combine(t: Translation, link: nodes.Binary, name: str, left: Value, right: Value) -> Value:
    """One operation on two numbers; units are the caller's."""
    kind = Kind.REAL if name == "divide" else common_kind((left, right))
    a, b = as_kind(left, kind), as_kind(right, kind)
    literal = None
    if name != "divide" and left.literal is not None and right.literal is not None and kind is Kind.REAL:
        literal = WHOLE[name](left.literal, right.literal)
        literal = literal if abs(literal) < 2**53 else None
    if name in ("add", "multiply") and isinstance(a, Operation) and a.name == name:
        expression = t.fold(link.span, name, *a.arguments, b)
    else:
        expression = t.fold(link.span, name, a, b)
    return Value(expression, kind, NUMBER, link.span, literal)


def read_whole_division(t: Translation, node: nodes.Binary) -> Value:
    left, right = t.value(node.left), t.value(node.right)
    t.without_noise(left, right)
    t.alike("divide", (left, right))
    value = combine(t, node, "floor_divide" if node.operator == "//" else "modulo", left, right)
    return value._replace(form=left.form if node.operator == "%" else NUMBER)


def read_power(t: Translation, node: nodes.Binary) -> Value:
    base, exponent = t.value(node.left), t.value(node.right)
    if not t.without_noise(base, exponent):
        return t.scope.anything(node.span)
    t.number("an exponent", exponent)
    if not isinstance(exponent.expression, Constant):
        fixed = fixed_exponent(t, base, exponent)
        if fixed is not None:
            return constant_power(t, node, base, fixed)
        if base.form:
            blame = lambda found, _: ExponentNotConstant(exponent.span, base.span, found)  # noqa: E731
            t.scope.constraints.append(Constraint(base.form, NUMBER, t.rank, (base.span, exponent.span), blame))
        return Value(t.fold(node.span, "power", real(base), real(exponent)), Kind.REAL, NUMBER, node.span)
    return constant_power(t, node, base, float(exponent.expression.value))


def fixed_exponent(t: Translation, base: Value, exponent: Value) -> float | None:
    """The value of an exponent made of parameters, where the base has a unit: they have to keep it, since units are checked with it."""
    dimension = t.scope.known_so_far(base.form)
    if dimension is None or dimension.is_one:
        return None
    names: set[str] = set()
    value = exponent.expression
    while (found := symbols_of(value)) and found <= t.scope.defaults.keys():
        names |= found
        value = transform(substitute(value, t.scope.defaults), lambda node: t.folded(exponent.span, node))
    if not isinstance(value, Constant):
        return None
    t.scope.exponents |= names
    return float(value.value)


def constant_power(t: Translation, node: nodes.Binary, base: Value, exponent: float) -> Value:
    form = to_power(base.form, exact_value(node.right) or Fraction(exponent).limit_denominator(1000)) if base.form else NUMBER
    if isinstance(base.expression, Constant):
        return Value(t.fold(node.span, "power", real(base), Constant(exponent)), Kind.REAL, form, node.span)
    if exponent != int(exponent if math.isfinite(exponent) else 0) or abs(exponent) > 2**31:
        return Value(Operation("power", (real(base), Constant(exponent))), Kind.REAL, form, node.span)
    kind = Kind.INTEGER if base.kind is Kind.INTEGER and exponent >= 0 else Kind.REAL
    return Value(Operation("power", (as_kind(base, kind), Constant(int(exponent)))), kind, form, node.span)


def read_comparison(t: Translation, node: nodes.Comparison) -> Value:
    left, results = t.value(node.first), []
    for operator, operand in node.rest:
        right = t.value(operand)
        t.without_noise(left, right)
        t.alike("compare", (left, right))
        results.append(compared(t, node, operator, left, right))
        left = right
    expression = results[0] if len(results) == 1 else t.fold(node.span, "and", *results)
    return Value(expression, Kind.BOOLEAN, NUMBER, node.span)


def compared(t: Translation, node: nodes.Comparison, operator: str, left: Value, right: Value) -> Expr:
    kind = common_kind((left, right))
    a, b = as_kind(left, kind), as_kind(right, kind)
    if operator != "crosses":
        return t.fold(node.span, COMPARED[operator], a, b)
    if not t.place.crosses:
        t.scope.report(CrossesMisused(node.span))
    return Operation("crosses", (a, b))


def read_logical(t: Translation, node: nodes.Logical) -> Value:
    parts = [t.condition(operand, f"`{node.operator}`").expression for operand in node.operands]
    return Value(t.fold(node.span, node.operator, *parts), Kind.BOOLEAN, NUMBER, node.span)


def read_conditional(t: Translation, node: nodes.Conditional) -> Value:
    condition = t.condition(node.condition, "`if`")
    return choice(t, node.span, condition, t.value(node.then), t.value(node.otherwise))


def choice(t: Translation, span: Span, condition: Value, then: Value, otherwise: Value) -> Value:
    t.alike("choose between", (then, otherwise))
    both = then.kind is Kind.BOOLEAN and otherwise.kind is Kind.BOOLEAN
    kind = Kind.BOOLEAN if both else common_kind((then, otherwise))
    a, b = (v.expression if both else as_kind(v, kind) for v in (then, otherwise))
    return Value(Operation("where", (condition.expression, a, b)), kind, then.form, span, noise=then.noise or otherwise.noise)


def exact_value(node: nodes.Expression) -> Fraction | None:
    """The exact value of a written exponent: `2`, `-1`, `0.5`, `1/3`, `(3/2)`."""
    match node:
        case nodes.Number(value=value):
            return Fraction(str(value)) if math.isfinite(value) else None
        case nodes.Unary(operator=("-" | "+") as sign, operand=operand):
            inner = exact_value(operand)
            return inner if inner is None or sign == "+" else -inner
        case nodes.Binary(operator="/", left=left, right=right):
            above, below = exact_value(left), exact_value(right)
            return above / below if above is not None and below else None
    return None


CHAINS = (("+-", read_sum), ("*/", read_product))
