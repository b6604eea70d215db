"""Mistakes with white noise and random draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from .name_mistakes import one_of


@dataclass(frozen=True)
class NoiseTwice(Mistake):
    """Plain `xi` in two equations."""

    code: ClassVar[str] = "noise"
    first: Span
    names: tuple[str, str]

    @property
    def message(self) -> str:
        return f"`xi` stands in the equations of {one_of(self.names).replace(' or ', ' and ')}: one source of noise or two?"

    @property
    def note(self) -> str:
        return "and here"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.first, "here"),)

    @property
    def help(self) -> str:
        one, two = self.names
        return f"name them: `xi_{one}` and `xi_{two}` are independent, one name in both is the same noise"


@dataclass(frozen=True)
class NonlinearNoise(Mistake):
    """White noise that is squared, divided by, or put through a function."""

    code: ClassVar[str] = "noise"
    name: str

    @property
    def message(self) -> str:
        return f"white noise `{self.name}` can be multiplied by a quantity and added, nothing else"

    @property
    def help(self) -> str:
        extra = f"; if `{self.name}` is meant as a parameter, define it" if self.name != "xi" else ""
        return (
            "filter it first: let a state follow the noise (`dy/dt = -y/tau + sigma*sqrt(2/tau)*xi`) and use that state" + extra
        )


@dataclass(frozen=True)
class NoiseOutsideEquation(Mistake):
    """White noise in a condition, a block, an initial value."""

    code: ClassVar[str] = "noise"
    name: str
    where: str

    @property
    def message(self) -> str:
        return f"white noise `{self.name}` has a meaning only in differential equations, not in {self.where}"

    @property
    def help(self) -> str:
        extra = f", or define `{self.name}` if a parameter is meant" if self.name != "xi" else ""
        return f"draw a number with `randn()`{extra}"


@dataclass(frozen=True)
class DrawNeedsFlag(Mistake):
    """A definition with a random number that does not say when it is drawn."""

    code: ClassVar[str] = "random"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` holds a random number: drawn once, or in every step?"

    @property
    def help(self) -> str:
        return "end the statement with `(constant)` for one draw a run, with `(constant over dt)` for one a step"


@dataclass(frozen=True)
class DrawMisplaced(Mistake):
    """A random number where there is nobody to draw it."""

    code: ClassVar[str] = "random"
    name: str
    where: str

    @property
    def message(self) -> str:
        return f"`{self.name}` draws a random number, which {self.where} cannot"

    @property
    def help(self) -> str:
        return "give an array, or a distribution such as `dvdt.normal(mean, std)`"
