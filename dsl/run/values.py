"""Values: whatever a person gives for a parameter or a state, checked and turned into numbers of the computing system.

`source_of` takes a value to its Source: where the numbers of all neurons come from. Nothing of the size of the population is made here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...backends.kernel import Constant, Expr, FunctionPlace, Kind
from ..checked import EXPONENT, CheckedModel, External, Parameter, State, Variable
from ..errors import ModelError, UsageError
from ..substitute import operations_of, symbols_of
from ..units import Dimension, Unit, describe, shift, to_computing, unit_of
from .quantities import not_read, physical, simply_written, written

# ---- sources -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Uniform:
    """One value for all neurons."""

    value: float


@dataclass(frozen=True, eq=False)
class PerNeuron:
    """One value a neuron."""

    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stored:
    """A matrix of lateral weights, n by n."""

    values: NDArray[np.float64]


@dataclass(frozen=True)
class Formula:
    """An expression of other names, "@i", "@n" and draws. `owner` is the name it was given for; empty for what stands in the model."""

    expression: Expr
    owner: str = ""


@dataclass(frozen=True)
class Drawn:
    """A random value a neuron: "normal" (mean, standard deviation) or "uniform" (low, high)."""

    distribution: str
    first: float
    second: float


@dataclass(frozen=True, eq=False)
class Table:
    """A series: row r holds from r*interval (ms) on. `values` is (T, 1) or (T, N)."""

    interval: float
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sampled:
    """A series that is computed at the starts of the steps: `at(times in ms)` gives (T, 1); constant from `until` (ms) on."""

    at: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    until: float


@dataclass(frozen=True)
class Fluctuating:
    """An Ornstein-Uhlenbeck process a neuron: mean, standard deviation, time constant (ms)."""

    mean: float
    deviation: float
    tau: float


@dataclass(frozen=True, eq=False)
class Called:
    """A Python function that the model calls."""

    function: object
    place: FunctionPlace

    @cached_property
    def interpreted(self) -> Callable[..., object]:
        """The function of NumPy values."""
        from ...backends.outside import interpreted

        return interpreted(self.function, self.place)


@dataclass(frozen=True)
class TimeFunction:
    """A function of time: an expression of "@t" and of parameters."""

    expression: Expr


DRAWS = frozenset({"uniform", "normal", "exponential", "poisson"})

Source = Uniform | PerNeuron | Stored | Formula | Drawn | Table | Sampled | Fluctuating | TimeFunction | Called
DRIVEN = (Table, Sampled, Fluctuating, TimeFunction)


@dataclass(frozen=True)
class Target:
    """What a value is for: the variable of the model, the population's size, and how messages call the argument."""

    variable: Variable
    model: CheckedModel
    n: int
    argument: str

    def called(self, argument: str) -> Target:
        return replace(self, argument=argument)

    @property
    def unit(self) -> str:
        return self.variable.unit.text or "1"


