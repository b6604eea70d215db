"""A model that sends a current: its `output` as the course of a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ....backends.kernel import Constant, Expr, Operation
from ...checked import CheckedModel, Parameter
from ...errors import UsageError
from ...substitute import operations_of, substitute, symbols_of
from ..values import DRAWS, Formula, Input, Source, Target, TimeFunction, Uniform, formula, source_of
from .timed_array import series_of

SETTLED = frozenset({"@t", "@dt", "@i", "@n"})  # what a function of time may read


@dataclass(frozen=True, eq=False)
class Sender(Input):
    """The output of a model without states, such as `sine_current`; `parameters` are those of its own that were set."""

    model: CheckedModel
    parameters: Mapping[str, object]

    def bind(self, target: Target) -> Source:
        output = self.model.output
        why = next(self._why_not(), None)
        if output is None or why is not None:
            raise UsageError(
                f"{target.argument}: {self.model.name} {why}, so it is a population of its own: run it first, and give what it"
                " sends as dvdt.TimedSeries(values, dt), of spikes dvdt.TimedSeries(dvdt.decode.raster(result), dt)"
            )
        if not (output.unit.dimension.is_one or output.unit.dimension == target.variable.unit.dimension):
            raise UsageError(f"{target.argument}: {self.model.name} sends {output.unit.text}, and this is in {target.unit}")
        expression = self._written_out(output.expression, target)
        if output.unit.dimension.is_one:
            expression = in_unit_of(target, expression)
        return TimeFunction(expression) if "@t" in symbols_of(expression) else formula(expression, target)

    def _why_not(self) -> Iterator[str]:
        """What makes the output no function of time alone."""
        model = self.model
        if model.events:
            yield "has events of its own"
        if model.states:
            yield f"has states ({', '.join(state.name for state in model.states)})"
        if model.output is None:
            yield "has no `output`"
            return
        formulas = [model.output.expression, *(quantity.expression for quantity in model.formulas)]
        if any(node.name in {*DRAWS, "one_of"} for expression in formulas for node in operations_of(expression)):
            yield "draws random numbers"
        known = SETTLED | {variable.name for variable in (*model.parameters, *model.formulas)}
        if any(not symbols_of(expression) <= known for expression in formulas) or model.externals:
            yield "reads more than the time and its parameters"

    def _written_out(self, expression: Expr, target: Target) -> Expr:
        """The expression with all names of the sending model replaced by what they stand for."""
        unknown = [name for name in self.parameters if name not in {p.name for p in self.model.parameters}]
        if unknown:
            raise UsageError(f"{target.argument}: {self.model.name} has no parameter {unknown[0]!r}")
        values = {p.name: self._value(p, target) for p in self.model.parameters}
        values |= {quantity.name: quantity.expression for quantity in self.model.formulas}
        while symbols_of(expression) & values.keys():
            expression = substitute(expression, values)
        return expression

    def _value(self, parameter: Parameter, target: Target) -> Expr:
        argument = f"{target.argument}: {parameter.name} of {self.model.name}"
        if parameter.name not in self.parameters:
            if parameter.default is None:
                raise UsageError(f"{argument} needs a value: give dvdt.Population({self.model.name!r}, parameters={{...}})")
            return parameter.default
        found = source_of(self.parameters[parameter.name], Target(parameter, self.model, 1, argument))
        match found:
            case Uniform(value):
                return Constant(value)
            case Formula(expression) | TimeFunction(expression):
                return expression
        raise UsageError(f"{argument} has to be one value or an expression here")


def in_unit_of(target: Target, expression: Expr) -> Expr:
    """A plain number counted in the unit that the model writes for the target, as plain numbers from Python are."""
    variable = target.variable
    if not (variable.unit_written or variable.unit.dimension.is_one or target.model.plain):
        raise UsageError(
            f"{target.argument} is sent plain numbers, and the model writes no unit for {variable.name!r}: write ': {target.unit}' in it"
        )
    factor = 1.0 if target.model.plain else 10.0 ** float(variable.unit.computing_decade)
    return expression if factor == 1 else Operation("multiply", (expression, Constant(factor)))


def as_input(value: object) -> object:
    """The value, or what drives with it where it is a model, a population or a TimedArray of Brian2."""
    series = series_of(value)
    if series is not None:
        return series
    model, parameters = getattr(value, "checked", None), getattr(value, "bound", {})
    if not isinstance(model, CheckedModel):
        model, parameters = getattr(value, "model", None), getattr(value, "parameters", {})
    return Sender(model, parameters) if isinstance(model, CheckedModel) else value
