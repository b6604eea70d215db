"""Reductions that are folded (sums, extremes, counts, one of many), as statements of a coupled kernel's text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from ..emit import CONVERT, assign, call, filled, name, number
from ..kernel import Kind, Reduce
from . import reductions as text
from .generate_values import TYPES, Filling, Reductions, Values, element, into
from .reductions import PARTS

PAIRED = {"largest": "maximum", "smallest": "minimum"}


@dataclass(frozen=True)
class Folds:
    values: Values

    def chosen(self, reduction: Reduce) -> str:
        """The register of the neuron that one_of has chosen."""
        return self.values.scope.spelling(f"@@chosen {reduction.name}")

    def parts(self, reduction: Reduce, kind: Kind, at: str) -> ast.expr:
        return element(f"{PARTS[kind]}[{self.values.room.first[PARTS[kind], reduction.name]} + (step & 1), {at}]")

    def batches(self, reductions: Reductions) -> list[list[Reduce]]:
        """The reductions that are folded, some side by side."""
        found = [r for r in reductions if isinstance(r, Reduce) and text.folded(r)]
        return [found[first : first + text.TOGETHER] for first in range(0, len(found), text.TOGETHER)]

    def shared(self, reductions: Reductions) -> list[ast.stmt]:
        """The shared arrays in which blocks fold."""
        wanted: dict[tuple[Kind, int], None] = {}
        for batch in self.batches(reductions):
            for slot, reduction in enumerate(batch):
                wanted[self.values.kind(reduction), slot] = None
                if reduction.operation == "one_of":
                    wanted[Kind.INTEGER, slot] = None
        return [statement for kind, slot in wanted for statement in self.values.shared(kind, slot)]

    def nothing(self, reductions: Reductions) -> list[ast.stmt]:
        """What the registers of results hold before the first step."""
        made: list[ast.stmt] = []
        for reduction in filter(text.folded, reductions):
            assert isinstance(reduction, Reduce)
            if reduction.operation == "one_of":
                made.append(assign(self.chosen(reduction), call("integer", number(-1))))
            else:
                zero = number(False) if reduction.kind is Kind.BOOLEAN else call(TYPES[reduction.kind], number(0))
                made.append(assign(self.values.scope.spelling(reduction.name), zero))
        return made

    def tile(self, reductions: Reductions) -> list[ast.stmt]:
        """What a block makes of the values of a tile."""
        made: list[ast.stmt] = []
        for batch in self.batches(reductions):
            put, keep = [], []
            for slot, r in enumerate(batch):
                put.append(into(self.at(r, slot, "thread"), name(self.values.value(r))))
                keep.append(into(self.parts(r, self.values.kind(r), "tile"), self.at(r, slot, "0")))
                if r.operation == "one_of":
                    put.append(into(self.who(slot, "thread"), name("i")))
                    keep.append(into(self.parts(r, Kind.INTEGER, "tile"), self.who(slot, "0")))
            made += filled(text.TILE_FOLDED, {"PUT": put, "TREE": self.tree(batch), "KEEP": keep})
        return made

    def at(self, reduction: Reduce, slot: int, place: str) -> ast.expr:
        return element(f"{self.values.space(self.values.kind(reduction), slot)}[{place}]")

    def who(self, slot: int, place: str) -> ast.expr:
        return element(f"{self.values.space(Kind.INTEGER, slot)}[{place}]")

    def tree(self, batch: list[Reduce]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            if r.operation == "one_of":
                spaces: Filling = {
                    "SPACE": name(self.values.space(Kind.DOUBLE, slot)),
                    "WHO": name(self.values.space(Kind.INTEGER, slot)),
                }
                made += filled(text.ONE_COMBINED, {}, **spaces)
            else:
                four = [self.at(r, slot, place) for place in ("place", "place + width", "place + 2 * width", "place + 3 * width")]
                made.append(into(four[0], _four(r.operation, four)))
        return filled(text.TREE, {"COMBINE": made})

    def gather(self, batch: list[Reduce]) -> list[ast.stmt]:
        """Each thread folds four parts."""
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            if r.operation == "one_of":
                rows = {
                    "ROW": self.values.room.first["double_parts", r.name],
                    "WHO_ROW": self.values.room.first["whole_parts", r.name],
                }
                names = {"PARTS": name("double_parts"), "WHO_PARTS": name("whole_parts")}
                spaces: Filling = {
                    "SPACE": name(self.values.space(Kind.DOUBLE, slot)),
                    "WHO": name(self.values.space(Kind.INTEGER, slot)),
                }
                made += filled(text.ONE_GATHERED, {}, **rows, **names, **spaces)
            else:
                four = [
                    ast.IfExp(
                        element(f"part + {q} < many"),
                        self.parts(r, self.values.kind(r), f"at + part + {q}"),
                        self.values.identity(r),
                    )
                    for q in range(4)
                ]
                made.append(into(self.at(r, slot, "thread"), _four(r.operation, four)))
        return made

    def results(self, batch: list[Reduce]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            found = self.at(r, slot, "0")
            if r.operation == "one_of":
                made.append(assign(self.chosen(r), self.who(slot, "0")))
                continue
            if r.operation == "mean":
                found = ast.BinOp(call("real", found), ast.Div(), call("real", name("n")))
            made.append(assign(self.values.scope.spelling(r.name), CONVERT[r.kind](found)))
        return made

    def across(self, reductions: Reductions) -> list[ast.stmt]:
        """Behind a barrier: the results in registers of every thread."""
        made: list[ast.stmt] = []
        for batch in self.batches(reductions):
            keep = []
            for slot, r in enumerate(batch):
                keep.append(into(self.parts(r, self.values.kind(r), "at + many + group"), self.at(r, slot, "0")))
                if r.operation == "one_of":
                    keep.append(into(self.parts(r, Kind.INTEGER, "at + many + group"), self.who(slot, "0")))
            pieces = {"GATHER": self.gather(batch), "TREE": self.tree(batch), "KEEP": keep, "RESULT": self.results(batch)}
            made += filled(text.FOLDED, pieces, THREADS=self.values.layout.threads)
        return made


def _pair(operation: str, a: ast.expr, b: ast.expr) -> ast.expr:
    return call(PAIRED[operation], a, b) if operation in PAIRED else ast.BinOp(a, ast.Add(), b)


def _four(operation: str, values: Sequence[ast.expr]) -> ast.expr:
    a, b, c, d = values
    return _pair(operation, _pair(operation, a, b), _pair(operation, c, d))
