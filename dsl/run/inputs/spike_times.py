"""Listed spike times, one list a neuron, for the model `spike_times`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...checked import External
from ...errors import UsageError
from ...units import TIME, unit_of_symbol
from ..values import Input, Source, Table, Target


@dataclass(frozen=True, eq=False)
class SpikeTimes(Input):
    """See `spike_times`: rows are the k-th times of the neurons in ms, infinite where a list has ended."""

    rows: NDArray[np.float64]

    def bind(self, target: Target) -> Source:
        if not isinstance(target.variable, External):
            raise UsageError(
                f"{target.argument} takes no spike times; they drive the model 'spike_times', as its parameter 'times'"
            )
        if self.rows.shape[1] != target.n:
            raise UsageError(f"{target.argument}: there are {self.rows.shape[1]} lists of spike times for {target.n} neurons")
        return Table(1.0, self.rows)


def spike_times(times: Sequence[object], unit: str = "ms") -> SpikeTimes:
    """Spike times, one ascending list a neuron, for the model `spike_times`: `parameters={"times": dvdt.spike_times([[12.5, 80], [40]])}`.

    `unit` is that of the numbers, a time such as "ms" or "s". Raises UsageError for a list that is not ascending, and for times that are
    not finite or lie before 0.
    """
    known = unit_of_symbol(unit) if isinstance(unit, str) else None
    if known is None or known.dimension != TIME:
        raise UsageError(f"spike_times: unit has to be a unit of time, such as 'ms', not {unit!r}")
    lists = [_ascending(each, neuron) * 10.0 ** float(known.decade + 3) for neuron, each in enumerate(times)]
    if not lists:
        raise UsageError("spike_times: there is no list; expected one a neuron, such as [[12.5, 80], [40]]")
    rows = np.full((max(map(len, lists)) + 1, len(lists)), np.inf)
    for neuron, each in enumerate(lists):
        rows[: len(each), neuron] = each
    return SpikeTimes(rows)


def _ascending(times: object, neuron: int) -> NDArray[np.float64]:
    try:
        found = np.asarray(times, np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"spike_times: the list of neuron {neuron} holds what is no number: {times!r}") from None
    if found.ndim != 1:
        raise UsageError(f"spike_times: expected one list of times a neuron, and neuron {neuron} has {times!r}")
    if not np.all(np.isfinite(found)) or np.any(found < 0) or np.any(np.diff(found) < 0):
        raise UsageError(f"spike_times: the times of neuron {neuron} have to be finite, not before 0, and ascending")
    return found
