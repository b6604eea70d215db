"""The README keeps its promises: its Python runs, and its commands are those of the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dvdt
from dvdt.dsl.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = (
    'python -m pip install ".[plot]" && dvdt run examples/step_response.dvdt'
    " --drive I=examples/step_current.csv --record v,w --plot step_response.png"
)
TESTS = 'python -m pip install ".[dev]" && python -m pytest'


def test_the_tour_runs() -> None:
    names: dict[str, object] = {}
    found = list(re.finditer(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
    assert len(found) >= 5
    for match in found:
        line = README.count("\n", 0, match.start()) + 1
        exec(compile("\n" * line + match[1], "README.md", "exec"), names)


def test_both_commands_stand_on_a_line_each() -> None:
    lines = [line.strip() for line in README.splitlines()]
    assert FIRST in lines
    assert TESTS in lines
    assert TESTS in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_first_command_makes_its_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    figure = tmp_path / "step_response.png"
    arguments = FIRST.partition("&& dvdt ")[2].replace("step_response.png", str(figure)).split()
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for word in ("spikes", "Hz", "wall time", "rk2", str(figure)):
        assert word in printed
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert figure.stat().st_size > 20_000


def test_every_file_that_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_version_is_told_once() -> None:
    assert f'version = "{dvdt.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
