"""Mistakes with the meaning of statements: flags, noise, draws, blocks, conditions, numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from .name_mistakes import one_of


@dataclass(frozen=True)
class NotACondition(Mistake):
    """A number where something that holds or does not hold is needed."""

    code: ClassVar[str] = "condition"
    where: str

    @property
    def message(self) -> str:
        return f"{self.where} needs a condition, and this is a number"

    @property
    def help(self) -> str:
        return f"compare it with something: `{self.span.text} > ...`"


@dataclass(frozen=True)
class WholeNumberNeeded(Mistake):
    """A real number where only whole numbers (or truth values) are kept."""

    code: ClassVar[str] = "kind"
    place: str
    kind: str
    found: str

    @property
    def message(self) -> str:
        return f"{self.place} is {self.kind}, but this is {self.found}"

    @property
    def help(self) -> str:
        text = self.span.text
        if self.kind == "boolean":
            return f"compare it with something: `{text} > ...`"
        return f"say how it becomes a whole number: `int({text})` cuts off, `int(round({text}))` rounds"


@dataclass(frozen=True)
class ConstantNotFinite(Mistake):
    """Arithmetic on written numbers whose result is no finite number."""

    code: ClassVar[str] = "number"

    @property
    def message(self) -> str:
        return "this has no finite value"

    @property
    def help(self) -> str:
        return "numbers reach up to 1.8e308; nothing can be divided by zero; where infinity is meant, write `inf`"


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
class SharedDiffers(Mistake):
    """A definition flagged `(shared)` that reads what has one value a neuron."""

    code: ClassVar[str] = "flag"
    name: str
    why: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is shared, one value for the population, but `{self.span.text}` {self.why}"

    @property
    def help(self) -> str:
        if "state" in self.why:
            return f"take `shared` away, or use what is one for all, such as `mean({self.span.text})`"
        return f"take `shared` away: then `{self.name}` has one value a neuron too"


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
class FlagNotAllowed(Mistake):
    """A flag that does not fit its statement."""

    code: ClassVar[str] = "flag"
    flag: str
    what: str
    advice: str | None

    @property
    def message(self) -> str:
        return f"{self.what} cannot be `{self.flag}`"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True)
class DerivativeOfKind(Mistake):
    """A differential equation for an integer or a boolean."""

    code: ClassVar[str] = "kind"
    name: str
    kind: str

    @property
    def message(self) -> str:
        return f"`{self.name}` has a differential equation and cannot be {self.kind}"

    @property
    def help(self) -> str:
        return "write the unit of a real quantity, or assign it in an `each step:` block"


@dataclass(frozen=True)
class InitialValueUses(Mistake):
    """An initial value or a default that reads what is not there before a run."""

    code: ClassVar[str] = "initial"
    name: str
    what: str

    @property
    def message(self) -> str:
        return f"{self.what} cannot use `{self.name}`, which has no value before the run"

    @property
    def help(self) -> str:
        return "use numbers, parameters, other states, `i`, `N`, `rand()` and `randn()`"


@dataclass(frozen=True)
class NotAssignable(Mistake):
    """A block that assigns what is not its own to change."""

    code: ClassVar[str] = "assignment"
    name: str
    what: str
    defined: Span | None

    @property
    def message(self) -> str:
        return f"`{self.name}` is {self.what} and cannot be assigned"

    @property
    def labels(self) -> tuple[Label, ...]:
        return () if self.defined is None else (Label(self.defined, "follows from this"),)

    @property
    def help(self) -> str:
        if self.defined is None:
            return "choose another name"
        return f"assign the states it follows from, or start it with `{self.name}(0) = ...` instead"


@dataclass(frozen=True)
class LocalNeverRead(Mistake):
    """A name that a block assigns and nothing reads."""

    code: ClassVar[str] = "assignment"
    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.name}` is assigned here and never read"

    @property
    def help(self) -> str:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return f"declare it, if it should be kept: `{self.name} : unit`, or `{self.name}(0) = ...`"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class ReductionInEvent(Mistake):
    """A sum over the population inside the block of an event."""

    code: ClassVar[str] = "population"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` looks at all neurons, which an event of one neuron cannot wait for"

    @property
    def help(self) -> str:
        return "compute it in an `each step:` block, or in `each step after reset:`"


@dataclass(frozen=True)
class PopulationFunctionHere(Mistake):
    """A sum over the population in an initial value, a default, a duration."""

    code: ClassVar[str] = "population"
    name: str
    where: str

    @property
    def message(self) -> str:
        return f"`{self.name}` looks at all neurons, which {self.where} cannot"

    @property
    def help(self) -> str:
        return "use it in equations, definitions and `each step:` blocks"


@dataclass(frozen=True)
class OldMisused(Mistake):
    """`old(...)` outside a block, or of something that is not a state."""

    code: ClassVar[str] = "assignment"
    outside: bool

    @property
    def message(self) -> str:
        if self.outside:
            return "`old` is the value before a block, and this stands in no block"
        return "`old` takes the name of a state"

    @property
    def help(self) -> str:
        return "write the name alone, which is its value now" if self.outside else "write `old(v)`"


@dataclass(frozen=True)
class CrossesMisused(Mistake):
    """`v crosses V_t` where no event is tested."""

    code: ClassVar[str] = "condition"

    @property
    def message(self) -> str:
        return "`crosses` belongs to the condition of an event"

    @property
    def help(self) -> str:
        return "use `>` here"


@dataclass(frozen=True)
class MatrixMisused(Mistake):
    """matmul without a matrix, or a matrix outside matmul."""

    code: ClassVar[str] = "matrix"
    name: str
    is_matrix: bool

    @property
    def message(self) -> str:
        if self.is_matrix:
            return f"`{self.name}` is a matrix, not one number"
        return "the first argument of `matmul` is the name of a parameter with the flag `matrix`"

    @property
    def help(self) -> str:
        return f"write `matmul({self.name}, x)` with the x it is applied to" if self.is_matrix else "declare it: `W : 1 (matrix)`"


@dataclass(frozen=True)
class NotHeld(Mistake):
    """`holding x` where x has no differential equation."""

    code: ClassVar[str] = "name"
    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.name}` has no differential equation here"

    @property
    def help(self) -> str | None:
        return f"did you mean {one_of(self.near)}?" if self.near else "name the states whose derivative counts"


@dataclass(frozen=True)
class RefractoryKind(Mistake):
    """A condition given as a duration."""

    code: ClassVar[str] = "condition"

    @property
    def message(self) -> str:
        return "`refractory` takes a duration, and this is a condition"

    @property
    def help(self) -> str:
        return f"write `refractory while {self.span.text}`"

    @property
    def replacement(self) -> str:
        return f"while {self.span.text}"


@dataclass(frozen=True)
class UnknownMethod(Mistake):
    """A scheme that does not exist."""

    code: ClassVar[str] = "method"
    name: str
    near: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no integration scheme `{self.name}`"

    @property
    def help(self) -> str:
        return f"did you mean {one_of(self.near)}?" if self.near else f"the schemes are {', '.join(self.known)}"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class TimeWanted(Mistake):
    """A recommended step or duration that is no written time above 0."""

    code: ClassVar[str] = "time"
    statement: str

    @property
    def message(self) -> str:
        return f"{self.statement} has to be a time longer than 0, written as a number"

    @property
    def help(self) -> str:
        return "write it with its unit, such as `dt 0.1 ms` or `duration 200 ms`"


@dataclass(frozen=True)
class UnknownSurrogate(Mistake):
    """A surrogate that does not exist."""

    code: ClassVar[str] = "surrogate"
    name: str
    near: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no surrogate `{self.name}`"

    @property
    def help(self) -> str:
        return f"did you mean {one_of(self.near)}?" if self.near else f"the surrogates are {', '.join(self.known)}"

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class UnknownSetting(Mistake):
    """A setting that a surrogate does not have."""

    code: ClassVar[str] = "surrogate"
    name: str
    surrogate: str
    near: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"the surrogate `{self.surrogate}` has no setting `{self.name}`"

    @property
    def help(self) -> str:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return f"it has {', '.join(f'`{name}`' for name in self.known)}" if self.known else "it has none"


@dataclass(frozen=True)
class SettingOutOfRange(Mistake):
    """A setting of a surrogate that has to be above 0."""

    code: ClassVar[str] = "surrogate"
    name: str
    value: float

    @property
    def message(self) -> str:
        return f"`{self.name}` has to be above 0, and it is {self.value:g}"

    @property
    def help(self) -> str:
        return "it is a width or a slope: write a number above 0"


@dataclass(frozen=True)
class NumberWanted(Mistake):
    """An argument of a surrogate that is no written number."""

    code: ClassVar[str] = "number"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` has to be a plain number"

    @property
    def help(self) -> str:
        return f"write its value: `{self.name}=100`"


@dataclass(frozen=True)
class NotAValue(Mistake):
    """A text that should be one quantity and is not."""

    code: ClassVar[str] = "value"

    @property
    def message(self) -> str:
        return "this is not one number"

    @property
    def help(self) -> str:
        return "give a number with its unit, such as `500 pA`"


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
