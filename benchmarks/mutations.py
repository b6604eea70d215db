"""How well mistakes are reported: published models, one mutation each, and whether the report touches the mutated place.

    python -m benchmarks.mutations [CORPUS] [--seed 1] [--show KIND]

Eleven kinds of single mutation are made in every text of the corpus that Brian2 reads, equations together with threshold, reset and
refractory as statements and the values of their names. A mutant counts as *touched* where a report that the
original did not have overlaps the mutated place or is next to it, on its line; a misspelling as *restored* where the first
suggestion gives back the original word. Mutants that are valid texts in their own right (a lost `-` between two voltages)
are counted apart: nothing can be pointed at in them.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dvdt.grammar.mistakes import Mistake
from dvdt.grammar.nodes import Comparison, Logical
from dvdt.grammar.parse import parse, parse_expression
from dvdt.grammar.source import Source
from dvdt.grammar.tokens import Token, tokenise
from dvdt.grammar.unit_table import UNITS
from dvdt.grammar.words import FLAGS

CORPUS = Path(__file__).parents[1] / ".." / "shared" / "corpus" / "brian2_neurons.jsonl"


# ---- the texts ----------------------------------------------------------------------------------


def texts(corpus: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every parsing row, all in one string."""
    for line in corpus.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["brian2_parses"]:
            yield row["id"], in_keyword_form(row)


def in_keyword_form(row: dict[str, object]) -> str:
    lines = [str(row["equations"])]
    if row["threshold"]:
        lines.append(f"spike when {row['threshold']}" + (":" if row["reset"] else ""))
        lines += [f"    {line.strip()}" for line in str(row["reset"] or "").splitlines() if line.strip()]
    if row["refractory"]:
        expression, _ = parse_expression(Source(str(row["refractory"])))
        lines.append(f"refractory {'while ' if isinstance(expression, Comparison | Logical) else ''}{row['refractory']}")
    # the equations were one string at any indentation: put every line at the margin, blocks below their header
    lines[0] = "\n".join(line.strip() for line in lines[0].splitlines())
    return "\n".join([*lines, *_values(row, "\n".join(lines))])


def _values(row: dict[str, object], text: str) -> Iterator[str]:
    """The names that the caller gave, as definitions."""
    defined = {statement_name(line) for line in text.splitlines()}
    namespace = row["namespace"]
    assert isinstance(namespace, dict)
    for name, value in namespace.items():
        if name in defined:
            continue
        if str(value).startswith("TimedArray"):
            index = ", i" if re.search(rf"\b{name}\(t\s*,", text) else ""
            yield f"{name}(t{index}) : 1"
        else:
            bare = re.sub(r"\b(b2|np|brian2|numpy)\.", "", str(value))
            if not parse(Source(f"{name} = {bare}")).mistakes:
                yield f"{name} = {bare}"


def statement_name(line: str) -> str:
    match = re.match(r"\s*(?:d\s*(\w+)\s*/\s*dt|(\w+))\s*[:=]", line)
    return (match[1] or match[2]) if match else ""


def check(text: str) -> tuple[Mistake, ...]:
    """All mistakes of a text: syntax and meaning."""
    parsed = parse(Source(text))
    from dvdt.dsl.analyse import analyse_module

    _, mistakes = analyse_module(parsed.module, unread=parsed.unread)
    return (*parsed.mistakes, *mistakes)


# ---- mutations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A text with one mutation at `start` to `stop`; `original` is what a misspelt word was."""

    text: str
    start: int
    stop: int
    original: str | None = None
    also: tuple[int, int] | None = None  # a second place that is as good (the first of two duplicates)


def replaced(text: str, start: int, stop: int, new: str, original: str | None = None) -> Mutant:
    return Mutant(text[:start] + new + text[stop:], start, start + len(new), original)


def misspell(word: str, rng: random.Random) -> str:
    """One edit inside a word: a letter lost, doubled, or two swapped."""
    for _ in range(20):
        k = rng.randrange(1, len(word))
        match rng.randrange(3):
            case 0:
                new = word[:k] + word[k + 1 :]
            case 1:
                new = word[:k] + word[k] + word[k:]
            case _:
                new = word[: k - 1] + word[k] + word[k - 1] + word[k + 1 :]
        if new != word and new.isidentifier() and new not in UNITS:
            return new
    return word + "x"


def _tokens(text: str) -> list[Token]:
    return [token for token in tokenise(Source(text)) if token.type not in ("COMMENT",)]


