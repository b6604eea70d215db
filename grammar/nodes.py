"""The syntax tree: one frozen dataclass a rule, each with the span of its text.

Spans take no part in comparison, so two texts that say the same are equal trees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .source import Span


@dataclass(frozen=True)
class Node:
    span: Span = field(compare=False, repr=False)


# ---- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnitFactor(Node):
    """One unit symbol as it is written, and its power: `cm^2` in `nS/cm^2` is ("cm", -2)."""

    symbol: str
    power: Fraction


@dataclass(frozen=True)
class Unit(Node):
    """A unit expression: `mV`, `nS/cm^2`, `1/ms`; no factor at all is `1`. `boolean` and `integer` are single factors of that symbol."""

    factors: tuple[UnitFactor, ...]


@dataclass(frozen=True)
class Number(Node):
    """A number without a unit; an int where it is written without point and exponent."""

    value: int | float


@dataclass(frozen=True)
class Quantity(Node):
    """A number with its unit: `20 ms`, `-70 mV` (the sign is a Unary), `1.5 nA/mV^2`."""

    value: int | float
    unit: Unit


@dataclass(frozen=True)
class Name(Node):
    """A name, NFKC-normalised."""

    id: str


@dataclass(frozen=True)
class Unary(Node):
    """`operator` is "-", "+" or "not"."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Node):
    """`operator` is one of + - * / // % ^ (`**` is read as `^`)."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Comparison(Node):
    """A chain `first op operand op operand ...`; an operator is one of < <= > >= == != crosses."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Logical(Node):
    """`operator` is "and" or "or"; two operands or more."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Conditional(Node):
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Call(Node):
    """`function(arguments)`; `function` is the name as written, NFKC-normalised; its own span is `name_span`.

    `units`: what stands behind the arguments in `f(v : mV, w) : nS`, None where nothing does, empty where nothing does anywhere.
    """

    function: str
    arguments: tuple[Expression, ...]
    name_span: Span = field(compare=False, repr=False)
    units: tuple[Unit | None, ...] = ()


Expression = Number | Quantity | Name | Unary | Binary | Comparison | Logical | Conditional | Call


# ---- statements --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flag(Node):
    """A word of the closing bracket: "constant", "unless refractory", "constant over dt", ..."""

    text: str


@dataclass(frozen=True)
class Statement(Node):
    """`comment` is the text after `#` on the statement's last line, stripped; it takes no part in comparison."""

    comment: str = field(compare=False, repr=False)


@dataclass(frozen=True)
class Differential(Statement):
    """`factor * d name/dt = expression : unit (flags)`; no factor is None."""

    name: Name
    factor: Expression | None
    expression: Expression
    unit: Unit | None
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Definition(Statement):
    """`name = expression : unit (flags)`."""

    name: Name
    expression: Expression
    unit: Unit | None
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Declaration(Statement):
    """`name : unit (flags)`."""

    name: Name
    unit: Unit
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class CallableDeclaration(Statement):
    """`name(a : unit, b) : unit`: a function that is given from outside; `units` of its arguments as in Call."""

    name: Name
    arguments: tuple[Name, ...]
    unit: Unit
    units: tuple[Unit | None, ...] = ()

    @property
    def of_time(self) -> bool:
        """Whether it is `name(t)` or `name(t, i)`, which a table of samples can stand for."""
        return not self.units and tuple(argument.id for argument in self.arguments) in (("t",), ("t", "i"))


@dataclass(frozen=True)
class Initial(Statement):
    """`name(0) = expression : unit`."""

    name: Name
    expression: Expression
    unit: Unit | None


@dataclass(frozen=True)
class FunctionDefinition(Statement):
    """`name(a, b) = expression : unit`."""

    name: Name
    arguments: tuple[Name, ...]
    expression: Expression
    unit: Unit | None


@dataclass(frozen=True)
class Assignment(Statement):
    """A statement of a block: `target operator expression`, operator one of = += -= *= /= ^= //= %=."""

    target: Name
    operator: str
    expression: Expression


@dataclass(frozen=True)
class Event(Statement):
    """`spike when condition: block` (name "spike") or `on NAME when condition: block`; the block may be empty."""

    name: Name
    condition: Expression
    block: tuple[Assignment, ...]


@dataclass(frozen=True)
class Refractory(Statement):
    """`refractory expression holding v, w`; `condition` is true for `refractory while expression`."""

    expression: Expression
    condition: bool
    holding: tuple[Name, ...]


@dataclass(frozen=True)
class EachStep(Statement):
    """`each step: block` or `each step after reset: block`."""

    after_reset: bool
    block: tuple[Assignment, ...]


@dataclass(frozen=True)
class Output(Statement):
    expression: Expression


@dataclass(frozen=True)
class Surrogate(Statement):
    """`surrogate NAME(alpha=100) of expression`."""

    name: Name
    arguments: tuple[tuple[Name, Expression], ...]
    of: Expression | None


@dataclass(frozen=True)
class Method(Statement):
    """`method NAME` or `method NAME(v, u)`."""

    name: Name
    order: tuple[Name, ...]


@dataclass(frozen=True)
class RecommendedStep(Statement):
    """`dt 0.25 ms`: the step that the author recommends."""

    expression: Expression


@dataclass(frozen=True)
class RecommendedDuration(Statement):
    """`duration 200 ms`: how long a run has to be to show what the model does."""

    expression: Expression


@dataclass(frozen=True)
class TimeIn(Statement):
    """`time in ms`."""

    unit: Unit


@dataclass(frozen=True)
class Without(Statement):
    """`without NAME`: an inherited definition, equation, initial value or event that is dropped (`without refractory`, `without spike` too)."""

    name: Name


@dataclass(frozen=True)
class ModelDeclaration(Node):
    """`model NAME(BASE): ...`; a bare body has the name of its source, no base, and `bare` true."""

    name: Name
    base: Name | None
    docstring: str
    statements: tuple[Statement, ...]
    bare: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Module(Node):
    """A whole text: one bare body, or one or more named models."""

    models: tuple[ModelDeclaration, ...]
