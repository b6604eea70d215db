"""A Kernel to the Python `ast` of the function that the CPU backend compiles.

The function makes many steps of a range of blocks. A block is some hundred neurons whose arrays stand in one contiguous
scratch, value j of row r at r*block + j, so that LLVM sees one array where the kernel has ten, and no checks for overlap
keep the loop over neurons from becoming vector instructions. Lanes behind the last neuron repeat the last neuron, so every
index they compute is inside and whatever they compute is finite if it is.

Where neurons do not read one another, a block makes all steps before the next one begins. Where they do, the scratches of
all blocks stand behind each other, a phase goes over all of them, and the reductions follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .emit import CONVERT, Scope, Spelling, assign, call, extents, filled, name, number
from .kernel import (
    BUILT_IN,
    Array,
    Assign,
    Constant,
    Draw,
    Emit,
    Expr,
    Kernel,
    Kind,
    MatrixProduct,
    Operation,
    Phase,
    Probe,
    Reduce,
    Symbol,
    symbols_of,
)
from .loops import Loop, drawn, drawn_rows, loops_of, made_for, rows_between

# The numbers of the one argument of the function, `plan`; then follow, for each series, its address, rows and columns, and
# the addresses of the matrices.
PLAN = (
    "n first_block last_block begin first last stop k0 k1 capacity at_once recordings blocks"
    " reals integers scalars scratch wholes flags spikes counts marks records ranges spare spare_wholes searched"
).split()
ADDRESSES = PLAN.index("reals")
RECORDING = "probe every start neurons places values".split()  # the numbers of one row of `records`

PRIMITIVES = (
    "all_finite any_of_eight at below copy get largest_of lowest_bit maximum minimum put repeat select sign smallest_of".split()
)
REDUCTIONS = "count largest one_of one_of_block product rank rank_wholes smallest sum_up tree tree_of_block".split()
DISTRIBUTIONS = "uniform normal exponential poisson".split()
PAIRS = {distribution: f"{distribution}_pair" for distribution in DISTRIBUTIONS if distribution != "poisson"}

UNCOUPLED = """
def advance(plan):
    PLACES
    SCALARS
    block, step = first_block, begin
    while block < last_block:
        origin = block * BLOCK
        many = min(BLOCK, n - origin)
        lanes = (many + 31) & -32
        FILL
        MARK
        full = False
        while step < stop:
            FULL
            if full:
                break
            t = step * interval
            t_next = (step + 1) * interval
            RECORD
            if step == last:
                break
            PHASES
            step += 1
        plan[REACHED_BLOCK], plan[REACHED_STEP] = block, step
        finite = True
        CHECK
        if not finite and stop == last:
            FORGET
            return 2
        KEEP
        if full:
            return 1
        block += 1
        step = first
    return 0
"""

COUPLED = """
def advance(plan):
    PLACES
    SCALARS
    EACH_FILL
    MARK
    step = begin
    full = False
    while step < stop:
        FULL
        if full:
            break
        t = step * interval
        t_next = (step + 1) * interval
        EACH_RECORD
        if step == last:
            break
        PHASES
        step += 1
    plan[REACHED_BLOCK], plan[REACHED_STEP] = 0, step
    finite = True
    EACH_CHECK
    if not finite and stop == last:
        FORGET
        return 2
    EACH_KEEP
    return 1 if full else 0
"""

EACH = """
for turn in range(last_block):
    block = ORDER
    origin = block * BLOCK
    many = min(BLOCK, n - origin)
    lanes = (many + 31) & -32
    base = block * WIDTH
    whole_base = block * WHOLE_WIDTH
    INSIDE
