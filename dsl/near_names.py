"""Names that a person probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from ..grammar.spelling import edits


def near_names(wrong: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names that are closest to `wrong`, up to `most`.

    Close is a difference in case or in `_` only, or one edit (a letter added, lost, changed, two neighbours swapped), two for names
    of five letters and more; single letters are close only in case.
    """
    scored = sorted((distance(wrong, name), name) for name in set(known) if name != wrong)
    reach = min(scored[0][0], 1 if len(wrong) <= 4 else 2) if scored else 0
    return tuple(name for far, name in scored[:most] if far <= reach)


def distance(wrong: str, name: str) -> float:
    """Edits between two names; half of one where only case or `_` differ."""
    if wrong.casefold().replace("_", "") == name.casefold().replace("_", ""):
        return 0.5
    if min(len(wrong), len(name)) < 2:
        return 99
    far = edits(wrong, name, 2)
    return far if far < min(len(wrong), len(name)) else 99
