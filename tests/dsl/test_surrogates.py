"""Surrogates: their factors against derivatives of smooth functions, and what a text may say."""

from __future__ import annotations

import re
from pathlib import Path

import mpmath
import numpy as np
import pytest

import dvdt
from dvdt.dsl.surrogates import SURROGATES

NAMES = """superspike triangle tanh circ heavi_erfc heaviside straight_through ngc_triangular arctan secant_lif sigmoid atan
rectangle gate quadratic_gate gaussian relu_like eprop""".split()

# functions with the factor as their derivative, as the papers write them, by settings other than the defaults
SMOOTH = {
    ("superspike", (("alpha", 7),)): lambda d: d / (1 + 7 * abs(d)),
    ("tanh", (("alpha", 3),)): lambda d: mpmath.tanh(3 * d) / 3,
    ("circ", (("alpha", 0.5),)): lambda d: d / mpmath.sqrt(1 + (d / 0.5) ** 2),
    ("heavi_erfc", (("alpha", 2),)): lambda d: (1 - mpmath.erfc(2 * d)) / 2,
    ("arctan", (("alpha", 2),)): lambda v: mpmath.atan(mpmath.pi * v) / mpmath.pi**2,
    ("secant_lif", (("c2", 0.5),)): lambda j: mpmath.asin(mpmath.tanh(0.5 * j)) / 0.5 if j > 0 else 0,
    ("sigmoid", (("alpha", 4),)): lambda d: 1 / (1 + mpmath.exp(-4 * d)),
    ("atan", (("alpha", 2),)): lambda d: mpmath.atan(mpmath.pi * d) / mpmath.pi + 0.5,
    ("gaussian", (("alpha", 0.5),)): lambda d: mpmath.ncdf(d, 0, mpmath.sqrt(0.5)) / mpmath.sqrt(mpmath.pi),
    ("straight_through", ()): lambda d: d,
    ("relu_like", (("alpha", 2),)): lambda d: max(2 * d, 0),
}
# supports and peaks of those that are made of straight lines: (settings, half-width, peak, area)
FINITE = {
    "triangle": ({"alpha": 0.3}, 1.0, 0.3, 0.3),
    "rectangle": ({"alpha": 0.5}, 0.5, 1.0, 1.0),
    "gate": ({"alpha": 4}, 0.25, 1.0, 0.5),
    "quadratic_gate": ({"alpha": 2}, 0.5, 2.0, 1.0),
    "eprop": ({"v_thresh": 2}, 2.0, 0.15, 0.3),
}


def test_all_are_there() -> None:
    assert list(SURROGATES) == NAMES


@pytest.mark.parametrize(("name", "settings"), SMOOTH)
def test_the_factor_is_the_derivative_of_the_smooth_function(name: str, settings: tuple[tuple[str, float], ...]) -> None:
    places = np.array([-2.1, -0.7, -0.11, 0.03, 0.31, 1.3, 2.7])
    wanted = [float(mpmath.diff(SMOOTH[name, settings], mpmath.mpf(float(x)))) for x in places]
    np.testing.assert_allclose(dvdt.surrogate(name, **dict(settings)).factor(places), wanted, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", [name for name in NAMES if SURROGATES[name].smooth is not None])
def test_the_factor_is_the_derivative_of_what_is_given_as_smooth(name: str) -> None:
    found = dvdt.surrogate(name)
    places, h = np.array([-1.7, -0.37, -0.011, 0.023, 0.41, 1.9]), 1e-6
    slope = (found.smooth(places + h) - found.smooth(places - h)) / (2 * h)
    np.testing.assert_allclose(found.factor(places), slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", FINITE)
def test_those_of_straight_lines_have_their_width_peak_and_area(name: str) -> None:
    settings, width, peak, area = FINITE[name]
    factor = dvdt.surrogate(name, **settings).factor
    grid = np.linspace(-3, 3, 600_001)
    values = factor(grid)
    assert factor(np.array([0.0]))[0] == pytest.approx(peak)
    assert values[np.abs(grid) > width * (1 + 1e-9)].max() == 0
    assert values[np.abs(grid) < width * 0.999].min() > 0
    assert values.sum() * 1e-5 == pytest.approx(area, rel=1e-4)


def test_those_without_a_smooth_function() -> None:
    assert dvdt.surrogate("ngc_triangular", thr=0.5).factor([-1, -0.1, 0, 2]).tolist() == [0.5, 0.5, -0.5, -0.5]
    assert dvdt.surrogate("heaviside").factor([-1.0, 0.0, 1.0]).tolist() == [0, 0, 0]
    with pytest.raises(dvdt.UsageError, match="no continuous function"):
        dvdt.surrogate("ngc_triangular").smooth(0.0)


def test_the_step_is_made_at_zero_by_three_of_them() -> None:
    at_zero = {name for name in NAMES if dvdt.surrogate(name).step(0.0) == 1}
    assert at_zero == {"sigmoid", "relu_like", "straight_through"}
    for name in NAMES:
        assert dvdt.surrogate(name).step([-1e-300, 1e-300]).tolist() == [0, 1]


def test_a_refractory_neuron_learns_nothing_by_eprop() -> None:
    blocked = np.array([True, False])
    assert dvdt.surrogate("eprop").factor([0.1, 0.1], blocked).tolist() == pytest.approx([0, 0.27])
    assert dvdt.surrogate("triangle").factor([0.1, 0.1], blocked).tolist() == pytest.approx([0.27, 0.27])


def test_steep_ones_overflow_nowhere() -> None:
    with np.errstate(all="raise", under="ignore"):
        for name in NAMES:
            assert np.isfinite(dvdt.surrogate(name).factor([-1e3, -1.0, 0.0, 1.0, 1e3])).all()


def test_a_model_knows_its_surrogate() -> None:
    assert dvdt.model("lif").surrogate is None
    found = dvdt.model("izhikevich_norse").surrogate
    assert (found.name, dict(found.settings)) == ("superspike", {"alpha": 100})
    assert repr(dvdt.model("ngc_slif").surrogate) == "surrogate('secant_lif', c1=0.82, c2=0.08, scaled=0)"


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("super_spike", {}, "did you mean 'superspike'"),
        ("superspike", {"alfa": 1}, "no setting 'alfa'; known are alpha"),
        ("heaviside", {"alpha": 1}, "it takes none"),
        ("superspike", {"alpha": 0}, "above 0"),
        ("superspike", {"alpha": float("nan")}, "finite"),
        ("ngc_triangular", {"thr": "1"}, "finite number"),
    ],
)
def test_wrong_calls(name: str, settings: dict[str, object], said: str) -> None:
    with pytest.raises(dvdt.UsageError, match=said):
        dvdt.surrogate(name, **settings)


def test_the_page_of_the_language_has_all_with_their_settings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| `(\w+)` \|.*\|([^|]*)\|$", page.partition("### Surrogates")[2].partition("\n## ")[0], re.MULTILINE)
    )
    rows = {name: said.strip() for name, said in rows.items()}
    assert rows == {n: ", ".join(f"{k} = {v:g}" for k, v in SURROGATES[n].settings.items()) for n in NAMES}


def test_a_surrogate_has_a_name() -> None:
    with pytest.raises(dvdt.UsageError, match="surrogate: expected the name of one"):
        dvdt.surrogate(3)  # type: ignore[arg-type]