def _pick(rng: random.Random, tokens: Sequence[Token], wanted: Callable[[Token], bool]) -> Token | None:
    found = [token for token in tokens if wanted(token)]
    return rng.choice(found) if found else None


def _units(text: str) -> list[tuple[int, int]]:
    """The places of the units behind a colon."""
    return [
        match.span(1)
        for match in re.finditer(r"^[^#\n]*?:[ \t]*([a-zA-Z1][\w*/]*(?:\s*\*\*\s*\d)?)(?=[ \t]*(?:\(|#|$))", text, re.M)
    ]


def unit_dropped(text: str, rng: random.Random) -> Mutant | None:
    places = _units(text)
    if not places:
        return None
    start, stop = rng.choice(places)
    return replaced(text, start, stop, "")


def name_misspelt(text: str, rng: random.Random) -> Mutant | None:
    tokens = _tokens(text)
    uses = Counter(token.value for token in tokens if token.type == "NAME")
    names = {statement_name(line) for line in text.splitlines()}
    # inside an expression, a name that is defined somewhere
    inside = [b for a, b in pairwise(tokens) if a.type in ("ADD", "MUL", "LPAR", "COMPARE", "ASSIGN", "POWER")]
    token = _pick(rng, inside, lambda t: t.type == "NAME" and len(t.value) > 2 and t.value in names and uses[t.value] > 1)
    if token is None:
        return None
    new = misspell(token.value, rng)
    return None if new in uses else replaced(text, token.start, token.stop, new, token.value)


def bracket_lost(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.type in ("LPAR", "RPAR"))
    return replaced(text, token.start, token.stop, "") if token else None


def equals_changed(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.value in ("=", "=="))
    return replaced(text, token.start, token.stop, "==" if token.value == "=" else "=") if token else None


def wrong_unit(text: str, rng: random.Random) -> Mutant | None:
    # of a statement with `=`: the unit of a lone parameter is whatever a person says it is
    places = [(start, stop) for start, stop in _units(text) if "=" in text[text.rfind("\n", 0, start) + 1 : start]]
    if not places:
        return None
    start, stop = rng.choice(places)
    new = rng.choice([unit for unit in ("volt", "amp", "second", "siemens", "metre") if unit != text[start:stop]])
    return replaced(text, start, stop, new)


def duplicate(text: str, rng: random.Random) -> Mutant | None:
    places = [m for m in re.finditer(r"^[^\n]+$", text, re.M) if statement_name(m[0]) and not parse(Source(m[0])).mistakes]
    if not places:
        return None
    line = rng.choice(places)
    start = len(text) + 1
    return Mutant(f"{text}\n{line[0]}", start, start + len(line[0]), None, line.span())


def operator_lost(text: str, rng: random.Random) -> Mutant | None:
    tokens = _tokens(text)
    pairs = pairwise(tokens)
    between = [b for a, b in pairs if a.type in ("NAME", "NUMBER", "RPAR") and b.type in ("ADD", "MUL", "COMPARE", "POWER")]
    token = _pick(rng, between, lambda t: text[max(t.start - 8, 0) : t.stop + 4].find("/dt") < 0)
    return replaced(text, token.start, token.stop, " ") if token else None


def flag_misspelt(text: str, rng: random.Random) -> Mutant | None:
    places = [m for flag in FLAGS for m in re.finditer(rf"(?<=[(,])[ ]?({flag})(?=[ ]?[),])", text)]
    if not places:
        return None
    match = rng.choice(places)
    word = rng.choice(match[1].split())
    at = text.index(word, match.start(1))
    new = misspell(word, rng)
    return replaced(text, at, at + len(word), new, word)


def keyword_misspelt(text: str, rng: random.Random) -> Mutant | None:
    places = list(re.finditer(r"^(spike|refractory)\b|(?<=^spike )(when)\b|(?<=^refractory )(while)\b", text, re.M))
    if not places:
        return None
    match = rng.choice(places)
    return replaced(text, *match.span(), misspell(match[0], rng), match[0])


def word_misspelt(text: str, rng: random.Random) -> Mutant | None:
    """A unit or a function of the language."""
    functions = {"exp", "sqrt", "clip", "tanh", "sin", "abs", "int", "exprel", "cosh", "rand", "sign"}
    units = {"volt", "second", "siemens", "amp", "farad", "ampere", "mmolar", "integer"}
    token = _pick(rng, _tokens(text), lambda t: t.type == "NAME" and t.value in functions | units)
    return replaced(text, token.start, token.stop, misspell(token.value, rng), token.value) if token else None


