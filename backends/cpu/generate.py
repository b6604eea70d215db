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
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..emit import CONVERT, Scope, Spelling, assign, call, extents, name, number
from ..kernel import BUILT_IN, Kernel, Kind, Phase
from .blocks import Blocks
from .layout import Layout
from .recordings import records
from .reductions import of_block, over_blocks
from .templates import (
    ADDRESSES,
    BACKWARD,
    COUNTS,
    COUPLED,
    DISTRIBUTIONS,
    DRAWS,
    EACH,
    EVENTS,
    FORWARD,
    MOMENT,
    PAIRS,
    PLAN,
    PRIMITIVES,
    RARE,
    RECORD,
    REDUCTIONS,
    UNCOUPLED,
    WINNER,
)

BACKENDS = __package__.rpartition(".")[0]


@dataclass
class Generator:
    """Writes the module around the loops; `order`: that of the blocks in the last pass over all of them."""

    layout: Layout
    blocks: Blocks
    order: str = field(init=False, default=FORWARD)

    def module(self) -> ast.Module:
        statements = {
            "PLACES": self.places(),
            "SCALARS": self.scalars(),
            "FILL": self.copies(kept=False),
            "KEEP": self.copies(kept=True),
            "CHECK": self.check(),
            "RECORD": records(self.layout),
            "PHASES": [statement for phase in self.layout.kernel.phases for statement in self.phase(phase)],
            **self.counts(),
        }
        each = {f"EACH_{key}": self.each(statements[key]) for key in ("FILL", "RECORD", "CHECK", "KEEP")}
        (function,) = self.layout.fill(COUPLED if self.layout.kernel.coupled else UNCOUPLED, {**statements, **each})
        assert isinstance(function, ast.FunctionDef)
        return ast.fix_missing_locations(ast.Module([*self.header(), function], []))

    def header(self) -> list[ast.stmt]:
        draws = {called for called in self.layout.scope.called if called.partition("_")[0] in DISTRIBUTIONS}
        imports = {
            "primitives": PRIMITIVES,
            "vector_math": sorted(self.layout.scope.called - draws),
            "random": sorted(draws),
            "cpu.across": REDUCTIONS if self.layout.kernel.coupled else [],
        }
        lines = ["import numpy as np"]
        lines += [f"from {BACKENDS}.{module} import {', '.join(names)}" for module, names in imports.items() if names]
        lines += [f"{self.layout.scope.spelling(name)} = outside[{name!r}]" for name in self.layout.scope.outside]
        lines += ["inf, nan = np.inf, np.nan", f"real, double, integer = np.{self.layout.precision}, np.float64, np.int64"]
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
        if self.layout.kernel.timed:
            lines.append(f"moments = at(plan[{PLAN.index('spikes')}], double)")
        index = len(PLAN)
        for place in self.layout.kernel.series:
            series, rows, columns = (self.layout.scope.spelling(key) for key in (place.name, *extents(place.name)))
            lines += [f"{series} = at(plan[{index}], real)", f"{rows} = plan[{index + 1}]", f"{columns} = plan[{index + 2}]"]
            index += 3
        for matrix in self.layout.kernel.matrices:
            lines.append(f"{self.layout.scope.spelling(matrix.name)} = at(plan[{index}], real)")
            index += 1
        return ast.parse("\n".join(lines)).body

    def scalars(self) -> list[ast.stmt]:
        """Scalars stand in `scalars` behind dt, all float64."""
        return [
            assign(self.layout.scope.spelling(scalar.name), self.scalar(scalar.kind, index))
            for index, scalar in enumerate(self.layout.kernel.scalars, start=1)
        ]

    def scalar(self, kind: Kind, index: int) -> ast.expr:
        value = call("get", name("scalars"), number(index))
        as_stored = kind is Kind.DOUBLE or (kind is Kind.REAL and self.layout.precision == "float64")
        return value if as_stored else CONVERT[kind](value)

    def copies(self, kept: bool) -> list[ast.stmt]:
        """Between the arrays and the scratch; `kept`: back, and only what is written."""
        lines = []
        for array in self.layout.kernel.arrays:
            if array.passing:
                continue
            scratch, arrays = ("wholes", "integers") if array.kind is Kind.INTEGER else ("scratch", "reals")
            row = self.layout.rows[array.name]
            inside, outside = ast.unparse(self.layout.place(array.name, number(0))), f"{row} * n + origin"
            if not kept:
                lines.append(f"copy({scratch}, {inside}, {arrays}, {outside}, many)")
                lines.append(
                    f"repeat({scratch}, {inside} + many, {inside} + {'BLOCK' if self.layout.kernel.coupled else 'lanes'})"
                )
            elif array.written:
                lines.append(f"copy({arrays}, {outside}, {scratch}, {inside}, many)")
        return self.layout.fill("\n".join(lines), {})

    def check(self) -> list[ast.stmt]:
        rows = [ast.unparse(self.layout.place(guarded, number(0))) for guarded in self.layout.kernel.guarded]
        return [statement for row in rows for statement in ast.parse(f"finite &= all_finite(scratch, {row}, lanes)").body]

    def counts(self) -> Mapping[str, list[ast.stmt]]:
        """How many spikes are in the buffer: marked where a block begins, taken back where its steps are void."""
        events = range(len(self.layout.kernel.events))
        lines = {
            "MARK": [f"put(marks, {event}, get(counts, {event}))" for event in events],
            "FULL": [f"full |= get(counts, {event}) > capacity - at_once" for event in events],
            "FORGET": [f"put(counts, {event}, get(marks, {event}))" for event in events],
        }
        return {key: ast.parse("\n".join(found)).body for key, found in lines.items()}

    # ---- phases and reductions ----------------------------------------------------------------------

    def phase(self, phase: Phase) -> list[ast.stmt]:
        uniform = [self.layout.scope.assign(statement) for statement in phase.uniform]
        loop = [*self.blocks.body(phase), *[statement for emit in phase.emits for statement in self.blocks.list_events(emit)]]
        if not self.layout.kernel.coupled:
            return [*uniform, *loop]
        made = uniform
        for reduction in phase.reductions:  # the first one in one pass with the bodies
            made += [
                *self.each([*loop, *of_block(self.layout, reduction)], self.turned(phase)),
                *over_blocks(self.layout, reduction),
            ]
            loop = []
        return [*made, *self.each(loop, self.turned(phase) if loop else FORWARD)]

    def turned(self, phase: Phase) -> str:
        """The order of the blocks in the next pass: against that of the last one, but events are listed in the order of the neurons."""
        self.order = FORWARD if phase.emits or self.order == BACKWARD else BACKWARD
        return self.order

    def each(self, inside: list[ast.stmt], order: str = FORWARD) -> list[ast.stmt]:
        """The statements for each block in turn."""
        return self.layout.fill(EACH, {"INSIDE": inside}, ORDER=ast.parse(order, mode="eval").body) if inside else []


