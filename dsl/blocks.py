"""Blocks: the assignments of events and steps, their locals, and what they may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..backends.kernel import Expr, Kind
from ..grammar import nodes
from .checked import Assignment
from .scope import Entry, Place, Role, Scope, Value, as_kind, common_kind, real
from .special_names import SPECIAL_NAMES
from .statement_mistakes import LocalNeverRead, NotAssignable
from .translation import Translation, translation_at
from .value_mistakes import WholeNumberNeeded

KIND_WORDS = {Kind.INTEGER: "integer", Kind.BOOLEAN: "boolean"}


def block_of(scope: Scope, statements: Sequence[nodes.Assignment], place: Place, lenient: bool) -> tuple[Assignment, ...]:
    """The assignments of one block. `lenient`: a local that is never read is left out, with a note (the keyword form)."""
    locals_: dict[str, Entry] = {}
    lines: list[Line] = []
    for statement in statements:
        translation = translation_at(scope, place, 2, "", locals_)
        value = translation.value(written_out(statement))
        if lenient and (cut := as_brian2_keeps_it(scope, statement, value)) is not None:
            scope.rewrites[id(statement)] = cut
            value = translation.value(cut.expression)
        assignment = assign(translation, statement, value, locals_)
        if assignment is not None:
            lines.append(Line(statement, assignment, translation.read))
    while unread := {line.assignment.target for line in lines if line.assignment.local} - {
        n for line in lines for n in line.read
    }:
        for name in sorted(unread, key=lambda name: locals_[name].span.start):
            never_read(scope, name, locals_[name], lenient)
        scope.rewrites.update({id(line.statement): None for line in lines if line.assignment.target in unread})
        lines = [line for line in lines if line.assignment.target not in unread]
        if not lenient:
            break
    return tuple(line.assignment for line in lines)


def as_brian2_keeps_it(scope: Scope, statement: nodes.Assignment, value: Value) -> nodes.Assignment | None:
    """An assignment of a number to a variable of another kind, with what an array of that kind makes of it written out."""
    entry = scope.entries.get(statement.target.id)
    if entry is None or is_broken(value) or value.kind is entry.kind:
        return None
    whole, span = written_out(statement), statement.expression.span
    if entry.kind is Kind.INTEGER and value.kind is Kind.REAL and value.literal is None:
        return replace(statement, operator="=", expression=nodes.Call(span, "int", (whole,), span))
    if entry.kind is Kind.BOOLEAN:
        return replace(statement, operator="=", expression=nodes.Comparison(span, whole, (("!=", nodes.Number(span, 0)),)))
    return None


class Line(NamedTuple):
    """One assignment of a block, and the locals that it reads."""

    statement: nodes.Assignment
    assignment: Assignment
    read: set[str]


def written_out(statement: nodes.Assignment) -> nodes.Expression:
    """`w + b` for `w += b`."""
    if statement.operator == "=":
        return statement.expression
    return nodes.Binary(statement.span, statement.operator[:-1], statement.target, statement.expression)


def assign(translation: Translation, statement: nodes.Assignment, value: Value, locals_: dict[str, Entry]) -> Assignment | None:
    scope, target = translation.scope, statement.target
    entry = scope.entries.get(target.id)
    if entry is None and target.id in SPECIAL_NAMES:
        scope.report(NotAssignable(target.span, target.id, "a name of the language", None))
        return None
    if entry is not None and entry.role is not Role.STATE:
        scope.report(NotAssignable(target.span, target.id, entry.role.value, entry.span))
        return None
    if target.id in scope.broken_names:
        return None
    if entry is None:
        entry = locals_.get(target.id)
    local = entry is None or entry.role is Role.LOCAL
    if entry is None:
        kind = Kind.BOOLEAN if value.kind is Kind.BOOLEAN else common_kind((value,))
        entry = locals_[target.id] = Entry(target.id, Role.LOCAL, kind, value.form, target.span)
    translation.without_noise(value)
    translation.fits(f"`{target.id}`", entry.form, value)
    return Assignment(target.id, converted(translation, f"`{target.id}`", value, entry.kind), entry.kind, local)


def converted(translation: Translation, place: str, value: Value, kind: Kind, lenient: bool = False) -> Expr:
    """The value in the kind of the name that takes it; a real number is never cut off silently."""
    if kind is Kind.REAL:
        return real(value)
    if kind is value.kind:
        return value.expression
    if kind is Kind.INTEGER and (value.literal is not None or value.kind is Kind.BOOLEAN or lenient):
        return as_kind(value, Kind.INTEGER)
    if not is_broken(value):
        found = "a real number" if value.kind is Kind.REAL else KIND_WORDS[value.kind]
        translation.scope.report(WholeNumberNeeded(value.span, place, KIND_WORDS[kind], found))
    return value.expression


def is_broken(value: Value) -> bool:
    """Whether a value stands for something that was reported already."""
    return any(isinstance(key, str) and key.startswith("?") for key in value.form)


def never_read(scope: Scope, name: str, entry: Entry, lenient: bool) -> None:
    if lenient:
        scope.notes.append(f"`{name}` is assigned in a block and never read, so that assignment does nothing")
        return
    assignable = [other.name for other in scope.entries.values() if other.role in (Role.STATE, Role.PARAMETER)]
    scope.report(LocalNeverRead(entry.span, name, scope.near(name, assignable)))
