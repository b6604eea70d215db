"""Peak memory of a run of 1e6 neurons with four variables in float64, above the process that has imported and compiled."""

from __future__ import annotations

import json
import subprocess
import sys

from .cases import HODGKIN_HUXLEY

CODE = f"""
import dvdt
def peak():  # of this program alone: what getrusage tells begins with the peak of the process that has started it
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
text = {HODGKIN_HUXLEY!r}
dvdt.simulate(text, "1 ms", dt="0.05 ms", n=10, parameters={{"I": "400 pA"}}, state={{"v": "-65 mV"}}, method="exponential_euler")
before = peak()
result = dvdt.simulate(text, "1 ms", dt="0.05 ms", n=1_000_000, parameters={{"I": "400 pA"}}, state={{"v": "-65 mV"}}, method="exponential_euler")
print(peak() - before)
"""
ARRAYS = 5 * 8 * 1_000_000  # v, m, n, h and the steps that are left of the refractory period


def report() -> float:
    """The ratio of the peak above the bare process to the arrays; prints a JSON line."""
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    peak = int(done.stdout)
    print(
        json.dumps({"memory": "4 variables, 1e6 neurons, float64", "peak_bytes": peak, "ratio": round(peak / ARRAYS, 2)}),
        flush=True,
    )
    return peak / ARRAYS
