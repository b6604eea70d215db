"""A generated module: its text, its functions, what their arguments are, and where the arrays of a kernel lie."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from ..kernel import Array, Kernel, Kind
from .templates import HALF


@dataclass(frozen=True)
class Argument:
    """One argument of a generated function: its name, and what the caller puts there.

    `of` is a row of the tables STEPS_TIME, PLACES, CHUNK or `reductions.ACROSS`, "moments", or "scalar", "series", "rows", "columns",
    "matrix" (its columns), or one of RECORDED; `place` is the name in the kernel, `kind` that of what is in it.
    """

    spelled: str
    of: str
    place: str = ""
    kind: Kind = Kind.INTEGER


@dataclass(frozen=True)
class Function:
    """A generated function and its arguments; `neurons`: how many a thread makes, one, or two that are HALF apart."""

    name: str
    arguments: tuple[Argument, ...]
    neurons: int = 1

    def threads(self, n: int) -> int:
        """Threads for n neurons."""
        return n if self.neurons == 1 else -(-n // (2 * HALF)) * HALF


@dataclass(frozen=True)
class Text:
    """The generated module: its text, what it has to be given (names of functions), the functions it defines, and for each function
    from outside how the text spells its name."""

    source: str
    imports: tuple[str, ...]
    functions: tuple[Function, ...]
    outside: tuple[tuple[str, str], ...]


def with_arguments(node: ast.stmt, arguments: tuple[Argument, ...]) -> ast.stmt:
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [ast.arg(argument.spelled) for argument in arguments]
    return node


def place_of(array: Array) -> str:
    """The device array that holds an array of the kernel: what is written apart from what is not, integers apart from the rest."""
    return (
        ("whole" if array.written else "fixed_whole") if array.kind is Kind.INTEGER else ("reals" if array.written else "fixed")
    )


def rows_of(kernel: Kernel) -> Mapping[str, int]:
    """The row of each array in its device array."""
    rows: dict[str, int] = {}
    for place in ("reals", "whole", "fixed", "fixed_whole"):
        rows.update({name: row for row, name in enumerate(a.name for a in kernel.arrays if place_of(a) == place)})
    return rows
