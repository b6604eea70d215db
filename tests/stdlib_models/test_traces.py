"""The library's models give the states and spikes that other simulators recorded."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "models" / "traces"
MANIFEST = FOLDER / "manifest.json"
ENTRIES: list[dict[str, Any]] = json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else []
pytestmark = pytest.mark.skipif(not ENTRIES, reason="the traces are not beside this checkout")

_spec = importlib.util.spec_from_file_location("stdlib_model_traces", Path(__file__).with_name("traces.py"))
assert _spec is not None
assert _spec.loader is not None
traces = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = traces
_spec.loader.exec_module(traces)


@pytest.mark.parametrize(
    "entry",
    ENTRIES,
    ids=lambda entry: entry["file"].removesuffix(".npz"),
)
def test_gives_what_the_package_recorded(entry: dict[str, Any]) -> None:
    with np.load(FOLDER / entry["file"]) as file:
        traces.run_trace(entry, {name: file[name] for name in file.files if name != "meta_json"})
