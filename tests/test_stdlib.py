"""The library: every file is what its table says, and every model is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dvdt
from dvdt.stdlib_models import FAMILIES, LIBRARY, text_of

FOLDER = Path(__file__).parents[1] / "stdlib_models"
YEAR = re.compile(r"\b(18|19|20)\d\d\b")

# further names and states of the models that every user of the systems they come from looks for
CATALOGUE = {
    "if_": ({"if", "integrate_and_fire"}, ["v"]),
    "lif": ({"leaky_integrate_and_fire"}, ["v"]),
    "lif_adaptive_threshold": ({"lif_theta", "homeostatic_lif"}, ["v", "theta"]),
    "alif": ({"adaptive_lif"}, ["v", "a"]),
    "qif": ({"quadratic_if", "quad_lif"}, ["v"]),
    "eif": ({"exp_lif", "elif", "exponential_if"}, ["v"]),
    "adex": ({"aeif", "aelif", "adaptive_exponential_if"}, ["v", "w"]),
    "izhikevich": ({"izh"}, ["v", "u"]),
    "fitzhugh_nagumo": ({"fhn"}, ["v", "w"]),
    "hodgkin_huxley": ({"hh"}, ["v", "m", "n", "h"]),
    "traub_miles": (set(), ["v", "m", "n", "h"]),
    "glif5": ({"glif"}, ["v", "theta_s", "theta_v", "I1", "I2"]),
    "ngc_lif": ({"lif_cell"}, ["v", "rfr", "thr_theta", "tols"]),
    "ngc_quad_lif": ({"quad_lif_cell"}, ["v", "rfr", "thr_theta", "tols"]),
    "ngc_slif": ({"slif_cell", "simplified_lif"}, ["v", "thr", "rfr", "s", "tols"]),
    "ngc_izhikevich": ({"izhikevich_cell"}, ["v", "w"]),
    "izhikevich_norse": (set(), ["v", "u"]),
    "if_constant_decay": ({"spaic_if"}, ["V"]),
    "if_soft_reset": ({"ifsoftreset"}, ["V"]),
    "if_bias": ({"ifb"}, ["V"]),
    "integrator_bias": ({"nonspikingifb"}, ["V"]),
    "passthrough": ({"null"}, ["O"]),
    "lif_decay": ({"spaic_lif"}, ["V"]),
    "lif_two_exponential": ({"lifm"}, ["V", "I"]),
    "plif": ({"parametric_lif"}, ["V", "U"]),
    "lif_constant_current": ({"constantcurrentlif"}, ["V", "U", "x_last"]),
    "non_spiking_lif": ({"nonspikinglif"}, ["V", "I", "M", "S", "x_last"]),
    "clif": ({"current_lif"}, ["V", "I", "M", "S", "E"]),
    "clif2k": (set(), ["V", "I", "M", "S", "E"]),
    "pclif": ({"plif2k"}, ["V", "M", "S", "E"]),
    "aclif": ({"adaptive_clif"}, ["V", "I", "M", "S", "E", "A"]),
    "qlif": (set(), ["V", "E", "Mp", "Sp", "Mq", "Sq", "R", "TP", "TQ"]),
    "slif": ({"spikeprop_lif"}, ["V", "M", "S", "dV", "late"]),
    "selif": ({"spikeprop_exp_lif"}, ["V", "M", "S", "R", "dV", "late"]),
    "izh_spaic": (set(), ["v", "u"]),
    "adex_spaic": (set(), ["v", "w"]),
    "glif5_spaic": (set(), ["v", "theta_s", "theta_v", "I1", "I2", "Vth"]),
    "hh_spaic": (set(), ["v", "m", "n", "h"]),
    "lif_stdp_ex": ({"lifstdp_ex"}, ["V", "theta", "Vth_theta"]),
    "alif_stdp_ex": ({"alifstdp_ex"}, ["V", "theta", "Vth_theta"]),
    "lif_stdp_ih": ({"lifstdp_ih"}, ["V"]),
    "diehl_cook_int": ({"diehlandcook"}, ["V", "thresh", "refrac_count"]),
    "lif_int": ({"lifint"}, ["V", "refrac_count"]),
    "cann_field": ({"cann"}, ["U", "x_last"]),
    "meanfield": ({"mean_field"}, ["U", "x_last"]),
    "simple_rate": (set(), ["U"]),
    "darwin_clif": (set(), ["V", "I"]),
    "darwin_alif": (set(), ["V", "I", "Vth"]),
    "darwin_random": (set(), ["V"]),
    "genn_lif": ({"LeakyIntegrateFire"}, ["V", "RefracTime"]),
    "genn_alif": ({"AdaptiveLeakyIntegrateFire"}, ["V", "A", "RefracTime"]),
    "genn_if": ({"IntegrateFire"}, ["V"]),
    "genn_li": ({"LeakyIntegrate"}, ["V"]),
    "few_spike_relu": ({"FewSpikeRelu"}, ["Fx", "V"]),
    "few_spike_relu_input": ({"FewSpikeReluInput"}, ["V"]),
    "lif_input": ({"LeakyIntegrateFireInput"}, ["V", "RefracTime"]),
    "if_input": ({"IntegrateFireInput"}, ["V"]),
    "conex_lif": (set(), ["v"]),
    "conex_elif": (set(), ["v"]),
    "conex_aelif": (set(), ["v", "omega"]),
}
NORSE = """tonic_spiking phasic_spiking tonic_bursting phasic_bursting mixed_mode spike_frequency_adaptation class_1_exc class_2_exc
spike_latency subthreshold_oscillation resonator integrator rebound_spike rebound_burst threshold_variability bistability dap accomodation
inhibition_induced_spiking inhibition_induced_bursting""".split()
EVERY_MODEL = pytest.mark.parametrize("name", LIBRARY)


def test_the_table_names_every_file_and_every_model() -> None:
    assert {entry.file for entry in LIBRARY.values()} == {file.name for file in FOLDER.glob("*.dvdt")}
    for file in {entry.file for entry in LIBRARY.values()}:
        declared = re.findall(r"^model (\w+)", text_of(file), re.MULTILINE)
        assert declared == [name for name, entry in LIBRARY.items() if entry.file == file]


def test_names_aliases_and_states_are_those_of_the_catalogue() -> None:
    for name, (aliases, states) in CATALOGUE.items():
        assert aliases <= set(LIBRARY[name].aliases)
        assert sorted(dvdt.model(name).states) == sorted(states)


def test_the_twenty_behaviours_of_norse_are_there_under_its_names() -> None:
    (norse,) = (family for family in FAMILIES if family.source == "Norse")
    behaviours = [
        name.removeprefix("izhikevich_norse_")
        for name in norse.models
        if name not in ("izhikevich_norse", "izhikevich_norse_recurrent")
    ]
    assert behaviours == NORSE
    assert all(dvdt.model(f"norse_{name}").name == f"izhikevich_norse_{name}" for name in NORSE)


@EVERY_MODEL
def test_every_name_of_a_model_leads_to_it(name: str) -> None:
    model = dvdt.model(name)
    assert model.name == name
    for spelling in (name.upper(), name.replace("_", "-"), name.replace("_", ""), *LIBRARY[name].aliases):
        assert dvdt.model(spelling) == model


@EVERY_MODEL
def test_checks_without_remarks(name: str) -> None:
    assert dvdt.model(name).checked.notes == ()


@EVERY_MODEL
def test_is_documented(name: str) -> None:
    model = dvdt.model(name)
    matrices = {parameter.name for parameter in model.checked.parameters if "matrix" in parameter.flags}
    first, blank, *rest = model.description.splitlines()
    assert first.endswith(".")
    assert blank == ""
    assert YEAR.search(model.description.split("\n\n")[-1]), "the last paragraph is the reference"
    assert rest
    for entry in model.parameters.values():
        assert entry.description, f"{entry.name} has no comment"
        assert entry.unit
        assert entry.default or entry.name in matrices
    for entry in model.states.values():
        assert entry.unit
    equations = [state for state in model.checked.states if state.derivative is not None]
    assert model.checked.method is not None or not equations
    assert model.checked.dt is not None
    initials = re.findall(r"^ *(\w+)\(0\) =", str(model), re.MULTILINE)
    assert sorted(initials) == sorted(model.states)


@EVERY_MODEL
def test_prints_and_parses_back(name: str) -> None:
    model = dvdt.model(name)
    again = dvdt.Model(str(model))
    assert again == model
    assert str(again) == str(model)
    assert again != model.extend("method euler" if model.checked.method != "euler" else "method rk4", name=name)


@EVERY_MODEL
def test_has_a_picture_of_its_equations(name: str) -> None:
    latex = dvdt.model(name).latex()
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")
    equations = [state for state in dvdt.model(name).checked.states if state.derivative is not None]
    assert latex.count(r"\frac{d") >= len(equations)


def test_the_subtractive_reset_that_if_describes() -> None:
    model = dvdt.model("if").extend("spike when v > v_th: v -= v_th - v_reset")
    result = dvdt.simulate(model, "10 ms", dt="0.1 ms", parameters={"I": "1.27 nA"}, record=["v"])
    assert len(result.spikes.t) == 12  # 12.7 mV in 10 ms, one spike per mV, nothing lost at a reset
    assert result["v"][-1, 0] == pytest.approx(0.7, abs=1e-9)
