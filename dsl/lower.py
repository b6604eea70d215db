"""Step to Kernel: one time step of a checked model in the order of the language, as phases of plain statements.

Every value gets a name that is assigned once; `Lowering.now` says which name holds the current value of each state. Where
something is read across the population, the phase ends: what is needed later is stored, and the next phase begins.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from ..backends.kernel import (
    BUILT_IN,
    Array,
    Assign,
    Constant,
    Draw,
    Emit,
    Expr,
    Hoist,
    Kernel,
    Kind,
    Matrix,
    MatrixProduct,
    Operation,
    Phase,
    Probe,
    Propagator,
    Reduce,
    Scalar,
    SeriesPlace,
    Store,
    Symbol,
)
from .arrange import Arranger, Pace, shared_parts
from .checked import Assignment, CheckedModel, Derived, Event, Input
from .discretise import Discretised
from .phases import carry_across, side_by_side, with_draws
from .safe_forms import smooth
from .step import Propagation
from .structure import LENGTH, Structure
from .substitute import definitions, operations_of, substitute, symbols_of, transform
from .symbolic import from_sympy

_DRAWS = frozenset(("uniform", "normal", "exponential", "poisson"))
_REDUCTIONS: Mapping[str, Kind] = {
    "total": Kind.REAL,
    "mean": Kind.REAL,
    "largest": Kind.REAL,
    "smallest": Kind.REAL,
    "any": Kind.BOOLEAN,
    "count": Kind.INTEGER,
    "rank": Kind.INTEGER,
    "one_of": Kind.BOOLEAN,
}
NOISE_STREAM = 1 << 12  # streams of white noise stand above those of the draws that a text names
STREAM_STEP = 8

_UNKNOWN: Mapping[Kind, Constant] = {Kind.REAL: Constant(float("nan")), Kind.INTEGER: Constant(0), Kind.BOOLEAN: Constant(False)}

NEVER = -1e7  # ms; the last spike of a neuron that has not spiked
REFRACTORY, LAST, SPIKED = "@refractory", "@lastspike", "@spiked"
LAST_STEP = f"{LAST} step"  # the number of the step whose time the last spike carries, -1 for none
BEFORE: Mapping[str, Constant] = {LAST: Constant(NEVER), SPIKED: Constant(False), "@not_refractory": Constant(True)}  # a run
OFFSET = Constant(1e-6)  # a sample begins at its time also where k*dt falls short of it by rounding


def lower(
    model: CheckedModel, structure: Structure, discretised: Discretised
) -> tuple[Kernel, tuple[tuple[str, Expr], ...], int]:
    """The kernel of a model, the initial value of every array that needs one, and how many phases observe (see Compiled)."""
    return _Lowering(model, structure, discretised).run()


class _Lowering:
    """The state of one lowering: places, current names, and the phase that is being filled."""

    def __init__(self, model: CheckedModel, structure: Structure, discretised: Discretised) -> None:
        self.model, self.structure, self.discretised = model, structure, discretised
        self.shapes = dict(structure.shapes)
        self.brian2 = structure.conventions == "brian2"
        self.stamp = Symbol("@t") if self.brian2 else Symbol("@t_next")
        self.written_out = definitions(model, dict(structure.functions)) | dict(discretised.bounds)
        self.kinds: dict[str, Kind] = dict(BUILT_IN)
        self.paces: dict[str, Pace] = {
            "@step": Pace.PER_STEP,
            "@t": Pace.PER_STEP,
            "@t_next": Pace.PER_STEP,
            "@dt": Pace.FIXED,
            "@n": Pace.FIXED,
            "@i": Pace.PER_NEURON,
        }
        self.arrays: dict[str, Array] = {}
        self.scalars: dict[str, Scalar] = {}
        self.series: dict[str, SeriesPlace] = {}
        self.matrices: dict[str, Matrix] = {}
        self.propagators: list[Propagator] = []
        self.initial: list[tuple[str, Expr]] = []
        self.arranger = Arranger(self.kinds, self.paces)
        self.now: dict[str, Expr] = {}
        self.entry: dict[str, Expr] = {}
        self.time: Expr = Symbol("@t")
        self.sampled_at: Expr = Symbol("@t")  # driven parameters, also in blocks
        self.versions: dict[str, int] = {}
        self.once: dict[Expr, Symbol] = {}
        self.noise: dict[str, Symbol] = {}
        self.crossings: list[tuple[str, Expr]] = []
        self.statements: list[tuple[str, Kind, Expr] | Draw] = []
        self.emits: list[Emit] = []
        self.phases: list[Phase] = []
        self.parameter_names = {parameter.name for parameter in model.parameters}

    # ---- places

    def run(self) -> tuple[Kernel, tuple[tuple[str, Expr], ...], int]:
        self.declare_places()
        self.step_values()
        self.integrate()
        self.time = self.stamp
        self.block(self.model.each_step, None)
        self.events()
        self.block(self.model.each_step_after_reset, None)
        self.output()
        self.end_phase(())
        observing = self.observe()
        probes = self.probes()
        phases = carry_across(self.phases, lambda place, name: self.array(place, self.kinds[name], written=True))
        for hoist in self.arranger.hoists:
            kind = self.kinds[hoist.name]
            if hoist.per_neuron:
                self.arrays[hoist.name] = Array(hoist.name, kind, written=False)
            else:
                self.scalars[hoist.name] = Scalar(hoist.name, kind)
        kernel = Kernel(
            name=self.model.name,
            arrays=tuple(self.arrays.values()),
            scalars=tuple(self.scalars.values()),
            series=tuple(self.series.values()),
            matrices=tuple(self.matrices.values()),
            prologue=(*self.prologue(),),
            phases=phases,
            probes=probes,
            events=tuple(event.name for event in self.model.events),
            guarded=tuple(state.name for state in self.model.states if state.kind is Kind.REAL),
        )
        return kernel, tuple(self.initial), observing

    def prologue(self) -> list[Hoist | Propagator]:
        """Hoists, each Propagator before what uses it: entries of propagators are places, never hoisted further here."""
        made: list[Hoist | Propagator] = []
        waiting = list(self.propagators)
        for hoist in self.arranger.hoists:
            used = symbols_of(hoist.expression)
            for propagator in [p for p in waiting if used & _entries(p)]:
                made.append(propagator)
                waiting.remove(propagator)
            made.append(hoist)
        return [*waiting_first(made, waiting)]

    def declare_places(self) -> None:
        for state in self.model.states:
            self.array(state.name, state.kind, written=True)
            self.now[state.name] = Symbol(state.name)
            self.initial.append((state.name, smooth(substitute(state.initial, self.initial_values()), self.kinds)))
        for parameter in self.model.parameters:
            shape = self.shapes.get(parameter.name, "scalar")
            if shape == "array":
                self.array(parameter.name, parameter.kind, written=False)
                self.paces[parameter.name] = Pace.PER_NEURON
            elif shape == "scalar":
                self.scalar(parameter.name, parameter.kind)
            elif shape == "matrix":
                self.matrices[parameter.name] = Matrix(parameter.name)
            elif shape in ("series", "columns"):
                self.declare_series(parameter.name)
        for external in self.model.externals:
            self.declare_series(external.name)
        self.paces["@is_refractory"] = Pace.FREE
        self.kinds["@is_refractory"] = Kind.BOOLEAN

    def initial_values(self) -> Mapping[str, Expr]:
        """Derived quantities and inputs as initial values see them: written out over states, parameters and time."""
        once = {v.name: substitute(v.expression, self.written_out) for v in self.model.formulas if v.once_a_step}
        written = {name: substitute(value, BEFORE) for name, value in {**self.written_out, **once}.items()}
        return {**written, **BEFORE}

    def array(self, name: str, kind: Kind, written: bool) -> None:
        self.arrays[name] = Array(name, kind, written)
        self.kinds[name] = kind
        self.paces[name] = Pace.FREE

    def scalar(self, name: str, kind: Kind) -> None:
        self.scalars[name] = Scalar(name, kind)
        self.kinds[name] = kind
        self.paces[name] = Pace.FIXED

    def declare_series(self, name: str) -> None:
        self.series[name] = SeriesPlace(name)
        self.kinds[name] = Kind.REAL
        self.paces[name] = Pace.FIXED
        self.scalar(f"@interval {name}", Kind.DOUBLE)

    # ---- statements

    def version(self, name: str) -> str:
        self.versions[name] = self.versions.get(name, 0) + 1
        return f"{name}@{self.versions[name]}"

    def assign(self, name: str, kind: Kind, expression: Expr, free: bool = False) -> Symbol:
        """A new name for a value; `free` lets sums and products be regrouped."""
        expression = _converted(expression, self.arranger.kind(expression), kind)
        arranged = self.arranger.arrange(expression) if free else self.arranger.keep(expression)
        symbol = Symbol(self.version(name))
        self.kinds[symbol.name] = kind
        self.paces[symbol.name] = Pace.FREE
        self.statements.append((symbol.name, kind, arranged))
        return symbol

    def draw(self, node: Operation) -> Symbol:
        found = self.once.get(node)
        if found is None:
            stream = node.arguments[0]
            assert isinstance(stream, Constant)
            mean = None
            if node.name == "poisson":
                mean = self.assign("@mean", Kind.REAL, self.resolve(node.arguments[1]))
            found = self.once[node] = Symbol(self.version("@draw"))
            self.kinds[found.name] = Kind.REAL
            self.paces[found.name] = Pace.FREE
            self.statements.append(Draw(found.name, node.name, int(stream.value) * STREAM_STEP, mean))
        return found

    # ---- reading a model's expression

    def resolve(self, expression: Expr) -> Expr:
        """An expression of the model over names of the kernel, at the current values and the current time."""
        seen: dict[str, Expr] = {}

        def change(node: Expr) -> Expr:
            if isinstance(node, Symbol):
                if node.name not in seen:
                    seen[node.name] = self.resolve_symbol(node)
                return seen[node.name]
            if isinstance(node, Operation):
                return self.resolve_operation(node)
            return node

        return transform(self.entered(expression), change)

    def entered(self, expression: Expr) -> Expr:
        """`old(x)` as the name that held x when the block was entered; such names are settled already."""

        def change(node: Expr) -> Expr:
            if isinstance(node, Operation) and node.name == "old":
                symbol = node.arguments[0]
                assert isinstance(symbol, Symbol)
                return self.entry.get(symbol.name, symbol)
            return node

        return transform(expression, change)

    def resolve_symbol(self, symbol: Symbol) -> Expr:
        name = symbol.name
        if name in self.now:
            return self.now[name]
        if name in self.written_out:
            return self.resolve(self.written_out[name])
        if self.shapes.get(name) in ("series", "columns") and name in self.parameter_names:
            return self.sampled(name, self.sampled_at, Symbol("@i") if self.shapes[name] == "columns" else Constant(0))
        if name == "@t":
            return self.time
        if name == "@not_refractory":
            return Operation("not", (self.is_refractory(),))
        if name == SPIKED:
            self.remember(name)
            return self.now[name]
        if name == LAST:
            return self.last_spike()
        if name.startswith("@xi"):
            return self.white_noise(name)
        return symbol

    def remember(self, name: str) -> None:
        """The arrays that hold the last spike exist only where they are read."""
        stored = f"{name} step" if name == LAST else name
        self.array(stored, Kind.INTEGER if name == LAST else Kind.BOOLEAN, written=True)
        self.now[stored] = Symbol(stored)
        self.initial.append((stored, Constant(-1) if name == LAST else Constant(False)))

    def last_spike(self) -> Expr:
        """The time of the last spike, in float64 from the number of its step: late in a run float32 cannot tell milliseconds apart."""
        if LAST_STEP not in self.now:
            self.remember(LAST)
        self.scalar(LENGTH, Kind.DOUBLE)
        number = self.now[LAST_STEP]
        time = Operation("multiply", (Operation("to_double", (number,)), Symbol(LENGTH)))
        return Operation("where", (Operation("less", (number, Constant(0))), Operation("to_double", (Constant(NEVER),)), time))

    def white_noise(self, name: str) -> Symbol:
        """A normal number of the step; the scheme has put sqrt(dt) beside it."""
        if name not in self.noise:
            symbol = self.noise[name] = Symbol(self.version(name))
            self.kinds[symbol.name] = Kind.REAL
            self.paces[symbol.name] = Pace.FREE
            self.statements.append(Draw(symbol.name, "normal", NOISE_STREAM + STREAM_STEP * (len(self.noise) - 1)))
        return self.noise[name]

    def resolve_operation(self, node: Operation) -> Expr:
        if node.name in _DRAWS:
            return self.draw(node)
        if node.name in _REDUCTIONS or node.name == "matmul":
            return self.across(node)
        if node.name == "sample":
            series = node.arguments[0]
            assert isinstance(series, Symbol)
            column = node.arguments[2] if len(node.arguments) > 2 else Constant(0)
            return self.sampled(series.name, node.arguments[1], column)
        if node.name == "crosses":
            return self.crosses(node)
        return node

    def sampled(self, name: str, time: Expr, column: Expr) -> Expr:
        """The sample of a series that holds at `time`; after its end the last one. One column is that of all neurons; an index that has no
        column gets nan, which stops the run."""
        place = Symbol(name)
        column = Constant(0) if self.shapes.get(name) == "series" else column
        steps = Operation("floor", (Operation("add", (Operation("divide", (time, Symbol(f"@interval {name}"))), OFFSET)),))
        last = Operation("subtract", (Operation("rows", (place,)), Constant(1)))
        row = Operation("maximum", (Operation("minimum", (Operation("to_integer", (steps,)), last)), Constant(0)))
        if column in (Constant(0), Symbol("@i")):
            return Operation("element", (place, row, column))
        inside = Operation(
            "and",
            (Operation("greater_equal", (column, Constant(0))), Operation("less", (column, Operation("columns", (place,))))),
        )
        element = Operation("element", (place, row, Operation("where", (inside, column, Constant(0)))))
        return Operation("where", (inside, element, Constant(float("nan"))))

    def crosses(self, node: Operation) -> Expr:
        """True where the left side has just come above the right: the last test is kept in an array."""
        above = self.assign("@above", Kind.BOOLEAN, Operation("greater", node.arguments))
        name = f"@crossed{len(self.crossings)}"
        self.crossings.append((name, above))
        self.array(name, Kind.BOOLEAN, written=True)
        self.now[name] = above
        # a name of its own, in this phase: a reduction beside it ends the phase, which stores the test
        return self.assign("@crossing", Kind.BOOLEAN, Operation("and", (above, Operation("not", (Symbol(name),)))))

    # ---- across the population

    def across(self, node: Operation) -> Expr:
        """Stores what is reduced, ends the phase, and returns the value that all may read."""
        if node in self.once:
            return self.once[node]
        operand = node.arguments[1] if node.name in ("one_of", "matmul") else node.arguments[0]
        kind = Kind.BOOLEAN if node.name in ("any", "count", "one_of") else Kind.REAL
        value = self.assign("@of", kind, operand)
        held = f"@held {value.name}"
        self.array(held, kind, written=True)
        result = Symbol(self.version(f"@{node.name}"))
        if node.name == "matmul":
            matrix = node.arguments[0]
            assert isinstance(matrix, Symbol)
            self.array(result.name, Kind.REAL, written=True)
            reduction: Reduce | MatrixProduct = MatrixProduct(result.name, matrix.name, held)
        else:
            stream = node.arguments[0].value if node.name == "one_of" and isinstance(node.arguments[0], Constant) else 0
            reduction = Reduce(result.name, _REDUCTIONS[node.name], node.name, held, int(stream) * STREAM_STEP)
            if node.name in ("rank", "one_of"):
                self.array(result.name, _REDUCTIONS[node.name], written=True)
            else:
                self.kinds[result.name] = _REDUCTIONS[node.name]
                self.paces[result.name] = Pace.PER_STEP
        self.end_phase((reduction,), Store(held, value.name))
        self.once[node] = result
        return result

    def end_phase(self, reductions: tuple[Reduce | MatrixProduct, ...], *stores: Store) -> None:
        """Everything up to here is one loop over the neurons; current values go to their arrays."""
        made: list[Assign | Draw] = []
        run: list[tuple[str, Kind, Expr]] = []
        for statement in [*self.statements, None]:
            if isinstance(statement, tuple):
                run.append(statement)
        prefix = f"@part{len(self.phases)}_"
        assigned, kinds = shared_parts(run, self.kinds, prefix)
        self.kinds |= kinds
        made = with_draws(side_by_side(assigned), [s for s in self.statements if isinstance(s, Draw)])
        changed = ((name, value) for name, value in self.now.items() if name in self.arrays and isinstance(value, Symbol))
        current = [Store(name, value.name) for name, value in changed if value.name != name]
        self.phases.append(
            Phase(tuple(self.arranger.next_phase()), tuple(made), tuple(self.emits), (*current, *stores), reductions)
        )
        written = {store.array for store in current}
        for name in written:
            self.now[name] = Symbol(name)
        self.once = {
            node: result for node, result in self.once.items() if not symbols_of(node) & written
        }  # of values that are gone
        self.statements, self.emits = [], []

    # ---- one step

    def step_values(self) -> None:
        """What is read once, at the start of the step: `constant over dt`, samples and reductions in equations, refractoriness."""
        if self.model.refractory is not None:
            self.array(REFRACTORY, Kind.BOOLEAN if self.model.refractory.condition else Kind.REAL, written=True)
            self.now[REFRACTORY] = Symbol(REFRACTORY)
            self.initial.append((REFRACTORY, Constant(False) if self.model.refractory.condition else Constant(0.0)))
        for variable in self.model.formulas:
            if variable.once_a_step and variable.name not in self.written_out:
                self.hold_for_step(variable)
        if self.model.refractory is not None:
            self.now["@is_refractory"] = self.assign("@is_refractory", Kind.BOOLEAN, self.refractory_now())
        for name, expression in self.discretised.atoms.items():
            value = self.resolve(expression)
            self.now[name] = value
            self.kinds[name] = self.arranger.kind(value)

    def hold_for_step(self, variable: Derived | Input) -> None:
        value = self.assign(variable.name, variable.kind, self.resolve(variable.expression))
        self.array(variable.name, variable.kind, written=True)
        self.now[variable.name] = value
        first = substitute(variable.expression, self.initial_values())
        self.initial.append((variable.name, _UNKNOWN[variable.kind] if _across(first) else first))

    def refractory_now(self) -> Expr:
        refractory = self.model.refractory
        assert refractory is not None
        if refractory.condition:
            return Operation("and", (Symbol(REFRACTORY), self.resolve(refractory.expression)))
        return Operation("greater", (Symbol(REFRACTORY), Constant(0.0)))

    def is_refractory(self) -> Expr:
        if self.model.refractory is None:
            return Constant(False)
        return self.now.get("@is_refractory", Operation("greater", (Symbol(REFRACTORY), Constant(0.0))))

    def integrate(self) -> None:
        """All differential equations advance together, from old values only."""
        step = self.discretised.step
        for propagation in step.propagations:
            if propagation.transition or propagation.input:
                self.declare_propagator(propagation)
        for name, expression in step.stages:
            self.now[name] = self.assign(name, Kind.REAL, self.resolve(self.plain(expression)), free=True)
        new = {
            state: self.assign(state, Kind.REAL, self.resolve(self.plain(value)), free=True) for state, value in step.new.items()
        }
        self.now.update(new)
        for name, _ in step.stages:
            del self.now[name]

    def plain(self, expression: sympy.Expr) -> Expr:
        for symbol in expression.free_symbols:
            self.kinds.setdefault(symbol.name, Kind.REAL)
        return from_sympy(expression, self.kinds)

    def declare_propagator(self, propagation: Propagation) -> None:
        transition, driven = propagation.transition, propagation.input
        entries = tuple(self.plain(entry) for entry in propagation.system)
        per_neuron = any(self.arranger.pace(entry) & Pace.PER_NEURON for entry in entries)
        for name in (*transition.values(), *driven.values()):
            if per_neuron:
                self.array(name, Kind.REAL, written=False)
                self.paces[name] = Pace.PER_NEURON
            else:
                self.scalar(name, Kind.REAL)
        self.propagators.append(
            Propagator(
                size=propagation.system.rows,
                step=self.plain(propagation.step),
                system=entries,
                transition=tuple((r, c, name) for (r, c), name in transition.items()),
                input=tuple((r, c, name) for (r, c), name in driven.items()),
                per_neuron=per_neuron,
            )
        )

    def block(self, statements: tuple[Assignment, ...], flag: Symbol | None) -> None:
        """Assignments in order; with a flag (a reset) only for the neurons where it holds."""
        if not statements:
            return
        self.entry = {
            name: self.settled(value) for name, value in self.now.items() if any(_asks_old(s, name) for s in statements)
        }
        outside = dict(self.now)
        for statement in statements:
            value = self.resolve(smooth(statement.expression, self.kinds))
            if flag is not None and not statement.local:
                value = Operation(
                    "where", (flag, _converted(value, self.arranger.kind(value), statement.kind), self.now[statement.target])
                )
            self.now[statement.target] = self.assign(statement.target, statement.kind, value)
        for statement in statements:
            if statement.local:
                self.now.pop(statement.target, None)
                if statement.target in outside:
                    self.now[statement.target] = outside[statement.target]
        self.entry = {}

    def settled(self, value: Expr) -> Expr:
        """A name of its own for a value that may be overwritten before it is read."""
        return (
            value
            if isinstance(value, Symbol) and "@" in value.name[1:]
            else self.assign("@old", self.arranger.kind(value), value)
        )

    def events(self) -> None:
        flags = [self.flag(number, event) for number, event in enumerate(self.model.events)]
        for (name, _), now in zip(self.crossings, [self.now[name] for name, _ in self.crossings], strict=True):
            self.initial.append((name, self.initial_condition(name, now)))
        for event, flag in zip(self.model.events, flags, strict=True):
            if event.name == "spike":
                self.note_spike(flag)
            self.block(event.block, flag)
            if event.name == "spike":
                self.become_refractory(flag)

    def flag(self, number: int, event: Event) -> Symbol:
        condition = self.resolve(smooth(event.condition, self.kinds))
        if event.name == "spike" and self.model.refractory is not None:
            condition = Operation("and", (condition, Operation("not", (self.is_refractory(),))))
        flag = self.assign(f"@event{number}", Kind.BOOLEAN, condition)
        self.emits.append(Emit(number, flag.name))
        return flag

    def initial_condition(self, name: str, now: Expr) -> Expr:
        """The test of a crossing on the initial state."""
        number = int(name.removeprefix("@crossed"))
        tests = [node for event in self.model.events for node in operations_of(event.condition) if node.name == "crosses"]
        return substitute(Operation("greater", tests[number].arguments), self.initial_values())

    def note_spike(self, flag: Symbol) -> None:
        if LAST_STEP in self.now or self.reads(LAST):
            if LAST_STEP not in self.now:
                self.remember(LAST)
            number = Symbol("@step") if self.brian2 else Operation("add", (Symbol("@step"), Constant(1)))
            self.now[LAST_STEP] = self.assign(LAST_STEP, Kind.INTEGER, Operation("where", (flag, number, self.now[LAST_STEP])))
        if SPIKED in self.now or self.reads(SPIKED):
            if SPIKED not in self.now:
                self.remember(SPIKED)
            self.now[SPIKED] = flag

    def reads(self, name: str) -> bool:
        """Whether a block, an output or a recorded quantity reads one of the names that a spike sets."""
        expressions = [s.expression for e in self.model.events for s in e.block]
        expressions += [s.expression for s in (*self.model.each_step, *self.model.each_step_after_reset)]
        expressions += [self.written_out[r] for r in self.structure.recorded if r in self.written_out]
        expressions += [self.model.output] if self.model.output is not None else []
        expressions += [self.model.refractory.expression] if self.model.refractory is not None else []
        return any(name in symbols_of(substitute(expression, self.written_out)) for expression in expressions)

    def become_refractory(self, flag: Symbol) -> None:
        refractory = self.model.refractory
        if refractory is None:
            return
        if refractory.condition:
            self.now[REFRACTORY] = self.assign(REFRACTORY, Kind.BOOLEAN, Operation("or", (flag, self.is_refractory())))
            return
        steps = self.refractory_steps(self.resolve(refractory.expression))
        left = Operation("maximum", (Operation("subtract", (Symbol(REFRACTORY), Constant(1.0))), Constant(0.0)))
        self.now[REFRACTORY] = self.assign(REFRACTORY, Kind.REAL, Operation("where", (flag, steps, left)))

    def refractory_steps(self, duration: Expr) -> Expr:
        """Whole steps of a duration: round(T/dt), halves up; Brian2's floor(T/dt + 1e-3), one step shorter."""
        steps = Operation("divide", (duration, Symbol("@dt")))
        if self.brian2:
            counted = Operation("floor", (Operation("add", (steps, Constant(1e-3))),))
            return Operation("to_real", (Operation("maximum", (Operation("subtract", (counted, Constant(1.0))), Constant(0.0))),))
        # 1e-6 of a step: 0.15/0.1 is 1.4999999999999998 in float64, and is meant as a half
        return Operation("to_real", (Operation("floor", (Operation("add", (steps, Constant(0.500001))),)),))

    def output(self) -> None:
        if self.model.output is None:
            return
        value = self.resolve(smooth(self.model.output, self.kinds))
        kind = self.arranger.kind(value)
        kind = Kind.REAL if kind is Kind.DOUBLE else kind
        symbol = self.assign("@output", kind, value)
        self.array("@output", kind, written=True)
        self.now["@output"] = symbol
        self.initial.append(("@output", Constant({Kind.REAL: 0.0, Kind.INTEGER: 0, Kind.BOOLEAN: False}[kind])))

    # ---- recording

    def observe(self) -> int:
        """Recorded quantities that read all neurons: phases at the end of the step, from the values that a recording sees, keep them in
        arrays. Returns how many phases."""
        names = [name for name in self.structure.recorded if _across(self.written_out.get(name, Symbol(name)))]
        before = len(self.phases)
        self.look(Symbol("@t_next"))
        for name in names:
            value = self.resolve(smooth(self.written_out[name], self.kinds))
            kind = self.arranger.kind(value)
            self.now[f"@observed {name}"] = self.assign(f"@observed {name}", kind, value)
            self.array(f"@observed {name}", kind, written=True)
            self.end_phase(())
        return len(self.phases) - before

    def look(self, time: Symbol) -> None:
        """From here on the stored values are those that are read, at `time`."""
        self.time = self.sampled_at = time
        self.once = {}
        self.now = {name: Symbol(name) for name, array in self.arrays.items() if array.written}
        if self.model.refractory is not None:
            self.now["@is_refractory"] = self.refractory_now() if not self.model.refractory.condition else Symbol(REFRACTORY)

    def probes(self) -> tuple[Probe, ...]:
        self.look(Symbol("@t"))
        return tuple(self.probe(name) for name in self.structure.recorded)

    def probe(self, name: str) -> Probe:
        source = "@output" if name == "output" and self.model.output is not None else name
        source = f"@observed {name}" if f"@observed {name}" in self.arrays else source
        written = self.written_out.get(source)
        value = self.resolve(smooth(written, self.kinds) if written is not None else Symbol(source))
        kind = self.arranger.kind(value)
        kind = Kind.REAL if kind is Kind.DOUBLE else kind
        arranged = self.arranger.keep(_converted(value, self.arranger.kind(value), kind))
        uniform = tuple(self.arranger.next_phase())
        statements, kinds = shared_parts([("@recorded", kind, arranged)], self.kinds, f"@seen_{name}_")
        self.kinds |= kinds
        return Probe(name, kind, uniform, tuple(statements[:-1]), statements[-1].expression)


# ---- pieces ------------------------------------------------------------------------------------


def _entries(propagator: Propagator) -> frozenset[str]:
    return frozenset(name for _, _, name in (*propagator.transition, *propagator.input))


def waiting_first(made: list[Hoist | Propagator], waiting: list[Propagator]) -> list[Hoist | Propagator]:
    """Propagators that no hoist reads stand at the end."""
    return [*made, *waiting]


def _across(expression: Expr) -> bool:
    """Whether an expression reads all neurons."""
    return any(node.name in _REDUCTIONS or node.name == "matmul" for node in operations_of(expression))


def _asks_old(statement: Assignment, name: str) -> bool:
    return any(node.name == "old" and node.arguments[0] == Symbol(name) for node in operations_of(statement.expression))


def _converted(expression: Expr, found: Kind, wanted: Kind) -> Expr:
    if found is wanted:
        return expression
    return Operation(
        {Kind.REAL: "to_real", Kind.INTEGER: "to_integer", Kind.BOOLEAN: "to_boolean", Kind.DOUBLE: "to_double"}[wanted],
        (expression,),
    )
