"""The bridge to what other simulators computed: `run_trace` runs our model as a package ran its own and compares.

One table a package; one row a *model*: which of ours it is, and how the package's parameters, states, inputs and outputs are called
there. A name that maps to "" has no influence on the trace, for the reason beside it. A package's parameter, state or array that a row does
not know is a failure, never left out silently.

A trace is an entry of the manifest and its arrays: `<stimulus>__<quantity>`, rows are steps, columns neurons, row k after update k; arrays
without a stimulus are parameters.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dvdt

Arrays = Mapping[str, NDArray[Any]]
Entry = Mapping[str, Any]
Params = dict[str, Any]

# ---- what a row says --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One model of a package.

    `ours`: the name in our registry, or a function that picks it from the package's parameters (and may change them).
    `parameters`, `states`: the package's name to ours ("": without influence); a state is also what a trace records, and may be a derived
    quantity. `spikes`: arrays that are our spikes. `driven`: our parameter that the input drives. `drive`: the input that
    the model sees, where it is not the trace's own. `check`: another comparison than that of states and spikes, for random models.
    `before`: quantities of ours that an update reads, recorded before it; the trace has them in its row.
    """

    ours: str | Callable[[Params], str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    spikes: tuple[str, ...] = ()
    driven: str = "I"
    method: str | None = None
    conventions: str = "dvdt"
    drive: Callable[["Trace", NDArray[Any]], NDArray[Any]] | None = None
    check: Callable[["Trace"], None] | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """One entry under one backend and precision."""

    entry: Entry
    arrays: Arrays
    row: Row
    backend: str
    precision: str

    @property
    def params(self) -> Params:
        """The package's parameters, one value or one a neuron; arrays of their names beside them."""
        known = self.row.parameters
        found = {name: value for name, value in self.arrays.items() if name in known}
        return {**self.entry["params"], **found}

    @property
    def dt(self) -> float:
        """The step in ms; a step that is only counted is 1 ms long."""
        return float(self.entry["dt"]) * (1000 if self.entry.get("dt_unit") == "s" else 1)

    def of(self, stimulus: str) -> dict[str, NDArray[Any]]:
        """The arrays of one stimulus by quantity."""
        return {name.partition("__")[2]: array for name, array in self.arrays.items() if name.startswith(f"{stimulus}__")}

    @property
    def stimuli(self) -> list[str]:
        return sorted({name.partition("__")[0] for name in self.arrays if "__" in name})

    def where(self, stimulus: str) -> str:
        return f"{self.entry.get('file', self.entry['model'])}, {stimulus}, {self.backend} {self.precision}"


def names(ours_too: str = "", unused: str = "", **renamed: str) -> dict[str, str]:
    """The package's names to ours: those that are ours too, those without influence, and those that are called otherwise."""
    return {**{name: name for name in ours_too.split()}, **dict.fromkeys(unused.split(), ""), **renamed}


# ---- the tables, one a package ----------------------------------------------------------------------

# ======== SPAIC: times in ms, potentials without unit unless said; x is read in the same step

SPAIC: Mapping[str, Row] = {}

# ======== mlGeNN: times in ms, potentials without unit, float32

ML_GENN: Mapping[str, Row] = {}

# ======== CoNeX: mV, ms, R*I in mV

CONEX: Mapping[str, Row] = {}

# ======== ngc-learn: mV, ms

# the spike of one_spike is drawn; what follows it is checked by `one_winner`
NGC_LIF = names(
    "tau_m thr v_rest v_reset tau_theta theta_plus refract_T",
    unused="R_m one_spike",  # R_m is not read by the package; one_spike chooses the model
    refract_time="refract_T",
)
NGC_QUAD_LIF = {**NGC_LIF, **names("v_c a0", v_scale="v_c", critical_V="a0")}
NGC_IZHIKEVICH = names(
    "v_thr tau_m tau_w R_m coupling_factor v_reset w_reset",
    unused="v0 w0 integType integration_type one_spike",  # initial values stand in initial_state; the rule chooses the model
    b="coupling_factor",
    c="v_reset",
    d="w_reset",
)
NGC_FHN = names("tau_m tau_w alpha beta gamma", unused="v0 w0 integType integration_type", v_thr="v_th", v_th="v_th", thr="v_th")
NGC_SLIF = names(
    "R_m tau_m thrGain thrLeak rho_b refract_T sticky_spikes thr_jitter inhibit_R",
    unused="thr_persist v_min thr_gain thr_leak",  # when thresholds are put back; never used by the package
    thr="thr0",
    inh_R="inhibit_R",
    inh_weights="W",
)


def midpoint(params: Params) -> bool:
    return str(params.get("integType", params.get("integration_type", 0))) in ("1", "midpoint", "rk2")


def slif(params: Params) -> str:
    """The model with the terms that are switched on; what it lacks then has no influence."""
    lateral, sparse = bool(params.get("inh_R", params.get("inhibit_R", 0)) > 0), bool(params.get("rho_b", 0) > 0)
    for name in (
        *(() if lateral else ("inh_R", "inhibit_R", "inh_weights")),
        *(("thrGain", "thrLeak") if sparse else ("rho_b",)),
    ):
        params.pop(name, None)
    if lateral:
        params["inh_weights"] = params["inh_weights"].T  # theirs stands behind the spikes: s @ W
    return f"ngc_slif{'_lateral' if lateral else ''}{'_sparse' if sparse else ''}"


def one_winner(trace: Trace) -> None:
    """As `compare`; of a layer that sends one spike a step, what follows the raw spikes, and who may be the winner."""
    called, params = trace.entry["model"] + trace.entry["callable"], trace.entry["params"]
    if not (params.get("one_spike") or "one_spike" in called or "PRNG" in called):
        compare(trace)
        return
    ours = f"{trace.row.ours}_one_spike"
    states = {**trace.row.states, "tols": "", "s": ""}
    trace = replace(trace, row=replace(trace.row, ours=ours, states=states))
    compare(trace)
    for stimulus in trace.stimuli:
        found = trace.of(stimulus)
        result = simulated(trace, stimulus, found, found["input"], ["s", "tols"])
        raw = raster_of(trace, result, *found["input"].shape)
        for raster, tols in ((result["s"][1:], result["tols"][1:]), (found["s"], found.get("tols"))):
            assert np.array_equal(raster.sum(axis=1), raw.any(axis=1)), f"{trace.where(stimulus)}: not one winner a step"
            assert not np.any((raster != 0) & (raw == 0)), f"{trace.where(stimulus)}: a winner that did not fire"
            if tols is not None:
                times = np.where(raster != 0, trace.dt * np.arange(len(raster))[:, None], 0.0)
                np.testing.assert_allclose(tols, np.maximum.accumulate(times), atol=1e-9, err_msg=trace.where(stimulus))


NGCLEARN: Mapping[str, Row] = {
    "ngc_lif": Row("ngc_lif", NGC_LIF, names("v rfr thr_theta tols"), ("s_raw", "s"), check=one_winner),
    "ngc_quad_lif": Row("ngc_quad_lif", NGC_QUAD_LIF, names("v rfr thr_theta tols"), ("s_raw", "s"), check=one_winner),
    "ngc_slif": Row(slif, NGC_SLIF, names("v thr rfr s tols", j_mod="j", surrogate="dz_dj"), before=("j", "dz_dj")),
    "fitzhugh_nagumo": Row(
        lambda params: "ngc_fitzhugh_nagumo_midpoint" if midpoint(params) else "ngc_fitzhugh_nagumo",
        NGC_FHN,
        names("v w"),
        ("s",),
        method="euler",
    ),
    "ngc_izhikevich": Row(
        lambda params: "ngc_izhikevich_midpoint" if midpoint(params) else "ngc_izhikevich",
        NGC_IZHIKEVICH,
        names("v w", unused="tols"),  # never written by the package
        ("s",),
    ),
}

# ======== Norse: dt in seconds, states in mV

NORSE_PARAMETERS = names(
    "a b c d sq mn bias v_th tau_inv",
    unused="method alpha dt h_ms",  # the backward factor, and the step that the entry says too
)


def with_recurrence(trace: Trace) -> None:
    """As `compare`; where the entry has recurrent weights, with them and with the matrix before its input."""
    if "W_rec" in trace.arrays:
        parameters = {**NORSE_PARAMETERS, **names("W_rec", unused="W_in")}
        states = {**trace.row.states, "z": "z"}
        row = replace(trace.row, ours="izhikevich_norse_recurrent", parameters=parameters, states=states, drive=projected)
        trace = replace(trace, row=row)
    compare(trace)


def projected(trace: Trace, current: NDArray[Any]) -> NDArray[Any]:
    return current @ trace.arrays["W_in"].T if "W_in" in trace.arrays else current


NORSE: Mapping[str, Row] = {
    "izhikevich_norse": Row("izhikevich_norse", NORSE_PARAMETERS, names("v u"), ("z",), check=with_recurrence),
}

# ======== Brian2: the textbook models, explicit Euler from old values, then test, then reset

BRIAN2_LIF = names("v_rest R tau v_th v_reset t_ref", El="v_rest", EL="v_rest", Vr="v_reset", Vth="v_th", taum="tau")

BRIAN2: Mapping[str, Row] = {
    "adex": Row(
        "adex",
        # the constant current I is the input too
        names("C a b", unused="I", gL="g_L", EL="E_L", VT="V_T", DT="Delta_T", tauw="tau_w", Vr="V_r", Vcut="V_peak"),
        names("v w"),
        ("spikes",),
        conventions="brian2",
    ),
    "izhikevich": Row("izhikevich", names("a b c d k2 k1 k0 v_peak"), names("v u"), ("spikes",), conventions="brian2"),
    "hodgkin_huxley": Row(
        "hodgkin_huxley",
        names(Cm="C_m", gNa="g_Na", gK="g_K", gL="g_L", ENa="E_Na", EK="E_K", EL="E_L", v_spike="V_spike"),
        names("v m n h"),
        ("spikes",),
        conventions="brian2",
    ),
    "lif": Row("lif", BRIAN2_LIF, names("v"), ("spikes",), conventions="brian2"),
    "if": Row("if_", names("C decay v_th v_reset"), names("v"), ("spikes",), conventions="brian2"),
    "lif_adaptive_threshold": Row(
        "lif_adaptive_threshold",
        {**BRIAN2_LIF, **names("tau_theta theta_plus", tautheta="tau_theta")},
        names("v theta"),
        ("spikes",),
        conventions="brian2",
    ),
    "alif": Row(
        "alif", names("tau_m tau_a beta v_th", taum="tau_m", taua="tau_a"), names("v a"), ("spikes",), conventions="brian2"
    ),
    "qif": Row(
        "qif",
        {**BRIAN2_LIF, **names("a0 v_c v_peak", vc="v_c", vpeak="v_peak")},
        names("v"),
        ("spikes",),
        conventions="brian2",
    ),
    "eif": Row(
        "eif",
        {**BRIAN2_LIF, **names("Delta v_T v_cut", DT="Delta", DeltaT="Delta", Delta_T="Delta", VT="v_T", Vcut="v_cut")},
        names("v"),
        ("spikes",),
        conventions="brian2",
    ),
    "fitzhugh_nagumo": Row(
        "fitzhugh_nagumo",
        names("tau_m tau_w alpha beta gamma v_th", taum="tau_m", tauw="tau_w"),
        names("v w"),
        ("spikes",),
        conventions="brian2",
    ),
    "glif5": Row(
        "glif5",
        names(
            "C R E_L theta_inf k_1 k_2 f_1 f_2 delta_I1 delta_I2 b_s delta_theta_s a_v b_v f_v delta_v",
            EL="E_L",
            k1="k_1",
            k2="k_2",
            f1="f_1",
            f2="f_2",
        ),
        names("v I1 I2 theta_s theta_v"),
        ("spikes",),
        conventions="brian2",
    ),
}

PACKAGES: Mapping[str, Mapping[str, Row]] = {
    "spaic": SPAIC,
    "ml_genn": ML_GENN,
    "conex": CONEX,
    "ngclearn": NGCLEARN,
    "norse": NORSE,
    "brian2": BRIAN2,
}

# ======== surrogates, of any package: x is what the function is of, a setting stands in the name of the array

SURROGATE_NAMES: Mapping[str, str] = {
    "super": "superspike",
    "straight_through_estimator": "straight_through",
    "triangular_estimator": "ngc_triangular",
    "arctan_estimator": "arctan",
    "secant_lif_estimator": "secant_lif",
}


def surrogates(trace: Trace) -> None:
    """Every array `NAME__aALPHA__QUANTITY` or `NAME__QUANTITY__thrTHRESHOLD` against the function of that name."""
    x, tolerance = trace.arrays["x"], trace.entry["tolerance"]
    for name, wanted in trace.arrays.items():
        if name == "x":
            continue
        theirs, *parts = name.split("__")
        settings = {"a": None, "thr": 0.0} | {m[1]: float(m[2]) for p in parts if (m := re.fullmatch(r"(a|thr)([\d.e+-]+)", p))}
        (quantity,) = [p for p in parts if not re.fullmatch(r"(a|thr)[\d.e+-]+", p)]
        ours = surrogate_value(SURROGATE_NAMES.get(theirs, theirs), quantity, x, settings, trace.entry["params"])
        assert np.allclose(ours, wanted, atol=tolerance["state_atol"], rtol=tolerance["state_rtol"]), (
            f"{trace.entry['file']}: {name}"
        )


def surrogate_value(name: str, quantity: str, x: NDArray[Any], settings: Params, params: Params) -> NDArray[Any]:
    known = dvdt.surrogate(name).settings
    given: Params = {key: value for key, value in params.items() if key in known and np.ndim(value) == 0}
    if settings["a"] is not None and "alpha" in known:
        given["alpha"] = (
            float(np.float32(settings["a"])) if name == "superspike" else settings["a"]
        )  # Norse keeps this one in float32
    if "thr" in known:
        given["thr"] = settings["thr"]
    if quantity == "dspike_scaled":
        given["scaled"] = 1
    found = dvdt.surrogate(name, **given)
    if quantity in ("z", "spike"):
        return found.step(x - settings["thr"], inclusive=False if quantity == "spike" else None)
    if quantity == "surrogate":  # the function that the package has in mind
        return (
            np.arctan(np.pi * found.settings["alpha"] / 2 * x) / np.pi
            if name == "arctan"
            else 0.82 * np.tanh(0.08 * np.maximum(x, 0))
        )
    assert quantity in ("grad", "dspike", "dspike_scaled"), f"no row says what {quantity} is"
    float32 = np.sqrt(np.pi) / np.float64(np.float32(np.sqrt(np.pi))) if name == "heavi_erfc" else 1.0  # of Norse's constant
    return float32 * found.factor(x if found.of in ("v", "the current") else x - settings["thr"])


SURROGATES = Row("", check=surrogates)

# ---- running one ------------------------------------------------------------------------------------


def run_trace(entry: Entry, arrays: Arrays) -> None:
    """Run our model as the entry says, on `reference` and `cpu`, and compare. Raises AssertionError with the first difference."""
    row = row_of(entry)
    precisions = ["float64", *(["float32"] if entry["precision"] == "float32" else [])]
    for precision in precisions:
        for backend in ("reference", "cpu"):
            trace = Trace(entry, arrays, row, backend, precision)
            (row.check or compare)(trace)


def row_of(entry: Entry) -> Row:
    """The row of an entry, by the model's name before any remark in brackets or behind a colon; of two layers the second."""
    rows = PACKAGES.get(entry["package"])
    assert rows is not None, f"no table for the package {entry['package']!r}"
    called = entry["model"].split("->")[-1].strip()
    name = re.split(r"[ :(]", called)[0]
    by_name = {folded(known): row for known, row in rows.items()}
    row = SURROGATES if "surrogate" in called else by_name.get(folded(called)) or by_name.get(folded(name))
    assert row is not None, f"no row for the model {called!r} of {entry['package']} (there are {', '.join(rows)})"
    return row


def folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def compare(trace: Trace) -> None:
    """States within the tolerance of the manifest and spikes exactly, for every stimulus."""
    for stimulus in trace.stimuli:
        compare_stimulus(trace, stimulus, trace.of(stimulus))


def compare_stimulus(trace: Trace, stimulus: str, found: dict[str, NDArray[Any]]) -> None:
    raster = next((found[name] for name in trace.row.spikes if name in found), None)
    current = found["input"]
    steps, n = (raster if raster is not None else recorded(trace, found)[0][2]).shape
    drive = trace.row.drive(trace, current) if trace.row.drive is not None else current
    assert drive.shape == (steps, n), f"{trace.where(stimulus)}: input of shape {drive.shape} for {steps} steps of {n} neurons"
    result = simulated(trace, stimulus, found, drive, [ours for _, ours, _ in recorded(trace, found)])
    hold = np.full(n, steps)  # the row up to which each neuron's states are compared
    if raster is not None:
        hold = compare_spikes(trace, stimulus, raster_of(trace, result, steps, n), raster)
    for name, ours, wanted in recorded(trace, found):
        rows = np.asarray(result[ours], np.float64)
        rows = (
            rows[:steps]
            if ours in trace.row.before
            else rows[1:]
            if len(rows) > steps
            else np.vstack([rows[1:], result.final_state[ours][None]])
        )
        compare_rows(trace, f"{trace.where(stimulus)}: {name}", rows[:: steps // len(wanted)], wanted, hold)


def recorded(trace: Trace, found: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, NDArray[Any]]]:
    """(package's name, ours, rows) of every state that the trace holds. An array that is nothing known is a failure."""
    states = trace.row.states
    known = {"input", *trace.row.spikes, *states, *(f"{name}0" for name in states)}
    unknown = sorted(set(found) - known)
    assert not unknown, f"{trace.entry['model']} of {trace.entry['package']}: no row says what {', '.join(unknown)} is"
    return [(name, states[name], array) for name, array in found.items() if states.get(name) and array.ndim == 2]


def simulated(
    trace: Trace, stimulus: str, found: Mapping[str, NDArray[Any]], drive: NDArray[Any], record: list[str]
) -> dvdt.Result:
    params = trace.params
    name = trace.row.ours(params) if callable(trace.row.ours) else trace.row.ours
    steps, n = drive.shape
    return dvdt.simulate(
        name,
        f"{steps * trace.dt!r} ms",
        dt=f"{trace.dt!r} ms",
        n=n,
        parameters={**parameters_of(trace, params), trace.row.driven: dvdt.TimedSeries(drive, f"{trace.dt!r} ms")},
        state=initial_state(trace, found),
        record=list(dict.fromkeys(record)),
        method=trace.row.method or method_of(trace.entry),
        backend=trace.backend,
        precision=trace.precision,
        conventions=trace.row.conventions,
        threads=1,
        seed=1,
    )


def method_of(entry: Entry) -> str | None:
    found = re.search(r"method (\w+)", entry["callable"])
    return found[1] if found else None


def parameters_of(trace: Trace, params: Params) -> dict[str, Any]:
    """Our parameters from the package's. A name that the row does not know is a failure."""
    unknown = sorted(set(params) - set(trace.row.parameters))
    assert not unknown, (
        f"{trace.entry['model']} of {trace.entry['package']}: no row says what the parameter {', '.join(unknown)} is"
    )
    known = {trace.row.parameters[name]: value for name, value in params.items() if trace.row.parameters[name]}
    return {name: number(value) for name, value in known.items() if value is not None}


def number(value: Any) -> Any:
    return value if isinstance(value, bool) else np.squeeze(np.asarray(value, np.float64))[()]


def initial_state(trace: Trace, found: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Our initial values: numbers, "array NAME" of the trace, or a formula in the package's names such as "b*v"."""
    begin: dict[str, Any] = {}
    given = dict(trace.entry["initial_state"])
    settled = dvdt.model(trace.row.ours(trace.params) if callable(trace.row.ours) else trace.row.ours).states
    for name in trace.row.states:
        for array in (found, trace.arrays):
            if f"{name}0" in array and f"{name}0" not in trace.row.parameters:
                given[name] = array[f"{name}0"]
    for name, value in given.items():
        if name in trace.row.spikes and name not in trace.row.states:
            continue
        assert name in trace.row.states, f"{trace.entry['model']}: no row says what the initial {name} is"
        ours = trace.row.states[name]
        if ours not in settled:  # a derived quantity, or what our model does not keep
            continue
        if isinstance(value, str) and value.startswith("array "):
            place = value.removeprefix("array ")
            value = found.get(place, trace.arrays.get(place))
        if isinstance(value, str):
            begin[ours] = formula(value, trace.params, given)
        else:
            begin[ours] = np.squeeze(np.asarray(value, np.float64))[()]
    return begin


def formula(text: str, params: Params, states: Mapping[str, Any]) -> Any:
    """A product of names of the package, such as "b*v"."""
    factors = [factor.strip() for factor in text.split("*")]
    values = [params.get(f, states.get(f)) for f in factors]
    assert all(value is not None and not isinstance(value, str) for value in values), (
        f"the initial value {text!r} is not understood"
    )
    return np.prod([np.asarray(value, np.float64) for value in values], axis=0)


# ---- comparing --------------------------------------------------------------------------------------


def raster_of(trace: Trace, result: dvdt.Result, steps: int, n: int) -> NDArray[np.uint8]:
    raster = np.zeros((steps, n), np.uint8)
    stamp = 0 if trace.row.conventions == "brian2" else 1
    raster[np.round(result.spikes.t * 1e3 / trace.dt).astype(int) - stamp, result.spikes.i] = 1
    return raster


def compare_spikes(trace: Trace, stimulus: str, ours: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
    """Spikes are equal; where the manifest allows it of a run in another precision, each within one step and 1 % of them. Returns the row, for each
    neuron, up to which the spikes are equal."""
    steps, n = wanted.shape
    wanted = (wanted != 0).astype(np.uint8)
    different = np.argwhere(ours != wanted)
    if not len(different):
        return np.full(n, steps)
    row, neuron = different[0]
    message = f"{trace.where(stimulus)}: spike of neuron {neuron} in row {row} is {ours[row, neuron]}, not {wanted[row, neuron]}"
    other_precision = trace.entry["precision"] == "float32" != trace.precision
    assert other_precision, message
    for column in range(n):
        a, b = np.flatnonzero(ours[:, column]), np.flatnonzero(wanted[:, column])
        assert len(a) == len(b), message
        assert np.all(np.abs(a - b) <= 1), message
        assert np.count_nonzero(a != b) <= 0.01 * len(b), message
    return np.array([next(iter(np.flatnonzero(ours[:, c] != wanted[:, c])), steps) for c in range(n)])


def compare_rows(trace: Trace, what: str, ours: NDArray[Any], wanted: NDArray[Any], hold: NDArray[Any]) -> None:
    tolerance = trace.entry["tolerance"]
    atol, rtol = tolerance["state_atol"], tolerance["state_rtol"]
    assert ours.shape == wanted.shape, f"{what} has shape {ours.shape}, not {wanted.shape}"
    wanted = wanted.astype(np.float64)
    bad = ~(np.abs(ours - wanted) <= atol + rtol * np.abs(wanted))
    bad &= np.arange(len(wanted))[:, None] < hold[None, :]
    if bad.any():
        row, neuron = np.argwhere(bad)[0]
        raise AssertionError(f"{what} of neuron {neuron} in row {row} is {ours[row, neuron]!r}, not {wanted[row, neuron]!r}")


def rows() -> Iterator[tuple[str, str, Row]]:
    """(package, model, row) of every row."""
    for package, table in PACKAGES.items():
        for model, row in table.items():
            yield package, model, row
