"""python -m benchmarks.closed_loop: what a single step costs from Python, and a value that is set before it; beside a loop in NumPy.

Microseconds of processor time, the best of several rounds. The yardstick is the same neuron stepped by hand with NumPy arrays, in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import dvdt

LIF = """
    tau*dv/dt = E_L - v + R*I : mV
    tau = 20 ms; E_L = -70 mV; R = 100 Mohm; I = 0.3 nA
    v(0) = E_L
    spike when v > -50 mV: v = -65 mV
"""
ROUNDS, STEPS = 15, 400


def microseconds(action: Callable[[], object]) -> float:
    """Of processor time that one call takes."""
    action()
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(STEPS):
            action()
        rounds.append((time.process_time() - start) / STEPS)
    return 1e6 * min(rounds)


def by_hand(n: int) -> Callable[[], object]:
    """One step of the same neuron, as a person writes it with NumPy."""
    v, current = np.full(n, -70.0), np.full(n, 0.3)

    def step() -> object:
        nonlocal v
        v = v + 0.1 / 20.0 * (-70.0 - v + 100.0 * current)
        spiked = np.flatnonzero(v > -50.0)
        v[spiked] = -65.0
        return spiked

    return step


def report() -> None:
    """A row for each size."""
    print(f"{'neurons':>8} {'NumPy':>8} {'step':>8} {'recorded':>9} {'set, step':>10} {'array, step':>12} {'read v':>8}   (us)")
    for n in (1, 100, 10_000):
        plain = dvdt.Simulation(LIF, n=n, threads=1, method="euler")
        recorded = dvdt.Simulation(LIF, n=n, threads=1, method="euler", record={"v": dvdt.record(neurons=0)})
        driven = dvdt.Simulation(LIF, n=n, threads=1, method="euler", parameters={"I": np.full(n, 0.3)})
        values = np.full(n, 0.31)

        def one_value(running: dvdt.Simulation = plain) -> None:
            running.parameters["I"] = 0.31
            running.step()

        def one_a_neuron(running: dvdt.Simulation = driven, values: object = values) -> None:
            running.parameters["I"] = values
            running.step()

        def read(running: dvdt.Simulation = plain) -> object:
            return running.state["v"]

        actions = (by_hand(n), plain.step, recorded.step, one_value, one_a_neuron, read)
        hand, step, kept, one, array, state = map(microseconds, actions)
        print(f"{n:>8} {hand:>8.1f} {step:>8.1f} {kept:>9.1f} {one:>10.1f} {array:>12.1f} {state:>8.1f}")


if __name__ == "__main__":
    report()
