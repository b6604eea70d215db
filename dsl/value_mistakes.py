"""Mistakes with values: what an expression holds and cannot hold where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Mistake


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
