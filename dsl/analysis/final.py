"""What can be checked only when everything has been read."""

from __future__ import annotations

from dataclasses import replace

from ...grammar import nodes
from ..dimensions import Solution
from ..flags import flag_mistakes
from ..noise_mistakes import NoiseTwice
from ..scheme_names import ELSEWHERE
from ..scheme_names import KNOWN as SCHEMES
from ..scope import Role
from ..special_names import CONSTANTS, SPECIAL_NAMES
from ..statement_mistakes import FlagNotAllowed, NotHeld, UnknownMethod
from ..unit_mistakes import UnitOpen
from .subject import Analysis


def check_noise(a: Analysis) -> None:
    owners = list(a.scope.noise_owners.items())
    for name, span in owners[1:]:
        a.scope.report(NoiseTwice(span, owners[0][1], (owners[0][0], name)))


def check_flags(a: Analysis) -> None:
    for name in a.scope.entries:
        role = a.role(name)
        for statement in a.statements_of(name):
            a.scope.mistakes += flag_mistakes(statement, role)
            if name in a.roles.assigned:
                check_assigned_flags(a, name, statement)


def check_assigned_flags(a: Analysis, name: str, statement: nodes.Statement) -> None:
    for flag in getattr(statement, "flags", ()):
        if flag.text == "constant" and a.lenient:
            a.scope.notes.append(f"`{name}` is declared constant, and a block assigns it: it is a state of each neuron")
            others = tuple(other for other in statement.flags if other is not flag)  # type: ignore[attr-defined]
            a.scope.rewrites[id(statement)] = replace(statement, flags=others)  # type: ignore[call-arg]
        elif flag.text in ("constant", "shared", "linked", "matrix") and a.role(name) is Role.STATE:
            what = f"`{name}`, which a block assigns for each neuron,"
            a.scope.report(FlagNotAllowed(flag.span, flag.text, what, "remove the flag, or do not assign it"))


def near_schemes(a: Analysis, name: str) -> tuple[str, ...]:
    return (ELSEWHERE[name.lower()],) if name.lower() in ELSEWHERE else a.scope.near(name, SCHEMES)


def check_method(a: Analysis, method: nodes.Method | None) -> None:
    if method is None:
        return
    name = method.name
    if name.id not in SCHEMES:
        a.scope.report(UnknownMethod(name.span, name.id, near_schemes(a, name.id), SCHEMES))
    for state in method.order:
        if state.id not in a.outline.differentials:
            a.scope.report(NotHeld(state.span, state.id, a.scope.near(state.id, a.outline.differentials)))


def note_hidden_names(a: Analysis) -> None:
    for name in a.outline.names:
        if name in SPECIAL_NAMES:
            what = "the constant" if name in CONSTANTS else "the built-in"
            a.scope.notes.append(f"`{name}` is a name of this text and hides {what} `{name}`")


def check_open_units(a: Analysis, solution: Solution) -> None:
    """Ask for the unit of what nothing settles, once for all names that hang together."""
    if solution.tangled is not None:
        return
    reported: set[int | str] = set()
    entries = sorted(a.scope.entries.values(), key=lambda entry: entry.role is not Role.STATE)
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
        a.scope.report(UnitOpen(entry.span, entry.name, linked[:3]))
