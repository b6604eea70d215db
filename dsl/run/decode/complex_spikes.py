"""Decoders of spikes that carry a lateness within their step: complex numbers, real the spike and imaginary the lateness.

`lateness` names a recorded quantity of the model, in steps; None: all spikes are on time. These are SPAIC's, with its constants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import UsageError
from ..result import Result
from .counts import in_groups, raster, smoothed
from .voltages import v_t

Complex = NDArray[np.complex128]
Values = NDArray[np.float64]


def complex_spikes(result: Result, lateness: str | None = None) -> Complex:
    """Spikes as complex numbers: (steps, neurons)."""
    spikes = raster(result)
    late = spikes * v_t(result, lateness) if lateness is not None else np.zeros_like(spikes)
    return spikes + 1j * late


def complex_count(result: Result, lateness: str | None = None, most: int = 4) -> Values:
    """The sum of -(k - lateness)/T over the first four spikes of each neuron, plus 1e-6: (neurons,); k is the step, T their number."""
    found = complex_spikes(result, lateness)
    steps = len(found)
    counted = (found.real > 0) & (np.cumsum(found.real, axis=0) <= most)
    times = np.arange(steps)[:, np.newaxis] - found.imag
    return np.asarray(-(times * counted).sum(axis=0) / steps + 1e-6)


def complex_phase(result: Result, lateness: str | None = None) -> Values:
    """The sum over the steps of real/(abs + 1), weighted by a softmax over time of the mean magnitude times dt (ms): (neurons,)."""
    found = complex_spikes(result, lateness)
    level = np.abs(found).mean(axis=1) * result.report.dt * 1000
    weights = np.exp(level - level.max())
    return np.asarray((weights / weights.sum()) @ (found.real / (np.abs(found) + 1)))


def complex_latency(result: Result, lateness: str | None = None) -> Values:
    """The sum of real*exp((s - s_max)/T)*exp(-c/5), s = T - k + lateness, c the spikes so far: (neurons,). Early first spikes count most."""
    found = complex_spikes(result, lateness)
    steps = len(found)
    place = steps - np.arange(steps)[:, np.newaxis] + found.imag
    weights = np.exp((place - place.max()) / steps) * np.exp(-np.cumsum(found.real, axis=0) / 5)
    return np.asarray((found.real * weights).sum(axis=0))


def complex_timing_distance(result: Result, target: ArrayLike, lateness: str | None = None, filter_time: float = 10.0) -> float:
    """The mean squared difference between the trains and `target` (steps, neurons), both smoothed over `filter_time` steps."""
    found, wanted = complex_spikes(result, lateness), np.asarray(target, np.complex128)
    if wanted.shape != found.shape:
        raise UsageError(f"target: expected the shape {found.shape}, not {wanted.shape}")
    return float(np.mean(np.abs(smoothed(found - wanted, filter_time)) ** 2))


def complex_trajectory(
    result: Result, weights: ArrayLike, tau_d: ArrayLike = 20.0, tau_r: ArrayLike = 20.0, lateness: str | None = None
) -> Values:
    """The real part of weighted sums of the spikes, each a decaying rotation: (steps, outputs).

    A spike starts exp(-k/tau_d + 2*pi*i*k/tau_r), k in steps, `tau_d` and `tau_r` one value or one a neuron; `weights` is (neurons, outputs).
    """
    found, mixed = complex_spikes(result, lateness), np.asarray(weights, np.complex128)
    if mixed.ndim != 2 or len(mixed) != result.n:
        raise UsageError(f"weights: expected the shape ({result.n}, outputs), not {mixed.shape}")
    turn = np.exp(-1 / np.asarray(tau_d, np.float64) + 2j * np.pi / np.asarray(tau_r, np.float64)) * np.ones(result.n)
    level, made = np.zeros(result.n, np.complex128), np.empty((len(found), mixed.shape[1]))
    for k, spikes in enumerate(found):
        level = turn * level + spikes
        made[k] = (level @ mixed).real
    return made


def complex_conv(result: Result, lateness: str | None = None, width: float = 40.0) -> Complex:
    """The complex trains smoothed with exp(-(3*k/width)^2), k in steps: (steps, neurons)."""
    return np.asarray(smoothed(complex_spikes(result, lateness), width), np.complex128)


def time_softmax(result: Result, pop_size: int = 1, lateness: str | None = None) -> Values:
    """5*exp((first - time)/50), summed over the spikes and averaged over each group of `pop_size` neurons: (groups,).

    Times are in steps, lateness included, and `first` is the earliest of all. The penalty on the rate that SPAIC adds is not part of it.
    """
    found = complex_spikes(result, lateness)
    times = np.arange(len(found))[:, np.newaxis] + found.imag
    fired = found.real > 0
    if not fired.any():
        return in_groups(np.zeros(result.n), pop_size)
    score = 5 * np.exp((times[fired].min() - times) / 50) * found.real
    return in_groups(score.sum(axis=0), pop_size) / pop_size
