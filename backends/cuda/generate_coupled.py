"""A coupled Kernel to one function that makes a whole chunk of steps on a device: all its blocks run at once and meet at barriers.

State stays in arrays, and each thread has the neurons of one place in some tiles. The phases up to one that reads what an earlier one has
reduced are made in one pass over the neurons, behind which stands a barrier; the last phases of a step, which reduce nothing, are made in
one pass with the first ones of the next step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..emit import filled, name, number
from ..kernel import Array, Emit, Kernel, Kind, MatrixProduct, Phase, Reduce
from . import reductions as cuda_reductions
from .generate import Generator, all_symbols, probe_symbols
from .generate_across import Across
from .generate_values import Values
from .reductions import ON_DEVICE, Layout, folded, reductions_of, room_of
from .templates import CHUNK, MOMENT, OVERFULL, PLACES, RECORDED, STEPS_TIME, TROUBLE
from .text import Argument, Function, Text, place_of, with_arguments

Reductions = tuple[Reduce | MatrixProduct, ...]

STEPS = """
def advance(ARGUMENTS):
    if before[0] == 0:
        thread = cuda.threadIdx.x
        block = cuda.blockIdx.x
        blocks = cuda.gridDim.x
        grid = cuda.cg.this_grid()
        tiles = (n + THREADS - 1) // THREADS
        bits = THREAD_BITS
        side = 0
        SHARED
        NOTHING
        tile = block
        while tile < tiles:
            i = tile * THREADS + thread
            if i < n:
                BEGIN
            tile += blocks
        NONE_RECORDED
        last = first + steps
        now = first
        while now <= last:
            TURN
            RECORDED_ONCE
            if now < last:
                MIDDLE
            now += 1
"""

# The end of the step before, what is recorded, and the first phases of this step
TURN = """
step = now
tile = block
while tile < tiles:
    i = tile * THREADS + thread
    NONE
    if i < n:
        LOAD
        if now > first:
            step = now - 1
            PAST_TIMES
            SETTLE
            PAST
            step = now
        TIMES
        if now < last or steps == 0:
            RECORD
        if now < last:
            PRESENT
        STORE
        if now == last:
            CHECK
    if now < last:
        TILE
    tile += blocks
"""

PASS = """
tile = block
while tile < tiles:
    i = tile * THREADS + thread
    NONE
    if i < n:
        LOAD
        TIMES
        SETTLE
        PRESENT
        STORE
    TILE
    tile += blocks
"""

RECORD = """
if now == DUE:
    place = COLUMN[i]
    if place >= 0:
        BODY
        VALUES[ROW, place] = VALUE
"""

NONE_RECORDED = """
DUE = first + DUE_AFTER
ROW = 0
"""

RECORDED_ONCE = """
if now == DUE:
    DUE += APART
    ROW += 1
"""

LISTED = """
if FLAG:
    count = counts[EVENT, i]
    if count < capacity:
        listed[EVENT, count, i] = step - first
        MOMENT
    else:
        cuda.atomic.or_(status, 0, OVERFULL)
    counts[EVENT, i] = count + 1
