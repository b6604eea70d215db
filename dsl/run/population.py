"""Population: neurons of one model, with their parameters and initial state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from ...grammar.spelling import as_written
from ..checked import CheckedModel
from ..errors import ModelError, UsageError
from ..html import table
from .binding import Binding, bind
from .settings import whole_number
from .short import short


@dataclass(frozen=True, init=False, eq=False)
class Population:
    """`n` neurons of a model.

    `model`: a Model, the name of one, or a text. `parameters` and `state` set values by name: a text with its unit ("500 pA"), a bare number or
    an array of `n` in the unit that the model writes, a quantity object of pint, quantities, astropy or Brian2, an expression of the
    model's names ("-70 mV + 10 mV*rand()"), a distribution (`dvdt.normal`, `dvdt.uniform`), and for parameters an input that
    varies in time (`dvdt.TimedSeries`, `dvdt.function`, `dvdt.from_csv`, `dvdt.step`, `dvdt.ramp`, `dvdt.noise`).

    Raises ModelError for mistakes in the text, UsageError for values that do not fit.
    """

    model: CheckedModel
    n: int
    parameters: Mapping[str, object]
    state: Mapping[str, object]
    binding: Binding = field(repr=False)

    def __init__(
        self, model: object, n: int = 1, parameters: Mapping[str, object] | None = None, state: Mapping[str, object] | None = None
    ) -> None:
        given, initial = _mapping(parameters, "parameters"), _mapping(state, "state")
        checked, bound = checked_model(model, given)
        given = {**bound, **given}
        size = whole_number(n, "n")
        for name, value in {
            "model": checked,
            "n": size,
            "parameters": given,
            "state": initial,
            "binding": bind(checked, size, given, initial),
        }.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        set_ = "".join(f", {name} = {value}" for name, value in self._told())
        return f"Population({self.model.name!r}, {self.n}{set_})"

    def _repr_html_(self) -> str:
        title = f"<b>{escape(self.model.name)}</b>, {self.n} neuron{'s' if self.n > 1 else ''}"
        return f"<div>{title}</div>{table((), self._told()) if self._told() else ''}"

    def _told(self) -> list[tuple[str, str]]:
        """What was set, in the order in which it was given."""
        given = [(name, name, value) for name, value in self.parameters.items()]
        given += [(name, f"{name}(0)", value) for name, value in self.state.items()]
        return [(title, short(value, self.binding.variables[name].unit.text)) for name, title, value in given]


def population(
    what: object,
    n: int | None,
    parameters: Mapping[str, object] | None,
    state: Mapping[str, object] | None,
    argument: str = "the first argument",
) -> Population:
    """`what` as a population: one that exists already, or a model with `n`, `parameters` and `state`."""
    if not isinstance(what, Population):
        return Population(what, 1 if n is None else n, parameters, state)
    doubled = [name for name, value in (("n", n), ("parameters", parameters), ("state", state)) if value is not None]
    if doubled:
        raise UsageError(f"{doubled[0]}: {argument} is a Population already; give {', '.join(doubled)} to Population(...)")
    return what


def checked_model(what: object, parameters: Mapping[str, object]) -> tuple[CheckedModel, Mapping[str, object]]:
    """The checked model of a Model, of a name, or of a text (whose undefined names may stand in `parameters`), and values that it brings."""
    if isinstance(what, CheckedModel):
        return what, {}
    if isinstance(what, str):
        what = _of_text(what, parameters) if _is_text(what) else _of_name(what)
    checked = getattr(what, "checked", None)
    if not isinstance(checked, CheckedModel):
        raise UsageError(f"expected a Population, a Model, the name of a model or a text of equations, not {what!r}")
    if not any((checked.states, checked.parameters, checked.derived, checked.inputs, checked.events, checked.signal)):
        raise UsageError(f"{checked.name} has no equation and no definition: there is nothing to run")
    return checked, getattr(what, "bound", {})


def _is_text(what: str) -> bool:
    """A name has no equation in it."""
    return any(mark in what for mark in "=:\n")


def _of_text(text: str, parameters: Mapping[str, object]) -> object:
    """The model of a text. Names that it uses and does not define may be among the parameters, as in Brian2's strings."""
    from ..model import Model
    from ..outside import is_function

    functions = {name: f for name, f in parameters.items() if is_function(f) and re.search(rf"\b{re.escape(name)}\s*\(", text)}
    try:
        return Model(text, parameters=functions)
    except ModelError as error:
        marked = {mistake.span.text for mistake in error.mistakes}
        undefined = {name: value for name, value in parameters.items() if name in marked and name not in functions}
        if not undefined:
            raise
    return Model(text, parameters={**undefined, **functions})


def _of_name(name: str) -> object:
    from ..registry import model

    return model(name)


def _mapping(given: object, argument: str) -> Mapping[str, object]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(f"{argument}: expected a mapping from names to values, not {given!r}")
    return {as_written(name) if isinstance(name, str) else name: value for name, value in given.items()}
