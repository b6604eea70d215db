"""Models of which no trace is at hand, and settings that no trace shows: against the packages' update lines in plain NumPy.

Each function here is one package's step, line for line as its documentation or source has it; what it computes is given to `run_trace` as a trace.
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

_spec = importlib.util.spec_from_file_location("stdlib_model_recurrences_bridge", Path(__file__).with_name("traces.py"))
assert _spec is not None
assert _spec.loader is not None
traces = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = traces
_spec.loader.exec_module(traces)

Row = dict[str, Any]
Rows = Iterator[Row]  # what a step leaves, by the package's names
Values = NDArray[np.float64]
STEPS, N = 300, 4


def kernel(slow: float, fast: float) -> float:
    beta = slow / fast
    return float(beta ** (beta / (beta - 1)) / (beta - 1))


# ---- SPAIC


def if_soft_reset(p: Row, x: Values, dt: float) -> Rows:
    v = np.zeros(N)
    for row in x:
        t = v + row - p["ConstantDecay"]
        o = (t > p["v_th"]) * 1.0
        v = t - t * o
        yield {"V": v, "O": o}


def integrator_bias(p: Row, x: Values, dt: float) -> Rows:
    v = np.zeros(N)
    for row in x:
        v = v + (row + p["bias"])
        yield {"V": v}


def lif_two_exponential(p: Row, x: Values, dt: float) -> Rows:
    bp, bm = np.exp(-dt / p["tau_p"]), np.exp(-dt / p["tau_m"])
    i = v = np.zeros(N)
    for row in x:
        i = bp * i + row
        t = bm * v + i
        o = (t > p["v_th"]) * 1.0
        v = t - t * o
        yield {"I": i, "V": v, "O": o}


def non_spiking_lif(p: Row, x: Values, dt: float) -> Rows:
    bp, bq, v0 = np.exp(-dt / p["tau_p"]), np.exp(-dt / p["tau_q"]), kernel(p["tau_p"], p["tau_q"])
    v = m = s = i = before = np.zeros(N)
    for row in x:
        v, m, s, i = v + dt / p["tau_m"] * (m - s - v), bp * m + i, bq * s + i, v0 * before
        before = row
        yield {"V": v, "M": m, "S": s, "I": i}


def clif2k(p: Row, x: Values, dt: float) -> Rows:
    bm, bs, v0 = np.exp(-dt / p["tau_m"]), np.exp(-dt / p["tau_s"]), kernel(p["tau_m"], p["tau_s"])
    m = s = e = np.zeros(N)
    for row in x:
        i = v0 * row
        m = bm * m + i
        s = bs * s + i
        v = m - s - e
        o = (v > p["v_th"]) * 1.0
        e = bm * e + p["v_th"] * o
        yield {"I": i, "M": m, "S": s, "V": v, "O": o, "E": e}


def aclif(p: Row, x: Values, dt: float) -> Rows:
    bm, bp, bq, ba = (np.exp(-dt / p[tau]) for tau in ("tau_m", "tau_p", "tau_q", "tau_a"))
    v0 = kernel(p["tau_p"], p["tau_q"])
    m = s = e = a = o = np.zeros(N)
    for row in x:
        a = ba * a + o
        i = v0 * row
        m = bp * m + i
        s = bq * s + i
        v = m - s - (e + p["beta_adaptive"] * a)
        o = (v > p["v_th"]) * 1.0
        e = bm * e + p["v_th"] * o
        yield {"A": a, "I": i, "M": m, "S": s, "V": v, "O": o, "E": e}


def late_of(v: Values, dv: Values, o: Values, v_th: float, dt: float) -> Values:
    return np.clip((v - v_th) / np.maximum(dv, 1e-6), 0, dt) * o


def selif(p: Row, x: Values, dt: float) -> Rows:
    be, bs, br = np.exp(-dt / p["tau_p"]), np.exp(-dt / p["tau_q"]), np.exp(-dt / p["tau_r"])
    v0 = kernel(p["tau_p"], p["tau_q"])
    m = s = r = v = oi = ot = np.zeros(N)
    for row in x:
        m = be * m + v0 * row
        s = bs * s + v0 * row
        q = 2 * np.clip(v, -10, p["v_th"]) ** 2
        r = br * r + (1 - br) * v + 10 * (oi - ot / p["tau_r"])
        dv = (q - v + m - s + 0.5 - 0.5 * r) / p["tau_m"]
        v = v + dt * dv - p["v_th"] * (oi - ot / p["tau_m"])
        oi = (v > p["v_th"]) * 1.0
        ot = late_of(v, dv, oi, p["v_th"], dt)
        yield {"M": m, "S": s, "R": r, "dV": dv, "V": v, "O": oi, "late": ot}


def selif_debug(p: Row, x: Values, dt: float) -> Rows:
    be, bs, v0 = np.exp(-dt / p["tau_p"]), np.exp(-dt / p["tau_q"]), kernel(p["tau_m"], p["tau_q"])
    m = s = v = oi = ot = np.zeros(N)
    for row in x:
        m = be * m + v0 * row
        s = bs * s + v0 * row
        q = 2 * np.clip(v, -10, p["v_th"]) ** 2
        dv = (q - v + m - s) / p["tau_m"]
        v = v + dt * dv - 5 * p["v_th"] * (oi - ot / p["tau_m"])
        oi = (v > p["v_th"]) * 1.0
        ot = late_of(v, dv, oi, p["v_th"], dt)
        yield {"M": m, "S": s, "dV": dv, "V": v, "O": oi, "late": ot}


def qlif(p: Row, x: Values, dt: float) -> Rows:
    bm, bs = np.exp(-dt / p["tau_m"]), np.exp(-dt / p["tau_s"])
    e = o = r = np.zeros(N)
    for row in x:
        e = bm * e + p["v_th"] * o
        v = row - e
        o = (v > p["v_th"]) * 1.0
        r = o + (1 - o) * bs * r
        yield {"E": e, "V": v, "O": o, "R": r, "F": 1 - r}


def hh_spaic(p: Row, x: Values, dt: float) -> Rows:
    v, m, n, h = np.zeros(N), np.full(N, 0.5), np.full(N, 0.5), np.full(N, 0.06)
    for row in x:
        u = v + p["Vreset"]
        am, bm = 0.1 * (25 - u) / (np.exp((25 - u) / 10) - 1), 4 * np.exp(-u / 18)
        an, bn = 0.01 * (10 - u) / (np.exp((10 - u) / 10) - 1), 0.125 * np.exp(-u / 80)
        ah, bh = 0.07 * np.exp(-u / 20), 1 / (np.exp((30 - u) / 10) + 1)
        m = m + dt * (am * (1 - m) - bm * m)
        n = n + dt * (an * (1 - n) - bn * n)
        h = h + dt * (ah * (1 - h) - bh * h)
        na = p["g_NA"] * m**3 * h * (v - p["E_NA"])
        v = v + row - dt * (na + p["g_K"] * n**4 * (v - p["E_K"]) + p["g_L"] * (v - p["E_L"]))
        yield {"m": m, "n": n, "h": h, "V": v, "O": (v > p["v_th"]) * 1.0}


def alif_stdp_ex(p: Row, x: Values, dt: float) -> Rows:
    v, theta, stored = np.zeros(N), np.zeros(N), np.full(N, 2.0)
    for row in x:
        t = p["decay_v"] * (v - p["v_rest"]) + p["v_rest"] + row
        th = p["decay_th"] * theta
        o = (t > stored) * 1.0
        v = t - p["v_reset"] * o
        theta = th + o * p["th_inc"] * stored
        stored = p["v_th"] + th
        yield {"V": v, "theta_stay": theta, "Vth_theta": stored, "O": o}


def lif_stdp_ih(p: Row, x: Values, dt: float) -> Rows:
    v = np.full(N, -60.0)
    for row in x:
        t = p["decay_v"] * (v - p["v_rest"]) + p["v_rest"] + row
        o = t > p["v_th"]
        v = np.where(o, p["v_reset"], t)
        yield {"V": v, "O": o * 1.0}


def diehl_cook_int(p: Row, x: Values, dt: float) -> Rows:
    v, thresh, refrac = np.zeros(N, np.int32), np.full(N, 213, np.int32), np.zeros(N, np.int32)
    for row in x:
        drive = np.clip(np.trunc(row), -32767, 32767).astype(np.int32)
        thresh = np.where(thresh > p["max_threshold"], thresh >> 1, thresh)
        v = ((p["decay"] * (v - p["rest"])) >> 10) + p["rest"]
        v = np.where(refrac <= 0, v + ((drive * 154) >> 10), v)
        refrac = refrac - 1
        s = v > thresh
        refrac, v = np.where(s, p["reset_refrac"], refrac), np.where(s, p["v_reset"], v)
        thresh = thresh + p["thresh_plus"] * s
        v = np.maximum(v, -32767)
        yield {"V": v, "thresh": thresh, "refrac_count": refrac, "O": s * 1}


def lif_int(p: Row, x: Values, dt: float) -> Rows:
    v = refrac = np.zeros(N, np.int64)
    for row in x.astype(np.int64):
        v = p["decay"] * (v - p["rest"]) + p["rest"]
        v = np.where(refrac <= 0, v + row, v)
        refrac = refrac - 1
        s = v >= p["thresh"]
        refrac, v = np.where(s, p["refrac"], refrac), np.where(s, p["reset"], v)
        yield {"V": v, "refrac_count": refrac, "O": s * 1}


def meanfield(p: Row, x: Values, dt: float) -> Rows:
    u = before = np.zeros(N)
    for row in x:
        u = u + dt / p["tau"] * (p["rho"] * before + p["Iext"] - u)
        before = row
        yield {"U": u, "O": np.maximum(u, 0)}


def simple_rate(p: Row, x: Values, dt: float) -> Rows:
    u = np.zeros(N)
    for row in x:
        u = u + dt / p["tau"] * (1 / (1 + np.exp(-(p["Iext"] + row))) - u)
        yield {"U": u}


def cann_field(p: Row, x: Values, dt: float) -> Rows:
    u = before = np.zeros(N)
    for row in x:
        u = u + dt / p["tau"] * (p["rho"] * before + p["Iext"] - u)
        before = row
        r = np.maximum(u, 0) ** 2
        yield {"U": u, "O": r / (1 + p["k"] * r.sum())}


def sixteen_bits(z: Values) -> Values:
    return np.round(np.clip(z + 2**15, 0, 2**16)) - 2**15


def darwin(p: Row, x: Values, dt: float, adaptive: bool) -> Rows:
    p0, p4 = np.round(256 * np.exp(-dt / p["tau_m"])) / 256, np.round(256 * np.exp(-dt / p["tau_s"])) / 256
    i, v, vth = np.zeros(N), START_OF_DARWIN.copy(), np.full(N, float(p["v_th"]))
    for row in x:
        i = sixteen_bits(i * p4 + row)
        v = sixteen_bits(v * p0 + i + p["P1"])
        o = (v > vth) * 1.0
        v = v * (1 - o)
        if adaptive:
            vth = 0.999 * vth + np.round(0.001 * p["v_th"]) + o * np.round(0.2 * p["v_th"])
        yield {"I": i, "V": v, "O": o, "Vth": vth}


START_OF_DARWIN = np.array([12000.0, 14999.0, -20000.0, 10001.5])


def darwin_alif(p: Row, x: Values, dt: float) -> Rows:
    return darwin(p, x, dt, adaptive=True)


def darwin_clif(p: Row, x: Values, dt: float) -> Rows:
    return darwin(p, x, dt, adaptive=False)


# ---- mlGeNN


def genn(p: Row, x: Values, dt: float) -> Rows:
    tau_refrac, v, a, refrac = p.get("tau_refrac"), np.full(N, float(p.get("v", 0))), np.zeros(N), np.zeros(N)
    alpha, rho = np.exp(-dt / p["tau_mem"]), np.exp(-dt / p.get("tau_adapt", np.inf))
    for row in x:
        i = (1 - alpha) * row if p.get("scale_i") else row
        going = np.ones(N, bool) if p.get("integrate_during_refrac", True) else ~(refrac > 0)
        refrac = np.where(refrac > 0, refrac - dt, refrac)
        v = np.where(going, alpha * v + i, v)
        a = rho * a
        spike = v >= p.get("v_thresh", 1) + p.get("beta", 0) * a
        if tau_refrac is not None:
            spike &= refrac <= 0
            refrac = np.where(spike, tau_refrac, refrac)
        reset = v - (p.get("v_thresh", 1) - p.get("v_reset", 0)) if p.get("relative_reset", True) else p.get("v_reset", 0)
        v, a = np.where(spike, reset, v), a + spike
        yield {"V": v, "A": a, "RefracTime": refrac, "spikes": spike * 1}


def genn_li(p: Row, x: Values, dt: float) -> Rows:
    v, alpha = np.full(N, float(p.get("v", 0))), np.exp(-dt / p["tau_mem"])
    for row in x:
        v = alpha * v + ((1 - alpha) if p["scale_i"] else 1) * row + p["bias"]
        yield {"V": v}


# ---- CoNeX


def conex(p: Row, x: Values, dt: float) -> Rows:
    v, omega = np.full(N, float(p["v_rest"])), np.zeros(N)
    for row in x:
        bracket = p["v_rest"] - v + p["R"] * row
        if "delta" in p:
            bracket = bracket + p["delta"] * np.exp((v - p["theta_rh"]) / p["delta"])
        if "alpha" in p:
            bracket = bracket - p["R"] * omega
        v = v + bracket * dt / p["tau"]
        at = v >= p["threshold"]
        if "kwta" in p and at.sum() > p["kwta"]:
            losers = at.copy()
            losers[np.argsort(-v, kind="stable")[: p["kwta"]]] = False
            v = np.where(losers, p["v_reset"], v)
        s = v >= p["threshold"]
        v = np.where(s, p["v_reset"], v)
        if "alpha" in p:
            omega = omega + (p["alpha"] * (v - p["v_rest"]) - omega + p["beta"] * p["w_tau"] * s) * dt / p["w_tau"]
        yield {"v": v, "omega": omega, "spikes": s * 1}


# ---- the cases: package, model, parameters, dt, mean and spread of the input, what is recorded

DARWIN = {"tau_m": 12.0, "tau_s": 8.0, "v_th": 16384}
STDP = {
    "decay_v": float(np.exp(-1 / 100)),
    "v_rest": 0.0,
    "v_reset": 2.0,
    "v_th": 2.0,
    "th_inc": 0.02,
    "decay_th": float(np.exp(-1e-2)),
}
HH = {"g_NA": 120.0, "g_K": 36.0, "g_L": 0.3, "E_NA": 120.0, "E_K": -12.0, "E_L": 10.6, "v_th": 1.0, "Vreset": 3.0}
EIF = {"R": 10.0, "threshold": -30.0, "tau": 10.0, "v_reset": -70.0, "v_rest": -65.0, "delta": 2.0, "theta_rh": -52.0}
PER_NEURON = np.array([5.0, 12.0, 20.0, 40.0])
CASES: list[tuple[str, str, Callable[..., Rows], Row, float, tuple[float, float], str]] = [
    ("spaic", "if_soft_reset", if_soft_reset, {"v_th": 1.2, "ConstantDecay": 0.01}, 0.1, (0.1, 0.1), "V O"),
    ("spaic", "integrator_bias", integrator_bias, {"bias": -0.03}, 0.1, (0.1, 0.1), "V"),
    ("spaic", "lif_two_exponential", lif_two_exponential, {"tau_m": 10.0, "tau_p": 1.0, "v_th": 1.0}, 0.1, (0.02, 0.03), "I V O"),
    ("spaic", "non_spiking_lif", non_spiking_lif, {"tau_m": 1.5, "tau_p": 4.0, "tau_q": 1.0}, 0.1, (0.1, 0.2), "V M S I"),
    ("spaic", "clif2k", clif2k, {"tau_m": 20.0, "tau_s": 12.0, "v_th": 1.0}, 0.1, (0.1, 0.1), "I M S V O E"),
    (
        "spaic",
        "aclif",
        aclif,
        {"tau_m": 20.0, "tau_p": 12.0, "tau_q": 8.0, "tau_a": 50.0, "beta_adaptive": 0.1, "v_th": 1.0},
        0.1,
        (0.1, 0.1),
        "A I M S V O E",
    ),
    (
        "spaic",
        "selif",
        selif,
        {"tau_m": 12.0, "tau_p": 6.0, "tau_q": 2.0, "tau_r": 16.0, "v_th": 1.0},
        0.1,
        (0.2, 0.2),
        "M S R dV V O late",
    ),
    (
        "spaic",
        "selif_debug",
        selif_debug,
        {"tau_m": 20.0, "tau_p": 20.0, "tau_q": 8.0, "v_th": 1.0},
        0.1,
        (0.2, 0.2),
        "M S dV V O late",
    ),
    ("spaic", "qlif", qlif, {"tau_m": 20.0, "tau_s": 8.0, "v_th": 1.0}, 0.1, (1.0, 1.0), "E V O R F"),
    ("spaic", "hh_spaic", hh_spaic, HH, 0.01, (0.1, 0.1), "m n h V O"),
    ("spaic", "alif_stdp_ex", alif_stdp_ex, STDP, 1.0, (0.1, 0.2), "V theta_stay Vth_theta O"),
    (
        "spaic",
        "lif_stdp_ih",
        lif_stdp_ih,
        {"v_th": -40.0, "v_reset": -45.0, "v_rest": -60.0, "decay_v": float(np.exp(-1 / 10))},
        1.0,
        (2.0, 2.0),
        "V O",
    ),
    (
        "spaic",
        "diehl_cook_int",
        diehl_cook_int,
        {"decay": 1013, "max_threshold": 600, "rest": -3, "v_reset": 5, "reset_refrac": 2, "thresh_plus": 66},
        1.0,
        (300.0, 900.0),
        "V thresh refrac_count O",
    ),
    (
        "spaic",
        "lif_int",
        lif_int,
        {"thresh": 6, "decay": 1, "rest": 1, "reset": -2, "refrac": 3},
        1.0,
        (2.0, 3.0),
        "V refrac_count O",
    ),
    ("spaic", "meanfield", meanfield, {"tau": 1.5, "rho": 0.1, "Iext": -0.2}, 0.1, (2.0, 5.0), "U O"),
    ("spaic", "simple_rate", simple_rate, {"tau": 2.0, "Iext": 0.1}, 0.1, (0.0, 2.0), "U"),
    ("spaic", "cann_field", cann_field, {"tau": 2.0, "rho": 0.05, "k": 0.3, "Iext": 0.1}, 0.1, (2.0, 5.0), "U O"),
    (
        "spaic",
        "darwin_clif",
        darwin_clif,
        {**DARWIN, "bias": 0.02, "P1": float(np.round(0.02 * 2**15) / 2 * 15)},
        0.1,
        (30.0, 200.0),
        "I V O",
    ),
    ("spaic", "darwin_alif", darwin_alif, {**DARWIN, "bias": 0.0, "P1": 0.0}, 0.1, (30.0, 200.0), "I V O Vth"),
    (
        "ml_genn",
        "genn_lif (lif_input)",
        genn,
        {"tau_mem": 12.0, "tau_refrac": 3.0, "v_reset": -0.1, "v": 0.2},
        1.0,
        (0.3, 0.2),
        "V RefracTime spikes",
    ),
    (
        "ml_genn",
        "genn_lif",
        genn,
        {"tau_mem": 12.0, "tau_refrac": 2.5, "relative_reset": False},
        1.0,
        (0.3, 0.2),
        "V RefracTime spikes",
    ),
    ("ml_genn", "genn_lif", genn, {"tau_mem": PER_NEURON, "scale_i": True, "tau_refrac": None}, 1.0, (1.5, 1.0), "V spikes"),
    (
        "ml_genn",
        "genn_lif",
        genn,
        {"tau_mem": 12.0, "tau_refrac": 4.0, "integrate_during_refrac": False, "scale_i": True},
        0.5,
        (3.0, 1.0),
        "V RefracTime spikes",
    ),
    (
        "ml_genn",
        "genn_alif",
        genn,
        {"tau_mem": 20.0, "tau_adapt": 50.0, "beta": 0.2, "tau_refrac": 3.0, "integrate_during_refrac": False},
        1.0,
        (0.3, 0.2),
        "V A RefracTime spikes",
    ),
    (
        "ml_genn",
        "genn_alif",
        genn,
        {"tau_mem": 20.0, "tau_adapt": 50.0, "beta": 0.2, "relative_reset": False},
        1.0,
        (0.3, 0.2),
        "V A spikes",
    ),
    ("ml_genn", "genn_li", genn_li, {"tau_mem": 20.0, "bias": 0.01, "scale_i": True, "v": 0.5}, 1.0, (0.3, 0.2), "V"),
    ("conex", "conex_elif", conex, {**EIF, "kwta": 1}, 0.5, (2.0, 1.0), "v spikes"),
    ("conex", "conex_aelif", conex, {**EIF, "alpha": 0.05, "beta": 4.0, "w_tau": 50.0}, 1.0, (2.0, 1.0), "v omega spikes"),
    (
        "conex",
        "conex_aelif",
        conex,
        {**EIF, "alpha": 0.05, "beta": 4.0, "w_tau": 50.0, "kwta": 2},
        0.5,
        (4.0, 1.0),
        "v omega spikes",
    ),
    (
        "conex",
        "conex_lif",
        conex,
        {"R": PER_NEURON, "threshold": -50.0, "tau": 10.0, "v_reset": -70.0, "v_rest": -65.0, "kwta": 3},
        1.0,
        (3.0, 1.0),
        "v spikes",
    ),
]


@pytest.mark.parametrize(
    ("package", "model", "step", "params", "dt", "drive", "recorded"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_gives_the_packages_recurrence(
    package: str, model: str, step: Callable[..., Rows], params: Row, dt: float, drive: tuple[float, float], recorded: str
) -> None:
    mean, spread = drive
    x = np.round((mean + spread * np.random.default_rng(3).standard_normal((STEPS, N))) * 1024) / 1024
    x = np.trunc(x) if step is lif_int else x
    names = recorded.split()
    rows = list(step(params, x, dt))
    arrays = {"input": x, **{name: np.array([row[name] for row in rows]) for name in names}}
    begin = {"v": -65.0, "omega": 0.0} if package == "conex" else {}
    if step in (darwin_alif, darwin_clif):
        arrays["V0"], begin = START_OF_DARWIN, {"I": 0, "V": "array V0", "Vth": 16384}
    spikes = next((arrays[name] for name in ("O", "spikes") if name in arrays and np.isin(arrays[name], (0, 1)).all()), None)
    if spikes is not None:
        assert 10 < spikes.sum() < 0.9 * spikes.size, "the case shows spikes and silence"
    entry = {
        "model": model,
        "package": package,
        "callable": step.__name__,
        "params": {name: value for name, value in params.items() if not isinstance(value, np.ndarray)},
        "dt": dt,
        "dt_unit": "ms",
        "initial_state": begin,
        "precision": "float32" if package == "ml_genn" else "float64",
        "tolerance": {"state_atol": 2e-4 if package == "ml_genn" else 1e-9, "state_rtol": 2e-5 if package == "ml_genn" else 1e-9},
    }
    beside = {name: value for name, value in params.items() if isinstance(value, np.ndarray)}
    traces.run_trace(entry, {f"noise__{name}": array for name, array in arrays.items()} | beside)


@pytest.mark.parametrize("signed", [False, True])
def test_two_layers_of_few_spike_neurons(signed: bool) -> None:
    k, alpha, alpha_2, weight = 8, 16.0, 16.0, 0.75
    numbers = np.array([0.3, 2.0, 7.9, 15.0, -3.3, -8.0, 12.4, 1.0]) * (0.5 if signed else 1)
    v, second, fx, before = numbers.copy(), np.zeros(8), np.zeros(8), np.zeros(8)
    rows: dict[str, list[Values]] = {"in_V": [], "V": [], "Fx": []}
    for step in range(3 * k):
        p = step % k
        magnitude = alpha * 2.0 ** (-k / 2) * 2.0 ** (((k - p) % k) // 2) if signed else alpha * 2.0**-k * 2.0 ** ((k - p) % k)
        fx = fx + weight * before * magnitude * ((1 if p % 2 else -1) if signed else 1)
        if p == 0:
            second, fx = fx, np.zeros(8)
        digit = alpha_2 * 2.0**-k * 2.0 ** (k - 1 - p)
        second = np.where(second >= digit, second - digit, second)
        if signed:
            digit = alpha * 2.0 ** (-k / 2) * 2.0 ** (k / 2 - 1 - p // 2)
            before = (v >= digit) if p % 2 == 0 else (v < -digit)
            v = np.where(before, v - digit if p % 2 == 0 else v + digit, v)
        else:
            digit = alpha * 2.0**-k * 2.0 ** (k - 1 - p)
            before = v >= digit
            v = np.where(before, v - digit, v)
        for name, values in (("in_V", v), ("V", second), ("Fx", fx)):
            rows[name].append(values.copy())
    entry = {
        "model": "few_spike_relu_input -> few_spike_relu",
        "package": "ml_genn",
        "callable": "",
        "params": {"k": k, "alpha": alpha, "signed_input": signed, "weight": weight},
        "dt": 1.0,
        "initial_state": {"V": 0.0, "Fx": 0.0},
        "precision": "float32",
        "tolerance": {"state_atol": 1e-6, "state_rtol": 1e-6},
    }
    arrays = {f"static__{name}": np.array(found) for name, found in rows.items()}
    traces.run_trace(entry, {**arrays, "static__input": numbers})


def test_a_name_that_no_row_knows_is_a_failure() -> None:
    entry = {
        "model": "lif_decay",
        "package": "spaic",
        "callable": "",
        "params": {"tau_m": 8.0, "speed": 1.0},
        "dt": 0.1,
        "initial_state": {},
        "precision": "float64",
        "tolerance": {"state_atol": 1e-9, "state_rtol": 1e-9},
    }
    x = np.zeros((5, 2))
    with pytest.raises(AssertionError, match="speed"):
        traces.run_trace(entry, {"a__input": x, "a__V": x})
    entry["params"] = {"tau_m": 8.0}
    with pytest.raises(AssertionError, match="no row says what W is"):
        traces.run_trace(entry, {"a__input": x, "a__V": x, "a__W": x})
    with pytest.raises(AssertionError, match=r"V of neuron 1 in row 3 is 0\.0, not 0\.5"):
        traces.run_trace(entry, {"a__input": x, "a__V": np.where(np.arange(10).reshape(5, 2) == 7, 0.5, 0.0)})
