"""What each rule of `neuron.lark` makes: expressions and units as nodes, statements as the forms that `classify.py` tells apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from . import nodes
from .nodes import Expression
from .source import Span


class Terminal(NamedTuple):
    """A token as the grammar takes it: `type` is a terminal of `neuron.lark`."""

    type: str
    span: Span
    value: Any


@dataclass(frozen=True)
class Equation:
    """`left operator right : unit (flags)`."""

    left: Expression
    assign: Terminal
    right: Expression
    unit: nodes.Unit | None
    flags: tuple[nodes.Flag, ...]


@dataclass(frozen=True)
class Declared:
    """`left : unit (flags)`."""

    left: Expression
    unit: nodes.Unit
    flags: tuple[nodes.Flag, ...]


@dataclass(frozen=True)
class Head:
    """The words of a keyword statement: which form it is and what stands in its places."""

    form: str
    parts: tuple[Any, ...]


LARGEST_POWER = 100  # of a unit


class BadUnit(Exception):
    """Raised out of the parser by a number in a unit that is no power of its own."""

    def __init__(self, span: Span) -> None:
        self.span = span


class Builder:
    """One method a rule, called by the parser as it reduces; `c` are the rule's parts, tokens kept, missing ones None."""

    # expressions

    def name(self, c: list[Any]) -> nodes.Name:
        return nodes.Name(c[0].span, c[0].value)

    def number(self, c: list[Any]) -> nodes.Number:
        return nodes.Number(c[0].span, c[0].value)

    def quantity(self, c: list[Any]) -> nodes.Quantity:
        return nodes.Quantity(c[0].span, *c[0].value)

    def call(self, c: list[Any]) -> nodes.Call:
        arguments, units = c[2] or ((), ())
        return nodes.Call(c[0].span.to(c[3].span), c[0].value, arguments, c[0].span, units if any(units) else ())

    def arguments(self, c: list[Any]) -> tuple[tuple[Expression, ...], tuple[nodes.Unit | None, ...]]:
        return tuple(c[::4]), tuple(c[2::4])

    def bracket(self, c: list[Any]) -> Expression:
        inner: Expression = c[1]
        return replace(inner, span=c[0].span.to(c[2].span))

    def unary(self, c: list[Any]) -> nodes.Unary:
        return nodes.Unary(c[0].span.to(c[1].span), c[0].value, c[1])

    def binary(self, c: list[Any]) -> nodes.Binary:
        return nodes.Binary(c[0].span.to(c[2].span), c[1].value, c[0], c[2])

    def comparison(self, c: list[Any]) -> nodes.Comparison:
        rest = tuple((operator.value, operand) for operator, operand in zip(c[1::2], c[2::2], strict=True))
        return nodes.Comparison(c[0].span.to(c[-1].span), c[0], rest)

    def logical(self, c: list[Any]) -> nodes.Logical:
        return nodes.Logical(c[0].span.to(c[-1].span), c[1].value, tuple(c[::2]))

    def conditional(self, c: list[Any]) -> nodes.Conditional:
        return nodes.Conditional(c[0].span.to(c[4].span), c[0], c[2], c[4])

    # units: a unit is built as the tuple of its factors, `unit` closes it

    def unit(self, c: list[Any]) -> nodes.Unit:
        span, factors = c[0]
        return nodes.Unit(span, factors)

    def unit_symbol(self, c: list[Any]) -> tuple[Span, tuple[nodes.UnitFactor, ...]]:
        return c[0].span, (nodes.UnitFactor(c[0].span, c[0].value, Fraction(1)),)

    def unit_number(self, c: list[Any]) -> tuple[Span, tuple[nodes.UnitFactor, ...]]:
        if c[0].value != 1:
            raise BadUnit(c[0].span)
        return c[0].span, ()

    def unit_bracket(self, c: list[Any]) -> tuple[Span, tuple[nodes.UnitFactor, ...]]:
        return c[0].span.to(c[2].span), c[1][1]

    def unit_raised(self, c: list[Any]) -> tuple[Span, tuple[nodes.UnitFactor, ...]]:
        (span, factors), _, (end, power) = c
        whole = span.to(end)
        if len(factors) == 1:
            return whole, (replace(factors[0], span=whole, power=factors[0].power * power),)
        return whole, tuple(replace(factor, power=factor.power * power) for factor in factors)

    def unit_binary(self, c: list[Any]) -> tuple[Span, tuple[nodes.UnitFactor, ...]]:
        (span, factors), sign, (end, more) = c
        if sign.value not in "*/":
            raise BadUnit(sign.span)
        if sign.value == "/":
            more = tuple(replace(factor, power=-factor.power) for factor in more)
        return span.to(end), factors + more

    def signed(self, c: list[Any]) -> tuple[Span, Fraction]:
        sign, value = c
        power = Fraction(str(value.value))
        if power > LARGEST_POWER:
            raise BadUnit(value.span)
        return (value.span, power) if sign is None else (sign.span.to(value.span), -power if sign.value == "-" else power)

    def exponent(self, c: list[Any]) -> tuple[Span, Fraction]:
        left, (_, power), sign, below, right = c
        if sign is not None:
            if sign.value != "/" or not below.value:
                raise BadUnit(sign.span.to(below.span))
            power /= Fraction(str(below.value))
        return left.span.to(right.span), power

    # statements

    def equation(self, c: list[Any]) -> Equation:
        return Equation(c[0], c[1], c[2], c[4], c[5].value if c[5] else ())

    def declaration(self, c: list[Any]) -> Declared:
        return Declared(c[0], c[2], c[3].value if c[3] else ())

    def names(self, c: list[Any]) -> tuple[nodes.Name, ...]:
        return tuple(nodes.Name(token.span, token.value) for token in c[::2])

    def settings(self, c: list[Any]) -> tuple[tuple[nodes.Name, Expression], ...]:
        return tuple(c[::2])

    def setting(self, c: list[Any]) -> tuple[nodes.Name, Expression]:
        return nodes.Name(c[0].span, c[0].value), c[2]

    def spike(self, c: list[Any]) -> Head:
        return Head("event", (nodes.Name(c[0].span, "spike"), c[2]))

    def event(self, c: list[Any]) -> Head:
        return Head("event", (nodes.Name(c[1].span, c[1].value), c[3]))

    def refractory(self, c: list[Any]) -> Head:
        return Head("refractory", (c[1], False, c[3] or ()))

    def refractory_while(self, c: list[Any]) -> Head:
        return Head("refractory", (c[2], True, c[4] or ()))

    def each_step(self, c: list[Any]) -> Head:
        return Head("each", (False,))

    def each_step_after_reset(self, c: list[Any]) -> Head:
        return Head("each", (True,))

    def output(self, c: list[Any]) -> Head:
        return Head("output", (c[1],))

    def surrogate(self, c: list[Any]) -> Head:
        return Head("surrogate", (nodes.Name(c[1].span, c[1].value), c[3] or (), c[6]))

    def method(self, c: list[Any]) -> Head:
        return Head("method", (nodes.Name(c[1].span, c[1].value), c[3] or ()))

    def recommended_step(self, c: list[Any]) -> Head:
        return Head("dt", (c[1],))

    def recommended_duration(self, c: list[Any]) -> Head:
        return Head("duration", (c[1],))

    def time_in(self, c: list[Any]) -> Head:
        return Head("time", (c[2],))

    def without(self, c: list[Any]) -> Head:
        return Head("without", (nodes.Name(c[1].span, c[1].value),))

    def model(self, c: list[Any]) -> Head:
        base = nodes.Name(c[3].span, c[3].value) if c[3] else None
        return Head("model", (nodes.Name(c[1].span, c[1].value), base))
