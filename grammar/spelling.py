"""How names are spelt: in one form, and the known words nearest to a misspelt one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from math import inf

# what the slips of a hand cost: neighbours swapped, a letter added or lost, a letter changed; a difference in case or in `_` only
SWAP, ADD, CHANGE, CASE = 0.8, 0.9, 1.0, 0.5


def as_written(name: str) -> str:
    """A name in the one form in which texts hold it: NFKC, and the increment sign, which keyboards write, as a Delta."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name.replace("∆", "Δ"))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of `known` that a person most likely meant by `word`, or None where none is near.

    Among equally near words the same first letter, then the order of `known`, decides.
    """
    scored = [(closeness(word, name), name[:1].lower() != word[:1].lower(), place, name) for place, name in enumerate(known)]
    best = min(scored, default=None)
    return best[3] if best is not None and best[0] < inf else None


def closeness(word: str, name: str) -> float:
    """What it costs to turn a word into a name that may have been meant by it; infinite where it cannot.

    Near is one slip for words of up to four letters, two for longer ones; single letters are near in case only.
    """
    if word == name:
        return inf
    if word.casefold().replace("_", "") == name.casefold().replace("_", ""):
        return CASE
    reach = 1 if len(word) <= 4 else 2
    if abs(len(word) - len(name)) > reach or min(len(word), len(name)) < 2 or len(set(word).difference(name)) > reach:
        return inf
    cost = edits(word, name, reach)
    return cost if cost <= reach and cost < min(len(word), len(name)) else inf


def edits(first: str, second: str, limit: float) -> float:
    """The cost of the slips between two words (optimal string alignment); of more than `limit` it is only known that it is more."""
    before: list[float] = []
    row = [j * ADD for j in range(len(second) + 1)]
    for i, a in enumerate(first, 1):
        older, before = before, row
        row = [i * ADD]
        for j, b in enumerate(second, 1):
            cost = min(before[j] + ADD, row[j - 1] + ADD, before[j - 1] + (CHANGE if a != b else 0))
            if i > 1 and j > 1 and a == second[j - 2] and b == first[i - 2]:
                cost = min(cost, older[j - 2] + SWAP)
            row.append(cost)
        if min(row) > limit and min(before) > limit:
            return inf
    return row[-1]
