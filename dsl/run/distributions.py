"""Values that are drawn for each neuron: reproducible from the seed, the name and the neuron's index alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from .values import Distribution, Drawn, Source, Target, amount


@dataclass(frozen=True)
class Normal(Distribution):
    """See `normal`."""

    mean: object
    std: object

    def __str__(self) -> str:
        return f"normal, mean {self.mean}, std {self.std}"

    def bind(self, target: Target) -> Source:
        deviation = amount(self.std, target.called(f"{target.argument}: std of the normal distribution"))
        if deviation < 0:
            raise UsageError(f"{target.argument}: the standard deviation {self.std} of the normal distribution is negative")
        return Drawn("normal", amount(self.mean, target.called(f"{target.argument}: mean of the normal distribution")), deviation)


@dataclass(frozen=True)
class Between(Distribution):
    """See `uniform`."""

    low: object
    high: object

    def __str__(self) -> str:
        return f"uniform, from {self.low} to {self.high}"

    def bind(self, target: Target) -> Source:
        low = amount(self.low, target.called(f"{target.argument}: low of the uniform distribution"))
        high = amount(self.high, target.called(f"{target.argument}: high of the uniform distribution"))
        if high < low:
            raise UsageError(f"{target.argument}: the uniform distribution ends at {self.high}, below its start at {self.low}")
        return Drawn("uniform", low, high)


def normal(mean: object, std: object) -> Normal:
    """A value a neuron from the normal distribution: `dvdt.normal("281 pF", "10 pF")`."""
    return Normal(mean, std)


def uniform(low: object, high: object) -> Between:
    """A value a neuron, evenly from `low` to `high`: `dvdt.uniform("-70 mV", "-55 mV")`."""
    return Between(low, high)
