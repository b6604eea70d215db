"""Whether the spikes of a model can be found between the points of the grid, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..backends.kernel import Expr, Kind, Operation, Symbol
from .checked import CheckedModel, Event
from .discretise import Discretised
from .errors import UsageError
from .structure import Structure
from .substitute import operations_of, symbols_of, transform

_ACROSS = frozenset("total mean largest smallest any count rank one_of matmul".split())
_DRAWS = frozenset("uniform normal exponential poisson".split())
_COMPARED = frozenset("greater greater_equal less less_equal crosses".split())
_JOINED = frozenset("and or not".split())


def refuse_inexact(model: CheckedModel, structure: Structure, discretised: Discretised) -> None:
    """Raise UsageError, with all reasons, where spike_times="exact" cannot be had."""
    reasons = list(dict.fromkeys(_reasons(model, structure, discretised)))
    if reasons:
        raise UsageError(
            f"spike_times: 'exact' is not possible for {model.name}: {'; '.join(reasons)}. spike_times='grid' can be had"
        )


def _reasons(model: CheckedModel, structure: Structure, discretised: Discretised) -> Iterator[str]:
    written = {variable.name: variable.expression for variable in model.formulas} | dict(structure.functions)
    system = discretised.system
    if structure.conventions == "brian2":
        yield 'conventions="brian2" stands for spikes on the grid'
    if system is None:
        yield "it has no differential equation, so nothing happens within a step"
        return
    for name, source in system.noise:
        yield f"d{name}/dt holds the white noise {source.removeprefix('@')}, whose path within a step is not known"
    for state in model.states:
        if state.derivative is not None:
            yield from _across(f"d{state.name}/dt", _whole(state.derivative, written))
    if model.each_step or model.each_step_after_reset:
        yield "it has an `each step` block, which belongs to the grid"
    if model.refractory is not None:
        yield from _across("its refractory period", _whole(model.refractory.expression, written))
        if model.refractory.condition and system.switched:
            yield "a condition ends its refractory period, which is looked at once a step, and some variable stands still in it"
    spikes = [event for event in model.events if event.name == "spike"]
    if not spikes:
        yield "it has no `spike when`; other events stay on the grid"
    for event in spikes:
        yield from _of_condition(model, event, written)


def _whole(expression: Expr, written: Mapping[str, Expr]) -> Expr:
    """The expression over states and parameters alone."""

    def change(node: Expr) -> Expr:
        return _whole(written[node.name], written) if isinstance(node, Symbol) and node.name in written else node

    return transform(expression, change)


def _across(where: str, expression: Expr) -> Iterator[str]:
    for node in operations_of(expression):
        if node.name in _ACROSS:
            yield f"{where} reads {node.name}(...) of all neurons"


def _of_condition(model: CheckedModel, event: Event, written: Mapping[str, Expr]) -> Iterator[str]:
    condition = _whole(event.condition, written)
    where = "the condition of its spike"
    yield from _across(where, condition)
    if any(node.name in _DRAWS for node in operations_of(condition)):
        yield f"{where} draws random numbers"
    if "@spiked" in symbols_of(condition):
        yield f"{where} reads spiked"
    names = symbols_of(condition)
    for state in model.states:
        if state.name in names and state.kind is not Kind.REAL:
            yield f"{where} reads {state.name}, whose values are not continuous"
    moving = {state.name for state in model.states if state.derivative is not None} | {"@t", "@lastspike"}
    if names.isdisjoint(moving):
        yield f"{where} compares nothing that moves within a step"
    for part in _parts(condition):
        if not moving.isdisjoint(symbols_of(part)):
            what = {"equal": "==", "not_equal": "!="}.get(part.name) if isinstance(part, Operation) else None
            yield f"{where} asks {what}, which has no moment" if what else f"{where} is not made of comparisons"


def _parts(condition: Expr) -> Iterator[Expr]:
    """The parts of a condition that are no comparisons."""
    if isinstance(condition, Operation) and condition.name in _JOINED:
        for part in condition.arguments:
            yield from _parts(part)
    elif not (isinstance(condition, Operation) and condition.name in _COMPARED):
        yield condition
