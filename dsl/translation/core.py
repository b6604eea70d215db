"""Translation: one expression of a text on its way to kernel operations, with the dimension and the kind of every part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...backends.kernel import Expr, Kind, Operation, Symbol
from ...grammar import nodes
from ...grammar.mistakes import Mistake
from ...grammar.source import Span
from .. import hints
from ..dimensions import NUMBER, Constraint, Form, known, times
from ..folding import NotFinite, fold
from ..noise_mistakes import NonlinearNoise
from ..scope import UNREADABLE, Entry, Place, Scope, Value
from ..unit_mistakes import (
    NumberNeeded,
    UnitForName,
    UnitsDiffer,
    WrongUnit,
)
from ..units import TIME, Dimension
from ..value_mistakes import ConstantNotFinite, NotACondition

TIME_FORM: Form = known(TIME)
Reader = Callable[["Translation", Any], Value]


@dataclass
class Translation:
    """The translation of one expression at one place of the text."""

    readers: Mapping[type, Reader]
    scope: Scope
    place: Place
    rank: int
    owner: str = ""  # the equation or definition it belongs to, for white noise
    locals: Mapping[str, Entry] = field(default_factory=dict)
    arguments: Mapping[str, Value] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)  # locals that were read

    # ---- entry points

    def value(self, node: nodes.Expression) -> Value:
        """Any expression."""
        return self.readers[type(node)](self, node)

    def condition(self, node: nodes.Expression, where: str) -> Value:
        """An expression that has to be a condition."""
        value = self.value(node)
        if value.kind is not Kind.BOOLEAN:
            if value.expression != Symbol(UNREADABLE):
                self.scope.report(NotACondition(node.span, where))
            return value._replace(expression=Symbol(UNREADABLE), kind=Kind.BOOLEAN, form=NUMBER)
        return value

    # ---- what belongs together

    def fold(self, span: Span, name: str, *arguments: Expr) -> Expr:
        try:
            return fold(name, *arguments)
        except NotFinite:
            return self.scope.report(ConstantNotFinite(span)).expression

    def folded(self, span: Span, node: Expr) -> Expr:
        """An operation, or its value where its arguments have become constants."""
        return self.fold(span, node.name, *node.arguments) if isinstance(node, Operation) else node

    def alike(self, verb: str, values: Sequence[Value]) -> None:
        """All values have the unit of the first."""
        for value in values[1:]:
            if value.form != values[0].form:
                self.scope.constraints.append(self.unlike(verb, values[0], value))

    def unlike(self, verb: str, first: Value, second: Value) -> Constraint:
        def blame(one: Dimension | None, two: Dimension | None) -> Mistake:
            for value in (first, second):
                if value.unit_name is not None:
                    return UnitForName(value.span, value.unit_name, self.scope.near(value.unit_name, self.scope.known_names()))
            # the caret goes to what looks wrong: a plain number, else the later of the two
            (wrong, found), (other, other_found) = ((second, two), (first, one))
            written = first.literal is not None and second.literal is None
            plain = [hints.has_plain_factor(value, self.scope) for value in (first, second)]
            if written or plain == [True, False]:
                (wrong, found), (other, other_found) = ((first, one), (second, two))
            hint = hints.power_meant(first, second) or hints.for_value(wrong, found, other_found, self.scope)
            return UnitsDiffer(wrong.span, verb, found, other.span, other_found, hint=hint)

        return Constraint(first.form, second.form, self.rank, (first.span, second.span), blame)

    def number(self, where: str, value: Value) -> None:
        """The value has no unit."""
        if value.form:
            blame = lambda found, _: NumberNeeded(value.span, where, found)  # noqa: E731
            self.scope.constraints.append(Constraint(value.form, NUMBER, self.rank, (value.span,), blame))

    def fits(self, place: str, wanted: Form, value: Value, origin: str | None = None) -> None:
        """The value has the unit that its place wants; `origin` is a name that has its unit from here."""
        if value.form == wanted:
            return

        def blame(left: Dimension | None, right: Dimension | None) -> WrongUnit:
            hint = hints.for_value(value, right, left, self.scope)
            if left is None or right is None:
                hint = hints.for_change(value, self.scope.solution.dimension(times(value.form, wanted, -1)), self.scope)
            return WrongUnit(value.span, place, left, right, hint=hint)

        self.scope.constraints.append(Constraint(wanted, value.form, self.rank, (value.span,), blame, origin))

    def without_noise(self, *values: Value) -> bool:
        """Whether no value holds white noise, which may only be added and multiplied."""
        noisy = [value for value in values if value.noise is not None]
        self.scope.mistakes += [NonlinearNoise(value.span, value.noise or "xi") for value in noisy]
        return not noisy