class Input:
    """A value that varies in time. A kind of input is a subclass in a file of `inputs`."""

    def bind(self, target: Target) -> Source:
        """The source that this input is for `target`. Raises UsageError for wrong units and shapes."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Restored:
    """A value that was bound before a checkpoint was written."""

    source: Source

    def __repr__(self) -> str:
        return f"<{type(self.source).__name__.lower()} of a checkpoint>"


class Distribution:
    """A value that is drawn for each neuron."""

    def bind(self, target: Target) -> Source:
        """The source that this distribution is for `target`. Raises UsageError for wrong units."""
        raise NotImplementedError


# ---- from a person to a source -----------------------------------------------------------------


def source_of(value: object, target: Target) -> Source:
    """Where the numbers of `target` come from. Raises UsageError or ModelError, which name the argument."""
    source = _source_of(value, target)
    if EXPONENT in target.variable.flags and not isinstance(value, Restored):
        _kept(source, target)
    return source


def _kept(source: Source, target: Target) -> None:
    """Refuse another value for a parameter on which units hang."""
    parameter = target.variable
    assert isinstance(parameter, Parameter)
    default = parameter.default
    if default is None or source != Uniform(default.value if isinstance(default, Constant) else math.nan):
        raise UsageError(
            f"{target.argument} stands in an exponent of a quantity with a unit, and units were checked with the value in the model."
            f' Write another value there: model.extend("{parameter.name} = 2")'
        )


def _source_of(value: object, target: Target) -> Source:
    if isinstance(value, Restored):
        return value.source
    if isinstance(value, Input):
        return _driven(value, target)
    if isinstance(value, Distribution):
        if target.variable.kind is not Kind.REAL:
            raise UsageError(f"{target.argument} is {_article(target.variable.kind)}; a distribution gives fractions")
        _refuse_per_neuron(target)
        return value.bind(target)
    if isinstance(target.variable, External) and callable(value):
        return called(value, target.variable, target.argument)
    if isinstance(value, str):
        return _text(value, target)
    if callable(value) and physical(value) is None and not hasattr(value, "__array__"):
        raise UsageError(
            f"{target.argument}: {target.variable.name} is no function in the text; for what varies in time give"
            " dvdt.function('...expression of t...') or dvdt.TimedSeries(values, dt), or call a Python function there:"
            f" `{target.variable.name} = f(t)` with `f(t : ms) : {target.unit}`"
        )
    return _numbers(value, target)


def _driven(value: Input, target: Target) -> Source:
    variable = target.variable
    if isinstance(variable, State):
        raise UsageError(f"{target.argument} is a state; an initial value does not vary in time")
    if "constant" in variable.flags:
        raise UsageError(
            f"{target.argument} is flagged (constant) in the model and cannot vary in time; take the flag off to drive it"
        )
    if "matrix" in variable.flags:
        raise UsageError(f"{target.argument} is a matrix and cannot vary in time")
    if variable.kind is not Kind.REAL:
        raise UsageError(f"{target.argument} is {_article(variable.kind)}; only quantities can vary in time")
    source = value.bind(target)
    if isinstance(source, Fluctuating) or (isinstance(source, Table) and source.values.shape[1] > 1):
        _refuse_per_neuron(target)
    return source


def called(value: object, external: External, argument: str) -> Called:
    """A Python function for a callable of the model. Raises UsageError where it does not fit what the text declares."""
    from ...backends.outside import digest
    from ...backends.unusable import Unusable
    from ..outside import check

    check(value, external, argument)
    try:
        return Called(value, FunctionPlace(external.name, digest(value), external.kinds, external.kind))
    except Unusable as reason:
        raise UsageError(f"{argument}: {external.name} {reason}") from None


def _text(text: str, target: Target) -> Source:
    simple = simply_written(text)
    if (
        simple is not None
        and target.variable.kind is Kind.REAL
        and not target.model.plain
        and simple[1] == target.variable.unit.dimension
    ):
        return Uniform(simple[0])
    from ..expressions import expression_in

    try:
        return formula(expression_in(target.model, text, target.argument, target.variable), target)
    except ModelError as error:
        raise UsageError(not_read(text, target.argument, error)) from error


def has_draws(expression: Expr) -> bool:
    """Whether an expression draws random numbers."""
    return any(operation.name in DRAWS for operation in operations_of(expression))


def formula(expression: Expr, target: Target) -> Source:
    """The source for an expression of the model's names: one value where it holds no name at all."""
    from ...backends.evaluation import evaluate

    names = symbols_of(expression)
    if "@t" in names and not isinstance(target.variable, State):
        return TimeFunction(expression)
    if names or has_draws(expression):
        return Formula(expression, target.variable.name)
    value = np.asarray(evaluate(expression, {}), np.float64)
    _check(value, target)
    return Uniform(float(value))


def _numbers(value: object, target: Target) -> Source:
    values = amounts(value, target)
    _check(values, target)
    if "matrix" in target.variable.flags:
        if values.shape != (target.n, target.n):
            raise UsageError(f"{target.argument} is a matrix and needs the shape {(target.n, target.n)}, not {values.shape}")
        return Stored(values)
    if values.ndim == 0:
        return Uniform(float(values))
    if values.shape != (target.n,):
        raise UsageError(f"{target.argument} has shape {values.shape}; expected one value, or {target.n}, one a neuron")
    _refuse_per_neuron(target)
    return PerNeuron(values)


def _refuse_per_neuron(target: Target) -> None:
    if "shared" in target.variable.flags:
        raise UsageError(f"{target.argument} is flagged (shared) in the model: it has one value for the population")


