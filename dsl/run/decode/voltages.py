"""Readouts of a recorded quantity, as a rule the potential: its values after each step, in the unit it is recorded in.

Row k is the value after step k, its reset included. mlGeNN reads before the test for a spike, which is the same for neurons that do
not spike, as output neurons are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..conventions import CONVENTIONS
from ..result import Result
from .counts import of_a_run

Values = NDArray[np.float64]


def v_t(result: Result, name: str = "v") -> Values:
    """The values of `name` after each step: (steps, neurons). Raises UsageError for what was not recorded, or not in every step."""
    values = np.asarray(of_a_run(result)[name], np.float64)
    convention = CONVENTIONS[result.report.conventions]
    rows = values if convention.first_row else values[1:]
    if convention.rows_short:
        if name not in result.final_state:
            raise UsageError(
                f"{name}: with conventions={convention.name!r} the value after the last step is known of states only"
            )
        neurons = result.traces[name].neurons
        rows = np.vstack([rows, np.asarray(result.final_state[name], np.float64)[neurons][np.newaxis]])
    if len(rows) != result.report.steps:
        raise UsageError(f"{name} was recorded {len(rows)} times in {result.report.steps} steps; record it in every step")
    return rows


def final_step_voltage(result: Result, name: str = "v") -> Values:
    """The value after the last step: (neurons,) (mlGeNN's `var`)."""
    return np.asarray(v_t(result, name)[-1])


def voltage_sum(result: Result, name: str = "v") -> Values:
    """The value after the last step minus the mean over all steps and neurons: (neurons,) (SPAIC's `voltage_sum`, which is no sum)."""
    values = v_t(result, name)
    return np.asarray(values[-1] - values.mean())


def sum_voltage(result: Result, name: str = "v") -> Values:
    """The sum over the steps: (neurons,) (mlGeNN's `sum_var`)."""
    return np.asarray(v_t(result, name).sum(axis=0))


def average_voltage(result: Result, name: str = "v") -> Values:
    """The mean over the steps: (neurons,) (mlGeNN's `avg_var`)."""
    return np.asarray(v_t(result, name).mean(axis=0))


def weighted_average_voltage(result: Result, name: str = "v") -> Values:
    """The sum of exp(-k/T)*v/T over the steps k of T: (neurons,) (mlGeNN's `avg_var_exp_weight`).

    Nowotny et al. 2024: early values count more.
    """
    values = v_t(result, name)
    steps = len(values)
    return np.asarray(np.exp(-np.arange(steps) / steps) @ values / steps)


def max_voltage(result: Result, name: str = "v") -> Values:
    """The largest value of all steps, and never less than 0: (neurons,) (mlGeNN's `max_var`, whose maximum starts at 0)."""
    return np.asarray(np.maximum(v_t(result, name).max(axis=0), 0.0))
