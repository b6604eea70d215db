"""Every example of the language reference and of the other pages, through the real parser and checker."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import dvdt
from dvdt.dsl.cli import main
from dvdt.dsl.functions import FUNCTIONS

PAGE = Path(__file__).parents[1] / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCED = [
    (match["language"], match["text"], TEXT.count("\n", 0, match.start()) + 2)
    for match in re.finditer(r"^```(?P<language>[^\n]+)\n(?P<text>.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]
EXPRESSIONS = re.findall(r"^\| `([^`]+)`", TEXT.split("<!-- expressions -->")[1].strip().split("\n\n")[0], re.MULTILINE)


def blocks(language: str) -> list[object]:
    return [pytest.param(text, id=f"line {line}") for found, text, line in FENCED if found == language]


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {language for language, _, _ in FENCED} == {"dvdt", "dvdt wrong", "python"}
    assert len(EXPRESSIONS) > 5


OTHER_PAGES = [
    pytest.param(text, id=f"{page.name}, example {number}")
    for page in sorted(PAGE.parent.glob("*.md"))
    if page != PAGE
    for number, text in enumerate(re.findall(r"^```dvdt\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
]


@pytest.mark.parametrize("text", [*blocks("dvdt"), *OTHER_PAGES])
def test_example_checks_and_prints_and_parses_back(text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.dvdt"
    file.write_text(text, encoding="utf-8")
    found = dvdt.load(file)
    assert found
    for model in found.values():
        assert dvdt.Model(str(model)) == model


@pytest.mark.parametrize("text", blocks("dvdt wrong"))
def test_wrong_example_is_refused_only_for_what_it_shows(text: str) -> None:
    assert text.startswith("# ")
    with pytest.raises(dvdt.ModelError) as caught:
        dvdt.Model(text)
    assert len(caught.value.mistakes) == 1


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expression_is_a_definition(text: str) -> None:
    model = dvdt.Model(f"x = {text}; dy/dt = y/(1 s)*(x == x); y(0) = 1")
    assert "x" in model.parameters


def test_python_examples_run() -> None:
    names: dict[str, object] = {}
    for language, text, line in FENCED:
        if language == "python":
            exec(compile("\n" * (line - 1) + text, str(PAGE), "exec"), names)


def test_every_function_of_the_language_is_listed() -> None:
    listed = set(re.findall(r"\w+", TEXT))
    assert set(FUNCTIONS) <= listed


RUNNING = (PAGE.parent / "running.md").read_text(encoding="utf-8")
RUNNING_BLOCKS = re.findall(r"^```([^\n]+)\n(.*?)^```$", RUNNING, re.MULTILINE | re.DOTALL)


def test_examples_of_running_models_run_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    assert {language for language, _ in RUNNING_BLOCKS} == {"python", "sh"}
    names: dict[str, object] = {}
    for language, text in RUNNING_BLOCKS:
        if language == "python":
            line = RUNNING.count("\n", 0, RUNNING.index(text))
            exec(compile("\n" * line + text, "docs/running.md", "exec"), names)
        else:
            for command in text.splitlines():
                assert command.startswith("dvdt ")
                assert main(shlex.split(command)[1:]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"adex.npz", "adex.png", "adex.ckpt", "run.ckpt", "long.ckpt"}


def test_contents_of_running_models_lead_somewhere() -> None:
    headings = {
        line.lstrip("# ").lower().replace(",", "").replace(" ", "-") for line in RUNNING.splitlines() if line.startswith("##")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNNING)) <= headings
