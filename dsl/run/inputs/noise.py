"""Coloured noise: an Ornstein-Uhlenbeck process of its own for each neuron."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ..duration import time_in_ms
from ..values import Fluctuating, Input, Source, Target, amount


@dataclass(frozen=True)
class Noise(Input):
    """See `noise`."""

    mean: object
    std: object
    tau: float

    def __str__(self) -> str:
        return f"noise about {self.mean}, std {self.std}, tau {self.tau:g} ms"

    def bind(self, target: Target) -> Source:
        deviation = amount(self.std, target.called(f"{target.argument}: std of the noise"))
        if deviation < 0:
            raise UsageError(f"{target.argument}: the standard deviation {self.std} of the noise is negative")
        return Fluctuating(amount(self.mean, target.called(f"{target.argument}: mean of the noise")), deviation, self.tau)


def noise(mean: object, std: object, tau: object) -> Noise:
    """A current that fluctuates about `mean` with standard deviation `std` and correlation time `tau`: `dvdt.noise("0 pA", "50 pA", "5 ms")`.

    An Ornstein-Uhlenbeck process a neuron, stationary from the start and exact on the grid of dt (Gillespie 1996, Phys. Rev. E
    54:2084); the same seed gives the same course. It is worked out before the run: its memory is 8 bytes a neuron and step.
    """
    correlation = time_in_ms(tau, "noise: tau")
    if not correlation > 0:
        raise UsageError(f"noise: tau has to be longer than 0 ms, not {tau}")
    return Noise(mean, std, correlation)
