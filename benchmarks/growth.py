"""How cost grows: throughput from one neuron to ten million, and the time to compile from one equation to a hundred.

python -m benchmarks.growth [--largest 10000000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass

from .cases import CASES
from .core import ours

EQUATIONS = (1, 3, 10, 30, 100)


@dataclass(frozen=True)
class Throughput:
    """Neuron-steps a second on one thread, float64."""

    model: str
    n: int
    rate: float


@dataclass(frozen=True)
class CompileTime:
    """Seconds of processor time from a text to its first result with an empty cache, the imports done before."""

    equations: int
    method: str
    seconds: float


def ring(equations: int) -> str:
    """Rate units in a ring, each driven by its neighbours: every equation differs from the others in its numbers."""
    lines = []
    for k in range(equations):
        before, after = (k - 1) % equations, (k + 1) % equations
        lines.append(
            f"dx{k}/dt = (-x{k} + tanh({1 + k / 100:.2f}*x{before} - 0.5*x{after}) + {k / 1000:.3f}) / ({5 + k % 7} ms) : 1"
        )
    return "\n".join(lines)


COMPILE = """
import time, sys, dvdt
dvdt.simulate("dv/dt = (1 - v)/(10 ms) : 1", "1 ms", method="rk2", progress=False)
text, method = sys.stdin.read(), sys.argv[1]
began = time.process_time()
dvdt.simulate(dvdt.Model(text, name="ring"), "1 ms", n=100, method=method, progress=False)
print(time.process_time() - began)
"""


def compile_time(equations: int, method: str) -> CompileTime:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "DVDT_CACHE_DIR": cache}
        command = [sys.executable, "-c", COMPILE, method]
        done = subprocess.run(command, input=ring(equations), env=environment, capture_output=True, text=True, check=True)
    return CompileTime(equations, method, float(done.stdout))


def throughput(model: str, largest: int) -> list[Throughput]:
    """One, ten, a hundred, ... neurons."""
    sizes = [10**power for power in range(8) if 10**power <= largest]
    return [Throughput(model, n, ours(model, CASES[model], n, "float64", 1)[0]) for n in sizes]


def report(largest: int) -> tuple[list[Throughput], list[CompileTime]]:
    """Measures all; prints a JSON line each."""
    rates, times = [], []
    for model in ("lif", "adex"):
        for rate in throughput(model, largest):
            rates.append(rate)
            print(json.dumps(asdict(rate)), flush=True)
    for method in ("exponential_euler", "rk4"):
        for equations in EQUATIONS:
            times.append(compile_time(equations, method))
            print(json.dumps(asdict(times[-1])), flush=True)
    return rates, times


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=10_000_000)
    report(parser.parse_args().largest)


if __name__ == "__main__":
    main()
