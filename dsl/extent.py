"""How large and how deep expressions are when the functions and definitions they use are written out, without writing them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..backends.kernel import Constant, Expr, Operation, Symbol
from ..grammar import nodes
from ..grammar.walks import children

MOST_TERMS = 100_000  # of a whole model, functions written out
LONGEST = 20_000  # terms of one expression, functions and definitions written out; models of hundreds of equations stay far below
MOST_LEVELS = 150  # of one expression: what the stages after this one can walk by recursion


@dataclass(frozen=True)
class Extent:
    """The number of terms and of levels of an expression, and how often and how deep each name that is left open stands in it."""

    terms: int
    levels: int
    uses: Mapping[str, int] = field(default_factory=dict)
    at_level: Mapping[str, int] = field(default_factory=dict)

    @property
    def too_large(self) -> bool:
        """Whether it is more than can be meant, and than the stages after this one can do."""
        return self.terms > LONGEST or self.levels > MOST_LEVELS


ONE_TERM = Extent(1, 1)
Formulas = Mapping[str, tuple[tuple[str, ...], Extent]]  # by name: the arguments, none for a definition, and the extent


def extent(node: nodes.Expression | Expr, formulas: Formulas, open_names: frozenset[str] = frozenset()) -> Extent:
    """The extent of an expression in which `formulas` are written out.

    `open_names` count where it is used: the arguments of the function that it belongs to, and what is defined later.
    """
    match node:
        case nodes.Name(id=name) | Symbol(name):
            return of_name(name, formulas, open_names)
        case nodes.Call(function=name, arguments=given) if name in formulas:
            names, body = formulas[name]
            values = {used: of_name(used, formulas, open_names) for used in body.uses}
            values.update(zip(names, [extent(part, formulas, open_names) for part in given], strict=False))
            return applied(body, values)
        case Operation(_, inner):
            return above([extent(part, formulas, open_names) for part in inner])
        case Constant():
            return ONE_TERM
    return above([extent(part, formulas, open_names) for part in children(node)])


def of_name(name: str, formulas: Formulas, open_names: frozenset[str]) -> Extent:
    if name in open_names:
        return Extent(0, 0, {name: 1}, {name: 1})
    return formulas[name][1] if name in formulas and not formulas[name][0] else ONE_TERM


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
