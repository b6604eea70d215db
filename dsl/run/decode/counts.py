"""Decoders of spikes: counts, rates, first spikes, smoothed trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..duration import time_in_ms, whole_steps
from ..result import Result

Values = NDArray[np.float64]
Window = tuple[object, object] | None  # two times of the run, such as ("50 ms", "100 ms"); None: all of it

NO_SPIKE = float(np.finfo(np.float32).min)  # what mlGeNN gives for a neuron that has not spiked


def raster(result: Result, window: Window = None) -> Values:
    """How many spikes each neuron made in each step: (steps, neurons), as a rule 0 or 1 (SPAIC's `null`).

    Row k belongs to the k-th step of the run or of the window. As the input of the next layer it comes one step later:
    `dvdt.TimedSeries(np.vstack([np.zeros(n), raster[:-1]]), dt)`. Raises UsageError for a window that is no part of the run.
    """
    first, last = steps_of(result, window)
    found = np.zeros((last - first, result.n))
    steps = result.spike_steps()
    inside = (steps >= first) & (steps < last)
    np.add.at(found, (steps[inside] - first, result.spikes.i[inside]), 1.0)
    return found


def of_a_run(result: object) -> Result:
    """A result. Raises UsageError for what is none."""
    if not isinstance(result, Result):
        raise UsageError(f"decode: expected the Result of a run, not {result!r}")
    return result


def steps_of(result: Result, window: Window) -> tuple[int, int]:
    """The first step of a window, and the one behind its last."""
    report = of_a_run(result).report
    if window is None:
        return 0, report.steps
    if not isinstance(window, tuple | list) or len(window) != 2:
        raise UsageError(f"window: expected two times, such as ('50 ms', '100 ms'), not {window!r}")
    dt = report.dt * 1000
    edges = [time_in_ms(time, "window") - report.start * 1000 for time in window]
    first, last = (whole_steps(max(edge, -dt), dt, "window")[0] for edge in edges)
    if not 0 <= first < last <= report.steps:
        begin, end = report.start * 1000, (report.start + report.duration) * 1000
        raise UsageError(f"window: {window[0]} to {window[1]} is no part of the run, which goes from {begin:g} ms to {end:g} ms")
    return first, last


def in_groups(values: Values, pop_size: int, axis: int = -1) -> Values:
    """The sums of neighbouring neurons, `pop_size` at a time."""
    n = values.shape[axis]
    if not isinstance(pop_size, int | np.integer) or pop_size < 1 or n % pop_size:
        raise UsageError(f"pop_size: expected a whole number that divides the {n} neurons, not {pop_size!r}")
    return np.add.reduceat(values, np.arange(0, n, pop_size), axis=axis)


def spike_count(result: Result, window: Window = None) -> Values:
    """Spikes of each neuron: (neurons,) (mlGeNN's `spike_count`)."""
    return np.asarray(raster(result, window).sum(axis=0))


def spike_counts(result: Result, pop_size: int = 1, bias: float = 0.0, scale: float = 1.0, window: Window = None) -> Values:
    """(y + bias)*scale of y, the spikes of each group of `pop_size` neighbouring neurons: (groups,).

    Raises UsageError for a size that does not divide the neurons.
    """
    return (in_groups(spike_count(result, window), pop_size) + bias) * scale


def spike_rate(result: Result, pop_size: int = 1, bias: float = 0.0, scale: float = 1.0, window: Window = None) -> Values:
    """As `spike_counts`, of the spikes per step: (groups,)."""
    return (in_groups(spike_rates(result, window), pop_size) + bias) * scale


def spike_rates(result: Result, window: Window = None) -> Values:
    """Spikes of each neuron per step: (neurons,); `result.rates()` has them per second."""
    return np.asarray(raster(result, window).mean(axis=0))


def first_spike(result: Result, window: Window = None) -> Values:
    """Who spikes in the first step in which anybody does: 0 or 1, (neurons,); all 0 where nobody ever does."""
    found = raster(result, window)
    return np.asarray(found[int(np.argmax(found.any(axis=1)))])


def first_spike_time(result: Result, window: Window = None) -> Values:
    """Minus the time of the first spike of each neuron in ms, counted at the start of its step: (neurons,) (mlGeNN's readout).

    So the earliest is the largest; a neuron without a spike has the lowest number of float32.
    """
    found, (first, _) = raster(result, window), steps_of(result, window)
    times = (result.report.start + (first + np.argmax(found > 0, axis=0)) * result.report.dt) * 1000
    return np.where(found.any(axis=0), -times, NO_SPIKE)


def time_spike_counts(result: Result, window: Window = None) -> Values:
    """Spikes weighted by 0.1*exp(-k/(0.5*T)), k the step and T the number of steps: (neurons,)."""
    found = raster(result, window)
    steps = len(found)
    return np.asarray(0.1 * np.exp(-np.arange(steps) / (0.5 * steps)) @ found)


def spike_conv(result: Result, width: float = 40.0, window: Window = None) -> Values:
    """Spike trains smoothed with exp(-(3*k/width)^2), k in steps: (steps, neurons)."""
    return np.asarray(smoothed(raster(result, window), width), np.float64)


def smoothed(train: NDArray[Any], width: float) -> NDArray[Any]:
    """Trains (steps, neurons) convolved with a Gaussian that has fallen to exp(-9) at `width` steps and ends there."""
    if not width > 0:
        raise UsageError(f"width: expected a number of steps above 0, not {width!r}")
    reach = int(np.ceil(width))
    kernel = np.exp(-((3 * np.arange(-reach, reach + 1) / width) ** 2))
    columns = [np.convolve(column, kernel)[reach : reach + len(train)] for column in train.T]
    return np.stack(columns, axis=1)
