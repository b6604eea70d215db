"""Expressions: from the syntax tree to kernel operations, with the dimension and the kind of every part."""

from __future__ import annotations

from collections.abc import Mapping

from ...grammar import nodes
from ..scope import Entry, Place, Scope
from .calls import read_call
from .core import TIME_FORM, Reader, Translation
from .leaves import read_name, read_number, read_quantity
from .operators import read_binary, read_comparison, read_conditional, read_logical, read_unary

__all__ = ["TIME_FORM", "Translation", "translation_at"]

READERS: Mapping[type, Reader] = {
    nodes.Number: read_number,
    nodes.Quantity: read_quantity,
    nodes.Name: read_name,
    nodes.Unary: read_unary,
    nodes.Binary: read_binary,
    nodes.Comparison: read_comparison,
    nodes.Logical: read_logical,
    nodes.Conditional: read_conditional,
    nodes.Call: read_call,
}


def translation_at(
    scope: Scope, place: Place, rank: int, owner: str = "", locals: Mapping[str, Entry] | None = None
) -> Translation:
    """The translation of one expression that stands at `place`; `rank` says how much its units count (see Constraint)."""
    return Translation(READERS, scope, place, rank, owner, locals or {})
