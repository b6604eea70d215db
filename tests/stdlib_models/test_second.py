"""Every model of the library runs for a second at its recommended step and scheme in single precision, and stays finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.stdlib_models import LIBRARY

RING = np.array([[0.0, 0.5], [0.5, 0.0]])
NEEDED: dict[str, dict[str, Any]] = {
    "ngc_slif_lateral": {"W": RING},
    "ngc_slif_lateral_sparse": {"W": RING},
    "izhikevich_norse_recurrent": {"W_rec": RING},
    "spike_times": {"times": dvdt.spike_times([[10, 20], [30]])},
}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_second_in_single_precision(name: str) -> None:
    result = dvdt.simulate(name, "1 s", n=2, parameters=NEEDED.get(name), precision="float32", threads=1)  # a RunError otherwise
    assert result.report.steps == round(1000 / dvdt.model(name).checked.dt)
    assert all(np.isfinite(result.final_state[state]).all() for state in result.final_state)
