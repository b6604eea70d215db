"""The GPU section of docs/benchmarks.md, from what `benchmarks.cuda` has found; without figures it says that there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADING = "\n## GPU\n"
NONE = f"""{HEADING}
No GPU was at hand when this page was measured, so it has no GPU figure. `python -m benchmarks.cuda` checks and times one.
"""
# neuron-steps a second in float32 with 1e8 neurons that a card of 4.8 TB/s and 67 TFLOP/s should reach; float64: a third of them
TARGETS: Mapping[str, float] = {"lif": 1.5e12, "izhikevich": 0.8e12, "adex": 0.4e12, "hodgkin_huxley": 0.15e12, "noise": 0.4e12}
ISSUED = 128  # see `backends.cuda_loops`
TARGET_N, SMALL_N, SMALL_US = 100_000_000, 10_000, 0.5

Found = Mapping[str, Any]


# ---- one row -------------------------------------------------------------------------------------


def fractions(found: Found, row: Found) -> tuple[float | None, float | None]:
    """The rate over that of a kernel bound by copies at every step, and over that of one bound by the arithmetic of its machine code.

    A multiprocessor makes ISSUED multiply-adds a clock, so those that were measured tell the clocks of all.
    """
    step = next((s for s in found["steps"] if (s["model"], s["precision"]) == (row["model"], row["precision"])), {})
    copied, issued = found["limits"].get("copy_bytes_s"), found["limits"].get("multiply_adds_s_float32")
    of_copy = row["rate"] * step["bytes"] / copied if copied and step.get("bytes") else None
    of_arithmetic = row["rate"] * step["clocks"] / (issued / ISSUED) if issued and step.get("clocks") else None
    return of_copy, of_arithmetic


def launching(found: Found, row: Found) -> str:
    """The part of a run that its launches would take if they waited for one another."""
    each, spent = found["limits"].get("launch_us"), row["steps"] * row["us_a_step"]
    return f"{row['launches'] * each / spent:.1%}" if each and row["launches"] else "-"


def target(row: Found) -> str:
    """What the row was to reach, and whether it has; empty where nothing was set."""
    if row["recorded"] != "nothing":
        return ""
    if row["n"] == SMALL_N and row["us_a_further_step"] is not None:
        return f"{SMALL_US} us a step: {_reached(row['us_a_further_step'] <= SMALL_US)}"
    if (
        row["n"] != TARGET_N
        or (row["precision"] == "float64" and row["model"] == "hodgkin_huxley")
        or row["model"] not in TARGETS
    ):
        return ""
    wanted = TARGETS[row["model"]] / (1 if row["precision"] == "float32" else 3)
    return f"{giga(wanted)}: {_reached(row['rate'] >= wanted)}"


def _reached(yes: bool) -> str:
    return "reached" if yes else "not reached"


def giga(rate: float) -> str:
    return f"{rate / 1e9:.4g} G"


def cells(found: Found, row: Found) -> list[str]:
    of_copy, of_arithmetic = fractions(found, row)
    further = row["us_a_further_step"]
    return [
        row["model"],
        f"{row['n']:.0e}",
        row["precision"],
        row["recorded"],
        giga(row["rate"]),
        f"{row['us_a_step']:.3g}",
        "-" if further is None else f"{further:.3g}",
        launching(found, row),
        "-" if of_copy is None else f"{of_copy:.2f}",
        "-" if of_arithmetic is None else f"{of_arithmetic:.2f}",
        target(row),
    ]


HEADER = (
    *("model", "N", "precision", "recorded", "neuron-steps/s", "us a step", "us a further step"),
    *("launches", "of copies", "of arithmetic", "wanted"),
)


def line(found: Found, row: Found) -> str:
    """A row for the terminal."""
    widths = (15, 6, 8, 10, 10, 9, 9, 7, 7, 6, 0)
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells(found, row), widths, strict=True)).rstrip()


def across_cells(row: Found) -> list[str]:
    without = "-" if row["us_without"] is None else f"{row['us_without']:.3g}"
    return [row["model"], row["function"], f"{row['n']:.0e}", row["precision"], f"{row['us']:.3g}", without]


def agreement(checks: Found) -> str:
    """How many checks agree, in a sentence."""
    wrong = [name for name, check in checks.items() if check["troubles"]]
    told = f"{len(checks) - len(wrong)} of {len(checks)} checks agree"
    return told + (f"; not: {', '.join(wrong[:12])}{' and more' if len(wrong) > 12 else ''}" if wrong else "")


# ---- the section ---------------------------------------------------------------------------------


def section(found: Found) -> str:
    """The section, as it stands in the page."""
    if not found.get("rows"):
        return NONE
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    text = f"{HEADING}\nMeasured on {found['date']} by `python -m benchmarks.cuda` on {found['gpu']}"
    text += f" (driver, clock, power: {found['driver']})" if found["driver"] else ""
    text += f", {found['machine']}; {versions}.\n\n{agreement(found['agreement'])} (every model of the library against the reference and,"
    text += " in float64 with `exact_math`, against the CPU to the bit; draws; three runs alike; many blocks, chunks and recordings).\n\n"
    text += f"Limits of the card, measured in the same run: {limits(found['limits'])}.\n"
    if set(found["start"]) == {"cold_s", "warm_s"}:
        cold, warm = found["start"]["cold_s"], found["start"]["warm_s"]
        text += f"From the start of a process to the first result of AdEx: {cold:.2f} s, with the kernel cached {warm:.2f} s.\n"
    text += "\n"
    text += "A *further step* is one of a long run over a shorter one: what a step costs inside of chunks. *Of copies* is the rate over that\n"
    text += "of a kernel that reads and writes its state at every step at the copy bandwidth; *of arithmetic* is the rate over what the\n"
    text += f"multiprocessors could do with the machine code of a step ({_counted(found)}).\n"
    text += "*Launches* is the part of the run that launching its kernels would take by itself.\n"
    text += "*One state* is that of 1000 neurons at every step.\n\n"
    rows = sorted(found["rows"], key=lambda row: (row["precision"], _place(row["model"]), row["n"], row["recorded"]))
    text += _table(HEADER, [cells(found, row) for row in rows])
    beside = [(model, giga(rate)) for model, rate in found["processor"].items()]
    text += "\nThe processors of the same machine, N = 1e5, float64, collecting spikes:\n\n" + _table(
        ("model", "neuron-steps/s"), beside
    )
    if found["across"]:
        text += "\nNeurons that read one another, microseconds a step with a function across the population and without one:\n\n"
        text += _table(("model", "function", "N", "precision", "us a step", "without"), list(map(across_cells, found["across"])))
    if found["left_out"]:
        text += f"\nLeft out: {'; '.join(f'{item} ({why})' for item, why in found['left_out'][:20])}.\n"
    return text


UNITS: Mapping[str, tuple[str, float, str]] = {
    "copy_bytes_s": ("copies", 1e12, "TB/s read and written"),
    "to_host_bytes_s": ("to the machine's memory", 1e9, "GB/s"),
    "launch_us": ("a launch", 1, "us"),
    "launched_and_awaited_us": ("there and back", 1, "us"),
    "barrier_us": ("a barrier of all blocks", 1, "us"),
    "multiply_adds_s_float32": ("multiply-adds", 1e12, "T/s in float32"),
    "multiply_adds_s_float64": ("multiply-adds", 1e12, "T/s in float64"),
}


def _counted(found: Found) -> str:
    told = [
        f"{step['model']} {step['precision']} {step['instructions']:.0f} instructions, {step['narrowest']}"
        for step in found["steps"]
        if step.get("clocks")
    ]
    return "; ".join(told) or "not counted: nvdisasm is not installed, it comes with dvdt[cuda-ci]"


def limits(found: Found) -> str:
    told = [f"{what} {found[name] / scale:.3g} {unit}" for name, (what, scale, unit) in UNITS.items() if name in found]
    return ", ".join(told) or "none could be measured"


def _place(model: str) -> int:
    return list(TARGETS).index(model) if model in TARGETS else len(TARGETS)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


# ---- the page ------------------------------------------------------------------------------------


def kept(page: str) -> str:
    """The section of a page that is made anew; figures of a GPU that was at hand once stay, with their date."""
    place = page.find(HEADING)
    return page[place:] if place >= 0 else NONE


def write(found: Found, page: Path) -> None:
    """Put the section into the page, in the place of the one it has."""
    text = page.read_text(encoding="utf-8")
    place = text.find(HEADING)
    page.write_text((text[:place] if place >= 0 else text) + section(found), encoding="utf-8")
