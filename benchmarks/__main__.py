"""python -m benchmarks: the core table, population functions, start-up times, memory and exact spike times.

Options narrow it: --models lif,adex --sizes 1000,100000 ..."""

from __future__ import annotations

import argparse

from .core import table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--models", default="lif,noise,noisy_current,izhikevich,adex,hodgkin_huxley")
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--precisions", default="float64,float32")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--only", choices=["core", "coupled", "startup", "memory", "spike_times"], help="one part alone")
    chosen = parser.parse_args()
    if chosen.only in (None, "core"):
        sizes, threads = ([int(part) for part in text.split(",")] for text in (chosen.sizes, chosen.threads))
        table(chosen.models.split(","), sizes, chosen.precisions.split(","), threads)
    if chosen.only in (None, "coupled"):
        from .coupled import report as report_coupled

        report_coupled()
    if chosen.only in (None, "startup"):
        from .startup import report

        report()
    if chosen.only in (None, "memory"):
        from .memory import report as report_memory

        report_memory()
    if chosen.only in (None, "spike_times"):
        from .spike_times import report as report_spike_times

        report_spike_times()


if __name__ == "__main__":
    main()
