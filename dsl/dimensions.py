"""Dimensions as linear forms, and the solution of all that a text says about them.

A dimension is a vector of seven exponents, and a product of quantities is a sum of such vectors; so a dimension that
is not known yet is an unknown of a linear system over the rational numbers. A form maps a base unit (0 to 6) to its exponent
and an unknown (a string) to its factor: {"w": 1, 2: -1} is the dimension of `w` per second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from .units import Dimension

Rational = int | Fraction
Form = Mapping[int | str, Rational]

NUMBER: Form = {}


def known(dimension: Dimension) -> Form:
    """The form of a dimension that is known."""
    return {base: exponent for base, exponent in enumerate(dimension.exponents) if exponent}


def unknown(name: str) -> Form:
    """The form of the dimension that is called `name` until it is found."""
    return {name: 1}


def times(left: Form, right: Form, power: Rational = 1) -> Form:
    """left * right^power."""
    if not right or not power:
        return left
    result = dict(left)
    for key, factor in right.items():
        total = result.get(key, 0) + factor * power
        if total:
            result[key] = total
        else:
            result.pop(key, None)
    return result


def to_power(form: Form, power: Rational) -> Form:
    return {key: factor * power for key, factor in form.items()} if power else NUMBER


def dimension_of(form: Form) -> Dimension | None:
    """The dimension that a form stands for, None where an unknown is in it."""
    if any(isinstance(key, str) for key in form):
        return None
    return Dimension(tuple(Fraction(form.get(base, 0)) for base in range(7)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Constraint:
    """Two dimensions that have to be equal, and how to say it where they are not.

    `rank`: what is solved first is believed (0: definitions and initial values, 1: equations, 2: the rest). `spans`: the
    places compared; `blame` makes the mistake from the dimensions found on the left and on the right (None: open).
    `origin`: the name whose unit this says, where it does.
    """

    left: Form
    right: Form
    rank: int
    spans: tuple[Span, ...]
    blame: Callable[[Dimension | None, Dimension | None], Mistake]
    origin: str | None = None


@dataclass
class Solution:
    """What is known of the unknowns so far: each solved one as a form of those that are still free."""

    solved: dict[str, Form] = field(default_factory=dict)
    because: dict[str, tuple[Constraint, tuple[str, ...]]] = field(default_factory=dict)  # what solved it, through which others
    tainted: set[str] = field(default_factory=set)

    def reduce(self, form: Form, through: list[str] | None = None) -> Form:
        """The form with every solved unknown replaced; their names are added to `through`."""
        while (key := next((key for key in form if key in self.solved), None)) is not None:
            form = times({k: f for k, f in form.items() if k != key}, self.solved[str(key)], form[key])
            if through is not None:
                through.append(str(key))
        return form

    def dimension(self, form: Form) -> Dimension | None:
        return dimension_of(self.reduce(form))

    def require(self, constraint: Constraint) -> bool:
        """Take up that left equals right; false where that contradicts what is known."""
        through: list[str] = []
        difference = self.reduce(times(constraint.left, constraint.right, -1), through)
        unknowns = [key for key in difference if isinstance(key, str)]
        if not unknowns:
            return not difference
        pivot = min(unknowns, key=lambda name: name.startswith("?"))  # a name of the text before a place that is in error
        rest = {key: factor for key, factor in difference.items() if key != pivot}
        self.solved[pivot] = to_power(rest, Fraction(-1) / difference[pivot])
        self.because[pivot] = constraint, tuple(through)
        return True

    def rests_on(self, constraint: Constraint) -> list[Constraint]:
        """The constraints that a contradiction comes from, itself left out."""
        waiting: list[str] = []
        self.reduce(times(constraint.left, constraint.right, -1), waiting)
        seen: dict[str, Constraint] = {}
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.because:
                seen[name], through = self.because[name]
                waiting += through
        return list(seen.values())

    def is_tainted(self, form: Form) -> bool:
        """Whether a form hangs on something that was reported already."""
        return any(key in self.tainted or str(key).startswith("?") for key in self.reduce(form))

    def taint(self, form: Form) -> None:
        self.tainted.update(key for key in self.reduce(form) if isinstance(key, str))


def solve(constraints: Iterable[Constraint]) -> tuple[Solution, list[Constraint]]:
    """Solve all constraints together; those that contradict the rest come back, but for those that contain such a one."""
    solution, failed = Solution(), list[Constraint]()
    for constraint in sorted(constraints, key=lambda constraint: constraint.rank):
        if holds_one_of(constraint.spans, failed):
            solution.taint(constraint.left)
            solution.taint(constraint.right)
        elif not solution.require(constraint):
            failed.append(constraint)
    for constraint in failed:
        solution.taint(constraint.left)
        solution.taint(constraint.right)
    return solution, failed


def holds_one_of(spans: Sequence[Span], failed: Iterable[Constraint]) -> bool:
    """Whether one of the spans contains a place that is in error already."""
    return any(inside(small, large) for constraint in failed for small in constraint.spans for large in spans)


def inside(small: Span, large: Span) -> bool:
    return small.source is large.source and large.start <= small.start and small.stop <= large.stop
