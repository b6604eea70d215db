"""The nearest known word to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of `known` that a person most likely meant by `word`, or None where none is near.

    Near is one edit (a letter added, lost, changed, or two swapped) for words of up to four letters, two for longer ones.
    Among equally near words the same first letter, then the order of `known`, decides.
    """
    reach = 1 if len(word) <= 4 else 2
    best: tuple[float, bool] | None = None
    found: str | None = None
    for candidate in known:
        if candidate == word or abs(len(candidate) - len(word)) > reach:
            continue
        distance = 0.5 if candidate.lower() == word.lower() else edits(word, candidate, reach)
        # as many edits as letters make any short word near: not meant
        if distance > reach or distance >= max(len(word), len(candidate)):
            continue
        rank = (distance, candidate[0].lower() != word[0].lower())
        if best is None or rank < best:
            best, found = rank, candidate
    return found


def edits(first: str, second: str, limit: int) -> int:
    """The number of edits between two words (Damerau-Levenshtein, adjacent swaps); more than `limit` may be given as limit + 1."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        older, before = before, row
        row = [i]
        for j, b in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and b == first[i - 2]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