def layout_of(kernel: Kernel, precision: str, block: int, functions: Mapping[tuple[str, str], str]) -> Layout:
    """The layout of a kernel, with a scope in which its names are spelled; `functions`: (operation, precision) -> name of a
    function of vector_math."""
    kinds = {array.name: array.kind for array in kernel.arrays} | {scalar.name: scalar.kind for scalar in kernel.scalars}
    spelling = Spelling()
    spelling.given.update({built_in: built_in[1:] for built_in in BUILT_IN})
    spelling.reserve([*internal_names(functions), *spelling.given.values()])
    outside = {function.name: function.takes for function in kernel.functions}
    for place in (*kinds, *outside, *[series.name for series in kernel.series], *[matrix.name for matrix in kernel.matrices]):
        spelling(place)
    return Layout(kernel, precision, block, Scope(spelling, {**BUILT_IN, **kinds}, precision, functions, outside=outside))


def internal_names(functions: Mapping[tuple[str, str], str]) -> set[str]:
    templates = "".join((UNCOUPLED, COUPLED, EACH, EVENTS, MOMENT, RARE, DRAWS, COUNTS, RECORD, WINNER))
    found = {node.id for node in ast.walk(ast.parse(templates)) if isinstance(node, ast.Name)}
    kinds = (*DISTRIBUTIONS, *PAIRS.values(), "poisson_many")
    draws = {f"{kind}_{width}" for kind in kinds for width in ("f64", "f32")}
    more = {*PLAN, *PRIMITIVES, *REDUCTIONS, *functions.values(), *draws}
    return found | more | {"doubles", "np", "real", "double", "integer", "inf", "nan", "advance", "words", "plan", "outside"}


def generate(kernel: Kernel, precision: str, block: int, functions: Mapping[tuple[str, str], str]) -> str:
    """The text of the module: one function `advance` of the address of its plan."""
    layout = layout_of(kernel, precision, block, functions)
    return ast.unparse(Generator(layout, Blocks(layout)).module())
