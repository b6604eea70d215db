"""Flags: which word at the end of a statement fits which statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..grammar import nodes
from ..grammar.words import FLAGS
from .scope import Role
from .statement_mistakes import FlagNotAllowed

SYNAPTIC = "it belongs to equations of synapses"
ADVICE: Mapping[str, str] = {
    "event-driven": SYNAPTIC,
    "clock-driven": SYNAPTIC,
    "summed": SYNAPTIC,
    "point current": "it belongs to models with several compartments, and this is one compartment: add the current to dv/dt",
}

EQUATION_FLAGS = frozenset({"unless refractory"})
DECLARATION_FLAGS = frozenset({"constant", "shared", "required", "matrix", "linked"})
PARAMETER_FLAGS = frozenset({"constant", "shared", "constant over dt", "matrix"})
FORMULA_FLAGS = frozenset({"shared", "constant over dt"})


def flag_mistakes(statement: nodes.Statement, role: Role) -> Iterator[FlagNotAllowed]:
    """The flags of a statement that do not fit what its name is."""
    for flag in getattr(statement, "flags", ()):
        allowed, what = allowed_flags(statement, role)
        if flag.text not in allowed and flag.text in FLAGS:
            yield FlagNotAllowed(flag.span, flag.text, what, ADVICE.get(flag.text) or advice(flag.text, statement, role))


def allowed_flags(statement: nodes.Statement, role: Role) -> tuple[frozenset[str], str]:
    if isinstance(statement, nodes.Differential):
        return EQUATION_FLAGS, "a differential equation"
    if isinstance(statement, nodes.Declaration):
        return DECLARATION_FLAGS, "a parameter"
    if role in (Role.PARAMETER, Role.STATE):
        return PARAMETER_FLAGS, "a parameter with a default"
    return FORMULA_FLAGS, role.value


def advice(flag: str, statement: nodes.Statement, role: Role) -> str | None:
    if flag == "unless refractory":
        return "it belongs at the end of a differential equation"
    if flag == "shared" and isinstance(statement, nodes.Differential):
        return "an equation is solved for each neuron; a shared value can be a parameter, or `mean(x)` of the neurons"
    if flag == "constant" and role in (Role.DERIVED, Role.INPUT):
        return "its formula changes during a run; `(constant over dt)` evaluates it once a step"
    if flag == "required" and isinstance(statement, nodes.Definition):
        return f"it has a value already; to ask for one, write `{statement.name.id} : unit (required)`"
    return None
