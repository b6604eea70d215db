"""The numbers that the names of a binding have at the start of a step, a block of neurons at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...backends.kernel import Expr, Kind
from ..errors import UsageError
from ..substitute import symbols_of
from .binding import Binding
from .values import Called, Drawn, Fluctuating, Formula, PerNeuron, Sampled, Source, Table, TimeFunction, Uniform

BLOCK = 1 << 14  # neurons whose values are worked out at once: temporaries stay in the cache, and small beside the arrays

# Draws that are no part of a step have steps that no run reaches; the number of the step, or of the row, is added.
MODEL_DRAWS = 3 << 61  # written in the text
DISTRIBUTIONS = 2 << 61  # of Python's distributions
FLUCTUATIONS = 1 << 61  # of coloured noise

Value = Any  # a NumPy scalar or array; one value, or one value a neuron of the block


@dataclass
class Block(Mapping[str, Value]):
    """The values of a binding at the start of a step, for the neurons `first` to `stop`; each is worked out when it is asked for.

    `initial` are expressions of arrays that the compiler wants initialised. One value, or one a neuron of the block.
    """

    binding: Binding
    seed: int
    dt: float
    first: int
    stop: int
    initial: Mapping[str, Expr] = field(default_factory=dict)
    step: int = 0
    found: dict[str, Value] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Value:
        waiting = [] if name in self.found else [name]
        while waiting:  # what a value is worked out from comes first: chains may be longer than the stack is deep
            missing = [used for used in self._worked_out_from(waiting[-1]) if used not in self.found]
            if missing:
                waiting += missing
            else:
                top = waiting.pop()
                self.found[top] = self._value(top)
        return self.found[name]

    def _worked_out_from(self, name: str) -> Iterator[str]:
        expressions = self.binding.expressions
        expression = expressions.get(name) or (None if name in self.binding.sources else self.initial.get(name))
        if expression is not None:
            yield from (used for used in symbols_of(expression) if used in expressions or used in self.initial)

    def __iter__(self) -> Iterator[str]:
        return iter((*self.binding.sources, *self.initial, "@i", "@n", "@t", "@dt"))

    def __len__(self) -> int:
        return len(self.binding.sources) + len(self.initial) + 4

    def _value(self, name: str) -> Value:
        match name:
            case "@i":
                return np.arange(self.first, self.stop)
            case "@n":
                return np.int64(self.binding.n)
            case "@t":
                return np.float64(self.step * self.dt)
            case "@dt":
                return np.float64(self.dt)
        if name in self.binding.sources:
            source = self.binding.sources[name]
            if isinstance(source, Called):
                return source.interpreted
            return self.of_source(name, self.binding.sources[name])
        if name in self.initial:
            return self._evaluated(self.initial[name])
        raise KeyError(name)

    def of_source(self, name: str, source: Source) -> Value:
        """The numbers of a source, for the variable `name`, in its kind."""
        return _typed(self._of_source(name, source), self.binding.variables[name].kind)

    def _of_source(self, name: str, source: Source) -> Value:
        match source:
            case Uniform(value):
                return np.float64(value)
            case PerNeuron(values):
                return values[self.first : self.stop]
            case Formula(expression, owner):
                return self._evaluated(expression, owner)
            case TimeFunction(expression):
                return self._evaluated(expression)
            case Drawn(distribution, first, second):
                drawn = self._draw(distribution, crc32(name.encode()), DISTRIBUTIONS + self.step)
                return first + second * drawn if distribution == "normal" else first + (second - first) * drawn
            case Table(_, values):
                return values[0, 0] if values.shape[1] == 1 else values[0, self.first : self.stop]
            case Sampled(at):
                return at(np.zeros(1))[0, 0]
            case Fluctuating(mean, deviation):
                return mean + deviation * self._draw("normal", crc32(name.encode()), FLUCTUATIONS)
        raise UsageError(f"{name} is a matrix; an initial value cannot use it")

    def _evaluated(self, expression: Expr, owner: str = "") -> Value:
        """An expression of the model (no owner), or one that was given for the name `owner`, whose draws are its own."""
        from ...backends.evaluation import evaluate

        shift, step = (crc32(owner.encode()), DISTRIBUTIONS) if owner else (0, MODEL_DRAWS)
        return evaluate(
            expression, self, draw=lambda kind, stream, mean: self._draw(kind, shift + stream, step + self.step, mean)
        )

    def _draw(self, distribution: str, stream: int, step: int, mean: Value | None = None) -> NDArray[np.float64]:
        from ...backends import philox

        neurons, key, double = np.arange(self.first, self.stop), philox.key(self.seed), np.dtype(np.float64)
        if distribution == "poisson":
            return philox.poisson(neurons, step, stream, *key, np.asarray(mean), double)
        draw = {"uniform": philox.uniform, "normal": philox.normal, "exponential": philox.exponential}[distribution]
        return draw(neurons, step, stream, *key, double)


def _typed(value: Value, kind: Kind) -> Value:
    if kind is Kind.REAL:
        return value
    return np.not_equal(value, 0) if kind is Kind.BOOLEAN else np.asarray(value).astype(np.int64)[()]


def fill(rows: Mapping[str, NDArray[np.generic]], binding: Binding, seed: int, dt: float, initial: Mapping[str, Expr]) -> None:
    """Write the values that names have before a run into their arrays, block by block."""
    for first in range(0, binding.n, BLOCK):
        block = Block(binding, seed, dt, first, min(first + BLOCK, binding.n), initial)
        for name, row in rows.items():
            row[block.first : block.stop] = block[name]


def one_value(name: str, binding: Binding, seed: int, dt: float) -> float:
    """The value of a name that has one for the population."""
    source = binding.sources[name]
    if isinstance(source, Uniform) and binding.variables[name].kind is Kind.REAL:
        return source.value
    return float(np.ravel(Block(binding, seed, dt, 0, 1)[name])[0])
