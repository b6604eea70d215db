"""Settings of ngc-learn's and Norse's cells that no trace shows: against the packages' update lines in plain NumPy.

Each function is one package's step, line for line; what it computes is given to `run_trace` as a trace.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

_spec = importlib.util.spec_from_file_location("stdlib_model_recurrences_bridge_2", Path(__file__).with_name("traces.py"))
assert _spec is not None
assert _spec.loader is not None
traces = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = traces
_spec.loader.exec_module(traces)

Row = dict[str, Any]
Values = NDArray[np.float64]
STEPS, N = 250, 4
HOLLOW = np.where(np.eye(N) == 1, 0.0, np.linspace(0.05, 0.9, N * N).reshape(N, N))


def ngc_lif(p: Row, begin: Row, x: Values, dt: float) -> Iterator[Row]:
    v, rfr, theta, tols = (np.full(N, float(begin[name])) for name in ("v", "rfr", "thr_theta", "tols"))
    winners = np.random.default_rng(2)
    for k, row in enumerate(x):
        m = (rfr >= p["refract_T"]) * 1.0
        if "a0" in p:
            v = v + (p["v_rest"] - v) * (v - p["v_c"]) * p["a0"] * (dt / p["tau_m"]) + row * m
        else:
            v = v + (p["v_rest"] - v) * (dt / p["tau_m"]) + row * m
        raw = (v > p["thr"] + theta) * 1.0
        rfr = (rfr + dt) * (1 - raw)
        v = v * (1 - raw) + raw * p["v_reset"]
        s = raw
        if p.get("one_spike") and raw.any():
            s = np.zeros(N)
            s[winners.choice(np.flatnonzero(raw))] = 1.0
        if p["tau_theta"] > 0:
            theta = theta * np.exp(-dt / p["tau_theta"]) + raw * p["theta_plus"]
        tols = (1 - s) * tols + s * (k * dt)
        yield {"v": v, "rfr": rfr, "thr_theta": theta, "tols": tols, "s_raw": raw, "s": s}


def ngc_slif(p: Row, begin: Row, x: Values, dt: float) -> Iterator[Row]:
    v, rfr, s, thr, tols = np.zeros(N), np.full(N, p["refract_T"]), np.zeros(N), np.asarray(begin["thr"]), np.zeros(N)
    for k, row in enumerate(x):
        j = p["R_m"] * row
        if p.get("inhibit_R", 0) > 0:
            j = j - p["inhibit_R"] * (s @ HOLLOW)
        surrogate = np.where(j > 0, 1 / np.cosh(0.08 * j), 0.0)
        m = (rfr >= p["refract_T"]) * 1.0
        v = v + dt * (j - v) / p["tau_m"] * m
        sp = (v > thr) * 1.0
        v = v * (1 - sp)
        sparse, adapted = np.maximum(thr + p["rho_b"] * (sp.sum() - 1), 0.025), thr + sp * p["thrGain"] - thr * p["thrLeak"]
        thr = sparse if p["rho_b"] > 0 else adapted
        rfr = (rfr + dt) * (1 - sp) + sp * dt
        s = sp * m + (1 - m) if p["sticky_spikes"] else sp
        tols = (1 - s) * tols + s * (k * dt)
        yield {"v": v, "rfr": rfr, "thr": thr, "s": s, "j_mod": j, "surrogate": surrogate, "tols": tols}


def ngc_fhn(p: Row, begin: Row, x: Values, dt: float) -> Iterator[Row]:
    v, w = np.full(N, float(begin["v"])), np.full(N, float(begin["w"]))
    for row in x:

        def dv(v: Values, w: Values = w, row: Values = row) -> Values:
            return (v - v**3 / p["gamma"] - w + row) / p["tau_m"]

        def dw(w: Values, v: Values = v) -> Values:
            return (v + p["alpha"] - p["beta"] * w) / p["tau_w"]

        if p["integType"] == 1:
            v, w = v + dt * dv(v + dt / 2 * dv(v)), w + dt * dw(w + dt / 2 * dw(w))
        else:
            v, w = v + dt * dv(v), w + dt * dw(w)
        yield {"v": v, "w": w, "s": (v > p["v_thr"]) * 1.0}


def ngc_izhikevich(p: Row, begin: Row, x: Values, dt: float) -> Iterator[Row]:
    v, w = np.full(N, float(begin["v"])), np.full(N, float(begin["w"]))
    for row in x:
        s = v > p["v_thr"]
        nv = v + dt * (0.04 * v**2 + 5 * v + 140 - w + p["R_m"] * row) / p["tau_m"]
        nw = w + dt * (p["b"] * v - w) / p["tau_w"]
        v, w = np.where(s, p["c"], nv), np.where(s, w + p["d"], nw)
        yield {"v": v, "w": w, "s": s * 1.0}


def norse(p: Row, begin: Row, x: Values, dt: float) -> Iterator[Row]:
    v, u = np.full(N, float(begin["v"])), np.full(N, float(begin["u"]))
    h = p["tau_inv"] * dt * 1e-3
    for row in x:
        nv = v + h * (p["sq"] * v**2 + p["mn"] * v + p["bias"] - u + row)
        nu = u + h * p["a"] * (p["b"] * v - u)
        z = (nv - p["v_th"] > 0) * 1.0
        v, u = (1 - z) * nv + z * p["c"], nu + z * p["d"]
        yield {"v": v, "u": u, "z": z}


LIF = {
    "tau_m": 80.0,
    "R_m": 2.0,
    "thr": -52.0,
    "v_rest": -65.0,
    "v_reset": -60.0,
    "tau_theta": 300.0,
    "theta_plus": 0.2,
    "refract_T": 5.0,
}
LIF_BEGIN = {"v": -65.0, "rfr": 5.0, "thr_theta": 0.0, "tols": 0.0}
QUAD = {**LIF, "v_c": -41.6, "a0": 0.012}
SLIF = {"tau_m": 20.0, "R_m": 1.0, "refract_T": 3.0, "thrGain": 0.01, "thrLeak": 0.001, "rho_b": 0.0, "sticky_spikes": False}
SLIF_BEGIN = {"v": 0.0, "rfr": 3.0, "s": 0, "thr": np.array([0.3, 0.36, 0.42, 0.48])}
FHN = {"tau_m": 1.0, "tau_w": 12.5, "alpha": 0.7, "beta": 0.8, "gamma": 3.0, "v_thr": 1.07, "v0": 0.0, "w0": 0.0}
IZH = {
    "v_thr": 30.0,
    "tau_m": 1.0,
    "tau_w": 50.0,
    "b": 0.2,
    "c": -55.0,
    "d": 4.0,
    "R_m": 1.5,
    "v0": -65.0,
    "w0": -14.0,
    "integType": 0,
}
REST = {"v": -70.0, "u": -14.0}
MIXED = {"a": 0.02, "b": 0.2, "c": -55.0, "d": 4.0, "tau_inv": 250.0}
DAP = {"a": 1.0, "b": 0.2, "c": -60.0, "d": -21.0, "tau_inv": 100.0}
NORSE = {"sq": 0.04, "mn": 5.0, "bias": 140.0, "v_th": 30.0, "method": "super", "alpha": 100.0, "dt": 0.001}

# model, its step, parameters, initial state, dt in ms, mean and spread of the input
CASES: dict[str, tuple[str, Callable[..., Iterator[Row]], Row, Row, float, tuple[float, float]]] = {
    "lif shipped reset": ("ngc_lif", ngc_lif, {**LIF, "v_reset": 60.0}, LIF_BEGIN, 1.0, (0.6, 0.3)),
    "lif without adaptation": ("ngc_lif", ngc_lif, {**LIF, "tau_theta": 0.0, "refract_T": 0.0}, {**LIF_BEGIN, "rfr": 0.0}, 1.0, (1, 1)),
    "lif half steps": ("ngc_lif", ngc_lif, {**LIF, "refract_T": 2.0}, {**LIF_BEGIN, "rfr": 2.0}, 0.5, (0.6, 0.3)),
    "lif one spike": ("ngc_lif", ngc_lif, {**LIF, "one_spike": True}, LIF_BEGIN, 1.0, (1, 0.3)),
    "quad": ("ngc_quad_lif", ngc_lif, QUAD, LIF_BEGIN, 1.0, (1, 0.5)),
    "quad one spike": ("ngc_quad_lif", ngc_lif, {**QUAD, "one_spike": True}, LIF_BEGIN, 1.0, (1, 0.5)),
    "slif sticky": ("ngc_slif", ngc_slif, {**SLIF, "sticky_spikes": True}, SLIF_BEGIN, 1.0, (1, 0.5)),
    "slif without refractoriness": ("ngc_slif", ngc_slif, {**SLIF, "refract_T": 0.0}, {**SLIF_BEGIN, "rfr": 0.0}, 1.0, (1, 0.5)),
    "slif all at once": ("ngc_slif", ngc_slif, {**SLIF, "sticky_spikes": True, "rho_b": 0.02, "inhibit_R": 2.0}, SLIF_BEGIN, 1.0, (2, 1)),
    "fhn midpoint": ("fitzhugh_nagumo", ngc_fhn, {**FHN, "integType": 1}, {"v": 0.0, "w": 0.0}, 0.25, (0.6, 0.2)),
    "fhn slow": ("fitzhugh_nagumo", ngc_fhn, {**FHN, "tau_m": 2.0, "integType": 0}, {"v": -1.0, "w": 0.1}, 0.2, (0.6, 0.2)),
    "izhikevich ib": ("ngc_izhikevich (IB)", ngc_izhikevich, IZH, {"v": -65.0, "w": -14.0}, 0.25, (8, 2)),
    "izhikevich fs": ("ngc_izhikevich (FS)", ngc_izhikevich, {**IZH, "tau_w": 10.0, "c": -65.0, "d": 8.0}, {"v": -65.0, "w": -14.0}, 0.25, (8, 2)),
    "norse": ("izhikevich_norse:mixed_mode", norse, {**NORSE, **MIXED}, REST, 1.0, (10, 3)),
    "norse dap": ("izhikevich_norse:dap", norse, {**NORSE, **DAP}, REST, 1.0, (20, 5)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_gives_the_packages_recurrence(case: str) -> None:
    model, step, params, begin, dt, (mean, spread) = CASES[case]
    x = np.round((mean + spread * np.random.default_rng(7).standard_normal((STEPS, N))) * 1024) / 1024
    rows = list(step(params, begin, x, dt))
    arrays = {f"noise__{name}": np.stack([row[name] for row in rows]) for name in rows[0]} | {"noise__input": x}
    spikes = next(arrays[f"noise__{name}"] for name in ("s_raw", "z", "s") if f"noise__{name}" in arrays)
    assert spikes.sum() > 2, "a trace without spikes says little"
    if model == "ngc_slif":
        begin = {name: value for name, value in begin.items() if name != "thr"}
        arrays |= {"thr0": CASES[case][3]["thr"], "inh_weights": HOLLOW}
    in_seconds = "norse" in model
    entry = {
        "file": case,
        "model": model,
        "package": "norse" if in_seconds else "ngclearn",
        "callable": "",
        "params": params,
        "dt": dt / 1000 if in_seconds else dt,
        "dt_unit": "s" if in_seconds else "ms",
        "initial_state": begin,
        "precision": "float64",
        "tolerance": {"state_atol": 1e-9, "state_rtol": 1e-9, "spikes": "exact"},
        "arrays": {},
    }
    traces.run_trace(entry, arrays)


def test_a_wrong_state_is_found() -> None:
    model, step, params, begin, dt, _ = CASES["norse"]
    x = np.full((40, N), 10.0)
    rows = list(step(params, begin, x, dt))
    arrays = {f"step__{name}": np.stack([row[name] for row in rows]) for name in rows[0]} | {"step__input": x}
    arrays["step__u"][17, 2] += 1e-6
    entry = {
        "file": "wrong",
        "model": model,
        "package": "norse",
        "callable": "",
        "params": params,
        "dt": dt / 1000,
        "dt_unit": "s",
        "initial_state": begin,
        "precision": "float64",
        "tolerance": {"state_atol": 1e-9, "state_rtol": 0, "spikes": "exact"},
    }
    with pytest.raises(AssertionError, match="u of neuron 2 in row 17"):
        traces.run_trace(entry, arrays)
