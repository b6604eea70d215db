"""The limits of a GPU, measured, and how fast models run on it: rows of the table of `benchmarks.cuda`."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dvdt
from dvdt.backends.cuda import code as cuda_code
from dvdt.backends.cuda import loops
from dvdt.backends.cuda.functions import simulated
from dvdt.backends.cuda.machine import gpu
from dvdt.backends.kernel import Kernel, Kind

from ..cases import CASES, drive, start

cuda: Any = import_module("numba.cuda")  # by this name kernels find it, also on the simulator

MODELS = ("lif", "izhikevich", "adex", "hodgkin_huxley", "noise")
RECORDED = ("nothing", "spikes", "one state")
RECORDED_NEURONS = 1000
MOST_SPIKES = 1.5e8  # that a timed run collects, at 20 Hz
LONGEST = 1 << 20  # steps
AT_ONCE = 8  # multiply-adds of each chain between two looks at a counter


# ---- the card -----------------------------------------------------------------------------------


def limit(name: str, small: bool) -> Iterator[dict[str, Any]]:
    yield {name: LIMITS[name](small)}


def copy_bytes_s(small: bool) -> float:
    """Bytes a second, read and written together, of a copy within the device."""
    size = 1 << 10 if small else 1 << 28
    source, target = cuda.to_device(np.zeros(size, np.float32)), cuda.device_array(size, np.float32)
    return 2 * 4 * size / _best(lambda: target.copy_to_device(source))


def to_host_bytes_s(small: bool) -> float:
    """Bytes a second from the device to pinned memory of the machine."""
    size = 1 << 10 if small else 1 << 26
    source, target = cuda.to_device(np.zeros(size, np.float32)), cuda.pinned_array(size, np.float32)
    return 4 * size / _best(lambda: source.copy_to_host(target))


def launch_us(small: bool) -> float:
    """Microseconds for each of many launches of a kernel that does nothing."""
    many = 10 if small else 2000
    array = cuda.to_device(np.zeros(1, np.float32))

    def nothing(values: Any) -> None:
        if cuda.grid(1) < 0:
            values[0] = 1

    launched = cuda.jit(nothing)[1, 32]

    def launches() -> None:
        for _ in range(many):
            launched(array)

    return _best(launches) / many * 1e6


def launched_and_awaited_us(small: bool) -> float:
    """Microseconds of a copy of one number to the device and back, each awaited."""
    array, host = cuda.to_device(np.zeros(1, np.float32)), np.zeros(1, np.float32)

    def there_and_back() -> None:
        array.copy_to_device(host)
        array.copy_to_host(host)

    return _best(there_and_back) * 1e6


def barrier_us(small: bool) -> float:
    """Microseconds that all blocks of a cooperative kernel, one on each multiprocessor, wait for one another."""
    many = 3 if small else 2000

    def waits(values: Any, times: Any) -> None:
        grid = cuda.cg.this_grid()
        for _ in range(times):
            grid.sync()
        if cuda.grid(1) < 0:
            values[0] = 1

    array, kernel = cuda.to_device(np.zeros(1, np.float32)), cuda.jit(waits)
    blocks = 2 if small else int(cuda.get_current_device().MULTIPROCESSOR_COUNT)
    threads = 2 if small else 256
    return _best(lambda: kernel[blocks, threads](array, many)) / many * 1e6


def _multiply_adds(width: type) -> Callable[[bool], float]:
    def rate(small: bool) -> float:
        """Multiply-adds a second in registers, of all threads: what the card can issue."""
        many = 4 if small else 1 << 11

        def chains(values: Any, factor: Any, times: Any) -> None:
            a = b = c = d = e = f = g = h = factor
            done = np.int32(0)
            while done < times:
                done += np.int32(1)
                for _ in range(AT_ONCE):  # which the compiler writes out
                    a = a * factor + b
                    b = b * factor + c
                    c = c * factor + d
                    d = d * factor + e
                    e = e * factor + f
                    f = f * factor + g
                    g = g * factor + h
                    h = h * factor + a
            if a + b + c + d + e + f + g + h == 0.125:
                values[0] = a

        array, kernel = cuda.to_device(np.zeros(1, width)), cuda.jit(chains)
        blocks = 2 if small else 8 * int(cuda.get_current_device().MULTIPROCESSOR_COUNT)
        threads = 2 if small else 256
        made = blocks * threads * many * AT_ONCE * 8
        return made / _best(lambda: kernel[blocks, threads](array, width(0.5), np.int32(many)))

    return rate


LIMITS: Mapping[str, Callable[[bool], float]] = {
    "copy_bytes_s": copy_bytes_s,
    "launch_us": launch_us,
    "launched_and_awaited_us": launched_and_awaited_us,
    "multiply_adds_s_float32": _multiply_adds(np.float32),
    "multiply_adds_s_float64": _multiply_adds(np.float64),
    "to_host_bytes_s": to_host_bytes_s,
    "barrier_us": barrier_us,
}


def _best(run: Callable[[], object]) -> float:
    """Seconds of the fastest of some, all work of the device done; the first one compiles."""
    run()
    cuda.synchronize()
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        run()
        cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return best


class Launches:
    """How many kernels numba-cuda has launched; none is seen on the simulator."""

    def __init__(self) -> None:
        self.count = 0

    def watch(self) -> None:
        """Count from now on."""
        if not simulated():
            module: Any = import_module("numba.cuda.dispatcher")
            launch = module.launch

            def counted(*arguments: Any, **named: Any) -> Any:
                self.count += 1
                return launch(*arguments, **named)

            module.launch = counted


LAUNCHES = Launches()


# ---- a model ------------------------------------------------------------------------------------


def kernel(model: str) -> Kernel:
    """The kernel that is timed."""
    return simulation(model, 2, "float64", "nothing", "reference")._assembly.kernel


def bytes_a_step(model: str, precision: str) -> int:
    """What a kernel moves that reads all arrays, and writes those that change, at every step."""
    item = 4 if precision == "float32" else 8
    return sum((8 if a.kind is Kind.INTEGER else item) * (2 if a.written else 1) for a in kernel(model).arrays)


def cost(model: str, precision: str, capability: tuple[int, int]) -> dict[str, Any]:
    """What a step asks of a multiprocessor, from the machine code (see `backends.cuda_loops`): least clocks, instructions, what sets them."""
    (code,) = cuda_code.code_of(kernel(model), np.dtype(precision), capability=capability)
    step = loops.step_of(code.cubin, code.neurons)
    return {"clocks": step.clocks, "instructions": step.issued, "narrowest": step.narrowest, "registers": code.registers}


@functools.lru_cache(maxsize=1)
def arrays(model: str, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The drive and the start of every neuron; rows of one model and size come one after the other."""
    return drive(CASES[model], n), start(CASES[model], n)


