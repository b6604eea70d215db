"""Reductions across the population: what each block gives, and what is made of it."""

from __future__ import annotations

import ast

from ..emit import CONVERT, assign, call, name, number
from ..kernel import Kind, MatrixProduct, Reduce
from .layout import Layout
from .templates import OF_BLOCK, OVER_BLOCKS, SCATTER, WINNER


def of_block(layout: Layout, reduction: Reduce | MatrixProduct) -> list[ast.stmt]:
    """What a reduction takes from one block."""
    operation = "all" if isinstance(reduction, MatrixProduct) else reduction.operation
    template = OF_BLOCK[{"mean": "total", "any": "count", "rank": "all"}.get(operation, operation)]
    return layout.fill(template, {}, PLACE=layout.place(reduction.of, number(0)), **taken(layout, reduction))


def over_blocks(layout: Layout, reduction: Reduce | MatrixProduct) -> list[ast.stmt]:
    """The value for all, or a result for each neuron, from what the blocks have given."""
    if isinstance(reduction, MatrixProduct):
        product = f"product({layout.scope.spelling(reduction.matrix)}, SPARE, spare_wholes, n)"
        return [
            *layout.fill(product, {}, **taken(layout, reduction)),
            *scatter(layout, reduction.name, spare(layout, reduction.of)),
        ]
    if reduction.operation == "rank":
        function = "rank_wholes" if layout.arrays[reduction.of].kind is Kind.INTEGER else "rank"
        made = layout.fill(f"{function}(SPARE, spare_wholes, n)", {}, **taken(layout, reduction))
        return [*made, *scatter(layout, reduction.name, "spare_wholes")]
    if reduction.operation == "one_of":
        return layout.fill(WINNER, {}, FIRST=layout.rows[reduction.name] * layout.block, **taken(layout, reduction))
    layout.scope.kinds[reduction.name] = reduction.kind
    return [assign(layout.scope.spelling(reduction.name), reduced(layout, reduction))]


def taken(layout: Layout, reduction: Reduce | MatrixProduct) -> dict[str, ast.expr | int]:
    """The names in the templates of a reduction."""
    values = "wholes" if layout.arrays[reduction.of].kind is Kind.INTEGER else "scratch"
    stream = reduction.stream if isinstance(reduction, Reduce) else 0
    return {"VALUES": name(values), "SPARE": name(spare(layout, reduction.of)), "STREAM": stream}


def spare(layout: Layout, array: str) -> str:
    return "spare_wholes" if layout.arrays[array].kind is Kind.INTEGER else "spare"


def reduced(layout: Layout, reduction: Reduce) -> ast.expr:
    function = {"mean": "total", "any": "count"}.get(reduction.operation, reduction.operation)
    (statement,) = layout.fill(OVER_BLOCKS[function], {}, **taken(layout, reduction))
    assert isinstance(statement, ast.Expr)
    value = statement.value
    if reduction.operation == "mean":
        return ast.BinOp(call("real", value), ast.Div(), call("real", name("n")))
    whole = layout.arrays[reduction.of].kind is Kind.INTEGER or function == "count"
    given = Kind.INTEGER if whole else Kind.REAL
    return value if given is reduction.kind else CONVERT[reduction.kind](value)


def scatter(layout: Layout, array: str, values: str) -> list[ast.stmt]:
    whole = layout.arrays[array].kind is Kind.INTEGER
    places = {"SCRATCH": name("wholes" if whole else "scratch"), "VALUES": name(values)}
    width = {"WIDTH": layout.width(whole)}
    return layout.fill(SCATTER, {}, FIRST=layout.rows[array] * layout.block, **width, **places)
