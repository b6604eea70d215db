"""Findings: a golden pair for every kind, and silence where nothing is strange."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dvdt
from dvdt.dsl.cli import main
from dvdt.dsl.declaration import declaration_of
from dvdt.dsl.lint import findings, lint
from dvdt.dsl.reading import read_all
from dvdt.grammar.source import Source

FOLDER = Path(__file__).parents[1] / "lint"
PAIRS = sorted(FOLDER.glob("*.dvdt"))
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "brian2_neurons.jsonl"


def found_in(path: Path) -> findings.Findings:
    (model,) = read_all(Source(path.read_text("utf-8"), path.stem), lambda name: None).values()
    return lint(model, declaration_of(model))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda path: path.stem)
def test_the_report_is_the_golden_one(pair):
    assert f"{found_in(pair)}\n" == pair.with_suffix(".txt").read_text("utf-8")


def test_every_kind_of_finding_has_a_golden_pair():
    kinds = {item for item in vars(findings).values() if isinstance(item, type) and issubclass(item, findings.Finding)}
    assert {type(finding) for pair in PAIRS for finding in found_in(pair)} == kinds - {findings.Finding}


def test_findings_say_where_and_what_to_do():
    for pair in PAIRS:
        for finding in found_in(pair):
            assert finding.severity == "warning"
            assert finding.help
            assert not finding.message.endswith(".")
            assert finding.span.line <= len(pair.read_text("utf-8").splitlines())


@pytest.mark.parametrize("name", [row.name for row in dvdt.models()])
def test_nothing_is_strange_in_the_library(name):
    assert not dvdt.model(name).lint()


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of published texts is not beside this checkout")
def test_nothing_is_strange_in_published_texts_that_run():
    rows = [row for row in map(json.loads, CORPUS.read_text("utf-8").splitlines()) if row["runs"]]
    for row in rows:
        given = {name: value.replace("b2.", "").replace("np.", "") for name, value in row["namespace"].items()}
        try:
            model = dvdt.Model(row["equations"], None, row["threshold"], row["reset"], row["refractory"], parameters=given)
        except (dvdt.ModelError, dvdt.UsageError):  # namespaces that shadow names of the text, arrays of the script
            continue
        assert not model.lint(), f"{row['id']}\n{model.lint()}"


@pytest.mark.parametrize("dt", ["0.1 ms", "0.05 ms", "1 ms"])
def test_times_are_held_against_the_step(dt):
    text = "dv/dt = -v/tau : mV\ntau = 0.3 ms\nmethod euler\nspike when v > 1 mV: v = 0 mV\nrefractory 2.05 ms"
    codes = {finding.code for finding in dvdt.Model(text).lint(dt=dt)}
    assert codes == {"0.1 ms": {"refractory"}, "0.05 ms": set(), "1 ms": {"refractory", "step"}}[dt]


def test_the_step_that_a_model_recommends_is_the_one_that_counts():
    text = "dv/dt = -v/tau : mV\ntau = 0.3 ms\nmethod rk4\n"
    assert not dvdt.Model(text).lint()
    assert [finding.code for finding in dvdt.Model(text + "dt 0.5 ms").lint()] == ["step"]


def test_the_rate_of_an_equation_is_held_against_the_step_at_its_very_value():
    """tau is 1/k = 0.1 ms, or a little more or less; under a parameter that is told, the equation is not told again."""
    rates = {"9.99 /ms": [], "10 /ms": [], "10.01 /ms": ["step"], "-20 /ms": []}
    for rate, codes in rates.items():
        text = f"dv/dt = -v*({rate}) + 3 mV/ms : mV\nmethod euler\n"
        assert [finding.code for finding in dvdt.Model(text).lint(dt="0.1 ms")] == codes
    (one,) = dvdt.Model("dv/dt = -v/tau : mV\ntau = 0.01 ms\nmethod euler").lint()
    assert one.span.text == "tau"


@pytest.mark.parametrize(
    "equation",
    [
        "dv/dt = (x/(exp(x) - 1) - v)/tau : 1; x = v - 3; v(0) = 3",  # a gap that is closed
        "dv/dt = (sqrt(I) - v)/tau : 1; I = 0",
        "dv/dt = -v/(C*ms) : 1; C : 1",  # a parameter that waits
        "dv/dt = (f(t) - log(v))/tau : 1; f(t) : 1",
        "dv/dt = log(rand_start)/tau : 1; rand_start = rand() (constant)",
        "dv/dt = xi*sqrt(1/tau)/v : 1",
    ],
)
def test_what_may_be_finite_at_the_start_is_not_told(equation):
    assert "start" not in {finding.code for finding in dvdt.Model(f"{equation}\ntau = 10 ms").lint()}


def test_draws_and_questions_for_nan_have_equal_sides_on_purpose():
    text = "dv/dt = -v/(10 ms) : 1\nf(x) = x*rand()\nspike when rand() > rand() and v == v: v = f(1) - f(1)"
    assert not dvdt.Model(text).lint()


def test_a_scheme_under_which_it_decays_does_not_mind_a_short_time_constant():
    text = "dv/dt = -v/tau : mV\ntau = 0.01 ms\n"
    assert [len(dvdt.Model(text + method).lint()) for method in ("", "method exponential_euler", "method heun")] == [0, 0, 1]


def test_the_same_findings_where_the_text_comes_from_the_cache():
    text = (FOLDER / "cancels.dvdt").read_text("utf-8")
    assert str(dvdt.Model(text).lint()) == str(dvdt.Model(text).lint())


@pytest.mark.parametrize(
    "condition",
    [
        "v > -50 mV",
        "rand() < rate*dt",
        "v > low and v < high",
        "t > start",
        "exp(v/mV) > 1e6",
        "v/w > 3",
        "not (v < 0 mV)",
        "i == 0",
        "step % 2 == 0",
    ],
)
def test_what_can_happen_is_not_told(condition):
    """`rate` is 0 until somebody sets it; of states nothing is known."""
    text = f"dv/dt = -v/(10 ms) : mV\ndw/dt = -w/(10 ms) : mV\nrate = 0 Hz\nlow = -60 mV\nhigh = -50 mV\nstart = 5 ms\non odd when {condition}"
    assert {finding.code for finding in dvdt.Model(text).lint()} <= {"unused"}


def test_definitions_that_double_at_every_line_take_no_time():
    lines = ["dv/dt = -v*x12/(10 ms) : 1", "x0 = v + 1"] + [f"x{k + 1} = x{k}*x{k}" for k in range(12)]  # 16,383 terms
    model = read_all(Source("\n".join(lines) + "\nspike when x12^2 < -1", "doubling"), lambda name: None)["doubling"]
    assert [finding.code for finding in lint(model, declaration_of(model))] == ["never"]


def test_the_command_line(tmp_path, capsys):
    file = tmp_path / "neuron.dvdt"
    file.write_text("dv/dt = -v/tau : mV\ntau = 10 ms\nV_r = 3 mV\n", "utf-8")
    assert main(["check", "--lint", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "warning[unused]: nothing uses the parameter `V_r`" in shown
    assert f"--> {file}, line 3" in shown
    assert main(["check", "--lint", "--strict", str(file)]) == 1
    file.write_text("dv/dt = -v/tau : mV\ntau = 10 ms\n", "utf-8")
    assert main(["check", "--lint", "--strict", str(file)]) == 0
    assert main(["check", "--strict", str(file)]) == 2
    assert "belongs to --lint" in capsys.readouterr().err
