"""Model: what it shows, that it prints and parses back, extension, equality, LaTeX, and the calls that it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dvdt

LIF = """
    dv/dt = (E_L - v + R*I)/tau : mV (unless refractory)
    tau = 20 ms      # membrane time constant
    E_L = -70 mV; R = 100 Mohm
    I = 0 nA
    drive = 1 mV*sin(2*pi*t*(5 Hz))
    above = v - E_L
    v(0) = E_L
    spike when v > -50 mV: v = -65 mV
    on warm when v crosses -60 mV
    refractory 2 ms
"""


@pytest.fixture
def lif() -> dvdt.Model:
    return dvdt.Model(LIF, name="my_lif")


def test_shows_what_it_is_made_of(lif: dvdt.Model) -> None:
    assert lif.name == "my_lif"
    assert list(lif.states) == ["v"]
    assert list(lif.parameters) == ["tau", "E_L", "R", "I"]
    assert list(lif.derived) == ["above"]
    assert list(lif.inputs) == ["drive"]
    assert list(lif.events) == ["spike", "warm"]
    tau = lif.parameters["tau"]
    assert (tau.unit, tau.default, tau.description) == ("ms", "20 ms", "membrane time constant")
    assert lif.states["v"].default == "E_L"
    assert lif.events["spike"].block == ("v = -65 mV",)
    assert "membrane time constant" in repr(lif.parameters)
    with pytest.raises(TypeError):
        lif.parameters["tau"] = 3  # type: ignore[index]


def test_prints_and_parses_back(lif: dvdt.Model) -> None:
    assert dvdt.Model(str(lif)) == lif
    assert str(lif) == lif.text
    assert dvdt.Model(lif.text).parameters["tau"].description == "membrane time constant"


def test_equality_is_of_content_and_not_of_order(lif: dvdt.Model) -> None:
    shuffled = "\n".join(reversed(LIF.strip().splitlines()))
    assert dvdt.Model(shuffled, name="my_lif") == lif
    assert dvdt.Model(LIF.replace("20 ms", "21 ms"), name="my_lif") != lif
    assert (
        dvdt.Model(LIF.replace("20 ms", "0.02 s"), name="my_lif") != lif
    )  # bare numbers from Python would count in another unit
    assert dvdt.Model(LIF) != lif
    assert lif != LIF
    assert len({lif, dvdt.Model(LIF, name="my_lif")}) == 1


def test_extends(lif: dvdt.Model) -> None:
    other = lif.extend("R = 50 Mohm; without warm\nspike when v > -40 mV: v = E_L", name="other")
    assert other.name == "other"
    assert other.parameters["R"].default == "50 Mohm"
    assert list(other.events) == ["spike"]
    assert other.events["spike"].condition == "v > -40 mV"
    assert dvdt.Model(str(other)) == other
    assert lif.parameters["R"].default == "100 Mohm"
    assert lif.extend("", name="same").extend("", name="my_lif") == lif
    with pytest.raises(dvdt.ModelError, match="inherits no `V`"):
        lif.extend("without V")
    with pytest.raises(dvdt.UsageError, match="statements alone"):
        lif.extend("model x:\n  R = 50 Mohm")


def test_keyword_form_says_the_same(lif: dvdt.Model) -> None:
    given = dvdt.Model(
        "dv/dt = (E_L - v)/tau : mV (unless refractory)",
        name="cell",
        threshold="v > V_t",
        reset="v = E_L",
        refractory="2*ms",
        events={"warm": "v > -60*mV"},
        method="exact",
        parameters={"E_L": "-70*mV", "tau": "20*ms", "V_t": "E_L + 20*mV", "unused": 1},
    )
    written = dvdt.Model(
        """
        dv/dt = (E_L - v)/tau : mV (unless refractory)
        E_L = -70*mV; tau = 20*ms; V_t = E_L + 20*mV
        spike when v > V_t: v = E_L
        on warm when v > -60*mV
        refractory 2*ms
        method exact
        """,
        name="cell",
    )
    assert given == written
    assert dvdt.Model(str(given)) == given


def test_keeps_what_no_text_can_hold() -> None:
    currents = np.array([0.1, 0.2])
    model = dvdt.Model("dv/dt = -v/tau + I/C : volt; I : pA; C = 1 pF", parameters={"tau": "10 ms", "I": currents})
    assert list(model.bound) == ["I"]
    assert model.bound["I"] is currents
    assert model == dvdt.Model("dv/dt = -v/tau + I/C : volt; I : pA; C = 1 pF", parameters={"tau": "10 ms", "I": currents.copy()})
    assert model != dvdt.Model("dv/dt = -v/tau + I/C : volt; I : pA; C = 1 pF", parameters={"tau": "10 ms", "I": 2 * currents})
    series = dvdt.TimedSeries(np.arange(3.0), "1 ms", "mV")
    called = dvdt.Model("dv/dt = (f(t) - v)/(10 ms) : volt", parameters={"f": series})
    assert called.inputs["f"].unit == "mV"
    v = dvdt.simulate(called, "3 ms", dt="1 ms", method="euler", record=["v"])["v"][:, 0]
    assert v == pytest.approx([0, 0, 0.1e-3, 0.1e-3 * 0.9 + 0.2e-3])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": 3}, "text"),
        ({"text": LIF, "name": "my lif"}, "name"),
        ({"text": LIF, "name": "if"}, "name"),
        ({"text": "model a:\n  x = 1\n  dy/dt = x*y/(1 s)\n  y(0) = 1\nmodel b(a):\n  x = 2"}, "a, b"),
        ({"text": "model a:\n  dy/dt = y/(1 s)\n  y(0) = 1", "name": "b"}, "'a'"),
        ({"text": LIF.replace("refractory 2 ms", ""), "refractory": 2}, "refractory"),
        ({"text": "dv/dt = f(t)/(1 s); v(0) = 1 mV", "parameters": {"f": lambda t: t}}, "unit"),
    ],
)
def test_refuses_a_wrong_call(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(dvdt.UsageError, match=words):
        dvdt.Model(**arguments)  # type: ignore[arg-type]


def test_reports_all_mistakes_of_text_and_keywords_together() -> None:
    with pytest.raises(dvdt.ModelError) as caught:
        dvdt.Model("dv/dt = -v/tua : volt\ntau = 10 ms\nw = (3", threshold="v > 10*mv", reset="v = 0")
    report = str(caught.value)
    assert len(caught.value.mistakes) == 4
    for words in ("`tua`", "`tau`?", "never closed", "`mv`", "line 1", "line 3", "threshold", "reset"):
        assert words in report


def test_is_drawn_as_latex(lif: dvdt.Model) -> None:
    latex = lif.latex()
    assert r"\frac{dv}{dt} &= \frac{E_{L} - v + R \, I}{\tau}" in latex
    assert r"v > -50\,\mathrm{mV} \\ & \quad v \leftarrow -65\,\mathrm{mV}" in latex
    assert "above &= v - E_{L}" in latex.replace(r"\mathrm{above}", "above")
    html = lif._repr_html_()
    assert "membrane time constant" in html
    assert "<script" not in dvdt.Model("dv/dt = -v/(1 ms)  # <script>\nv(0) = 1 mV")._repr_html_()


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("(a + b)*a", r"\left(a + b\right) \, a"),
        ("a - (b - a)", r"a - \left(b - a\right)"),
        ("-a^2", r"-a^{2}"),
        ("(-a)^2", r"\left(-a\right)^{2}"),
        ("(a/b)^2", r"\left(\frac{a}{b}\right)^{2}"),
        ("exp(-a/b)", r"\exp\left(\frac{-a}{b}\right)"),
        ("sqrt(a)*abs(b)", r"\sqrt{a} \, \left|b\right|"),
        ("a if a > b else b", r"\begin{cases} a & \text{if } a > b \\ b & \text{otherwise} \end{cases}"),
        ("(a > b and not b >= 1)*a", r"\left(a > b \land \lnot b \ge 1\right) \, a"),
        ("1.5e-3*a", r"0.0015 \, a"),
        ("a*1e-9", r"a \cdot 10^{-9}"),
    ],
)
def test_formulas_as_latex(text: str, latex: str) -> None:
    model = dvdt.Model(f"a(0) = 1; b(0) = 1; x = {text}; each step: a = b")
    assert f"x &= {latex} \\\\" in model.latex()


def test_explains_itself(lif: dvdt.Model) -> None:
    assert "exact" in str(lif.explain())
    assert "rk4" in str(lif.explain(method="rk4", dt="0.05 ms"))
    with pytest.raises(dvdt.UsageError, match="rk5"):
        lif.explain(method="rk5")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"threshold": 3}, "threshold: expected a text, not 3"),
        ({"reset": 3}, "reset: expected a text"),
        ({"method": 3}, "method: expected a text"),
        ({"events": "v > 1*mV"}, "events: expected a mapping"),
        ({"events": {"burst": 3}}, r"events\['burst'\]: expected a condition"),
        ({"parameters": "tau"}, "parameters: expected a mapping"),
    ],
)
def test_refuses_keywords_that_are_no_text(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(dvdt.UsageError, match=words):
        dvdt.Model("dv/dt = -v/(1 ms) : mV", **arguments)  # type: ignore[arg-type]


TWICE = "model a:\n    x = 1\n    dy/dt = x/(1 s)\n    y(0) = 1\nmodel a:\n    x = 2\n"


def test_two_models_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "twice.dvdt").write_text(TWICE)
    for read in (
        lambda: dvdt.Model(TWICE),
        lambda: dvdt.Model(TWICE, name="a"),
        lambda: dvdt.load(tmp_path / "twice.dvdt"),
        lambda: dvdt.Registry().load_library(tmp_path),
    ):
        with pytest.raises(dvdt.ModelError) as caught:
            read()
        (mistake,) = caught.value.mistakes
        assert mistake.message == "the model `a` is given twice"
        assert (mistake.span.line, mistake.labels[0].span.line) == (5, 1)


def test_the_increment_sign_is_a_delta() -> None:
    model = dvdt.Model("dv/dt = -v*∆_T/ΔT2/(1 ms) : mV; Δ_T = 1; x∆ = 3; ∆T2 = 2")
    assert list(model.parameters) == ["Δ_T", "xΔ", "ΔT2"]
    assert dvdt.Model(model.text) == model


def test_extension_is_a_text(lif: dvdt.Model) -> None:
    with pytest.raises(dvdt.UsageError, match="extend: expected a text"):
        lif.extend(3)  # type: ignore[arg-type]


def test_a_file_is_loaded() -> None:
    for call in (dvdt.Model, dvdt.model, dvdt.Population):
        with pytest.raises(dvdt.UsageError, match=r"dvdt\.load\('cells\.dvdt'\)"):
            call("cells.dvdt")


def test_a_name_that_the_model_has_not(lif: dvdt.Model) -> None:
    with pytest.raises(dvdt.UsageError, match=r"'tua'.*did you mean 'tau'"):
        lif.parameters["tua"]
    assert "tua" not in lif.parameters
    assert lif.parameters.get("tua") is None


def test_explains_for_a_mapping_of_values(lif: dvdt.Model) -> None:
    with pytest.raises(dvdt.UsageError, match="parameters: expected a mapping"):
        lif.explain(parameters=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("namespace", "values of names go to parameters"),
        ("threshhold", "did you mean threshold?"),
        ("N", "simulate(model, '1 s', n=100)"),
        ("spikes_when", "it takes a text and name, threshold"),
    ],
)
def test_an_argument_that_there_is_not_is_told_with_what_there_is(argument, told):
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.Model("dv/dt = -v/(10 ms) : 1", **{argument: None})
    assert f"Model: there is no argument {argument!r}; " in str(caught.value)
    assert told in str(caught.value)
