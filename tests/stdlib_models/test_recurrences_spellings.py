"""Names, shapes and settings as the packages spell them, that no trace shows: each trace is computed in plain NumPy."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

_spec = importlib.util.spec_from_file_location("stdlib_model_spellings_bridge", Path(__file__).with_name("traces.py"))
assert _spec is not None
assert _spec.loader is not None
traces = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = traces
_spec.loader.exec_module(traces)

Row = dict[str, Any]
Values = NDArray[np.float64]
STEPS, N = 241, 3
X = np.round(np.random.default_rng(5).standard_normal((STEPS, N)) * 1024) / 1024


def run(package: str, model: str, params: Row, begin: Row, arrays: Row, dt: float = 0.1, callable_: str = "") -> None:
    entry = {
        "file": model,
        "model": model,
        "package": package,
        "callable": callable_,
        "params": params,
        "dt": dt,
        "dt_unit": "ms",
        "initial_state": begin,
        "precision": "float64",
        "tolerance": {"state_atol": 1e-9, "state_rtol": 1e-9, "spikes": "exact"},
    }
    traces.run_trace(entry, arrays)


def lif(current: Values, dt: float) -> tuple[Values, Values]:
    """Brian2's method "exact" of a membrane of 8 ms that is held for 2 ms after a spike."""
    v, since, rows, spikes = np.full(N, -65.0), np.full(N, 10**6), [], []
    for row in current:
        free = since >= round(2.0 / dt)
        goal = -65.0 + 10.0 * row
        v = np.where(free, goal + (v - goal) * np.exp(-dt / 8.0), v)
        s = (v > -50.0) & free
        v = np.where(s, -70.0, v)
        since = np.where(s, 1, since + 1)
        rows.append(v)
        spikes.append(s * 1)
    return np.array(rows), np.array(spikes)


LIF = {"E_L": -65.0, "R": 10.0, "tau_m": 8.0, "Vth": -50.0, "Vr": -70.0, "tau_ref": 2.0}


def test_brian2_lif_exact() -> None:
    current = 3.0 + X
    v, spikes = lif(current, 0.1)
    assert spikes.sum() > 5
    run(
        "brian2",
        "lif (exact)",
        LIF,
        {"v": -65.0},
        {"noise__input": current, "noise__v": v, "noise__spikes": spikes},
        callable_="NeuronGroup, method exact",
    )


@pytest.mark.parametrize("every", [2, 3])
@pytest.mark.parametrize("raster", [True, False])
def test_states_of_some_rows_and_a_constant_current(every: int, raster: bool) -> None:
    v, spikes = lif(np.full((STEPS, N), 1.75), 0.1)
    arrays = {"step__v": v[::every], "step__spikes": spikes}
    if not raster:
        del arrays["step__spikes"]
        arrays["step__input"] = np.full((STEPS, N), 1.75)
    run("brian2", "lif", {**LIF, "I": 1.75}, {"v": -65.0}, arrays, callable_="NeuronGroup, method exact")


def test_spaic_by_its_own_names() -> None:
    v, u, rows = np.full(N, -65.0), np.ones(N), []
    current = 8.0 + 4 * X
    for x in current:
        nv = v + 0.1 / 1.25 * (v * (0.04 * v + 5.0) + 140.0 - u + x)
        nu = u + 0.02 * (0.2 * v - u)
        s = nv > 29.0
        v, u = np.where(s, -60.0, nv), nu + 6.0 * s
        rows.append((v, u, s))
    params = {"a": 0.02, "b": 0.2, "Vreset": -60.0, "d": 6.0, "Vth": 29.0, "tauM": 1.25, "C1": 0.04, "C2": 5.0, "C3": 140.0}
    found = {f"noise__{name}": np.array([row[k] for row in rows]) for k, name in enumerate("VUO")}
    assert found["noise__O"].sum() > 2
    run("spaic", "izh", params, {}, {**found, "noise__input": current})


