"""Other simulators beside dvdt, in one run on one machine: the same neurons, parameters and steps, each in an environment of its own.

    PEERS_VENVS=FOLDER python -m benchmarks.peers [--sizes 100000] [--peers brian2,annarchy]

FOLDER has a virtual environment for each peer, named as the peer: `python -m venv FOLDER/brian2 && FOLDER/brian2/bin/pip install brian2 "numpy<2"`,
`python -m venv FOLDER/annarchy && FOLDER/annarchy/bin/pip install ANNarchy cmake`. Both write C++ and compile it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .cases import CASES
from .core import ours, steps_for

DRIVERS = Path(__file__).resolve().parents[2] / "shared" / "benchmarks" / "peers"
MODES = {"brian2": "cpp", "annarchy": "default"}


@dataclass(frozen=True)
class Comparison:
    """Neuron-steps a CPU second of one simulator, float64, one thread; `build_s`: from the model to the first step."""

    simulator: str
    model: str
    n: int
    cpu_rate: float
    build_s: float | None


def peer(name: str, model: str, n: int, folder: Path) -> Comparison:
    """One figure of a peer. Raises RuntimeError, with what it printed, where its driver fails."""
    case, mode = CASES[model], MODES[name]
    steps = max(20, steps_for(n, model) // 4)
    command = [
        str(folder / name / "bin" / "python"),
        f"peer_{name}.py",
        "--case",
        case.peer,
        "--n",
        str(n),
        "--steps",
        str(steps),
    ]
    command += ["--dt", str(case.dt), "--mode", mode, "--threads", "1", "--precision", "float64"]
    done = subprocess.run(command, cwd=DRIVERS, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError(f"{name} {model}: {done.stderr[-800:]}")
    told = json.loads(lines[-1])
    return Comparison(name, model, n, told["neuron_steps_per_cpu_s"], told.get("build_s"))


def compare(models: list[str], sizes: list[int], peers: list[str], folder: Path) -> list[Comparison]:
    """Every model and size by dvdt and by each peer, one after the other; prints a JSON line each."""
    rows = []
    for model in models:
        for n in sizes:
            _, cpu_rate, _ = ours(model, CASES[model], n, "float64", 1)
            found = [Comparison("dvdt", model, n, cpu_rate, None), *(peer(name, model, n, folder) for name in peers)]
            for row in found:
                print(json.dumps(asdict(row)), flush=True)
                print(
                    f"{row.simulator:10}{model:18}{n:>9}{row.cpu_rate / 1e9:>8.3f} G/CPU s{cpu_rate / row.cpu_rate:>8.1f}x",
                    file=sys.stderr,
                )
            rows += found
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", default=",".join(CASES))
    parser.add_argument("--sizes", default="100000")
    parser.add_argument("--peers", default=",".join(MODES))
    chosen = parser.parse_args()
    folder = os.environ.get("PEERS_VENVS")
    if folder is None or not DRIVERS.exists():
        sys.exit("set PEERS_VENVS to the folder with one virtual environment a peer; the peers' drivers are read from ../shared")
    compare(chosen.models.split(","), [int(size) for size in chosen.sizes.split(",")], chosen.peers.split(","), Path(folder))


if __name__ == "__main__":
    main()
