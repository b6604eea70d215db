"""The syntax of a checked model, whichever process has checked it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grammar.source import Source
from .checked import CheckedModel

if TYPE_CHECKING:
    from ..grammar.nodes import ModelDeclaration


def declaration_of(checked: CheckedModel) -> ModelDeclaration:
    """The syntax of a checked model, all that it inherits written out; parsed again from its text where another process has checked it."""
    from ..grammar.parse import parse

    if checked.declaration is not None:
        return checked.declaration
    (model,) = parse(Source(checked.text, checked.name)).module.models
    return model
