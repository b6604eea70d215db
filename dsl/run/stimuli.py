"""What a population was driven by, for figures: the course of every driven parameter and every input of the model, of the first neuron."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...backends.kernel import Expr
from ..substitute import definitions, operations_of, symbols_of
from ..units import from_computing
from .binding import Binding
from .drive import interval, table
from .initial import Block
from .result import Trace
from .settings import Settings
from .values import DRAWS, Fluctuating, Sampled, Source, Table, TimeFunction

POINTS = 2000  # at most, of a curve

Course = tuple[NDArray[np.float64], NDArray[np.float64]]  # times in ms, values in the computing system


def stimuli(binding: Binding, settings: Settings, first: int, last: int) -> Mapping[str, Trace]:
    """The courses of what varies in time, between the steps `first` and `last`."""
    found = {}
    for name, (t, values) in _courses(binding, settings, first, last):
        unit = binding.variables[name].unit
        found[name] = Trace(t / 1000, np.zeros(1, np.int64), np.asarray(from_computing(values, unit))[:, np.newaxis], unit.text)
    return found


def _courses(binding: Binding, settings: Settings, first: int, last: int) -> list[tuple[str, Course]]:
    grid = np.asarray(
        settings.dt * np.unique(np.linspace(first, last, min(POINTS, last - first + 1)).astype(np.int64)), np.float64
    )
    written_out = definitions(binding.model, dict(binding.functions))
    found: list[tuple[str, Course]] = []
    for name, source in binding.sources.items():
        if isinstance(source, Table | Sampled | Fluctuating):
            found.append((name, _sampled(source, name, settings, first, last)))
        elif isinstance(source, TimeFunction) and _readable(written_out[name], binding):
            found.append((name, (grid, _read(written_out[name], binding, settings, grid))))
    for variable in binding.model.inputs:
        expression = written_out.get(variable.name)
        if expression is not None and _readable(expression, binding):
            found.append((variable.name, (grid, _read(expression, binding, settings, grid))))
    return found


def _sampled(source: Source, name: str, settings: Settings, first: int, last: int) -> Course:
    dt = interval(source, settings.dt)
    begin = int(np.floor(first * settings.dt / dt + 1e-6))
    end = int(np.ceil(last * settings.dt / dt - 1e-6))
    if isinstance(source, Table):
        rows = np.arange(begin, min(end, max(begin, len(source.values) - 1)) + 1)
        values = source.values[np.minimum(rows, len(source.values) - 1), 0]
    else:
        made = table(source, name, end + 1, 1, settings.dt, settings.seed, np.dtype(np.float64), None)
        rows, values = np.arange(begin, end + 1), made[begin : end + 1, 0]
    return np.append(np.maximum(rows * dt, first * settings.dt), last * settings.dt), np.append(values, values[-1])


def _readable(expression: Expr, binding: Binding) -> bool:
    """Whether an expression is a function of time and of constant parameters alone."""
    steady = {name for name, shape in binding.shapes.items() if shape in ("scalar", "array")} | {"@t", "@i", "@n", "@dt"}
    operations = {operation.name for operation in operations_of(expression)}
    return symbols_of(expression) <= steady and not operations & {
        *DRAWS,
        "sample",
        "old",
        "crosses",
        "total",
        "mean",
        "largest",
        "smallest",
    }


def _read(expression: Expr, binding: Binding, settings: Settings, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    from ...backends.evaluation import evaluate

    values = evaluate(expression, Block(binding, settings.seed, settings.dt, 0, 1, found={"@t": grid}))
    return np.asarray(np.broadcast_to(values, grid.shape), np.float64)
