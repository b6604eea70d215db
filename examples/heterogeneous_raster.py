"""A population without noise whose neurons differ: capacitance, threshold and starting point are drawn once for each neuron."""

import sys

import dvdt

population = dvdt.Population(
    "adex",
    100,
    parameters={
        "C": dvdt.normal("281 pF", "20 pF"),
        "V_T": dvdt.normal("-50.4 mV", "1 mV"),
        "I": dvdt.step("0 pA", "800 pA", start="100 ms", stop="600 ms"),
    },
    state={"v": dvdt.uniform("-75 mV", "-60 mV")},
)
result = dvdt.simulate(population, "700 ms", record={"v": dvdt.record(every="0.5 ms", neurons=slice(0, 3))}, seed=7)
print(result.report)
print(f"{len(result.spikes.t)} spikes, {result.rates().mean():.1f} Hz on average")

if len(sys.argv) > 1:  # python heterogeneous_raster.py raster.png
    result.plot().savefig(sys.argv[1], dpi=150)
