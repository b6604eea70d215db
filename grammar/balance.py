"""Long sums and products as shallow trees, so that what walks a tree by recursion can walk them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .nodes import Binary, Call, Comparison, Conditional, Expression, Logical, Unary
from .walks import children

INVERSE = {"+": "-", "-": "+", "*": "/", "/": "*"}
SHORT = 16  # terms that stay as they stand


def balanced(expression: Expression) -> Expression:
    """The expression with chains `a + b - c ...` of more than SHORT terms halved, and halved again: `(a + b) - (c - d)`.

    The value is the same but for the order of rounding.
    """
    done: dict[int, Expression] = {}
    waiting = [(expression, False)]
    while waiting:
        node, ready = waiting.pop()
        signs, terms = chain(node)
        if ready:
            parts = [done[id(term)] for term in terms]
            done[id(node)] = halved(signs, parts) if signs else rebuilt(node, parts)
        else:
            waiting += [(node, True), *((term, False) for term in terms)]
    return done[id(expression)]


def chain(node: Expression) -> tuple[list[str], list[Expression]]:
    """The terms of a sum or product with the sign before each; any other expression has no signs, and its parts for terms."""
    if not isinstance(node, Binary) or node.operator not in INVERSE:
        return [], list(children(node))
    plain = "+" if node.operator in "+-" else "*"
    signs: list[str] = []
    terms: list[Expression] = []
    left: Expression = node
    while isinstance(left, Binary) and left.operator in (plain, INVERSE[plain]):
        signs.append(left.operator)
        terms.append(left.right)
        left = left.left
    return [plain, *reversed(signs)], [left, *reversed(terms)]


def halved(signs: Sequence[str], terms: Sequence[Expression]) -> Expression:
    if len(terms) <= SHORT:
        result = terms[0]
        for sign, term in zip(signs[1:], terms[1:], strict=True):
            result = Binary(result.span.to(term.span), sign, result, term)
        return result
    middle = len(terms) // 2
    first, sign = halved(signs[:middle], terms[:middle]), signs[middle]
    inner = [INVERSE[s] for s in signs[middle:]] if sign in "-/" else list(signs[middle:])
    second = halved(inner, terms[middle:])
    return Binary(first.span.to(second.span), sign, first, second)


def rebuilt(node: Expression, parts: Sequence[Expression]) -> Expression:
    """The same node with other parts, in the order of `children`."""
    match node:
        case Unary():
            return replace(node, operand=parts[0])
        case Binary():
            return replace(node, left=parts[0], right=parts[1])
        case Comparison():
            return replace(node, first=parts[0], rest=tuple((s, part) for (s, _), part in zip(node.rest, parts[1:], strict=True)))
        case Logical():
            return replace(node, operands=tuple(parts))
        case Conditional():
            return Conditional(node.span, *parts)
        case Call():
            return replace(node, arguments=tuple(parts))
    return node
