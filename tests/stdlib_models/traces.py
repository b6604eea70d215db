"""The bridge to what other simulators computed: `run_trace` runs our model as a package ran its own and compares.

One table a package; one row a *model*: which of ours it is, and how the package's parameters, states, inputs and outputs are called
there. A name that maps to "" has no influence on the trace, for the reason beside it. A package's parameter, state or array that a row does
not know is a failure, never left out silently.

A trace is an entry of the manifest and its arrays: `<stimulus>__<quantity>`, rows are steps, columns neurons, row k after update k; arrays
without a stimulus are parameters.
"""

import math
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

    `ours`: the name in our registry, or a function that picks the model from the package's parameters (and may change them).
    `parameters`, `states`: the package's name to ours ("": without influence, "R*1000": in another unit); a parameter that maps to a state is
    its initial value, and what a trace records as a state may be a derived quantity. `spikes`: arrays that are our spikes. `driven`: our
    parameter that the input drives. `before`: quantities of ours that an update reads, recorded before it; the trace has them in its row.
    `drive`: the input that the model sees, where it is not the trace's own. `check`: another comparison than that of states and spikes.
    """

    ours: str | Callable[[Params], str | dvdt.Model]
    parameters: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    spikes: tuple[str, ...] = ()
    driven: str = "I"
    before: tuple[str, ...] = ()
    method: str | None = None
    conventions: str = "dvdt"
    drive: "Callable[[Trace, NDArray[Any], int], NDArray[Any]] | None" = None
    check: "Callable[[Trace], None] | None" = None


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
        """The package's parameters, one value or one a neuron, also from arrays of their names; "remark", where a row asks for it, is what
        stands in brackets behind the model's name."""
        known = self.row.parameters
        found = {name: value for name, value in self.arrays.items() if name in known}
        remark = re.search(r"[(:] ?(\w+)", self.entry["model"]) if "remark" in known else None
        return {**self.entry["params"], **found, **({"remark": remark[1]} if remark else {})}

    @property
    def dt(self) -> float:
        """The step in ms; a step that is only counted is 1 ms long."""
        return float(self.entry["dt"]) * (1000 if self.entry.get("dt_unit") == "s" else 1)

    def of(self, stimulus: str) -> dict[str, NDArray[Any]]:
        """The arrays of one stimulus by quantity."""
        return {name.partition("__")[2]: array for name, array in self.arrays.items() if name.startswith(f"{stimulus}__")}

    @property
    def settled(self) -> tuple[dvdt.Model, Params]:
        """Our model, and the package's parameters that are for it."""
        params = self.params
        ours = self.row.ours(params) if callable(self.row.ours) else self.row.ours
        return dvdt.model(ours) if isinstance(ours, str) else ours, params

    @property
    def stimuli(self) -> list[str]:
        return sorted({name.partition("__")[0] for name in self.arrays if "__" in name})

    def where(self, stimulus: str) -> str:
        return f"{self.entry.get('file', self.entry['model'])}, {stimulus}, {self.backend} {self.precision}"


def names(ours_too: str = "", unused: str = "", **renamed: str) -> dict[str, str]:
    """The package's names to ours: those that are ours too, those without influence, and those that are called otherwise."""
    return {**{name: name for name in ours_too.split()}, **dict.fromkeys(unused.split(), ""), **renamed}


# ---- models, inputs and comparisons of single rows --------------------------------------------------


def custom_model(params: Params) -> dvdt.Model:
    """What the traces of SPAIC's `custom_model` run: two leaky traces, their difference, a spike without reset."""
    return dvdt.Model(CUSTOM_MODEL.format(*CUSTOM_STEPS[params.get("remark", params.get("equation_type"))]), name="custom_model")


CUSTOM_MODEL = """
    tau_m = 20 ms; tau_s = 8 ms; v_th = 1; x = 0
    M(0) = 0; S(0) = 0; V(0) = 0
    each step:
        M = {0}
        S = {1}
        V = M - S
    spike when V > v_th
"""
EULER = ("M + dt/tau_m*(x - M)", "S + dt/tau_s*(x - S)")
CUSTOM_STEPS = {
    "iterative": EULER,
    "ode": EULER,
    "euler_iterative": EULER,
    "exp_euler_iterative": ("exp(-dt/tau_m)*M + x", "exp(-dt/tau_s)*S + x"),
}


def darwin(model: str) -> Callable[[Params], str]:
    """P1 as SPAIC codes it, where the trace does not say it: the model has the value that is meant."""

    def pick(params: Params) -> str:
        if params.get("bias"):
            params.setdefault("P1", np.round(np.asarray(params["bias"]) * 2**15) / 2 * 15)
        return model

    return pick


def hh_spaic(params: Params) -> str:
    """The numbers of the rates are written in our text; a trace with others cannot be run."""
    for name, value in {f"{rate}{k}": v for rate, values in HH_RATES.items() for k, v in enumerate(values, 1)}.items():
        assert params.pop(name, value) == value, f"hh_spaic has {name} = {value} in its text"
    return "hh_spaic"


