"""The published firing patterns: how often and when each model of a pattern spikes under the stimulus that it carries."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt

# Izhikevich 2004, run as the published script does: spikes, the first and the last of them in ms
PATTERNS_2004 = {
    "tonic_spiking": (5, 13, 86.75),
    "phasic_spiking": (1, 43.75, 43.75),
    "tonic_bursting": (28, 25, 204.5),
    "phasic_bursting": (6, 39, 67.2),
    "mixed_mode": (6, 20, 131.5),
    "spike_frequency_adaptation": (6, 10.25, 71.5),
    "class_1": (10, 84.5, 290.5),
    "class_2": (14, 105.75, 293),
    "spike_latency": (1, 26.6, 26.6),
    "subthreshold_oscillation": (1, 26.5, 26.5),
    "resonator": (1, 338, 338),
    "integrator": (1, 20, 20),
    "rebound_spike": (1, 68, 68),
    "rebound_burst": (7, 68, 92.2),
    "threshold_variability": (1, 93.25, 93.25),
    "bistability": (5, 45.25, 208),
    "depolarizing_after_potential": (1, 11.3, 11.3),
    "accommodation": (1, 311.5, 311.5),
    "inhibition_induced_spiking": (3, 94.5, 236),
    "inhibition_induced_bursting": (12, 86.5, 204),
}
# Izhikevich 2003, current 10 from the start, Euler steps of 0.1 ms, 1 s: spikes, first spike, first and last interval in ms
CLASSES_2003 = {
    "rs": (23, 3.3, 23.7, 45.1),
    "ib": (34, 3.3, 2.5, 31.5),
    "ch": (87, 3.3, 1.6, 5.0),
    "fs": (130, 3.3, 4.6, 7.7),
    "lts": (77, 2.6, 3.1, 13.6),
    "tc": (260, 2.6, 2.7, 3.9),
    "rz": (186, 2.5, 3.2, 5.4),
}
# the last spike of a second of fast spiking stands at its very end or just behind it: 130 or 131, as v*v or v**2 is rounded
HANGS_ON_ROUNDING = {"fs": 1}
# Naud et al. 2008, Euler steps of 0.1 ms, 500 ms: spikes
PATTERNS_2008 = {
    "tonic": 50,
    "adapting": 10,
    "initial_burst": 10,
    "regular_bursting": 9,
    "delayed_accelerating": 35,
    "delayed_regular_bursting": 28,
    "transient": 1,
    "irregular": 28,
}


def times(name: str, duration: str | None = None) -> np.ndarray:
    """Spike times in ms, as a script that stamps a spike with the start of its step counts them."""
    model = dvdt.model(name)
    result = dvdt.simulate(model, duration or f"{model.checked.duration} ms")
    return result.spikes.t * 1e3 - model.checked.dt


@pytest.mark.parametrize("name", PATTERNS_2004)
def test_the_twenty_patterns(name: str) -> None:
    count, first, last = PATTERNS_2004[name]
    found = times(f"izhikevich_{name}")
    assert len(found) == count
    np.testing.assert_allclose(found[[0, -1]], [first, last], atol=1e-9)


@pytest.mark.parametrize("name", CLASSES_2003)
def test_the_seven_classes(name: str) -> None:
    count, first, first_interval, last_interval = CLASSES_2003[name]
    found = times(f"izhikevich_{name}", "1 s")
    intervals = np.diff(found)
    assert abs(len(found) - count) <= HANGS_ON_ROUNDING.get(name, 0)
    np.testing.assert_allclose([found[0], intervals[0]], [first, first_interval], atol=1e-6)
    np.testing.assert_allclose(intervals[-1], last_interval, atol=0.1 + 1e-6)  # one step


@pytest.mark.parametrize("name", PATTERNS_2008)
def test_the_eight_patterns(name: str) -> None:
    assert len(times(f"adex_{name}")) == PATTERNS_2008[name]
