"""Single mistakes of a hand, made in a text by chance. Each kind gives a text that is wrong for certain, or nothing."""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source
from dvdt.grammar.tokens import Token, tokenise
from dvdt.grammar.unit_table import UNITS
from dvdt.grammar.words import FLAGS

from .published_texts import statement_name
from .written_units import contradicts

FUNCTIONS = frozenset({"exp", "sqrt", "clip", "tanh", "sin", "abs", "int", "exprel", "cosh", "rand", "sign"})
UNIT_WORDS = frozenset(
    {"volt", "second", "siemens", "amp", "farad", "ampere", "mmolar", "integer", "msecond", "mvolt", "nsiemens"}
)
DIMENSIONS = ("volt", "amp", "second", "siemens", "metre", "1")
UNKNOWN_NAMES = frozenset({"dt", "t", "i", "N", "e", "pi", "inf", "xi"})


@dataclass(frozen=True)
class Mutant:
    """A text with one mutation at `start` to `stop`; `original` is what a misspelt word was."""

    text: str
    start: int
    stop: int
    original: str | None = None
    also: tuple[int, int] | None = None  # a second place that is as good (the first of two duplicates)


Mutation = Callable[[str, random.Random], Mutant | None]


def replaced(text: str, start: int, stop: int, new: str, original: str | None = None) -> Mutant:
    return Mutant(text[:start] + new + text[stop:], start, start + len(new), original)


def misspell(word: str, rng: random.Random) -> str:
    """One slip inside a word: a letter lost, doubled, changed, or two swapped."""
    for _ in range(20):
        k = rng.randrange(1, len(word))
        match rng.randrange(4):
            case 0:
                new = word[:k] + word[k + 1 :]
            case 1:
                new = word[:k] + word[k] + word[k:]
            case 2:
                new = word[:k] + rng.choice(string.ascii_lowercase) + word[k + 1 :]
            case _:
                new = word[: k - 1] + word[k] + word[k - 1] + word[k + 1 :]
        if new != word and new.isidentifier() and new not in UNITS and new not in UNKNOWN_NAMES:
            return new
    return word + "x"


def _tokens(text: str) -> list[Token]:
    return [token for token in tokenise(Source(text)) if token.type not in ("COMMENT", "NEWLINE")]


def _pick(rng: random.Random, tokens: Sequence[Token], wanted: Callable[[Token], bool]) -> Token | None:
    found = [token for token in tokens if wanted(token)]
    return rng.choice(found) if found else None


def _names(text: str) -> set[str]:
    return {statement_name(line) for line in text.splitlines()} - {""}


def wrong_by_units(text: str, rng: random.Random, mutants: Sequence[Mutant]) -> Mutant | None:
    """One of the mutants in which units contradict one another, as they did not before, by the second opinion of `written_units`."""
    if contradicts(text):
        return None
    for mutant in rng.sample(mutants, min(len(mutants), 8)):
        if contradicts(mutant.text):
            return mutant
    return None


# ---- words ---------------------------------------------------------------------------------------


def name_misspelt(text: str, rng: random.Random) -> Mutant | None:
    tokens, names = _tokens(text), _names(text)
    uses = Counter(token.value for token in tokens if token.type == "NAME")
    # inside an expression, a name that is defined somewhere
    inside = [b for a, b in pairwise(tokens) if a.type in ("ADD", "MUL", "LPAR", "COMPARE", "ASSIGN", "POWER")]
    token = _pick(rng, inside, lambda t: t.type == "NAME" and len(t.value) > 2 and t.value in names and uses[t.value] > 1)
    if token is None:
        return None
    new = misspell(token.value, rng)
    return None if new in uses else replaced(text, token.start, token.stop, new, token.value)


def target_misspelt(text: str, rng: random.Random) -> Mutant | None:
    """What a reset assigns."""
    names = _names(text)
    found = [m for m in re.finditer(r"^    (\w+)\s*[-+*/]?=(?!=)", text, re.M) if m[1] in names and len(m[1]) > 2]
    if not found:
        return None
    match = rng.choice(found)
    new = misspell(match[1], rng)
    return None if re.search(rf"\b{new}\b", text) else replaced(text, *match.span(1), new, match[1])


