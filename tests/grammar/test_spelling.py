"""Edit distance against its definition, and what is near."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from dvdt.grammar.spelling import edits, nearest

words = st.text("abc", max_size=6)


def by_definition(first: str, second: str) -> int:
    """Optimal string alignment, as the recursion that defines it."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        choices = [distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])]
        if i > 1 and j > 1 and first[i - 1] == second[j - 2] and first[i - 2] == second[j - 1]:
            choices.append(distance(i - 2, j - 2) + 1)
        return min(choices)

    return distance(len(first), len(second))


@given(words, words)
def test_edits(first, second):
    wanted = by_definition(first, second)
    assert edits(first, second, 10) == wanted
    assert edits(first, second, 2) == wanted or wanted > 2


def test_nearest():
    assert nearest("refractry", ("refractory", "required")) == "refractory"
    assert nearest("sharde", ("required", "shared")) == "shared"
    assert nearest("mv", ("mV", "ms")) == "mV"
    assert nearest("vol", ("mol", "volt")) == "volt"
    assert nearest("v", ("w", "V_m")) is None
    assert nearest("entirely", ("different",)) is None
