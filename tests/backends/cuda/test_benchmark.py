"""The benchmark of GPUs, as far as it goes without one: every part of it runs on numba's simulator, and no failure ends it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / "cuda" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


PAGE, PARTS = loaded("page"), loaded("parts")

# a process that does the items that it is given, of which "hangs", "dies" and "raises" do what they say
CHILD = """
import os, sys, time
sys.path.insert(0, {folder!r})
import parts
parts.LONG_S = 0.5
def done(item):
    yield {{"figure": len(item)}}
    if item == "hangs":
        time.sleep(60)
    elif item == "dies":
        print("last words", file=sys.stderr, flush=True)
        os._exit(3)
    elif item == "raises":
        raise RuntimeError("the reason") from KeyError("behind it")
parts.work(sys.argv[sys.argv.index("--items") + 1].split(","), done)
"""


def told(items: list[str], seconds: float, monkeypatch: pytest.MonkeyPatch, silence: float = 1.0) -> list[dict[str, Any]]:
    monkeypatch.setattr(PARTS, "START_S", 0.5)
    program = (sys.executable, "-c", CHILD.format(folder=str(ROOT / "benchmarks" / "cuda")))
    return list(PARTS.told_by("any", items, time.monotonic() + seconds, silence, program=program))


def test_an_item_that_fails_hangs_or_dies_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(["one", "raises", "dies", "three", "hangs", "last"], 60.0, monkeypatch)
    assert [line["item"] for line in lines if "figure" in line] == ["one", "raises", "dies", "three", "hangs", "last"]
    assert [line["item"] for line in lines if "done" in line] == ["one", "three", "last"]
    errors = {line["item"]: line["error"] for line in lines if "error" in line}
    assert errors["raises"] == "RuntimeError: the reason <- KeyError: 'behind it'"
    traces = {line["item"]: line["trace"] for line in lines if "error" in line}
    assert "RuntimeError: the reason" in traces["raises"]
    assert "status 3: last words" in errors["dies"]
    assert "last words" in traces["dies"]
    assert "nothing was heard of it for 1 s" in errors["hangs"]
    assert "in done" in traces["hangs"]  # the stack, from the innermost function on


def test_it_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    lines = told(["one", "hangs", "last"], 1.5, monkeypatch, silence=30.0)
    assert time.monotonic() - began < 10
    assert [line["item"] for line in lines if "late" in line] == ["hangs", "last"]


def test_every_part_runs_on_the_simulator(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    small = [
        "--models",
        "lif",
        "--sizes",
        "3",
        "--seconds",
        "0.002",
        "--checks",
        "draws,not_finite,model lif,without_spikes,lent",
    ]
    command = [sys.executable, "-m", "benchmarks.cuda", *small, "--out", str(tmp_path / "cuda.json")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((tmp_path / "cuda.json").read_text())
    assert found["finished"]
    assert found["left_out"] == []
    assert set(found["agreement"]) == {"draws", "not_finite", "model lif", "without_spikes", "lent"}
    assert [trouble for check in found["agreement"].values() for trouble in check["troubles"]] == []
    assert set(found["start"]) == {"cold_s", "warm_s"}
    assert set(found["limits"]) == set(PAGE.UNITS)
    assert [(row["precision"], row["recorded"]) for row in found["rows"]] == [
        (precision, recorded) for recorded in ("nothing", "spikes", "one state") for precision in ("float32", "float64")
    ]
    # v and the refractory period are read and written, the drive and the sum with it (which is worked out once) are read
    assert [step["bytes"] for step in found["steps"]] == [4 * 6, 8 * 6]
    assert [(row["model"], row["function"], row["n"]) for row in found["across"]] == [("lif", "total(v)/N", 12)]
    assert all(found["across"][0][us] > 0 for us in ("us", "us_without"))
    assert PAGE.section(found) in done.stdout


def test_without_a_gpu_it_says_so() -> None:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "0", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "benchmarks.cuda"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("no figures: ")


# ---- the page


def row(model: str, precision: str, n: int, recorded: str, rate: float, us: float | None = None) -> dict[str, Any]:
    told = {"model": model, "precision": precision, "n": n, "recorded": recorded, "rate": rate, "us_a_step": n / rate * 1e6}
    return {**told, "us_a_further_step": us, "steps": 1000, "launches": 40, "compiled_in_the_run": []}


FOUND: dict[str, Any] = {
    "date": "2026-01-02",
    "gpu": "NVIDIA H200, 140 GiB, compute capability 9.0",
    "driver": "580.95, 1980 MHz, 700 W",
    "machine": "a processor",
    "versions": {"numba-cuda": "0.30.4"},
    "agreement": {"draws": {"troubles": []}, "model lif": {"troubles": ["three runs differ"]}},
    "limits": {"copy_bytes_s": 4e12, "multiply_adds_s_float32": 3e13, "launch_us": 2.5},
    "start": {"cold_s": 2.5, "warm_s": 0.75},
    "steps": [{"model": "lif", "precision": "float32", "bytes": 20, "clocks": 0.16, "instructions": 15, "narrowest": "fma"}],
    "rows": [
        row("lif", "float32", 100_000_000, "nothing", 1.6e12),
        row("lif", "float64", 100_000_000, "nothing", 0.49e12),
        row("lif", "float32", 10_000, "nothing", 1e10, 0.4),
        row("hodgkin_huxley", "float64", 100_000_000, "nothing", 1e10),
        row("lif", "float32", 100_000_000, "spikes", 1e12),
    ],
    "processor": {"lif": 2e9},
    "across": [{"model": "lif", "function": "mean(v)", "precision": "float32", "n": 10_000, "us": 3.14159, "us_without": 0.25}],
    "left_out": [["barrier_us", "RuntimeError: none"]],
}


def test_rows_are_held_against_the_limits_and_what_is_wanted() -> None:
    copied, issued = PAGE.fractions(FOUND, FOUND["rows"][0])
    assert (copied, issued) == (pytest.approx(1.6e12 * 20 / 4e12), pytest.approx(1.6e12 * 0.16 * 128 / 3e13))
    # 40 launches of 2.5 us in 1000 steps, of which one takes 1e8/1.6e12 s
    assert PAGE.launching(FOUND, FOUND["rows"][0]) == f"{40 * 2.5 / (1000 * 62.5):.1%}" == "0.2%"
    assert [PAGE.target(each) for each in FOUND["rows"]] == [
        "1500 G: reached",
        "500 G: not reached",
        "0.5 us a step: reached",
        "",
        "",
    ]
    assert PAGE.agreement(FOUND["agreement"]) == "1 of 2 checks agree; not: model lif"


def test_the_page_gets_the_section_and_keeps_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Benchmarks\n\n## One thread\n" + PAGE.NONE)
    assert PAGE.kept(page.read_text()) == PAGE.NONE == PAGE.kept("# a page without one\n")
    PAGE.write(FOUND, page)
    text = page.read_text()
    assert text.startswith("# Benchmarks\n\n## One thread\n\n## GPU\n\nMeasured on 2026-01-02")
    assert "No GPU was at hand" not in text
    assert "| lif | 1e+08 | float32 | nothing | 1600 G |" in text
    assert {line.count("|") for line in text.splitlines() if line.startswith(("| model | N", "| lif | 1e", "| hodg"))} == {12}
    assert "| lif | mean(v) | 1e+04 | float32 | 3.14 | 0.25 |" in text
    assert "first result of AdEx: 2.50 s, with the kernel cached 0.75 s" in text
    assert "(lif float32 15 instructions, fma)" in text
    assert "copies 4 TB/s read and written, a launch 2.5 us, multiply-adds 30 T/s in float32" in text
    assert PAGE.kept(text) == PAGE.section(FOUND)
    PAGE.write({**FOUND, "rows": []}, page)
    assert page.read_text() == "# Benchmarks\n\n## One thread\n" + PAGE.NONE


def test_the_page_of_the_project_has_such_a_section() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert text.count(PAGE.HEADING) == 1
    assert PAGE.kept(text) == PAGE.NONE or "Measured on" in PAGE.kept(text)