def simulation(model: str, n: int, precision: str, recorded: str, backend: str) -> dvdt.Simulation:
    case, (current, v) = CASES[model], arrays(model, n)
    population = dvdt.Population(case.text, n, parameters={"I": current}, state={"v": v})
    told: dict[str, Any] = {"dt": f"{case.dt} ms", "method": case.method, "precision": precision, "backend": backend}
    record = {"v": dvdt.record(neurons=slice(0, min(n, RECORDED_NEURONS)))} if recorded == "one state" else ()
    return dvdt.Simulation(population, seed=1, record=record, spikes=recorded == "spikes", progress=False, **told)


def timed(model: str, n: int, precision: str, recorded: str, backend: str, seconds: float) -> dict[str, Any]:
    """One row: neuron-steps a second of a run, microseconds a step of it, and of the further steps of a longer run over a shorter one."""
    dt, began = CASES[model].dt, time.perf_counter()
    sim = simulation(model, n, precision, recorded, backend)
    sim.run(f"{16 * dt!r} ms")
    ready = time.perf_counter() - began
    most = int(min(LONGEST, MOST_SPIKES / (n * dt * 0.02) if recorded == "spikes" else LONGEST))
    most = max(16, min(most, int(1e9 / (RECORDED_NEURONS * 8)) if recorded == "one state" else most))
    steps, runs = 16, []
    while True:
        before, began = LAUNCHES.count, time.perf_counter()
        sim.run(f"{steps * dt!r} ms")
        runs.append((steps, time.perf_counter() - began))
        if runs[-1][1] > seconds / 2 or steps >= most:
            break
        steps = min(most, max(2 * steps, int(steps * seconds / max(runs[-1][1], 1e-6) * 0.8)))
    (made, taken), (fewer, shorter) = runs[-1], runs[-2] if len(runs) > 1 else (0, 0.0)
    return {
        "n": n,
        "recorded": recorded,
        "steps": made,
        "rate": n * made / taken,
        "us_a_step": taken / made * 1e6,
        "us_a_further_step": (taken - shorter) / (made - fewer) * 1e6 if made > fewer else None,
        "launches": LAUNCHES.count - before,
        "ready_s": ready,
        "compiled_in_the_run": _compiled_late(sim),
    }


def _compiled_late(sim: dvdt.Simulation) -> list[str]:
    """Functions that were launched with other kinds of arguments than they had been compiled for."""
    functions = getattr(sim._assembly.program, "functions", {})
    return [name for name, function in functions.items() if len(getattr(function, "overloads", ())) > 1]


def row(item: str, seconds: float) -> Iterator[dict[str, Any]]:
    """One row of the table; an item is "MODEL PRECISION N RECORDED"."""
    model, precision, n, *recorded = item.split()
    if not LAUNCHES.count:
        LAUNCHES.watch()
    yield {"model": model, "precision": precision, **timed(model, int(n), precision, " ".join(recorded), "cuda", seconds)}


def processor(model: str, seconds: float) -> Iterator[dict[str, Any]]:
    """The same model on the processors of this machine."""
    found = timed(model, 100_000, "float64", "spikes", "cpu", seconds)
    yield {"model": model, "rate": found["rate"]}


def count(item: str) -> Iterator[dict[str, Any]]:
    """What a step takes; an item is "MODEL PRECISION". Machine code is counted where there is a disassembler."""
    model, precision = item.split()
    told: dict[str, Any] = {"model": model, "precision": precision, "bytes": bytes_a_step(model, precision)}
    if not simulated() and loops.disassembler() is not None:
        told |= cost(model, precision, gpu().capability)
    yield told
