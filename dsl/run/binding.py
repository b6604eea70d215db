"""Binding: the sources of all names of a model in one run, the structure they amount to, and their numbers, a block of neurons at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ...backends.kernel import Expr, FunctionPlace, Symbol
from ..checked import CheckedModel, External, Input, Parameter, State, Variable
from ..circles import circles
from ..errors import UsageError
from ..extent import LONGEST, MOST_LEVELS, Extent, extent
from ..near_names import near_names
from ..substitute import definitions, expressions_of, operations_of, substitute, symbols_of
from .inputs.sender import as_input
from .values import (
    Called,
    Drawn,
    Fluctuating,
    Formula,
    PerNeuron,
    Sampled,
    Source,
    Stored,
    Table,
    Target,
    TimeFunction,
    Uniform,
    has_draws,
    source_of,
)


@dataclass(frozen=True)
class Binding:
    """What `parameters` and `state` mean for a model and a size.

    `model`: inputs that were set are parameters in it. `sources` holds every parameter, and the externals and states that were set; `unset`
    are parameters without a default that were not.
    """

    model: CheckedModel
    n: int
    sources: Mapping[str, Source]
    unset: tuple[str, ...]

    @cached_property
    def shapes(self) -> Mapping[str, str]:
        """The shape of every parameter and external (see Structure)."""
        return {variable.name: self._shapes[variable.name] for variable in (*self.model.parameters, *self.model.externals)}

    @cached_property
    def functions(self) -> tuple[tuple[str, Expr], ...]:
        """What is driven by an expression of time, also by following what is driven, written out down to series and constants."""
        expressions = self.expressions
        driven = [name for name in _in_order(expressions) if self._shapes.get(name) == "function"]
        extents: dict[str, tuple[tuple[str, ...], Extent]] = {}
        written: dict[str, Expr] = {}
        for name in driven:
            extents[name] = (), extent(expressions[name], extents)
            if extents[name][1].too_large:
                raise UsageError(
                    f"parameters: {name} follows what varies in time, and has more than {LONGEST} terms or {MOST_LEVELS} levels when"
                    " everything it uses is written out: give it a series of its own (dvdt.TimedSeries)"
                )
            written[name] = substitute(expressions[name], written)
        return tuple((name, written[name]) for name in self.shapes if name in written)

    @cached_property
    def outside(self) -> tuple[FunctionPlace, ...]:
        """The Python functions that the model calls."""
        return tuple(source.place for source in self.sources.values() if isinstance(source, Called))

    @cached_property
    def expressions(self) -> Mapping[str, Expr]:
        """What is worked out from other names."""
        return {name: s.expression for name, s in self.sources.items() if isinstance(s, Formula | TimeFunction)}

    @cached_property
    def _shapes(self) -> Mapping[str, str]:
        """Of every source, each after those it is worked out from."""
        shapes: dict[str, str] = {}
        for name in (*(name for name in self.sources if name not in self.expressions), *_in_order(self.expressions)):
            shape = self._shape(name, shapes)
            shapes[name] = "scalar" if shape == "array" and "shared" in self.variables[name].flags else shape
        return shapes

    def _shape(self, name: str, shapes: Mapping[str, str]) -> str:
        match self.sources[name]:
            case PerNeuron() | Drawn():
                return "array"
            case Stored():
                return "matrix"
            case Table(_, values):
                return "series" if values.shape[1] == 1 else "columns"
            case Sampled():
                return "series"
            case Fluctuating():
                return "series" if self.n == 1 else "columns"
            case TimeFunction():
                return "function"
            case Called():
                return "call"
            case Formula(expression):
                return _followed(expression, shapes)
        return "scalar"

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        return variables(self.model)

    def with_value(self, name: str, source: Source) -> Binding | None:
        """The same but for the numbers of one parameter; None where its shape, or what depends on what, changes with them."""
        if not isinstance(source, Uniform | PerNeuron) or type(source) is not type(self.sources.get(name)):
            return None
        unset = tuple(each for each in self.unset if each != name) if self.unset else ()
        made = Binding(self.model, self.n, {**self.sources, name: source}, unset)
        made.__dict__.update(
            {kept: getattr(self, kept) for kept in ("shapes", "expressions", "_shapes", "functions", "variables")}
        )
        return made

    def following(self, name: str) -> tuple[str, ...]:
        """A parameter and all whose values are worked out from it."""
        found = {name}
        for follower in _in_order(self.expressions):
            if symbols_of(self.expressions[follower]) & found:
                found.add(follower)
        return (name, *(each for each in self.sources if each in found and each != name))


def _followed(expression: Expr, shapes: Mapping[str, str]) -> str:
    names = symbols_of(expression)
    used = {shapes[name] for name in names if name in shapes}
    if used & {"series", "columns", "function"}:
        if has_draws(expression):
            raise UsageError("parameters: a value that is drawn cannot also follow one that varies in time")
        return "function"
    return "array" if "array" in used or "@i" in names or has_draws(expression) else "scalar"


def _in_order(expressions: Mapping[str, Expr]) -> list[str]:
    """The names, each after those among them that its expression uses."""
    order: list[str] = []
    uses = {name: [used for used in symbols_of(expression) if used in expressions] for name, expression in expressions.items()}
    for _ in circles(uses, order):
        pass  # _acyclic has refused them
    return order


def variables(model: CheckedModel) -> dict[str, Variable]:
    """Every name of a model that has a unit."""
    signal = () if model.signal is None else (model.signal,)
    found = (*model.states, *model.parameters, *model.derived, *model.inputs, *model.externals, *signal)
    return {variable.name: variable for variable in found}


def bind(model: CheckedModel, n: int, parameters: Mapping[str, object], state: Mapping[str, object]) -> Binding:
    """What a person set, checked against the model. Raises UsageError or ModelError, which name the argument."""
    known = variables(model)
    sources: dict[str, Source] = {p.name: Uniform(0.0) if p.default is None else _default(p) for p in model.parameters}
    for name, value in parameters.items():
        sources[name] = source_of(as_input(value), Target(_settable(model, known, name), model, n, f"parameters[{name!r}]"))
        _usable(model, n, known[name], sources[name])
    for name, value in state.items():
        sources[name] = source_of(as_input(value), Target(_state(known, name), model, n, f"state[{name!r}]"))
    _required(model, parameters)
    _acyclic(model, sources, state)
    unset = tuple(p.name for p in model.parameters if p.default is None and p.name not in parameters)
    binding = Binding(_settled(model, parameters), n, sources, unset)
    _shared(binding)
    return binding


def rebound(binding: Binding, name: str, value: object) -> Binding | None:
    """The binding in which a parameter that has a value has another of the same shape; None where everything has to be bound anew."""
    variable = binding.variables.get(name)
    if not isinstance(variable, Parameter) or not isinstance(binding.sources.get(name), Uniform | PerNeuron):
        return None
    source = source_of(as_input(value), Target(variable, binding.model, binding.n, f"parameters[{name!r}]"))
    return binding.with_value(name, source)


def _settled(model: CheckedModel, parameters: Mapping[str, object]) -> CheckedModel:
    """The model in which inputs that were set are parameters."""
    turned = tuple(
        Parameter(v.name, v.unit, v.unit_written, v.kind, v.description, v.flags, default=None)
        for v in model.inputs
        if v.name in parameters
    )
    if not turned:
        return model
    kept = tuple(v for v in model.inputs if v.name not in parameters)
    return replace(model, parameters=(*model.parameters, *turned), inputs=kept)


def _default(parameter: Parameter) -> Source:
    assert parameter.default is not None
    if symbols_of(parameter.default) or has_draws(parameter.default):
        return Formula(parameter.default)
    from ...backends.evaluation import evaluate

    return Uniform(float(evaluate(parameter.default, {})))


def _settable(model: CheckedModel, known: Mapping[str, Variable], name: object) -> Variable:
    variable = known.get(name) if isinstance(name, str) else None
    if isinstance(variable, Parameter | Input | External):
        return variable
    if isinstance(variable, State):
        raise UsageError(
            f"parameters[{name!r}]: {name} is a state of {model.name}; give its initial value in state={{{name!r}: ...}}"
        )
    if variable is not None:
        raise UsageError(
            f"parameters[{name!r}]: {name} is a derived quantity of {model.name}, computed from its states, and cannot be set"
        )
    able = [n for n, v in known.items() if isinstance(v, Parameter | Input | External)]
    raise UsageError(f"parameters: {model.name} has no parameter {name!r}{_near(name, able)}")


def _state(known: Mapping[str, Variable], name: object) -> Variable:
    variable = known.get(name) if isinstance(name, str) else None
    if isinstance(variable, State):
        return variable
    if isinstance(variable, Parameter | Input | External):
        raise UsageError(f"state[{name!r}]: {name} is a parameter; give it in parameters={{{name!r}: ...}}")
    if variable is not None:
        raise UsageError(f"state[{name!r}]: {name} is a derived quantity, computed from the states, and cannot be set")
    raise UsageError(f"state: there is no state {name!r}{_near(name, [n for n, v in known.items() if isinstance(v, State)])}")


def _near(name: object, known: list[str]) -> str:
    near = near_names(str(name), known)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return f"{hint} (known: {', '.join(known) or 'none'})"


def _usable(model: CheckedModel, n: int, variable: Variable, source: Source) -> None:
    """Refuse for a callable of time what is no table, or has other columns than it is called for."""
    if not isinstance(variable, External):
        return
    argument = f"parameters[{variable.name!r}]"
    if isinstance(source, Called):
        return
    if variable.takes:
        called = f"{variable.name}({', '.join(variable.arguments)})"
        raise UsageError(f"{argument}: the model calls {called}: give a Python function of {len(variable.arguments)} argument(s)")
    if not isinstance(source, Table | Sampled | Fluctuating):
        raise UsageError(f"{argument} is called as a function of time: give dvdt.TimedSeries(values, dt) or dvdt.from_csv(...)")
    wide = isinstance(source, Fluctuating) or (isinstance(source, Table) and source.values.shape[1] > 1)
    if variable.arity == 1 and wide:
        called = f"{variable.name}(t)"
        raise UsageError(
            f"{argument}: the model calls {called}, one value for all; give one column, or call {variable.name}(t, i)"
        )
    if isinstance(source, Table) and source.values.shape[1] not in (1, n) and _called_with_index(model, variable.name):
        columns = source.values.shape[1]
        raise UsageError(
            f"{argument}: the model calls {variable.name}(t, i), one column a neuron; there are {columns} columns for {n} neurons"
        )


def _called_with_index(model: CheckedModel, name: str) -> bool:
    """Whether a callable is asked for the column of the neuron itself."""
    calls = (node for expression in expressions_of(model) for node in operations_of(expression) if node.name == "sample")
    return any(node.arguments[0] == Symbol(name) and node.arguments[2:] == (Symbol("@i"),) for node in calls)


def _required(model: CheckedModel, parameters: Mapping[str, object]) -> None:
    missing = [p.name for p in model.parameters if p.name not in parameters and (p.required or "matrix" in p.flags)]
    missing += [e.name for e in model.externals if e.name not in parameters]
    if missing:
        needs = ", ".join(missing)
        raise UsageError(f"parameters: {model.name} needs a value for {needs}: parameters={{{missing[0]!r}: ...}}")


def _shared(binding: Binding) -> None:
    """Refuse for what is flagged (shared) a formula over what has one value a neuron."""
    several = {name for name, shape in binding.shapes.items() if shape in ("array", "columns")} | {"@i"}
    written_out = definitions(binding.model)
    formulas = {v.name: written_out.get(v.name, v.expression) for v in binding.model.formulas}
    formulas |= {name: s.expression for name, s in binding.sources.items() if isinstance(s, Formula | TimeFunction)}
    for name, expression in formulas.items():
        found = sorted(symbols_of(expression) & several) if "shared" in binding.variables[name].flags else ()
        if found:
            read = "the index of the neuron" if found[0] == "@i" else f"{found[0]}, which has one value a neuron here"
            raise UsageError(
                f"parameters: {name} is flagged (shared) in the model, one value for the population, and follows {read};"
                " give one value, or take the flag away"
            )


def _acyclic(model: CheckedModel, sources: Mapping[str, Source], state: Mapping[str, object]) -> None:
    """Refuse values that are defined by each other."""
    expressions = {s.name: s.initial for s in model.states if s.name not in sources}
    expressions |= {name: source.expression for name, source in sources.items() if isinstance(source, Formula | TimeFunction)}
    uses = {name: [used for used in sorted(symbols_of(e)) if used in expressions] for name, e in expressions.items()}
    for ring in circles(uses, []):
        name = ring[0]
        where = f"{'state' if name in state else 'parameters'}[{name!r}]"
        raise UsageError(f"{where}: its value depends on itself: {' -> '.join((*ring, name))}")
