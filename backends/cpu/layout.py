"""Where the values of a block stand, and how they are read and written."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..emit import CONVERT, Scope, assign, call, filled, name, number
from ..kernel import Array, Constant, Emit, Kernel, Kind, Symbol
from .loops import drawn_rows
from .templates import PLAN


@dataclass
class Layout:
    """The scratch of a kernel: a row an array, then a row a draw and a row a value that goes from loop to loop; all that is
    written in a function is spelled by one `scope`."""

    kernel: Kernel
    precision: str
    block: int
    scope: Scope
    arrays: Mapping[str, Array] = field(init=False)
    rows: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.arrays = {array.name: array for array in self.kernel.arrays}
        self.rows = rows_of(self.kernel)

    def fill(self, template: str, statements: Mapping[str, list[ast.stmt]], **constants: ast.expr | int) -> list[ast.stmt]:
        """A template with its names in capitals replaced."""
        fixed = {
            "BLOCK": self.block,
            "WIDTH": self.width(False),
            "WHOLE_WIDTH": self.width(True),
            "REACHED_BLOCK": PLAN.index("first_block"),
            "REACHED_STEP": PLAN.index("begin"),
        }
        return filled(template, statements, **{**fixed, **constants})

    def width(self, whole: bool) -> int:
        """How far the scratches of two blocks are apart."""
        rows = sum((array.kind is Kind.INTEGER) is whole for array in self.kernel.arrays)
        return (rows if whole else rows + drawn_rows(self.kernel)) * self.block

    def array_rows(self) -> int:
        return sum(array.kind is not Kind.INTEGER for array in self.kernel.arrays)

    def place(self, array: str, index: ast.expr) -> ast.expr:
        """Where a value of an array stands in the scratch; what is passing has one row behind all blocks, which stays near."""
        if self.arrays[array].passing and self.kernel.coupled:
            return ast.BinOp(ast.BinOp(name("blocks"), ast.Mult(), number(self.width(False))), ast.Add(), index)
        return self.row(self.rows[array], index, "whole_base" if self.arrays[array].kind is Kind.INTEGER else "base")

    def row(self, row: int, index: ast.expr, base: str = "base") -> ast.expr:
        """Where a value of a row of a block stands in the scratch."""
        place: ast.expr = ast.BinOp(number(row * self.block), ast.Add(), index) if row else index
        return ast.BinOp(name(base), ast.Add(), place) if self.kernel.coupled else place

    def loads(self, read: Iterable[str]) -> list[ast.stmt]:
        return [assign(self.scope.spelling(a.name), self.load(a)) for a in self.kernel.arrays if a.name in read]

    def load(self, array: Array) -> ast.expr:
        value = call("get", name("wholes" if array.kind is Kind.INTEGER else "scratch"), self.place(array.name, name("j")))
        return CONVERT[Kind.BOOLEAN](value) if array.kind is Kind.BOOLEAN else value

    def flag(self, emit: Emit) -> ast.stmt:
        return self.put_flag(emit, name(self.scope.spelling(emit.flag)))

    def put_flag(self, emit: Emit, value: ast.expr) -> ast.stmt:
        place = ast.BinOp(number(emit.event * self.block), ast.Add(), name("j"))
        return ast.Expr(call("put", name("flags"), place, value))

    def store(self, array: str, symbol: str) -> ast.stmt:
        kind = self.arrays[array].kind
        value = self.scope.converted(Symbol(symbol), kind)
        if kind is Kind.BOOLEAN:
            value = call("select", value, *[self.scope.emit(Constant(stored)) for stored in (1.0, 0.0)])
        return ast.Expr(call("put", name("wholes" if kind is Kind.INTEGER else "scratch"), self.place(array, name("j")), value))


def rows_of(kernel: Kernel) -> Mapping[str, int]:
    """The row of each array among those that are stored together: reals and booleans, or integers."""
    rows: dict[str, int] = {}
    for whole in (False, True):
        together = [array.name for array in kernel.arrays if (array.kind is Kind.INTEGER) is whole]
        rows.update({found: row for row, found in enumerate(together)})
    return rows
