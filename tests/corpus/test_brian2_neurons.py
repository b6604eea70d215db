"""Published Brian2 definitions reach the states and spikes that Brian2 reaches, from the same strings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "brian2_neurons.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.open()] if CORPUS.exists() else []
pytestmark = pytest.mark.skipif(not ROWS, reason="the corpus is not beside this checkout")

# rows that are not compared, each with its reason
EXCEPTIONS: dict[str, str] = {}


def without_prefix(text: str) -> str:
    """`b2.mV` and `np.exp` as they stand in a text."""
    return re.sub(r"\b(b2|np|numpy|brian2)\.(?=[A-Za-z_])", "", text)


def model_of(row: dict[str, Any]) -> dvdt.Model:
    """The model with its external names; those that the text declares itself hide them, as in Brian2."""
    declared = set(re.findall(r"^\s*(\w+)\s*[:=]", row["equations"], re.MULTILINE))
    given = {name: without_prefix(value) for name, value in row["namespace"].items() if name not in declared}
    return dvdt.Model(
        row["equations"],
        name=row["id"],
        threshold=row["threshold"],
        reset=row["reset"],
        refractory=row["refractory"],
        parameters=given,
    )


def start_of(row: dict[str, Any], model: dvdt.Model) -> tuple[dict[str, str], dict[str, str]]:
    """The initial values of the row, as (parameters, states) of the model."""
    # Brian2 takes 0 for a quantity of any unit; it is where everything starts
    values = {name: without_prefix(value) for name, value in row["initial"].items() if value not in ("0", "0.0")}
    parameters = {name: value for name, value in values.items() if name in model.parameters}
    return parameters, {name: value for name, value in values.items() if name in model.states}


@pytest.mark.parametrize("row", [row for row in ROWS if row["runs"]], ids=lambda row: row["id"])
def test_reaches_the_states_and_spikes_of_brian2(row: dict[str, Any]) -> None:
    if row["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[row["id"]])
    model = model_of(row)
    parameters, state = start_of(row, model)
    result = dvdt.simulate(
        model,
        f"{row['duration_ms']} ms",
        dt=f"{row['dt_ms']} ms",
        n=row["n"],
        parameters=parameters,
        state=state,
        method=row["method"],
        conventions="brian2",
        backend="reference",
    )
    for name, wanted in row["final_state_SI"].items():
        np.testing.assert_allclose(result.final_state.si(name), wanted, rtol=1e-8, atol=1e-300, err_msg=name)
    if row["spikes"] is not None:
        counts = np.bincount(result.spikes.i, minlength=row["n"])
        np.testing.assert_array_equal(counts, row["spikes"])
