"""Exponents of quantities that have a unit: the value of a parameter decides about the unit, and stays."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt

DECAY = "dC/dt = -k*C^n : mM; C(0) = 2 mM; "


@pytest.mark.parametrize(
    ("rest", "order"),
    [
        ("k = 0.1 /mM/ms; n = 2", 2),
        ("k = 0.1 /mM/ms; n = m - 1; m = 3", 2),
        ("k = 0.1 /mM^2/ms; n = 3", 3),
        ("k = 0.1 mM^0.5/ms; n = 0.5", 0.5),
    ],
)
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_parameter_with_a_value_in_the_text_may_be_the_exponent_of_a_quantity(rest: str, order: float, backend: str) -> None:
    """C' = -k C^n: C^(1 - n) grows by (n - 1) k t."""
    final = dvdt.simulate(DECAY + rest, "5 ms", dt="0.01 ms", method="rk4", backend=backend).final_state["C"][0]
    assert final == pytest.approx((2 ** (1 - order) + (order - 1) * 0.1 * 5) ** (1 / (1 - order)), rel=1e-9)


def test_units_are_checked_with_that_value() -> None:
    with pytest.raises(dvdt.ModelError, match="units"):
        dvdt.Model(DECAY + "k = 0.1 /mM/ms; n = 3")


def test_the_unit_of_the_base_may_come_from_a_formula() -> None:
    text = "dC/dt = J*C^n/(C^n + K^n) - C/tau : mM; J = 50 uM/s; K = 2*K_0; K_0 = 0.1 uM; tau = 100 ms; C(0) = 0.5 uM; "
    given = dvdt.simulate(text + "n = 2", "10 ms", method="rk4").final_state["C"]
    written = dvdt.simulate(text.replace("^n", "^2"), "10 ms", method="rk4").final_state["C"]
    np.testing.assert_array_equal(given, written)


@pytest.mark.parametrize("value", [3, "3", "i", dvdt.ramp(2, 3, start="1 ms", stop="2 ms"), dvdt.uniform(2, 3)])
def test_a_run_cannot_change_it(value: object) -> None:
    model = dvdt.Model(DECAY + "k = 0.1 /mM/ms; n = 2")
    with pytest.raises(dvdt.UsageError, match=r"parameters\['n'\] stands in an exponent .* model.extend"):
        dvdt.simulate(model, "1 ms", parameters={"n": value})
    dvdt.simulate(model, "1 ms", parameters={"n": 2})


def test_the_exponent_of_a_plain_number_stays_a_parameter() -> None:
    """x' = -k x^n."""
    model = dvdt.Model("dx/dt = -x^n/tau : 1; tau = 10 ms; n = 2; x(0) = 2")
    final = dvdt.simulate(model, "5 ms", dt="0.01 ms", method="rk4", n=2, parameters={"n": [2, 3]}).final_state["x"]
    assert final == pytest.approx([1 / (1 / 2 + 0.5), (1 / 4 + 1.0) ** -0.5], rel=1e-9)


def test_a_drawn_exponent_is_none() -> None:
    with pytest.raises(dvdt.ModelError, match="has to be a number that the text gives"):
        dvdt.Model(DECAY + "k = 0.1 /mM/ms; n = 1 + rand() (constant)")
