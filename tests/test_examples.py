"""Every script and model of examples/ works, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dvdt

FOLDER = Path(__file__).parents[1] / "examples"
SAYS = {
    "custom_model.py": ["pulses 25.0 ms apart: 1 spikes", "pulses 12.5 ms apart: 0 spikes"],
    "f_i_curve.py": ["adex", "traub_miles", "glif5"],
    "heterogeneous_raster.py": ["spikes", "Hz on average"],
}


def test_every_script_is_tested() -> None:
    assert {file.name for file in FOLDER.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("script", SAYS)
def test_script(script: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, FOLDER / script], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert run.returncode == 0, run.stderr
    for words in SAYS[script]:
        assert words in run.stdout
    assert not list(tmp_path.iterdir())


SHOW = """
import ast, json, sys
cells = json.load(open(sys.argv[1], encoding="utf-8"))["cells"]
names = {"__name__": "__main__"}
for cell in cells:
    if cell["cell_type"] == "code":
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell["id"], "exec"), names)
        shown = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names) if last is not None else None
        if shown is not None:
            print(shown._repr_html_() if hasattr(shown, "_repr_html_") else repr(shown))
"""
TOUR = ["$$\\begin{aligned}", "error[units]", "exact", "spikes", "(3001, 50) mV 0.3", "spikes in the last second", "True"]


def test_tour(tmp_path: Path) -> None:
    """Every cell of the notebook, in order, in a process of its own; what a notebook would show is made too."""
    command = [sys.executable, "-c", SHOW, FOLDER / "tour.ipynb"]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=300, env={**os.environ, "MPLBACKEND": "Agg"}
    )
    assert run.returncode == 0, run.stderr
    place = 0
    for words in TOUR:
        place = run.stdout.index(words, place)
    rate = re.search(r"(\d+) spikes in the last second", run.stdout)
    assert rate is not None
    assert 38 <= int(rate[1]) <= 42
    assert not list(tmp_path.iterdir())


def test_tour_holds_no_outputs() -> None:
    notebook = json.loads((FOLDER / "tour.ipynb").read_text(encoding="utf-8"))
    assert [file.name for file in FOLDER.glob("*.ipynb")] == ["tour.ipynb"]
    for cell in notebook["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"] == [] and cell["execution_count"] is None)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.dvdt")), ids=lambda file: file.name)
def test_model_file(file: Path) -> None:
    for model in dvdt.load(file).values():
        assert model.checked.notes == ()
