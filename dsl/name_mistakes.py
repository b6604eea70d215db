"""Mistakes with names: what is not known, not callable, defined twice or in a circle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..grammar.mistakes import Label, Mistake
from ..grammar.source import Span


def one_of(names: tuple[str, ...]) -> str:
    """`a`, `b` or `c`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def listing(names: tuple[str, ...], most: int = 12) -> str:
    """a, b, c, ..."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def round_trip(names: tuple[str, ...], verb: str, most: int = 6) -> str:
    """`a` needs `b` needs `a`."""
    shown = [f"`{name}`" for name in (*names, names[0])]
    if len(shown) > most:
        shown = [*shown[: most - 2], "...", shown[-1]]
    return f" {verb} ".join(shown)


@dataclass(frozen=True)
class UnknownName(Mistake):
    """A name that nothing defines."""

    code: ClassVar[str] = "name"
    name: str
    near: tuple[str, ...]
    known: tuple[str, ...]
    in_value: bool = False  # in a value that is given from Python, where nothing can be defined
    keyword_form: bool = False  # where the caller gives values beside the text

    @property
    def message(self) -> str:
        return f"`{self.name}` is not defined"

    @property
    def help(self) -> str:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.in_value:
            return f"a value here may use {listing(self.known)}" if self.known else "write a number with its unit"
        define = f"define it (`{self.name} = ...`, or `{self.name} : unit`)"
        if self.keyword_form:
            define += f", or give its value, parameters={{'{self.name}': ...}} (variables of the caller are not read)"
        return f"{define}; the names of this text are {listing(self.known)}" if self.known else define

    @property
    def replacement(self) -> str | None:
        return self.near[0] if len(self.near) == 1 else None


@dataclass(frozen=True)
class DefinedTwice(Mistake):
    """A second statement for the same thing."""

    code: ClassVar[str] = "duplicate"
    name: str
    first: Span

    @property
    def message(self) -> str:
        return f"{self.name} is given twice"

    @property
    def note(self) -> str:
        return "here again"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.first, "here first"),)

    @property
    def help(self) -> str:
        return "keep one of them"


@dataclass(frozen=True)
class StateDefined(Mistake):
    """`x = ...` for a name that is a state."""

    code: ClassVar[str] = "duplicate"
    name: str
    state: Span
    value: str
    event: Span | None = None  # one without a block that stands directly above

    @property
    def message(self) -> str:
        return f"`{self.name}` is a state and cannot also be defined as a formula"

    @property
    def labels(self) -> tuple[Label, ...]:
        above = () if self.event is None else (Label(self.event, "this event has no block"),)
        return (Label(self.state, "this makes it a state"), *above)

    @property
    def help(self) -> str:
        reset = "" if self.event is None else "if this is the reset, end the line above with `:` and indent this one; "
        return f"{reset}for the value it starts from, write `{self.name}(0) = {self.value}`"

    @property
    def replacement(self) -> str:
        return f"{self.name}(0)"


@dataclass(frozen=True)
class DerivativeMeant(Mistake):
    """`dv = ...` or `dvdt = ...` where nothing says what v is."""

    code: ClassVar[str] = "name"
    name: str
    written: str

    @property
    def message(self) -> str:
        return f"`{self.written}` is a name like any other, and nothing says what `{self.name}` is"

    @property
    def help(self) -> str:
        return f"did you mean `d{self.name}/dt`?"

    @property
    def replacement(self) -> str:
        return f"d{self.name}/dt"


@dataclass(frozen=True)
class Cycle(Mistake):
    """Definitions that need one another."""

    code: ClassVar[str] = "cycle"
    names: tuple[str, ...]
    others: tuple[Span, ...]

    @property
    def message(self) -> str:
        if len(self.names) == 1:
            return f"`{self.names[0]}` is defined by itself"
        return f"definitions go round in a circle: {round_trip(self.names, 'needs')}"

    @property
    def labels(self) -> tuple[Label, ...]:
        return tuple(Label(span, "") for span in self.others[:6])

    @property
    def help(self) -> str:
        return f"if `{self.names[0]}` changes with time, write `d{self.names[0]}/dt = ...` for it"


@dataclass(frozen=True)
class Recursion(Mistake):
    """A function of the text that calls itself."""

    code: ClassVar[str] = "cycle"
    names: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"a function cannot call itself: {round_trip(self.names, 'calls')}"

    @property
    def help(self) -> str:
        return "write it out, or choose between the cases with `a if condition else b`"


@dataclass(frozen=True)
class WrittenOutTooLong(Mistake):
    """An expression that has no reasonable size once the functions and definitions that it uses are written out."""

    code: ClassVar[str] = "size"
    most: int
    what: str  # "terms" or "levels"
    whole_model: bool
    longest: str  # of what the expression uses

    @property
    def message(self) -> str:
        if self.whole_model:
            return f"with all functions written out, the model has more than {self.most} {self.what} here"
        return f"with all functions and definitions written out, this has more than {self.most} {self.what}"

    @property
    def help(self) -> str:
        uses = f"most of it is `{self.longest}`; " if self.longest else ""
        return f"{uses}let a block compute intermediate values, one after the other: `each step: a = ...; b = a*a`"


@dataclass(frozen=True)
class GivenAndDefined(Mistake):
    """A name that the text defines and that `parameters` gives as well."""

    code: ClassVar[str] = "duplicate"
    name: str
    first: Span

    @property
    def message(self) -> str:
        return f"`{self.name}` is given in `parameters` and defined in the text"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.first, "defined here"),)

    @property
    def help(self) -> str:
        return "remove one of them; a value of a parameter is changed where the model is used"


@dataclass(frozen=True)
class MissingThreshold(Mistake):
    """`reset=` without `threshold=`."""

    code: ClassVar[str] = "event"

    @property
    def message(self) -> str:
        return "a reset without a threshold never happens"

    @property
    def help(self) -> str:
        return 'say when it happens: `threshold="v > -50*mV"`'


@dataclass(frozen=True)
class NotAnIdentifier(Mistake):
    """`method=` with something that is not the name of a scheme."""

    code: ClassVar[str] = "method"
    text: str

    @property
    def message(self) -> str:
        return "this is not the name of an integration scheme"

    @property
    def help(self) -> str:
        return 'write its name, such as `"rk4"` or `"euler_sequential(v, u)"`'
