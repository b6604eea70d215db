"""The CUDA backend on a GPU: first whether it is right, then how fast, beside the limits of the card. Ends within eight minutes.

    python -m benchmarks.cuda [--sizes 1e4,1e6,1e7,1e8] [--out cuda.json]

Agreement: every model of the library against the reference, float64 with `exact_math` bit for bit against the CPU, normal draws bit for
bit, three runs alike. Table: neuron-steps a second, recording nothing, spikes, or one state; as a fraction of what a kernel that reads and
writes its state at every step could reach at the copy bandwidth measured here; the CPU of the same machine beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import numpy as np

import dvdt
from dvdt.backends.cuda_machine import obstacle

from .cases import CASES, drive, start

LIMIT_S = 460.0
MODELS = ("lif", "izhikevich", "adex", "hodgkin_huxley", "noise")


@dataclass(frozen=True)
class Speed:
    """One row. `launch_us`: wall time of a run of one step; `of_copy`: the rate over that of a kernel bound by the copy bandwidth."""

    model: str
    n: int
    precision: str
    recorded: str
    steps: int
    rate: float
    of_copy: float
    us_a_step: float
    cpu_rate: float | None


# ---- agreement ----------------------------------------------------------------------------------


def agreement() -> Iterator[str]:
    """One line for each disagreement; none where all is well."""
    for row in dvdt.models():
        model = dvdt.model(row.name)
        given: dict[str, Any] = {
            p.name: np.full((64, 64), 0.01) if "matrix" in p.flags else 1.0
            for p in model.checked.parameters
            if {"matrix", "required"} & p.flags
        }
        told: dict[str, Any] = {"n": 64, "seed": 5, "parameters": given, "record": list(model.states), "progress": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = dvdt.simulate(model, "20 ms", dt="0.1 ms", backend="reference", precision="float64", **told)
                cpu = dvdt.simulate(model, "20 ms", dt="0.1 ms", backend="cpu", precision="float64", **told)
                exact = [
                    dvdt.simulate(model, "20 ms", dt="0.1 ms", backend="cuda", precision="float64", exact_math=True, **told)
                    for _ in range(3)
                ]
                single = dvdt.simulate(model, "20 ms", dt="0.1 ms", backend="cuda", **told)
            except dvdt.RunError as error:
                yield f"{row.name}: {str(error)[:120]}"
                continue
        for state in model.states:
            for again in exact:
                if not np.array_equal(again[state], cpu[state], equal_nan=True):
                    worst = np.nanmax(np.abs(np.asarray(again[state], float) - np.asarray(cpu[state], float)))
                    yield f"{row.name}.{state}: float64 with exact_math differs from the CPU by up to {worst:.3g}"
                    break
            scale = np.nanmax(np.abs(np.asarray(expected[state], float)), initial=1e-6)
            if not np.allclose(exact[0][state], expected[state], rtol=1e-7, atol=1e-7 * scale):
                yield f"{row.name}.{state}: float64 differs from the reference"
        if not all(
            np.array_equal(exact[0].spikes.t, e.spikes.t) and np.array_equal(exact[0].spikes.i, e.spikes.i) for e in exact[1:]
        ):
            yield f"{row.name}: three runs are not alike"
        if abs(len(single.spikes.t) - len(expected.spikes.t)) > 0.05 * len(expected.spikes.t) + 2:
            yield f"{row.name}: {len(single.spikes.t)} spikes in float32, {len(expected.spikes.t)} in the reference"


# ---- the card -----------------------------------------------------------------------------------


def copy_bandwidth() -> float:
    """Bytes a second, read and written together, of a copy within the device."""
    cuda = import_module("numba.cuda")
    size = 1 << 28
    source, target = cuda.device_array(size, np.float32), cuda.device_array(size, np.float32)
    target.copy_to_device(source)
    cuda.synchronize()
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        target.copy_to_device(source)
        cuda.synchronize()
        best = max(best, 2 * 4 * size / (time.perf_counter() - began))
    return best


# ---- speed --------------------------------------------------------------------------------------


def simulation(model: str, n: int, precision: str, recorded: str, backend: str) -> dvdt.Simulation:
    case = CASES[model]
    population = dvdt.Population(case.text, n, parameters={"I": drive(case, n)}, state={"v": start(case, n)})
    record = {"v": dvdt.record(neurons=slice(0, min(n, 1000)))} if recorded == "one state" else ()
    return dvdt.Simulation(
        population,
        dt=f"{case.dt} ms",
        method=case.method,
        precision=precision,
        backend=backend,
        seed=1,
        record=record,
        progress=False,
    )


def rate(model: str, n: int, precision: str, recorded: str, backend: str, seconds: float = 1.0) -> tuple[float, int, float]:
    """Neuron-steps a second, the steps that were timed, and microseconds a step."""
    dt = CASES[model].dt
    sim = simulation(model, n, precision, recorded, backend)
    sim.run(f"{64 * dt!r} ms")
    steps = 64
    while True:
        began = time.perf_counter()
        sim.run(f"{steps * dt!r} ms")
        taken = time.perf_counter() - began
        if taken > seconds / 4 or steps >= 1 << 20:
            break
        steps = min(1 << 20, max(2 * steps, int(steps * seconds / 2 / max(taken, 1e-6))))
    return n * steps / taken, steps, taken / steps * 1e6


def bytes_a_step(model: str, precision: str) -> int:
    """What a kernel moves that reads and writes its state, and reads its drive, at every step."""
    states = {"lif": 2, "noise": 2, "izhikevich": 2, "adex": 2, "hodgkin_huxley": 5}[model]
    return (2 * states + 1) * (4 if precision == "float32" else 8)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cuda", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="1e4,1e6,1e7,1e8")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--out", default="cuda.json")
    chosen = parser.parse_args()
    if why := obstacle():
        print(f"no figures: {why}", file=sys.stderr)
        return 2
    began = time.perf_counter()
    differences = list(agreement())
    print(f"agreement: {len(differences)} differences, {time.perf_counter() - began:.0f} s", *differences, sep="\n  ", flush=True)
    bandwidth = copy_bandwidth()
    print(f"copy: {bandwidth / 1e12:.2f} TB/s", flush=True)
    rows: list[Speed] = []
    for model in chosen.models.split(","):
        cpu, _, _ = rate(model, 100_000, "float64", "spikes", "cpu", seconds=0.4)
        for precision in ("float32", "float64"):
            for size in map(float, chosen.sizes.split(",")):
                for recorded in ("spikes", "one state") if size <= 1e6 else ("spikes",):
                    if time.perf_counter() - began > LIMIT_S:
                        continue
                    found, steps, each = rate(model, int(size), precision, recorded, "cuda")
                    of_copy = found / (bandwidth / bytes_a_step(model, precision))
                    rows.append(Speed(model, int(size), precision, recorded, steps, found, of_copy, each, cpu))
                    print(
                        f"{model:16}{size:>10.0e} {precision} {recorded:10}{found / 1e9:>10.2f} G/s {each:>9.3f} us a step",
                        flush=True,
                    )
    with open(chosen.out, "w", encoding="utf-8") as file:
        json.dump({"differences": differences, "copy_bytes_s": bandwidth, "rows": [asdict(row) for row in rows]}, file, indent=1)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
