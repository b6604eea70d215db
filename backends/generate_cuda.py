"""A Kernel to the Python `ast` of the functions that the CUDA backend compiles: one thread a neuron.

Where neurons do not read one another, a thread makes many steps with its state in registers, and writes it back at the end,
to arrays beside those it was read from: a chunk that turns out to be void (more spikes than there is room for, a value that
is not finite) is simply made again. `status` tells whether it is, and `before` is that of the chunk before: where that one is void,
nothing is read or written. Where neurons read one another, each phase is a function of its own, and state stays in arrays.

Each neuron has a short list of its own for the events of a chunk, so that no thread waits for another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .emit import CONVERT, Scope, Spelling, assign, call, extents, filled, name, number
from .kernel import (
    BUILT_IN,
    Array,
    Constant,
    Draw,
    Emit,
    Expr,
    Kernel,
    Kind,
    Phase,
    Probe,
    Reduce,
    Symbol,
    symbols_of,
)

OVERFULL, NOT_FINITE = (
    1,
    2,
)  # bits of status[0]: a neuron had more events than its list has places; a value that has to be finite is not

STEPS_TIME = "first steps interval dt".split()  # of many steps at once: the first one, and their number
STEP_TIME = "step base interval dt".split()  # `base`: the first step of the chunk
# what every function is given. listed[event, place, neuron] is a step since the first one of the chunk, counts[event, neuron] their number
PLACES = "n k0 k1 capacity reals whole fixed fixed_whole listed counts status".split()
CHUNK = "reals_out whole_out before".split()  # and those that make a chunk
RECORDING = "every since row column values".split()  # for each probe
RECORDED = (
    "due apart column values".split()
)  # the same where many steps are made at once: the first step that is due, since the first one

STEPS = """
def advance(ARGUMENTS):
    i = cuda.grid(1)
    if i < n and before[0] == 0:
        LOAD
        NONE_LISTED
        s = int32(0)
        while s < steps:
            TIMES
            PHASES
            s = int32(s + 1)
        STORE
        COUNTED
        CHECK
"""

# Steps up to the next one that is due for a recording, so that most of them do not ask. No steps at all: only what is due at the first.
STEPS_RECORDED = """
def advance(ARGUMENTS):
    i = cuda.grid(1)
    if i < n and before[0] == 0:
        LOAD
        NONE_LISTED
        NONE_RECORDED
        s = int32(0)
        while True:
            RECORDS
            until = steps
            UNTIL
            while s < until:
                TIMES
                PHASES
                s = int32(s + 1)
            if s == steps:
                break
        STORE
        COUNTED
        CHECK
"""

NONE_RECORDED = """
ROW = int32(0)
PLACE = COLUMN[i] if DUE <= steps else int32(-1)
"""

RECORD_IN_CHUNK = """
if s == DUE:
    if PLACE >= 0:
        TIMES
        BODY
        VALUES[ROW, PLACE] = VALUE
    ROW = int32(ROW + 1)
    DUE = int32(DUE + APART)
"""

UNTIL = """
if DUE < until:
    until = DUE
"""

PHASE = """
def FUNCTION(ARGUMENTS):
    i = cuda.grid(1)
    if i < n:
        TIMES
        LOAD
        BODY
        STORE