def test_ngc_fitzhugh_nagumo_by_the_functions_names() -> None:
    v, w, rows = np.full(N, -1.0), np.full(N, 0.25), []
    for x in X:
        nv = v + 0.2 * (v - v**3 / 2.5 - w + x) / 1.5
        nw = w + 0.2 * (v + 0.6 - 0.75 * w) / 11.0
        v, w = nv, nw
        rows.append((v, w, v > 0.9))
    params = {
        "tau_m": 1.5,
        "tau_w": 11.0,
        "a": 0.6,
        "b": 0.75,
        "g": 2.5,
        "v_thr": 0.9,
        "v0": -1.0,
        "w0": 0.25,
        "integType": 0,
        "dt": 0.2,
    }
    found = {f"noise__{name}": np.array([row[k] for row in rows]) for k, name in enumerate("vws")}
    run("ngclearn", "FitzhughNagumoCell", params, {}, {**found, "noise__input": X}, dt=0.2)


def test_conex_without_an_initial_value() -> None:
    v, rows = np.zeros(N), []
    current = 3.0 + X
    for x in current:
        v = v + (-65.0 - v + 10.0 * x) * 1.0 / 12.0
        s = v >= -50.0
        v = np.where(s, -70.0, v)
        rows.append((v, s))
    params = {"R": 10.0, "threshold": -50.0, "tau": 12.0, "v_reset": -70.0, "v_rest": -65.0}
    arrays = {
        "noise__v": np.array([r[0] for r in rows]),
        "noise__spikes": np.array([r[1] for r in rows]),
        "noise__input": current,
    }
    run("conex", "LIF", params, {}, arrays, dt=1.0)


def test_diehl_and_cook_from_another_threshold() -> None:
    v, thresh, count, rows = np.zeros(N, int), np.full(N, 100), np.zeros(N, int), []
    current = np.trunc(300 * X)
    for x in current.astype(int):
        thresh = np.where(thresh > 4915, thresh >> 1, thresh)
        v = (1013 * v) >> 10
        v = v + np.where(count <= 0, (x * 154) >> 10, 0)
        count = count - 1
        s = v > thresh
        count, v, thresh = np.where(s, 5, count), np.where(s, 0, v), thresh + 66 * s
        v = np.maximum(v, -32767)
        rows.append((v, thresh, s))
    assert np.sum([r[2] for r in rows]) > 2
    arrays = {f"noise__{name}": np.array([r[k] for r in rows]) for k, name in enumerate(("V", "thresh", "O"))}
    run("spaic", "diehlandcook", {"thresh": 100}, {}, {**arrays, "noise__input": current.astype(np.int32)}, dt=1.0)


@pytest.mark.parametrize("signed", [False, True])
def test_binary_input_of_bytes(signed: bool) -> None:
    x = np.sign(np.where(np.abs(X) > 1, X, 0)).astype(np.int8)
    spikes = (x != 0) if signed else (x > 0)
    run("ml_genn", "BinarySpikeInput", {"signed_spikes": signed}, {}, {"noise__input": x, "noise__spikes": spikes}, dt=1.0)


def test_spikes_at_listed_times() -> None:
    times = [[0.0, 3.2, 3.4, 17.0], [], [5.0, 240.0]]
    spikes = np.zeros((STEPS, N), np.uint8)
    for i, of_neuron in enumerate(times):
        left = list(of_neuron)
        for k in range(STEPS):
            if left and k >= left[0]:
                spikes[k, i] = 1
                left.pop(0)
    arrays = {"spike_times": np.concatenate(times), "end_spikes": np.cumsum([len(t) for t in times])}
    run(
        "ml_genn",
        "SpikeInput",
        {},
        {},
        {**{f"static__{name}": a for name, a in arrays.items()}, "static__spikes": spikes},
        dt=1.0,
    )


