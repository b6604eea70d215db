"""Walks over syntax trees, without recursion: nothing here may run out of stack."""

from __future__ import annotations

from collections.abc import Iterator

from . import nodes


def children(expression: nodes.Expression) -> tuple[nodes.Expression, ...]:
    """The expressions directly inside an expression."""
    match expression:
        case nodes.Unary():
            return (expression.operand,)
        case nodes.Binary():
            return (expression.left, expression.right)
        case nodes.Comparison():
            return (expression.first, *(operand for _, operand in expression.rest))
        case nodes.Logical():
            return expression.operands
        case nodes.Conditional():
            return (expression.then, expression.condition, expression.otherwise)
        case nodes.Call():
            return expression.arguments
    return ()


def parts_of(expression: nodes.Expression) -> Iterator[nodes.Expression]:
    """The expression and everything in it, from left to right."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(children(part))


def depth_of(expression: nodes.Expression) -> int:
    """The number of levels of an expression."""
    deepest, level = 0, [expression]
    while level:
        deepest += 1
        level = [child for part in level for child in children(part)]
    return deepest


def names_used(statement: nodes.Statement) -> Iterator[str]:
    """The names that the expressions of a statement use."""
    for expression in expressions_of(statement):
        for part in parts_of(expression):
            if isinstance(part, nodes.Name):
                yield part.id
            elif isinstance(part, nodes.Call):
                yield part.function


def expressions_of(statement: nodes.Statement) -> tuple[nodes.Expression, ...]:
    """Every expression in a statement, but for the targets of assignments."""
    match statement:
        case nodes.Differential():
            return (statement.expression,) if statement.factor is None else (statement.factor, statement.expression)
        case nodes.Event():
            return (statement.condition, *(line.expression for line in statement.block))
        case nodes.EachStep():
            return tuple(line.expression for line in statement.block)
        case nodes.Surrogate():
            values = tuple(value for _, value in statement.arguments)
            return values if statement.of is None else (*values, statement.of)
        case (
            nodes.Definition()
            | nodes.Initial()
            | nodes.FunctionDefinition()
            | nodes.Assignment()
            | nodes.Refractory()
            | nodes.Output()
        ):
            return (statement.expression,)
    return ()
