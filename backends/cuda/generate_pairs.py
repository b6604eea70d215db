"""A Kernel whose neurons share draws two by two to a function in which a thread makes both: of what they share each makes half.

Where there is no second neuron, the first one is made twice; what comes of it is written nowhere, and its lists have no places.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..emit import extents, filled, name
from ..kernel import Draw, Kernel, Phase
from .generate import Generator, draws_of
from .scope import PAIRED
from .templates import HALF, TEMPLATES
from .text import Text

TWO_NEURONS = """
thread = cuda.grid(1)
i = thread // HALF * (2 * HALF) + thread % HALF
two = i + HALF < n
SECOND = i + HALF if two else i
room = capacity if two else int32(0)
"""

PLACED = "PLACE = COLUMN[NEURON] if DUE <= steps and two else int32(-1)"

IF_TWO = """
if two:
    BODY
"""


def shares_draws(kernel: Kernel) -> bool:
    """Whether a thread should make two neurons."""
    always = all(phase.where is None for phase in kernel.phases)
    return not kernel.coupled and always and any(draw.distribution in PAIRED for draw in draws_of(kernel))


def generate_pairs(kernel: Kernel, precision: str, functions: Mapping[tuple[str, str], str], exact: bool) -> Text:
    """The function `advance` of a kernel that shares draws."""
    return First(kernel, precision, functions, exact).text()


@dataclass
class First(Generator):
    """Generates the statements of the first neuron, and what both share."""

    def __post_init__(self) -> None:
        super().__post_init__()
        own = {"@i", *(array.name for array in self.kernel.arrays), *(f"@@new {array.name}" for array in self.kernel.arrays)}
        own |= {f"@@count {event}" for event in self.events()} | {f"@@place {probe.name}" for probe in self.kernel.probes}
        for phase in self.kernel.phases:
            own |= {statement.name for statement in phase.body}
            for statement in phase.uniform:
                self.scope.spelling(statement.name)
        for series in self.kernel.series:
            for extent in extents(series.name):
                self.scope.spelling(extent)
        self.other = Second(self.kernel, self.precision, self.functions, self.exact)
        self.other.scope = self.scope.inside(own)
        self.other.scope.kinds = self.scope.kinds

    def templates(self) -> Iterable[str]:
        return (*TEMPLATES, TWO_NEURONS, PLACED, IF_TWO)

    def each(self) -> Sequence[Generator]:
        return (self, self.other)

    def neurons(self) -> list[ast.stmt]:
        return filled(TWO_NEURONS, {}, HALF=HALF, SECOND=self.other.neuron)

    def drawn(self, draw: Draw) -> list[ast.stmt]:
        """Numbers that come in pairs are drawn for both."""
        if draw.distribution not in PAIRED:
            return super().drawn(draw)
        own = self.scope.draw(replace(draw, distribution=f"{draw.distribution}_pair"))
        assert isinstance(own, ast.Assign)
        other = ast.Name(self.other.scope.spelling(draw.name), ast.Store())
        return [ast.Assign([ast.Tuple([*own.targets, other], ast.Store())], own.value)]


@dataclass
class Second(Generator):
    """Generates the statements of the second neuron, in names of its own."""

    def uniform(self, phase: Phase) -> list[ast.stmt]:
        return []

    def drawn(self, draw: Draw) -> list[ast.stmt]:
        return [] if draw.distribution in PAIRED else super().drawn(draw)

    def placed(self) -> str:
        return PLACED

    def room(self) -> ast.expr:
        return name("room")

    def stored(self) -> list[ast.stmt]:
        return self.where_it_is(super().stored())

    def counted(self) -> list[ast.stmt]:
        return self.where_it_is(super().counted())

    def check(self) -> list[ast.stmt]:
        return self.where_it_is(super().check())

    def where_it_is(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        return filled(IF_TWO, {"BODY": statements}) if statements else []
