"""An input that is a function of time, written as an expression."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ModelError, UsageError
from ..quantities import not_read
from ..values import Input, Source, Target, TimeFunction


@dataclass(frozen=True)
class Function(Input):
    """See `function`."""

    text: str

    def __str__(self) -> str:
        return self.text

    def bind(self, target: Target) -> Source:
        from ...expressions import function_of_time

        try:
            return TimeFunction(function_of_time(target.model, self.text, target.argument, target.variable))
        except ModelError as error:
            raise UsageError(not_read(self.text, target.argument, error)) from error


def function(text: str) -> Function:
    """A value that follows an expression of `t`: `dvdt.function("0.5 nA * sin(2*pi*10 Hz*t)")`.

    The expression may use the parameters of the model, `i`, `N` and `dt`; schemes of higher order read it at their stage times.
    """
    if not isinstance(text, str):
        raise UsageError(
            f"function: expected an expression of t as text, not {text!r}; for a table of values there is dvdt.TimedSeries(values, dt)"
        )
    return Function(text)
