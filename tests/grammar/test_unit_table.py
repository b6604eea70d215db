"""The unit table against the definitions of the SI units and what the language promises about it."""

from __future__ import annotations

import numpy as np
import pytest

from dvdt.grammar.unit_table import MEANT, NAMES, PREFIXES, SYMBOLS, UNITS, USUAL, _spellings

# m, kg, s, A, K, mol, cd
VOLT, SECOND, AMPERE = np.array([2, 1, -3, -1, 0, 0, 0]), np.array([0, 0, 1, 0, 0, 0, 0]), np.array([0, 0, 0, 1, 0, 0, 0])
METRE, MOLE, KILOGRAM = np.array([1, 0, 0, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 1, 0]), np.array([0, 1, 0, 0, 0, 0, 0])
JOULE = VOLT + AMPERE + SECOND


@pytest.mark.parametrize(
    ("spelling", "exponents", "decade"),
    [
        ("mV", VOLT, -3),
        ("mvolt", VOLT, -3),
        ("Mohm", VOLT - AMPERE, 6),
        ("MOhm", VOLT - AMPERE, 6),
        ("GΩ", VOLT - AMPERE, 9),
        ("nS", AMPERE - VOLT, -9),
        ("nsiemens", AMPERE - VOLT, -9),
        ("uF", AMPERE + SECOND - VOLT, -6),
        ("µF", AMPERE + SECOND - VOLT, -6),
        ("μF", AMPERE + SECOND - VOLT, -6),
        ("pC", AMPERE + SECOND, -12),
        ("Hz", -SECOND, 0),
        ("mM", MOLE - 3 * METRE, 0),
        ("umolar", MOLE - 3 * METRE, -3),
        ("cm2", 2 * METRE, -4),
        ("cmetre2", 2 * METRE, -4),
        ("um3", 3 * METRE, -18),
        ("l", 3 * METRE, -3),
        ("kg", KILOGRAM, 0),
        ("kilogram", KILOGRAM, 0),
        ("mgram", KILOGRAM, -6),
        ("J", JOULE, 0),
        ("mW", JOULE - SECOND, -3),
        ("Pa", JOULE - 3 * METRE, 0),
        ("T", VOLT + SECOND - 2 * METRE, 0),
        ("H", VOLT + SECOND - AMPERE, 0),
        ("ys", SECOND, -24),
        ("YV", VOLT, 24),
        ("daA", AMPERE, 1),
        ("radian", 0 * METRE, 0),
    ],
)
def test_definition(spelling, exponents, decade):
    found, scale = UNITS[spelling]
    assert found == tuple(exponents)
    assert scale == decade


@pytest.mark.parametrize(
    "word", ["h", "min", "d", "N", "hour", "minute", "day", "newton", "mN", "degC", "boolean", "integer", "pi", "e", "v", "w"]
)
def test_left_out(word):
    assert word not in UNITS


def test_no_spelling_has_two_meanings():
    meanings: dict[str, object] = {}
    for spelling, entry in _spellings():
        assert meanings.setdefault(spelling, entry) == entry


def test_every_prefix_of_every_unit():
    assert all(prefix + name in UNITS for prefix in PREFIXES for name in (*SYMBOLS, *NAMES))
    assert all(name in UNITS for name in (*USUAL, *MEANT.values()))
    assert not set(MEANT) & set(UNITS)
