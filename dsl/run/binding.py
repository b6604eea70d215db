"""Binding: the sources of all names of a model in one run, the structure they amount to, and their numbers, a block of neurons at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ...backends.kernel import Expr, FunctionPlace, Symbol
from ..checked import CheckedModel, External, Input, Parameter, State, Variable
from ..errors import UsageError
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
        return {variable.name: self.shape(variable.name) for variable in (*self.model.parameters, *self.model.externals)}

    @cached_property
    def functions(self) -> tuple[tuple[str, Expr], ...]:
        """What is driven by an expression of time, also by following what is driven, written out down to series and constants."""
        return tuple((name, self._written_out(name)) for name, shape in self.shapes.items() if shape == "function")

    @cached_property
    def outside(self) -> tuple[FunctionPlace, ...]:
        """The Python functions that the model calls."""
        return tuple(source.place for source in self.sources.values() if isinstance(source, Called))

    def shape(self, name: str) -> str:
        shape = self._shape(name)
        return "scalar" if shape == "array" and "shared" in self.variables[name].flags else shape

    def _shape(self, name: str) -> str:
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
                return self._followed(expression)
        return "scalar"

    def _followed(self, expression: Expr) -> str:
        names = symbols_of(expression)
        shapes = {self.shape(name) for name in names if name in self.sources}
        if shapes & {"series", "columns", "function"}:
            if has_draws(expression):
                raise UsageError("parameters: a value that is drawn cannot also follow one that varies in time")
            return "function"
        return "array" if "array" in shapes or "@i" in names or has_draws(expression) else "scalar"

    def _written_out(self, name: str) -> Expr:
        source = self.sources[name]
        assert isinstance(source, Formula | TimeFunction)
        used = [used for used in symbols_of(source.expression) if used in self.sources and self.shape(used) == "function"]
        return substitute(source.expression, {used: self._written_out(used) for used in used})

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        return variables(self.model)

    def with_value(self, name: str, source: Source) -> Binding | None:
        """The same but for the numbers of one parameter; None where its shape, or what depends on what, changes with them."""
        if not isinstance(source, Uniform | PerNeuron) or type(source) is not type(self.sources.get(name)):
            return None
        unset = tuple(each for each in self.unset if each != name) if self.unset else ()
        made = Binding(self.model, self.n, {**self.sources, name: source}, unset)
        made.__dict__.update({kept: getattr(self, kept) for kept in ("shapes", "functions", "variables")})
        return made

    def following(self, name: str) -> tuple[str, ...]:
        """A parameter and all whose values are worked out from it."""
        found = [name]
        for follower, source in self.sources.items():
            uses = symbols_of(source.expression) if isinstance(source, Formula | TimeFunction) else frozenset()
            if uses & {name} and follower not in found:
                found += [each for each in self.following(follower) if each not in found]
        return tuple(found)


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
    from ...backends.reference import evaluate

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
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            ring = " -> ".join((*path[path.index(name) :], name))
            raise UsageError(f"{'state' if name in state else 'parameters'}[{name!r}]: its value depends on itself: {ring}")
        if name in expressions and name not in done:
            for used in sorted(symbols_of(expressions[name])):
                visit(used, (*path, name))
        done.add(name)

    for name in expressions:
        visit(name, ())
