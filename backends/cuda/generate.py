"""A Kernel to the Python `ast` of the functions that the CUDA backend compiles: one thread a neuron.

Where neurons do not read one another, a thread makes many steps with its state in registers, and writes it back at the end,
to arrays beside those it was read from: a chunk that turns out to be void (more spikes than there is room for, a value that
is not finite) is simply made again. `status` tells whether it is, and `before` is that of the chunk before: where that one is void,
nothing is read or written. Coupled kernels are the matter of `generate_coupled`.

Each neuron has a short list of its own for the events of a chunk, so that no thread waits for another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..emit import CONVERT, Spelling, assign, call, extents, filled, name, number
from ..kernel import BUILT_IN, Array, Constant, Draw, Emit, Expr, Kernel, Kind, Phase, Probe, Reduce, Symbol, symbols_of
from .scope import DISTRIBUTIONS, OVER_LARGE, OWN, PRIMITIVES, QUOTIENT, DeviceScope
from .templates import (
    CHUNK,
    COUNTED,
    LISTED,
    MOMENT,
    NONE_RECORDED,
    NOT_FINITE,
    ONE_NEURON,
    OVERFULL,
    PLACED,
    PLACES,
    RECORD_IN_CHUNK,
    RECORDED,
    RECORDED_NEURON,
    STEPS,
    STEPS_RECORDED,
    STEPS_TIME,
    TEMPLATES,
    TROUBLE,
    UNTIL,
)
from .text import Argument, Function, Text, place_of, rows_of, with_arguments


def generate(kernel: Kernel, precision: str, functions: Mapping[tuple[str, str], str], exact: bool) -> Text:
    """The function `advance` of an uncoupled kernel."""
    return Generator(kernel, precision, functions, exact).text()


@dataclass
class Generator:
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
        templates = {node.id for t in self.templates() for node in ast.walk(ast.parse(t)) if isinstance(node, ast.Name)}
        spelling.reserve([*OWN, QUOTIENT, OVER_LARGE, *PRIMITIVES, *draws, *self.functions.values()])
        spelling.reserve([*PLACES, *CHUNK, *STEPS_TIME, *templates])
        spelling.reserve(["cuda", "np", "real", "double", "integer", "int32", "inf", "nan", *spelling.given.values()])
        outside = {function.name: function.takes for function in kernel.functions}
        for place in (*kinds, *outside, *self.results, *[series.name for series in kernel.series]):
            spelling(place)
        kinds = {**BUILT_IN, **kinds, **self.results}
        self.scope = DeviceScope(spelling, kinds, self.precision, self.functions, outside=outside, exact=self.exact)

    def text(self) -> Text:
        node, function = self.chunk()
        called = sorted(self.scope.called)
        outside = tuple((name, self.scope.spelling(name)) for name in self.scope.outside)
        imports = (*OWN, *PRIMITIVES, *called)
        lines = [
            "import numpy as np",
            "inf, nan = np.inf, np.nan",
            f"real, double, integer, int32 = np.{self.precision}, np.float64, np.int64, np.int32",
        ]
        module = ast.Module([*ast.parse("\n".join(lines)).body, node], [])
        return Text(ast.unparse(ast.fix_missing_locations(module)), imports, (function,), outside)

    # ---- the function -------------------------------------------------------------------------------

    def templates(self) -> Iterable[str]:
        """The templates whose names no name of the kernel may take."""
        return TEMPLATES

    def each(self) -> Sequence[Generator]:
        """What generates the statements of each neuron that a thread makes."""
        return (self,)

    def neurons(self) -> list[ast.stmt]:
        """The neurons that a thread makes."""
        return parsed(ONE_NEURON)

    def chunk(self) -> tuple[ast.stmt, Function]:
        """Many steps of a thread's neurons, their state in registers."""
        each, arrays = self.each(), [array.name for array in self.kernel.arrays]
        used = {*all_symbols(self.kernel.phases), *(["@step"] if draws_of(self.kernel) else [])}
        statements = {
            "NEURONS": self.neurons(),
            "LOAD": [s for one in each for s in one.loads(arrays)],
            "NONE_LISTED": [assign(one.count(event).id, call("int32", number(0))) for one in each for event in self.events()],
            "TIMES": self.times_in_chunk(used),
            "PHASES": [s for one in each for phase in self.kernel.phases for s in one.phase(phase)],
            "STORE": [s for one in each for s in one.stored()],
            "COUNTED": [s for one in each for s in one.counted()],
            "CHECK": [s for one in each for s in one.check()],
            **self.recorded(),
        }
        (node,) = filled(STEPS_RECORDED if self.kernel.probes else STEPS, statements)
        moments = ["moments"] if self.kernel.timed else []
        arguments = self.arguments([*STEPS_TIME, *PLACES, *moments, *CHUNK])
        return with_arguments(node, arguments), Function("advance", arguments, len(each))

    def recorded(self) -> dict[str, list[ast.stmt]]:
        """The statements of a chunk about what is recorded."""
        found: dict[str, list[ast.stmt]] = {"NONE_RECORDED": [], "RECORDS": [], "UNTIL": []}
        for probe in self.kernel.probes:
            spelled = {of.upper(): name(self.scope.spelling(f"@@{of} {probe.name}")) for of in ("row", *RECORDED)}
            times = self.times_in_chunk(probe_symbols((probe,)))
            found["NONE_RECORDED"] += filled(NONE_RECORDED, {}, **spelled)
            neurons: list[ast.stmt] = []
            for one in self.each():
                place = name(one.scope.spelling(f"@@place {probe.name}"))
                found["NONE_RECORDED"] += filled(one.placed(), {}, PLACE=place, NEURON=one.neuron, **spelled)
                body, value = one.probed(probe)
                neurons += filled(RECORDED_NEURON, {"TIMES": times, "BODY": body}, VALUE=value, PLACE=place, **spelled)
            found["RECORDS"] += filled(RECORD_IN_CHUNK, {"RECORDED_NEURONS": neurons}, **spelled)
            found["UNTIL"] += filled(UNTIL, {}, **spelled)
        return found

    # ---- of one neuron ------------------------------------------------------------------------------

    @property
    def neuron(self) -> ast.expr:
        """Its index."""
        return name(self.scope.spelling("@i"))

    def placed(self) -> str:
        """The template that finds its column in what is recorded."""
        return PLACED

    def room(self) -> ast.expr:
        """The places in its lists."""
        return name("capacity")

    def stored(self) -> list[ast.stmt]:
        written = [array for array in self.kernel.arrays if array.written]
        return [self.put(array, "_out", name(self.scope.spelling(array.name))) for array in written]

    def drawn(self, draw: Draw) -> list[ast.stmt]:
        return [self.scope.draw(draw)]

    def uniform(self, phase: Phase) -> list[ast.stmt]:
        return [self.scope.assign(statement) for statement in phase.uniform]

    def arguments(self, fixed: list[str]) -> tuple[Argument, ...]:
        kernel, spelled = self.kernel, self.scope.spelling
        found = [Argument(place, place) for place in fixed]
        found += [Argument(spelled(s.name), "scalar", s.name, s.kind) for s in kernel.scalars]
        for series in kernel.series:
            rows, columns = extents(series.name)
            found += [Argument(spelled(series.name), "series", series.name, Kind.REAL)]
            found += [Argument(spelled(rows), "rows", series.name), Argument(spelled(columns), "columns", series.name)]
        for probe in kernel.probes:
            found += [Argument(spelled(f"@@{of} {probe.name}"), of, probe.name, probe.kind) for of in RECORDED]
        return tuple(found)

    # ---- pieces -------------------------------------------------------------------------------------

    def times(self, used: set[str]) -> list[ast.stmt]:
        """The time is rounded as everywhere: drawn together with a sum it would not be the 9 ms that a condition asks for."""
        lines = {"@t": "t = times(double(step), interval)", "@t_next": "t_next = times(double(step + 1), interval)"}
        return [statement for symbol, line in lines.items() if symbol in used for statement in parsed(line)]

    def times_in_chunk(self, used: set[str]) -> list[ast.stmt]:
        """The number of the step and its times, where they are used."""
        asked = {"@step", "@t", "@t_next"} & used
        return [*(parsed("step = first + s") if asked else []), *self.times(asked)]

    def phase(self, phase: Phase) -> list[ast.stmt]:
        """The statements of a phase; new values go to the registers of the arrays."""
        made = self.uniform(phase)
        made += [node for s in phase.body for node in (self.drawn(s) if isinstance(s, Draw) else [self.scope.assign(s)])]
        values = [self.scope.converted(Symbol(store.name), self.scope_array(store.array).kind) for store in phase.stores]
        new = {store.array: self.scope.spelling(f"@@new {store.array}") for store in phase.stores}
        made += [assign(target, value) for target, value in zip(new.values(), values, strict=True)]
        for emit in phase.emits:
            made += self.listed(emit, new)
        made += [assign(self.scope.spelling(array), name(target)) for array, target in new.items()]
        return made if phase.where is None else [ast.If(name(self.scope.spelling(phase.where)), made, [])]

    def listed(self, emit: Emit, new: Mapping[str, str]) -> list[ast.stmt]:
        """An event goes to the list of its neuron, and its moment beside it: what the array of the moments holds after the stores."""
        given: dict[str, ast.expr | int] = {"EVENT": emit.event, "COUNT": self.count(emit.event), "NEURON": self.neuron}
        moment = []
        if emit.moment is not None:
            value = name(new.get(emit.moment) or self.scope.spelling(emit.moment))
            moment = filled(MOMENT, {}, MOMENT_VALUE=value, **given)
        return filled(LISTED, {"MOMENT": moment}, FLAG=name(self.scope.spelling(emit.flag)), ROOM=self.room(), **given)

    def counted(self) -> list[ast.stmt]:
        """The numbers of events, to the array of them."""
        return [
            statement
            for event in self.events()
            for statement in filled(COUNTED, {}, EVENT=event, COUNT=self.count(event), NEURON=self.neuron, OVERFULL=OVERFULL)
        ]

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
        return [assign(self.scope.spelling(array.name), self.load(array)) for array in self.kernel.arrays if array.name in found]

    def load(self, array: Array) -> ast.expr:
        value = self.place(array, "", ast.Load())
        return CONVERT[Kind.BOOLEAN](value) if array.kind is Kind.BOOLEAN else value

    def put(self, array: Array, out: str, value: ast.expr) -> ast.stmt:
        if array.kind is Kind.BOOLEAN:
            value = call("select", value, *[self.scope.emit(Constant(stored)) for stored in (1.0, 0.0)])
        return ast.Assign([self.place(array, out, ast.Store())], value)

    def place(self, array: Array, out: str, context: ast.expr_context) -> ast.expr:
        stored = name(place_of(array) + out)
        return ast.Subscript(stored, ast.Tuple([number(self.rows[array.name]), self.neuron], ast.Load()), context)


def parsed(line: str) -> list[ast.stmt]:
    return ast.parse(line).body


def draws_of(kernel: Kernel) -> tuple[Draw, ...]:
    return tuple(statement for phase in kernel.phases for statement in phase.body if isinstance(statement, Draw))


def all_symbols(phases: Iterable[Phase]) -> Iterable[str]:
    for phase in phases:
        for statement in (*phase.uniform, *phase.body):
            expression = statement.mean if isinstance(statement, Draw) else statement.expression
            if expression is not None:
                yield from symbols_of(expression)
        yield from (store.name for store in phase.stores)
        for emit in phase.emits:
            yield from (emit.flag, *([] if emit.moment is None else [emit.moment]))
        yield from [] if phase.where is None else [phase.where]


def probe_symbols(probes: Iterable[Probe]) -> set[str]:
    expressions: list[Expr] = []
    for probe in probes:
        expressions += [probe.expression, *[statement.expression for statement in (*probe.uniform, *probe.body)]]
    return {symbol for expression in expressions for symbol in symbols_of(expression)}
