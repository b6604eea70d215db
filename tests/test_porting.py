"""The models of the porting page do what their originals are said to do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import dvdt

PAGE = (Path(__file__).parents[1] / "docs" / "porting.md").read_text("utf-8")
MODELS = {match[1]: match[0] for match in re.finditer(r"model (\w+):\n.*?(?=```)", PAGE, re.DOTALL)}


def test_a_kernel_is_the_answer_of_two_equations() -> None:
    """The convolution of the weights that arrive with (e/tau) t exp(-t/tau)."""
    weights = np.zeros(400)
    weights[[10, 57, 58]] = 100, 60, -30
    result = dvdt.simulate(
        MODELS["alpha_current"],
        "40 ms",
        parameters={"spikes": dvdt.TimedSeries(weights, "0.1 ms", unit="pA")},
        record=["I_syn"],
        conventions="nest",
        backend="reference",
    )
    t = np.arange(0, 40, 0.1)
    expected = np.convolve(weights, np.e / 2 * t * np.exp(-t / 2))[:400]
    np.testing.assert_allclose(result["I_syn", 0], expected, atol=1e-11)


def test_iaf_psc_exp_fires_with_the_period_of_its_closed_form() -> None:
    """From rest to 15 mV of 20 mV above it, tau log(20/5) = 13.86 ms, in whole steps; then 2 ms at the reset value."""
    result = dvdt.simulate(MODELS["iaf_psc_exp"], "100 ms", parameters={"I_e": "500 pA"}, conventions="nest", backend="reference")
    assert result.spikes.t[:3] * 1e3 == pytest.approx([13.9, 29.8, 45.7], abs=1e-9)


def test_spikes_arrive_in_the_current_of_iaf_psc_exp() -> None:
    weights = np.zeros(100)
    weights[[10, 20]] = 80, 40
    spikes = {"exc_spikes": dvdt.TimedSeries(weights, "0.1 ms", unit="pA")}
    result = dvdt.simulate(
        MODELS["iaf_psc_exp"], "10 ms", parameters=spikes, record=["I_ex"], conventions="nest", backend="reference"
    )
    expected = np.convolve(weights, np.exp(-np.arange(0, 10, 0.1) / 2))[:100]
    np.testing.assert_allclose(result["I_ex", 0], expected, atol=1e-11)