def word_misspelt(text: str, rng: random.Random) -> Mutant | None:
    """A unit or a function of the language."""
    token = _pick(rng, _tokens(text), lambda t: t.type == "NAME" and t.value in FUNCTIONS | UNIT_WORDS)
    if token is None:
        return None
    new = misspell(token.value, rng)
    return None if new in _names(text) | FUNCTIONS else replaced(text, token.start, token.stop, new, token.value)


def flag_misspelt(text: str, rng: random.Random) -> Mutant | None:
    places = [m for flag in FLAGS for m in re.finditer(rf"(?<=[(,])[ ]?({flag})(?=[ ]?[),])", text)]
    if not places:
        return None
    match = rng.choice(places)
    word = rng.choice(match[1].split())
    at = text.index(word, match.start(1))
    return replaced(text, at, at + len(word), misspell(word, rng), word)


def keyword_misspelt(text: str, rng: random.Random) -> Mutant | None:
    places = list(re.finditer(r"^(spike|refractory)\b|(?<=^spike )(when)\b|(?<=^refractory )(while)\b", text, re.M))
    if not places:
        return None
    match = rng.choice(places)
    return replaced(text, *match.span(), misspell(match[0], rng), match[0])


def derivative_misspelt(text: str, rng: random.Random) -> Mutant | None:
    """`dv/d = ...`, `v/dt = ...`, `dv dt = ...`."""
    places = list(re.finditer(r"^d(\w+)\s*/\s*dt(?=\s*=)", text, re.M))
    if not places:
        return None
    match = rng.choice(places)
    name = match[1]
    return replaced(text, *match.span(), rng.choice([f"d{name}/d", f"{name}/dt", f"d{name} dt", f"d{name}/t", f"d{name}"]))


# ---- signs ----------------------------------------------------------------------------------------


def bracket_lost(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.type in ("LPAR", "RPAR"))
    return replaced(text, token.start, token.stop, "") if token else None


def comma_lost(text: str, rng: random.Random) -> Mutant | None:
    """Between the arguments of a call, or between flags."""
    places = list(re.finditer(r"(?<=\()[^()#\n,]*(,)", text))
    return replaced(text, *rng.choice(places).span(1), " ") if places else None


def equals_changed(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.value in ("=", "=="))
    return replaced(text, token.start, token.stop, "==" if token.value == "=" else "=") if token else None


def operator_lost(text: str, rng: random.Random) -> Mutant | None:
    tokens, names = _tokens(text), _names(text)
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    between = [
        b
        for a, b, c in triples
        if a.type in ("NAME", "NUMBER", "RPAR")
        and b.type in ("ADD", "MUL", "COMPARE", "POWER")
        and not (a.type == "NUMBER" and c.value in UNITS and c.value not in names)  # `20 ms` means `20*ms`
    ]
    token = _pick(rng, between, lambda t: text[max(t.start - 8, 0) : t.stop + 4].find("/dt") < 0)
    return replaced(text, token.start, token.stop, " ") if token else None


def operator_doubled(text: str, rng: random.Random) -> Mutant | None:
    """`a + * b`, `a / / b`."""
    token = _pick(
        rng, _tokens(text), lambda t: t.type in ("ADD", "MUL") and text[max(t.start - 8, 0) : t.stop + 4].find("/dt") < 0
    )
    return replaced(text, token.start, token.stop, f"{text[token.start : token.stop]} *") if token else None


def stray_character(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.type in ("NAME", "RPAR", "NUMBER"))
    return replaced(text, token.stop, token.stop, rng.choice("$?&!@\"'[~")) if token else None


def operator_changed(text: str, rng: random.Random) -> Mutant | None:
    """`+` for `*`, `*` for `**`, `-` for `/`, where units contradict one another then."""
    instead = {"+": "*", "-": "/", "*": "+", "/": "*", "^": "*"}
    signs = [t for t in _tokens(text) if t.type in ("ADD", "MUL", "POWER") and t.value in instead]
    return wrong_by_units(text, rng, [replaced(text, t.start, t.stop, instead[t.value]) for t in signs])


# ---- units ----------------------------------------------------------------------------------------


