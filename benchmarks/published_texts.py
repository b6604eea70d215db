"""Published Brian2 models as texts: equations, threshold, reset, refractory and the values of their names in one string."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dvdt.grammar.nodes import Comparison, Logical
from dvdt.grammar.parse import parse, parse_expression
from dvdt.grammar.source import Source

CORPUS = Path(__file__).parents[1] / ".." / "shared" / "corpus" / "brian2_neurons.jsonl"


@dataclass(frozen=True)
class Text:
    """One model. `threshold` and `reset` are the places in `text` of what the keywords of these names would say."""

    name: str
    text: str
    threshold: tuple[int, int] | None
    reset: tuple[int, int] | None


def texts(corpus: Path = CORPUS) -> Iterator[Text]:
    """Every row of the corpus that Brian2 reads."""
    for line in corpus.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["brian2_parses"]:
            yield in_statements(row)


def in_statements(row: dict[str, object]) -> Text:
    # the equations were one string at any indentation: put every line at the margin, blocks below their header
    lines = [line.strip() for line in str(row["equations"]).splitlines()]
    threshold, reset = row["threshold"], [line.strip() for line in str(row["reset"] or "").splitlines() if line.strip()]
    if threshold:
        lines += [f"spike when {threshold}" + (":" if reset else ""), *(f"    {line}" for line in reset)]
    if row["refractory"]:
        expression, _ = parse_expression(Source(str(row["refractory"])))
        lines.append(f"refractory {'while ' if isinstance(expression, Comparison | Logical) else ''}{row['refractory']}")
    lines += _values(row, "\n".join(lines))
    text = "\n".join(lines)
    if not threshold:
        return Text(str(row["id"]), text, None, None)
    start = text.index("spike when ") + len("spike when ")
    stop = start + len(str(threshold))
    block = "\n".join(f"    {line}" for line in reset)
    return Text(str(row["id"]), text, (start, stop), (stop + 2, stop + 2 + len(block)) if reset else None)


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
    """The name that a line defines, or nothing."""
    match = re.match(r"\s*(?:d\s*(\w+)\s*/\s*dt|(\w+))\s*[:=]", line)
    return (match[1] or match[2]) if match else ""
