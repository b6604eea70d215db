"""Every spelling of a unit that the language knows, as seven exponents (m, kg, s, A, K, mol, cd) and a power of ten of SI.

Hour, minute, day and newton are left out on purpose: their symbols are names of variables (`h`, `min`, `d`, `N`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .spelling import nearest

SIExponents = tuple[int, int, int, int, int, int, int]
UnitEntry = tuple[SIExponents, int]

# fmt: off
PREFIXES: Mapping[str, int] = {
    "": 0,
    "y": -24, "z": -21, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "d": -1,
    "da": 1, "h": 2, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24,
}
# fmt: on

_METRE: UnitEntry = ((1, 0, 0, 0, 0, 0, 0), 0)
_GRAM: UnitEntry = ((0, 1, 0, 0, 0, 0, 0), -3)
_SECOND: UnitEntry = ((0, 0, 1, 0, 0, 0, 0), 0)
_AMPERE: UnitEntry = ((0, 0, 0, 1, 0, 0, 0), 0)
_KELVIN: UnitEntry = ((0, 0, 0, 0, 1, 0, 0), 0)
_MOLE: UnitEntry = ((0, 0, 0, 0, 0, 1, 0), 0)
_CANDELA: UnitEntry = ((0, 0, 0, 0, 0, 0, 1), 0)
_HERTZ: UnitEntry = ((0, 0, -1, 0, 0, 0, 0), 0)
_COULOMB: UnitEntry = ((0, 0, 1, 1, 0, 0, 0), 0)
_VOLT: UnitEntry = ((2, 1, -3, -1, 0, 0, 0), 0)
_SIEMENS: UnitEntry = ((-2, -1, 3, 2, 0, 0, 0), 0)
_OHM: UnitEntry = ((2, 1, -3, -2, 0, 0, 0), 0)
_FARAD: UnitEntry = ((-2, -1, 4, 2, 0, 0, 0), 0)
_HENRY: UnitEntry = ((2, 1, -2, -2, 0, 0, 0), 0)
_TESLA: UnitEntry = ((0, 1, -2, -1, 0, 0, 0), 0)
_WEBER: UnitEntry = ((2, 1, -2, -1, 0, 0, 0), 0)
_JOULE: UnitEntry = ((2, 1, -2, 0, 0, 0, 0), 0)
_WATT: UnitEntry = ((2, 1, -3, 0, 0, 0, 0), 0)
_PASCAL: UnitEntry = ((-1, 1, -2, 0, 0, 0, 0), 0)
_LITRE: UnitEntry = ((3, 0, 0, 0, 0, 0, 0), -3)
_MOLAR: UnitEntry = ((-3, 0, 0, 0, 0, 1, 0), 3)
_RADIAN: UnitEntry = ((0, 0, 0, 0, 0, 0, 0), 0)

SYMBOLS: Mapping[str, UnitEntry] = {
    "m": _METRE,
    "g": _GRAM,
    "s": _SECOND,
    "A": _AMPERE,
    "K": _KELVIN,
    "mol": _MOLE,
    "cd": _CANDELA,
    "Hz": _HERTZ,
    "C": _COULOMB,
    "V": _VOLT,
    "S": _SIEMENS,
    "ohm": _OHM,
    "Ohm": _OHM,
    "Ω": _OHM,
    "F": _FARAD,
    "H": _HENRY,
    "T": _TESLA,
    "J": _JOULE,
    "W": _WATT,
    "Pa": _PASCAL,
    "l": _LITRE,
    "L": _LITRE,
    "M": _MOLAR,
    "rad": _RADIAN,
}

NAMES: Mapping[str, UnitEntry] = {
    "metre": _METRE,
    "meter": _METRE,
    "gram": _GRAM,
    "gramme": _GRAM,
    "second": _SECOND,
    "amp": _AMPERE,
    "ampere": _AMPERE,
    "kelvin": _KELVIN,
    "mole": _MOLE,
    "candle": _CANDELA,
    "hertz": _HERTZ,
    "coulomb": _COULOMB,
    "volt": _VOLT,
    "siemens": _SIEMENS,
    "farad": _FARAD,
    "henry": _HENRY,
    "tesla": _TESLA,
    "weber": _WEBER,
    "joule": _JOULE,
    "watt": _WATT,
    "pascal": _PASCAL,
    "litre": _LITRE,
    "liter": _LITRE,
    "molar": _MOLAR,
    "radian": _RADIAN,
}

# spelled-out names that take no further prefix
PLAIN: Mapping[str, UnitEntry] = {
    "kilogram": ((0, 1, 0, 0, 0, 0, 0), 0),
    "kilogramme": ((0, 1, 0, 0, 0, 0, 0), 0),
    "candela": _CANDELA,
    "steradian": _RADIAN,
    "becquerel": _HERTZ,
}


def _power(entry: UnitEntry, power: int) -> UnitEntry:
    m, kg, s, ampere, kelvin, mol, cd = entry[0]
    exponents = (m * power, kg * power, s * power, ampere * power, kelvin * power, mol * power, cd * power)
    return exponents, entry[1] * power


def _spellings() -> Iterator[tuple[str, UnitEntry]]:
    yield from PLAIN.items()
    for prefix, decade in PREFIXES.items():
        for symbol, (exponents, scale) in (*SYMBOLS.items(), *NAMES.items()):
            entry = (exponents, scale + decade)
            yield prefix + symbol, entry
            if symbol in NAMES or symbol == "m":  # `cmetre2`, `volt2`, `cm2`, `um3`
                yield f"{prefix}{symbol}2", _power(entry, 2)
                yield f"{prefix}{symbol}3", _power(entry, 3)


UNITS: Mapping[str, UnitEntry] = dict(_spellings())

# what people write for a unit that is spelt otherwise
# fmt: off
MEANT: Mapping[str, str] = {
    "sec": "s", "secs": "s", "msec": "ms", "msecs": "ms", "usec": "us", "millisecond": "ms", "milliseconds": "ms",
    "millivolt": "mV", "millivolts": "mV", "mv": "mV", "microvolt": "uV", "v": "V", "nanoamp": "nA", "picoamp": "pA",
    "nanosiemens": "nS", "microsiemens": "uS", "picofarad": "pF", "nanofarad": "nF", "microfarad": "uF",
    "megaohm": "Mohm", "megohm": "Mohm", "MOhms": "Mohm", "hz": "Hz", "HZ": "Hz", "khz": "kHz", "na": "nA", "pa": "pA", "pf": "pF",
    "amps": "amp", "micron": "um", "microns": "um", "centimeter": "cm", "millimeter": "mm",
}
MEANT_BEHIND_COLON: Mapping[str, str] = {
    "int": "integer", "bool": "boolean", "float": "1", "real": "1", "double": "1", "number": "1", "dimensionless": "1", "unitless": "1",
}
# fmt: on

# read as units and refused by the checker, with what to write instead
REFUSED_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("degC", "celsius"), "write temperatures in kelvin: 36 degrees Celsius are `309.15 K`"),
    "degF": "write temperatures in kelvin: 98 degrees Fahrenheit are `309.8 K`",
    **dict.fromkeys(("hour", "hours"), "write seconds: an hour is `3600 s`"),
    **dict.fromkeys(("minute", "minutes", "min"), "write seconds: a minute is `60 s`"),
    **dict.fromkeys(("day", "days"), "write seconds: a day is `86400 s`"),
    "newton": "write it in other units: a newton is `1 J/m`",
    "percent": "write a plain number: one percent is `0.01`",
}

# what people write most, for suggestions: a near spelling is looked for here before in the whole table
USUAL: tuple[str, ...] = (
    *("mV", "ms", "nA", "pA", "nS", "pF", "Mohm", "Hz", "uA", "uS", "mS", "nF", "uF", "s", "V", "A", "S", "F", "us", "um", "cm"),
    *("mM", "uM", "kHz", "Gohm", "kohm", "ohm", "mm", "m", "K", "mol", "fF", "pS", "uV", "mA", "ns"),
    *("volt", "second", "amp", "siemens", "farad", "hertz", "metre", "meter", "ampere", "molar", "mmolar", "kelvin", "coulomb"),
    *(
        "msecond",
        "mvolt",
        "namp",
        "pamp",
        "nsiemens",
        "msiemens",
        "ufarad",
        "pfarad",
        "joule",
        "watt",
        "mole",
        "radian",
        "umolar",
    ),
)


def nearest_unit(word: str, also: tuple[str, ...] = ()) -> str | None:
    """The unit that was most likely meant by a word; the usual ones first, and what else may stand `also` in its place."""
    plural = word[:-1] if word.endswith("s") and word[:-1] in UNITS else None
    known = MEANT.get(word) or (MEANT_BEHIND_COLON.get(word) if also else None) or plural
    return known or nearest(word, (*USUAL, *also)) or (nearest(word, UNITS) if len(word) > 4 else None)
