"""How long the chunks on a device become, for devices, populations and activities that are made up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dvdt.backends.cuda.pace import FILLED, FIRST_CHUNK, FIRST_STEPS, GROWTH, MOST_STEPS, SECONDS, Pace

LAUNCH = 3e-4  # seconds


def run(pace: Pace, steps: int, speed: float, rates: np.ndarray) -> tuple[list[int], int]:
    """Make steps on a device of so many neuron-steps a second; `rates`: events in each step of the neuron that has most. The lengths of the
    chunks that held, and how many were void."""
    done, lengths, void = 0, [], 0
    while done < steps:
        chunk = min(pace.steps, steps - done)
        fullest = int(np.ceil(rates[done : done + chunk].sum()))
        if pace.capacity and fullest > pace.capacity:
            pace.ran_over(chunk, fullest)
            void += 1
        else:
            pace.held(chunk, fullest, LAUNCH + chunk * pace.n / speed)
            lengths.append(chunk)
            done += chunk
    return lengths, void


@pytest.mark.parametrize("n", [1, 10_000, 1_000_000, 100_000_000])
@pytest.mark.parametrize("speed", [1e10, 1e12])
def test_chunks_take_as_long_as_they_should(n: int, speed: float) -> None:
    """Within few chunks; launching is then a few per cent, and a person who waits is heard after two of them."""
    speed = min(speed, n * 2e6)  # the steps of one neuron follow one another
    lengths, _ = run(Pace(n, 0), min(int(60 * speed / n), 20_000_000), speed, np.zeros(20_000_000))
    taken = np.array(lengths[:-1]) * n / speed
    full = [seconds for seconds in taken[12:] if n / speed < SECONDS]
    assert all(0.5 * SECONDS < seconds <= 1.05 * SECONDS for seconds in full if seconds < MOST_STEPS * n / speed)
    assert max(taken[1:], default=0) < max(0.1, 2 * n / speed)
    assert lengths[0] <= max(1, min(FIRST_STEPS, FIRST_CHUNK // n))
    assert all(later <= GROWTH * earlier for earlier, later in pairwise(lengths))


@pytest.mark.parametrize("capacity", [2, 40, 100])
@pytest.mark.parametrize("rate", [0.001, 0.05, 1.0])
def test_steady_activity_fills_the_lists_and_voids_nothing(capacity: int, rate: float) -> None:
    lengths, void = run(Pace(1000, capacity), 200_000, 1e12, np.full(200_000, rate))
    assert void == 0
    assert max(lengths) <= capacity / rate
    assert max(lengths[:-1]) >= 0.9 * FILLED * (capacity - 1) / rate


def test_a_sudden_burst_voids_few_chunks() -> None:
    """A hundred times the activity, for a while and again and again."""
    rates = np.full(400_000, 0.002)
    for begin in range(50_000, 400_000, 50_000):
        rates[begin : begin + 5_000] = 0.2
    lengths, void = run(Pace(1000, 64), len(rates), 1e12, rates)
    assert sum(lengths) == len(rates)
    assert void <= 4 * 7


def test_the_shortest_list_ends_in_single_steps() -> None:
    pace = Pace(10, 1)
    pace.steps = 1000
    lengths, void = run(pace, 50, 1e12, np.ones(2000))
    assert lengths == [1] * 50
    assert void <= 10


def test_a_run_of_few_steps_tells_nothing_of_the_speed() -> None:
    """A single step costs a launch; the chunks of a later, long run are no shorter for it."""
    pace = Pace(1000, 0)
    run(pace, 1_000_000, 1e12, np.zeros(1_000_000))
    before = pace.steps
    for _ in range(10):
        run(pace, 1, 1e12, np.zeros(1))
    assert pace.steps == before
