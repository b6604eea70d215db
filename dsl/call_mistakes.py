"""Mistakes with functions and their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Mistake
from .functions import FUNCTION_NAMES
from .name_mistakes import one_of

# functions of other languages and simulators, and what is written for them here
ELSEWHERE: Mapping[str, str] = {
    "ln": "write `log(x)`, the natural logarithm",
    "pow": "write `x^y`",
    "power": "write `x^y`",
    "fabs": "write `abs(x)`",
    "heav": "write `heaviside(x)`",
    "sum": "write `total(x)` for the sum over all neurons, `a + b` for a sum of terms",
    "H": "write `heaviside(x)`",
    "theta": "write `heaviside(x)`",
    "delta": "a kick is an event: `on kick when t >= t_0 and t - dt < t_0: v += 1 mV`",
    "normal": "write `mean + std*randn() (constant)` for a value drawn once a neuron",
    "gauss": "write `mean + std*randn() (constant)` for a value drawn once a neuron",
    "uniform": "write `low + (high - low)*rand() (constant)` for a value drawn once a neuron",
    "random": "write `rand()`",
    "ran": "write `rand()`",
    "PoissonInput": "write `w*poisson(n*rate*dt)` in `each step:`, or give the input from Python",
    "TimedArray": "call the input as `I(t)`, and give it in `parameters`: dvdt.TimedSeries(values, dt)",
    "convolve": "let a state follow the spikes: `ds/dt = -s/tau`, which an event raises: `s += w`",
}


@dataclass(frozen=True)
class UnknownFunction(Mistake):
    """A call of something that is not known."""

    code: ClassVar[str] = "name"
    name: str
    near: tuple[str, ...]
    arguments: str = ""

    @property
    def message(self) -> str:
        return f"there is no function `{self.name}`"

    @property
    def help(self) -> str:
        if self.name in ELSEWHERE:
            return ELSEWHERE[self.name]
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.arguments in ("t", "t, i"):
            return f"if it is given from outside, declare it with its unit: `{self.name}({self.arguments}) : pA`"
        return f"define it: `{self.name}(x) = ...`; the functions are {', '.join(FUNCTION_NAMES)}"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class NotAFunction(Mistake):
    """A variable that is called."""

    code: ClassVar[str] = "name"
    name: str
    what: str
    arguments: str = "..."

    @property
    def message(self) -> str:
        return f"`{self.name}` is {self.what}, not a function"

    @property
    def help(self) -> str:
        return f"to multiply, write `{self.name}*({self.arguments})`"


@dataclass(frozen=True)
class FunctionWithoutArguments(Mistake):
    """A function that is named and not called."""

    code: ClassVar[str] = "name"
    name: str
    call: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is a function and needs its arguments"

    @property
    def help(self) -> str:
        return f"write `{self.call}`"


@dataclass(frozen=True)
class WrongNumberOfArguments(Mistake):
    """A call with too few or too many arguments."""

    code: ClassVar[str] = "call"
    name: str
    call: str
    wanted: str
    found: int

    @property
    def message(self) -> str:
        return f"`{self.name}` takes {self.wanted}, not {self.found}"

    @property
    def help(self) -> str:
        return f"write `{self.call}`"
