"""What every mistake in a text has in common. The mistakes of syntax stand in `syntax_mistakes`, those of meaning in `dsl.errors`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .source import Span


@dataclass(frozen=True)
class Label:
    """A further place in the text that a message points at, with the note that stands beside its caret."""

    span: Span
    note: str


@dataclass(frozen=True)
class Mistake:
    """One mistake of a person in a text: where it stands, what is wrong, and what to do.

    A subclass is one kind of mistake: its fields are the facts, its `code` the bracketed word of the report
    (`error[units]`), `message` one sentence without a full stop, `note` the few words beside the caret (may be empty),
    `labels` further places, `help` what to type (None where nothing is likely), `replacement` the text that would
    restore the spanned text, where the help amounts to exactly that.
    """

    severity: ClassVar[str] = "error"
    code: ClassVar[str] = "mistake"
    span: Span = field(compare=False)

    @property
    def message(self) -> str:
        raise NotImplementedError

    @property
    def note(self) -> str:
        return ""

    @property
    def labels(self) -> tuple[Label, ...]:
        return ()

    @property
    def help(self) -> str | None:
        return None

    @property
    def replacement(self) -> str | None:
        return None
