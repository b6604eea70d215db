"""Every figure of docs/benchmarks.md, measured in one run, and the page written from them.

    PEERS_VENVS=FOLDER python -m benchmarks.page [docs/benchmarks.md]

Without PEERS_VENVS (see `benchmarks.peers`) the page has no comparison with other simulators. The section on GPUs is that of
`python -m benchmarks.cuda --write`, and stays as it is. Takes about ten minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from . import growth, memory, peers, startup
from .cases import CASES
from .core import PEER, Row, table
from .cuda import page

MODELS = list(CASES)
SIZES = [1000, 100_000, 1_000_000]

INTRODUCTION = """# Benchmarks

Measured on {when} in one run of `python -m benchmarks.page` on {machine}, Python {python}, numba {numba}, NumPy {numpy}. The machine is
shared, single figures vary by ten per cent or so; ratios are between figures of the same run. A *neuron-step* is one neuron advanced by
one step of dt; G is 10^9. All runs collect every spike. CPU seconds are those of all threads together.

The neurons: `lif` (one current a neuron, refractory 2 ms, `exact`, 0.1 ms), `noise` (the same under white noise, `euler_maruyama`),
`noisy_current` (a LIF neuron with an Ornstein-Uhlenbeck current), `izhikevich` (Euler, 0.1 ms), `adex` (Euler, 0.1 ms) and `hodgkin_huxley`
(Traub and Miles, `exponential_euler`, 0.05 ms); texts and parameters stand in `benchmarks/cases.py`.
"""


def machine() -> str:
    """Processor, cores and memory, as the system tells them."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.partition(":")[2].strip() for line in information.read_text().splitlines() if line.startswith("model name")]
        name = names[0] if names else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {cores} cores, {size:.0f} GB, {platform.system()}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [list(header), ["---"] * len(header), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def core_section(rows: Sequence[Row]) -> str:
    one = [row for row in rows if row.threads == 1]
    compared = [row for row in one if row.ratio is not None and row.precision == "float64" and row.n >= 100_000]
    ratios = [row.ratio for row in compared if row.ratio is not None]
    behind = sorted({row.model for row in compared if (row.ratio or 1) < 1})
    text = "\n## One thread, beside kernels written by hand\n\n`python -m benchmarks --only core --threads 1`\n\n"
    text += "By hand: the best mode of numba kernels that were written for each model, run in the same call.\n\n"
    body = [(r.model, f"{r.n:.0e}", r.precision, giga(r.cpu_rate), giga(r.hand), _ratio(r.ratio)) for r in one]
    text += markdown(("model", "N", "precision", "G neuron-steps / CPU s", "by hand", "ratio"), body)
    if ratios:
        text += f"\nIn float64 from N = 1e5 the ratios go from {min(ratios):.2f} to {max(ratios):.2f}"
        text += f"; the hand-written kernel is ahead for {', '.join(behind)}.\n" if behind else ".\n"
    small = [f"{row.model} ({row.ratio:.2f})" for row in one if row.ratio is not None and row.ratio < 1 and row.n < 100_000]
    return text + (f"With few neurons, where a chunk is short, it is ahead for {' and '.join(small)}.\n" if small else "")


def giga(rate: float | None) -> str:
    return "-" if rate is None else f"{rate / 1e9:.3f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def threads_section(rows: Sequence[Row]) -> str:
    pairs = {(r.model, r.n, r.precision): {} for r in rows}  # type: dict[tuple[str, int, str], dict[int, Row]]
    for row in rows:
        pairs[row.model, row.n, row.precision][row.threads] = row
    body = [
        (model, f"{n:.0e}", precision, f"{by[2].rate / 1e9:.2f}", f"{by[2].rate / by[1].rate:.2f}")
        for (model, n, precision), by in pairs.items()
        if {1, 2} <= set(by)
    ]
    text = "\n## Two threads\n\n`python -m benchmarks --only core --threads 1,2`\n\n"
    return text + markdown(("model", "N", "precision", "G neuron-steps / s", "over one thread"), body)


def peers_section(rows: Sequence[peers.Comparison]) -> str:
    text = "\n## Beside other simulators\n\n`PEERS_VENVS=... python -m benchmarks.peers`\n\n"
    text += "N = 1e5, float64, one thread; Brian2 (C++ standalone) and ANNarchy write C++ and compile it. Neuron-steps a CPU second, without\n"
    text += "the time to build, which is in brackets.\n\n"
    models = list(dict.fromkeys(row.model for row in rows))
    names = list(dict.fromkeys(row.simulator for row in rows))
    found = {(row.model, row.simulator): row for row in rows}

    def cell(row: peers.Comparison) -> str:
        return f"{row.cpu_rate / 1e9:.3f} G" + ("" if row.build_s is None else f" ({row.build_s:.0f} s)")

    body = [(model, *(cell(found[model, name]) for name in names)) for model in models]
    text += markdown(("model", *names), body)
    lost = [(m, n) for m in models for n in names if found[m, n].cpu_rate > found[m, "dvdt"].cpu_rate]
    told = "; ".join(f"{name} is ahead of dvdt for {model}" for model, name in lost)
    return text + f"\n{told or 'dvdt is ahead in every row'}.\n"


def start_section(times: dict[str, float], ratio: float) -> str:
    text = "\n## Start and memory\n\n`python -m benchmarks --only startup`, `python -m benchmarks --only memory`\n\n"
    body = [
        ("`import dvdt`, whole process", f"{times['import dvdt']:.2f} s"),
        ("text to first result, AdEx, nothing cached", f"{times['cold']:.2f} s"),
        ("the same, kernel cached", f"{times['warm']:.2f} s"),
        ("peak memory of 1e6 neurons of 4 variables, over their arrays", f"{ratio:.2f}"),
    ]
    return text + markdown(("what", "figure"), body)


def growth_section(rates: Sequence[growth.Throughput], times: Sequence[growth.CompileTime]) -> str:
    text = "\n## How cost grows\n\n`python -m benchmarks.growth`\n\nNeuron-steps a second of one thread, float64:\n\n"
    sizes = sorted({rate.n for rate in rates})
    by = {(rate.model, rate.n): rate.rate for rate in rates}
    models = list(dict.fromkeys(rate.model for rate in rates))
    text += markdown(
        ("model", *(f"N = {n:.0e}" for n in sizes)), [(m, *(f"{by[m, n] / 1e9:.3g} G" for n in sizes)) for m in models]
    )
    text += "\nSeconds of processor time from the text of rate units in a ring to their first result, nothing cached, the imports done before:\n\n"
    compiled = {(time.method, time.equations): time.seconds for time in times}
    counts = sorted({time.equations for time in times})
    methods = list(dict.fromkeys(time.method for time in times))
    body = [(method, *(f"{compiled[method, count]:.1f} s" for count in counts)) for method in methods]
    return text + markdown(("scheme", *(f"{count} equations" for count in counts)), body)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("page", nargs="?", default="docs/benchmarks.md", type=Path)
    chosen = parser.parse_args()
    head = INTRODUCTION.format(
        when=date.today().isoformat(),
        machine=machine(),
        python=platform.python_version(),
        numba=version("numba"),
        numpy=version("numpy"),
    )
    rows = [*table(MODELS, SIZES, ["float64"], [1, 2]), *table(MODELS, [100_000], ["float32"], [1, 2])]
    parts = [head, core_section(rows), threads_section(rows)]
    folder = os.environ.get("PEERS_VENVS")
    if folder and PEER.exists():
        models = [model for model in MODELS if CASES[model].peer]
        parts.append(peers_section(peers.compare(models, [100_000], list(peers.MODES), Path(folder))))
    parts += [start_section(startup.report(), memory.report()), growth_section(*growth.report(10_000_000))]
    parts.append(page.kept(chosen.page.read_text(encoding="utf-8") if chosen.page.exists() else ""))
    chosen.page.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
