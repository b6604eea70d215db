"""Brian2 definitions reach the states and spikes that Brian2 reaches, from the same strings.

Published ones lie beside the checkout. Those of `own_definitions.jsonl` were written for the corners of Brian2's language; their numbers are what
Brian2 2.9.0 (NumPy target, float64) gives for a `NeuronGroup` of these arguments, `TimedArray`s of `series`, and one `run`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "brian2_neurons.jsonl"
PUBLISHED: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.open()] if CORPUS.exists() else []
OWN: list[dict[str, Any]] = [json.loads(line) for line in Path(__file__).with_name("own_definitions.jsonl").open()]
COMPILED = ("ex_notref", "ex_paramreset", "ex_timedfactor", "refr_expr", "ta_rk4", "ta_thr", "hill", "refr_partial")

# rows that are not compared, each with its reason
EXCEPTIONS: dict[str, str] = {}


def without_prefix(text: str) -> str:
    """`b2.mV` and `np.exp` as they stand in a text."""
    return re.sub(r"\b(b2|np|numpy|brian2)\.(?=[A-Za-z_])", "", text)


def model_of(row: dict[str, Any]) -> dvdt.Model:
    """The model with its external names; those that the text declares itself hide them, as in Brian2."""
    declared = set(re.findall(r"^\s*(\w+)\s*[:=]", row["equations"], re.MULTILINE))
    given: dict[str, Any] = {n: without_prefix(value) for n, value in row["namespace"].items() if n not in declared}
    for name, series in row.get("series", {}).items():
        given[name] = dvdt.TimedSeries(np.array(series["values"]), series["dt"], unit=series["unit"])
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


def run(row: Mapping[str, Any], backend: str = "reference") -> dvdt.Result:
    model = model_of(dict(row))
    parameters, state = start_of(dict(row), model)
    return dvdt.simulate(
        model,
        f"{row['duration_ms']} ms",
        dt=f"{row['dt_ms']} ms",
        n=row["n"],
        parameters=parameters,
        state=state,
        method=row["method"],
        conventions="brian2",
        backend=backend,
    )


def reaches(result: dvdt.Result, row: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    for name in names:
        np.testing.assert_allclose(result.final_state.si(name), row["final_state_SI"][name], rtol=1e-8, atol=1e-300, err_msg=name)
    if row["spikes"] is not None:
        counts = np.bincount(result.spikes.i, minlength=row["n"])
        np.testing.assert_array_equal(counts, row["spikes"])


@pytest.mark.parametrize("row", [row for row in PUBLISHED if row["runs"]], ids=lambda row: row["id"])
def test_reaches_the_states_and_spikes_of_brian2(row: dict[str, Any]) -> None:
    if row["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[row["id"]])
    reaches(run(row), row, row["final_state_SI"])


@pytest.mark.parametrize(
    ("row", "backend"),
    [
        pytest.param(row, backend, id=f"{row['id']}-{backend}")
        for row in OWN
        for backend in (("reference", "cpu") if row["id"] in COMPILED else ("reference",))
    ],
)
def test_reaches_brian2_in_the_corners_of_its_language(row: dict[str, Any], backend: str) -> None:
    result = run(row, backend)
    kept = {name: values for name, values in row["final_state_SI"].items() if name in result.final_state}
    reaches(result, row, kept)
    if row["spike_steps"] is not None:
        steps = np.rint(result.spikes.t * 1e3 / row["dt_ms"]).astype(int)
        assert sorted(zip(steps.tolist(), result.spikes.i.tolist(), strict=True)) == [tuple(pair) for pair in row["spike_steps"]]
