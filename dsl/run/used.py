"""Which names of a model a run uses, and which can be recorded."""

from __future__ import annotations

from collections.abc import Iterable

from ..checked import OUTPUT, CheckedModel
from ..errors import UsageError
from ..near_names import near_names
from ..substitute import expressions_of, symbols_of
from .binding import Binding
from .values import Formula, TimeFunction


def recordable(model: CheckedModel, names: Iterable[str]) -> None:
    """Refuse to record what is no state, parameter, derived quantity, input or output of the model."""
    known = [v.name for v in (*model.states, *model.parameters, *model.derived, *model.inputs) if "matrix" not in v.flags]
    known += [OUTPUT] if model.signal is not None else []
    for name in names:
        if name not in known:
            near = near_names(name, known)
            hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
            raise UsageError(f"record: {model.name} has no {name!r} to record{hint} (known: {', '.join(known)})")


def unset_and_used(binding: Binding) -> tuple[str, ...]:
    """Parameters without a default that nobody set and that the model reads."""
    if not binding.unset:
        return ()
    used = {name for expression in expressions_of(binding.model) for name in symbols_of(expression)}
    for source in binding.sources.values():
        if isinstance(source, Formula | TimeFunction):
            used |= symbols_of(source.expression)
    return tuple(name for name in binding.unset if name in used)
