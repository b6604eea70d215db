"""How many steps a chunk on a device has: so many that launching it costs little, and that the list of no neuron runs over."""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS = 0.01  # that a chunk takes, about; it is launched in a thirtieth of that
FIRST_CHUNK, FIRST_STEPS = (
    1 << 26,
    1 << 12,
)  # neuron-steps, and steps, that the first chunk has at most: nothing is known of the speed
MOST_STEPS = 1 << 20
GROWTH = 4  # the most by which a chunk is longer than the one before
FILLED = 0.7  # of the places of the fullest list, as far as the last chunks tell
FORGOTTEN = 0.5  # how much of the highest density of events is left after a chunk


@dataclass
class Pace:
    """The length of the next chunk for `n` neurons whose lists have `capacity` places (0: there are no events).

    `density` is the number of events that the fullest neuron has in a step.
    """

    n: int
    capacity: int
    steps: int = 0
    density: float = 0.0

    def __post_init__(self) -> None:
        first = max(1, min(FIRST_STEPS, FIRST_CHUNK // self.n))
        # a neuron has one event of a kind in a step at most, so that the first chunk cannot run over
        self.steps = min(first, self.capacity) if self.capacity else first

    def held(self, steps: int, fullest: int, seconds: float) -> None:
        """A chunk of so many steps took so long, and the fullest neuron had so many events."""
        self.density = max(fullest / steps, FORGOTTEN * self.density)
        if steps >= self.steps:  # a shorter one was cut, and tells little of the speed
            by_time = steps * SECONDS / max(seconds, 1e-9)
            self.steps = int(max(1, min(GROWTH * steps, by_time, MOST_STEPS)))
        self._keep_to_the_lists()

    def ran_over(self, steps: int, fullest: int) -> None:
        """A chunk of so many steps is void because the fullest neuron had so many events. It becomes shorter, and in one step there is one."""
        self.density = max(fullest / steps, self.density)
        self.steps = max(1, min(self.steps, steps // 2))
        self._keep_to_the_lists()

    def _keep_to_the_lists(self) -> None:
        if self.density:
            # rounded up: where a list has two places and some neuron has one event in each chunk, chunks still grow until one has two
            self.steps = max(1, min(self.steps, math.ceil(FILLED * self.capacity / self.density)))
