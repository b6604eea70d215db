"""Edit distance against its definition, and what is near."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvdt.grammar.spelling import ADD, CHANGE, SWAP, edits, nearest

words = st.text("abc", max_size=6)


def by_definition(first: str, second: str) -> int:
    """Optimal string alignment with these costs, as the recursion that defines it."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return (i + j) * ADD
        change = CHANGE if first[i - 1] != second[j - 1] else 0
        choices = [distance(i - 1, j) + ADD, distance(i, j - 1) + ADD, distance(i - 1, j - 1) + change]
        if i > 1 and j > 1 and first[i - 1] == second[j - 2] and first[i - 2] == second[j - 1]:
            choices.append(distance(i - 2, j - 2) + SWAP)
        return min(choices)

    return distance(len(first), len(second))


@given(words, words)
def test_edits(first, second):
    wanted = by_definition(first, second)
    assert edits(first, second, 10) == pytest.approx(wanted)
    assert edits(first, second, 2) == pytest.approx(wanted) or wanted > 2


def test_nearest():
    assert nearest("refractry", ("refractory", "required")) == "refractory"
    assert nearest("sharde", ("required", "shared")) == "shared"
    assert nearest("mv", ("mV", "ms")) == "mV"
    assert nearest("vol", ("mol", "volt")) == "volt"
    assert nearest("v", ("w", "V_m")) is None
    assert nearest("sinn", ("sign", "sinh", "sin")) == "sin"  # a letter typed twice before a wrong letter
    assert nearest("apm", ("arm", "amp")) == "amp"  # a swap before a wrong letter
    assert nearest("entirely", ("different",)) is None
