"""What is to blame for units that do not fit: the written unit, or the value of a name, without which everything else fits together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from .dimensions import Constraint, Solution, known, solve, unknown
from .unit_mistakes import UnitMistake, words
from .units import CURRENT, NAMED, TIME, Dimension, Unit, coherent_text, describe, usual_unit, written_with

# coherent units spelled out, as Brian2's texts have them
# fmt: off
SPELLED: Mapping[str, str] = {
    "V": "volt", "A": "amp", "s": "second", "S": "siemens", "F": "farad", "m": "metre", "C": "coulomb", "K": "kelvin",
    "ohm": "ohm", "1": "1", "1/s": "Hz", "V/s": "volt/second", "A/s": "amp/second", "S/s": "siemens/second", "m^2": "metre^2",
    "mol/m^3": "mmolar", "A/m^2": "amp/metre^2", "S/m^2": "siemens/metre^2", "F/m^2": "farad/metre^2", "mol": "mole",
}
# fmt: on
NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")
CHARGE = CURRENT * TIME  # what nobody's parameter is, though it has a name
MOST_LABELS = 3
MOST_WORK = 50_000  # constraints that are solved again for one text; of a longer one only the places in error are shown


@dataclass(frozen=True)
class Origin:
    """Where the unit of a name comes from: behind a colon or in a value (`C = 281 pF`), or, `unit` None, from a formula.

    `span` is the unit, or the formula.
    """

    name: str
    unit: Unit | None
    span: Span
    statement: Span
    in_value: bool = False

    def constraint(self) -> Constraint:
        """What a written unit says, as one of the constraints; it is believed before all others."""
        assert self.unit is not None
        return Constraint(unknown(self.name), known(self.unit.dimension), -1, (self.span,), never, self.name)

    def label(self, dimension: Dimension | None) -> Label:
        written = self.unit is not None and not self.unit.dimension.is_one
        what = f"in {self.unit.text}" if written and self.unit is not None else words(dimension)
        return Label(self.span, f"`{self.name}` is {what} here")

    @property
    def forgotten(self) -> bool:
        """Whether this is a plain number, so that its unit was probably forgotten."""
        return self.unit is None and NUMBER.fullmatch(self.span.text) is not None

    def instead(self, dimension: Dimension) -> str:
        """What to write for another dimension, in the style of what stands there: spelled out, or the usual unit."""
        if self.forgotten:
            return f"`{written_with(self.statement.source.text[self.statement.start : self.span.stop], usual_unit(dimension))}`"
        if self.unit is None:
            return f"`{self.name}` as {describe(dimension)}"
        spelled = SPELLED.get(coherent_text(dimension)) if self.unit.text in SPELLED.values() else None
        unit = spelled or usual_unit(dimension).text
        return f"`{self.name}` in {unit}" if self.in_value and unit != "1" else f"`: {unit}` for `{self.name}`"


def never(left: Dimension | None, right: Dimension | None) -> Mistake:
    raise AssertionError("a name has one written unit, which cannot contradict itself")


@dataclass
class Trial:
    """The constraints of one model, and what becomes of them without one of the origins."""

    constraints: Sequence[Constraint]
    solution: Solution
    failed: Sequence[Constraint]
    origins: Mapping[str, Origin]
    work: int = 0
    without: dict[str, tuple[Solution, set[int]]] = field(default_factory=dict)

    def explained(self, mistake: Mistake, constraint: Constraint) -> Mistake:
        """The mistake with a caret under each origin that it may come from, and the unit that would fit."""
        if not isinstance(mistake, UnitMistake) or self.work > MOST_WORK:
            return mistake
        names = dict.fromkeys(other.origin for other in self.solution.rests_on(constraint))
        mine = [self.origins[name] for name in names if name is not None and name in self.origins]
        best = self.suspects(mine, constraint)
        shown = best or [origin for origin in mine if inside(mistake.span, origin.statement)]
        if mistake.replacement is not None:  # the caret stands at what has to be changed already
            shown = [origin for origin in shown if not origin.in_value]
        shown.sort(key=lambda o: (not inside(mistake.span, o.statement), o.unit is None, o.in_value, o.span.start))
        labels = tuple(o.label(self.solution.dimension(unknown(o.name))) for o in shown if o.span != mistake.span)
        # a suggestion for this place alone is believed less where one written unit explains several places
        vague = mistake.certainty <= (len(best) == 1 and len(self.failed) > 1)
        return replace(mistake, because=labels[:MOST_LABELS], fitting=self.fitting(best) if vague else None)

    def suspects(self, candidates: Sequence[Origin], constraint: Constraint) -> list[Origin]:
        """Those without which the constraint holds and fewest others fail."""
        self.work += len(candidates) + len(self.constraints) * sum(origin.name not in self.without for origin in candidates)
        if self.work > MOST_WORK:
            return []
        left = {origin.name: self.solved_without(origin.name)[1] for origin in candidates}
        cleared = [origin for origin in candidates if id(constraint) not in left[origin.name]]
        fewest = min((len(left[origin.name]) for origin in cleared), default=0)
        return [origin for origin in cleared if len(left[origin.name]) == fewest and fewest < len(self.failed)]

    def solved_without(self, name: str) -> tuple[Solution, set[int]]:
        """What is found without an origin, and which constraints fail then."""
        if name not in self.without:
            solution, failed = solve(c for c in self.constraints if c.origin != name)
            self.without[name] = solution, set(map(id, failed))
        return self.without[name]

    def fitting(self, suspects: Sequence[Origin]) -> str | None:
        """What to write, where one origin alone is to blame, or one of two, and would be something that has a name then."""
        likely = [origin for origin in suspects if origin.forgotten] or suspects
        found = [(origin, self.without[origin.name][0].dimension(unknown(origin.name))) for origin in likely]
        parts = [
            origin.instead(dimension)
            for origin, dimension in found
            if dimension is not None and (dimension.is_one or dimension in NAMED) and dimension != CHARGE
        ]
        return f"did you mean {', or '.join(parts)}?" if 1 <= len(parts) <= 2 else None


def inside(small: Span, large: Span) -> bool:
    return small.source is large.source and large.start <= small.start and small.stop <= large.stop
