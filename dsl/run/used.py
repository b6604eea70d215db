"""Which names of a model a run uses, and which can be recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...backends.kernel import Expr
from ..checked import CheckedModel
from ..errors import UsageError
from ..near_names import near_names
from ..substitute import symbols_of
from .binding import Binding
from .values import Formula, TimeFunction


def recordable(model: CheckedModel, names: Iterable[str]) -> None:
    """Refuse to record what is no state, parameter, derived quantity or input of the model."""
    known = [v.name for v in (*model.states, *model.parameters, *model.derived, *model.inputs) if "matrix" not in v.flags]
    for name in names:
        if name not in known:
            near = near_names(name, known)
            hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
            raise UsageError(f"record: {model.name} has no {name!r} to record{hint} (known: {', '.join(known)})")


def unset_and_used(binding: Binding) -> tuple[str, ...]:
    """Parameters without a default that nobody set and that the model reads."""
    if not binding.unset:
        return ()
    used = {name for expression in _expressions(binding.model) for name in symbols_of(expression)}
    for source in binding.sources.values():
        if isinstance(source, Formula | TimeFunction):
            used |= symbols_of(source.expression)
    return tuple(name for name in binding.unset if name in used)


def _expressions(model: CheckedModel) -> Iterator[Expr]:
    for state in model.states:
        yield state.initial
        if state.derivative is not None:
            yield state.derivative
    yield from (derived.expression for derived in model.derived)
    yield from (given.expression for given in model.inputs)
    for event in model.events:
        yield event.condition
        yield from (a.expression for a in event.block)
    yield from (a.expression for a in (*model.each_step, *model.each_step_after_reset))
    if model.refractory is not None:
        yield model.refractory.expression
    if model.output is not None:
        yield model.output