def stray_character(text: str, rng: random.Random) -> Mutant | None:
    token = _pick(rng, _tokens(text), lambda t: t.type in ("NAME", "RPAR", "NUMBER"))
    return replaced(text, token.stop, token.stop, rng.choice("$?&!@")) if token else None


KINDS: dict[str, Callable[[str, random.Random], Mutant | None]] = {
    "unit dropped": unit_dropped,
    "name misspelt": name_misspelt,
    "bracket lost": bracket_lost,
    "= and ==": equals_changed,
    "wrong unit": wrong_unit,
    "duplicate": duplicate,
    "operator lost": operator_lost,
    "flag misspelt": flag_misspelt,
    "keyword misspelt": keyword_misspelt,
    "unit or function misspelt": word_misspelt,
    "stray character": stray_character,
}


# ---- judging ------------------------------------------------------------------------------------


def new_mistakes(before: Sequence[Mistake], mutant: Mutant) -> list[Mistake]:
    """The mistakes of a mutant that the original did not have."""
    old = Counter((mistake.code, mistake.message) for mistake in before)
    found = []
    for mistake in check(mutant.text):
        key = (mistake.code, mistake.message)
        if old[key]:
            old[key] -= 1
        else:
            found.append(mistake)
    return found


def touches(mistake: Mistake, mutant: Mutant) -> bool:
    """Whether a caret of the mistake is under the mutated place or next to it, with nothing but blanks between."""
    places = [(mutant.start, mutant.stop), *([mutant.also] if mutant.also else [])]
    spans = [mistake.span, *(label.span for label in mistake.labels)]
    return any(_meet(mutant.text, span.start, span.stop, *place) for span in spans for place in places)


def _meet(text: str, start: int, stop: int, first: int, last: int) -> bool:
    if start <= last and first <= stop:
        return True
    between = text[last:start] if last < start else text[stop:first]
    return not between.strip(" \t")


def restores(mistakes: Sequence[Mistake], mutant: Mutant) -> bool:
    """Whether the first report at the place gives the original word back."""
    first = next((mistake for mistake in mistakes if touches(mistake, mutant)), None)
    if first is None or mutant.original is None:
        return False
    if first.replacement is not None:
        return mutant.original in (first.replacement, *first.replacement.split())
    quoted = re.search(r"`([^`]*)`", first.help or "")
    return quoted is not None and mutant.original in (quoted[1], *quoted[1].split())


def measure(corpus: Path, seed: int, show: str | None) -> dict[str, Counter[str]]:
    rng = random.Random(seed)
    counts = {kind: Counter[str]() for kind in KINDS}
    for name, text in texts(corpus):
        before = check(text)
        for kind, mutate in KINDS.items():
            mutant = mutate(text, rng)
            if mutant is None:
                continue
            found = new_mistakes(before, mutant)
            touched = any(touches(mistake, mutant) for mistake in found)
            counts[kind].update(made=1, valid=not found, touched=touched)
            if mutant.original is not None:
                counts[kind].update(words=1, restored=restores(found, mutant))
            if show == kind and not (touched and (mutant.original is None or restores(found, mutant))):
                print_miss(name, mutant, found)
    return counts


def print_miss(name: str, mutant: Mutant, found: Sequence[Mistake]) -> None:
    source = Source(mutant.text)
    place = source.line_at(mutant.start)
    print(f"{name} line {place}: {source.line(place)!r} at {mutant.text[mutant.start : mutant.stop]!r} (was {mutant.original!r})")
    for mistake in found[:3]:
        print(f"    [{mistake.code}] line {mistake.span.line} {mistake.span.text[:60]!r}: {mistake.message} | {mistake.help}")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", choices=[*KINDS])
    options = parser.parse_args(arguments)
    counts = measure(options.corpus, options.seed, options.show)
    total = sum(counts.values(), Counter[str]())
    for kind, count in [*counts.items(), ("all", total)]:
        mistakes = count["made"] - count["valid"]
        words = f"{count['restored']}/{count['words']} restored" if count["words"] else ""
        print(f"{kind:26} {count['made']:5} made {count['valid']:4} valid {count['touched']:5}/{mistakes} touched  {words}")
    mistakes = total["made"] - total["valid"]
    print(
        json.dumps(
            {
                "mutants": total["made"],
                "valid": total["valid"],
                "touched": round(total["touched"] / max(mistakes, 1), 4),
                "touched_of_all": round(total["touched"] / max(total["made"], 1), 4),
                "restored": round(total["restored"] / max(total["words"], 1), 4),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
