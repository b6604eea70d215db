"""Dimensions as linear forms, and the solution of all that a text says about them.

A dimension is a vector of seven exponents, and a product of quantities is a sum of such vectors; so a dimension that
is not known yet is an unknown of a linear system over the rational numbers. A form maps a base unit (0 to 6) to its exponent
and an unknown (a string) to its factor: {"w": 1, 2: -1} is the dimension of `w` per second.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
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
    return {base: plain(exponent) for base, exponent in enumerate(dimension.exponents) if exponent}


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
            result[key] = plain(total)
        else:
            result.pop(key, None)
    return result


def to_power(form: Form, power: Rational) -> Form:
    return {key: plain(factor * power) for key, factor in form.items()} if power else NUMBER


def plain(number: Rational) -> Rational:
    """An int where a number is whole: several times faster."""
    return number.numerator if number.denominator == 1 else number


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


MOST_WORK = 300_000  # factors that are touched while one text is solved
MOST_DIGITS = 200  # binary ones of an exponent: beyond stands no physics


class Tangled(Exception):
    """So many unknowns hang together that solving them has no reasonable length."""


@dataclass
class Solution:
    """What is known of the unknowns so far: each solved one as a form of those that are still free."""

    solved: dict[str, Form] = field(default_factory=dict)
    because: dict[str, tuple[Constraint, list[str]]] = field(default_factory=dict)  # what solved it, through which others
    tainted: set[str] = field(default_factory=set)
    tangled: Constraint | None = None  # where solving was given up
    work: int = 0
    _in: dict[str, list[str]] = field(default_factory=dict)  # the solved ones in whose forms a free one stands

    def reduce(self, form: Form) -> Form:
        """The form with every solved unknown replaced."""
        known_keys = [key for key in form if key in self.solved]
        if not known_keys:
            return form
        result = {key: factor for key, factor in form.items() if key not in self.solved}
        for key in known_keys:
            result = dict(times(result, self.solved[str(key)], form[key]))
        return result

    def dimension(self, form: Form) -> Dimension | None:
        return dimension_of(self.reduce(form))

    def require(self, constraint: Constraint) -> bool:
        """Take up that left equals right; false where that contradicts what is known. Raises Tangled."""
        equation = times(constraint.left, constraint.right, -1)
        difference = self.reduce(equation)
        unknowns = [key for key in difference if isinstance(key, str)]
        if not unknowns:
            return not difference
        pivot = min(unknowns, key=lambda name: name.startswith("?"))  # a name of the text before a place that is in error
        rest = {key: factor for key, factor in difference.items() if key != pivot}
        self.because[pivot] = constraint, [str(key) for key in equation if key in self.solved]
        self._put(pivot, to_power(rest, Fraction(-1) / difference[pivot]))
        return True

    def _put(self, pivot: str, value: Form) -> None:
        """Solve a free unknown, also in the forms of those that were solved before."""
        free = [key for key in value if isinstance(key, str)]
        for name in self._in.pop(pivot, ()):
            form = self.solved[name]
            if pivot not in form:
                continue
            self.solved[name] = times({key: factor for key, factor in form.items() if key != pivot}, value, form[pivot])
            self.because[name][1].append(pivot)
            self._stands_in(name, (key for key in free if key not in form))
            self.work += len(form) + len(value)
        self.solved[pivot] = value
        self._stands_in(pivot, free)
        self.work += len(value) + 1
        if self.work > MOST_WORK or any(Fraction(factor).denominator.bit_length() > MOST_DIGITS for factor in value.values()):
            raise Tangled

    def _stands_in(self, name: str, free: Iterable[str]) -> None:
        for key in free:
            self._in.setdefault(key, []).append(name)

    def rests_on(self, constraint: Constraint) -> list[Constraint]:
        """The constraints that a contradiction comes from, itself left out."""
        waiting = [str(key) for key in times(constraint.left, constraint.right, -1)]
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
    solution, failed, places = Solution(), list[Constraint](), Places()
    for constraint in sorted(constraints, key=lambda constraint: constraint.rank):
        if any(map(places.has_one_in, constraint.spans)):
            solution.taint(constraint.left)
            solution.taint(constraint.right)
            continue
        try:
            fits = solution.require(constraint)
        except Tangled:
            solution.tangled = constraint
            break
        if not fits:
            failed.append(constraint)
            places.add(constraint.spans)
    for constraint in failed:
        solution.taint(constraint.left)
        solution.taint(constraint.right)
    return solution, failed


class Places:
    """Places in texts that are in error."""

    def __init__(self) -> None:
        self.by_source: dict[int, list[tuple[int, int]]] = {}

    def add(self, spans: Iterable[Span]) -> None:
        for span in spans:
            insort(self.by_source.setdefault(id(span.source), []), (span.start, span.stop))

    def has_one_in(self, large: Span) -> bool:
        """Whether one of them lies inside a span."""
        places = self.by_source.get(id(large.source), [])
        for place in range(bisect_left(places, (large.start, 0)), len(places)):
            start, stop = places[place]
            if start >= large.stop:
                return False
            if stop <= large.stop:
                return True
        return False
