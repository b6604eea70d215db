"""Names that a person probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from ..grammar.spelling import closeness

ALIKE = 0.25  # suggestions that are hardly less near than the nearest are named beside it
FARTHER = 0.45  # what a name costs that is known everywhere, beside the names of the text itself


def near_names(wrong: str, known: Iterable[str], most: int = 3, everywhere: Iterable[str] = ()) -> tuple[str, ...]:
    """The known names that are closest to `wrong`, up to `most`, the likeliest first.

    Close is what `closeness` says: a difference in case or in `_` only, one slip of the hand, two for names of five letters and more.
    Of `everywhere`, the names of the language, one is suggested only where none of `known` is as close.
    """
    costs = {name: closeness(wrong, name) + FARTHER for name in everywhere} | {name: closeness(wrong, name) for name in known}
    near = sorted((cost, name[0].lower() != wrong[0].lower(), name) for name, cost in costs.items() if cost < inf)
    return tuple(name for cost, _, name in near[:most] if cost <= near[0][0] + ALIKE)
