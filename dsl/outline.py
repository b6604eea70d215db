"""Outline: the statements of one model sorted by what they say, each thing said once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from ..grammar.walks import names_used
from .name_mistakes import DefinedTwice, DerivativeMeant, StateDefined
from .units import unit_of_symbol

S = TypeVar("S", bound=nodes.Statement)


@dataclass
class Outline:
    """All statements of a model by kind and name, in the order of the text."""

    differentials: dict[str, nodes.Differential] = field(default_factory=dict)
    definitions: dict[str, nodes.Definition] = field(default_factory=dict)
    declarations: dict[str, nodes.Declaration] = field(default_factory=dict)
    callables: dict[str, nodes.CallableDeclaration] = field(default_factory=dict)
    initials: dict[str, nodes.Initial] = field(default_factory=dict)
    functions: dict[str, nodes.FunctionDefinition] = field(default_factory=dict)
    events: dict[str, nodes.Event] = field(default_factory=dict)
    steps: dict[bool, nodes.EachStep] = field(default_factory=dict)
    single: dict[type[nodes.Statement], nodes.Statement] = field(default_factory=dict)
    names: dict[str, Span] = field(default_factory=dict)  # every name, in the order of the text, and what introduces it
    mistakes: list[Mistake] = field(default_factory=list)

    def one(self, kind: type[S]) -> S | None:
        """The statement of a kind that a model has at most one of."""
        found = self.single.get(kind)
        return found if isinstance(found, kind) else None

    @property
    def blocks(self) -> list[tuple[nodes.Assignment, ...]]:
        return [event.block for event in self.events.values()] + [step.block for step in self.steps.values()]


NAMING = (nodes.Differential, nodes.Definition, nodes.Declaration, nodes.CallableDeclaration, nodes.Initial)
CALLED: dict[type[nodes.Statement], str] = {
    nodes.Refractory: "`refractory`",
    nodes.Output: "`output`",
    nodes.Surrogate: "`surrogate`",
    nodes.Method: "`method`",
    nodes.RecommendedStep: "`dt`",
    nodes.RecommendedDuration: "`duration`",
    nodes.TimeIn: "`time in`",
}  # what a model says once, and how it is called


def outline_of(declaration: nodes.ModelDeclaration) -> Outline:
    """The statements of a model (nothing is inherited any more), with a mistake for each second one of a thing."""
    outline = Outline()
    for statement in declaration.statements:
        place(outline, statement)
        if isinstance(statement, NAMING):
            outline.names.setdefault(statement.name.id, statement.name.span)
    derivatives_meant(outline, declaration)
    clashes(outline, declaration)
    return outline


def without_dot(name: str) -> tuple[str, ...]:
    """`v` for `dvdt`, `dv_dt`, `v_dot`, `vdot` and a v with a dot above."""
    found = [name[1:-2].rstrip("_")] if name[0] == "d" and name.endswith("dt") else []
    found += [name[:-3].rstrip("_")] if name.endswith("dot") else []
    return tuple(state for state in (*found, *(name[:-1] for dot in "\u0307" if name.endswith(dot))) if state)


def derivatives_meant(outline: Outline, declaration: nodes.ModelDeclaration) -> None:
    """Take `dv = ...`, `v_dot = ...` for the equation of a v that is used and that nothing defines."""
    suspects = {name: d for name, d in outline.definitions.items() if len(name) > 1 and (name[0] == "d" or without_dot(name))}
    if not suspects:
        return
    used = {name for statement in declaration.statements for name in names_used(statement)}
    for name, definition in suspects.items():
        state = next((s for s in without_dot(name) if s in used), name[1:])
        mine = unit_of_symbol(state) is None or state in names_used(definition)
        if state in used and state not in outline.names and name not in used and mine:
            span = definition.name.span
            outline.mistakes.append(DerivativeMeant(span, state, name))
            parts = (definition.span, definition.comment, nodes.Name(span, state), None)
            outline.differentials[state] = nodes.Differential(*parts, definition.expression, definition.unit, definition.flags)
            del outline.definitions[name]
            outline.names = {state if other == name else other: place for other, place in outline.names.items()}


def place(outline: Outline, statement: nodes.Statement) -> None:
    match statement:
        case nodes.Differential(name=name):
            enter(outline, outline.differentials, name.id, statement, name.span, f"the equation of `{name.id}`")
        case nodes.Definition(name=name):
            enter(outline, outline.definitions, name.id, statement, name.span, f"`{name.id}`")
        case nodes.Declaration(name=name):
            enter(outline, outline.declarations, name.id, statement, name.span, f"`{name.id}`")
        case nodes.CallableDeclaration(name=name):
            enter(outline, outline.callables, name.id, statement, name.span, f"`{name.id}`")
        case nodes.Initial(name=name):
            enter(outline, outline.initials, name.id, statement, name.span, f"the initial value of `{name.id}`")
        case nodes.FunctionDefinition(name=name):
            enter(outline, outline.functions, name.id, statement, name.span, f"the function `{name.id}`")
        case nodes.Event(name=name):
            enter(outline, outline.events, name.id, statement, name.span, f"the event `{name.id}`")
        case nodes.EachStep(after_reset=after):
            enter(outline, outline.steps, after, statement, statement.span, "`each step after reset`" if after else "`each step`")
        case _ if type(statement) in CALLED:
            enter(outline, outline.single, type(statement), statement, statement.span, CALLED[type(statement)])


def enter(outline: Outline, table: dict[Any, Any], key: object, statement: nodes.Statement, span: Span, called: str) -> None:
    if key in table:
        first = table[key]
        outline.mistakes.append(DefinedTwice(span, called, getattr(first, "name", first).span))
    else:
        table[key] = statement


def clashes(outline: Outline, declaration: nodes.ModelDeclaration) -> None:
    """Names that two statements of different kinds introduce: the one that does not fit is dropped, so that it is reported once."""
    for name, definition in tuple(outline.definitions.items()):
        state = outline.differentials.get(name) or outline.initials.get(name)
        if state is not None:
            event = event_above(definition, declaration)
            value = definition.expression.span.text
            outline.mistakes.append(StateDefined(definition.name.span, name, state.name.span, value, event))
            del outline.definitions[name]
    later: tuple[dict[str, Any], ...] = (outline.declarations, outline.callables, outline.functions)
    tables: tuple[dict[str, Any], ...] = (outline.differentials, outline.definitions, *later)
    for position, table in enumerate(tables):
        for name in tuple(table):
            for other in tables[position + 1 :]:
                if name in other:
                    first, second = sorted((table[name].name.span, other[name].name.span), key=lambda span: span.start)
                    outline.mistakes.append(DefinedTwice(second, f"`{name}`", first))
                    del other[name]
    outline.names = {
        name: span for name, span in outline.names.items() if any(name in table for table in (*tables, outline.initials))
    }


def event_above(statement: nodes.Statement, declaration: nodes.ModelDeclaration) -> Span | None:
    """The event without a block that stands directly above a statement."""
    place = next(k for k, other in enumerate(declaration.statements) if other is statement)
    above = declaration.statements[place - 1] if place else None
    return above.span if isinstance(above, nodes.Event) and not above.block else None
