"""Sampled inputs: a table of values at equal intervals, held between samples and after the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...checked import External
from ...errors import UsageError
from ..duration import time_step
from ..values import Input, Source, Table, Target, amounts


@dataclass(frozen=True, eq=False)
class TimedSeries(Input):
    """Values at 0, dt, 2 dt, ..., each held until the next, the last one to the end of the run.

    `values`: T (the same for every neuron) or T x N (one column a neuron), as numbers in `unit` (a text such as "pA"; without
    it, in the unit that the model writes for what is driven), or as a quantity object. `dt`: the interval, "1 ms" or a quantity.
    """

    values: object
    dt: object
    unit: str | None = None

    def __post_init__(self) -> None:
        time_step(self.dt, "TimedSeries: dt")
        shape = np.asarray(self.values).shape
        if len(shape) not in (1, 2) or 0 in shape:
            raise UsageError(f"TimedSeries: values has shape {shape}; expected T samples, or T x N, one column a neuron")

    def __str__(self) -> str:
        return f"series of {' x '.join(map(str, np.asarray(self.values).shape))} values, every {self.dt}"

    def bind(self, target: Target) -> Source:
        values = amounts(self.values, target.called(f"{target.argument}: values of the TimedSeries"), self.unit)
        table = values.reshape(len(values), -1)
        bad = np.argwhere(~np.isfinite(table))
        if len(bad):
            row, column = bad[0]
            raise UsageError(f"{target.argument}: the TimedSeries holds {table[row, column]} at row {row}, column {column}")
        own_count = isinstance(target.variable, External)  # a callable has as many columns as the text asks for
        if table.shape[1] not in (1, target.n) and not own_count:
            raise UsageError(
                f"{target.argument}: the TimedSeries has {table.shape[1]} columns for {target.n} neurons; expected one or {target.n}"
            )
        return Table(time_step(self.dt, "TimedSeries: dt"), table)
