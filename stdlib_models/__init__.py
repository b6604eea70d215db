"""The models that come with dvdt: families of them, one a file of this folder, and the other names of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Family:
    """Models that share a file: what they are, the system whose numbers they give ("textbook" for the published equations), and the names."""

    file: str
    title: str
    source: str
    models: Mapping[str, tuple[str, ...]]  # name: further names, in the order of the file


@dataclass(frozen=True)
class LibraryModel:
    """Where a model of the library stands, and what else it answers to."""

    family: Family
    aliases: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return self.family.file


TEXTBOOK = "textbook"

FAMILIES: tuple[Family, ...] = (
    Family(
        "integrate_and_fire.dvdt",
        "Integrate and fire",
        TEXTBOOK,
        {
            "if_": ("if", "integrate_and_fire"),
            "lif": ("leaky_integrate_and_fire",),
            "lif_blocked_input": (),
            "lif_adaptive_threshold": ("lif_theta", "homeostatic_lif"),
            "alif": ("adaptive_lif",),
        },
    ),
    Family(
        "spike_initiation.dvdt",
        "Quadratic and exponential",
        TEXTBOOK,
        {
            "qif": ("quadratic_if", "quad_lif"),
            "eif": ("exp_lif", "elif", "exponential_if"),
            "adex": ("aeif", "aelif", "adaptive_exponential_if"),
            "izhikevich": ("izh",),
        },
    ),
    Family(
        "oscillator.dvdt",
        "Oscillators",
        TEXTBOOK,
        {
            "fitzhugh_nagumo": ("fhn",),
        },
    ),
    Family(
        "conductance_based.dvdt",
        "Conductance-based",
        TEXTBOOK,
        {
            "hodgkin_huxley": ("hh",),
            "traub_miles": (),
        },
    ),
    Family(
        "generalized.dvdt",
        "Generalized integrate and fire",
        TEXTBOOK,
        {
            "glif5": ("glif",),
        },
    ),
    Family(
        "izhikevich_patterns.dvdt",
        "Firing patterns of Izhikevich 2004",
        TEXTBOOK,
        {
            "izhikevich_tonic_spiking": (),
            "izhikevich_phasic_spiking": (),
            "izhikevich_tonic_bursting": (),
            "izhikevich_phasic_bursting": (),
            "izhikevich_mixed_mode": (),
            "izhikevich_spike_frequency_adaptation": (),
            "izhikevich_class_1": ("izhikevich_class_1_exc",),
            "izhikevich_class_2": ("izhikevich_class_2_exc",),
            "izhikevich_spike_latency": (),
            "izhikevich_subthreshold_oscillation": (),
            "izhikevich_resonator": (),
            "izhikevich_integrator": (),
            "izhikevich_rebound_spike": (),
            "izhikevich_rebound_burst": (),
            "izhikevich_threshold_variability": (),
            "izhikevich_bistability": (),
            "izhikevich_depolarizing_after_potential": ("izhikevich_dap",),
            "izhikevich_accommodation": ("izhikevich_accomodation",),
            "izhikevich_inhibition_induced_spiking": (),
            "izhikevich_inhibition_induced_bursting": (),
        },
    ),
    Family(
        "izhikevich_classes.dvdt",
        "Cell classes of Izhikevich 2003",
        TEXTBOOK,
        {
            "izhikevich_rs": ("izhikevich_regular_spiking",),
            "izhikevich_ib": ("izhikevich_intrinsically_bursting",),
            "izhikevich_ch": ("izhikevich_chattering",),
            "izhikevich_fs": ("izhikevich_fast_spiking",),
            "izhikevich_lts": ("izhikevich_low_threshold_spiking",),
            "izhikevich_tc": ("izhikevich_thalamo_cortical",),
            "izhikevich_rz": ("izhikevich_resonator_2003",),
            "izhikevich_excitatory": (),
            "izhikevich_inhibitory": (),
        },
    ),
    Family(
        "adex_patterns.dvdt",
        "Firing patterns of the adaptive exponential neuron",
        TEXTBOOK,
        {
            "adex_tonic": (),
            "adex_adapting": (),
            "adex_initial_burst": (),
            "adex_regular_bursting": (),
            "adex_delayed_accelerating": (),
            "adex_delayed_regular_bursting": (),
            "adex_transient": (),
            "adex_irregular": (),
            "adex_bursting": (),
            "adex_fast_spiking": (),
        },
    ),
    Family(
        "ngclearn.dvdt",
        "Cells of ngc-learn",
        "ngc-learn",
        {
            "ngc_lif": ("lif_cell",),
            "ngc_lif_one_spike": (),
            "ngc_quad_lif": ("quad_lif_cell",),
            "ngc_quad_lif_one_spike": (),
            "ngc_slif": ("slif_cell", "simplified_lif"),
            "ngc_slif_sparse": (),
            "ngc_slif_lateral": (),
            "ngc_slif_lateral_sparse": (),
            "ngc_fitzhugh_nagumo": ("fitzhugh_nagumo_cell",),
            "ngc_fitzhugh_nagumo_midpoint": (),
            "ngc_izhikevich": ("izhikevich_cell", "ngc_izhikevich_rs"),
            "ngc_izhikevich_midpoint": (),
            "ngc_izhikevich_ib": (),
            "ngc_izhikevich_ch": (),
            "ngc_izhikevich_fs": (),
            "ngc_izhikevich_lts": (),
            "ngc_izhikevich_rz": (),
            "ngc_poisson": (),
            "ngc_latency": (),
            "ngc_latency_log": (),
        },
    ),
    Family(
        "norse.dvdt",
        "Izhikevich cells of Norse",
        "Norse",
        {
            "izhikevich_norse": (),
            "izhikevich_norse_recurrent": (),
            "izhikevich_norse_tonic_spiking": ("norse_tonic_spiking",),
            "izhikevich_norse_phasic_spiking": ("norse_phasic_spiking",),
            "izhikevich_norse_tonic_bursting": ("norse_tonic_bursting",),
            "izhikevich_norse_phasic_bursting": ("norse_phasic_bursting",),
            "izhikevich_norse_mixed_mode": ("norse_mixed_mode",),
            "izhikevich_norse_spike_frequency_adaptation": ("norse_spike_frequency_adaptation",),
            "izhikevich_norse_class_1_exc": ("norse_class_1_exc",),
            "izhikevich_norse_class_2_exc": ("norse_class_2_exc",),
            "izhikevich_norse_spike_latency": ("norse_spike_latency",),
            "izhikevich_norse_subthreshold_oscillation": ("norse_subthreshold_oscillation",),
            "izhikevich_norse_resonator": ("norse_resonator",),
            "izhikevich_norse_integrator": ("norse_integrator",),
            "izhikevich_norse_rebound_spike": ("norse_rebound_spike",),
            "izhikevich_norse_rebound_burst": ("norse_rebound_burst",),
            "izhikevich_norse_threshold_variability": ("norse_threshold_variability",),
            "izhikevich_norse_bistability": ("norse_bistability",),
            "izhikevich_norse_dap": ("norse_dap",),
            "izhikevich_norse_accomodation": ("norse_accomodation", "izhikevich_norse_accommodation"),
            "izhikevich_norse_inhibition_induced_spiking": ("norse_inhibition_induced_spiking",),
            "izhikevich_norse_inhibition_induced_bursting": ("norse_inhibition_induced_bursting",),
        },
    ),
    Family(
        "spaic.dvdt",
        "Integrate and fire of SPAIC, in discrete time",
        "SPAIC",
        {
            "if_constant_decay": ("spaic_if",),
            "if_soft_reset": ("ifsoftreset",),
            "if_subtractive_reset": (),
            "if_bias": ("ifb",),
            "integrator_bias": ("nonspikingifb",),
            "passthrough": ("null",),
            "lif_decay": ("spaic_lif",),
            "lif_two_exponential": ("lifm",),
            "plif": ("parametric_lif",),
            "lif_constant_current": ("constantcurrentlif",),
            "non_spiking_lif": ("nonspikinglif",),
            "lif_stdp_ex": ("lifstdp_ex",),
            "alif_stdp_ex": ("alifstdp_ex",),
            "lif_stdp_ih": ("lifstdp_ih",),
        },
    ),
    Family(
        "current_kernel.dvdt",
        "Current kernels and SpikeProp of SPAIC",
        "SPAIC",
        {
            "clif": ("current_lif",),
            "clif2k": (),
            "aclif": ("adaptive_clif",),
            "pclif": ("plif2k",),
            "qlif": (),
            "slif": ("spikeprop_lif",),
            "selif": ("spikeprop_exp_lif",),
            "selif_debug": (),
        },
    ),
    Family(
        "spaic_variants.dvdt",
        "Textbook neurons as SPAIC computes them",
        "SPAIC",
        {
            "izh_spaic": (),
            "adex_spaic": (),
            "glif5_spaic": (),
            "hh_spaic": (),
        },
    ),
    Family(
        "rate.dvdt",
        "Rate models of SPAIC",
        "SPAIC",
        {
            "cann_field": ("cann",),
            "meanfield": ("mean_field",),
            "simple_rate": (),
        },
    ),
    Family(
        "integer.dvdt",
        "Whole numbers and 16 bits",
        "SPAIC",
        {
            "diehl_cook_int": ("diehlandcook",),
            "lif_int": ("lifint",),
            "darwin_clif": (),
            "darwin_alif": (),
            "darwin_random": (),
        },
    ),
    Family(
        "mlgenn.dvdt",
        "Neurons of mlGeNN",
        "mlGeNN",
        {
            "genn_lif": ("LeakyIntegrateFire",),
            "lif_input": ("LeakyIntegrateFireInput",),
            "genn_alif": ("AdaptiveLeakyIntegrateFire",),
            "genn_if": ("IntegrateFire",),
            "if_input": ("IntegrateFireInput",),
            "genn_li": ("LeakyIntegrate",),
            "few_spike_relu_input": ("FewSpikeReluInput",),
            "few_spike_relu": ("FewSpikeRelu",),
        },
    ),
    Family(
        "conex.dvdt",
        "Neurons of CoNeX",
        "CoNeX",
        {
            "conex_lif": (),
            "conex_elif": (),
            "conex_aelif": (),
            "conex_lif_kwta": (),
            "conex_elif_kwta": (),
            "conex_aelif_kwta": (),
        },
    ),
    Family(
        "sources.dvdt",
        "Sources of spikes and currents",
        TEXTBOOK,
        {
            "poisson": (),
            "bernoulli": ("ngc_bernoulli",),
            "regular": (),
            "spike_times": ("spike_input",),
            "constant_current": ("constant", "cc_generator"),
            "sine_current": ("sin_generator", "sin", "sine"),
            "ramp_current": ("ramp_generator", "ramp"),
        },
    ),
    Family(
        "mlgenn_inputs.dvdt",
        "Input neurons of mlGeNN",
        "mlGeNN",
        {"binary_spike_input": (), "poisson_input": ()},
    ),
    Family(
        "spaic_encoders.dvdt",
        "Encoders and generators of SPAIC",
        "SPAIC",
        {
            "spaic_poisson": (),
            "spaic_bernoulli": (),
            "sstb": ("single_spike",),
            "latency": (),
            "relative_latency": (),
            "uniform_train": ("uniform",),
            "poisson_generator": (),
            "poisson_generator2": (),
        },
    ),
)

LIBRARY: Mapping[str, LibraryModel] = {
    name: LibraryModel(family, aliases) for family in FAMILIES for name, aliases in family.models.items()
}


def text_of(file: str) -> str:
    """The text of one file of the library."""
    return files(__name__).joinpath(file).read_text(encoding="utf-8")