"""

# Blocks in turn, and the other way: what the last pass left in the cache is read first in the next.
FORWARD, BACKWARD = "turn", "last_block - 1 - turn"

# Eight flags are read as one word, eight words at once are mostly 0.
EVENTS = """
found = get(counts, EVENT)
for group in range(0, many, 64):
    w = WORD + (group >> 3)
    if any_of_eight(words, w):
        for w in range(w, w + 8):
            word = get(words, w)
            while word != 0:
                j = ((w - WORD) << 3) + (lowest_bit(word) >> 3)
                if j < many:
                    put(spikes, ROWS * EVENT * capacity + found, step)
                    put(spikes, (ROWS * EVENT + 1) * capacity + found, origin + j)
                    MOMENT
                    found += 1
                word &= word - 1
put(counts, EVENT, found)
"""

# The numbers of a draw, ahead of the loop that reads them. Lanes behind the last neuron repeat the last neuron's.
DRAWS = """
for group in range(0, lanes, 64):
    for j in range(group, group + 32):
        one, two = PAIR(origin + j, step, STREAM, k0, k1)
        put(scratch, PLACE + j, one)
        put(scratch, PLACE + 32 + j, two)
repeat(scratch, PLACE + many, PLACE + lanes)
"""

# Counts: their means are written first.
COUNTS = """
MEANS
repeat(scratch, PLACE + many, PLACE + lanes)
MANY(scratch, PLACE, searched, BLOCK, lanes, origin, step, STREAM, k0, k1)
repeat(scratch, PLACE + many, PLACE + lanes)
"""

MOMENT = "put(moments, (ROWS * EVENT + 2) * capacity + found, double(get(scratch, PLACE)))"

# A phase that concerns few neurons: they are flagged, found as events are, and gone through one by one. Under a plain condition LLVM
# would compute the whole phase for all of them.
RARE = """
for j in range(lanes):
    NOBODY
    put(flags, FIRST + j, get(scratch, PLACE) != 0)
for group in range(0, many, 64):
    w = (FIRST + group) >> 3
    if any_of_eight(words, w):
        for w in range(w, w + 8):
            word = get(words, w)
            while word != 0:
                j = (w << 3) - FIRST + (lowest_bit(word) >> 3)
                if j < many:
                    INSIDE
                word &= word - 1
"""

# What a block gives to a reduction while it is at hand: a value in its place of SPARE, or a copy of its values. Behind the
# values of the blocks is room for one block more.
OF_BLOCK = {
    "total": "put(SPARE, block, tree_of_block(VALUES, PLACE, many, SPARE, blocks + 16))",
    "largest": "repeat(VALUES, PLACE + many, PLACE + lanes)\nput(SPARE, block, largest_of(VALUES, PLACE, lanes))",
    "smallest": "repeat(VALUES, PLACE + many, PLACE + lanes)\nput(SPARE, block, smallest_of(VALUES, PLACE, lanes))",
    "count": "put(spare_wholes, block, count(VALUES, PLACE, many))",
    "one_of": """
put(spare_wholes, block, one_of_block(VALUES, PLACE, many, origin, doubles, blocks + 16, step, STREAM, k0, k1))
""",
    "all": "copy(SPARE, origin, VALUES, PLACE, many)",
}
OVER_BLOCKS = {
    "total": "tree(SPARE, 0, blocks)",
    "largest": "largest(SPARE, blocks)",
    "smallest": "smallest(SPARE, blocks)",
    "count": "sum_up(spare_wholes, blocks)",
}

WINNER = """
winner = one_of(spare_wholes, blocks, step, STREAM, k0, k1)
for block in range(last_block):
    for j in range(BLOCK):
        put(scratch, block * WIDTH + FIRST + j, 0)
