"""Recordings: the rows that a block writes, before a step, for each probe that asks for it."""

from __future__ import annotations

import ast

from ..emit import call, name, number
from ..kernel import Kind, Probe, symbols_of
from .layout import Layout
from .templates import RECORD


def records(layout: Layout) -> list[ast.stmt]:
    return [statement for index, probe in enumerate(layout.kernel.probes) for statement in record(layout, index, probe)]


def record(layout: Layout, index: int, probe: Probe) -> list[ast.stmt]:
    inner = layout.scope.inside({statement.name for statement in (*probe.uniform, *probe.body)})
    uniform = [inner.assign(statement) for statement in probe.uniform]
    expressions = [probe.expression, *[statement.expression for statement in probe.body]]
    loads = layout.loads({symbol for expression in expressions for symbol in symbols_of(expression)})
    body = [inner.assign(statement) for statement in probe.body]
    value = inner.converted(probe.expression, probe.kind)
    put = ast.Expr(call("put", name("values"), ast.BinOp(name("row"), ast.Add(), name("q")), value))
    dtype = {Kind.REAL: "real", Kind.DOUBLE: "double", Kind.INTEGER: "integer", Kind.BOOLEAN: "np.bool_"}[probe.kind]
    constants = {"PROBE": number(index), "DTYPE": ast.parse(dtype, mode="eval").body}
    return layout.fill(RECORD, {"UNIFORM": uniform, "BODY": [*loads, *body, put]}, **constants)
