"""How well mistakes are reported: published models, one mutation each, and whether the report touches the mutated place.

    python -m benchmarks.mutations [CORPUS] [--seed 1] [--show KIND]

The mutations of `mutation_kinds` are made in every text of the corpus that Brian2 reads, equations together with threshold, reset and
refractory as statements and the values of their names; those that fall into threshold or reset are tried a second time in the keyword form.
A mutant counts as *touched* where a report that the original did not have overlaps the mutated place or is next to it, on its line;
a misspelling as *restored* where the first suggestion gives back the original word. A mutant without any report is a miss.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dvdt.dsl.analyse import analyse, analyse_module
from dvdt.dsl.keywords import with_keywords
from dvdt.grammar.mistakes import Mistake
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source, Span

from .mutation_kinds import KINDS, Mutant
from .published_texts import CORPUS, Text, texts

Place = tuple[int, int]
Report = tuple[Mistake, tuple[Place, ...]]  # a mistake, and the places in the text that its carets mark


def check(text: str) -> list[Report]:
    """All mistakes of a text: syntax and meaning."""
    parsed = parse(Source(text))
    _, mistakes = analyse_module(parsed.module, unread=parsed.unread)
    return [(mistake, places(mistake, {})) for mistake in (*parsed.mistakes, *mistakes)]


def places(mistake: Mistake, shifts: dict[str, int]) -> tuple[Place, ...]:
    spans: list[Span] = [mistake.span, *(label.span for label in mistake.labels)]
    return tuple((span.start + shifts.get(span.source.name, 0), span.stop + shifts.get(span.source.name, 0)) for span in spans)


def check_keywords(text: str, threshold: Place, reset: Place | None) -> list[Report]:
    """The same with threshold and reset given as keywords."""
    end = (reset or threshold)[1]
    rest = text[: threshold[0] - len("spike when ")] + "#" + " " * (end - threshold[0] + len("spike when ") - 1) + text[end:]
    parsed = parse(Source(rest))
    given = {"threshold": text[slice(*threshold)], "reset": text[slice(*reset)] if reset else None}
    declaration, wrong = with_keywords(parsed.module.models[0], **given)  # type: ignore[arg-type]
    _, mistakes = analyse(declaration, keyword_form=True, unread=parsed.unread)
    shifts = {"threshold": threshold[0], "reset": reset[0] if reset else 0}
    return [(mistake, places(mistake, shifts)) for mistake in (*parsed.mistakes, *wrong, *mistakes)]


# ---- judging ------------------------------------------------------------------------------------


def new_mistakes(before: Sequence[Report], after: Sequence[Report]) -> list[Report]:
    """The mistakes of a mutant that the original did not have."""
    old = Counter((mistake.code, mistake.message) for mistake, _ in before)
    found = []
    for mistake, marked in after:
        key = (mistake.code, mistake.message)
        if old[key]:
            old[key] -= 1
        else:
            found.append((mistake, marked))
    return found


def touches(report: Report, mutant: Mutant) -> bool:
    """Whether a caret of the mistake is under the mutated place or next to it, with nothing but blanks between."""
    wanted = [(mutant.start, mutant.stop), *([mutant.also] if mutant.also else [])]
    return any(_meet(mutant.text, *marked, *place) for marked in report[1] for place in wanted)


def _meet(text: str, start: int, stop: int, first: int, last: int) -> bool:
    if start <= last and first <= stop:
        return True
    between = text[last:start] if last < start else text[stop:first]
    return not between.strip(" \t")


def restores(reports: Sequence[Report], mutant: Mutant) -> bool:
    """Whether the first report at the place gives the original word back."""
    first = next((report[0] for report in reports if touches(report, mutant)), None)
    if first is None or mutant.original is None:
        return False
    if first.replacement is not None:
        return mutant.original in (first.replacement, *first.replacement.split())
    quoted = re.search(r"`([^`]*)`", first.help or "")
    return quoted is not None and mutant.original in (quoted[1], *quoted[1].split())


def in_keywords(text: Text, mutant: Mutant) -> tuple[Place, Place | None] | None:
    """Where threshold and reset stand in a mutant that has its mutation in one of them."""
    longer = len(mutant.text) - len(text.text)
    if text.threshold is None or mutant.also is not None:
        return None
    start, stop = text.threshold
    if start < mutant.start and mutant.stop - longer < stop:
        return (start, stop + longer), text.reset and (text.reset[0] + longer, text.reset[1] + longer)
    if text.reset is not None and text.reset[0] + 4 < mutant.start and mutant.stop - longer < text.reset[1]:
        return text.threshold, (text.reset[0], text.reset[1] + longer)
    return None


def measure(corpus: Path, seed: int, show: str | None) -> dict[str, Counter[str]]:
    rng = random.Random(seed)
    counts = {kind: Counter[str]() for kind in (*KINDS, "in a keyword")}
    for text in texts(corpus):
        before = check(text.text)
        for kind, mutate in KINDS.items():
            mutant = mutate(text.text, rng)
            if mutant is None:
                continue
            judge(counts[kind], text, mutant, new_mistakes(before, check(mutant.text)), show == kind)
            keywords = in_keywords(text, mutant)
            if keywords is not None and text.threshold is not None:
                old = check_keywords(text.text, text.threshold, text.reset)
                found = new_mistakes(old, check_keywords(mutant.text, *keywords))
                judge(counts["in a keyword"], text, mutant, found, show == "in a keyword")
    return counts


def judge(count: Counter[str], text: Text, mutant: Mutant, found: Sequence[Report], show: bool) -> None:
    touched = any(touches(report, mutant) for report in found)
    restored = mutant.original is not None and restores(found, mutant)
    count.update(made=1, silent=not found, touched=touched, words=mutant.original is not None, restored=restored)
    if show and not (touched and restored == (mutant.original is not None)):
        print_miss(text.name, mutant, found)


def print_miss(name: str, mutant: Mutant, found: Sequence[Report]) -> None:
    source = Source(mutant.text)
    place = source.line_at(mutant.start)
    print(f"{name} line {place}: {source.line(place)!r} at {mutant.text[mutant.start : mutant.stop]!r} (was {mutant.original!r})")
    for mistake, _ in found[:3]:
        print(f"    [{mistake.code}] line {mistake.span.line} {mistake.span.text[:60]!r}: {mistake.message} | {mistake.help}")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", choices=[*KINDS, "in a keyword"])
    options = parser.parse_args(arguments)
    counts = measure(options.corpus, options.seed, options.show)
    total = sum(counts.values(), Counter[str]())
    for kind, count in [*counts.items(), ("all", total)]:
        words = f"{count['restored']:5}/{count['words']} restored" if count["words"] else ""
        print(f"{kind:26} {count['touched']:5}/{count['made']} touched  {count['silent']:3} silent {words}")
    rates = {"touched": total["touched"] / max(total["made"], 1), "restored": total["restored"] / max(total["words"], 1)}
    print(json.dumps({"mutants": total["made"], **{key: round(rate, 4) for key, rate in rates.items()}}))


if __name__ == "__main__":
    main(sys.argv[1:])
