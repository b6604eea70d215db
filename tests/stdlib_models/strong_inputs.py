"""For models of the library that have an input: its name, and a strong value in the unit of the model."""

STRONG: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("lif", "lif_blocked_input", "lif_adaptive_threshold", "eif"), ("I", 20.0)),
    **{f"conex_{name}{kwta}": ("I", 20.0) for name in ("lif", "elif", "aelif") for kwta in ("", "_kwta")},
    **dict.fromkeys(("izhikevich", "izh_spaic", "ngc_izhikevich", "ngc_izhikevich_midpoint"), ("I", 15.0)),
    **dict.fromkeys(("fitzhugh_nagumo", "ngc_fitzhugh_nagumo", "ngc_fitzhugh_nagumo_midpoint"), ("I", 1.0)),
    **dict.fromkeys(
        "if_constant_decay if_soft_reset if_subtractive_reset if_bias lif_decay clif clif2k aclif".split(), ("x", 0.5)
    ),
    **dict.fromkeys(
        "lif_two_exponential plif lif_constant_current non_spiking_lif pclif slif selif selif_debug".split(), ("x", 2.0)
    ),
    **dict.fromkeys("lif_stdp_ex lif_stdp_ih cann_field meanfield simple_rate passthrough".split(), ("x", 20.0)),
    **dict.fromkeys("diehl_cook_int darwin_clif darwin_alif".split(), ("x", 500.0)),
    **dict.fromkeys("genn_lif lif_input genn_alif genn_if if_input genn_li few_spike_relu".split(), ("Isyn", 0.5)),
    "if_": ("I", 3.0),
    "alif": ("I", 3.0),
    "qif": ("I", 200.0),
    "adex": ("I", 1000.0),
    "adex_spaic": ("I", 1000.0),
    "hodgkin_huxley": ("I", 20.0),
    "hh_spaic": ("I", 0.3),
    "traub_miles": ("I", 500.0),
    "glif5": ("I", 400.0),
    "glif5_spaic": ("I", 2.0),
    "alif_stdp_ex": ("x", 0.5),
    "lif_int": ("x", 3.0),
    "qlif": ("PSP", 2.0),
    "few_spike_relu_input": ("x", 20.0),
    "izhikevich_norse": ("I", 15.0),
}
