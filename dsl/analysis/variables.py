"""The variables of the checked model."""

from __future__ import annotations

from ...backends.kernel import Constant, Kind
from ...grammar import nodes
from .. import checked
from ..dimensions import Solution
from ..formulas import substituted
from ..roles import has_flag
from ..scope import Entry, Value, real
from ..units import BOOLEAN_UNIT, DIMENSIONLESS, INTEGER_UNIT, Unit, usual_unit
from .subject import Analysis


def unit_shown(a: Analysis, entry: Entry, solution: Solution) -> tuple[Unit, bool]:
    if entry.name in a.written:
        return a.written_unit(entry.name), True
    if entry.kind is not Kind.REAL:
        return (INTEGER_UNIT if entry.kind is Kind.INTEGER else BOOLEAN_UNIT), True
    dimension = solution.dimension(entry.form)
    borrowed = borrowed_unit(a, entry.name)
    if borrowed is not None and borrowed.dimension == dimension:
        return borrowed, True
    unit = usual_unit(dimension) if dimension is not None else DIMENSIONLESS
    return unit, unit.dimension.is_one


def borrowed_unit(a: Analysis, name: str) -> Unit | None:
    """The unit of the name that a name begins as: `v(0) = E_L` counts v in the unit that is written for E_L."""
    seen = {name}
    while name not in a.written:
        statement = a.outline.initials.get(name) or a.outline.definitions.get(name)
        if statement is None or not isinstance(statement.expression, nodes.Name) or statement.expression.id in seen:
            return None
        name = statement.expression.id
        seen.add(name)
    return a.written_unit(name)


def common_fields(a: Analysis, name: str, solution: Solution) -> dict[str, object]:
    """The fields that every variable has."""
    entry = a.scope.entries[name]
    unit, written = unit_shown(a, entry, solution)
    comments = [statement.comment for statement in a.statements_of(name) if statement.comment]
    return {
        "name": name,
        "unit": unit,
        "unit_written": written,
        "kind": entry.kind,
        "description": comments[0] if comments else "",
        "flags": entry.flags,
    }


def state_of(a: Analysis, name: str, solution: Solution, held: frozenset[str]) -> checked.State:
    kind = a.scope.entries[name].kind
    zero = Constant({Kind.REAL: 0.0, Kind.INTEGER: 0, Kind.BOOLEAN: False}[kind])
    initial = substituted(a.initials.get(name) or a.values.get(name) or zero, a.written_out)
    return checked.State(
        **common_fields(a, name, solution),  # type: ignore[arg-type]
        initial=initial,
        derivative=a.derivatives.get(name),
        held=name in held,
    )


def parameter_of(a: Analysis, name: str, solution: Solution) -> checked.Parameter:
    fields = common_fields(a, name, solution)
    if name in a.scope.exponents:
        fields["flags"] = a.scope.entries[name].flags | {checked.EXPONENT}
    return checked.Parameter(**fields, default=a.values.get(name))  # type: ignore[arg-type]


def derived_of(a: Analysis, name: str, solution: Solution) -> checked.Derived:
    once = has_flag(a.outline.definitions[name], "constant over dt")
    return checked.Derived(**common_fields(a, name, solution), expression=a.values[name], once_a_step=once)  # type: ignore[arg-type]


def output_of(a: Analysis, value: Value | None, solution: Solution) -> checked.Derived | None:
    """The signal that a neuron sends on, in the unit of the name that it repeats, or in the usual one of its dimension."""
    statement = a.outline.one(nodes.Output)
    if value is None or statement is None:
        return None
    kind = Kind.REAL if value.literal is not None else value.kind
    repeated = statement.expression.id if isinstance(statement.expression, nodes.Name) else ""
    dimension = solution.dimension(value.form)
    unit = DIMENSIONLESS if dimension is None else usual_unit(dimension)
    unit = unit_shown(a, a.scope.entries[repeated], solution)[0] if repeated in a.scope.entries else unit
    unit = {Kind.INTEGER: INTEGER_UNIT, Kind.BOOLEAN: BOOLEAN_UNIT}.get(kind, unit)
    expression = real(value) if kind is Kind.REAL else value.expression
    written = repeated in a.written or unit.dimension.is_one
    return checked.Derived(checked.OUTPUT, unit, written, kind, statement.comment, frozenset(), expression, once_a_step=False)


def input_of(a: Analysis, name: str, solution: Solution) -> checked.Input:
    once = has_flag(a.outline.definitions[name], "constant over dt")
    return checked.Input(**common_fields(a, name, solution), expression=a.values[name], once_a_step=once)  # type: ignore[arg-type]


def external_of(a: Analysis, name: str, solution: Solution) -> checked.External:
    entry = a.scope.entries[name]
    return checked.External(**common_fields(a, name, solution), arguments=entry.arguments, takes=entry.takes)  # type: ignore[arg-type]
