"""Expressions: from the syntax tree to kernel operations, with the dimension and the kind of every part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from . import hints
from .dimensions import NUMBER, Constraint, Form, known, times, to_power
from .folding import NotFinite, fold
from .functions import (
    ALIASES,
    BOOLEAN_REDUCTIONS,
    DRAWS,
    FUNCTION_NAMES,
    FUNCTIONS,
    INTEGER_REDUCTIONS,
    REDUCTIONS,
    Function,
    arguments_of,
    call_text,
)
from .name_mistakes import FunctionWithoutArguments, NotAFunction, UnknownFunction, UnknownName, WrongNumberOfArguments
from .scope import UNREADABLE, Entry, Place, Role, Scope, Value, as_kind, common_kind, real
from .statement_mistakes import (
    ConstantNotFinite,
    CrossesMisused,
    DrawMisplaced,
    InitialValueUses,
    MatrixMisused,
    NoiseOutsideEquation,
    NonlinearNoise,
    NotACondition,
    OldMisused,
    PopulationFunctionHere,
    ReductionInEvent,
    WholeNumberNeeded,
)
from .unit_mistakes import (
    ArgumentWithUnit,
    ExponentNotConstant,
    NumberNeeded,
    UnitForName,
    UnitInPlainText,
    UnitsDiffer,
    UnknownUnit,
    WrongUnit,
)
from .units import TIME, Dimension, Unit, shift, to_computing, unit_of, unit_of_symbol

TIME_FORM: Form = known(TIME)
CONSTANTS: Mapping[str, float | bool] = {"pi": math.pi, "e": math.e, "inf": math.inf, "True": True, "False": False}
CHANGING_SPECIAL: Mapping[str, tuple[str, Kind]] = {
    "t": ("@t", Kind.REAL),
    "step": ("@step", Kind.INTEGER),
    "spiked": ("@spiked", Kind.BOOLEAN),
    "not_refractory": ("@not_refractory", Kind.BOOLEAN),
    "lastspike": ("@lastspike", Kind.REAL),
}
FIXED_SPECIAL: Mapping[str, tuple[str, Kind]] = {"dt": ("@dt", Kind.REAL), "i": ("@i", Kind.INTEGER), "N": ("@n", Kind.INTEGER)}
TIMES = frozenset({"t", "dt", "lastspike"})
SPECIAL_NAMES = (*CHANGING_SPECIAL, *FIXED_SPECIAL, *CONSTANTS)
COMPARED = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}


def is_noise(name: str) -> bool:
    return name == "xi" or name.startswith("xi_")


@dataclass
class Translation:
    """The translation of one expression at one place of the text."""

    scope: Scope
    place: Place
    rank: int
    owner: str = ""  # the equation or definition it belongs to, for white noise
    locals: Mapping[str, Entry] = field(default_factory=dict)
    arguments: Mapping[str, Value] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)  # locals that were read

    # ---- entry points -------------------------------------------------------------------------

    def value(self, node: nodes.Expression) -> Value:
        """Any expression."""
        return READERS[type(node)](self, node)

    def condition(self, node: nodes.Expression, where: str) -> Value:
        """An expression that has to be a condition."""
        value = self.value(node)
        if value.kind is not Kind.BOOLEAN:
            if value.expression != Symbol(UNREADABLE):
                self.scope.report(NotACondition(node.span, where))
            return value._replace(expression=Symbol(UNREADABLE), kind=Kind.BOOLEAN, form=NUMBER)
        return value

    # ---- what belongs together ----------------------------------------------------------------

    def fold(self, span: Span, name: str, *arguments: Expr) -> Expr:
        try:
            return fold(name, *arguments)
        except NotFinite:
            return self.scope.report(ConstantNotFinite(span)).expression

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
            if first.literal is not None and second.literal is None:
                (wrong, found), (other, other_found) = ((first, one), (second, two))
            hint = hints.for_value(wrong, found, other_found, self.scope)
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
            return WrongUnit(value.span, place, left, right, hint=hints.for_value(value, right, left, self.scope))

        self.scope.constraints.append(Constraint(wanted, value.form, self.rank, (value.span,), blame, origin))

    def without_noise(self, *values: Value) -> bool:
        """Whether no value holds white noise, which may only be added and multiplied."""
        noisy = [value for value in values if value.noise is not None]
        self.scope.mistakes += [NonlinearNoise(value.span, value.noise or "xi") for value in noisy]
        return not noisy

    # ---- leaves -------------------------------------------------------------------------------

    def read_number(self, node: nodes.Number) -> Value:
        value = float(node.value) if abs(node.value) <= MOST else math.inf
        if math.isinf(value):
            return self.scope.report(ConstantNotFinite(node.span))
        literal = node.value if isinstance(node.value, int) and abs(node.value) < 2**63 else None
        return Value(Constant(value), Kind.REAL, NUMBER, node.span, literal)

    def read_quantity(self, node: nodes.Quantity) -> Value:
        unit = unit_of(node.unit)
        if isinstance(unit, nodes.UnitFactor):
            return self.unknown_unit(unit)
        if abs(node.value) > MOST:
            return self.scope.report(ConstantNotFinite(node.span))
        number = float(node.value)
        if self.scope.plain is not None:
            if unit.dimension != TIME:
                return self.scope.report(UnitInPlainText(node.unit.span, self.scope.plain.span))
            return Value(Constant(shift(number, unit.decade - self.scope.time_decade)), Kind.REAL, NUMBER, node.span)
        result = to_computing(number, unit)
        if math.isinf(result):
            return self.scope.report(ConstantNotFinite(node.span))
        return Value(Constant(result), Kind.REAL, known(unit.dimension), node.span)

    def unknown_unit(self, factor: nodes.UnitFactor) -> Value:
        return self.scope.report(UnknownUnit(factor.span, factor.symbol, self.scope.near_units(factor.symbol)))

    def read_name(self, node: nodes.Name) -> Value:
        name = node.id
        if name in self.arguments:
            return self.arguments[name]
        if name in self.locals:
            self.read.add(name)
            entry = self.locals[name]
            return Value(Symbol(name), entry.kind, entry.form, node.span)
        if name in self.scope.entries:
            return self.read_entry(node, self.scope.entries[name])
        if name in CONSTANTS:
            constant = CONSTANTS[name]
            return Value(Constant(constant), Kind.BOOLEAN if isinstance(constant, bool) else Kind.REAL, NUMBER, node.span)
        if name in FIXED_SPECIAL or name in CHANGING_SPECIAL:
            return self.read_special(node)
        if is_noise(name):
            return self.read_noise(node)
        return self.read_unit(node)

    def read_entry(self, node: nodes.Name, entry: Entry) -> Value:
        self.scope.used.add(entry.name)
        if entry.role is Role.EXTERNAL:
            return self.scope.report(
                FunctionWithoutArguments(node.span, entry.name, f"{entry.name}({', '.join(entry.arguments)})")
            )
        if entry.role is Role.NOISE and entry.value is not None:
            return self.read_noise_formula(node, entry.value)
        if "matrix" in entry.flags:
            return self.scope.report(MatrixMisused(node.span, entry.name, True))
        if self.place.event and "reduction" in entry.changing:
            return self.scope.report(ReductionInEvent(node.span, entry.name))
        if self.place.before_run and entry.changing & {"time", "event", "reduction"}:
            return self.scope.report(InitialValueUses(node.span, entry.name, self.place.called))
        return Value(Symbol(entry.name), entry.kind, entry.form, node.span)

    def read_noise_formula(self, node: nodes.Name, formula: Value) -> Value:
        if not self.place.noise:
            return self.scope.report(NoiseOutsideEquation(node.span, node.id, self.place.called))
        return formula._replace(span=node.span, noise=node.id)

    def read_special(self, node: nodes.Name) -> Value:
        name = node.id
        if self.place.before_run and name in CHANGING_SPECIAL:
            return self.scope.report(InitialValueUses(node.span, name, self.place.called))
        symbol, kind = CHANGING_SPECIAL.get(name) or FIXED_SPECIAL[name]
        if name not in TIMES:
            return Value(Symbol(symbol), kind, NUMBER, node.span)
        form = NUMBER if self.scope.plain else TIME_FORM
        return Value(self.scope.from_ms(Symbol(symbol)), kind, form, node.span)

    def read_noise(self, node: nodes.Name) -> Value:
        if not self.place.noise:
            return self.scope.report(NoiseOutsideEquation(node.span, node.id, self.place.called))
        if node.id == "xi":
            self.scope.noise_owners.setdefault(self.owner, node.span)
        expression: Expr = Symbol(f"@{node.id}")
        if self.scope.plain is None:
            return Value(expression, Kind.REAL, to_power(TIME_FORM, Fraction(-1, 2)), node.span, noise=node.id)
        scaled = self.scope.shifted(expression, (3 + self.scope.time_decade) / 2)
        return Value(scaled, Kind.REAL, NUMBER, node.span, noise=node.id)

    def read_unit(self, node: nodes.Name) -> Value:
        unit = unit_of_symbol(node.id)
        if unit is None or node.id in ("integer", "boolean"):
            return self.unknown_name(node)
        if self.scope.plain is None:
            number = Constant(to_computing(1.0, unit))
            return Value(number, Kind.REAL, known(unit.dimension), node.span, unit_name=node.id)
        if unit.dimension != TIME:
            return self.scope.report(UnitInPlainText(node.span, self.scope.plain.span))
        return Value(Constant(shift(1.0, unit.decade - self.scope.time_decade)), Kind.REAL, NUMBER, node.span)

    def unknown_name(self, node: nodes.Name) -> Value:
        name = node.id
        if name in self.scope.broken_names or name == UNREADABLE:
            return self.scope.anything(node.span)
        if name in FUNCTION_NAMES:
            return self.scope.report(FunctionWithoutArguments(node.span, name, call_text(name)))
        if name in self.scope.functions:
            arguments = ", ".join(argument.id for argument in self.scope.functions[name].arguments)
            return self.scope.report(FunctionWithoutArguments(node.span, name, f"{name}({arguments})"))
        own = (*self.arguments, *self.locals)
        names = (*own, *self.scope.known_names()) if own else self.scope.known_names()
        near = self.scope.near(name, names, (*SPECIAL_NAMES, "xi")) or (self.scope.near_units(name) if len(name) > 2 else ())
        return self.scope.report(UnknownName(node.span, name, near, names))

    # ---- operators ----------------------------------------------------------------------------

    def read_unary(self, node: nodes.Unary) -> Value:
        if node.operator == "not":
            value = self.condition(node.operand, "`not`")
            return Value(self.fold(node.span, "not", value.expression), Kind.BOOLEAN, NUMBER, node.span)
        value = self.value(node.operand)
        if value.kind is Kind.BOOLEAN:
            value = value._replace(expression=real(value), kind=Kind.REAL)
        if node.operator == "+":
            return value._replace(span=node.span)
        literal = None if value.literal is None else -value.literal
        return value._replace(expression=self.fold(node.span, "negate", value.expression), span=node.span, literal=literal)

    def read_binary(self, node: nodes.Binary) -> Value:
        for operators, reader in CHAINS:
            if node.operator in operators:
                return reader(self, node, operators)
        return self.read_power(node) if node.operator == "^" else self.read_whole_division(node)

    def chain(self, node: nodes.Binary, operators: str) -> tuple[Value, list[tuple[nodes.Binary, Value]]]:
        """A chain `a + b - c` as its first operand and the further ones, without recursion along the chain."""
        links: list[nodes.Binary] = []
        left: nodes.Expression = node
        while isinstance(left, nodes.Binary) and left.operator in operators and len(left.operator) == 1:
            links.append(left)
            left = left.left
        first = self.value(left)
        return first, [(link, self.value(link.right)) for link in reversed(links)]

    def read_sum(self, node: nodes.Binary, operators: str) -> Value:
        first, links = self.chain(node, operators)
        for link, term in links:
            if term.form != first.form:
                self.scope.constraints.append(self.unlike("add" if link.operator == "+" else "subtract", first, term))
        total = first
        for link, term in links:
            total = self.combine(link, "add" if link.operator == "+" else "subtract", total, term)
        return total._replace(form=first.form, noise=next((v.noise for v in (first, *(t for _, t in links)) if v.noise), None))

    def read_product(self, node: nodes.Binary, operators: str) -> Value:
        first, links = self.chain(node, operators)
        product, form, noise = first, first.form, first.noise
        parts: list[tuple[Value, int]] = [*(first.parts or ((first, 1),))]
        for link, factor in links:
            sign = 1 if link.operator == "*" else -1
            form = times(form, factor.form, sign)
            parts.append((factor, sign))
            if factor.noise is not None and (noise is not None or sign < 0):
                self.without_noise(factor)
                form = self.scope.anything(factor.span).form
            noise = noise or factor.noise
            product = self.combine(link, "multiply" if sign > 0 else "divide", product, factor)
        return product._replace(form=form, noise=noise, parts=tuple(parts), unit_name=None)

    def combine(self, link: nodes.Binary, name: str, left: Value, right: Value) -> Value:
        """One operation on two numbers; units are the caller's."""
        kind = Kind.REAL if name == "divide" else common_kind((left, right))
        a, b = as_kind(left, kind), as_kind(right, kind)
        literal = None
        if name != "divide" and left.literal is not None and right.literal is not None and kind is Kind.REAL:
            literal = WHOLE[name](left.literal, right.literal)
            literal = literal if abs(literal) < 2**53 else None
        if name in ("add", "multiply") and isinstance(a, Operation) and a.name == name:
            expression = self.fold(link.span, name, *a.arguments, b)
        else:
            expression = self.fold(link.span, name, a, b)
        return Value(expression, kind, NUMBER, link.span, literal)

    def read_whole_division(self, node: nodes.Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        self.without_noise(left, right)
        self.alike("divide", (left, right))
        value = self.combine(node, "floor_divide" if node.operator == "//" else "modulo", left, right)
        return value._replace(form=left.form if node.operator == "%" else NUMBER)

    def read_power(self, node: nodes.Binary) -> Value:
        base, exponent = self.value(node.left), self.value(node.right)
        if not self.without_noise(base, exponent):
            return self.scope.anything(node.span)
        self.number("an exponent", exponent)
        if not isinstance(exponent.expression, Constant):
            if base.form:
                blame = lambda found, _: ExponentNotConstant(exponent.span, base.span, found)  # noqa: E731
                self.scope.constraints.append(Constraint(base.form, NUMBER, self.rank, (base.span, exponent.span), blame))
            return Value(self.fold(node.span, "power", real(base), real(exponent)), Kind.REAL, NUMBER, node.span)
        return self.constant_power(node, base, float(exponent.expression.value))

    def constant_power(self, node: nodes.Binary, base: Value, exponent: float) -> Value:
        form = to_power(base.form, exact_value(node.right) or Fraction(exponent).limit_denominator(1000)) if base.form else NUMBER
        if isinstance(base.expression, Constant):
            return Value(self.fold(node.span, "power", real(base), Constant(exponent)), Kind.REAL, form, node.span)
        if exponent != int(exponent if math.isfinite(exponent) else 0) or abs(exponent) > 2**31:
            return Value(Operation("power", (real(base), Constant(exponent))), Kind.REAL, form, node.span)
        kind = Kind.INTEGER if base.kind is Kind.INTEGER and exponent >= 0 else Kind.REAL
        return Value(Operation("power", (as_kind(base, kind), Constant(int(exponent)))), kind, form, node.span)

    def read_comparison(self, node: nodes.Comparison) -> Value:
        left, results = self.value(node.first), []
        for operator, operand in node.rest:
            right = self.value(operand)
            self.without_noise(left, right)
            self.alike("compare", (left, right))
            results.append(self.compared(node, operator, left, right))
            left = right
        expression = results[0] if len(results) == 1 else self.fold(node.span, "and", *results)
        return Value(expression, Kind.BOOLEAN, NUMBER, node.span)

    def compared(self, node: nodes.Comparison, operator: str, left: Value, right: Value) -> Expr:
        kind = common_kind((left, right))
        a, b = as_kind(left, kind), as_kind(right, kind)
        if operator != "crosses":
            return self.fold(node.span, COMPARED[operator], a, b)
        if not self.place.crosses:
            self.scope.report(CrossesMisused(node.span))
        return Operation("crosses", (a, b))

    def read_logical(self, node: nodes.Logical) -> Value:
        parts = [self.condition(operand, f"`{node.operator}`").expression for operand in node.operands]
        return Value(self.fold(node.span, node.operator, *parts), Kind.BOOLEAN, NUMBER, node.span)

    def read_conditional(self, node: nodes.Conditional) -> Value:
        condition = self.condition(node.condition, "`if`")
        return self.choice(node.span, condition, self.value(node.then), self.value(node.otherwise))

    def choice(self, span: Span, condition: Value, then: Value, otherwise: Value) -> Value:
        self.alike("choose between", (then, otherwise))
        both = then.kind is Kind.BOOLEAN and otherwise.kind is Kind.BOOLEAN
        kind = Kind.BOOLEAN if both else common_kind((then, otherwise))
        a, b = (v.expression if both else as_kind(v, kind) for v in (then, otherwise))
        return Value(Operation("where", (condition.expression, a, b)), kind, then.form, span, noise=then.noise or otherwise.noise)

    # ---- calls --------------------------------------------------------------------------------

    def read_call(self, node: nodes.Call) -> Value:
        name = node.function
        if name in self.scope.functions:
            return self.inline(node, self.scope.functions[name])
        entry = self.scope.entries.get(name)
        if entry is not None and entry.role is Role.EXTERNAL:
            return self.from_outside(node, entry) if entry.takes else self.sample(node, entry)
        name = ALIASES.get(name, name)
        if name not in FUNCTION_NAMES:
            return self.unknown_function(node, entry)
        if not self.enough(node, *arguments_of(name)):
            return self.scope.anything(node.span)
        if name in FUNCTIONS:
            return self.apply(node, FUNCTIONS[name])
        if name in DRAWS:
            return self.draw(node, DRAWS[name][1])
        return self.reduction(node, name) if name in REDUCTIONS else self.old(node)

    def unknown_function(self, node: nodes.Call, entry: Entry | None) -> Value:
        if node.function in self.scope.broken_names:
            return self.scope.anything(node.span)
        arguments = ", ".join(argument.span.text for argument in node.arguments)
        if entry is not None or node.function in self.locals:
            what = (entry or self.locals[node.function]).role.value
            return self.scope.report(NotAFunction(node.name_span, node.function, what, arguments))
        if node.function in SPECIAL_NAMES:
            return self.scope.report(NotAFunction(node.name_span, node.function, "a value", arguments))
        near = self.scope.near(node.function, (*FUNCTION_NAMES, *self.scope.functions, *self.scope.externals))
        self.scope.report(UnknownFunction(node.name_span, node.function, near, arguments))
        for argument in node.arguments:
            self.value(argument)
        return self.scope.anything(node.span)

    def enough(self, node: nodes.Call, arguments: Sequence[str], open_end: bool) -> bool:
        found, wanted = len(node.arguments), len(arguments)
        if found == wanted or (open_end and found > wanted):
            return True
        count = {0: "no argument", 1: "one argument"}.get(wanted, f"{wanted} arguments") + (" or more" if open_end else "")
        call = f"{node.function}({', '.join(arguments)}{', ...' if open_end else ''})"
        self.scope.report(WrongNumberOfArguments(node.span, node.function, call, count, found))
        return False

    def inline(self, node: nodes.Call, function: nodes.FunctionDefinition) -> Value:
        names = [argument.id for argument in function.arguments]
        if function.name.id in self.scope.broken_functions or not self.enough(node, names, False):
            return self.scope.anything(node.span)
        values = dict(zip(names, map(self.value, node.arguments), strict=True))
        body = Translation(self.scope, self.place, self.rank, self.owner, {}, values).value(function.expression)
        if function.unit is not None and self.scope.plain is None:
            unit = unit_of(function.unit)
            if not isinstance(unit, nodes.UnitFactor):
                self.fits(f"`{function.name.id}`", known(unit.dimension), body)
        return body._replace(span=node.span, parts=())

    def sample(self, node: nodes.Call, entry: Entry) -> Value:
        if not self.enough(node, entry.arguments, False):
            return self.scope.anything(node.span)
        if self.place.before_run:
            return self.scope.report(InitialValueUses(node.span, entry.name, self.place.called))
        time = self.value(node.arguments[0])
        self.without_noise(time)
        if self.scope.plain is None:
            self.fits(f"the argument of `{entry.name}`", TIME_FORM, time)
        is_t = isinstance(node.arguments[0], nodes.Name) and node.arguments[0].id == "t" and time.kind is Kind.REAL
        arguments = [Symbol("@t") if is_t and "t" not in self.scope.entries else self.scope.to_ms(real(time))]
        arguments += [self.whole(f"the index of `{entry.name}`", self.value(index)) for index in node.arguments[1:]]
        return Value(Operation("sample", (Symbol(entry.name), *arguments)), Kind.REAL, entry.form, node.span)

    def from_outside(self, node: nodes.Call, entry: Entry) -> Value:
        """A call of a Python function: its arguments in the units that it takes them in, its result in the unit that is declared."""
        if not self.enough(node, entry.arguments, False):
            return self.scope.anything(node.span)
        written = zip(entry.arguments, entry.takes, node.arguments, strict=True)
        arguments = [self.handed_over(entry, *argument) for argument in written]
        called: Expr = Operation("call", (Symbol(entry.name), *arguments))
        if entry.kind is not Kind.REAL:
            return Value(fold(f"to_{entry.kind.value}", called), entry.kind, NUMBER, node.span)
        unit = self.scope.written[entry.name].unit if entry.name in self.scope.written else None
        if unit is not None:
            called = (
                self.scope.to_text_time(called, unit) if self.scope.plain else self.scope.shifted(called, unit.computing_decade)
            )
        return Value(called, Kind.REAL, entry.form, node.span)

    def handed_over(self, function: Entry, name: str, unit: Unit, node: nodes.Expression) -> Expr:
        """An argument as a plain number in its unit."""
        called = f"the argument `{name}` of `{function.name}`"
        if unit.text == "boolean":
            return self.condition(node, called).expression
        value = self.value(node)
        if not self.without_noise(value) or unit.text == UNREADABLE:
            return Symbol(UNREADABLE)
        if unit.text == "integer":
            return self.whole(called, value)
        if self.scope.plain is not None:
            return self.scope.from_text_time(real(value), unit)
        if unit.dimension.is_one and value.form:
            blame = lambda found, _: ArgumentWithUnit(value.span, function.name, name, function.arguments, found)  # noqa: E731
            self.scope.constraints.append(Constraint(value.form, NUMBER, self.rank, (value.span,), blame))
        else:
            self.fits(called, known(unit.dimension), value)
        return self.scope.shifted(real(value), -unit.computing_decade)

    def whole(self, place: str, value: Value) -> Expr:
        """The value as an INTEGER, for places that keep whole numbers."""
        self.number(place, value)
        if value.kind is Kind.REAL and value.literal is None:
            return self.scope.report(WholeNumberNeeded(value.span, place, "a whole number", "a real number")).expression
        return as_kind(value, Kind.INTEGER)

    def apply(self, node: nodes.Call, function: Function) -> Value:
        if function.kind == "choice":
            condition = self.condition(node.arguments[0], "`where`")
            return self.choice(node.span, condition, self.value(node.arguments[1]), self.value(node.arguments[2]))
        values = [self.value(argument) for argument in node.arguments]
        if not self.without_noise(*values):
            return self.scope.anything(node.span)
        form = self.applied_form(node, function, values)
        kind = common_kind(values) if function.kind == "alike" else Kind.REAL
        arguments = [value.expression for value in values] if function.kind == "integer" else [as_kind(v, kind) for v in values]
        try:
            expression = function.build(*arguments)
        except NotFinite:
            return self.scope.report(ConstantNotFinite(node.span))
        return Value(
            expression, Kind.INTEGER if function.kind == "integer" or node.function == "timestep" else kind, form, node.span
        )

    def applied_form(self, node: nodes.Call, function: Function, values: Sequence[Value]) -> Form:
        if function.dimension == "number":
            for value in values:
                self.number(f"`{node.function}`", value)
        elif function.dimension in ("same", "ratio"):
            self.alike(f"give `{node.function}`", values)
        elif function.dimension == "time" and self.scope.plain is None:
            for value in values:
                self.fits(f"the argument of `{node.function}`", TIME_FORM, value)
        elif function.dimension == "root":
            return to_power(values[0].form, Fraction(*function.power))
        return values[0].form if function.dimension == "same" else NUMBER

    def draw(self, node: nodes.Call, distribution: str) -> Value:
        if not self.place.draws:
            return self.scope.report(DrawMisplaced(node.span, node.function, self.place.called))
        number = self.scope.next_draw()
        mean = [self.value(argument) for argument in node.arguments]
        self.without_noise(*mean)
        for value in mean:
            self.number(f"`{node.function}`", value)
        return Value(Operation(distribution, (number, *map(real, mean))), Kind.REAL, NUMBER, node.span)

    def reduction(self, node: nodes.Call, name: str) -> Value:
        if self.place.event:
            return self.scope.report(ReductionInEvent(node.span, name))
        if not self.place.population:
            return self.scope.report(PopulationFunctionHere(node.span, name, self.place.called))
        rule = REDUCTIONS[name]
        if rule == "matrix":
            return self.matrix_product(node)
        value = self.condition(node.arguments[0], f"`{name}`") if rule == "condition" else self.value(node.arguments[0])
        self.without_noise(value)
        kind = Kind.INTEGER if name in INTEGER_REDUCTIONS else Kind.BOOLEAN if name in BOOLEAN_REDUCTIONS else Kind.REAL
        argument = value.expression if rule == "condition" or name == "rank" else real(value)
        if name == "rank":
            argument = real(value) if value.kind is Kind.BOOLEAN else value.expression
        if name in ("total", "largest", "smallest") and value.kind is Kind.INTEGER:
            kind, argument = Kind.INTEGER, value.expression
        extra = (self.scope.next_draw(),) if name == "one_of" else ()
        return Value(Operation(name, (*extra, argument)), kind, value.form if rule == "same" else NUMBER, node.span)

    def matrix_product(self, node: nodes.Call) -> Value:
        matrix, vector = node.arguments[0], self.value(node.arguments[1])
        entry = self.scope.entries.get(matrix.id) if isinstance(matrix, nodes.Name) else None
        if entry is None or "matrix" not in entry.flags:
            return self.scope.report(MatrixMisused(matrix.span, "matmul", False))
        self.without_noise(vector)
        product = Operation("matmul", (Symbol(entry.name), real(vector)))
        return Value(product, Kind.REAL, times(entry.form, vector.form), node.span)

    def old(self, node: nodes.Call) -> Value:
        if not self.place.old:
            return self.scope.report(OldMisused(node.span, True))
        argument = node.arguments[0]
        entry = self.scope.entries.get(argument.id) if isinstance(argument, nodes.Name) else None
        if entry is None or entry.role is not Role.STATE:
            return self.scope.report(OldMisused(argument.span, False))
        return Value(Operation("old", (Symbol(entry.name),)), entry.kind, entry.form, node.span)


def exact_value(node: nodes.Expression) -> Fraction | None:
    """The exact value of a written exponent: `2`, `-1`, `0.5`, `1/3`, `(3/2)`."""
    match node:
        case nodes.Number(value=value):
            return Fraction(str(value)) if math.isfinite(value) else None
        case nodes.Unary(operator=("-" | "+") as sign, operand=operand):
            inner = exact_value(operand)
            return inner if inner is None or sign == "+" else -inner
        case nodes.Binary(operator="/", left=left, right=right):
            above, below = exact_value(left), exact_value(right)
            return above / below if above is not None and below else None
    return None


MOST = 1.7976931348623157e308
WHOLE: Mapping[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "floor_divide": lambda a, b: a // b if b else 0,
    "modulo": lambda a, b: a % b if b else 0,
}
CHAINS = (("+-", Translation.read_sum), ("*/", Translation.read_product))
READERS: Mapping[type, Callable[[Translation, Any], Value]] = {
    nodes.Number: Translation.read_number,
    nodes.Quantity: Translation.read_quantity,
    nodes.Name: Translation.read_name,
    nodes.Unary: Translation.read_unary,
    nodes.Binary: Translation.read_binary,
    nodes.Comparison: Translation.read_comparison,
    nodes.Logical: Translation.read_logical,
    nodes.Conditional: Translation.read_conditional,
    nodes.Call: Translation.read_call,
}
