"""The semantic stage: from the syntax of one model to a CheckedModel, or to all of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from math import inf

from ..backends.kernel import Constant, Expr, Kind
from ..grammar import nodes
from ..grammar.classify import expressions_of
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from . import checked
from . import scope as places
from .blocks import KIND_WORDS, block_of, converted, is_broken
from .dimensions import NUMBER, Form, Solution, times, unknown
from .extent import MOST_LEVELS, MOST_TERMS, Extent, extent
from .flags import flag_mistakes
from .folding import NotFinite, fold
from .formulas import substituted, written_out
from .inheritance import inherited
from .name_mistakes import UnknownFunction, UnknownName, WrittenOutTooLong
from .numbering import numbered
from .outline import CALLED, Outline, outline_of
from .roles import Roles, has_flag
from .scheme_names import KNOWN as SCHEMES
from .scope import UNREADABLE, Entry, Role, Scope, Value, common_kind, real
from .statement_mistakes import (
    ConstantNotFinite,
    DerivativeOfKind,
    DrawNeedsFlag,
    FlagNotAllowed,
    NoiseTwice,
    NotHeld,
    NumberWanted,
    RefractoryKind,
    SettingOutOfRange,
    TimeWanted,
    UnknownMethod,
    UnknownSetting,
    UnknownSurrogate,
)
from .surrogates import POSITIVE, SURROGATES
from .suspects import Origin
from .translate import CONSTANTS, SPECIAL_NAMES, TIME_FORM, Translation
from .unit_mistakes import NotATimeUnit, UnitInPlainText, UnitOpen, UnknownUnit
from .units import BOOLEAN_UNIT, DIMENSIONLESS, INTEGER_UNIT, TIME, Unit, unit_of, unit_of_symbol, usual_unit

KnownModels = Callable[[str], nodes.ModelDeclaration | None]
KINDS = {"integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}


def no_models(name: str) -> None:
    """No model is known by any name."""


def analyse(
    declaration: nodes.ModelDeclaration,
    known_models: KnownModels = no_models,
    keyword_form: bool = False,
    unread: frozenset[str] = frozenset(),
    model_names: Iterable[str] = (),
) -> tuple[checked.CheckedModel | None, tuple[Mistake, ...]]:
    """Check one model: its meaning, or None and everything that is wrong with it.

    `known_models` gives the (merged) declaration of a model that this one may inherit from. `keyword_form`: the text came with
    `threshold=`, `reset=`, ... as Brian2 writes it; then what Brian2 lets pass is a note. `unread`: names that statements with a
    mistake of syntax seem to define (`Parsed.unread`), which are not called unknown.
    `model_names`: what a misspelt base may have meant.
    """
    merged, mistakes = inherited(declaration, known_models, model_names)
    analysis = Analysis(merged, keyword_form, unread)
    model = analysis.model()
    found = (*mistakes, *analysis.scope.mistakes)
    return (None if found else model), in_order(found)


def analyse_module(
    module: nodes.Module,
    known_models: KnownModels = no_models,
    keyword_form: bool = False,
    unread: frozenset[str] = frozenset(),
    model_names: Iterable[str] = (),
) -> tuple[tuple[checked.CheckedModel, ...], tuple[Mistake, ...]]:
    """Check every model of a text; a model may inherit from those above it."""
    above: dict[str, nodes.ModelDeclaration] = {}
    models: list[checked.CheckedModel] = []
    mistakes: list[Mistake] = []
    for declaration in module.models:
        model, found = analyse(
            declaration, lambda name: above.get(name) or known_models(name), keyword_form, unread, (*above, *model_names)
        )
        above[declaration.name.id] = declaration
        models += [model] if model is not None else []
        mistakes += found
    return tuple(models), in_order(mistakes)


def in_order(mistakes: list[Mistake] | tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """By place, each once; a name that is not known is said once, at its first place."""
    once: dict[object, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: (m.span.source.name, m.span.start)):
        if isinstance(mistake, (UnknownName, UnknownFunction)):
            once.setdefault((type(mistake), mistake.name), mistake)
        else:
            once.setdefault((mistake.span.source.name, mistake.span.start, mistake.span.stop, mistake.message), mistake)
    return tuple(once.values())


class Analysis:
    """The checking of one model without a base. Everything found goes to `scope`."""

    def __init__(self, declaration: nodes.ModelDeclaration, keyword_form: bool, unread: frozenset[str]) -> None:
        self.declaration = declaration
        self.lenient = keyword_form
        self.outline: Outline = outline_of(declaration)
        self.roles = Roles(self.outline)
        names, functions = tuple(self.outline.names), self.outline.functions
        self.scope = Scope(names, functions=functions, broken_functions=self.roles.broken_functions)
        self.scope.externals = tuple(self.outline.callables)
        self.scope.mistakes += [*self.outline.mistakes, *self.roles.mistakes]
        self.scope.broken_names |= self.roles.in_circles | unread
        self.values: dict[str, Expr] = {}  # definitions
        self.derivatives: dict[str, Expr] = {}
        self.initials: dict[str, Expr] = {}
        self.flags: dict[str, frozenset[str]] = {}

    def model(self) -> checked.CheckedModel:
        """Everything in turn; the result counts only where no mistake was found."""
        self.read_time_unit()
        self.check_size()
        if self.scope.mistakes and isinstance(self.scope.mistakes[-1], WrittenOutTooLong):
            return None  # type: ignore[return-value]  # nothing that walks it would come to an end
        self.declare()
        for name in self.roles.order:
            self.define(name)
        for name, equation in self.outline.differentials.items():
            self.derivatives[name] = self.derivative(name, equation)
        for name, initial in self.outline.initials.items():
            self.initials[name] = self.initial(name, initial)
        events, refractory, held = self.events(), self.refractory(), self.held()
        before, after = self.step_block(False), self.step_block(True)
        output, surrogate, method = self.output(), self.surrogate(), self.outline.one(nodes.Method)
        step, duration = (self.recommended(kind) for kind in (nodes.RecommendedStep, nodes.RecommendedDuration))
        self.check_noise()
        self.check_flags()
        self.check_method(method)
        self.note_hidden_names()
        solution = self.scope.settle()
        self.check_open_units(solution)
        if self.scope.mistakes:
            return None  # type: ignore[return-value]
        return self.numbered(
            checked.CheckedModel(
                name=self.declaration.name.id,
                description=self.declaration.docstring,
                states=tuple(self.state(name, solution, held) for name in self.names_of(Role.STATE)),
                parameters=tuple(self.parameter(name, solution) for name in self.names_of(Role.PARAMETER)),
                derived=tuple(self.derived(name, solution) for name in self.roles.order if self.role(name) is Role.DERIVED),
                inputs=tuple(self.input(name, solution) for name in self.roles.order if self.role(name) is Role.INPUT),
                externals=tuple(self.external(name, solution) for name in self.names_of(Role.EXTERNAL)),
                events=events,
                refractory=refractory,
                each_step=before,
                each_step_after_reset=after,
                output=self.output_of(output, solution),
                surrogate=surrogate,
                method=method.name.id if method else None,
                order=tuple(name.id for name in method.order) if method else (),
                plain=self.scope.plain is not None,
                dt=step,
                duration=duration,
                notes=tuple(dict.fromkeys(self.scope.notes)),
                declaration=self.put_right(self.declaration),
            )
        )

    def put_right(self, declaration: nodes.ModelDeclaration) -> nodes.ModelDeclaration:
        """The declaration in the strict form, which can be printed and read again."""
        if not self.scope.rewrites:
            return declaration
        found = [self.strict(statement) for statement in declaration.statements]
        return replace(declaration, statements=tuple(statement for statement in found if statement is not None))

    def strict(self, statement: nodes.Statement) -> nodes.Statement | None:
        if not isinstance(statement, (nodes.Event, nodes.EachStep)):
            return self.scope.rewrites.get(id(statement), statement)
        block = tuple(line for line in statement.block if id(line) not in self.scope.rewrites)
        return replace(statement, block=block) if block or isinstance(statement, nodes.Event) else None

    def numbered(self, model: checked.CheckedModel) -> checked.CheckedModel:
        return numbered(model) if self.scope.draws else model

    def check_size(self) -> None:
        """Refuse what would grow beyond all bounds once functions are written out, and, in initial values, definitions."""
        formulas: dict[str, tuple[tuple[str, ...], Extent]] = {}
        for name in self.roles.function_order:
            function = self.outline.functions[name]
            arguments = tuple(argument.id for argument in function.arguments)
            if name not in self.roles.broken_functions:
                formulas[name] = arguments, extent(function.expression, formulas, frozenset(arguments))
        definitions = dict(formulas)
        terms = 0
        for expression in self.expressions():
            found = extent(expression, formulas)
            terms += found.terms
            if self.refuse(expression, found, terms):
                return
        for name in self.roles.order:
            if self.roles.role(name) is Role.DERIVED:
                definitions[name] = (), extent(self.outline.definitions[name].expression, definitions)
        for initial in self.outline.initials.values():
            if self.refuse(initial.expression, extent(initial.expression, definitions), terms):
                return

    def refuse(self, expression: nodes.Expression, found: Extent, terms: int) -> bool:
        if found.too_large or terms > MOST_TERMS:
            many = max(terms, found.terms) > MOST_TERMS
            mistake = WrittenOutTooLong(expression.span, MOST_TERMS if many else None, MOST_LEVELS)
            self.scope.report(mistake)
            return True
        return False

    def expressions(self) -> Iterator[nodes.Expression]:
        """Every expression of the model, but for the bodies of functions."""
        for statement in self.declaration.statements:
            if not isinstance(statement, nodes.FunctionDefinition):
                yield from expressions_of(statement)

    # ---- names ----------------------------------------------------------------------------------

    @property
    def written(self) -> dict[str, Origin]:
        return self.scope.written

    def written_unit(self, name: str) -> Unit:
        unit = self.written[name].unit
        assert unit is not None
        return unit

    def origin_of(self, name: str, statement: nodes.Definition | nodes.Initial) -> str | None:
        """The name, where its value or a formula says its unit."""
        if name in self.written:
            return name if self.written[name].in_value else None
        self.scope.formulas.setdefault(name, Origin(name, None, statement.expression.span, statement.span))
        return name

    def role(self, name: str) -> Role:
        entry = self.scope.entries.get(name)
        return entry.role if entry is not None else self.roles.role(name)

    def names_of(self, role: Role) -> list[str]:
        return [name for name in self.outline.names if name in self.scope.entries and self.role(name) is role]

    def statements_of(self, name: str) -> list[nodes.Statement]:
        o = self.outline
        tables = (o.differentials, o.definitions, o.declarations, o.callables, o.initials)
        return [table[name] for table in tables if name in table]

    def read_time_unit(self) -> None:
        statement = self.outline.one(nodes.TimeIn)
        if statement is None:
            return
        self.scope.plain = statement
        unit = unit_of(statement.unit)
        if isinstance(unit, nodes.UnitFactor):
            self.unknown_unit(unit)
        elif unit.dimension != TIME:
            self.scope.report(NotATimeUnit(statement.unit.span, unit.dimension))
        else:
            self.scope.time_decade = unit.decade

    def unknown_unit(self, factor: nodes.UnitFactor) -> None:
        near = self.scope.near_units(factor.symbol, tuple(KINDS))
        self.scope.report(UnknownUnit(factor.span, factor.symbol, near))

    def declare(self) -> None:
        """Enter every name but the formulas; those follow in the order in which they use one another."""
        for name, span in self.outline.names.items():
            self.read_unit(name)
            if name in self.roles.in_circles:
                continue
            role = self.roles.role(name)
            if name not in self.outline.definitions or role is Role.STATE:
                entry = self.enter(name, role, self.kind_of(name), span)
                if role is Role.EXTERNAL:
                    self.scope.entries[name] = self.with_arguments(entry, self.outline.callables[name])

    def enter(self, name: str, role: Role, kind: Kind, span: Span, value: Value | None = None) -> Entry:
        flags = frozenset(flag.text for s in self.statements_of(name) for flag in getattr(s, "flags", ()))
        changing = self.roles.changing(name)
        entry = Entry(name, role, kind, self.form_of(name), span, flags, changing, value)
        self.scope.entries[name] = entry
        return entry

    def with_arguments(self, entry: Entry, declaration: nodes.CallableDeclaration) -> Entry:
        """A function from outside with its arguments; one without a unit takes a plain number."""
        names = tuple(argument.id for argument in declaration.arguments)
        written = declaration.units or (None,) * len(names)
        takes = () if declaration.of_time else tuple(self.argument_unit(unit) for unit in written)
        return replace(entry, arguments=names, takes=takes)

    def argument_unit(self, written: nodes.Unit | None) -> Unit:
        unit = DIMENSIONLESS if written is None else unit_of(written)
        if isinstance(unit, nodes.UnitFactor):
            self.unknown_unit(unit)
            return replace(DIMENSIONLESS, text=UNREADABLE)
        if self.scope.plain is not None and written is not None and not unit.dimension.is_one and unit.dimension != TIME:
            self.scope.report(UnitInPlainText(written.span, self.scope.plain.span))
        return unit

    def read_unit(self, name: str) -> None:
        """The unit that is written for a name: after its statement, or by its value or initial value (`C = 281 pF`)."""
        for statement in self.statements_of(name):
            unit = getattr(statement, "unit", None)
            if unit is not None and name not in self.written:
                self.take_unit(name, unit, statement)
        if name not in self.written and self.scope.plain is None:
            for table in (self.outline.definitions, self.outline.initials):
                found = quantity_unit(table[name].expression, self.outline) if name in table else None
                if found is not None:
                    self.written[name] = Origin(name, *found, table[name].span, in_value=True)

    def take_unit(self, name: str, unit: nodes.Unit, statement: nodes.Statement) -> None:
        found = unit_of(unit)
        if isinstance(found, nodes.UnitFactor):
            self.unknown_unit(found)
            self.scope.broken_names.add(f"unit of {name}")
        elif self.scope.plain is not None and not found.dimension.is_one:
            if found.dimension != TIME:
                self.scope.report(UnitInPlainText(unit.span, self.scope.plain.span))
        else:
            self.written[name] = Origin(name, found, unit.span, statement.span)

    def form_of(self, name: str) -> Form:
        if self.scope.plain is not None:
            return NUMBER
        if f"unit of {name}" in self.scope.broken_names:
            return unknown(f"?{name}")
        return unknown(name)

    def kind_of(self, name: str) -> Kind:
        """What is written (`: integer`), or what the initial value is; a real number otherwise."""
        if name in self.written and self.written_unit(name).text in KINDS:
            return KINDS[self.written_unit(name).text]
        start = self.outline.initials.get(name) or self.outline.definitions.get(name)
        if start is not None and name not in self.written and name not in self.outline.differentials:
            return Kind.BOOLEAN if looks_boolean(start.expression) else Kind.REAL
        return Kind.REAL

    # ---- formulas -------------------------------------------------------------------------------

    def define(self, name: str) -> None:
        """Translate one definition and enter its name."""
        definition = self.outline.definitions[name]
        role = self.roles.role(name)
        place = places.DEFAULT if role is Role.PARAMETER else places.INITIAL if role is Role.STATE else places.DEFINITION
        translation = Translation(self.scope, place, 1 if role in (Role.DERIVED, Role.NOISE) else 0, name)
        value = translation.value(definition.expression)
        kind = self.kind_of(name) if role is Role.STATE else self.defined_kind(name, value)
        expression = self.kept_as(kind, translation, definition, value)
        entry = self.enter(name, role, kind, definition.name.span, value=value._replace(expression=expression, kind=kind))
        translation.fits(f"`{name}`", entry.form, value, self.origin_of(name, definition))
        self.values[name] = expression
        if role is Role.NOISE:
            self.scope.notes.append(f"`{name}` holds white noise, so it is part of the equations and has no value of its own")
        own = self.roles.reading_of(name).changing
        if (
            "draw" in own
            and role is not Role.STATE
            and not (has_flag(definition, "constant") or has_flag(definition, "constant over dt"))
        ):
            self.scope.report(DrawNeedsFlag(definition.span, name))

    def defined_kind(self, name: str, value: Value) -> Kind:
        if name in self.written:
            return KINDS.get(self.written_unit(name).text, Kind.REAL)
        return Kind.BOOLEAN if value.kind is Kind.BOOLEAN else common_kind((value,))

    def derivative(self, name: str, equation: nodes.Differential) -> Expr:
        entry = self.scope.entries[name]
        if entry.kind is not Kind.REAL:
            unit = equation.unit.span if equation.unit is not None else equation.name.span
            self.scope.report(DerivativeOfKind(unit, name, KIND_WORDS[entry.kind]))
        translation = Translation(self.scope, places.EQUATION, 1, name)
        value = translation.value(equation.expression)
        wanted = NUMBER if self.scope.plain else times(entry.form, TIME_FORM, -1)
        expression, left = real(value), f"d{name}/dt"
        if equation.factor is not None:
            factor = translation.value(equation.factor)
            translation.without_noise(factor)
            wanted, left = times(wanted, factor.form), f"{equation.factor.span.text.strip()}*{left}"
            expression = self.divided(equation, expression, real(factor))
        translation.fits(left, wanted, value)
        return self.scope.shifted(expression, -3 - self.scope.time_decade) if self.scope.plain else expression

    def divided(self, equation: nodes.Differential, above: Expr, below: Expr) -> Expr:
        try:
            return fold("divide", above, below)
        except NotFinite:
            return self.scope.report(ConstantNotFinite(equation.span)).expression

    def initial(self, name: str, initial: nodes.Initial) -> Expr:
        entry = self.scope.entries[name]
        translation = Translation(self.scope, places.INITIAL, 0, name)
        value = translation.value(initial.expression)
        translation.fits(f"`{name}`", entry.form, value, self.origin_of(name, initial))
        return self.kept_as(entry.kind, translation, initial, value)

    def kept_as(self, kind: Kind, translation: Translation, statement: nodes.Definition | nodes.Initial, value: Value) -> Expr:
        """A value in the kind of the name that it is for; the keyword form cuts a real number off for an integer."""
        if self.lenient and kind is Kind.INTEGER and value.kind is Kind.REAL and value.literal is None:
            span = statement.expression.span
            self.scope.rewrites[id(statement)] = replace(
                statement, expression=nodes.Call(span, "int", (statement.expression,), span)
            )
        return converted(translation, f"`{statement.name.id}`", value, kind, self.lenient)

    # ---- events and blocks ----------------------------------------------------------------------

    def events(self) -> tuple[checked.Event, ...]:
        return tuple(self.event(event) for event in self.outline.events.values())

    def event(self, event: nodes.Event) -> checked.Event:
        condition = Translation(self.scope, places.CONDITION, 2).condition(event.condition, f"the event `{event.name.id}`")
        block = block_of(self.scope, event.block, places.EVENT_BLOCK, self.lenient)
        return checked.Event(event.name.id, condition.expression, block)

    def step_block(self, after_reset: bool) -> tuple[checked.Assignment, ...]:
        statement = self.outline.steps.get(after_reset)
        return block_of(self.scope, statement.block, places.STEP_BLOCK, self.lenient) if statement is not None else ()

    def refractory(self) -> checked.Refractory | None:
        statement = self.outline.one(nodes.Refractory)
        if statement is None:
            return None
        translation = Translation(self.scope, places.REFRACTORY, 2)
        if statement.condition:
            return checked.Refractory(translation.condition(statement.expression, "`refractory while`").expression, True)
        value = translation.value(statement.expression)
        if value.kind is Kind.BOOLEAN:
            if not self.lenient:
                self.scope.report(RefractoryKind(statement.expression.span))
            self.scope.rewrites[id(statement)] = replace(statement, condition=True)
            return checked.Refractory(value.expression, True)
        if self.scope.plain is None:
            translation.fits("the refractory duration", TIME_FORM, value)
        return checked.Refractory(self.scope.to_ms(real(value)), False)

    def held(self) -> frozenset[str]:
        """The states whose derivative is zero while refractory."""
        statement = self.outline.one(nodes.Refractory)
        names = {name for name, equation in self.outline.differentials.items() if has_flag(equation, "unless refractory")}
        for name in statement.holding if statement is not None else ():
            if name.id not in self.outline.differentials:
                self.scope.report(NotHeld(name.span, name.id, self.scope.near(name.id, self.outline.differentials)))
            names.add(name.id)
        return frozenset(names)

    def output(self) -> Value | None:
        statement = self.outline.one(nodes.Output)
        return None if statement is None else Translation(self.scope, places.OUTPUT, 2).value(statement.expression)

    def surrogate(self) -> checked.Surrogate | None:
        statement = self.outline.one(nodes.Surrogate)
        if statement is None:
            return None
        translation = Translation(self.scope, places.SURROGATE, 2)
        called, arguments = statement.name.id, []
        if called not in SURROGATES:
            near = self.scope.near(called, SURROGATES)
            self.scope.report(UnknownSurrogate(statement.name.span, called, near, tuple(SURROGATES)))
        known = SURROGATES[called].settings if called in SURROGATES else None
        for name, node in statement.arguments:
            if known is not None and name.id not in known:
                self.scope.report(UnknownSetting(name.span, name.id, called, self.scope.near(name.id, known), tuple(known)))
                continue
            value = translation.value(node).expression
            if not isinstance(value, Constant):
                self.scope.report(NumberWanted(node.span, name.id))
                continue
            arguments.append((name.id, float(value.value)))
            if name.id in POSITIVE and not arguments[-1][1] > 0:
                self.scope.report(SettingOutOfRange(node.span, name.id, arguments[-1][1]))
        of = None if statement.of is None else real(translation.value(statement.of))
        return checked.Surrogate(called, tuple(arguments), of)

    def recommended(self, kind: type[nodes.RecommendedStep] | type[nodes.RecommendedDuration]) -> float | None:
        """The time that `dt` or `duration` says, in ms."""
        statement = self.outline.one(kind)
        if statement is None:
            return None
        translation = Translation(self.scope, places.RECOMMENDED, 2)
        value = translation.value(statement.expression)
        if is_broken(value):
            return None
        if self.scope.plain is None:
            translation.fits(CALLED[kind], TIME_FORM, value)
        expression = self.scope.to_ms(real(value))
        if not isinstance(expression, Constant) or not 0 < float(expression.value) < inf:
            self.scope.report(TimeWanted(statement.expression.span, CALLED[kind]))
            return None
        return float(expression.value)

    # ---- what is checked at the end -------------------------------------------------------------

    def check_noise(self) -> None:
        owners = list(self.scope.noise_owners.items())
        for name, span in owners[1:]:
            self.scope.report(NoiseTwice(span, owners[0][1], (owners[0][0], name)))

    def check_flags(self) -> None:
        for name in self.scope.entries:
            role = self.role(name)
            for statement in self.statements_of(name):
                self.scope.mistakes += flag_mistakes(statement, role)
                if name in self.roles.assigned:
                    self.check_assigned_flags(name, statement)

    def check_assigned_flags(self, name: str, statement: nodes.Statement) -> None:
        for flag in getattr(statement, "flags", ()):
            if flag.text == "constant" and self.lenient:
                self.scope.notes.append(f"`{name}` is declared constant, and a block assigns it: it is a state of each neuron")
                others = tuple(other for other in statement.flags if other is not flag)  # type: ignore[attr-defined]
                self.scope.rewrites[id(statement)] = replace(statement, flags=others)  # type: ignore[call-arg]
            elif flag.text in ("constant", "shared", "linked", "matrix") and self.role(name) is Role.STATE:
                what = f"`{name}`, which a block assigns for each neuron,"
                self.scope.report(FlagNotAllowed(flag.span, flag.text, what, "remove the flag, or do not assign it"))

    def check_method(self, method: nodes.Method | None) -> None:
        if method is None:
            return
        name = method.name
        if name.id not in SCHEMES:
            self.scope.report(UnknownMethod(name.span, name.id, self.scope.near(name.id, SCHEMES), SCHEMES))
        for state in method.order:
            if state.id not in self.outline.differentials:
                self.scope.report(NotHeld(state.span, state.id, self.scope.near(state.id, self.outline.differentials)))

    def note_hidden_names(self) -> None:
        for name in self.outline.names:
            if name in SPECIAL_NAMES:
                what = "the constant" if name in CONSTANTS else "the built-in"
                self.scope.notes.append(f"`{name}` is a name of this text and hides {what} `{name}`")

    def check_open_units(self, solution: Solution) -> None:
        """Ask for the unit of what nothing settles, once for all names that hang together."""
        if solution.tangled is not None:
            return
        reported: set[int | str] = set()
        entries = sorted(self.scope.entries.values(), key=lambda entry: entry.role is not Role.STATE)
        for entry in entries:
            free = {key for key in solution.reduce(entry.form) if isinstance(key, str)}
            if not free or free <= reported or solution.is_tainted(entry.form):
                continue
            reported |= free
            linked = tuple(
                other.name
                for other in entries
                if other is not entry and free & set(solution.reduce(other.form)) and other.name not in free
            )
            self.scope.report(UnitOpen(entry.span, entry.name, linked[:3]))

    @cached_property
    def written_out(self) -> dict[str, Expr]:
        """The formulas of derived quantities, in terms of states and parameters alone."""
        return written_out({name: self.values[name] for name in self.roles.order if self.role(name) is Role.DERIVED})

    # ---- the result -----------------------------------------------------------------------------

    def unit(self, entry: Entry, solution: Solution) -> tuple[Unit, bool]:
        if entry.name in self.written:
            return self.written_unit(entry.name), True
        if entry.kind is not Kind.REAL:
            return (INTEGER_UNIT if entry.kind is Kind.INTEGER else BOOLEAN_UNIT), True
        dimension = solution.dimension(entry.form)
        borrowed = self.borrowed_unit(entry.name)
        if borrowed is not None and borrowed.dimension == dimension:
            return borrowed, True
        unit = usual_unit(dimension) if dimension is not None else DIMENSIONLESS
        return unit, unit.dimension.is_one

    def borrowed_unit(self, name: str) -> Unit | None:
        """The unit of the name that a name begins as: `v(0) = E_L` counts v in the unit that is written for E_L."""
        seen = {name}
        while name not in self.written:
            statement = self.outline.initials.get(name) or self.outline.definitions.get(name)
            if statement is None or not isinstance(statement.expression, nodes.Name) or statement.expression.id in seen:
                return None
            name = statement.expression.id
            seen.add(name)
        return self.written_unit(name)

    def common(self, name: str, solution: Solution) -> dict[str, object]:
        """The fields that every variable has."""
        entry = self.scope.entries[name]
        unit, written = self.unit(entry, solution)
        comments = [statement.comment for statement in self.statements_of(name) if statement.comment]
        return {
            "name": name,
            "unit": unit,
            "unit_written": written,
            "kind": entry.kind,
            "description": comments[0] if comments else "",
            "flags": entry.flags,
        }

    def state(self, name: str, solution: Solution, held: frozenset[str]) -> checked.State:
        kind = self.scope.entries[name].kind
        zero = Constant({Kind.REAL: 0.0, Kind.INTEGER: 0, Kind.BOOLEAN: False}[kind])
        initial = substituted(self.initials.get(name) or self.values.get(name) or zero, self.written_out)
        return checked.State(
            **self.common(name, solution),  # type: ignore[arg-type]
            initial=initial,
            derivative=self.derivatives.get(name),
            held=name in held,
        )

    def parameter(self, name: str, solution: Solution) -> checked.Parameter:
        return checked.Parameter(**self.common(name, solution), default=self.values.get(name))  # type: ignore[arg-type]

    def derived(self, name: str, solution: Solution) -> checked.Derived:
        once = has_flag(self.outline.definitions[name], "constant over dt")
        return checked.Derived(**self.common(name, solution), expression=self.values[name], once_a_step=once)  # type: ignore[arg-type]

    def output_of(self, value: Value | None, solution: Solution) -> checked.Derived | None:
        """The signal that a neuron sends on, in the unit of the name that it repeats, or in the usual one of its dimension."""
        statement = self.outline.one(nodes.Output)
        if value is None or statement is None:
            return None
        kind = Kind.REAL if value.literal is not None else value.kind
        repeated = statement.expression.id if isinstance(statement.expression, nodes.Name) else ""
        dimension = solution.dimension(value.form)
        unit = DIMENSIONLESS if dimension is None else usual_unit(dimension)
        unit = self.unit(self.scope.entries[repeated], solution)[0] if repeated in self.scope.entries else unit
        unit = {Kind.INTEGER: INTEGER_UNIT, Kind.BOOLEAN: BOOLEAN_UNIT}.get(kind, unit)
        expression = real(value) if kind is Kind.REAL else value.expression
        written = repeated in self.written or unit.dimension.is_one
        return checked.Derived(checked.OUTPUT, unit, written, kind, statement.comment, frozenset(), expression, once_a_step=False)

    def input(self, name: str, solution: Solution) -> checked.Input:
        once = has_flag(self.outline.definitions[name], "constant over dt")
        return checked.Input(**self.common(name, solution), expression=self.values[name], once_a_step=once)  # type: ignore[arg-type]

    def external(self, name: str, solution: Solution) -> checked.External:
        entry = self.scope.entries[name]
        return checked.External(**self.common(name, solution), arguments=entry.arguments, takes=entry.takes)  # type: ignore[arg-type]


def looks_boolean(node: nodes.Expression) -> bool:
    """Whether an initial value is a truth value, by its form."""
    match node:
        case nodes.Comparison() | nodes.Logical() | nodes.Unary(operator="not"):
            return True
        case nodes.Name(id=name):
            return name in ("True", "False")
    return False


def quantity_unit(node: nodes.Expression, outline: Outline) -> tuple[Unit, Span] | None:
    """The unit of a value that is one quantity (`-70 mV`, `20*ms`), and where it stands."""
    match node:
        case nodes.Quantity(unit=unit):
            found = unit_of(unit)
            return None if isinstance(found, nodes.UnitFactor) else (found, unit.span)
        case nodes.Unary(operand=operand):
            return quantity_unit(operand, outline)
        case nodes.Binary(operator="*", left=nodes.Number() | nodes.Unary(operand=nodes.Number()), right=nodes.Name() as symbol):
            named = None if symbol.id in outline.names else unit_of_symbol(symbol.id)
            return None if named is None else (named, symbol.span)
    return None
