"""Rewards: how good the answer of one result, or of a batch of results, is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import UsageError
from ..result import Result
from .counts import raster, spike_counts

Values = NDArray[np.float64]
Batch = Result | Sequence[Result]


def global_reward(results: Batch, target: ArrayLike, pop_size: int = 1) -> float:
    """1 for a sample whose busiest group of `pop_size` neurons is its target, -1 for another; the mean over the batch."""
    counts, targets = batch_counts(results, target, pop_size)
    return float(np.where(np.argmax(counts, axis=1) == targets, 1.0, -1.0).mean())


def da_reward(results: Batch, target: ArrayLike, pop_size: int = 1) -> Values:
    """For each neuron, in how many samples its group was the busiest and the target: (neurons,)."""
    counts, targets = batch_counts(results, target, pop_size)
    winners = np.argmax(counts, axis=1)
    found = np.zeros(counts.shape[1])
    np.add.at(found, winners[winners == targets], 1.0)
    return np.repeat(found, pop_size)


def xor_reward(results: Batch, target: ArrayLike) -> Values:
    """1 for a sample with target 1 in which anybody spikes, -1 for every other: (samples,)."""
    counts, targets = batch_counts(results, target, 1)
    return np.where((targets == 1) & (counts.sum(axis=1) > 0), 1.0, -1.0)


def environment_reward(target: ArrayLike) -> Values:
    """What the environment says, passed on."""
    return np.asarray(target, np.float64)


def classify_reward(results: Batch, target: ArrayLike, decay: float = 0.99) -> Values:
    """1 - p for the neuron of the target and -p for the others: (samples, neurons), p the softmax of the leaky sums of spikes.

    The sums, y = decay*y + spikes in each step, are brought to mean 0 and deviation 1 within a sample before.
    """
    targets = targets_of(target, len(samples := batch(results)))
    made = []
    for result, wanted in zip(samples, targets, strict=True):
        trains = raster(result)
        level = decay ** np.arange(len(trains))[::-1] @ trains
        spread = level.std()
        level = (level - level.mean()) / spread if spread > 0 else np.zeros_like(level)
        p = np.exp(level - level.max())
        made.append((np.arange(len(p)) == wanted) - p / p.sum())
    return np.stack(made)


def batch(results: Batch) -> list[Result]:
    found = [results] if isinstance(results, Result) else list(results)
    if not found or not all(isinstance(result, Result) for result in found):
        raise UsageError("results: expected a Result, or several, one a sample")
    return found


def targets_of(target: ArrayLike, samples: int) -> NDArray[np.int64]:
    found = np.atleast_1d(np.asarray(target))
    if found.shape != (samples,) or found.dtype.kind not in "iub":
        raise UsageError(f"target: expected {samples} whole number{'s' if samples > 1 else ''}, one a sample, not {target!r}")
    return found.astype(np.int64)


def batch_counts(results: Batch, target: ArrayLike, pop_size: int) -> tuple[Values, NDArray[np.int64]]:
    """Spike counts (samples, groups) and targets (samples,)."""
    samples = batch(results)
    if len({result.n for result in samples}) > 1:
        raise UsageError("results: the samples of a batch have to have as many neurons each")
    return np.stack([spike_counts(result, pop_size) for result in samples]), targets_of(target, len(samples))
