"""What the keyword form lets pass, put right."""

from __future__ import annotations

from dataclasses import replace

from ...grammar import nodes
from .subject import Analysis


def put_right(a: Analysis, declaration: nodes.ModelDeclaration) -> nodes.ModelDeclaration:
    """The declaration in the strict form, which can be printed and read again."""
    if not a.scope.rewrites:
        return declaration
    found = [strict_statement(a, statement) for statement in declaration.statements]
    return replace(declaration, statements=tuple(statement for statement in found if statement is not None))


def strict_statement(a: Analysis, statement: nodes.Statement) -> nodes.Statement | None:
    if not isinstance(statement, (nodes.Event, nodes.EachStep)):
        return a.scope.rewrites.get(id(statement), statement)
    kept = (a.scope.rewrites.get(id(line), line) for line in statement.block)
    block = tuple(line for line in kept if isinstance(line, nodes.Assignment))
    return replace(statement, block=block) if block or isinstance(statement, nodes.Event) else None
