"""Throughput of the core models beside kernels written by hand in numba, in one run on one machine."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import dvdt

from .cases import CASES, Case, drive, start

PEER = Path(__file__).resolve().parents[2] / "shared" / "benchmarks" / "peers" / "peer_numba_hand.py"
PLAIN = ("default", "fastmath")
PEER_MODES = {"lif": PLAIN, "noise": PLAIN, "izh": PLAIN, "adex": ("polyexp",), "hh": ("polyexp",)}
SPEEDS = {"lif": 3e9, "noise": 4e8, "noisy_current": 4e8, "izhikevich": 2.5e9, "adex": 1e9, "hodgkin_huxley": 1.8e8}


@dataclass(frozen=True)
class Row:
    """One measurement. Rates are neuron-steps a second of wall time and of CPU time; `hand` is the yardstick's, `ratio` ours over it."""

    model: str
    n: int
    precision: str
    threads: int
    rate: float
    cpu_rate: float
    hand: float | None
    ratio: float | None
    spikes: int


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def steps_for(n: int, name: str) -> int:
    """About half a second of work."""
    return max(20, min(50_000, int(SPEEDS[name] * 0.5 / n)))


def ours(name: str, case: Case, n: int, precision: str, threads: int, repeats: int = 3) -> tuple[float, float, int]:
    """(neuron-steps a second, a CPU second, spikes), the best of `repeats` after one run that compiles and warms."""
    population = dvdt.Population(case.text, n, parameters={"I": drive(case, n)}, state={"v": start(case, n)})
    simulation = dvdt.Simulation(population, dt=f"{case.dt} ms", method=case.method, precision=precision, threads=threads, seed=1)
    steps = steps_for(n, name)
    duration = f"{steps * case.dt!r} ms"
    simulation.run(f"{max(10, steps // 10) * case.dt!r} ms")
    best = best_cpu = 0.0
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), cpu_seconds()
        simulation.run(duration)
        best = max(best, n * steps / (time.perf_counter() - wall))
        best_cpu = max(best_cpu, n * steps / max(cpu_seconds() - cpu, 1e-9))
    return best, best_cpu, len(simulation.result().spikes.t)


def by_hand(name: str, case: Case, n: int, precision: str) -> float | None:
    """The best mode of the hand-written kernel, in neuron-steps a CPU second; None where there is none (polyexp is float64 only)."""
    if not PEER.exists() or not case.peer:
        return None
    rates = []
    for mode in PEER_MODES[case.peer]:
        if mode == "polyexp" and precision == "float32":
            mode = "fastmath"
        command = [sys.executable, str(PEER), "--case", case.peer, "--n", str(n), "--steps", str(steps_for(n, name))]
        command += ["--precision", precision, "--mode", mode, "--dt", str(case.dt)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=PEER.parent, check=False)
        if done.returncode == 0:
            rates.append(json.loads(done.stdout.splitlines()[-1])["neuron_steps_per_cpu_s"])
    return max(rates, default=None)


def table(models: list[str], sizes: list[int], precisions: list[str], threads: list[int]) -> list[Row]:
    """Measures and prints row by row: a JSON line to the standard output, the table to the error output."""
    print(
        f"{'model':16}{'N':>9} {'precision':10}{'threads':>7}{'G/s':>8}{'G/CPU s':>9}{'by hand':>9}{'ratio':>7}", file=sys.stderr
    )
    rows = []
    for name in models:
        for precision in precisions:
            for n in sizes:
                hand = by_hand(name, CASES[name], n, precision)
                for count in threads:
                    rate, cpu_rate, spikes = ours(name, CASES[name], n, precision, count)
                    ratio = None if hand is None else cpu_rate / hand
                    row = Row(name, n, precision, count, rate, cpu_rate, hand, ratio, spikes)
                    rows.append(row)
                    print(json.dumps(asdict(row)), flush=True)
                    show = f"{name:16}{n:>9} {precision:10}{count:>7}{rate / 1e9:>8.2f}{cpu_rate / 1e9:>9.2f}"
                    show += f"{(hand or 0) / 1e9:>9.2f}{ratio or 0:>7.2f}"
                    print(show, file=sys.stderr, flush=True)
    return rows
