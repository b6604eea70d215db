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
    **dict.fromkeys(("square", "sqr"), "write `x^2`"),
    "cube": "write `x^3`",
    "fabs": "write `abs(x)`",
    **dict.fromkeys(("sgn", "signum"), "write `sign(x)`"),
    **dict.fromkeys(("maximum", "fmax"), "write `max(a, b)`"),
    **dict.fromkeys(("minimum", "fmin"), "write `min(a, b)`"),
    "fmod": "write `x % y`",
    "trunc": "write `int(x)`",
    "exp2": "write `2^x`",
    **dict.fromkeys(("expit", "logistic", "sigm"), "write `sigmoid(x)`, which is 1/(1 + exp(-x))"),
    "softplus": "write `log1p(exp(x))`",
    **dict.fromkeys(("pos", "positive", "rectify"), "write `relu(x)`"),
    **dict.fromkeys(
        ("sech", "csch", "coth", "sec", "csc", "cot"), "write it with sinh, cosh, tanh, sin, cos or tan, such as `1/cosh(x)`"
    ),
    "arctanh": "write `0.5*log((1 + x)/(1 - x))`",
    "atanh": "write `0.5*log((1 + x)/(1 - x))`",
    **dict.fromkeys(("asinh", "arcsinh"), "write `log(x + sqrt(x^2 + 1))`"),
    **dict.fromkeys(("acosh", "arccosh"), "write `log(x + sqrt(x^2 - 1))`"),
    **dict.fromkeys(
        ("erf", "erfc", "gamma", "lgamma"),
        "give it from Python: declare `{0}(x) : 1`, and parameters={{'{0}': lambda x: math.{0}(x)}}",
    ),
    **dict.fromkeys(
        ("if_else", "ifelse", "piecewise", "Piecewise", "cond"), "write `a if condition else b`, or `where(condition, a, b)`"
    ),
    **dict.fromkeys(("float", "real", "double"), "take it away: numbers are real; a condition counts as 0 or 1"),
    "bool": "compare it with something, such as `x != 0`",
    **dict.fromkeys(("avg", "average"), "write `mean(x)` for the mean over all neurons"),
    "resolution": "write `dt`",
    "steps": "durations are not counted in steps: `refractory 2 ms`; the number of this step is `step`",
    **dict.fromkeys(("random_normal", "Normal"), "write `mean + std*randn()`"),
    **dict.fromkeys(("random_uniform", "Uniform"), "write `low + (high - low)*rand()`"),
    "delay": "let a state follow it, `dx/dt = (v - x)/tau`, or keep old values in variables that `each step:` assigns",
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
            return ELSEWHERE[self.name].format(self.name)
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.arguments in ("t", "t, i"):
            return f"if it is given from outside, declare it with its unit: `{self.name}({self.arguments}) : pA`"
        return f"define it: `{self.name}(x) = ...`; the functions are {', '.join(FUNCTION_NAMES)}"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 and self.name not in ELSEWHERE else None


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
