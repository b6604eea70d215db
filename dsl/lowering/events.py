"""Blocks of assignments, events and what a spike leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..checked import Assignment, Event
from ..substitute import operations_of, substitute, symbols_of
from .draft import Draft
from .names import LAST, LAST_STEP, REFRACTORY, SINCE, SPIKED, ZEROS, converted, kept_kind
from .places import remember
from .reading import read, read_smooth
from .refractoriness import is_compared, is_refractory, steps_left, steps_since


def block(draft: Draft, statements: tuple[Assignment, ...], flag: Symbol | None = None) -> None:
    """Assignments in order; with a flag (a reset) only for the neurons where it holds."""
    asked = {_asked(node) for s in statements for node in operations_of(s.expression) if node.name == "old"}
    draft.entry = {name: draft.settled(value) for name, value in draft.now.items() if name in asked}
    outside = dict(draft.now)
    for statement in statements:
        value = read_smooth(draft, statement.expression)
        if flag is not None and not statement.local:
            value = converted(value, draft.kind(value), statement.kind)
            value = Operation("where", (flag, value, draft.now[statement.target]))
        draft.now[statement.target] = draft.assign(statement.target, statement.kind, value)
    for statement in statements:
        if statement.local:
            draft.now.pop(statement.target, None)
            if statement.target in outside:
                draft.now[statement.target] = outside[statement.target]
    draft.entry = {}


def _asked(old: Operation) -> str:
    symbol = old.arguments[0]
    assert isinstance(symbol, Symbol)
    return symbol.name


def events(draft: Draft, numbers: Sequence[int]) -> None:
    """All conditions are tested on the new values; then each event runs its block, in the order written."""
    chosen = [draft.model.events[number] for number in numbers]
    flags = [_flag(draft, number, event) for number, event in zip(numbers, chosen, strict=True)]
    _begin_crossings(draft, chosen)
    for event, flag in zip(chosen, flags, strict=True):
        if event.name == "spike":
            _note_spike(draft, flag)
        block(draft, event.block, flag)
        if event.name == "spike":
            _become_refractory(draft, flag)


def _flag(draft: Draft, number: int, event: Event) -> Symbol:
    condition = read_smooth(draft, event.condition)
    if event.name == "spike" and draft.model.refractory is not None:
        condition = Operation("and", (condition, Operation("not", (is_refractory(draft),))))
    flag = draft.assign(f"@event{number}", Kind.BOOLEAN, condition)
    draft.emit(number, flag)
    return flag


def _begin_crossings(draft: Draft, chosen: Sequence[Event]) -> None:
    """The test of each crossing on the initial state."""
    tests = [node for event in chosen for node in operations_of(event.condition) if node.name == "crosses"]
    for (name, _), test in zip(draft.crossings, tests, strict=False):
        draft.initial.append((name, above_at_start(draft, *test.arguments)))


def above_at_start(draft: Draft, left: Expr, right: Expr) -> Expr:
    """Whether the left side of a crossing is above the right one on the initial state."""
    return substitute(Operation("greater", (left, right)), draft.initial_values())


def _note_spike(draft: Draft, flag: Symbol) -> None:
    if LAST_STEP in draft.now or is_read(draft, LAST):
        remember(draft, LAST)
        number = Symbol("@step") if draft.brian2 else Operation("add", (Symbol("@step"), Constant(1)))
        last = Operation("where", (flag, number, draft.now[LAST_STEP]))
        draft.now[LAST_STEP] = draft.assign(LAST_STEP, Kind.INTEGER, last)
    if SPIKED in draft.now or is_read(draft, SPIKED):
        remember(draft, SPIKED)
        draft.now[SPIKED] = flag


def is_read(draft: Draft, name: str) -> bool:
    """Whether a block, an output or a recorded quantity reads one of the names that a spike sets."""
    model = draft.model
    expressions = [s.expression for e in model.events for s in e.block]
    expressions += [s.expression for s in (*model.each_step, *model.each_step_after_reset)]
    expressions += [draft.written_out[r] for r in draft.structure.recorded if r in draft.written_out]
    expressions += [model.output.expression] if model.output is not None else []
    expressions += [model.refractory.expression] if model.refractory is not None else []
    return any(name in symbols_of(substitute(expression, draft.written_out)) for expression in expressions)


def _become_refractory(draft: Draft, flag: Symbol) -> None:
    refractory = draft.model.refractory
    if refractory is None:
        return
    if is_compared(draft):
        draft.now[SINCE] = draft.assign(SINCE, Kind.REAL, steps_since(flag))
    if refractory.condition or is_compared(draft):
        draft.now[REFRACTORY] = draft.assign(REFRACTORY, Kind.BOOLEAN, Operation("or", (flag, is_refractory(draft))))
        return
    left = steps_left(draft, flag, read(draft, refractory.expression))
    draft.now[REFRACTORY] = draft.assign(REFRACTORY, Kind.REAL, left)


def output(draft: Draft) -> None:
    """The signal that a neuron sends on, evaluated last in the step."""
    if draft.model.output is None:
        return
    value = read_smooth(draft, draft.model.output.expression)
    kind = kept_kind(draft.kind(value))
    symbol = draft.assign("@output", kind, value)
    draft.state("@output", kind, ZEROS[kind])
    draft.now["@output"] = symbol
