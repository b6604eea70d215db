"""Whole-process times: importing, and from a text to the first result, with a cold and a warm cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from .cases import ADEX

FIRST_RESULT = f"""
import dvdt
result = dvdt.simulate({ADEX!r}, "100 ms", n=100, parameters={{"I": "1000 pA"}}, method="euler")
assert len(result.spikes.t)
"""


def seconds(code: str, cache: str) -> float:
    """Wall time of a new interpreter that runs `code`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "DVDT_CACHE_DIR": cache}, capture_output=True)
    return time.perf_counter() - began


def measure(repeats: int = 5) -> dict[str, list[float]]:
    """Seconds of each kind of start, `repeats` times."""
    figures: dict[str, list[float]] = {"import dvdt": [], "cold": [], "warm": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            figures["import dvdt"].append(seconds("import dvdt", cache))
            figures["cold"].append(seconds(FIRST_RESULT, cache))
            figures["warm"].append(seconds(FIRST_RESULT, cache))
    return figures


def report(repeats: int = 5) -> dict[str, float]:
    """The best of `repeats` of each figure; prints a JSON line each."""
    figures = measure(repeats)
    for name, times in figures.items():
        print(json.dumps({"startup": name, "best_s": round(min(times), 3), "all_s": [round(t, 3) for t in times]}), flush=True)
    return {name: min(times) for name, times in figures.items()}