if winner >= 0:
    put(scratch, winner // BLOCK * WIDTH + FIRST + winner % BLOCK, 1)
"""

# One contiguous array to the scratches of all blocks.
SCATTER = """
for block in range(last_block):
    copy(SCRATCH, block * WIDTH + FIRST, VALUES, block * BLOCK, min(BLOCK, n - block * BLOCK))
repeat(SCRATCH, (last_block - 1) * (WIDTH - BLOCK) + FIRST + n, (last_block - 1) * WIDTH + FIRST + BLOCK)
"""

RECORD = """
for r in range(recordings):
    low, high = get(ranges, r * (blocks + 1) + block), get(ranges, r * (blocks + 1) + block + 1)
    every, since = get(records, 6 * r + 1), step - get(records, 6 * r + 2)
    if get(records, 6 * r) == PROBE and low < high and since >= 0 and since % every == 0:
        row = since // every * get(records, 6 * r + 3)
        places, values = at(get(records, 6 * r + 4), integer), at(get(records, 6 * r + 5), DTYPE)
        UNIFORM
        for q in range(low, high):
            i = get(places, q)
            j = i - origin
            BODY
"""


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
class Generator:
    kernel: Kernel
    precision: str
    block: int
    functions: Mapping[tuple[str, str], str]  # (operation, precision) -> name of a function of vector_math
    scope: Scope = field(init=False)
    arrays: Mapping[str, Array] = field(init=False)
    rows: Mapping[str, int] = field(init=False)
    order: str = field(init=False, default=FORWARD)
    loops: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        kernel = self.kernel
        self.arrays = {array.name: array for array in kernel.arrays}
        self.rows = rows_of(kernel)
        kinds = {array.name: array.kind for array in kernel.arrays} | {scalar.name: scalar.kind for scalar in kernel.scalars}
        spelling = Spelling()
        spelling.given.update({built_in: built_in[1:] for built_in in BUILT_IN})
        spelling.reserve([*self.internal_names(), *spelling.given.values()])
        outside = {function.name: function.takes for function in kernel.functions}
        for place in (*kinds, *outside, *[series.name for series in kernel.series], *[matrix.name for matrix in kernel.matrices]):
            spelling(place)
        self.scope = Scope(spelling, {**BUILT_IN, **kinds}, self.precision, self.functions, outside=outside)

    def internal_names(self) -> set[str]:
        templates = "".join((UNCOUPLED, COUPLED, EACH, EVENTS, MOMENT, RARE, DRAWS, COUNTS, RECORD, WINNER))
        found = {node.id for node in ast.walk(ast.parse(templates)) if isinstance(node, ast.Name)}
        kinds = (*DISTRIBUTIONS, *PAIRS.values(), "poisson_many")
        draws = {f"{kind}_{width}" for kind in kinds for width in ("f64", "f32")}
        more = {*PLAN, *PRIMITIVES, *REDUCTIONS, *self.functions.values(), *draws}
        return found | more | {"doubles", "np", "real", "double", "integer", "inf", "nan", "advance", "words", "plan", "outside"}

    def module(self) -> ast.Module:
        statements = {
            "PLACES": self.places(),
            "SCALARS": self.scalars(),
            "FILL": self.copies(kept=False),
            "KEEP": self.copies(kept=True),
            "CHECK": self.check(),
            "RECORD": self.records(),
            "PHASES": [statement for phase in self.kernel.phases for statement in self.phase(phase)],
            **self.counts(),
        }
        each = {f"EACH_{key}": self.each(statements[key]) for key in ("FILL", "RECORD", "CHECK", "KEEP")}
        (function,) = self.fill(COUPLED if self.kernel.coupled else UNCOUPLED, {**statements, **each})
        assert isinstance(function, ast.FunctionDef)
        return ast.fix_missing_locations(ast.Module([*self.header(), function], []))

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

    def header(self) -> list[ast.stmt]:
        draws = {called for called in self.scope.called if called.partition("_")[0] in DISTRIBUTIONS}
        imports = {
            "primitives": PRIMITIVES,
            "vector_math": sorted(self.scope.called - draws),
            "random": sorted(draws),
            "reductions": REDUCTIONS if self.kernel.coupled else [],
        }
        lines = ["import numpy as np"]
        lines += [f"from {__package__}.{module} import {', '.join(names)}" for module, names in imports.items() if names]
        lines += [f"{self.scope.spelling(name)} = outside[{name!r}]" for name in self.scope.outside]
        lines += ["inf, nan = np.inf, np.nan", f"real, double, integer = np.{self.precision}, np.float64, np.int64"]
        return ast.parse("\n".join(lines)).body

    # ---- what stands before and after the steps -----------------------------------------------------

    def places(self) -> list[ast.stmt]:
        """Names for the numbers of the plan and for what stands at its addresses."""
        kinds = {
            "reals": "real",
            "scratch": "real",
            "spare": "real",
            "scalars": "double",
            "searched": "double",
            "flags": "np.uint8",
        }
        lines = [f"{entry} = plan[{index}]" for index, entry in enumerate(PLAN[:ADDRESSES])]
        for index, entry in enumerate(PLAN[ADDRESSES:], ADDRESSES):
            lines.append(f"{entry} = at(plan[{index}], {kinds.get(entry, 'integer')})")
        lines += [f"words = at(plan[{PLAN.index('flags')}], integer)", "interval = get(scalars, 0)", "dt = real(interval)"]
        lines.append(f"doubles = at(plan[{PLAN.index('spare_wholes')}], double)")
        if self.kernel.timed:
            lines.append(f"moments = at(plan[{PLAN.index('spikes')}], double)")
        index = len(PLAN)
        for place in self.kernel.series:
            series, rows, columns = (self.scope.spelling(key) for key in (place.name, *extents(place.name)))
            lines += [f"{series} = at(plan[{index}], real)", f"{rows} = plan[{index + 1}]", f"{columns} = plan[{index + 2}]"]
            index += 3
        for matrix in self.kernel.matrices:
            lines.append(f"{self.scope.spelling(matrix.name)} = at(plan[{index}], real)")
            index += 1
        return ast.parse("\n".join(lines)).body

    def scalars(self) -> list[ast.stmt]:
        """Scalars stand in `scalars` behind dt, all float64."""
        return [
            assign(self.scope.spelling(scalar.name), self.scalar(scalar.kind, index))
            for index, scalar in enumerate(self.kernel.scalars, start=1)
        ]

    def scalar(self, kind: Kind, index: int) -> ast.expr:
        value = call("get", name("scalars"), number(index))
        as_stored = kind is Kind.DOUBLE or (kind is Kind.REAL and self.precision == "float64")
        return value if as_stored else CONVERT[kind](value)

    def copies(self, kept: bool) -> list[ast.stmt]:
        """Between the arrays and the scratch; `kept`: back, and only what is written."""
        lines = []
        for array in self.kernel.arrays:
            if array.passing:
                continue
            scratch, arrays = ("wholes", "integers") if array.kind is Kind.INTEGER else ("scratch", "reals")
            row = self.rows[array.name]
            inside, outside = ast.unparse(self.place(array.name, number(0))), f"{row} * n + origin"
            if not kept:
                lines.append(f"copy({scratch}, {inside}, {arrays}, {outside}, many)")
                lines.append(f"repeat({scratch}, {inside} + many, {inside} + {'BLOCK' if self.kernel.coupled else 'lanes'})")
            elif array.written:
                lines.append(f"copy({arrays}, {outside}, {scratch}, {inside}, many)")
        return self.fill("\n".join(lines), {})

    def check(self) -> list[ast.stmt]:
        rows = [ast.unparse(self.place(guarded, number(0))) for guarded in self.kernel.guarded]
        return [statement for row in rows for statement in ast.parse(f"finite &= all_finite(scratch, {row}, lanes)").body]

    def counts(self) -> Mapping[str, list[ast.stmt]]:
        """How many spikes are in the buffer: marked where a block begins, taken back where its steps are void."""
        events = range(len(self.kernel.events))
        lines = {
            "MARK": [f"put(marks, {event}, get(counts, {event}))" for event in events],
            "FULL": [f"full |= get(counts, {event}) > capacity - at_once" for event in events],
            "FORGET": [f"put(counts, {event}, get(marks, {event}))" for event in events],
        }
        return {key: ast.parse("\n".join(found)).body for key, found in lines.items()}

    # ---- phases and reductions ----------------------------------------------------------------------

    def phase(self, phase: Phase) -> list[ast.stmt]:
        uniform = [self.scope.assign(statement) for statement in phase.uniform]
        loop = [*self.body(phase), *[statement for emit in phase.emits for statement in self.list_events(emit)]]
        if not self.kernel.coupled:
            return [*uniform, *loop]
        made = uniform
        for reduction in phase.reductions:  # the first one in one pass with the bodies
            made += [*self.each([*loop, *self.of_block(reduction)], self.turned(phase)), *self.over_blocks(reduction)]
            loop = []
        return [*made, *self.each(loop, self.turned(phase) if loop else FORWARD)]

    def turned(self, phase: Phase) -> str:
        """The order of the blocks in the next pass: against that of the last one, but events are listed in the order of the neurons."""
        self.order = FORWARD if phase.emits or self.order == BACKWARD else BACKWARD
        return self.order

    def each(self, inside: list[ast.stmt], order: str = FORWARD) -> list[ast.stmt]:
        """The statements for each block in turn."""
        return self.fill(EACH, {"INSIDE": inside}, ORDER=ast.parse(order, mode="eval").body) if inside else []

    def body(self, phase: Phase) -> list[ast.stmt]:
        """The loops over the neurons of a block."""
        if not phase.body and not phase.emits and not phase.stores:
            return []
        # a table that is read along the neurons is read in order, up to the last neuron
        along = phase.where is not None or any(
            "@i" in _elements(expression) for statement in phase.body if (expression := _expression(statement))
        )
        draws = {draw.name: row for row, draw in enumerate(drawn(phase), self.array_rows())}
        ahead = [statement for draw in drawn(phase) for statement in self.draw_ahead(draw, draws, phase, along)]
        loops = loops_of(self.kernel, phase)
        first = self.array_rows() + drawn_rows(self.kernel)
        carried = {key: first + row for key, row in rows_between(loops).items()}
        made = [self.loop(loop, along, draws, carried) for loop in loops]
        made[-1].body += [
            *[self.flag(emit) for emit in phase.emits],
            *[self.store(store.array, store.name) for store in phase.stores],
        ]
        return [*ahead, *map(self.own_names, made)] if phase.where is None else self.rare(phase, phase.where, made[0].body)

    def own_names(self, loop: ast.For) -> ast.For:
        """The loop with names that no other one assigns: numba's work on a name grows with the whole function where it is assigned twice."""
        self.loops += 1
        stored = {node.id for node in ast.walk(loop) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names = {old: self.scope.spelling(f"@@{old} in loop {self.loops}") for old in sorted(stored)} if self.loops > 1 else {}
        renamed: ast.For = _Renamed(names).visit(loop)
        return renamed

    def rare(self, phase: Phase, where: str, inside: list[ast.stmt]) -> list[ast.stmt]:
        """The flags of an event that it emits serve to find the neurons: the loop leaves there what is to be listed."""
        first, *others = phase.emits or (Emit(0, ""),)
        nobody = [self.put_flag(emit, number(0)) for emit in others]
        filled = {"INSIDE": inside, "NOBODY": nobody}
        return self.fill(RARE, filled, PLACE=self.place(where, name("j")), FIRST=first.event * self.block)

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
            *self.loads(reads),
            *[
                assign(self.scope.spelling(key), call("get", name("scratch"), self.row(row, name("j"))))
                for key, row in taken.items()
            ],
            *[self.scope.draw(s) if isinstance(s, Draw) else self.scope.assign(s) for s in statements],
        ]
        return ast.For(ast.Name("j", ast.Store()), call("range", name("many" if along else "lanes")), made, [])

    def keep(self, key: str, row: int) -> ast.stmt:
        return ast.Expr(call("put", name("scratch"), self.row(row, name("j")), name(self.scope.spelling(key))))

    def draw_ahead(self, draw: Draw, rows: Mapping[str, int], phase: Phase, along: bool) -> list[ast.stmt]:
        """The loops that write the numbers of a draw to its row."""
        width, place = "f64" if self.precision == "float64" else "f32", self.row(rows[draw.name], number(0))
        function = f"{PAIRS.get(draw.distribution, 'poisson_many')}_{width}"
        self.scope.called.add(function)
        self.scope.kinds[draw.name] = Kind.REAL
        if draw.mean is None:
            return self.fill(DRAWS, {}, PAIR=name(function), STREAM=draw.stream, PLACE=place)
        made = made_for(draw.mean, phase)
        reads = frozenset(key for e in (draw.mean, *[s.expression for s in made]) for key in symbols_of(e))
        taken = {key: row for key, row in rows.items() if key in reads}
        means = self.neurons(along, reads, taken, made)
        target = self.row(rows[draw.name], name("j"))
        means.body.append(ast.Expr(call("put", name("scratch"), target, self.scope.converted(draw.mean, Kind.REAL))))
        return self.fill(COUNTS, {"MEANS": [means]}, MANY=name(function), STREAM=draw.stream, PLACE=place)

    def array_rows(self) -> int:
        return sum(array.kind is not Kind.INTEGER for array in self.kernel.arrays)

    def list_events(self, emit: Emit) -> list[ast.stmt]:
        """The neurons whose flag is set go to the buffer: a row of steps, one of neurons, and one of moments where there are any."""
        rows = 3 if self.kernel.timed else 2
        places = {} if emit.moment is None else {"PLACE": self.place(emit.moment, name("j"))}
        moment = self.fill(MOMENT, {}, EVENT=emit.event, ROWS=rows, **places) if places else []
        return self.fill(EVENTS, {"MOMENT": moment}, EVENT=emit.event, WORD=emit.event * self.block // 8, ROWS=rows)

    def of_block(self, reduction: Reduce | MatrixProduct) -> list[ast.stmt]:
        """What a reduction takes from one block."""
        operation = "all" if isinstance(reduction, MatrixProduct) else reduction.operation
        template = OF_BLOCK[{"mean": "total", "any": "count", "rank": "all"}.get(operation, operation)]
        return self.fill(template, {}, PLACE=self.place(reduction.of, number(0)), **self.taken(reduction))

    def over_blocks(self, reduction: Reduce | MatrixProduct) -> list[ast.stmt]:
        """The value for all, or a result for each neuron, from what the blocks have given."""
        if isinstance(reduction, MatrixProduct):
            product = f"product({self.scope.spelling(reduction.matrix)}, SPARE, spare_wholes, n)"
            return [*self.fill(product, {}, **self.taken(reduction)), *self.scatter(reduction.name, self.spare(reduction.of))]
        if reduction.operation == "rank":
            function = "rank_wholes" if self.arrays[reduction.of].kind is Kind.INTEGER else "rank"
            made = self.fill(f"{function}(SPARE, spare_wholes, n)", {}, **self.taken(reduction))
            return [*made, *self.scatter(reduction.name, "spare_wholes")]
        if reduction.operation == "one_of":
            return self.fill(WINNER, {}, FIRST=self.rows[reduction.name] * self.block, **self.taken(reduction))
        self.scope.kinds[reduction.name] = reduction.kind
        return [assign(self.scope.spelling(reduction.name), self.reduced(reduction))]

    def taken(self, reduction: Reduce | MatrixProduct) -> dict[str, ast.expr | int]:
        """The names in the templates of a reduction."""
        values = "wholes" if self.arrays[reduction.of].kind is Kind.INTEGER else "scratch"
        stream = reduction.stream if isinstance(reduction, Reduce) else 0
        return {"VALUES": name(values), "SPARE": name(self.spare(reduction.of)), "STREAM": stream}

    def spare(self, array: str) -> str:
        return "spare_wholes" if self.arrays[array].kind is Kind.INTEGER else "spare"

    def reduced(self, reduction: Reduce) -> ast.expr:
        function = {"mean": "total", "any": "count"}.get(reduction.operation, reduction.operation)
        (statement,) = self.fill(OVER_BLOCKS[function], {}, **self.taken(reduction))
        assert isinstance(statement, ast.Expr)
        value = statement.value
        if reduction.operation == "mean":
            return ast.BinOp(call("real", value), ast.Div(), call("real", name("n")))
        whole = self.arrays[reduction.of].kind is Kind.INTEGER or function == "count"
        given = Kind.INTEGER if whole else Kind.REAL
        return value if given is reduction.kind else CONVERT[reduction.kind](value)

    def scatter(self, array: str, values: str) -> list[ast.stmt]:
        whole = self.arrays[array].kind is Kind.INTEGER
        places = {"SCRATCH": name("wholes" if whole else "scratch"), "VALUES": name(values)}
        width = {"WIDTH": self.width(whole)}
        return self.fill(SCATTER, {}, FIRST=self.rows[array] * self.block, **width, **places)

    # ---- recordings ----------------------------------------------------------------------------------

    def records(self) -> list[ast.stmt]:
        return [statement for index, probe in enumerate(self.kernel.probes) for statement in self.record(index, probe)]

    def record(self, index: int, probe: Probe) -> list[ast.stmt]:
        inner = self.scope.inside({statement.name for statement in (*probe.uniform, *probe.body)})
        uniform = [inner.assign(statement) for statement in probe.uniform]
        expressions = [probe.expression, *[statement.expression for statement in probe.body]]
        loads = self.loads({symbol for expression in expressions for symbol in symbols_of(expression)})
        body = [inner.assign(statement) for statement in probe.body]
        value = inner.converted(probe.expression, probe.kind)
        put = ast.Expr(call("put", name("values"), ast.BinOp(name("row"), ast.Add(), name("q")), value))
        dtype = {Kind.REAL: "real", Kind.DOUBLE: "double", Kind.INTEGER: "integer", Kind.BOOLEAN: "np.bool_"}[probe.kind]
        constants = {"PROBE": number(index), "DTYPE": ast.parse(dtype, mode="eval").body}
        return self.fill(RECORD, {"UNIFORM": uniform, "BODY": [*loads, *body, put]}, **constants)

    # ---- places --------------------------------------------------------------------------------------

    def loads(self, read: Iterable[str]) -> list[ast.stmt]:
        return [assign(self.scope.spelling(a.name), self.load(a)) for a in self.kernel.arrays if a.name in read]

    def load(self, array: Array) -> ast.expr:
        value = call("get", name("wholes" if array.kind is Kind.INTEGER else "scratch"), self.place(array.name, name("j")))
        return CONVERT[Kind.BOOLEAN](value) if array.kind is Kind.BOOLEAN else value

    def place(self, array: str, index: ast.expr) -> ast.expr:
        """Where a value of an array stands in the scratch; what is passing has one row behind all blocks, which stays near."""
        if self.arrays[array].passing and self.kernel.coupled:
            return ast.BinOp(ast.BinOp(name("blocks"), ast.Mult(), number(self.width(False))), ast.Add(), index)
        return self.row(self.rows[array], index, "whole_base" if self.arrays[array].kind is Kind.INTEGER else "base")

    def row(self, row: int, index: ast.expr, base: str = "base") -> ast.expr:
        """Where a value of a row of a block stands in the scratch."""
        place: ast.expr = ast.BinOp(number(row * self.block), ast.Add(), index) if row else index
        return ast.BinOp(name(base), ast.Add(), place) if self.kernel.coupled else place

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


def _expression(statement: Assign | Draw) -> Expr | None:
    return statement.mean if isinstance(statement, Draw) else statement.expression


def generate(kernel: Kernel, precision: str, block: int, functions: Mapping[tuple[str, str], str]) -> str:
    """The text of the module: one function `advance` of the address of its plan."""
    return ast.unparse(Generator(kernel, precision, block, functions).module())