"""

RECORD = """
if EVERY > 0:
    past = step - SINCE
    if past >= 0 and past % EVERY == 0:
        place = COLUMN[i]
        if place >= 0:
            BODY
            VALUES[past // EVERY - ROW, place] = VALUE
"""

# An event goes to the list of its neuron. Where many steps are made at once, the number of those is kept in a register.
LISTED = """
if FLAG:
    if COUNT < capacity:
        listed[EVENT, COUNT, i] = s
        MOMENT
    COUNT = int32(COUNT + 1)
"""

COUNTED = """
counts[EVENT, i] = COUNT
if COUNT > capacity:
    cuda.atomic.or_(status, 0, OVERFULL)
"""

LISTED_IN_STEP = """
if FLAG:
    count = counts[EVENT, i]
    if count < capacity:
        listed[EVENT, count, i] = step - base
    else:
        cuda.atomic.or_(status, 0, OVERFULL)
    counts[EVENT, i] = count + 1
"""

TROUBLE = """
if not FINITE:
    cuda.atomic.or_(status, 0, NOT_FINITE)
"""


MOMENT = "moments[EVENT, COUNT, i] = MOMENT_VALUE"

TEMPLATES = (
    *(STEPS, STEPS_RECORDED, NONE_RECORDED, RECORD_IN_CHUNK, UNTIL, PHASE, RECORD),
    *(LISTED, MOMENT, COUNTED, LISTED_IN_STEP, TROUBLE),
)


@dataclass
class DeviceScope(Scope):
    """Spelling for a device: series are arrays, and no constant of another precision stands in the text."""

    exact: bool = False  # sums and products are rounded one by one

    def _operation(self, operation: str, arguments: tuple[Expr, ...]) -> ast.expr:
        if operation == "is_finite":
            return call("finite", self.emit(arguments[0], self.kind(arguments[0])))
        if self.exact and operation in _ROUNDED:
            beside = self.kind_beside(arguments)
            if beside in (Kind.REAL, Kind.DOUBLE):
                nodes = [self._alike(argument, beside) for argument in arguments]
                total = nodes[0]
                for node in nodes[1:]:
                    total = call(_ROUNDED[operation], total, node)
                return total
        if operation == "divide" and not self.exact and self.precision == "float32" and self.kind_beside(arguments) is Kind.REAL:
            return call(QUOTIENT, *[self._alike(argument, Kind.REAL) for argument in arguments])
        return super()._operation(operation, arguments)

    def kind_beside(self, arguments: tuple[Expr, ...]) -> Kind:
        """The kind that arguments are brought to."""
        kinds = [self.kind(argument) for argument in arguments]
        return Kind.DOUBLE if Kind.DOUBLE in kinds else kinds[0]

    def element(self, series: ast.expr, row: ast.expr, column: ast.expr, columns: ast.expr) -> ast.expr:
        return ast.Subscript(series, ast.Tuple([row, column], ast.Load()), ast.Load())


_ROUNDED = {"add": "plus", "subtract": "minus", "multiply": "times"}
QUOTIENT = "divide_f32"
OWN = f"finite plus minus times {QUOTIENT}".split()  # functions of the device
PRIMITIVES = "below maximum minimum select sign".split()
DISTRIBUTIONS = "uniform normal exponential poisson".split()


@dataclass(frozen=True)
class Argument:
    """One argument of a generated function: its name, and what the caller puts there.

    `of` is a row of the tables STEPS_TIME, STEP_TIME, PLACES or CHUNK, "moments", or "scalar", "result" (of a reduction), "series", "rows",
    "columns", or one of RECORDING or RECORDED; `place` is the name in the kernel, `kind` that of what is in it.
    """

    spelled: str
    of: str
    place: str = ""
    kind: Kind = Kind.INTEGER


@dataclass(frozen=True)
class Function:
    """A generated function and its arguments; `phase` is the number of its phase, -1 for what only records or makes a chunk."""

    name: str
    arguments: tuple[Argument, ...]
    phase: int = -1


@dataclass(frozen=True)
class Text:
    """The generated module: its text, what it has to be given (names of functions), the functions it defines, and for each function
    from outside how the text spells its name."""

    source: str
    imports: tuple[str, ...]
    functions: tuple[Function, ...]
    outside: tuple[tuple[str, str], ...]


def generate(kernel: Kernel, precision: str, functions: Mapping[tuple[str, str], str], exact: bool) -> Text:
    """The functions of a kernel: `advance` where it is uncoupled, else one for each phase and `record`."""
    return _Generator(kernel, precision, functions, exact).text()


@dataclass
class _Generator:
    kernel: Kernel
    precision: str
    functions: Mapping[tuple[str, str], str]
    exact: bool
    scope: DeviceScope = field(init=False)
    rows: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        kernel = self.kernel
        self.rows = rows_of(kernel)
        reductions = [r for phase in kernel.phases for r in phase.reductions if isinstance(r, Reduce)]
        results = {r.name: r.kind for r in reductions if r.name not in self.rows}
        self.results: Mapping[str, Kind] = results
        kinds = {array.name: array.kind for array in kernel.arrays} | {scalar.name: scalar.kind for scalar in kernel.scalars}
        spelling = Spelling()
        spelling.given.update({built_in: built_in[1:] for built_in in BUILT_IN})
        draws = {f"{distribution}_{width}" for distribution in DISTRIBUTIONS for width in ("f64", "f32")}
        templates = {node.id for t in TEMPLATES for node in ast.walk(ast.parse(t)) if isinstance(node, ast.Name)}
        spelling.reserve(
            [*OWN, *PRIMITIVES, *PLACES, *CHUNK, *STEPS_TIME, *STEP_TIME, *draws, *templates, *self.functions.values()]
        )
        spelling.reserve(["cuda", "np", "real", "double", "integer", "int32", "inf", "nan", *spelling.given.values()])
        outside = {function.name: function.takes for function in kernel.functions}
        for place in (*kinds, *outside, *self.results, *[series.name for series in kernel.series]):
            spelling(place)
        kinds = {**BUILT_IN, **kinds, **self.results}
        self.scope = DeviceScope(spelling, kinds, self.precision, self.functions, outside=outside, exact=self.exact)

    def text(self) -> Text:
        made = (
            [self.chunk()]
            if not self.kernel.coupled
            else [*map(self.phase_function, range(len(self.kernel.phases))), self.recorder()]
        )
        called = sorted(self.scope.called)
        outside = tuple((name, self.scope.spelling(name)) for name in self.scope.outside)
        imports = (*OWN, *PRIMITIVES, *called)
        lines = [
            "import numpy as np",
            "inf, nan = np.inf, np.nan",
            f"real, double, integer, int32 = np.{self.precision}, np.float64, np.int64, np.int32",
        ]
        module = ast.Module([*ast.parse("\n".join(lines)).body, *[node for node, _ in made]], [])
        return Text(ast.unparse(ast.fix_missing_locations(module)), imports, tuple(function for _, function in made), outside)

    # ---- functions ----------------------------------------------------------------------------------

    def chunk(self) -> tuple[ast.stmt, Function]:
        """Many steps of one neuron, its state in registers."""
        phases = [statement for phase in self.kernel.phases for statement in self.phase(phase, registers=True)]
        draws = any(isinstance(statement, Draw) for phase in self.kernel.phases for statement in phase.body)
        used = {*_all_symbols(self.kernel.phases), *(["@step"] if draws else [])}
        statements = {
            "LOAD": self.loads([array.name for array in self.kernel.arrays]),
            "NONE_LISTED": [assign(self.count(event).id, call("int32", number(0))) for event in self.events()],
            "TIMES": self.times_in_chunk(used),
            "PHASES": phases,
            "STORE": [
                self.put(array, "_out", name(self.scope.spelling(array.name))) for array in self.kernel.arrays if array.written
            ],
            "COUNTED": self.counted(),
            "CHECK": self.check(),
            **self.recorded(),
        }
        (node,) = filled(STEPS_RECORDED if self.kernel.probes else STEPS, statements)
        moments = ["moments"] if self.kernel.timed else []
        arguments = self.arguments([*STEPS_TIME, *PLACES, *moments, *CHUNK], self.kernel.probes, RECORDED)
        return _with_arguments(node, arguments), Function("advance", arguments)

    def recorded(self) -> dict[str, list[ast.stmt]]:
        """The statements of a chunk about what is recorded."""
        found: dict[str, list[ast.stmt]] = {"NONE_RECORDED": [], "RECORDS": [], "UNTIL": []}
        for probe in self.kernel.probes:
            spelled = {of.upper(): name(self.scope.spelling(f"@@{of} {probe.name}")) for of in ("place", "row", *RECORDED)}
            made, value = self.probed(probe)
            body = {"TIMES": self.times_in_chunk(_probe_symbols((probe,))), "BODY": made}
            found["NONE_RECORDED"] += filled(NONE_RECORDED, {}, **spelled)
            found["RECORDS"] += filled(RECORD_IN_CHUNK, body, VALUE=value, **spelled)
            found["UNTIL"] += filled(UNTIL, {}, **spelled)
        return found

    def phase_function(self, index: int) -> tuple[ast.stmt, Function]:
        """One phase of one step."""
        phase = self.kernel.phases[index]
        stored = [self.scope_array(store.array) for store in phase.stores]
        body = self.phase(phase, registers=False)
        used = set(_all_symbols((phase,)))
        statements = {
            "TIMES": self.times(used),
            "LOAD": self.loads(used),
            "BODY": body or [ast.Pass()],
            "STORE": [self.put(array, "", name(self.scope.spelling(f"@@new {array.name}"))) for array in stored],
        }
        arguments = self.arguments([*STEP_TIME, *PLACES], ())
        (node,) = filled(PHASE, statements)
        assert isinstance(node, ast.FunctionDef)
        node.name = f"phase_{index}"
        return _with_arguments(node, arguments), Function(node.name, arguments, index)

    def recorder(self) -> tuple[ast.stmt, Function]:
        """What is due to be recorded at one step."""
        used = _probe_symbols(self.kernel.probes)
        statements = {
            "TIMES": self.times(used),
            "LOAD": self.loads(used),
            "BODY": [statement for probe in self.kernel.probes for statement in self.record(probe)] or [ast.Pass()],
            "STORE": [],
        }
        arguments = self.arguments([*STEP_TIME, *PLACES], self.kernel.probes)
        (node,) = filled(PHASE, statements)
        assert isinstance(node, ast.FunctionDef)
        node.name = "record"
        return _with_arguments(node, arguments), Function("record", arguments)

    def arguments(self, fixed: list[str], probes: Iterable[Probe], recording: Iterable[str] = RECORDING) -> tuple[Argument, ...]:
        kernel, spelled = self.kernel, self.scope.spelling
        found = [Argument(place, place) for place in fixed]
        found += [Argument(spelled(s.name), "scalar", s.name, s.kind) for s in kernel.scalars]
        found += [Argument(spelled(f"@@result {key}"), "result", key, kind) for key, kind in self.results.items()]
        for series in kernel.series:
            rows, columns = extents(series.name)
            found += [Argument(spelled(series.name), "series", series.name, Kind.REAL)]
            found += [Argument(spelled(rows), "rows", series.name), Argument(spelled(columns), "columns", series.name)]
        for probe in probes:
            found += [Argument(spelled(f"@@{of} {probe.name}"), of, probe.name, probe.kind) for of in recording]
        return tuple(found)

    # ---- pieces -------------------------------------------------------------------------------------

    def times(self, used: set[str]) -> list[ast.stmt]:
        lines = {"@t": "t = double(step) * interval", "@t_next": "t_next = double(step + 1) * interval"}
        return [statement for symbol, line in lines.items() if symbol in used for statement in _parsed(line)]

    def times_in_chunk(self, used: set[str]) -> list[ast.stmt]:
        """The number of the step and its times, where they are used."""
        asked = {"@step", "@t", "@t_next"} & used
        return [*(_parsed("step = first + s") if asked else []), *self.times(asked)]

    def phase(self, phase: Phase, registers: bool) -> list[ast.stmt]:
        """The statements of a phase; new values go to the registers of the arrays, or to names of their own."""
        made = [self.scope.assign(statement) for statement in phase.uniform]
        made += [self.scope.draw(s) if isinstance(s, Draw) else self.scope.assign(s) for s in phase.body]
        values = [self.scope.converted(Symbol(store.name), self.scope_array(store.array).kind) for store in phase.stores]
        new = {store.array: self.scope.spelling(f"@@new {store.array}") for store in phase.stores}
        made += [assign(target, value) for target, value in zip(new.values(), values, strict=True)]
        for emit in phase.emits:
            made += self.listed(emit, new) if registers else self.listed_in_step(emit)
        if registers:
            made += [assign(self.scope.spelling(array), name(target)) for array, target in new.items()]
            made = made if phase.where is None else [ast.If(name(self.scope.spelling(phase.where)), made, [])]
        return made

    def listed(self, emit: Emit, new: Mapping[str, str]) -> list[ast.stmt]:
        """An event goes to the list of its neuron, and its moment beside it: what the array of the moments holds after the stores."""
        given: dict[str, ast.expr | int] = {"EVENT": emit.event, "COUNT": self.count(emit.event)}
        moment = []
        if emit.moment is not None:
            value = name(new.get(emit.moment) or self.scope.spelling(emit.moment))
            moment = filled(MOMENT, {}, MOMENT_VALUE=value, **given)
        return filled(LISTED, {"MOMENT": moment}, FLAG=name(self.scope.spelling(emit.flag)), **given)

    def listed_in_step(self, emit: Emit) -> list[ast.stmt]:
        flag = name(self.scope.spelling(emit.flag))
        return filled(LISTED_IN_STEP, {}, FLAG=flag, EVENT=emit.event, OVERFULL=OVERFULL)

    def counted(self) -> list[ast.stmt]:
        """The numbers of events, to the array of them."""
        return [
            statement
            for event in self.events()
            for statement in filled(COUNTED, {}, EVENT=event, COUNT=self.count(event), OVERFULL=OVERFULL)
        ]

    def record(self, probe: Probe) -> list[ast.stmt]:
        body, value = self.probed(probe)
        spelled = {of.upper(): name(self.scope.spelling(f"@@{of} {probe.name}")) for of in RECORDING}
        return filled(RECORD, {"BODY": body}, VALUE=value, **spelled)

    def probed(self, probe: Probe) -> tuple[list[ast.stmt], ast.expr]:
        """What a probe computes, and the value that is recorded."""
        inner = self.scope.inside({statement.name for statement in (*probe.uniform, *probe.body)})
        body = [inner.assign(statement) for statement in (*probe.uniform, *probe.body)]
        return body, inner.converted(probe.expression, probe.kind)

    def check(self) -> list[ast.stmt]:
        if not self.kernel.guarded:
            return []
        finite: ast.expr = call("finite", name(self.scope.spelling(self.kernel.guarded[0])))
        for guarded in self.kernel.guarded[1:]:
            finite = ast.BinOp(finite, ast.BitAnd(), call("finite", name(self.scope.spelling(guarded))))
        return filled(TROUBLE, {}, FINITE=finite, NOT_FINITE=NOT_FINITE)

    def events(self) -> range:
        return range(len(self.kernel.events))

    def count(self, event: int) -> ast.Name:
        """The register that counts the events of one kind."""
        return ast.Name(self.scope.spelling(f"@@count {event}"), ast.Load())

    def scope_array(self, wanted: str) -> Array:
        return next(array for array in self.kernel.arrays if array.name == wanted)

    def loads(self, wanted: Iterable[str]) -> list[ast.stmt]:
        found = set(wanted)
        made = [assign(self.scope.spelling(array.name), self.load(array)) for array in self.kernel.arrays if array.name in found]
        for result in self.results:
            if result in found:
                value: ast.expr = ast.Subscript(name(self.scope.spelling(f"@@result {result}")), number(0), ast.Load())
                value = CONVERT[Kind.BOOLEAN](value) if self.results[result] is Kind.BOOLEAN else value
                made.append(assign(self.scope.spelling(result), value))
        return made

    def load(self, array: Array) -> ast.expr:
        value = self.place(array, "", ast.Load())
        return CONVERT[Kind.BOOLEAN](value) if array.kind is Kind.BOOLEAN else value

    def put(self, array: Array, out: str, value: ast.expr) -> ast.stmt:
        if array.kind is Kind.BOOLEAN:
            value = call("select", value, *[self.scope.emit(Constant(stored)) for stored in (1.0, 0.0)])
        return ast.Assign([self.place(array, out, ast.Store())], value)

    def place(self, array: Array, out: str, context: ast.expr_context) -> ast.expr:
        stored = name(place_of(array) + out)
        return ast.Subscript(stored, ast.Tuple([number(self.rows[array.name]), name("i")], ast.Load()), context)


def _parsed(line: str) -> list[ast.stmt]:
    return ast.parse(line).body


def _with_arguments(node: ast.stmt, arguments: tuple[Argument, ...]) -> ast.stmt:
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


def _all_symbols(phases: Iterable[Phase]) -> Iterable[str]:
    for phase in phases:
        for statement in (*phase.uniform, *phase.body):
            expression = statement.mean if isinstance(statement, Draw) else statement.expression
            if expression is not None:
                yield from symbols_of(expression)
        yield from (store.name for store in phase.stores)
        for emit in phase.emits:
            yield from (emit.flag, *([] if emit.moment is None else [emit.moment]))
        yield from [] if phase.where is None else [phase.where]


def _probe_symbols(probes: Iterable[Probe]) -> set[str]:
    expressions: list[Expr] = []
    for probe in probes:
        expressions += [probe.expression, *[statement.expression for statement in (*probe.uniform, *probe.body)]]
    return {symbol for expression in expressions for symbol in symbols_of(expression)}
