"""Equations that have no finite value where a run begins, such as an exponential far beyond its range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from ...backends.evaluation import evaluate
from ...backends.kernel import Expr
from ..checked import State
from ..substitute import symbols_of
from .findings import NotFinite
from .subject import Subject

# Around the initial values, and for what is 0 or has no value until it is set: what is not finite at one of them may be a gap that is closed
# where the equations are lowered, or a parameter that waits.
NEAR = (0.0, 1e-6, -1e-6, 1e-3, -1e-3)
WAITING = (0.0, 1.0, -1.0, 0.01, 100.0)


def not_finite(subject: Subject) -> Iterator[NotFinite]:
    """Derivatives that are infinite or not a number at the initial values, near them, and whatever a parameter of 0 is set to."""
    for state in subject.model.states:
        if state.derivative is not None and _never_finite(subject, state.derivative):
            equation = subject.outline.differentials[state.name]
            yield NotFinite(equation.expression.span, state.name, _where(subject, state))


def _never_finite(subject: Subject, expression: Expr) -> bool:
    try:
        values = [evaluate(expression, _Start(subject, near, waiting)) for near in NEAR for waiting in WAITING]
    except (KeyError, TypeError, ValueError, RecursionError):  # draws, series, reductions: not known before a run
        return False
    return not any(math.isfinite(float(value)) for value in values)


class _Start(Mapping[str, object]):
    """The values of names where a run begins. KeyError for what is not known then."""

    def __init__(self, subject: Subject, near: float, waiting: float) -> None:
        model = subject.model
        self.subject, self.near, self.waiting = subject, near, waiting
        self.formulas = {formula.name: formula.expression for formula in model.formulas}
        self.initial = {state.name: state.initial for state in model.states}
        self.parameters = {parameter.name for parameter in model.parameters}
        self.found: dict[str, object] = {"@t": np.float64(0), "@dt": np.float64(subject.dt), "@i": np.int64(0), "@n": np.int64(1)}
        self.found |= {"@step": np.int64(0), "@spiked": np.bool_(False), "@not_refractory": np.bool_(True)}

    def __getitem__(self, name: str) -> object:
        if name not in self.found:
            self.found[name] = self._value(name)
        return self.found[name]

    def _value(self, name: str) -> object:
        if name in self.initial:
            value = evaluate(self.initial[name], self)
            return value + self.near * (abs(value) + 1.0) if value.dtype.kind == "f" else value
        if name in self.parameters:
            return np.float64(self.subject.defaults.get(name) or self.waiting)
        return evaluate(self.formulas[name], self)

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


def _where(subject: Subject, state: State) -> str:
    """The initial values that the derivative reads, as they are written."""
    assert state.derivative is not None
    read = symbols_of(state.derivative)
    written = subject.outline.initials
    return ", ".join(f"{name}(0) = {written[name].expression.span.text}" for name in written if name in read)
