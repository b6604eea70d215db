"""The catalogue of findings: one frozen dataclass each, laid out as mistakes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...grammar.mistakes import Label, Mistake
from ...grammar.source import Span
from ..rendering import render


class Findings(tuple["Finding", ...]):
    """The findings of one model, by place; prints as a report."""

    def __repr__(self) -> str:
        return render(self) or "nothing found"

    __str__ = __repr__


@dataclass(frozen=True)
class Finding(Mistake):
    """Something that is no mistake, and that the author of a text hardly meant."""

    severity: ClassVar[str] = "warning"


@dataclass(frozen=True)
class NeverUsed(Finding):
    """A parameter, or a function, that nothing reads."""

    code: ClassVar[str] = "unused"
    name: str
    what: str

    @property
    def message(self) -> str:
        return f"nothing uses the {self.what} `{self.name}`"

    @property
    def help(self) -> str:
        return "take the line away, or use it"


@dataclass(frozen=True)
class BareNumber(Finding):
    """`tau = 20` in a text with units, in which tau is then a plain number."""

    code: ClassVar[str] = "unit"
    name: str
    quantity: str
    meant: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is a plain number, and its name is that of {self.quantity}"

    @property
    def help(self) -> str:
        return f"was `{self.meant}` meant? If it is a number, write `: 1` behind it"


@dataclass(frozen=True)
class NeverHolds(Finding):
    """An event whose condition no state can fulfil."""

    code: ClassVar[str] = "never"
    event: str
    parameters: tuple[str, ...]

    @property
    def message(self) -> str:
        defaults = "default" if len(self.parameters) == 1 else "defaults"
        given = f" with the {defaults} of {' and '.join(self.parameters)}" if self.parameters else ""
        return f"the event `{self.event}` never happens: its condition cannot hold{given}"

    @property
    def help(self) -> str:
        return "compare the sides of the condition: one of its bounds is out of reach, or two exclude each other"


@dataclass(frozen=True)
class NeverRefractory(Finding):
    """A refractory period in a model that has no spike."""

    code: ClassVar[str] = "never"

    @property
    def message(self) -> str:
        return "nothing makes the neuron refractory: the model has no spike"

    @property
    def help(self) -> str:
        return "say when it spikes, `spike when ...`, or take the line away"


@dataclass(frozen=True)
class HoldsAfterReset(Finding):
    """A reset to a value at which the event happens again."""

    code: ClassVar[str] = "always"
    event: str
    condition: Span

    @property
    def message(self) -> str:
        return f"the block of `{self.event}` leaves its condition true: it happens again as soon as it may"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.condition, "still holds"),)

    @property
    def help(self) -> str:
        return "reset to a value on the other side of the threshold"


@dataclass(frozen=True)
class AlwaysHolds(Finding):
    """An event whose condition holds whatever the states are."""

    code: ClassVar[str] = "always"
    event: str

    @property
    def message(self) -> str:
        return f"the event `{self.event}` happens in every step: its condition always holds"

    @property
    def help(self) -> str:
        return "for what is done in every step, write `each step: ...`"


@dataclass(frozen=True)
class BothSides(Finding):
    """A comparison, a difference, a quotient, a choice between a thing and itself."""

    code: ClassVar[str] = "same"
    operator: str
    side: str

    @property
    def message(self) -> str:
        if self.operator in ("min", "max"):
            return f"`{self.side}` stands twice in `{self.operator}`"
        return f"the same, `{self.side}`, stands on both sides of `{self.operator}`"

    @property
    def help(self) -> str:
        return "was another name meant on one of them?"


@dataclass(frozen=True)
class ChangesNothing(Finding):
    """An assignment of a state to itself."""

    code: ClassVar[str] = "same"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is set to what it is already"

    @property
    def help(self) -> str:
        return "take the line away, or write what it is to become"


@dataclass(frozen=True)
class NotFinite(Finding):
    """An equation that is infinite, or not a number, where a run begins."""

    code: ClassVar[str] = "start"
    state: str
    where: str

    @property
    def message(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"the derivative of `{self.state}` is not finite at the initial values{where}"

    @property
    def help(self) -> str:
        return "give an initial value at which it is, or look at the scale of an exponential or of a divisor"


@dataclass(frozen=True)
class Cancels(Finding):
    """A parameter that is read, and on whose value nothing depends."""

    code: ClassVar[str] = "cancels"
    name: str
    place: Span

    @property
    def message(self) -> str:
        return f"the value of `{self.name}` makes no difference: it cancels wherever it is read"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.place, "here it cancels"),)

    @property
    def help(self) -> str:
        return "look for a factor that stands above and below, or a term that is added and subtracted"


@dataclass(frozen=True)
class ShorterThanStep(Finding):
    """A time constant that one step passes by."""

    code: ClassVar[str] = "step"
    name: str
    tau: float
    dt: float

    @property
    def message(self) -> str:
        return f"the time constant `{self.name}` of {self.tau:g} ms is shorter than the step of {self.dt:g} ms"

    @property
    def help(self) -> str:
        return f"run with a dt of {self.tau / 5:.2g} ms or less, or with a method under which it decays: exact, exponential_euler, backward_euler"


@dataclass(frozen=True)
class DecaysWithinStep(ShorterThanStep):
    """An equation that decays within a step, though no parameter is its time constant."""

    @property
    def message(self) -> str:
        return f"`{self.name}` decays with a time constant of {self.tau:g} ms, shorter than the step of {self.dt:g} ms"


@dataclass(frozen=True)
class NoWholeSteps(Finding):
    """A refractory period that is no whole number of steps."""

    code: ClassVar[str] = "refractory"
    duration: float
    dt: float
    steps: int

    @property
    def message(self) -> str:
        counted = f"{self.duration / self.dt:.6g} steps of {self.dt:g} ms"
        return f"the refractory period of {self.duration:g} ms is {counted}; it is counted in whole steps, and holds {self.steps}"

    @property
    def help(self) -> str:
        return "choose a dt that divides it"
