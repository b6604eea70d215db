"""Units by Brian2's rule, from the leaves up: every name has the unit that is written for it, nothing is solved for.

A second opinion on texts in which every unit is written, so that a mutation of a unit is known to be a mistake before the checker is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from dvdt.dsl.units import ONE, TIME, Dimension, unit_of, unit_of_symbol
from dvdt.grammar import nodes
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source

NUMBERS = frozenset("exp log log10 sin cos tan arcsin arccos arctan sinh cosh tanh exprel floor ceil int round sigmoid".split())
DRAWS = frozenset({"rand", "randn", "poisson"})
ALIKE = frozenset({"abs", "clip", "min", "max"})
SPECIAL = {"t": TIME, "dt": TIME, "lastspike": TIME, "i": ONE, "N": ONE, "pi": ONE, "e": ONE, "inf": ONE, "not_refractory": ONE}
SPECIAL |= {"True": ONE, "False": ONE}


class Contradiction(Exception):
    """Two units that do not fit."""


class Unknown(Exception):
    """A name or a form of which nothing is known."""


def contradicts(text: str) -> bool | None:
    """Whether units contradict one another in a text; None where that is not known."""
    parsed = parse(Source(text))
    if parsed.mistakes or len(parsed.module.models) != 1:
        return None
    units = _Units(parsed.module.models[0].statements)
    unknown = False
    for check in units.checks():
        try:
            check()
        except Contradiction:
            return True
        except Unknown:
            unknown = True
    return None if unknown else False


class _Units:
    def __init__(self, statements: tuple[nodes.Statement, ...]) -> None:
        self.statements = statements
        self.written: dict[str, Dimension] = {}
        self.values: dict[str, nodes.Expression] = {}
        for statement in statements:
            match statement:
                case nodes.Differential() | nodes.Declaration() | nodes.Definition() | nodes.CallableDeclaration():
                    unit = None if statement.unit is None else unit_of(statement.unit)
                    if unit is not None and not isinstance(unit, nodes.UnitFactor):
                        self.written[statement.name.id] = unit.dimension
                    elif isinstance(statement, nodes.Definition):
                        self.values[statement.name.id] = statement.expression

    def checks(self) -> Iterator[Callable[[], None]]:
        """What has to hold, one call each."""
        for statement in self.statements:
            match statement:
                case nodes.Differential(name=name, expression=expression):
                    yield partial(self.fits, name.id, TIME, expression)
                case nodes.Definition(name=name, expression=expression):
                    yield partial(self.fits, name.id, ONE, expression)
                case nodes.Event(condition=condition, block=block):
                    yield partial(self.has, ONE, condition)
                    yield from (partial(self.assigned, line) for line in block)
                case nodes.Refractory(expression=expression, condition=condition):
                    yield partial(self.has, ONE if condition else TIME, expression)

    def fits(self, name: str, below: Dimension, expression: nodes.Expression) -> None:
        same(self.of_name(name) / below, self.of(expression))

    def has(self, wanted: Dimension, expression: nodes.Expression) -> None:
        same(wanted, self.of(expression))

    def assigned(self, line: nodes.Assignment) -> None:
        value = self.of(line.expression)
        same(ONE if line.operator in ("*=", "/=") else self.of_name(line.target.id), value)

    def of_name(self, name: str) -> Dimension:
        if name in self.written:
            return self.written[name]
        if name in self.values:
            expression = self.values.pop(name)  # so that a circle ends
            self.written[name] = self.of(expression)
            return self.written[name]
        if name in SPECIAL:
            return SPECIAL[name]
        unit = TIME ** Fraction(-1, 2) if name.startswith("xi") else unit_of_symbol(name)
        if unit is None:
            raise Unknown(name)
        return unit if isinstance(unit, Dimension) else unit.dimension

    def of(self, node: nodes.Expression) -> Dimension:
        match node:
            case nodes.Number():
                return ONE
            case nodes.Quantity(unit=written):
                unit = unit_of(written)
                if isinstance(unit, nodes.UnitFactor):
                    raise Unknown(unit.symbol)
                return unit.dimension
            case nodes.Name(id=name):
                return self.of_name(name)
            case nodes.Unary(operand=operand):
                return self.of(operand)
            case nodes.Binary():
                return self.of_binary(node)
            case nodes.Comparison(first=first, rest=rest):
                alike(self.of(first), *(self.of(operand) for _, operand in rest))
                return ONE
            case nodes.Logical(operands=operands):
                alike(ONE, *map(self.of, operands))
                return ONE
            case nodes.Call():
                return self.of_call(node)
        raise Unknown(type(node).__name__)

    def of_binary(self, node: nodes.Binary) -> Dimension:
        left, right = self.of(node.left), self.of(node.right)
        match node.operator:
            case "*":
                return left * right
            case "/":
                return left / right
            case "^":
                same(ONE, right)
                return ONE if left.is_one else left ** exponent(node.right)
        alike(left, right)
        return ONE if node.operator == "//" else left

    def of_call(self, node: nodes.Call) -> Dimension:
        found = [self.of(argument) for argument in node.arguments]
        if node.function in NUMBERS or node.function in DRAWS:
            alike(ONE, *found)
            return ONE
        if node.function in ALIKE:
            alike(*found)
            return found[0]
        if node.function == "sqrt":
            return found[0] ** Fraction(1, 2)
        if node.function == "sign":
            return ONE
        if node.function in self.written:
            return self.written[node.function]
        raise Unknown(node.function)


def same(wanted: Dimension, found: Dimension) -> None:
    if wanted != found:
        raise Contradiction


def alike(*dimensions: Dimension) -> None:
    for dimension in dimensions[1:]:
        same(dimensions[0], dimension)


def exponent(node: nodes.Expression) -> Fraction:
    match node:
        case nodes.Number(value=value):
            return Fraction(str(value))
        case nodes.Unary(operator="-", operand=operand):
            return -exponent(operand)
        case nodes.Binary(operator="/", left=left, right=right):
            return exponent(left) / exponent(right)
    raise Contradiction
