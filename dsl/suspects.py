"""Which written unit is to blame for units that do not fit: the one without which everything else fits together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from .dimensions import Constraint, Solution, known, solve, unknown
from .unit_mistakes import UnitMistake
from .units import Dimension, Unit, coherent_text, usual_unit

# coherent units spelled out, as Brian2's texts have them
# fmt: off
SPELLED: Mapping[str, str] = {
    "V": "volt", "A": "amp", "s": "second", "S": "siemens", "F": "farad", "m": "metre", "C": "coulomb", "K": "kelvin",
    "ohm": "ohm", "1": "1", "1/s": "Hz", "V/s": "volt/second", "A/s": "amp/second", "S/s": "siemens/second", "m^2": "metre^2",
    "mol/m^3": "mmolar", "A/m^2": "amp/metre^2", "S/m^2": "siemens/metre^2", "F/m^2": "farad/metre^2", "mol": "mole",
}
# fmt: on
MOST_LABELS = 3
MOST_WORK = 50_000  # constraints that are solved again for one text; of a longer one only the places in error are shown


@dataclass(frozen=True)
class WrittenUnit:
    """What a text says of the unit of a name, and where: behind the colon of a statement, or in its value (`C = 281 pF`)."""

    name: str
    unit: Unit
    span: Span
    statement: Span
    in_value: bool

    def constraint(self) -> Constraint:
        return Constraint(unknown(self.name), known(self.unit.dimension), -1, (self.span,), never)

    def label(self) -> Label:
        unit = "a number" if self.unit.dimension.is_one else f"in {self.unit.text}"
        return Label(self.span, f"`{self.name}` is {unit} here")

    def instead(self, dimension: Dimension) -> str:
        """A unit of another dimension in the same style: spelled out where this one is, usual otherwise."""
        coherent = coherent_text(dimension)
        spelled = self.unit.text == "1" or self.unit.text in SPELLED.values()
        return SPELLED.get(coherent, coherent) if spelled else usual_unit(dimension).text


def never(left: Dimension | None, right: Dimension | None) -> Mistake:
    raise AssertionError("a name has one written unit, which cannot contradict itself")


@dataclass
class Trial:
    """The constraints of one model, and what becomes of them without one of the written units."""

    constraints: Sequence[Constraint]
    solution: Solution
    failed: Sequence[Constraint]
    written: Mapping[str, WrittenUnit]
    work: int = 0
    without: dict[str, tuple[Solution, list[Constraint]]] = field(default_factory=dict)

    @cached_property
    def by_constraint(self) -> Mapping[int, str]:
        return {id(c): str(next(iter(c.left))) for c in self.constraints if c.rank < 0}

    def explained(self, mistake: Mistake, constraint: Constraint) -> Mistake:
        """The mistake with a caret under each written unit that it may come from, and the unit that would fit."""
        if not isinstance(mistake, UnitMistake):
            return mistake
        mine = [self.written[name] for name in self.rests_on(constraint)]
        best = self.suspects(mine, constraint)
        shown = best or [w for w in mine if inside(mistake.span, w.statement)]
        if mistake.replacement is not None:  # the caret stands at what has to be changed already
            shown = [w for w in shown if not w.in_value]
        shown.sort(key=lambda w: (not inside(mistake.span, w.statement), w.in_value, w.span.start))
        labels = tuple(w.label() for w in shown[:MOST_LABELS])
        # a suggestion for this place alone is believed less where one written unit explains several places
        vague = mistake.certainty <= (len(self.failed) > 1)
        return replace(mistake, because=labels, fitting=self.fitting(best) if vague else None)

    def rests_on(self, constraint: Constraint) -> list[str]:
        """The names whose written units contradict one another through this constraint."""
        found = self.solution.rests_on(constraint)
        return [self.by_constraint[id(c)] for c in found if id(c) in self.by_constraint]

    def suspects(self, candidates: Sequence[WrittenUnit], constraint: Constraint) -> list[WrittenUnit]:
        """Those without which the constraint holds and fewest others fail."""
        self.work += len(self.constraints) * sum(w.name not in self.without for w in candidates)
        if self.work > MOST_WORK:
            return []
        left = {w.name: self.without_unit(w.name)[1] for w in candidates}
        cleared = [w for w in candidates if all(c is not constraint for c in left[w.name])]
        fewest = min((len(left[w.name]) for w in cleared), default=0)
        return [w for w in cleared if len(left[w.name]) == fewest and fewest < len(self.failed)]

    def without_unit(self, name: str) -> tuple[Solution, list[Constraint]]:
        if name not in self.without:
            self.without[name] = solve(c for c in self.constraints if self.by_constraint.get(id(c)) != name)
        return self.without[name]

    def fitting(self, suspects: Sequence[WrittenUnit]) -> str | None:
        """What to write, where one unit alone is to blame."""
        if len(suspects) != 1:
            return None
        (written,) = suspects
        dimension = self.without[written.name][0].dimension(unknown(written.name))
        if dimension is None:
            return None
        if written.in_value:
            return f"all units fit if `{written.name}` is in {written.instead(dimension)}"
        return f"did you mean `: {written.instead(dimension)}` for `{written.name}`?"


def inside(small: Span, large: Span) -> bool:
    return small.source is large.source and large.start <= small.start and small.stop <= large.stop