"""

TEMPLATES = (STEPS, TURN, PASS, RECORD, NONE_RECORDED, RECORDED_ONCE, LISTED, MOMENT, TROUBLE, *cuda_reductions.TEMPLATES)
ACROSS = "parts double_parts whole_parts keys whole_keys".split()  # arguments, those that a kernel needs


@dataclass(frozen=True)
class Segment:
    """Phases that are made in one pass over the neurons, and what is reduced behind them."""

    phases: tuple[Phase, ...] = ()
    reductions: Reductions = ()

    def with_phase(self, phase: Phase) -> Segment:
        return Segment((*self.phases, phase), (*self.reductions, *phase.reductions))

    def ends_before(self, phase: Phase) -> bool:
        """Whether a phase reads what is reduced here, or writes what a rank or product has yet to read."""
        reads = {*all_symbols((phase,)), *[reduction.of for reduction in phase.reductions]}
        waiting = {reduction.of for reduction in self.reductions if not folded(reduction)}
        return bool(reads & {r.name for r in self.reductions} or waiting & {store.array for store in phase.stores})


def segments_of(kernel: Kernel) -> tuple[Segment, ...]:
    """In order; the last one reduces nothing, and may be empty."""
    found = [Segment()]
    for phase in kernel.phases:
        if found[-1].ends_before(phase):
            found.append(Segment())
        found[-1] = found[-1].with_phase(phase)
    return tuple(found) if not found[-1].reductions else (*found, Segment())


def generate_coupled(
    kernel: Kernel, precision: str, functions: Mapping[tuple[str, str], str], exact: bool, layout: Layout = ON_DEVICE
) -> Text:
    """The function `advance` of a coupled kernel, for blocks and tiles of some layout."""
    return CoupledGenerator(kernel, precision, functions, exact, layout=layout).text()


@dataclass
class CoupledGenerator(Generator):
    layout: Layout = field(kw_only=True, default=ON_DEVICE)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.named = {array.name: array for array in self.kernel.arrays}
        self.kept_in = room_of(self.kernel)
        self.values = Values(self.layout, self.kept_in, self.scope, self.named, self.loaded, self.element)
        self.across = Across(self.values)
        self.passing = self._passing()

    def templates(self) -> Iterable[str]:
        return TEMPLATES

    def _passing(self) -> frozenset[str]:
        """The arrays that only folds read: their values never leave the registers."""
        apart = {reduction.of for reduction in reductions_of(self.kernel) if not folded(reduction)}
        apart |= {store.array for phase in self.kernel.phases for store in phase.stores if phase.where is not None}
        return frozenset(array.name for array in self.kernel.arrays if array.passing and array.name not in apart)

    # ---- the function -----------------------------------------------------------------------------

    def chunk(self) -> tuple[ast.stmt, Function]:
        first, *middle, last = segments_of(self.kernel)
        reductions = reductions_of(self.kernel)
        kept = [array for array in self.kernel.arrays if array.written and array.name not in self.passing]
        begin: list[ast.stmt] = [ast.Assign([self.element(a, "i")], self.element(a, "i", "")) for a in kept]
        begin += [statement for e in range(len(self.kernel.events)) for statement in ast.parse(f"counts[{e}, i] = 0").body]
        between = [*ast.parse("step = now\ngrid.sync()").body, *self.across.across(first.reductions)]
        for before, segment in zip((first, *middle), middle, strict=False):
            between += self.one_pass(before.reductions, segment)
            between += [*ast.parse("grid.sync()").body, *self.across.across(segment.reductions)]
        statements = {
            "SHARED": self.across.shared([segment.reductions for segment in (first, *middle)]),
            "NOTHING": self.across.folds.nothing(reductions),
            "BEGIN": begin,
            **self.recorded(),
            "TURN": self.turn((first, *middle)[-1].reductions, last, first),
            "MIDDLE": between,
        }
        (node,) = filled(STEPS, statements, THREADS=self.layout.threads, THREAD_BITS=self.layout.threads.bit_length() - 1)
        moments = ["moments"] if self.kernel.timed else []
        arguments = self.arguments([*STEPS_TIME, *PLACES, *moments, *CHUNK])
        return with_arguments(node, arguments), Function("advance", arguments)

    def arguments(self, fixed: list[str]) -> tuple[Argument, ...]:
        found = super().arguments(fixed)
        matrices = [Argument(self.scope.spelling(m.name), "matrix", m.name, Kind.REAL) for m in self.kernel.matrices]
        rows = self.kept_in.rows
        return (*found, *matrices, *[Argument(place, place) for place in ACROSS if place in rows])

    def recorded(self) -> dict[str, list[ast.stmt]]:
        """The statements of a chunk about what is recorded."""
        found: dict[str, list[ast.stmt]] = {"NONE_RECORDED": [], "RECORDED_ONCE": [], "RECORD": []}
        for probe in self.kernel.probes:
            spelled = {of.upper(): name(self.scope.spelling(f"@@{of} {probe.name}")) for of in ("row", *RECORDED)}
            after, due = spelled["DUE"], name(self.scope.spelling(f"@@next {probe.name}"))
            body, value = self.probed(probe)
            found["NONE_RECORDED"] += filled(NONE_RECORDED, {}, **{**spelled, "DUE_AFTER": after, "DUE": due})
            found["RECORDED_ONCE"] += filled(RECORDED_ONCE, {}, **{**spelled, "DUE": due})
            found["RECORD"] += filled(RECORD, {"BODY": body}, VALUE=value, **{**spelled, "DUE": due})
        return found

    # ---- passes over the neurons ------------------------------------------------------------------

    def turn(self, settling: Reductions, past: Segment, present: Segment) -> list[ast.stmt]:
        used = self.used(settling, past, present) | probe_symbols(self.kernel.probes)
        unchecked = [guarded for guarded in self.kernel.guarded if guarded not in used]
        statements = {
            "NONE": self.values.none(present.reductions),
            "LOAD": self.loads(used),
            "PAST_TIMES": self.times(set(all_symbols(past.phases))),
            "SETTLE": self.across.settled(settling),
            "PAST": [*self.phases(past), *self.stores(past, used, inside=True)],
            "TIMES": self.times(set(all_symbols(present.phases)) | probe_symbols(self.kernel.probes)),
            "RECORD": self.recorded()["RECORD"],
            "PRESENT": [*self.phases(present), *self.stores(present, used, inside=True)],
            "STORE": self.stores(Segment((*past.phases, *present.phases)), used, inside=False),
            "CHECK": [*self.loads(unchecked), *self.check()],
            "TILE": self.across.tile(present.reductions),
        }
        return filled(TURN, _never_empty(statements), THREADS=self.layout.threads)

    def one_pass(self, settling: Reductions, present: Segment) -> list[ast.stmt]:
        used = self.used(settling, present)
        statements = {
            "NONE": self.values.none(present.reductions),
            "LOAD": self.loads(used),
            "TIMES": self.times(set(all_symbols(present.phases))),
            "SETTLE": self.across.settled(settling),
            "PRESENT": self.phases(present),
            "STORE": [*self.stores(present, used, inside=True), *self.stores(present, used, inside=False)],
            "TILE": self.across.tile(present.reductions),
        }
        return filled(PASS, _never_empty(statements), THREADS=self.layout.threads)

    def used(self, settling: Reductions, *segments: Segment) -> set[str]:
        """The arrays that a pass loads."""
        found = {symbol for segment in segments for symbol in all_symbols(segment.phases)}
        found |= {r.of for segment in segments for r in segment.reductions if isinstance(r, Reduce)}
        # where a phase is made for some neurons alone, the others keep what they have
        phases = [phase for segment in segments for phase in segment.phases if phase.where is not None]
        found |= {store.array for phase in phases for store in phase.stores}
        found |= {r.of for r in settling if isinstance(r, Reduce) and r.operation == "rank"}
        return found - self.passing

    def phases(self, segment: Segment) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for phase in segment.phases:
            made += [*self.phase(phase), *self.values.values(phase.reductions)]
        return made

    def stores(self, segment: Segment, used: set[str], inside: bool) -> list[ast.stmt]:
        """What the phases store: `inside` their own condition those arrays that are not loaded, outside the others."""
        stored = dict.fromkeys(store.array for phase in segment.phases for store in phase.stores)
        wanted = [found for found in stored if found not in self.passing and (found in used) is not inside]
        return [self.put(self.named[found], "_out", name(self.scope.spelling(found))) for found in wanted]

    def listed(self, emit: Emit, new: Mapping[str, str]) -> list[ast.stmt]:
        moment = []
        if emit.moment is not None:
            value = name(new.get(emit.moment) or self.scope.spelling(emit.moment))
            moment = filled(MOMENT, {}, EVENT=emit.event, COUNT=name("count"), NEURON=name("i"), MOMENT_VALUE=value)
        flag = name(self.scope.spelling(emit.flag))
        return filled(LISTED, {"MOMENT": moment}, FLAG=flag, EVENT=emit.event, OVERFULL=OVERFULL)

    # ---- places -----------------------------------------------------------------------------------

    def load(self, array: Array) -> ast.expr:
        return self.loaded(array, "i")

    def loaded(self, array: Array, index: str) -> ast.expr:
        value = self.element(array, index)
        return ast.Compare(value, [ast.NotEq()], [number(0)]) if array.kind is Kind.BOOLEAN else value

    def element(self, array: Array, index: str, out: str = "_out") -> ast.expr:
        place = place_of(array) + (out if array.written else "")
        return ast.parse(f"{place}[{self.rows[array.name]}, {index}]", mode="eval").body


def _never_empty(statements: Mapping[str, Sequence[ast.stmt]]) -> dict[str, list[ast.stmt]]:
    """A condition over nothing is no Python."""
    return {key: list(found) or [ast.Pass()] for key, found in statements.items()}