HH_RATES = {
    "alpha_m": (0.1, 25.0, 10.0),
    "beta_m": (4.0, 0.0, 18.0),
    "alpha_n": (0.01, 10.0, 10.0),
    "beta_n": (0.125, 0.0, 80.0),
    "alpha_h": (0.07, 0.0, 20.0),
    "beta_h": (1.0, 30.0, 10.0),
}


def darwin_random_statistics(trace: Trace) -> None:
    """Mean and rate over the neurons, row by row and over all rows, are those of another sample of as many neurons."""
    found = trace.of("free")
    steps, neurons = len(found["mean_V"]), NEURONS_OF_DARWIN
    result = simulated(trace, "free", found, np.zeros((steps, neurons)), ["V"])
    ours = np.asarray(result["V"][1:], np.float64)
    raster = raster_of(trace, result, steps, neurons)
    differ = (ours.mean(1) - found["mean_V"]) / np.sqrt((ours.var(1) + found["std_V"] ** 2) / neurons + 1e-12)
    row = int(np.argmax(np.abs(differ)))
    assert abs(differ[row]) < 5, f"{trace.where('free')}: mean_V in row {row} is {ours[row].mean()}, not {found['mean_V'][row]}"
    # spikes of one neuron are hardly correlated between neurons, so that their number over the run is nearly normal
    counts = raster.sum(0)
    wanted = float(found["rate"].astype(np.float64).sum())
    error = np.sqrt(2 * max(float(counts.var(ddof=1)), 1e-12) / neurons)
    assert abs(counts.mean() - wanted) < 5 * error + 1e-3, f"{trace.where('free')}: {counts.mean()} spikes a neuron, not {wanted}"
    # the noise is whole numbers: what one step adds to P0*V is one
    factor = dvdt.simulate(trace.settled[0], "0 ms", dt=f"{trace.dt!r} ms", parameters=parameters_of(trace), record=["P0"])["P0"][
        0, 0
    ]
    silent = raster[1:] == 0
    added = (ours[1:] - factor * ours[:-1])[silent]
    off = np.abs(added - np.round(added))
    assert off.max() < (1e-6 if trace.precision == "float64" else 0.05), f"{trace.where('free')}: noise of {added[off.argmax()]}"


NEURONS_OF_DARWIN = 200


def delivered(trace: Trace, current: NDArray[Any], steps: int) -> NDArray[Any]:
    """What synapses deliver: with a weight the input is spikes, which arrive one step later, at once or as a decaying current."""
    params = trace.entry["params"]
    weight, tau = params.get("weight"), params.get("tau_syn")
    if weight is None:
        return framed(params, current, steps)
    arriving = shifted(current)
    if tau is None:
        return np.asarray(weight * arriving)
    if params.get("syn_scale_i"):
        weight = weight * tau / trace.dt * (1 - np.exp(-trace.dt / tau))
    synapse = dvdt.simulate(
        dvdt.Model(EXPONENTIAL_SYNAPSE, name="exponential_synapse"),
        f"{steps * trace.dt!r} ms",
        dt=f"{trace.dt!r} ms",
        n=current.shape[1],
        parameters={"tau": tau, "weight": weight, "arriving": dvdt.TimedSeries(arriving, f"{trace.dt!r} ms")},
        record=["s"],
        backend=trace.backend,
        precision=trace.precision,
    )
    return np.asarray(synapse["s"][1:], np.float64)


def unchanged(trace: Trace, current: NDArray[Any], steps: int) -> NDArray[Any]:
    """The trace's own input."""
    return framed(trace.entry["params"], current, steps)


