"""Draft: a kernel while it is written. Every value gets a name that is assigned once; `now` says which name holds the current value of
each state.

Where something is read across the population, the phase ends: what is needed later is stored, and the next phase begins.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.kernel import (
    BUILT_IN,
    Array,
    Draw,
    Emit,
    Expr,
    FunctionPlace,
    Hoist,
    Kernel,
    Kind,
    Matrix,
    MatrixProduct,
    Phase,
    Probe,
    Propagator,
    Reduce,
    Scalar,
    SeriesPlace,
    Store,
    Symbol,
)
from ..checked import CheckedModel, External
from ..discretise import Discretised
from ..structure import Structure
from ..substitute import definitions, substitute, symbols_of
from .arrange import Arranger, Pace
from .names import BEFORE, converted
from .phases import carry_across, side_by_side, with_draws
from .sharing import shared_parts


class Draft:
    """The state of one lowering: places, current names, and the phase that is being filled."""

    def __init__(self, model: CheckedModel, structure: Structure, discretised: Discretised) -> None:
        self.model, self.structure, self.discretised = model, structure, discretised
        self.shapes = dict(structure.shapes)
        self.exact, self.listing = structure.spike_times == "exact", structure.spikes
        self.brian2 = structure.conventions == "brian2"
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
        self.driven: dict[str, Expr] = {}  # parameters that a table gives, and which column
        self.matrices: dict[str, Matrix] = {}
        self.functions: list[FunctionPlace] = []
        self.propagators: list[Propagator] = []
        self.initial: list[tuple[str, Expr]] = []
        self.arranger = Arranger(self.kinds, self.paces)
        self.now: dict[str, Expr] = {}
        self.entry: dict[str, Expr] = {}  # what `old(x)` means in the block that is being written
        self.time: Expr = Symbol("@t")
        self.sampled_at: Expr = Symbol("@t")  # driven parameters, also in blocks
        self.once: dict[Expr, Symbol] = {}  # draws and reductions of the present values
        self.noise: dict[str, Symbol] = {}
        self.crossings: list[tuple[str, Expr]] = []
        self.guards: list[str] = []  # arrays beside the states that have to stay finite
        self.phases: list[Phase] = []
        self._versions: dict[str, int] = {}
        self._statements: list[tuple[str, Kind, Expr] | Draw] = []
        self._emits: list[Emit] = []

    # ---- places

    def know(self, name: str, kind: Kind, pace: Pace) -> None:
        self.kinds[name], self.paces[name] = kind, pace

    def array(self, name: str, kind: Kind, written: bool, pace: Pace = Pace.FREE, passing: bool = False) -> None:
        self.arrays[name] = Array(name, kind, written, passing)
        self.know(name, kind, pace)

    def scalar(self, name: str, kind: Kind) -> None:
        self.scalars[name] = Scalar(name, kind)
        self.know(name, kind, Pace.FIXED)

    def table(self, name: str) -> None:
        """A series, and the interval between its samples."""
        self.series[name] = SeriesPlace(name)
        self.know(name, Kind.REAL, Pace.FIXED)
        self.scalar(f"@interval {name}", Kind.DOUBLE)

    def outside(self, external: External) -> None:
        """A Python function; where nobody has given one yet (to explain a model), its place without a digest."""
        given = {place.name: place for place in self.structure.outside}
        nobody = FunctionPlace(external.name, "", external.kinds, external.kind)
        self.functions.append(given.get(external.name, nobody))
        self.know(external.name, Kind.REAL, Pace.FIXED)

    def state(self, name: str, kind: Kind, initial: Expr) -> None:
        """An array that keeps a value from step to step and has one before the first."""
        self.array(name, kind, written=True)
        self.now[name] = Symbol(name)
        self.initial.append((name, initial))

    def initial_values(self) -> Mapping[str, Expr]:
        """Derived quantities and inputs as initial values see them: written out over states, parameters and time."""
        once = {v.name: substitute(v.expression, self.written_out) for v in self.model.formulas if v.once_a_step}
        written = {name: substitute(value, BEFORE) for name, value in {**self.written_out, **once}.items()}
        return {**written, **BEFORE}

    # ---- statements

    def kind(self, expression: Expr) -> Kind:
        return self.arranger.kind(expression)

    def version(self, name: str) -> str:
        self._versions[name] = self._versions.get(name, 0) + 1
        return f"{name}@{self._versions[name]}"

    def assign(self, name: str, kind: Kind, expression: Expr, free: bool = False) -> Symbol:
        """A new name for a value; `free` lets sums and products be regrouped."""
        expression = converted(expression, self.kind(expression), kind)
        arranged = self.arranger.arrange(expression) if free else self.arranger.keep(expression)
        symbol = Symbol(self.version(name))
        self.know(symbol.name, kind, Pace.FREE)
        self._statements.append((symbol.name, kind, arranged))
        return symbol

    def settled(self, value: Expr) -> Expr:
        """A name of its own for a value that may be overwritten before it is read."""
        if isinstance(value, Symbol) and "@" in value.name[1:]:
            return value
        return self.assign("@old", self.kind(value), value)

    def draw(self, name: str, distribution: str, stream: int, mean: Expr | None = None) -> Symbol:
        symbol = Symbol(self.version(name))
        self.know(symbol.name, Kind.REAL, Pace.FREE)
        self._statements.append(Draw(symbol.name, distribution, stream, mean))
        return symbol

    def emit(self, event: int, flag: Symbol, moment: str | None = None) -> None:
        if self.listing:
            self._emits.append(Emit(event, flag.name, moment))

    # ---- phases

    def end_phase(self, reductions: tuple[Reduce | MatrixProduct, ...] = (), *stores: Store, where: str | None = None) -> None:
        """Everything up to here is one loop over the neurons, or those of `where`; current values go to their arrays."""
        run = [statement for statement in self._statements if isinstance(statement, tuple)]
        draws = [statement for statement in self._statements if isinstance(statement, Draw)]
        assigned, kinds = shared_parts(run, self.kinds, f"@part{len(self.phases)}_")
        self.kinds |= kinds
        body = tuple(with_draws(side_by_side(assigned), draws))
        changed = ((name, value) for name, value in self.now.items() if name in self.arrays and isinstance(value, Symbol))
        current = [Store(name, value.name) for name, value in changed if value.name != name]
        uniform = tuple(self.arranger.next_phase())
        self.phases.append(Phase(uniform, body, tuple(self._emits), (*current, *stores), reductions, where))
        written = {store.array for store in current}
        for name in written:
            self.now[name] = Symbol(name)
        self.once = {node: result for node, result in self.once.items() if not symbols_of(node) & written}
        self._statements, self._emits = [], []

    # ---- the kernel

    def finished(self, probes: tuple[Probe, ...]) -> Kernel:
        phases = carry_across(self.phases, lambda place, name: self.array(place, self.kinds[name], written=True))
        for hoist in self.arranger.hoists:
            kind = self.kinds[hoist.name]
            if hoist.per_neuron:
                self.arrays[hoist.name] = Array(hoist.name, kind, written=False)
            else:
                self.scalars[hoist.name] = Scalar(hoist.name, kind)
        return Kernel(
            name=self.model.name,
            arrays=tuple(self.arrays.values()),
            scalars=tuple(self.scalars.values()),
            series=tuple(self.series.values()),
            matrices=tuple(self.matrices.values()),
            prologue=self._prologue(),
            phases=phases,
            probes=probes,
            events=tuple(event.name for event in self.model.events) if self.listing else (),
            guarded=(*self.guards, *(state.name for state in self.model.states if state.kind is Kind.REAL)),
            functions=tuple(self.functions),
        )

    def _prologue(self) -> tuple[Hoist | Propagator, ...]:
        """Hoists, each Propagator before what uses it: entries of propagators are places, never hoisted further here."""
        made: list[Hoist | Propagator] = []
        waiting = list(self.propagators)
        for hoist in self.arranger.hoists:
            used = symbols_of(hoist.expression)
            for propagator in [p for p in waiting if used & _entries(p)]:
                made.append(propagator)
                waiting.remove(propagator)
            made.append(hoist)
        return (*made, *waiting)


def _entries(propagator: Propagator) -> frozenset[str]:
    return frozenset(name for _, _, name in (*propagator.transition, *propagator.input))
