"""Texts that are nearly models, many of them: each has to become a model, or a ModelError that can be printed, and nothing else.

    python -m benchmarks.fuzz [--texts 100000] [--first 0] [--seconds 2] [--memory 2]

A text fails that raises anything but a ModelError, takes more than `--seconds` of processor time, opens a file to write, starts a process
or a connection, or whose model prints as a text that is no longer the same model. The process may take `--memory` gigabytes. The originals
are the models of the library and, where it is there, the corpus of published ones.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import dvdt
from dvdt.dsl.declaration import declaration_of
from dvdt.dsl.model import SHELF
from dvdt.dsl.reading import read_all
from dvdt.grammar.printer import print_model
from dvdt.grammar.source import Source

from .mutated_texts import monsters, mutated
from .published_texts import CORPUS, texts

FORBIDDEN = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.system",
    "subprocess.Popen",
    "socket.connect",
    "shutil.rmtree",
    "exec",
    "compile",
)


class Touched(Exception):
    """A text has made the program do what no text may."""


@dataclass(frozen=True)
class Outcome:
    """What became of a text: "a model", "a mistake", or why it fails; and the processor time it took."""

    what: str
    seconds: float

    @property
    def failed(self) -> bool:
        return self.what not in ("a model", "a mistake")


def outcome(text: str, limit: float) -> Outcome:
    """Read a text as a file of models is read."""
    began = time.process_time()
    try:
        what = _read(text)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}: {str(error)[:200]}"
    seconds = time.process_time() - began
    return Outcome(f"{seconds:.1f} s" if seconds > limit and not what.startswith("Touched") else what, seconds)


def _read(text: str) -> str:
    try:
        models = read_all(Source(text, "fuzz"), SHELF.declaration)
    except dvdt.ModelError as error:
        if not error.mistakes:
            return "a ModelError without a mistake"
        return "a mistake" if str(error).strip() else "an empty report"
    for name, model in models.items():
        printed = print_model(declaration_of(model))
        try:
            again = read_all(Source(printed, "fuzz"), SHELF.declaration)
        except dvdt.ModelError as error:
            return f"prints as a text with mistakes: {str(error)[:300]}"
        if len(again) == 1 and again.get(name) != model:
            return "prints as another model"
    return "a model"


def guard() -> None:
    """From here on whoever writes a file, starts a process or runs text as code is stopped. Cannot be taken back."""

    def look(event: str, details: tuple[object, ...]) -> None:
        if event in FORBIDDEN and not _our_own(event, details):
            raise Touched(f"{event} {details!r:.200}")
        if event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+"):
            raise Touched(f"{event} {details!r:.200}")

    sys.addaudithook(look)


def _our_own(event: str, details: tuple[object, ...]) -> bool:
    """Modules that are imported late, and the pattern and table makers of libraries, compile text that is not the user's."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(
            ("importlib", "dataclasses", "collections", "re", "sympy", "lark", "functools", "enum")
        ):
            return event in ("exec", "compile")
        frame = frame.f_back  # type: ignore[assignment]
    return False


def originals() -> list[str]:
    """Texts of the library, one a model, and published ones."""
    found = [dvdt.model(row.name).text for row in dvdt.models()]
    if CORPUS.exists():
        found += [text.text for text in texts()]
    return found


def run(numbers: range, limit: float, pool: Sequence[str]) -> tuple[Counter[str], list[tuple[int, Outcome]]]:
    """How many texts came to what, and those that failed."""
    counted: Counter[str] = Counter()
    failed = []
    slowest = 0.0
    for number in numbers:
        found = outcome(mutated(number, pool), limit)
        slowest = max(slowest, found.seconds)
        counted[found.what if not found.failed else "failed"] += 1
        if found.failed:
            failed.append((number, found))
            print(f"text {number}: {found.what}", flush=True)
        if (number + 1) % 5000 == 0:
            print(f"{number + 1:>7} {dict(counted)}, the slowest took {slowest:.2f} s", file=sys.stderr, flush=True)
    return counted, failed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--memory", type=float, default=2.0, help="gigabytes of address space")
    parser.add_argument("--show", type=int, help="print one text, and what becomes of it")
    chosen = parser.parse_args()
    pool = originals()
    if chosen.show is not None:
        text = mutated(chosen.show, pool)
        print(text)
        print(outcome(text, chosen.seconds))
        return 0
    read_all(Source("dv/dt = -v/(1 ms) : 1", "warm"), SHELF.declaration)
    limit = int(chosen.memory * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    guard()
    worst = 0
    for name, text in monsters().items():
        found = outcome(text, chosen.seconds)
        worst += found.failed
        print(f"{name:32} {found.seconds:6.2f} s  {found.what[:160]}", flush=True)
    counted, failed = run(range(chosen.first, chosen.first + chosen.texts), chosen.seconds, pool)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{chosen.texts} texts: {dict(counted)}; {worst} of {len(monsters())} monsters failed; peak memory {peak:.2f} GB")
    return 1 if failed or worst else 0


if __name__ == "__main__":
    sys.exit(main())
