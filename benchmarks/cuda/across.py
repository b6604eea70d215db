"""What a step costs on a GPU where neurons read one another, beside the same step where they do not: rows of `benchmarks.cuda`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import dvdt

from ..coupled import LATERAL, PAIRS

SIZES = (10_000, 100_000, 1_000_000)
CONNECTED = (2000, 10_000)  # neurons of a stored matrix
LATERAL_OF = ("v", "spiked")
LONGEST = 1 << 17  # steps of a timed run


def items() -> Iterator[str]:
    """The rows: "MODEL NUMBER PRECISION N", the number of a function in its table, since functions are spelled with commas."""
    for model, (_, _, functions) in PAIRS.items():
        for number in range(len(functions)):
            yield from (f"{model} {number} float32 {n}" for n in SIZES)
    for number in range(len(LATERAL_OF)):
        yield from (f"lateral {number} float32 {n}" for n in CONNECTED)


def row(item: str, seconds: float) -> Iterator[dict[str, Any]]:
    """Microseconds a step with a function across the population and, but for a stored matrix, without one."""
    model, number, precision, n = item.split()
    if model == "lateral":
        function = f"matmul(W, {LATERAL_OF[int(number)]})"
        matrix = np.random.default_rng(1).standard_normal((int(n), int(n)), np.float32)
        taken, without = us(LATERAL.format(LATERAL_OF[int(number)]), int(n), precision, seconds, W=matrix), None
    else:
        text, plain, functions = PAIRS[model]
        function = functions[int(number)]
        taken, without = (us(text.format(each), int(n), precision, seconds) for each in (function, plain))
    yield {"model": model, "function": function, "precision": precision, "n": int(n), "us": taken, "us_without": without}


def us(text: str, n: int, precision: str, seconds: float, **values: object) -> float:
    """Microseconds of a step of a run that takes about so many seconds, collecting no spikes."""
    population = dvdt.Population(text, n, parameters={"I": np.linspace(0.5, 2, n), **values})
    told: dict[str, Any] = {"dt": "1 ms", "method": "euler", "precision": precision, "backend": "cuda"}
    sim = dvdt.Simulation(population, seed=1, spikes=False, progress=False, **told)
    sim.run("16 ms")
    steps = 16
    while True:
        began = time.perf_counter()
        sim.run(f"{steps} ms")
        taken = time.perf_counter() - began
        if taken > seconds / 2 or steps >= LONGEST:
            return taken / steps * 1e6
        steps = min(LONGEST, max(2 * steps, int(steps * seconds / max(taken, 1e-6) * 0.8)))
