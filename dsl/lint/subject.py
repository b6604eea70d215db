"""Subject: what the rules look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...backends.evaluation import evaluate
from ...backends.kernel import Expr
from ...grammar import nodes
from ...grammar.source import Span
from ..checked import CheckedModel
from ..inheritance import inherited
from ..keywords import names_read
from ..outline import Outline, outline_of
from ..substitute import expressions_of, operations_of, symbols_of

DRAWN = frozenset({"uniform", "normal", "exponential", "poisson"})


@dataclass(frozen=True)
class Subject:
    """A checked model with its syntax, the step `dt` in ms, and the values that parameters have where nobody sets them."""

    model: CheckedModel
    declaration: nodes.ModelDeclaration
    outline: Outline
    dt: float
    defaults: Mapping[str, float]

    @cached_property
    def read(self) -> frozenset[str]:
        """Every name and function that some statement reads, but for what a function reads of itself."""
        found: set[str] = set()
        for statement in self.declaration.statements:
            found.update(names_read(statement))
            if isinstance(statement, nodes.Refractory):
                found.update(name.id for name in statement.holding)
        return frozenset(found)

    @cached_property
    def own_functions(self) -> frozenset[str]:
        """The functions of the text, and those that are given from outside."""
        return frozenset((*self.outline.functions, *self.outline.callables))

    @cached_property
    def expressions(self) -> tuple[Expr, ...]:
        """What a run computes, and the defaults of parameters; names of derived quantities stand as they are."""
        defaults = [parameter.default for parameter in self.model.parameters if parameter.default is not None]
        return (*expressions_of(self.model), *defaults)

    def value(self, expression: Expr) -> float | None:
        """The value of an expression where all that it reads has a default."""
        if not symbols_of(expression) <= self.defaults.keys() or any(o.name in DRAWN for o in operations_of(expression)):
            return None
        value = float(evaluate(expression, self.defaults))
        return value if math.isfinite(value) else None

    def name_span(self, name: str) -> Span:
        return self.outline.names[name]


def subject_of(model: CheckedModel, declaration: nodes.ModelDeclaration, dt: float) -> Subject:
    whole = declaration if declaration.base is None else inherited(declaration, lambda name: None)[0]
    return Subject(model, whole, outline_of(whole), dt, defaults_of(model))


def defaults_of(model: CheckedModel) -> Mapping[str, float]:
    """The numbers that parameters have by default; none for what is drawn, differs between neurons, or has no default."""
    found: dict[str, float] = {}
    waiting = {p.name: p.default for p in model.parameters if p.default is not None}
    while waiting:
        ready = [name for name, expression in waiting.items() if symbols_of(expression) <= found.keys()]
        if not ready:
            return found
        for name in ready:
            expression = waiting.pop(name)
            if not any(operation.name in DRAWN for operation in operations_of(expression)):
                found[name] = np.float64(evaluate(expression, found))
    return found
