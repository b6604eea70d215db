"""Whole numbers: shifts, sums and products are exact in either precision."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt

EACH_RUN = pytest.mark.parametrize(
    ("backend", "precision"), [(b, p) for b in ("reference", "cpu") for p in ("float64", "float32")]
)


@EACH_RUN
def test_a_shift_is_the_floor_of_a_division_by_a_power_of_two(backend: str, precision: str) -> None:
    draws = np.random.default_rng(1)
    values = np.concatenate([draws.integers(-(2**40), 2**40, 200), [0, -1, 1, 2**53 - 1, -(2**53) + 1]])
    bits = np.concatenate([draws.integers(0, 50, 200), [3, 3, 0, 70, -4]])
    result = dvdt.simulate(
        "value = 0 : integer; bits = 0 : integer; y(0) = 0 : integer; each step: y = shift_right(value, bits)",
        "1 ms",
        dt="1 ms",
        n=len(values),
        parameters={"value": values.astype(float), "bits": bits.astype(float)},
        backend=backend,
        precision=precision,
    )
    wanted = [int(v) >> min(max(int(b), 0), 63) for v, b in zip(values, bits, strict=True)]
    assert result.final_state["y"].tolist() == wanted


@EACH_RUN
def test_products_of_more_digits_than_a_float_holds_are_exact(backend: str, precision: str) -> None:
    text = "decay = 1013 : integer; V(0) = 0 : integer; each step: V = shift_right(decay*V, 10) + 32767 - V // 7"
    result = dvdt.simulate(text, "50 ms", dt="1 ms", record=["V"], backend=backend, precision=precision)
    value, wanted = 0, [0]
    for _ in range(50):
        value = ((1013 * value) >> 10) + 32767 - value // 7
        wanted.append(value)
    assert result["V"][:, 0].tolist() == wanted


@pytest.mark.parametrize("text", ["shift_right(1.5, 1)", "shift_right(x, 1)", "shift_right(1, x)", "shift_right(1 mV, 1)"])
def test_a_shift_of_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(dvdt.ModelError, match=r"whole number|unit|voltage"):
        dvdt.Model(f"x = 2; y(0) = 0 : integer; each step: y = {text}")
