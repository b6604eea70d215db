"""Every script and model of examples/ works, in a process of its own."""

from __future__ import annotations

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


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.dvdt")), ids=lambda file: file.name)
def test_model_file(file: Path) -> None:
    for model in dvdt.load(file).values():
        assert model.checked.notes == ()
