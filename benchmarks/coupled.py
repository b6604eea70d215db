"""What reading across the population costs: a step with a population function over the same step without, a stored matrix over BLAS."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

import dvdt

NEURONS, CONNECTED = 100_000, 2000
STEPS, REPEATS = 50, 15

FIELD = """
time in ms
tau*dU/dt = rho*x_last + I - U
tau = 1; rho = 0.02; k = 0.01; x = 0; I : 1
U(0) = 0; x_last(0) = 0
rectified = max(U, 0)^2
each step: x_last = x
output rectified/(1 + k*{})
"""
INTEGRATE_AND_FIRE = """
time in ms
dv/dt = (I - v - 0.1*{})/tau
tau = 20; I : 1
v(0) = 0
spike when v > 1: v = 0
refractory 2
"""
ONE_SPIKE = """
time in ms
dv/dt = (I - v)/tau
tau = 20; I : 1
v(0) = 0
spike when v > 1: v = 0
refractory 2
output {}
"""
LATERAL = """
time in ms
W : 1 (matrix)
dv/dt = (I - v - 0.001*matmul(W, {}))/tau
tau = 20; I : 1
v(0) = 0
spike when v > 1: v = 0
"""
# a text, what stands in it without a population function, and what does with one
PAIRS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "cann_field": (FIELD, "rectified", ("total(rectified)", "largest(rectified)")),
    "lif": (INTEGRATE_AND_FIRE, "v", ("total(v)/N", "mean(v)", "largest(v)", "count(v > 0.9)/N", "rank(v)/N")),
    "one_spike": (ONE_SPIKE, "spiked", ("one_of(spiked)",)),
}


def best(run: Callable[[], object], steps: int) -> float:
    """CPU seconds a step, the best of some."""
    run()
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times) / steps


def step(text: str, n: int, precision: str, **values: object) -> float:
    population = dvdt.Population(text, n, parameters={"I": np.linspace(0.5, 2, n), **values})
    simulation = dvdt.Simulation(population, dt="1 ms", method="euler", precision=precision, threads=1, seed=1)
    return best(lambda: simulation.run(f"{STEPS} ms"), STEPS)


def show(**line: object) -> None:
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}
    print(json.dumps(rounded), flush=True)
    print("".join(f"{value!s:>20}" for value in rounded.values()), file=sys.stderr)


def report(precisions: tuple[str, ...] = ("float64", "float32")) -> None:
    """Prints a JSON line a figure to the standard output, a table to the error output."""
    print("".join(f"{key:>20}" for key in ("model", "function", "precision", "us", "without us", "ratio")), file=sys.stderr)
    for precision in precisions:
        for model, (text, plain, functions) in PAIRS.items():
            without = step(text.format(plain), NEURONS, precision)
            for function in functions:
                taken = step(text.format(function), NEURONS, precision)
                show(
                    model=model, function=function, precision=precision, us=taken * 1e6, base=without * 1e6, ratio=taken / without
                )
        matrix = np.random.default_rng(1).standard_normal((CONNECTED, CONNECTED))
        stored, vector = matrix.astype(precision), np.linspace(-1, 1, CONNECTED).astype(precision)
        product = best(lambda stored=stored, vector=vector: [stored @ vector for _ in range(STEPS)], STEPS)  # type: ignore[misc]
        for source in ("v", "spiked"):
            taken = step(LATERAL.format(source), CONNECTED, precision, W=matrix)
            function = f"matmul(W, {source})"
            show(
                model="lateral", function=function, precision=precision, us=taken * 1e6, base=product * 1e6, ratio=taken / product
            )
