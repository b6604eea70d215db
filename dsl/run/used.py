"""Which names of a model a run uses, and which can be recorded."""

from __future__ import annotations

from collections.abc import Iterable

from ..checked import OUTPUT, CheckedModel
from ..errors import UsageError
from ..near_names import near_names
from ..substitute import expressions_of, symbols_of
from .binding import Binding
from .values import Formula, TimeFunction


def _holds_noise(model: CheckedModel, name: str) -> bool:
    """Whether the text defines a name with white noise in it; such a definition stands in the equations alone."""
    from ..declaration import declaration_of
    from ..inheritance import inherited
    from ..outline import outline_of
    from ..roles import Roles
    from ..scope import Role

    outline = outline_of(inherited(declaration_of(model), lambda base: None)[0])
    return name == "xi" or name.startswith("xi_") or (name in outline.definitions and Roles(outline).role(name) is Role.NOISE)


def recordable(model: CheckedModel, names: Iterable[str]) -> None:
    """Refuse to record what is no state, parameter, derived quantity, input or output of the model."""
    known = [v.name for v in (*model.states, *model.parameters, *model.derived, *model.inputs) if "matrix" not in v.flags]
    known += [OUTPUT] if model.signal is not None else []
    for name in names:
        if name not in known:
            if _holds_noise(model, name):
                raise UsageError(
                    f"record: {name} holds white noise, which has no value at a moment, only an effect over a step: record the state"
                    f" that it drives, or draw it once a step: `{name} = ... randn() ... (constant over dt)`"
                )
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
