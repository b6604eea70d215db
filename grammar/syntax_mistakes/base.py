"""What every mistake of syntax has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..mistakes import Mistake


@dataclass(frozen=True)
class SyntaxMistake(Mistake):
    """`message`, `note` and `help` of the simple kinds stand here as fixed sentences."""

    code: ClassVar[str] = "syntax"
