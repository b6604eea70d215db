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


def report(repeats: int = 5) -> None:
    """Prints a JSON line a figure: the best of `repeats`."""
    figures = {"import dvdt": [], "cold": [], "warm": []}  # type: dict[str, list[float]]
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            figures["import dvdt"].append(seconds("import dvdt", cache))
            figures["cold"].append(seconds(FIRST_RESULT, cache))
            figures["warm"].append(seconds(FIRST_RESULT, cache))
    for name, times in figures.items():
        print(json.dumps({"startup": name, "best_s": round(min(times), 3), "all_s": [round(t, 3) for t in times]}), flush=True)
