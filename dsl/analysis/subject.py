"""Analysis: one model while it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ...backends.kernel import Expr
from ...grammar import nodes
from ...grammar.walks import expressions_of
from ..formulas import written_out
from ..outline import Outline, outline_of
from ..roles import Roles
from ..scope import Role, Scope
from ..suspects import Origin
from ..units import Unit


class Analysis:
    """The checking of one model without a base. Everything found goes to `scope`."""

    def __init__(self, declaration: nodes.ModelDeclaration, keyword_form: bool, unread: frozenset[str]) -> None:
        self.declaration = declaration
        self.lenient = keyword_form
        self.unread = unread  # names of statements with a mistake of syntax
        self.outline: Outline = outline_of(declaration)
        self.roles = Roles(self.outline)
        names, functions = tuple(self.outline.names), self.outline.functions
        self.scope = Scope(names, functions=functions, broken_functions=self.roles.broken_functions)
        self.scope.externals = tuple(self.outline.callables)
        self.scope.mistakes += [*self.outline.mistakes, *self.roles.mistakes]
        self.scope.broken_names |= self.roles.in_circles | unread
        self.values: dict[str, Expr] = {}  # definitions
        self.derivatives: dict[str, Expr] = {}
        self.initials: dict[str, Expr] = {}
        self.flags: dict[str, frozenset[str]] = {}

    @property
    def written(self) -> dict[str, Origin]:
        return self.scope.written

    def written_unit(self, name: str) -> Unit:
        unit = self.written[name].unit
        assert unit is not None
        return unit

    def role(self, name: str) -> Role:
        entry = self.scope.entries.get(name)
        return entry.role if entry is not None else self.roles.role(name)

    def names_of(self, role: Role) -> list[str]:
        return [name for name in self.outline.names if name in self.scope.entries and self.role(name) is role]

    def statements_of(self, name: str) -> list[nodes.Statement]:
        o = self.outline
        tables = (o.differentials, o.definitions, o.declarations, o.callables, o.initials)
        return [table[name] for table in tables if name in table]

    def expressions(self) -> Iterator[nodes.Expression]:
        """Every expression of the model, but for the bodies of functions."""
        for statement in self.declaration.statements:
            if not isinstance(statement, nodes.FunctionDefinition):
                yield from expressions_of(statement)

    @cached_property
    def written_out(self) -> dict[str, Expr]:
        """The formulas of derived quantities, in terms of states and parameters alone."""
        return written_out({name: self.values[name] for name in self.roles.order if self.role(name) is Role.DERIVED})
