"""Model: a checked text, as people hold it in their hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

from ..backends.kernel import Operation, symbols_of
from ..grammar.source import Source
from ..grammar.spelling import as_written
from .checked import CheckedModel, Variable
from .declaration import declaration_of
from .errors import NoSuchName, UsageError
from .given import is_plain
from .html import table
from .near_names import near_names
from .reading import Keywords, extended, read
from .shelf import Shelf

if TYPE_CHECKING:
    from ..grammar.nodes import ModelDeclaration, Statement
    from .explanation import Explanation
    from .keywords import EventText
    from .lint import Findings
    from .surrogates import Surrogate

SHELF = Shelf()  # of the default registry
NAMELESS = "model"  # what a bare text goes by when nobody names it
RESERVED = frozenset(("and", "or", "not", "if", "else", "True", "False"))


@dataclass(frozen=True)
class Entry:
    """What a model says of one of its names, as text to show. `default` is empty where there is none."""

    name: str
    unit: str
    default: str
    description: str

    def __str__(self) -> str:
        value = f" = {self.default}" if self.default else ""
        comment = f"  # {self.description}" if self.description else ""
        return f"{self.name}{value} : {self.unit}{comment}"


@dataclass(frozen=True)
class EventEntry:
    """What a model says of one of its events: the condition, and the statements that follow it."""

    name: str
    condition: str
    block: tuple[str, ...]
    description: str

    def __str__(self) -> str:
        return f"{self.name} when {self.condition}{': ' if self.block else ''}{'; '.join(self.block)}"


E = TypeVar("E")
V = TypeVar("V")


class Entries(Mapping[str, E], Generic[E]):
    """The names of one sort (states, parameters, ...) in the order of the text; read-only."""

    def __init__(self, entries: Mapping[str, E]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> E:
        if name not in self._entries:
            near = near_names(str(name), self._entries)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise NoSuchName(f"{name!r} is not among them{hint} (known: {', '.join(self._entries) or 'none'})")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return "\n".join(map(str, self._entries.values())) or "none"


class Model:
    """A neuron model, from a text in the language (see docs/language.md).

    `text`: a bare list of statements, which goes by `name`, or one or more named models, of which `name` chooses one. `threshold`, `reset`,
    `refractory`, `events` and `method` say what the statements of these names say, in Brian2's keyword form; `parameters` gives values to
    names that the text uses and does not define.

    Raises ModelError, which holds all mistakes of the text, and UsageError for a mistake in the call.
    """

    checked: CheckedModel
    bound: Mapping[str, object]

    def __init__(
        self,
        text: str,
        name: str | None = None,
        threshold: str | None = None,
        reset: str | None = None,
        refractory: object = None,
        events: Mapping[str, EventText] | None = None,
        method: str | None = None,
        parameters: Mapping[str, object] | None = None,
        **others: Never,
    ) -> None:
        for argument in others:
            raise UsageError(_no_argument(argument))
        _text(text, "text")
        for argument, said_so in (("threshold", threshold), ("reset", reset), ("method", method)):
            _text("" if said_so is None else said_so, argument)
        given = {argument: _from_brian2(value) for argument, value in _mapping(parameters, "parameters").items()}
        said = Keywords(threshold, reset, _duration(refractory), _events(events), method, given)
        self.checked = read(Source(text, NAMELESS if name is None else identifier(name)), name, SHELF.declaration, said)
        used = {variable.name for variable in (*self.checked.parameters, *self.checked.externals)}
        self.bound = MappingProxyType({name: value for name, value in given.items() if name in used and not is_plain(value)})

    @classmethod
    def of(cls, checked: CheckedModel, bound: Mapping[str, object] | None = None) -> Model:
        """The model of what has been checked already."""
        model = cls.__new__(cls)
        model.checked, model.bound = checked, MappingProxyType(dict(bound or {}))
        return model

    @property
    def name(self) -> str:
        """What the model is called, in its text or by `name=`."""
        return self.checked.name

    @property
    def description(self) -> str:
        """The text below the header: a line that says what the model is, more about it, and a reference."""
        return self.checked.description

    @cached_property
    def states(self) -> Entries[Entry]:
        """What changes in a run, with initial values as defaults."""
        return self._entries(self.checked.states)

    @cached_property
    def parameters(self) -> Entries[Entry]:
        """What may be set, and driven, by those who run the model; with their defaults, empty where there is none."""
        return self._entries(self.checked.parameters)

    @cached_property
    def derived(self) -> Entries[Entry]:
        """Quantities that are evaluated where they are used, with their formulas as defaults."""
        return self._entries(self.checked.derived)

    @cached_property
    def inputs(self) -> Entries[Entry]:
        """Quantities that depend on time and on no state; and functions of time that are given from outside."""
        return self._entries((*self.checked.inputs, *self.checked.externals))

    @cached_property
    def output(self) -> Entry | None:
        """The signal that the neuron sends on, with its formula as default; None where that is its spikes."""
        from ..grammar import nodes
        from ..grammar.printer import print_expression

        signal = self.checked.output
        said = next((s for s in self._statements if isinstance(s, nodes.Output)), None)
        if signal is None or said is None:
            return None
        return Entry(signal.name, signal.unit.text, print_expression(said.expression), signal.description)

    @cached_property
    def events(self) -> Entries[EventEntry]:
        """What happens when a condition holds: `spike`, and those that the text calls by other names."""
        from ..grammar import nodes
        from ..grammar.printer import print_expression, print_statement

        found = [statement for statement in self._statements if isinstance(statement, nodes.Event)]
        return Entries(
            {
                event.name.id: EventEntry(
                    event.name.id, print_expression(event.condition), tuple(map(print_statement, event.block)), event.comment
                )
                for event in found
            }
        )

    @property
    def surrogate(self) -> Surrogate | None:
        """What stands for the derivative of the spike in learning, as the text says; None where it says nothing."""
        from .surrogates import surrogate

        said = self.checked.surrogate
        return None if said is None else surrogate(said.name, **dict(said.arguments))

    @property
    def text(self) -> str:
        """The model as text, all that it inherits written out; it parses back to an equal model."""
        from ..grammar.printer import print_model

        return print_model(replace(self._declaration, bare=False)) + "\n"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        output = (self.output.default,) if self.output is not None else ()
        sorts = (("states", self.states), ("parameters", self.parameters), ("events", self.events), ("output", output))
        said = "; ".join(f"{sort} {', '.join(names)}" for sort, names in sorts if names)
        return f"<Model {self.name}: {said}>"

    def __eq__(self, other: object) -> bool:
        """Whether two models say the same; the order of their lines, and notes about them, do not count."""
        if not isinstance(other, Model):
            return NotImplemented
        return _content(self.checked) == _content(other.checked) and _same_values(self.bound, other.bound)

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[object, ...]:
        return Model.of, (self.checked, dict(self.bound))

    def extend(self, text: str, name: str | None = None) -> Model:
        """A model that says what this one says, but for the statements of `text`.

        A definition, equation, initial value or event of the same name replaces this model's; `without NAME` drops it. Without a `name` the
        new model is called after this one. Raises ModelError for mistakes in the text.
        """
        called = identifier(name or f"{self.name}_extended")
        _text(text, "extend")
        return Model.of(extended(self.checked, Source(text, called), called), self.bound)

    def explain(
        self, method: str | None = None, dt: object = None, parameters: Mapping[str, object] | None = None
    ) -> Explanation:
        """What a run does with the equations: the scheme and why, the update of each state, what is computed once, what a step costs; and by
        a short run of one neuron the longest stable step, and the error of this one.

        `dt` None is the step that the model recommends, or else 0.1 ms. `parameters` are values for that neuron. Prints well. Raises UsageError
        for a scheme that cannot do the model, for a `dt` that is no time, and for values that do not fit.
        """
        from .explain import explain
        from .run.duration import step_for, time_step
        from .run.trial import attempt, given_structure

        length, given = time_step(step_for(dt, self.checked)), {**self.bound, **_mapping(parameters, "parameters")}
        model, structure = given_structure(self.checked, method, given)
        return explain(model, structure, length, lambda: attempt(self.checked, method, length, given))

    def lint(self, dt: object = None) -> Findings:
        """What is no mistake in the text, and was hardly meant: each finding has a `code`, a `span` in `text`, a `message` and a `help`.

        `dt` is the step that times are held against: by default that which the model recommends, else 0.1 ms. Prints as a report.
        Raises UsageError for a `dt` that is no time.
        """
        from ..grammar.parse import parse
        from .lint import lint
        from .run.duration import time_step

        (declaration,) = parse(Source(self.text, self.name)).module.models
        return lint(self.checked, declaration, None if dt is None else time_step(dt))

    def latex(self) -> str:
        """The equations, derived quantities and events as LaTeX: one `aligned` environment, to stand between dollar signs."""
        from .latex import latex_of

        shown = {variable.name for variable in (*self.checked.derived, *self.checked.inputs)}
        shown |= {p.name for p in self.checked.parameters if isinstance(p.default, Operation) and symbols_of(p.default)}
        return latex_of(self._declaration, shown)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        lines = self.description.splitlines()
        parts = [f"<b>{escape(self.name)}</b>", f"<div>{escape(lines[0])}</div>" if lines else "", f"$${escape(self.latex())}$$"]
        output = {} if self.output is None else {self.output.name: self.output}
        sorts: tuple[tuple[str, Mapping[str, Entry]], ...] = (
            ("state", self.states),
            ("parameter", self.parameters),
            ("input", self.inputs),
            ("output", output),
        )
        for sort, entries in sorts:
            rows = [(e.name, e.default, "" if e.unit == "1" else e.unit, e.description) for e in entries.values()]
            if rows:
                parts.append(table((sort, "starts at" if sort == "state" else "value", "unit", ""), rows))
        return "\n".join(part for part in parts if part)

    @property
    def nameless(self) -> bool:
        """Whether neither the text nor the caller gave the model a name."""
        return self._declaration.bare and self.name == NAMELESS

    @cached_property
    def _declaration(self) -> ModelDeclaration:
        return declaration_of(self.checked)

    @property
    def _statements(self) -> tuple[Statement, ...]:
        return self._declaration.statements

    def _entries(self, variables: tuple[Variable, ...]) -> Entries[Entry]:
        defaults = _defaults(self._statements)
        return Entries({v.name: Entry(v.name, v.unit.text, defaults.get(v.name, ""), v.description) for v in variables})


def identifier(name: object) -> str:
    """A name that a text can give a model. Raises UsageError."""
    if isinstance(name, str) and name.isidentifier() and name not in RESERVED:
        return name
    raise UsageError(f"name: expected letters, digits and `_`, such as 'my_lif', not {name!r}")


_SUCH = {"threshold": "; such as threshold='v > -50*mV'", "reset": "; such as reset='v = -65*mV'"}


def _text(text: object, argument: str) -> None:
    """Raise UsageError for what is no text of equations."""
    if not isinstance(text, str):
        raise UsageError(
            f"{argument}: expected {'the text of a model' if argument == 'text' else 'a text'}, not {text!r}{_SUCH.get(argument, '')}"
        )
    if text.strip().endswith(".dvdt") and not any(mark in text for mark in "=:#\n"):
        raise UsageError(f"{argument}: expected a text of equations; the models of a file are dvdt.load({text.strip()!r})")


def _mapping(given: Mapping[str, V] | None, argument: str) -> dict[str, V]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"{argument}: expected a mapping from names, not {given!r}")
    return {as_written(name): value for name, value in (given or {}).items()}


def _events(given: Mapping[str, EventText] | None) -> dict[str, EventText]:
    events = _mapping(given, "events")
    for name, said in events.items():
        if not isinstance(said, str) and not (isinstance(said, tuple | list) and len(said) == 2 and isinstance(said[0], str)):
            raise UsageError(f"events[{name!r}]: expected a condition, or a condition and its statements, not {said!r}")
    return events


# arguments of Brian2's NeuronGroup, and where they go here
_ELSEWHERE = {
    "namespace": "values of names go to parameters={...}",
    "model": "the text comes first, Model(text, ...)",
    "N": "the number of neurons is one of a run: simulate(model, '1 s', n=100)",
    "n": "the number of neurons is one of a run: simulate(model, '1 s', n=100)",
    "dt": "the step is one of a run: simulate(model, '1 s', dt='0.1 ms'), or `dt 0.1 ms` in the text",
}


def _no_argument(argument: str) -> str:
    """What to say of an argument that Model does not have."""
    known = ("name", "threshold", "reset", "refractory", "events", "method", "parameters")
    near = near_names(argument, known)
    hint = _ELSEWHERE.get(argument) or (f"did you mean {near[0]}?" if near else f"it takes a text and {', '.join(known)}")
    return f"Model: there is no argument {argument!r}; {hint}"


def _from_brian2(value: object) -> object:
    """A value, or the series that a TimedArray of Brian2 is."""
    if type(value).__name__ != "TimedArray":
        return value
    from .run.inputs.timed_array import series_of

    return series_of(value) or value


def _duration(refractory: object) -> str | None:
    """What `refractory=` says as text: a duration may also be a quantity object, and Brian2's False is none."""
    if refractory is None or refractory is False:
        return None
    if isinstance(refractory, str):
        return refractory
    from .run.duration import time_in_ms

    return f"{time_in_ms(refractory, 'refractory')!r} ms"


def _content(checked: CheckedModel) -> CheckedModel:
    """A model without what does not count when two are compared."""
    sorts = ("states", "parameters", "derived", "inputs", "externals", "events")
    by_name: dict[str, Any] = {sort: tuple(sorted(getattr(checked, sort), key=lambda each: each.name)) for sort in sorts}
    return replace(checked, notes=(), **by_name)


def _same_values(mine: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return mine.keys() == other.keys() and all(mine[name] is other[name] or _equal(mine[name], other[name]) for name in mine)


def _equal(mine: object, other: object) -> bool:
    import numpy as np

    return type(mine) is type(other) and np.array_equal(np.asarray(mine), np.asarray(other))


def _defaults(statements: tuple[Statement, ...]) -> dict[str, str]:
    """The formula of every definition, and for a state its initial value, as text."""
    from ..grammar import nodes
    from ..grammar.printer import print_expression

    definitions = {s.name.id: print_expression(s.expression) for s in statements if isinstance(s, nodes.Definition)}
    return definitions | {s.name.id: print_expression(s.expression) for s in statements if isinstance(s, nodes.Initial)}