def _units(text: str) -> list[tuple[int, int]]:
    """The places of the units behind a colon."""
    return [
        match.span(1)
        for match in re.finditer(r"^[^#\n]*?:[ \t]*([a-zA-Z1][\w*/]*(?:\s*\*\*\s*\d)?)(?=[ \t]*(?:\(|#|$))", text, re.M)
    ]


def unit_dropped(text: str, rng: random.Random) -> Mutant | None:
    places = _units(text)
    return replaced(text, *rng.choice(places), "") if places else None


def colon_lost(text: str, rng: random.Random) -> Mutant | None:
    colons = [text.rindex(":", 0, start) for start, _ in _units(text)]
    places = [at for at in colons if not text[:at].rstrip()[-1:].isdigit()]  # `1 second` is a quantity
    at = rng.choice(places) if places else 0
    return replaced(text, at, at + 1, "") if places else None


def wrong_unit(text: str, rng: random.Random) -> Mutant | None:
    """Another unit behind a colon."""
    places = [(start, stop, new) for start, stop in _units(text) for new in DIMENSIONS if new != text[start:stop]]
    return wrong_by_units(text, rng, [replaced(text, *place) for place in places])


def wrong_quantity(text: str, rng: random.Random) -> Mutant | None:
    """Another unit behind a number: `20*mV` for `20*ms`."""
    places = list(re.finditer(r"(?<=\d\*)(m[sV]|n[AS]|p[AF]|uF|Mohm|ufarad|Hz)\b", text))
    return wrong_by_units(
        text, rng, [replaced(text, *m.span(), new) for m in places for new in ("mV", "ms", "nA", "nS") if new != m[0]]
    )


def unit_of_value_lost(text: str, rng: random.Random) -> Mutant | None:
    """`-50` for `-50*mV`."""
    places = list(re.finditer(r"(?<=\d)\s*\*\s*(m[sV]|n[AS]|p[AF]|Mohm|mvolt|msecond|Hz)\b(?!\s*\*\*)", text))
    return wrong_by_units(text, rng, [replaced(text, *match.span(), "") for match in places])


# ---- lines ----------------------------------------------------------------------------------------


def duplicate(text: str, rng: random.Random) -> Mutant | None:
    found = re.finditer(r"^\S[^\n]*$", text, re.M)  # not those of a block: assigning twice is no mistake
    places = [m for m in found if statement_name(m[0]) and not parse(Source(m[0])).mistakes]
    if not places:
        return None
    line = rng.choice(places)
    start = len(text) + 1
    return Mutant(f"{text}\n{line[0]}", start, start + len(line[0]), None, line.span())


def line_end_lost(text: str, rng: random.Random) -> Mutant | None:
    """Two statements on one line."""
    lines = [m for m in re.finditer(r"^\S[^#\n]*[\w)](\s*\n)(?=\w[^\n]*=)", text, re.M) if statement_name(m[0])]
    return replaced(text, *rng.choice(lines).span(1), " ") if lines else None


def quote_lost(text: str, rng: random.Random) -> Mutant | None:
    """A description that is not closed, in the form `model NAME:`."""
    head = 'model published:\n    """A neuron.'
    body = "\n".join(f"    {line}" for line in text.splitlines())
    start = head.index('"""')
    return Mutant(f"{head}\n{body}", start, start + 3)


KINDS: dict[str, Mutation] = {
    "name misspelt": name_misspelt,
    "target misspelt": target_misspelt,
    "unit or function misspelt": word_misspelt,
    "flag misspelt": flag_misspelt,
    "keyword misspelt": keyword_misspelt,
    "derivative misspelt": derivative_misspelt,
    "bracket lost": bracket_lost,
    "comma lost": comma_lost,
    "= and ==": equals_changed,
    "operator lost": operator_lost,
    "operator doubled": operator_doubled,
    "operator changed": operator_changed,
    "stray character": stray_character,
    "unit dropped": unit_dropped,
    "colon lost": colon_lost,
    "wrong unit": wrong_unit,
    "wrong unit of a value": wrong_quantity,
    "unit of a value lost": unit_of_value_lost,
    "duplicate": duplicate,
    "line end lost": line_end_lost,
    "quote lost": quote_lost,
}
