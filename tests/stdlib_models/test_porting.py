"""The texts of `docs/porting.md` step as the page says: against closed forms."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import dvdt

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text(encoding="utf-8")
TEXTS = {
    match[1]: match[0]
    for text in re.findall(r"^```dvdt\n(.*?)^```$", PAGE, re.M | re.S)
    if (match := re.match(r"model (\w+):.*", text, re.S))
}
DT, STEPS = 0.1, 50
K = np.arange(STEPS + 1)


def forward_euler(tau: float) -> np.ndarray:
    return 1 - (1 - DT / tau) ** K


def decay_factor(tau: float) -> np.ndarray:
    return (1 - np.exp(-DT * K / tau)) / (1 - np.exp(-DT / tau))


def exact(tau: float) -> np.ndarray:
    return 1 - np.exp(-DT * K / tau)


@pytest.mark.parametrize(
    ("name", "trace"),
    [
        ("custom_iterative", forward_euler),
        ("custom_euler_iterative", forward_euler),
        ("custom_exp_euler_iterative", decay_factor),
        ("custom_ode", exact),
    ],
)
def test_the_four_ways_of_a_custom_model(name: str, trace: object) -> None:
    assert callable(trace)
    result = dvdt.simulate(TEXTS[name], f"{DT * STEPS} ms", dt=f"{DT} ms", parameters={"x": 1.0}, record=["M", "S", "V"])
    np.testing.assert_allclose(result["M"][:, 0], trace(20.0), rtol=1e-12)
    np.testing.assert_allclose(result["S"][:, 0], trace(8.0), rtol=1e-12)
    np.testing.assert_allclose(result["V"][:, 0], trace(20.0) - trace(8.0), rtol=1e-9, atol=1e-12)
    spiking = np.flatnonzero(trace(20.0) - trace(8.0) > 1)
    np.testing.assert_allclose(result.spikes.t * 1e3, DT * spiking, atol=1e-9)
