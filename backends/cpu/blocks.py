"""The loops over the neurons of a block."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..emit import assign, call, name, number
from ..kernel import Assign, Draw, Emit, Expr, Kind, Operation, Phase, symbols_of
from .layout import Layout
from .loops import Loop, drawn, drawn_rows, loops_of, made_for, rows_between
from .templates import COUNTS, DRAWS, EVENTS, MOMENT, PAIRS, RARE


class _Renamed(ast.NodeTransformer):
    """Other names in the place of some."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def _elements(expression: Expr) -> set[str]:
    """Names that occur in the indices of a series."""
    if isinstance(expression, Operation):
        found = {symbol for argument in expression.arguments for symbol in _elements(argument)}
        return found | (symbols_of(expression) if expression.name == "element" else set())
    return set()


@dataclass
class Blocks:
    """Writes the loops of one function; `loops` counts them."""

    layout: Layout
    loops: int = 0

    def body(self, phase: Phase) -> list[ast.stmt]:
        """The loops over the neurons of a block."""
        if not phase.body and not phase.emits and not phase.stores:
            return []
        # a table that is read along the neurons is read in order, up to the last neuron
        along = phase.where is not None or any(
            "@i" in _elements(expression) for statement in phase.body if (expression := _expression(statement))
        )
        draws = {draw.name: row for row, draw in enumerate(drawn(phase), self.layout.array_rows())}
        ahead = [statement for draw in drawn(phase) for statement in self.draw_ahead(draw, draws, phase, along)]
        loops = loops_of(self.layout.kernel, phase)
        first = self.layout.array_rows() + drawn_rows(self.layout.kernel)
        carried = {key: first + row for key, row in rows_between(loops).items()}
        made = [self.loop(loop, along, draws, carried) for loop in loops]
        made[-1].body += [
            *[self.layout.flag(emit) for emit in phase.emits],
            *[self.layout.store(store.array, store.name) for store in phase.stores],
        ]
        return [*ahead, *map(self.own_names, made)] if phase.where is None else self.rare(phase, phase.where, made[0].body)

    def own_names(self, loop: ast.For) -> ast.For:
        """The loop with names that no other one assigns: numba's work on a name grows with the whole function where it is assigned twice."""
        self.loops += 1
        stored = {node.id for node in ast.walk(loop) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names = (
            {old: self.layout.scope.spelling(f"@@{old} in loop {self.loops}") for old in sorted(stored)} if self.loops > 1 else {}
        )
        renamed: ast.For = _Renamed(names).visit(loop)
        return renamed

    def rare(self, phase: Phase, where: str, inside: list[ast.stmt]) -> list[ast.stmt]:
        """The flags of an event that it emits serve to find the neurons: the loop leaves there what is to be listed."""
        first, *others = phase.emits or (Emit(0, ""),)
        nobody = [self.layout.put_flag(emit, number(0)) for emit in others]
        filled = {"INSIDE": inside, "NOBODY": nobody}
        return self.layout.fill(RARE, filled, PLACE=self.layout.place(where, name("j")), FIRST=first.event * self.layout.block)

    def loop(self, loop: Loop, along: bool, draws: Mapping[str, int], carried: Mapping[str, int]) -> ast.For:
        """One loop without its flags and stores, with the rows of what is drawn ahead and of what is carried."""
        taken = {key: row for key, row in draws.items() if key in loop.reads} | {key: carried[key] for key in loop.taken}
        made = self.neurons(along, loop.reads, taken, loop.statements)
        made.body += [self.keep(key, carried[key]) for key in loop.kept]
        return made

    def neurons(
        self, along: bool, reads: frozenset[str], taken: Mapping[str, int], statements: Sequence[Assign | Draw]
    ) -> ast.For:
        """A loop over the neurons of a block, which loads what it reads and what it takes from rows."""
        index = "origin + j" if along else "origin + select(j < many, j, many - 1)"
        indexed = "@i" in reads or any(isinstance(statement, Draw) for statement in statements)
        made = [
            *([assign("i", ast.parse(index, mode="eval").body)] if indexed else []),
            *self.layout.loads(reads),
            *[
                assign(self.layout.scope.spelling(key), call("get", name("scratch"), self.layout.row(row, name("j"))))
                for key, row in taken.items()
            ],
            *[self.layout.scope.draw(s) if isinstance(s, Draw) else self.layout.scope.assign(s) for s in statements],
        ]
        return ast.For(ast.Name("j", ast.Store()), call("range", name("many" if along else "lanes")), made, [])

    def keep(self, key: str, row: int) -> ast.stmt:
        return ast.Expr(call("put", name("scratch"), self.layout.row(row, name("j")), name(self.layout.scope.spelling(key))))

    def draw_ahead(self, draw: Draw, rows: Mapping[str, int], phase: Phase, along: bool) -> list[ast.stmt]:
        """The loops that write the numbers of a draw to its row."""
        width, place = "f64" if self.layout.precision == "float64" else "f32", self.layout.row(rows[draw.name], number(0))
        function = f"{PAIRS.get(draw.distribution, 'poisson_many')}_{width}"
        self.layout.scope.called.add(function)
        self.layout.scope.kinds[draw.name] = Kind.REAL
        if draw.mean is None:
            return self.layout.fill(DRAWS, {}, PAIR=name(function), STREAM=draw.stream, PLACE=place)
        made = made_for(draw.mean, phase)
        reads = frozenset(key for e in (draw.mean, *[s.expression for s in made]) for key in symbols_of(e))
        taken = {key: row for key, row in rows.items() if key in reads}
        means = self.neurons(along, reads, taken, made)
        target = self.layout.row(rows[draw.name], name("j"))
        means.body.append(ast.Expr(call("put", name("scratch"), target, self.layout.scope.converted(draw.mean, Kind.REAL))))
        return self.layout.fill(COUNTS, {"MEANS": [means]}, MANY=name(function), STREAM=draw.stream, PLACE=place)

    def list_events(self, emit: Emit) -> list[ast.stmt]:
        """The neurons whose flag is set go to the buffer: a row of steps, one of neurons, and one of moments where there are any."""
        rows = 3 if self.layout.kernel.timed else 2
        places = {} if emit.moment is None else {"PLACE": self.layout.place(emit.moment, name("j"))}
        moment = self.layout.fill(MOMENT, {}, EVENT=emit.event, ROWS=rows, **places) if places else []
        return self.layout.fill(EVENTS, {"MOMENT": moment}, EVENT=emit.event, WORD=emit.event * self.layout.block // 8, ROWS=rows)


def _expression(statement: Assign | Draw) -> Expr | None:
    return statement.mean if isinstance(statement, Draw) else statement.expression
