"""The CUDA backend on a GPU: first whether it is right, then how fast, beside the limits of the card. Ends within eight minutes.

    python -m benchmarks.cuda [--sizes 1e4,1e6,1e7,1e8] [--models lif,adex] [--out cuda.json] [--write]

Agreement: every model of the library against the reference and the CPU, and what only many neurons, blocks and chunks show. Limits: copies,
launches, a barrier of all blocks, multiply-adds. Table: neuron-steps a second, recording nothing, spikes, or one state of 1000 neurons; as
a fraction of what a kernel that reads and writes its state at every step could reach at the copy bandwidth measured here, and of what the
card could issue; the CPU of the same machine beside it. Then steps of neurons that read one another, beside those of neurons that do not.
All work is done in processes of their own: one that fails or hangs is a line of the report. The JSON is written as it goes. --write puts
the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dvdt.backends.cuda.functions import simulated
from dvdt.backends.cuda.machine import gpu, obstacle

from ..page import machine
from . import across as cuda_across
from . import agreement as cuda_agreement
from . import page, speed
from .parts import Told, at_once, told_by, work

TOTAL_S, AGREEMENT_S, LIMITS_S, START_S, COUNT_S, PROCESSOR_S, ACROSS_S = 450.0, 175.0, 40.0, 20.0, 40.0, 35.0, 50.0
SILENCE_S = 90.0  # the longest that one item may take
LATE = "no time was left"
PACKAGES = ("dvdt", "numba", "numba-cuda", "cuda-bindings", "cuda-core", "numpy", "llvmlite")


class Report:
    """What has been found, kept in a file after every line."""

    def __init__(self, path: Path, found: dict[str, Any]) -> None:
        self.path, self.found, self.began = path, found, time.monotonic()

    def keep(self) -> None:
        self.found["seconds"] = round(time.monotonic() - self.began, 1)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.found, indent=1), encoding="utf-8")
        part.replace(self.path)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)
        self.keep()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cuda", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="1e4,1e6,1e7,1e8")
    parser.add_argument("--models", default=",".join(speed.MODELS))
    parser.add_argument("--seconds", type=float, default=0.6, help="of each timed run")
    parser.add_argument("--checks", default="", help="only these checks of agreement, such as 'draws,model adex'; 'none'")
    parser.add_argument("--out", default="cuda.json", type=Path)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--items", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        return do_part(chosen.part, chosen.items.split(","), chosen.seconds)
    if why := obstacle():
        print(f"no figures: {why}", file=sys.stderr)
        return 2
    report = Report(chosen.out, described())
    report.say(f"{report.found['gpu']}; {report.found['machine']}")
    until = time.monotonic() + TOTAL_S
    agreement(report, chosen.checks, min(until, time.monotonic() + AGREEMENT_S))
    limits(report, min(until, time.monotonic() + LIMITS_S))
    start(report, until)
    table(report, chosen, until - ACROSS_S)
    across(report, chosen, until)
    report.found["finished"] = True
    report.keep()
    print(page.section(report.found))
    if chosen.write:
        page.write(report.found, Path("docs/benchmarks.md"))
    checked = report.found["agreement"].values()
    return 0 if chosen.checks == "none" or (checked and not any(check["troubles"] for check in checked)) else 1


def described() -> dict[str, Any]:
    """The machine, its GPU and the versions of everything."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed as a package"
    asked = ["nvidia-smi", "--query-gpu=driver_version,clocks.max.sm,power.limit", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        told = ""
    return {
        "date": date.today().isoformat(),
        "gpu": "numba's simulator" if simulated() else str(gpu()),
        "driver": told,
        "machine": machine(),
        "versions": versions,
        "finished": False,
        "agreement": {},
        "limits": {},
        "start": {},
        "steps": [],
        "rows": [],
        "processor": {},
        "across": [],
        "left_out": [],
        "traces": {},
    }


# ---- the parts, in a process of their own --------------------------------------------------------


def do_part(part: str, items: Sequence[str], seconds: float) -> int:
    """Do the items of one part and tell what they give (see `parts`)."""
    small = simulated()
    extent = cuda_agreement.TINY if small else cuda_agreement.FULL
    parts: dict[str, Any] = {
        "agreement": functools.partial(cuda_agreement.check, extent=extent),
        "limits": functools.partial(speed.limit, small=small),
        "count": speed.count,
        "rows": functools.partial(speed.row, seconds=seconds),
        "processor": functools.partial(speed.processor, seconds=seconds),
        "across": functools.partial(cuda_across.row, seconds=seconds / 4),
    }
    work(items, parts[part])
    return 0


# ---- the parts, watched --------------------------------------------------------------------------


def agreement(report: Report, asked: str, until: float) -> None:
    """Special checks and the models of the library, several processes at once, each with a share."""
    every = [*cuda_agreement.SPECIAL, *(f"model {name}" for name in cuda_agreement.models())]
    items = every if not asked else [item for item in asked.split(",") if item in every]
    count = max(1, min(6, (os.cpu_count() or 2) // 2, len(items)))
    shares = [items[k::count] for k in range(count)]
    found, late = report.found["agreement"], []
    for told in at_once([functools.partial(told_by, "agreement", share, until, SILENCE_S) for share in shares if share]):
        if "late" in told:
            late.append(told["item"])
            continue
        kept = found.setdefault(told["item"], {"troubles": [], "seconds": None})
        kept["troubles"] += [told[sort] for sort in ("trouble", "error") if sort in told]
        if "error" in told:
            report.found["traces"][told["item"]] = told.get("trace", "")
        if "done" in told or "error" in told:
            kept["seconds"] = told.get("seconds")
            for trouble in kept["troubles"]:
                report.say(f"{told['item']}: {trouble}")
    if late:
        left_out(report, f"{len(late)} checks, from {late[0]} on", LATE)
    report.say(page.agreement(found))


def limits(report: Report, until: float) -> None:
    for told in told_by("limits", list(speed.LIMITS), until, SILENCE_S):
        name = told["item"]
        if name in told:
            report.found["limits"][name] = told[name]
            report.say(f"{name} {told[name]:.4g}")
        note(report, told)


def start(report: Report, until: float) -> None:
    """From the start of a process to the first result, with nothing kept from earlier ones and with everything."""
    n, ms = (2, 1) if simulated() else (1000, 10)
    code = f"import dvdt; dvdt.simulate('adex', '{ms} ms', n={n}, backend='cuda', progress=False)"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DVDT_CACHE_DIR": folder}
        for name in ("cold_s", "warm_s"):
            began, wait = time.perf_counter(), max(1.0, min(START_S, until - time.monotonic()))
            try:
                subprocess.run(
                    [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=wait, check=True
                )
            except subprocess.SubprocessError as error:
                said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
                left_out(report, name, said[-1] if said else "")
                return
            report.found["start"][name] = time.perf_counter() - began
            report.say(f"start {name} {report.found['start'][name]:.2f}")


def table(report: Report, chosen: argparse.Namespace, until: float) -> None:
    models, sizes = chosen.models.split(","), [int(float(size)) for size in chosen.sizes.split(",")]
    steps = [f"{model} {precision}" for model in models for precision in ("float32", "float64")]
    seconds = ["--seconds", str(chosen.seconds)]
    for told in told_by("count", steps, min(until, time.monotonic() + COUNT_S), SILENCE_S):
        if "bytes" in told:
            report.found["steps"].append(_plain(told))
        note(report, told)
    for told in told_by("processor", models, min(until, time.monotonic() + PROCESSOR_S), SILENCE_S, seconds):
        if "rate" in told:
            report.found["processor"][told["model"]] = told["rate"]
            report.say(f"{told['model']} on the processors: {told['rate'] / 1e9:.3f} G neuron-steps/s")
        note(report, told)
    for told in told_by("rows", list(order(models, sizes)), until, SILENCE_S, seconds):
        if "rate" in told:
            report.found["rows"].append(_plain(told))
            report.say(page.line(report.found, report.found["rows"][-1]))
        note(report, told)


def across(report: Report, chosen: argparse.Namespace, until: float) -> None:
    """What reading across the population costs."""
    asked = ["lif 0 float32 12"] if simulated() else list(cuda_across.items())
    for told in told_by("across", asked, until, SILENCE_S, ["--seconds", str(chosen.seconds)]):
        if "us" in told:
            report.found["across"].append(_plain(told))
            report.say(" ".join(page.across_cells(told)))
        note(report, told)


def order(models: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    """The rows that matter most first, because time may run out: large populations take long to be made."""
    largest_first = sorted(sizes, key=lambda n: (n != max(sizes), n))
    for recorded in speed.RECORDED:
        for n in largest_first if recorded == "nothing" else sorted(sizes):
            for model in models:
                for precision in ("float32", "float64"):
                    yield f"{model} {precision} {n} {recorded}"


def note(report: Report, told: Told) -> None:
    """Note an item that has given no figure."""
    if "error" in told:
        report.found["traces"][told["item"]] = told.get("trace", "")
        left_out(report, told["item"], told["error"])
    elif "late" in told:
        report.found["left_out"].append([told["item"], LATE])


def left_out(report: Report, item: str, why: str) -> None:
    report.found["left_out"].append([item, why])
    report.say(f"{item}: {why}")


def _plain(told: Told) -> Told:
    return {name: value for name, value in told.items() if name != "item"}


if __name__ == "__main__":
    sys.exit(main())