def framed(params: Params, current: NDArray[Any], steps: int) -> NDArray[Any]:
    """An input that stands still, or changes from frame to frame, step by step."""
    frames = np.atleast_2d(current)
    if len(frames) == steps:
        return frames
    each = int(params.get("input_frame_timesteps", 1))
    return np.asarray(frames[np.minimum(np.arange(steps) // each, len(frames) - 1)])


EXPONENTIAL_SYNAPSE = """
    tau = 5 ms; weight = 1; arriving = 0
    s(0) = 0
    each step: s = exp(-dt/tau)*s + weight*arriving
"""


def shifted(spikes: NDArray[Any]) -> NDArray[np.float64]:
    """What is sent in one step arrives in the next."""
    return np.vstack([np.zeros((1, spikes.shape[1])), spikes[:-1].astype(np.float64)])


def few_spike_pair(trace: Trace) -> None:
    """Few-spike input neurons; behind "->" a second layer, run after the first, every neuron of it behind one of the first."""
    params = dict(trace.entry["params"])
    weight, signed = params.pop("weight", 1.0), bool(params.pop("signed_input", params.pop("signed", False)))
    unknown = set(params) - {"k", "alpha", "readout", "alpha_src", "src_alpha"}
    assert not unknown, f"{trace.entry['model']}: no row says what the parameter {', '.join(unknown)} is"
    shared = {"k": int(params["k"]), "alpha": float(params["alpha"])}
    for stimulus in trace.stimuli:
        found = trace.of(stimulus)
        unknown = set(found) - {"input", "in_V", "V", "Fx", "in_spikes", "spikes"}
        assert not unknown, f"{trace.entry['model']}: no row says what {', '.join(unknown)} is"
        steps, n = next(array for name, array in found.items() if array.ndim == 2).shape
        if "->" not in trace.entry["model"]:
            found = {"in_V" if name == "V" else "in_spikes" if name == "spikes" else name: array for name, array in found.items()}
        first = few_spike_layer(
            trace, "few_spike_relu_input", {**shared, "signed_input": signed, "x": found["input"].reshape(-1)}, steps, n
        )
        sources = {"src_alpha": float(params.get("alpha_src", params.get("src_alpha", params["alpha"]))), "src_signed": signed}
        raster = raster_of(trace, first, steps, n)
        isyn = dvdt.TimedSeries(weight * shifted(raster), f"{trace.dt!r} ms")
        second = few_spike_layer(trace, "few_spike_relu", {**shared, **sources, "Isyn": isyn}, steps, n)
        everything = np.full(n, steps)
        for name, result, ours in (("in_V", first, "V"), ("V", second, "V"), ("Fx", second, "Fx")):
            if name in found:
                compare_rows(trace, f"{trace.where(stimulus)}: {name}", np.asarray(result[ours])[1:], found[name], everything)
        for name, result in (("in_spikes", first), ("spikes", second)):
            if name in found:
                compare_spikes(trace, stimulus, raster_of(trace, result, steps, n), found[name])


def few_spike_layer(trace: Trace, name: str, parameters: dict[str, Any], steps: int, n: int) -> dvdt.Result:
    model = dvdt.model(name)
    return dvdt.simulate(
        model,
        f"{steps * trace.dt!r} ms",
        dt=f"{trace.dt!r} ms",
        n=n,
        parameters=parameters,
        record=list(model.states),
        backend=trace.backend,
        precision=trace.precision,
    )


READOUTS: Mapping[str, Callable[[NDArray[Any], NDArray[Any], float], NDArray[Any]]] = {
    "var": lambda v, spikes, dt: v[-1],
    "sum_var": lambda v, spikes, dt: v.sum(0),
    "avg_var": lambda v, spikes, dt: v.mean(0),
    "avg_var_exp_weight": lambda v, spikes, dt: (np.exp(-np.arange(len(v)) / len(v))[:, None] * v).sum(0) / len(v),
    "max_var": lambda v, spikes, dt: np.maximum(v.max(0), 0.0),
    "spike_count": lambda v, spikes, dt: spikes.sum(0),
    "first_spike_time": lambda v, spikes, dt: np.where(spikes.any(0), -dt * spikes.argmax(0), np.finfo(np.float32).min),
}  # of mlGeNN, over one presentation

# ---- the tables, one a package ----------------------------------------------------------------------

# ======== SPAIC: times in ms, potentials without unit unless said; x is read in the same step


def spaic(
    ours: str | Callable[[Params], str], parameters: dict[str, str], states: str = "", driven: str = "x", **renamed: str
) -> Row:
    """A row of SPAIC: "O" is the spike; its names of thresholds and of what is left unused are alike in all models."""
    usual = names(unused="dt v_reset Vreset", V_th="v_th", Vth="v_th")
    return Row(ours, {**usual, **parameters}, names(states, **renamed), ("O",), driven)


SPAIC: Mapping[str, Row] = {
    "if_constant_decay": spaic("if_constant_decay", names("v_th ConstantDecay"), "V"),
    "if_soft_reset": spaic("if_soft_reset", names("v_th ConstantDecay"), "V"),
    "if_bias": spaic("if_bias", names("v_th bias"), "V"),
    "integrator_bias": spaic("integrator_bias", names("bias", unused="v_th"), "V"),
    "passthrough": replace(spaic("passthrough", names(unused="v_th"), O="O"), spikes=()),
    "lif_decay": spaic("lif_decay", names("tau_m v_th"), "V"),
    "lif_two_exponential": spaic("lif_two_exponential", names("tau_m tau_p v_th"), "V I"),
    "plif": spaic("plif", names("tau_m v_th"), "V"),
    "lif_constant_current": spaic("lif_constant_current", names("tau_m v_th"), "V"),
    "non_spiking_lif": spaic("non_spiking_lif", names("tau_m tau_p tau_q V0"), "V I M S"),
    "clif": spaic("clif", names("tau_m tau_p tau_q v_th V0"), "V I M S E"),
    "clif2k": spaic("clif2k", names("tau_m tau_s v_th V0"), "V I M S E"),
    "aclif": spaic("aclif", names("tau_m tau_p tau_q tau_a beta_adaptive v_th V0"), "V I M S E A", Vth1_stay="A", Vth1="A"),
    "pclif": spaic("pclif", names("tau_m tau_s v_th"), "V M S E"),
    "qlif": spaic("qlif", names("tau_m tau_s v_th"), "V E Mp Sp Mq Sq P Q R F QP BQ TP TQ", driven="PSP"),
    "slif": spaic("slif", names("tau_m tau_q v_th V0", unused="tau_p", v_reset_used="r"), "V M S dV late"),
    "selif": spaic("selif", names("tau_m tau_p tau_q tau_r v_th V0", v_reset_used="r"), "V M S R dV late"),
    "selif_debug": spaic("selif_debug", names("tau_m tau_p tau_q v_th V0", v_reset_used="r"), "V M S dV late"),
    "izh_spaic": spaic(
        "izh_spaic",
        names("a b d tauM", v_th="v_peak", Vth="v_peak", Vreset="c", Vrest="c", Ureset="d", C1="k2", C2="k1", C3="k0"),
        driven="I",
        V="v",
        U="u",
    ),
    "adex_spaic": replace(
        spaic(
            "adex_spaic",
            names("a b C tau_w", EL="E_L", v_th="V_T", Vth="V_T", Vspk="V_peak", delta_t="Delta_T", gL="g_L"),
            driven="I",
            V="v",
            U="w",
            EXP="EXP",
        ),
        before=("EXP",),
    ),
    "glif5_spaic": spaic(
        "glif5_spaic",
        names(
            "C E_L b_s k_1 k_2 a_v b_v f_v delta_v delta_I1 delta_I2",
            R="R*1000",
            Theta_inf="theta_inf",
            delta_Theta_s="delta_theta_s",
            f1="f_1",
            f2="f_2",
            f_1="f_1",
            f_2="f_2",
        ),
        "I1 I2 Vth",
        driven="I",
        V="v",
        Theta_s="theta_s",
        Theta_v="theta_v",
    ),
    "hh_spaic": spaic(
        hh_spaic,
        names(
            "Vreset m n h",
            v_th="V_spike",
            Vth="V_spike",
            V65="Vreset",
            V="v",
            g_NA="g_Na",
            g_K="g_K",
            g_L="g_L",
            E_NA="E_Na",
            E_K="E_K",
            E_L="E_L",
        ),
        "m n h",
        driven="I",
        V="v",
    ),
    "lif_stdp_ex": spaic(
        "lif_stdp_ex", names("v_th v_reset v_rest th_inc decay_th decay_v"), "V theta Vth_theta", theta_stay="theta"
    ),
    "alif_stdp_ex": spaic(
        "alif_stdp_ex", names("v_th v_reset v_rest th_inc decay_th decay_v"), "V theta Vth_theta", theta_stay="theta"
    ),
    "lif_stdp_ih": spaic("lif_stdp_ih", names("v_th v_reset v_rest decay_v"), "V"),
    "diehl_cook_int": spaic(
        "diehl_cook_int",
        names(
            "decay shift_voltage max_threshold weight_sum_coef shift_weight_sum_coef weight_sum_min weight_sum_max v_rest v_reset"
            " reset_refrac thresh_plus lbound thresh",
            rest="v_rest",
            reset="v_reset",
            refrac="reset_refrac",
        ),
        "V thresh refrac_count",
    ),
    "lif_int": spaic("lif_int", names("thresh decay rest reset reset_refrac", refrac="reset_refrac"), "V refrac_count"),
    "cann_field": replace(spaic("cann_field", names("tau rho k Iext"), "U", O="O"), spikes=()),
    "meanfield": replace(spaic("meanfield", names("tau rho Iext"), "U", O="O"), spikes=()),
    "simple_rate": replace(spaic("simple_rate", names("tau Iext"), "U", O="U"), spikes=()),
    "darwin_clif": spaic(darwin("darwin_clif"), names("tau_m tau_s v_th bias P0 P4 P1"), "V I", Vth="v_th"),
    "darwin_alif": spaic(darwin("darwin_alif"), names("tau_m tau_s v_th bias P0 P4 P1 P2 C1 C2", unused="Vth"), "V I Vth"),
    "darwin_random": replace(spaic("darwin_random", names("tau_m v_th std bias P0"), "V"), check=darwin_random_statistics),
    "custom_model": Row(
        custom_model, names(unused="remark equation_type dt", tauM="tau_m", tauS="tau_s", Vth="v_th"), names("V M S"), ("O",), "x"
    ),
}

# ======== mlGeNN: times in ms, potentials without unit, float32; layers that synapses feed see spikes one step later

GENN = names("v_thresh v_reset tau_mem", unused="readout weight tau_syn syn_scale_i input_frames input_frame_timesteps dt")


def poisson_counts(trace: Trace) -> None:
    """Theirs and ours spike with probability 1 - exp(-|x|*dt) a step, within 5 standard errors."""
    steps, signed = int(trace.entry["params"]["T"]), bool(trace.entry["params"].get("signed_spikes", False))
    for stimulus in trace.stimuli:
        found = trace.of(stimulus)
        rates, theirs = found["rate"], found["spike_counts"]
        x = np.repeat(rates, theirs.shape[1])
        result = dvdt.simulate(
            "poisson_input",
            f"{steps * trace.dt!r} ms",
            dt=f"{trace.dt!r} ms",
            n=len(x),
            parameters={"x": x, "signed_spikes": signed},
            backend=trace.backend,
            seed=1,
        )
        fired = np.concatenate([result.spikes.i, *([result.events["negative"].i] if signed else [])])
        ours = np.bincount(fired, minlength=len(x)).reshape(theirs.shape)
        p = np.where((rates > 0) | signed, 1 - np.exp(-np.abs(rates) * trace.dt), 0.0)
        error = np.sqrt(p * (1 - p) / (steps * theirs.shape[1]))
        for counts in (theirs, ours):
            shares = counts.sum(axis=1) / (steps * theirs.shape[1])
            assert np.all(np.abs(shares - p) <= 5 * error), f"{trace.where(stimulus)}: {shares} spikes a step, not {p}"


def listed_spikes(trace: Trace) -> None:
    """The raster of the times that `spike_times` lists, those of neuron i from `start_spikes[i]` to `end_spikes[i]`."""
    for stimulus in trace.stimuli:
        found = {**trace.arrays, **trace.of(stimulus)}
        steps, n = found["spikes"].shape
        ends = np.asarray(found["end_spikes"], int)
        starts = np.asarray(found.get("start_spikes", np.concatenate([[0], ends[:-1]])), int)
        result = dvdt.simulate(
            "spike_times",
            f"{steps * trace.dt!r} ms",
            dt=f"{trace.dt!r} ms",
            n=n,
            parameters={"times": dvdt.spike_times([found["spike_times"][a:b] for a, b in zip(starts, ends, strict=True)])},
            backend=trace.backend,
            precision=trace.precision,
        )
        compare_spikes(trace, stimulus, raster_of(trace, result, steps, n), found["spikes"])


GENN_LIF = Row(
    "genn_lif",
    {**GENN, **names("tau_refrac relative_reset integrate_during_refrac scale_i", v="V")},
    names("V RefracTime", unused="A"),
    ("spikes",),
    "Isyn",
    drive=delivered,
)
GENN_IF = Row("genn_if", {**GENN, **names(v="V")}, names("V", unused="A RefracTime"), ("spikes",), "Isyn", drive=delivered)
ML_GENN: Mapping[str, Row] = {
    "genn_lif": GENN_LIF,
    "lif_input": replace(GENN_LIF, ours="lif_input"),
    "genn_alif": Row(
        "genn_alif",
        {**GENN, **names("beta tau_adapt tau_refrac relative_reset integrate_during_refrac", v="V", a="A")},
        names("V A RefracTime"),
        ("spikes",),
        "Isyn",
        drive=delivered,
    ),
    "genn_if": GENN_IF,
    "if_input": replace(GENN_IF, ours="if_input"),
    "genn_li": Row(
        "genn_li",
        {**GENN, **names("bias scale_i", v="V")},
        names("V", unused="A RefracTime"),
        ("spikes",),
        "Isyn",
        drive=delivered,
    ),
    "few_spike_relu": Row("few_spike_relu", check=few_spike_pair),
    "few_spike_relu_input": Row("few_spike_relu_input", check=few_spike_pair),
    "binary_spike_input": Row("binary_spike_input", names("signed_spikes", unused="input_frames dt"), {}, ("spikes",), "x"),
    "poisson_input": Row("poisson_input", check=poisson_counts),
    "spike_input": Row("spike_times", check=listed_spikes),
}

# ======== CoNeX: mV, ms, R*I in mV


def with_kwta(model: str) -> Callable[[Params], str]:
    """The model of a network with the `KWTA` behaviour, or without."""
    return lambda params: f"{model}_kwta" if any(params.get(name) is not None for name in ("kwta", "KWTA", "k")) else model


CONEX_IF = names("R tau v_reset v_rest kwta", unused="dt init_s", k="kwta", KWTA="kwta", init_v="v", v_init="v")
CONEX_EIF = {**CONEX_IF, **names(threshold="v_cut", delta="Delta", theta_rh="v_T")}
CONEX: Mapping[str, Row] = {
    "conex_lif": Row(with_kwta("conex_lif"), {**CONEX_IF, "threshold": "v_th"}, names("v", unused="omega"), ("spikes",)),
    "conex_elif": Row(with_kwta("conex_elif"), CONEX_EIF, names("v", unused="omega"), ("spikes",)),
    "conex_aelif": Row(
        with_kwta("conex_aelif"), {**CONEX_EIF, **names("alpha beta w_tau", omega="")}, names("v omega"), ("spikes",)
    ),
}

# ======== ngc-learn: mV, ms

# the spike of one_spike is drawn; what follows it is checked by `one_winner`
NGC_LIF = names(
    "tau_m thr v_rest v_reset tau_theta theta_plus refract_T",
    unused="R_m resist_m one_spike dt n_units batch_size key",  # R_m is not read by the package; one_spike chooses the model
    refract_time="refract_T",
)
NGC_QUAD_LIF = {**NGC_LIF, **names("v_c a0", v_scale="v_c", critical_V="a0")}
NGC_IZHIKEVICH = names(
    "v_thr tau_m tau_w R_m coupling_factor v_reset w_reset",
    unused="integType integration_type one_spike dt n_units batch_size key",  # the rule chooses the model
    resist_m="R_m",
    v0="v",
    w0="w",
    b="coupling_factor",
    c="v_reset",
    d="w_reset",
)
NGC_FHN = names(
    "tau_m tau_w alpha beta gamma v_th",
    unused="integType integration_type dt n_units batch_size key",
    v0="v",
    w0="w",
    a="alpha",
    b="beta",
    g="gamma",
    v_thr="v_th",
    thr="v_th",
)
NGC_SLIF = names(
    "R_m tau_m thrGain thrLeak rho_b refract_T sticky_spikes thr_jitter inhibit_R",
    unused="thr_persist v_min dt n_units batch_size key",  # when thresholds are put back; never used by the package
    thr_gain="thrGain",
    thr_leak="thrLeak",
    resist_m="R_m",
    thr="thr0",
    inh_R="inhibit_R",
    inh_weights="W",
    W="W",
)


def midpoint(params: Params) -> bool:
    return str(params.get("integType", params.get("integration_type", 0))) in ("1", "midpoint", "rk2")


def slif(params: Params) -> str:
    """The model with the terms that are switched on; what it lacks then has no influence."""
    if "W" in params:
        params["inh_weights"] = params.pop("W")
    lateral, sparse = bool(params.get("inh_R", params.get("inhibit_R", 0)) > 0), bool(params.get("rho_b", 0) > 0)
    for name in (
        *(() if lateral else ("inh_R", "inhibit_R", "inh_weights")),
        *(("thrGain", "thrLeak", "thr_gain", "thr_leak") if sparse else ("rho_b",)),
    ):
        params.pop(name, None)
    if lateral:
        params["inh_weights"] = params["inh_weights"].T  # theirs stands behind the spikes: s @ W
    return f"ngc_slif{'_lateral' if lateral else ''}{'_sparse' if sparse else ''}"


def one_winner(trace: Trace) -> None:
    """As `compare`; of a layer that sends one spike a step, what follows the raw spikes, and who may be the winner."""
    called, params = trace.entry["model"] + trace.entry.get("callable", ""), trace.entry["params"]
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


def projected(trace: Trace, current: NDArray[Any], steps: int) -> NDArray[Any]:
    return current @ trace.arrays["W_in"].T if "W_in" in trace.arrays else current


NORSE: Mapping[str, Row] = {
    "izhikevich_norse": Row("izhikevich_norse", NORSE_PARAMETERS, names("v u"), ("z",), check=with_recurrence),
}

# ======== Brian2: the textbook models, explicit Euler from old values, then test, then reset

BRIAN2_LIF = names(
    "v_rest R tau v_th v_reset t_ref",
    unused="I",  # a constant current is the input
    El="v_rest",
    EL="v_rest",
    E_L="v_rest",
    Vr="v_reset",
    Vth="v_th",
    taum="tau",
    tau_m="tau",
    tau_ref="t_ref",
    tref="t_ref",
    refractory="t_ref",
)

BRIAN2: Mapping[str, Row] = {
    "adex": Row(
        "adex",
        names(
            "C a b g_L E_L V_T Delta_T tau_w V_r V_peak",
            unused="I",
            gL="g_L",
            EL="E_L",
            VT="V_T",
            DT="Delta_T",
            tauw="tau_w",
            Vr="V_r",
            Vcut="V_peak",
        ),
        names("v w"),
        ("spikes",),
        conventions="brian2",
    ),
    "izhikevich": Row(
        "izhikevich", names("a b c d k2 k1 k0 v_peak", unused="I", v_th="v_peak"), names("v u"), ("spikes",), conventions="brian2"
    ),
    "hodgkin_huxley": Row(
        "hodgkin_huxley",
        names(
            "C_m g_Na g_K g_L E_Na E_K E_L V_spike",
            unused="I",
            Cm="C_m",
            gNa="g_Na",
            gK="g_K",
            gL="g_L",
            ENa="E_Na",
            EK="E_K",
            EL="E_L",
            v_spike="V_spike",
        ),
        names("v m n h"),
        ("spikes",),
        conventions="brian2",
    ),
    "lif": Row("lif", BRIAN2_LIF, names("v"), ("spikes",), conventions="brian2"),
    "if": Row("if_", names("C decay v_th v_reset", unused="I"), names("v"), ("spikes",), conventions="brian2"),
    "lif_adaptive_threshold": Row(
        "lif_adaptive_threshold",
        {**BRIAN2_LIF, **names("tau_theta theta_plus", tautheta="tau_theta")},
        names("v theta"),
        ("spikes",),
        conventions="brian2",
    ),
    "alif": Row(
        "alif",
        names("tau_m tau_a beta v_th", unused="I", taum="tau_m", taua="tau_a"),
        names("v a"),
        ("spikes",),
        conventions="brian2",
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
        names("tau_m tau_w alpha beta gamma v_th", unused="I", a="alpha", b="beta", taum="tau_m", tauw="tau_w"),
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

# names under which a package has the model, where they are another model's in our registry, or nobody's
OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    "spaic": {
        "if": "if_constant_decay",
        "lif": "lif_decay",
        "izh": "izh_spaic",
        "adex": "adex_spaic",
        "aeif": "adex_spaic",
        "glif": "glif5_spaic",
        "hh": "hh_spaic",
        "simplerate": "simple_rate",
    },
    "conex": {"LIF": "conex_lif", "ELIF": "conex_elif", "AELIF": "conex_aelif"},
    "ngclearn": {
        "FitzhughNagumoCell": "fitzhugh_nagumo",
        "ngc_fitzhugh_nagumo": "fitzhugh_nagumo",
        "izhikevich": "ngc_izhikevich",
    },
    "norse": {"izhikevich": "izhikevich_norse"},
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
    """The row of an entry, by the model's name before any remark in brackets or behind a colon, or by another of its names; of two
    layers the second."""
    rows = PACKAGES.get(entry["package"])
    assert rows is not None, f"no table for the package {entry['package']!r}"
    called = entry["model"].split("->")[-1].strip()
    if "surrogate" in called:
        return SURROGATES
    name = re.split(r"[ :(,+]", called)[0]
    by_name = {folded(known): row for known, row in rows.items()}
    by_name |= {folded(theirs): rows[known] for theirs, known in OWN_NAMES.get(entry["package"], {}).items()}
    row = by_name.get(folded(called)) or by_name.get(folded(name))
    if row is None and name in dvdt.models():
        row = by_name.get(folded(dvdt.model(name).name))
    if row is None:  # a setting behind the model's name, such as adex_tonic
        begins = [known for known in by_name if folded(name).startswith(known) and name.count("_")]
        row = by_name[max(begins, key=len)] if begins else None
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
    wanted = recorded(trace, found)
    n = (raster if raster is not None else wanted[0][2]).shape[1]
    steps = max(len(array) for array in found.values() if array.ndim == 2)  # states may stand in every second row only
    constant = trace.entry["params"].get(trace.row.driven, 0.0) if trace.row.parameters.get(trace.row.driven) == "" else 0.0
    current = found["input"] if "input" in found else np.full((steps, n), constant)
    drive = (trace.row.drive or unchanged)(trace, current, steps)
    assert drive.shape == (steps, n), f"{trace.where(stimulus)}: input of shape {drive.shape} for {steps} steps of {n} neurons"
    result = simulated(trace, stimulus, found, drive, [ours for _, ours, _ in wanted])
    spikes = raster_of(trace, result, steps, n)
    hold = np.full(n, steps)  # the row up to which each neuron's states are compared
    if raster is not None:
        hold = compare_spikes(trace, stimulus, spikes, raster)
    for name, ours, rows in wanted:
        values = np.asarray(result[ours], np.float64)
        if ours in trace.row.before:
            values = values[:steps]
        else:
            values = values[1:] if len(values) > steps else np.vstack([values[1:], result.final_state[ours][None]])
        compare_rows(trace, f"{trace.where(stimulus)}: {name}", values[:: -(-steps // len(rows))], rows, hold)
    if "readout" in found:
        of = READOUTS[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", trace.entry["params"]["readout"]).lower()]  # AvgVar is avg_var
        readout = of(np.asarray(result["V"][1:], np.float64), spikes, trace.dt)
        compare_rows(trace, f"{trace.where(stimulus)}: readout", readout[None], np.atleast_2d(found["readout"]), hold)


def recorded(trace: Trace, found: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, NDArray[Any]]]:
    """(package's name, ours, rows) of every state that the trace holds. An array that is nothing known is a failure."""
    states = trace.row.states
    known = {"input", "readout", *trace.row.spikes, *states, *(f"{name}0" for name in states)}
    unknown = sorted(set(found) - known)
    assert not unknown, f"{trace.entry['model']} of {trace.entry['package']}: no row says what {', '.join(unknown)} is"
    return [(name, states[name], array) for name, array in found.items() if states.get(name) and array.ndim == 2]


def simulated(
    trace: Trace, stimulus: str, found: Mapping[str, NDArray[Any]], drive: NDArray[Any], record: list[str]
) -> dvdt.Result:
    """Our run of a trace with `drive` (step, neuron); `found` holds arrays that initial values may name."""
    model, _ = trace.settled
    steps, n = drive.shape
    parameters = parameters_of(trace)
    if trace.row.driven in model.parameters:
        parameters[trace.row.driven] = dvdt.TimedSeries(drive, f"{trace.dt!r} ms")
    return dvdt.simulate(
        model,
        f"{steps * trace.dt!r} ms",
        dt=f"{trace.dt!r} ms",
        n=n,
        parameters=parameters,
        state=initial_state(trace, found, n),
        record=list(dict.fromkeys(record)),
        method=trace.row.method or method_of(trace.entry),
        backend=trace.backend,
        precision=trace.precision,
        conventions=trace.row.conventions,
        threads=1,
        seed=1,
    )


def method_of(entry: Entry) -> str | None:
    found = re.search(r"method (\w+)", entry.get("callable", ""))
    return found[1] if found else "euler" if entry["package"] == "brian2" else None


def parameters_of(trace: Trace) -> dict[str, Any]:
    """Our parameters from the package's. A name that the row does not know is a failure."""
    (model, params), known = trace.settled, trace.row.parameters
    unknown = sorted(set(params) - set(known))
    assert not unknown, (
        f"{trace.entry['model']} of {trace.entry['package']}: no row says what the parameter {', '.join(unknown)} is"
    )
    ours: dict[str, Any] = {}
    for name, value in params.items():
        called, _, factor = known[name].partition("*")
        if called in model.parameters and value is not None:
            ours[called] = number(value) * float(factor) if factor else number(value)
    return ours


def number(value: Any) -> Any:
    return value if isinstance(value, bool) else np.squeeze(np.asarray(value, np.float64))[()]


def initial_state(trace: Trace, found: Mapping[str, NDArray[Any]], n: int) -> dict[str, Any]:
    """Our initial values: numbers, "array NAME" of the trace, a formula of the package's names such as "b*v", or parameters that are such."""
    begin: dict[str, Any] = {}
    model, params = trace.settled
    states = model.states
    given = {name: value for name, value in params.items() if trace.row.parameters.get(name) in states}
    only_spikes = set(trace.row.spikes) - set(trace.row.states)
    given |= {name: value for name, value in trace.entry["initial_state"].items() if name not in only_spikes}
    for name in trace.row.states:
        for arrays in (trace.arrays, found):
            if f"{name}0" in arrays and f"{name}0" not in trace.row.parameters:
                given[name] = arrays[f"{name}0"]
    ours = {**trace.row.parameters, **trace.row.states}
    for name, value in given.items():
        assert name in ours, f"{trace.entry['model']}: no row says what the initial {name} is"
        if ours[name] not in states:  # a derived quantity, or what our model does not keep
            continue
        if isinstance(value, str) and value.startswith("array "):
            place = value.removeprefix("array ")
            value = found[place] if place in found else trace.arrays[place]
        values = formula(value, params, given) if isinstance(value, str) else np.asarray(value, np.float64)
        begin[ours[name]] = values.reshape(-1) if values.size == n else np.squeeze(values)[()]
    return begin


def formula(text: str, params: Params, states: Mapping[str, Any]) -> Any:
    """A product of names of the package, such as "b*v"."""
    factors = [factor.strip() for factor in text.split("*")]
    values = [params.get(f, states.get(f)) for f in factors]
    assert all(value is not None and not isinstance(value, str) for value in values), (
        f"the initial value {text!r} is not understood"
    )
    return math.prod(np.asarray(value, np.float64) for value in values)


# ---- comparing --------------------------------------------------------------------------------------


def raster_of(trace: Trace, result: dvdt.Result, steps: int, n: int) -> NDArray[np.uint8]:
    raster = np.zeros((steps, n), np.uint8)
    stamp = 0 if trace.row.conventions == "brian2" else 1
    for events in (result.spikes, *([result.events["negative"]] if "negative" in result.events else [])):  # a signed spike is one
        raster[np.round(events.t * 1e3 / trace.dt).astype(int) - stamp, events.i] = 1
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
        raise AssertionError(
            f"{what} of neuron {neuron} in row {row} is {float(ours[row, neuron])!r}, not {float(wanted[row, neuron])!r}"
        )


def rows() -> Iterator[tuple[str, str, Row]]:
    """(package, model, row) of every row."""
    for package, table in PACKAGES.items():
        for model, row in table.items():
            yield package, model, row
