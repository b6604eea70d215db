"""The library's models, run as Brian2 ran them, give the states and spikes that it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt

FOLDER = Path(__file__).parents[3] / "shared" / "models" / "traces"
MANIFEST = FOLDER / "manifest.json"
ENTRIES: list[dict[str, Any]] = (
    [entry for entry in json.loads(MANIFEST.read_text())["files"] if entry["package"] == "brian2"] if MANIFEST.exists() else []
)
pytestmark = pytest.mark.skipif(not ENTRIES, reason="the traces are not beside this checkout")

# model of the manifest -> (our model, package parameter -> (our parameter, unit), unit of the input, how its spikes are recorded)
ADEX = {"C": "pF", "gL": "nS", "EL": "mV", "VT": "mV", "DT": "mV", "a": "nS", "tauw": "ms", "b": "pA", "Vr": "mV", "Vcut": "mV"}
RENAMED = {"gL": "g_L", "EL": "E_L", "VT": "V_T", "DT": "Delta_T", "tauw": "tau_w", "Vr": "V_r", "Vcut": "V_peak"}
HH = {"Cm": "uF/cm^2", "gNa": "mS/cm^2", "gK": "mS/cm^2", "gL": "mS/cm^2", "ENa": "mV", "EK": "mV", "EL": "mV", "v_spike": "mV"}
HH_NAMES = {"Cm": "C_m", "gNa": "g_Na", "gK": "g_K", "gL": "g_L", "ENa": "E_Na", "EK": "E_K", "EL": "E_L", "v_spike": "V_spike"}
LIF = {"El": "mV", "tau": "ms", "v_th": "mV", "v_reset": "mV", "t_ref": "ms"}
LIF_NAMES = {"El": "v_rest"}


def with_units(values: dict[str, float], units: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    return {names.get(name, name): f"{values[name]!r} {unit}" for name, unit in units.items()}


def stimuli(entry: dict[str, Any]) -> list[str]:
    return sorted({name.split("__")[0] for name in entry["arrays"]})


def settings(entry: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """(model, parameters, unit of the input) of an entry."""
    params = entry["params"]
    family = entry["model"].split(":")[0].split(" ")[0]
    if family == "adex":
        return "adex", with_units(params, ADEX, RENAMED), "pA"
    if family == "hodgkin_huxley":
        return "hodgkin_huxley", with_units(params, HH, HH_NAMES), "uA/cm^2"
    if family == "izhikevich":
        return "izhikevich", {name: params[name] for name in ("a", "b", "c", "d")}, "1"
    assert family == "lif"
    return "lif", {**with_units(params, LIF, LIF_NAMES), "R": "1 Mohm"}, "nA"


CASES = [(entry, stimulus) for entry in ENTRIES for stimulus in stimuli(entry)]


@pytest.mark.parametrize(("entry", "stimulus"), CASES, ids=[f"{e['file'].removesuffix('.npz')}-{s}" for e, s in CASES])
def test_states_and_spikes(entry: dict[str, Any], stimulus: str) -> None:
    arrays = np.load(FOLDER / entry["file"])
    current, spikes = arrays[f"{stimulus}__input"], arrays[f"{stimulus}__spikes"]
    steps, n = spikes.shape
    model, parameters, unit = settings(entry)
    scale = entry["params"].get("R", 1.0) if model == "lif" else 1.0
    driven = dvdt.TimedSeries(current * scale, f"{entry['dt']} ms", unit=unit)
    states = [name for name in dvdt.model(model).states if f"{stimulus}__{name}" in arrays]
    begin = entry["initial_state"]
    start = {
        name: entry["params"]["b"] * begin["v"] if value == "b*v" else value for name, value in begin.items() if name in states
    }
    result = dvdt.simulate(
        model,
        f"{steps * entry['dt']!r} ms",
        dt=f"{entry['dt']} ms",
        n=n,
        parameters={**parameters, "I": driven},
        state=start,
        record=states,
        method="euler",
        conventions="brian2" if model == "lif" else "dvdt",
    )
    tolerance = entry["tolerance"]
    for name in states:
        wanted = arrays[f"{stimulus}__{name}"]
        rows = result[name] if model == "lif" else result[name][:-1]  # row k is before update k
        every = steps // len(wanted)
        after = np.vstack([rows[1:], result.final_state[name][None] if model == "lif" else result[name][-1:]])
        np.testing.assert_allclose(
            after[::every], wanted, atol=tolerance["state_atol"], rtol=tolerance["state_rtol"], err_msg=name
        )
    times, neurons = np.nonzero(spikes)
    stamp = 0 if model == "lif" else 1
    np.testing.assert_array_equal(np.round(result.spikes.t * 1e3 / entry["dt"]).astype(int) - stamp, times)
    np.testing.assert_array_equal(result.spikes.i, neurons)
