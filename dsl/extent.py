"""How large and how deep expressions are when the functions (and definitions) they use are written out, without writing them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..grammar import nodes
from .roles import parts

MOST_TERMS = 100_000  # of a whole model
MOST_LEVELS = 150  # of one expression: what the stages after this one can walk by recursion


@dataclass(frozen=True)
class Extent:
    """The number of terms and of levels of an expression, and how often and how deep each argument of its function stands in it."""

    terms: int
    levels: int
    uses: Mapping[str, int] = field(default_factory=dict)
    at_level: Mapping[str, int] = field(default_factory=dict)

    @property
    def too_large(self) -> bool:
        return self.terms > MOST_TERMS or self.levels > MOST_LEVELS


ONE_TERM = Extent(1, 1)
Formulas = Mapping[str, tuple[tuple[str, ...], Extent]]  # by name: the arguments, none for a definition, and the extent


def extent(node: nodes.Expression, formulas: Formulas, arguments: frozenset[str] = frozenset()) -> Extent:
    """The extent of an expression in which `formulas` are written out; `arguments` are those of the function it belongs to."""
    match node:
        case nodes.Name(id=name):
            if name in arguments:
                return Extent(0, 0, {name: 1}, {name: 1})
            return formulas[name][1] if name in formulas and not formulas[name][0] else ONE_TERM
        case nodes.Call(function=name, arguments=given) if name in formulas:
            names, body = formulas[name]
            return applied(body, dict(zip(names, [extent(part, formulas, arguments) for part in given], strict=False)))
    return above([extent(part, formulas, arguments) for part in parts(node)])


def above(inner: list[Extent]) -> Extent:
    """One operation on others."""
    uses: dict[str, int] = {}
    at_level: dict[str, int] = {}
    for part in inner:
        for name, count in part.uses.items():
            uses[name] = uses.get(name, 0) + count
            at_level[name] = max(at_level.get(name, 0), part.at_level[name] + 1)
    return Extent(1 + sum(part.terms for part in inner), 1 + max((part.levels for part in inner), default=0), uses, at_level)


def applied(body: Extent, given: Mapping[str, Extent]) -> Extent:
    """The body of a function with expressions in the place of its arguments."""
    terms, levels = body.terms, body.levels
    uses: dict[str, int] = {}
    at_level: dict[str, int] = {}
    for argument, count in body.uses.items():
        part, level = given.get(argument, ONE_TERM), body.at_level[argument] - 1
        terms += count * part.terms
        levels = max(levels, level + part.levels)
        for name, inner in part.uses.items():
            uses[name] = uses.get(name, 0) + count * inner
            at_level[name] = max(at_level.get(name, 0), level + part.at_level[name])
    return Extent(terms, levels, uses, at_level)