@pytest.mark.parametrize("signed", [False, True])
def test_poisson_input_below_zero(signed: bool) -> None:
    rates = np.array([-0.2, 0.1, 0.4])
    share = np.where((rates > 0) | signed, 1 - np.exp(-np.abs(rates)), 0.0)
    counts = np.random.default_rng(8).binomial(500, np.repeat(share[:, None], 50, axis=1))
    entry_params = {"dt": 1.0, "T": 500, "signed_spikes": signed}
    run("ml_genn", "poisson_input", entry_params, {}, {"static__rate": rates, "static__spike_counts": counts}, dt=1.0)


@pytest.mark.parametrize("readout", ["AvgVar", "sum_var", "MaxVar", "Var", "avg_var_exp_weight"])
def test_readouts_by_class_or_name_in_an_entry_that_says_little(readout: str) -> None:
    v, rows = np.zeros(N), []
    for x in X:
        v = np.exp(-1 / 20) * v + x + 0.01
        rows.append(v)
    found = np.array(rows)
    weights = np.exp(-np.arange(STEPS) / STEPS)
    wanted = {
        "AvgVar": found.mean(0),
        "sum_var": found.sum(0)[None],
        "MaxVar": np.maximum(found.max(0), 0),
        "Var": found[-1],
        "avg_var_exp_weight": weights @ found / STEPS,
    }[readout]
    entry = {
        "model": "LeakyIntegrate",
        "package": "ml_genn",
        "params": {"tau_mem": [20.0] * N, "bias": 0.01, "readout": readout},
        "dt": 1.0,
        "initial_state": {"V": "array V0"},
        "precision": "float64",
        "tolerance": {"state_atol": 1e-9, "state_rtol": 1e-9},
    }
    traces.run_trace(entry, {"V0": np.zeros(N), "noise__V": found, "noise__input": X, "noise__readout": wanted})


def test_initial_values_by_a_formula_of_values_a_neuron() -> None:
    b = np.array([0.2, 0.25, 0.26])
    v, rows = np.full(N, -65.0), []
    u = b * v
    current = 8.0 + 4 * X
    for x in current:
        nv, nu = v + 0.1 * (0.04 * v**2 + 5.0 * v + 140.0 - u + x), u + 0.1 * 0.02 * (b * v - u)
        s = nv > 30.0
        v, u = np.where(s, -60.0, nv), nu + 6.0 * s
        rows.append((v, u, s))
    assert np.sum([r[2] for r in rows]) > 2
    arrays = {f"noise__{name}": np.array([r[k] for r in rows]) for k, name in enumerate(("v", "u", "spikes"))}
    params = {"a": 0.02, "b": b.tolist(), "c": -60.0, "d": 6.0, "k2": 0.04, "k1": 5.0, "k0": 140.0, "v_th": 30.0}
    begin = {"v": -65.0, "u": "b*v"}
    run("brian2", "izh", params, begin, {**arrays, "noise__input": current})


@pytest.mark.parametrize(
    ("package", "model", "known"),
    [
        ("brian2", "adex_tonic", "adex"),
        ("brian2", "lif, absolute refractory 2 ms", "lif"),
        ("conex", "conex_lif+KWTA", "conex_lif"),
        ("conex", "conex_lif_kwta", "conex_lif"),
        ("ngclearn", "ngc_lif_one_spike", "ngc_lif"),
        ("norse", "izhikevich_tonic_spiking", "izhikevich_norse"),
        ("spaic", "custom_model:iterative", "custom_model"),
    ],
)
def test_a_setting_behind_the_models_name(package: str, model: str, known: str) -> None:
    assert traces.row_of({"package": package, "model": model}) is traces.PACKAGES[package][known]


@pytest.mark.parametrize(("package", "model"), [("spaic", "liquid"), ("norse", "lif"), ("unheard_of", "lif")])
def test_a_model_that_no_table_has_is_a_failure(package: str, model: str) -> None:
    with pytest.raises(AssertionError, match=r"no (row|table) for the"):
        traces.row_of({"package": package, "model": model})