# ---- numbers with units ------------------------------------------------------------------------


def amount(value: object, target: Target) -> float:
    """One number in the computing system: a text with its unit, a quantity object, or a bare number in the unit of the model."""
    values = amounts(value, target)
    if values.ndim:
        raise UsageError(f"{target.argument}: expected one value, not {values.size}")
    _check(values, target)
    return float(values)


def amounts(value: object, target: Target, unit: str | None = None) -> NDArray[np.float64]:
    """Numbers in the computing system, in the shape they were given. `unit` is a text that tells the unit of bare numbers."""
    if isinstance(value, str):
        number, dimension = written(value, target.argument)
        _same_dimension(dimension, target)
        return np.asarray(number, np.float64)
    if unit is not None:
        return np.asarray(shift(_bare(value, target), _decade_of(unit, target)))
    found = physical(value)
    if found is not None:
        _same_dimension(found.dimension, target)
        return found.values
    values = _bare(value, target)
    if np.asarray(value).dtype == np.bool_ and not target.variable.unit.dimension.is_one and not target.model.plain:
        raise UsageError(f"{target.argument}: {_short(value)} is no number; expected {_expected(target)}")
    _unit_is_known(target)
    return values if target.variable.unit.computing_decade == 0 else np.asarray(to_computing(values, target.variable.unit))


def _bare(value: object, target: Target) -> NDArray[np.float64]:
    try:
        values = np.asarray(value)
    except (TypeError, ValueError):
        raise UsageError(f"{target.argument}: {value!r} is no number and no array of one shape") from None
    if values.dtype.kind not in "biuf":
        raise UsageError(f"{target.argument}: {_short(value)} is no number; expected {_expected(target)}")
    return np.asarray(values, np.float64)


def _unit_is_known(target: Target) -> None:
    variable = target.variable
    if not (variable.unit_written or variable.unit.dimension.is_one or target.model.plain):
        raise UsageError(
            f"{target.argument} is a bare number, and the model writes no unit for {variable.name!r}:"
            f" give the unit, such as '1 {target.unit}', or write ': {target.unit}' in the model"
        )


def _decade_of(text: str, target: Target) -> Fraction:
    """The power of ten from a unit to the computing system; every unit is one."""
    from ...grammar.parse import parse_unit
    from ...grammar.source import Source

    source = Source(text, f"{target.argument}: unit")
    node, mistakes = parse_unit(source)
    unit = unit_of(node) if node is not None else None
    if mistakes or not isinstance(unit, Unit):
        raise UsageError(f"{target.argument}: {text!r} is no unit; expected one such as {target.unit}")
    _same_dimension(unit.dimension, target)
    return unit.computing_decade


def _same_dimension(dimension: Dimension, target: Target) -> None:
    if dimension != target.variable.unit.dimension:
        raise UsageError(f"{target.argument}: expected {_expected(target)}, not {describe(dimension)}")


def _expected(target: Target) -> str:
    if target.variable.unit.dimension.is_one:
        return "a number without a unit"
    return f"a quantity in {target.unit} or the like"


def _check(values: NDArray[np.float64], target: Target) -> None:
    """Refuse nan, an infinite state, and fractions where the model has whole numbers or truth values."""
    kind = target.variable.kind
    finite = np.isfinite(values)
    if not finite.all():
        place = _first(~finite)
        bad = values[place]
        if math.isnan(bad) or not isinstance(
            target.variable, Parameter
        ):  # an infinite time constant is a value, an infinite state is none
            raise UsageError(f"{target.argument} is {bad}{_at(place)}; expected a finite number")
    if kind is not Kind.REAL:
        fits = (values == 0) | (values == 1) if kind is Kind.BOOLEAN else values == np.rint(values)
        if not fits.all():
            place = _first(~fits)
            raise UsageError(f"{target.argument} is {_article(kind)}, and {values[place]:g}{_at(place)} is none")


def _first(where: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.argwhere(where)[0])


def _at(place: tuple[int, ...]) -> str:
    return f" at {place[0] if len(place) == 1 else place}" if place else ""


def _article(kind: Kind) -> str:
    return "a truth value" if kind is Kind.BOOLEAN else "a whole number"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
