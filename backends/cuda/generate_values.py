"""How the values that neurons give to a reduction are spelled, and what stands for a value where there is none."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..emit import CONVERT, Scope, assign, call, name, number
from ..kernel import Array, Constant, Kind, MatrixProduct, Reduce
from .reductions import LARGEST_INTEGER, Layout, Room, kind_folded

Reductions = Sequence[Reduce | MatrixProduct]
Filling = dict[str, ast.expr | int]  # of a template

TYPES = {Kind.REAL: "real", Kind.DOUBLE: "double", Kind.INTEGER: "integer"}


@dataclass(frozen=True)
class Values:
    """`load(array, index)` is the value of an array of the kernel, `place(array, index)` where it stands."""

    layout: Layout
    room: Room
    scope: Scope
    arrays: dict[str, Array]
    load: Callable[[Array, str], ast.expr]
    place: Callable[[Array, str], ast.expr]

    def value(self, reduction: Reduce) -> str:
        """The register of a neuron's value."""
        return self.scope.spelling(f"@@value {reduction.name}")

    def space(self, kind: Kind, slot: int) -> str:
        """The shared array in which a block folds."""
        return self.scope.spelling(f"@@space {kind.value} {slot}")

    def kind(self, reduction: Reduce) -> Kind:
        return kind_folded(reduction, self.arrays[reduction.of])

    def shared(self, kind: Kind, slot: int) -> list[ast.stmt]:
        return parsed(f"{self.space(kind, slot)} = cuda.shared.array({self.layout.threads}, {TYPES[kind]})")

    def identity(self, reduction: Reduce) -> ast.expr:
        """What changes nothing; of ranks what stands last."""
        kind, operation = self.kind(reduction), reduction.operation
        if kind is Kind.INTEGER:
            least = ast.UnaryOp(ast.Invert(), number(LARGEST_INTEGER))
            value: ast.expr = {"largest": least, "rank": least, "smallest": number(LARGEST_INTEGER)}.get(operation, number(0))
        else:
            value = {
                "largest": ast.UnaryOp(ast.USub(), name("inf")),
                "smallest": name("inf"),
                "rank": name("nan"),
                "one_of": number(-1.0),
            }.get(operation, number(-0.0))
        return call(TYPES[kind], value)

    def none(self, reductions: Reductions) -> list[ast.stmt]:
        """The values of a thread that has no neuron."""
        return [assign(self.value(r), self.identity(r)) for r in reductions if isinstance(r, Reduce)]

    def values(self, reductions: Reductions) -> list[ast.stmt]:
        """The values of a neuron."""
        return [statement for r in reductions if isinstance(r, Reduce) for statement in self.of(r)]

    def of(self, reduction: Reduce) -> list[ast.stmt]:
        """The value of a neuron, from the register of its array."""
        of, value = self.arrays[reduction.of], self.value(reduction)
        register = name(self.scope.spelling(of.name))
        holds = register if of.kind is Kind.BOOLEAN else CONVERT[Kind.BOOLEAN](register)
        if reduction.operation == "one_of":
            self.scope.called.add("uniform_f64")
            drawn = call("uniform_f64", name("i"), name("step"), number(reduction.stream), name("k0"), name("k1"))
            return [ast.If(holds, [assign(value, drawn)], [])]
        if reduction.operation in ("any", "count"):
            return [assign(value, call("integer", call("select", holds, number(1), number(0))))]
        if of.kind is Kind.BOOLEAN:
            register = call("select", register, *[self.scope.emit(Constant(stored)) for stored in (1.0, 0.0)])
        return [assign(value, register)]


def parsed(lines: str) -> list[ast.stmt]:
    return ast.parse(lines).body


def element(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def into(place: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([place], value)
