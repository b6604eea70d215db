"""Scope: the names of one model while it is checked, and where what is found out about them is collected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from ..backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from ..grammar.unit_table import UNITS, nearest_unit
from .dimensions import Constraint, Form, Solution, solve, unknown
from .folding import fold
from .near_names import near_names
from .suspects import Origin, Trial
from .unit_mistakes import UnitsTangled
from .units import TIME, Dimension, Unit

MOST_FAILED = 200  # contradictions of units that are reported: so many have few causes
MOST_COMPARED = 30_000  # pairs of names that are compared for suggestions in one text
MOST_ASKED = 10  # units that are solved for while a text is still read
UNREADABLE = "?"  # the name of what could not be read and was reported


class Role(Enum):
    """What a name of a model stands for; the value is how a message calls it."""

    STATE = "a state"
    PARAMETER = "a parameter"
    DERIVED = "a derived quantity"
    INPUT = "an input"
    NOISE = "a formula with white noise"
    EXTERNAL = "a function given from outside"
    LOCAL = "a local of this block"


class Value(NamedTuple):
    """An expression that has been read.

    `literal`: the whole number that was written, where it may still become an INTEGER. `parts`: the factors of a product with
    their powers, for messages. `noise`: the white noise in it, or None. `unit_name`: set where a name was read as a unit.
    """

    expression: Expr
    kind: Kind
    form: Form
    span: Span
    literal: int | None = None
    noise: str | None = None
    parts: tuple[tuple[Value, int], ...] = ()
    unit_name: str | None = None


@dataclass(frozen=True)
class Entry:
    """One name of the model. `changing` is what its value hangs on (see `roles`); `value` the formula of a NOISE."""

    name: str
    role: Role
    kind: Kind
    form: Form
    span: Span
    flags: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
    value: Value | None = None
    arguments: tuple[str, ...] = ()  # of a function from outside
    takes: tuple[Unit, ...] = ()  # its units; empty where it is a function of time that may be a table


@dataclass(frozen=True)
class Place:
    """Where an expression stands: what it is called in messages and what may be used there."""

    called: str
    noise: bool = False
    crosses: bool = False
    old: bool = False
    event: bool = False  # the block of an event: no reductions
    before_run: bool = False  # initial values and defaults: nothing that changes
    population: bool = True  # reductions are allowed
    draws: bool = True
    in_value: bool = False  # a value from Python: nothing can be defined there


EQUATION = Place("a differential equation", noise=True)
DEFINITION = Place("a definition", noise=True)
DEFAULT = Place("the default of a parameter", before_run=True, population=False)
INITIAL = Place("an initial value", before_run=True, population=False)
CONDITION = Place("the condition of an event", crosses=True)
EVENT_BLOCK = Place("the block of an event", old=True, event=True)
STEP_BLOCK = Place("an `each step` block", old=True)
REFRACTORY = Place("`refractory`", population=False)
OUTPUT = Place("`output`")
SURROGATE = Place("`surrogate`")
RECOMMENDED = Place("a recommended time", before_run=True, population=False, draws=False)


@dataclass
class Scope:
    """All that is known while one model is checked."""

    names: tuple[str, ...] = ()  # every name of the text, also of what has not been read yet
    keyword_form: bool = False  # the text came with keywords, as in Brian2
    given: tuple[str, ...] = ()  # names that values were given for and the text does not use
    entries: dict[str, Entry] = field(default_factory=dict)
    functions: Mapping[str, nodes.FunctionDefinition] = field(default_factory=dict)
    broken_functions: frozenset[str] = frozenset()  # recursive ones: reported, not inlined
    written: dict[str, Origin] = field(default_factory=dict)  # units behind a colon or in a value
    formulas: dict[str, Origin] = field(default_factory=dict)  # of names without a written unit
    plain: nodes.TimeIn | None = None
    time_decade: Fraction = Fraction(-3)  # of the unit that plain numbers count time in
    mistakes: list[Mistake] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    noise_owners: dict[str, Span] = field(default_factory=dict)
    broken_names: set[str] = field(default_factory=set)  # reported: what reads them is not reported again
    used: set[str] = field(default_factory=set)  # names that something reads
    solution: Solution = field(default_factory=Solution)
    draws: int = 0
    broken: int = 0
    compared: int = 0
    asked: int = 0
    rewrites: dict[int, nodes.Statement | None] = field(
        default_factory=dict
    )  # by identity: what the keyword form lets pass, put right
    externals: tuple[str, ...] = ()  # functions that are given from outside
    parameters: dict[Dimension, str] = field(default_factory=dict)  # for hints: the first parameter of each dimension
    defaults: dict[str, Expr] = field(default_factory=dict)  # of the parameters read so far
    exponents: set[str] = field(default_factory=set)  # parameters that have to keep their value, since units hang on it

    def next_draw(self) -> Constant:
        self.draws += 1
        return Constant(self.draws - 1)

    def near_units(self, wrong: str, also: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The same for a unit; `also` are words that may stand in its place."""
        self.compared += len(UNITS)
        near = nearest_unit(wrong, also) if self.compared <= MOST_COMPARED else None
        return () if near is None else (near,)

    def report(self, mistake: Mistake) -> Value:
        """Take up a mistake; what stands for the expression in error fits everything."""
        self.mistakes.append(mistake)
        return self.anything(mistake.span)

    def anything(self, span: Span) -> Value:
        """A value of a unit that fits everywhere, for what is in error already."""
        self.broken += 1
        return Value(Symbol(UNREADABLE), Kind.REAL, unknown(f"?{self.broken}"), span, literal=0)

    def known_so_far(self, form: Form) -> Dimension | None:
        """The dimension of a form, as far as what has been read says it; of some forms in a text, since each is solved for anew."""
        origins = [self.written.get(key) for key in form if isinstance(key, str)]
        if None not in origins:
            return solve([origin.constraint() for origin in origins if origin is not None])[0].dimension(form)
        self.asked += 1
        if self.asked > MOST_ASKED:
            return None
        return solve([*(written.constraint() for written in self.written.values()), *self.constraints])[0].dimension(form)

    def settle(self) -> Solution:
        """Solve for all units; what contradicts becomes mistakes."""
        constraints = [*(written.constraint() for written in self.written.values()), *self.constraints]
        self.solution, failed = solve(constraints)
        if self.solution.tangled is not None:
            self.mistakes.append(UnitsTangled(self.solution.tangled.spans[0]))
        for entry in self.entries.values():
            dimension = self.solution.dimension(entry.form) if failed and entry.role is Role.PARAMETER else None
            if dimension is not None:
                self.parameters.setdefault(dimension, entry.name)
        trial = Trial(constraints, self.solution, failed, {**self.written, **self.formulas})
        for constraint in failed[:MOST_FAILED]:
            left, right = self.solution.dimension(constraint.left), self.solution.dimension(constraint.right)
            self.mistakes.append(trial.explained(constraint.blame(left, right), constraint))
        return self.solution

    def known_names(self) -> tuple[str, ...]:
        return self.names or tuple(self.entries)

    def near(self, wrong: str, names: Collection[str], everywhere: Collection[str] = ()) -> tuple[str, ...]:
        """What was probably meant by a wrong name; nothing any more in a text where nearly every name is wrong."""
        self.compared += len(names) + len(everywhere)
        return near_names(wrong, names, everywhere=everywhere) if self.compared <= MOST_COMPARED else ()

    def shifted(self, expression: Expr, decades: Fraction) -> Expr:
        """The expression times a power of ten."""
        return expression if not decades else fold("multiply", expression, Constant(10.0 ** float(decades)))

    def from_ms(self, expression: Expr) -> Expr:
        """A time of the computing system (ms) in the unit that the text counts time in."""
        return self.shifted(expression, -3 - self.time_decade) if self.plain else expression

    def from_text_time(self, expression: Expr, unit: Unit) -> Expr:
        """A plain number as one in `unit`: where that is a time, from the unit that the text counts time in."""
        return self.shifted(expression, self.time_decade - unit.decade) if unit.dimension == TIME else expression

    def to_text_time(self, expression: Expr, unit: Unit) -> Expr:
        return self.shifted(expression, unit.decade - self.time_decade) if unit.dimension == TIME else expression

    def to_ms(self, expression: Expr) -> Expr:
        return self.shifted(expression, self.time_decade + 3) if self.plain else expression


def real(value: Value) -> Expr:
    """The expression as a REAL."""
    return value.expression if value.kind is Kind.REAL else fold("to_real", value.expression)


def integer(value: Value) -> Expr:
    """The expression as an INTEGER: of an INTEGER, a written whole number or a condition."""
    if value.kind is Kind.INTEGER:
        return value.expression
    return Constant(value.literal) if value.literal is not None else fold("to_integer", value.expression)


def common_kind(values: Iterable[Value]) -> Kind:
    """INTEGER where all are whole and one is an INTEGER, else REAL; a condition counts as 0 or 1."""
    found = list(values)
    whole = all(value.kind is not Kind.REAL or value.literal is not None for value in found)
    return Kind.INTEGER if whole and any(value.kind is Kind.INTEGER for value in found) else Kind.REAL


def as_kind(value: Value, kind: Kind) -> Expr:
    return integer(value) if kind is Kind.INTEGER else real(value)


def operation(name: str, *arguments: Expr) -> Operation:
    return Operation(name, arguments)
