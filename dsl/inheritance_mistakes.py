"""Mistakes between a model and the one that it goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Mistake
from .name_mistakes import one_of, round_trip


@dataclass(frozen=True)
class UnknownBase(Mistake):
    """`model a(b):` where no model `b` is known."""

    code: ClassVar[str] = "inheritance"
    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no model `{self.name}` to inherit from"

    @property
    def help(self) -> str | None:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return "a model has to be registered, or to stand above in the same text"


@dataclass(frozen=True)
class InheritanceCycle(Mistake):
    """A model that inherits from itself."""

    code: ClassVar[str] = "inheritance"
    names: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"a model cannot inherit from itself: {round_trip(self.names, 'from')}"

    @property
    def help(self) -> str:
        return "name another model between the brackets"


@dataclass(frozen=True)
class InheritanceTooDeep(Mistake):
    """A model over so many bases that nobody can follow them."""

    code: ClassVar[str] = "inheritance"
    deepest: int

    @property
    def message(self) -> str:
        return f"this model stands on more than {self.deepest} others, one on the other"

    @property
    def help(self) -> str:
        return "let models inherit from a common base instead of from one another"


@dataclass(frozen=True)
class NothingToRemove(Mistake):
    """`without x` where the base has no `x`."""

    code: ClassVar[str] = "inheritance"
    name: str
    near: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"the model inherits no `{self.name}` that could be removed"

    @property
    def help(self) -> str | None:
        return f"did you mean {one_of(self.near)}?" if self.near else None


@dataclass(frozen=True)
class UnitChanged(Mistake):
    """A derived model that gives an inherited name another unit."""

    code: ClassVar[str] = "inheritance"
    name: str
    inherited: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is in {self.inherited} in the model this one inherits from"

    @property
    def help(self) -> str:
        return f"keep `: {self.inherited}`, so that plain numbers given for `{self.name}` mean the same in both models"
