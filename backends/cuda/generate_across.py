"""What is reduced across the population, as statements of a coupled kernel's text, from the templates in `reductions`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from ..emit import assign, call, filled, name, number
from ..kernel import Constant, MatrixProduct, Reduce
from . import reductions as text
from .generate_folds import Folds
from .generate_ranks import Ranks
from .generate_values import Reductions, Values, element, into, parsed


@dataclass(frozen=True)
class Across:
    values: Values

    @property
    def folds(self) -> Folds:
        return Folds(self.values)

    @property
    def ranks(self) -> Ranks:
        return Ranks(self.values)

    def shared(self, segments: Sequence[Reductions]) -> list[ast.stmt]:
        """The arrays that the threads of a block share, for what is reduced behind each pass over the neurons."""
        made = [s for reductions in segments for s in (*self.folds.shared(reductions), *self.ranks.shared(reductions))]
        if any(isinstance(r, MatrixProduct) for reductions in segments for r in reductions):
            made += parsed(f"factors = cuda.shared.array({self.span}, real)")
            made += parsed(f"terms = cuda.shared.array({self.span * self.values.layout.rows}, real)")
        return list({ast.unparse(statement): statement for statement in made}.values())

    def tile(self, reductions: Reductions) -> list[ast.stmt]:
        """What a block makes of the values of a tile."""
        sorted_ = [statement for rank in self.ranks.of(reductions) for statement in self.ranks.tile(rank)]
        return [*self.folds.tile(reductions), *sorted_]

    def across(self, reductions: Reductions) -> list[ast.stmt]:
        """Behind a barrier: the results in registers of every thread; the ranks but for their last round; the products."""
        products = [statement for r in reductions if isinstance(r, MatrixProduct) for statement in self.product(r)]
        last = parsed("grid.sync()") if products else []
        return [*self.folds.across(reductions), *self.ranks.across(reductions), *products, *last]

    def settled(self, reductions: Reductions) -> list[ast.stmt]:
        """The arrays that a reduction fills, to the registers of a neuron and to their places."""
        made: list[ast.stmt] = []
        for reduction in reductions:
            if isinstance(reduction, Reduce) and reduction.operation == "rank":
                made += self.ranks.settled(reduction)
            elif isinstance(reduction, Reduce) and reduction.operation == "one_of":
                made += self._chosen(reduction)
        return made

    def _chosen(self, reduction: Reduce) -> list[ast.stmt]:
        register = self.values.scope.spelling(reduction.name)
        chosen = ast.Compare(name(self.folds.chosen(reduction)), [ast.Eq()], [name("i")])
        stored = call("select", name(register), *[self.values.scope.emit(Constant(value)) for value in (1.0, 0.0)])
        return [assign(register, chosen), into(self.values.place(self.values.arrays[reduction.name], "i"), stored)]

    # ---- products ---------------------------------------------------------------------------------

    @property
    def span(self) -> int:
        """Columns that a block fetches at a time."""
        return text.FETCHED * (self.values.layout.threads // self.values.layout.rows)

    def product(self, product: MatrixProduct) -> list[ast.stmt]:
        fetch, keep = [], []
        for number_ in range(text.FETCHED):
            column = element(f"team + {number_ * (self.values.layout.threads // self.values.layout.rows)}")
            term = name(self.values.scope.spelling(f"@@term {number_}"))
            fetch += filled(text.FETCH, {}, COLUMN=column, TERM=term, MATRIX=name(self.values.scope.spelling(product.matrix)))
            at = ast.BinOp(ast.BinOp(column, ast.Mult(), number(self.values.layout.rows)), ast.Add(), name("beside"))
            keep.append(into(ast.Subscript(name("terms"), at, ast.Load()), term))
        of, target = self.values.arrays[product.of], self.values.arrays[product.name]
        return filled(
            text.PRODUCT,
            {"FETCH": fetch, "KEEP": keep},
            FACTOR=call("real", self.values.place(of, "first_column + column")),
            TARGET=self.values.place(target, "row"),
            THREADS=self.values.layout.threads,
            ROWS=self.values.layout.rows,
            SPAN=self.span,
        )
