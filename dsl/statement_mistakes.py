"""Mistakes with the meaning of statements: flags, noise, draws, blocks, conditions, numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span
from .name_mistakes import one_of


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
