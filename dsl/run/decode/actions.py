"""Actions: one choice among the outputs of a result. A draw takes a seed or a NumPy generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..result import Result
from .counts import first_spike, spike_counts
from .voltages import final_step_voltage

Seed = int | np.random.Generator | None


def pop_rate_action(result: Result, pop_size: int = 1, seed: Seed = None) -> int:
    """A group of `pop_size` neurons, drawn with probability proportional to its spikes; each alike where there are none."""
    return drawn(spike_counts(result, pop_size), seed)


def softmax_action(result: Result, pop_size: int = 1, seed: Seed = None) -> int:
    """A group of `pop_size` neurons, drawn with the softmax of the spike counts over the groups as probabilities."""
    counts = spike_counts(result, pop_size)
    return drawn(np.exp(counts - counts.max()), seed)


def highest_spikes_action(result: Result, pop_size: int = 1) -> int:
    """The group with the most spikes, the first of those that have as many."""
    return int(np.argmax(spike_counts(result, pop_size)))


def highest_voltage_action(result: Result, trial: int, name: str = "v", seed: Seed = None) -> int:
    """The neuron with the highest value of `name` after the last step, or any one, with probability 0.05 + 0.85*exp(-trial/200)."""
    if not trial >= 0:
        raise UsageError(f"trial: expected the number of trials before this one, not {trial!r}")
    values, random = final_step_voltage(result, name), np.random.default_rng(seed)
    if random.random() < 0.05 + 0.85 * np.exp(-trial / 200):
        return int(random.integers(len(values)))
    return int(np.argmax(values))


def first_spike_action(result: Result) -> int:
    """The neuron of the first spike, of several in that step the first; 0 where there is none."""
    return int(np.argmax(first_spike(result)))


def random_action(result: Result, pop_size: int = 1, seed: Seed = None) -> int:
    """Any group of `pop_size` neurons, each alike."""
    return drawn(np.ones(len(spike_counts(result, pop_size))), seed)


def drawn(weights: NDArray[np.float64], seed: Seed) -> int:
    """An index, drawn with probability proportional to its weight."""
    total = weights.sum()
    share = weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
    return int(np.random.default_rng(seed).choice(len(weights), p=share))
