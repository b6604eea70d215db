"""The longest stable step that `explain` tells is where runs begin to blow up."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt.dsl.stability import MAPS, longest_step

DECAY = "dx/dt = -x/tau; tau = 2 ms; x(0) = 1"


@pytest.mark.parametrize(
    ("method", "limit"),
    # on the negative real axis: 2 for Euler and second order, 2.785293563 for fourth (Hairer & Wanner 1996, section IV.2)
    [
        ("euler", 2.0),
        ("rk2", 2.0),
        ("heun", 2.0),
        ("rk4", 2.785293563),
        ("exponential_euler", np.inf),
        ("exponential_rk2", np.inf),
        ("exact", np.inf),
    ],
)
def test_limits_on_the_real_axis(method: str, limit: float) -> None:
    assert dvdt.Model(DECAY).explain(method).stable_dt == pytest.approx(2 * limit, rel=1e-4)


def test_the_limit_of_rk4_on_the_imaginary_axis() -> None:
    """2 sqrt(2), and none for Euler."""
    turning = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert longest_step(turning, MAPS["rk4"]) == pytest.approx(2 * np.sqrt(2), rel=1e-3)
    assert longest_step(turning, MAPS["euler"]) < 1e-3


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "euler_sequential", "exponential_euler", "exponential_rk2"])
def test_runs_decay_below_the_limit_and_grow_above(method: str) -> None:
    text = "dx/dt = (-x + 3*y)/ms; dy/dt = (-4*x - 2*y)/ms; x(0) = 1; y(0) = 1"
    limit = dvdt.Model(text).explain(method).stable_dt
    assert limit is not None
    sizes = []
    for dt in (0.97 * limit, 1.03 * limit):
        result = dvdt.simulate(text, f"{4000 * dt!r} ms", dt=f"{dt!r} ms", method=method)
        sizes.append(abs(result.final_state["x"][0]) + abs(result.final_state["y"][0]))
    assert sizes[0] < 1 < sizes[1]


def test_the_page_says_so() -> None:
    page = str(dvdt.Model(DECAY).explain("euler", dt="5 ms"))
    assert "stable up to dt = 4 ms; dt = 5 ms is NOT stable" in page
