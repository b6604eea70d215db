"""f-I curves: the rate of three library models against a constant current, a population per model, one neuron per current."""

import numpy as np

import dvdt

currents = np.linspace(0, 2000, 41)  # pA

for name in ("adex", "traub_miles", "glif5"):
    result = dvdt.simulate(name, "1 s", n=len(currents), dt="0.05 ms", parameters={"I": currents})
    rates = result.rates()
    firing = np.flatnonzero(rates > 0)
    print(
        f"{name:12} fires from {currents[firing[0]]:5.0f} pA, reaches {rates.max():5.1f} Hz at {currents[rates.argmax()]:.0f} pA"
    )
