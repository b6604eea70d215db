"""Settings: how a model is run, checked."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...backends.availability import BACKENDS
from ..errors import UsageError
from ..near_names import near_names
from .conventions import CONVENTIONS, Convention
from .duration import time_step

Progress = bool | Callable[[float, float], object] | None

PRECISIONS: Mapping[str, np.dtype[np.floating]] = {"float64": np.dtype(np.float64), "float32": np.dtype(np.float32)}


@dataclass(frozen=True)
class Settings:
    """`dt` in ms."""

    dt: float
    method: str | None
    backend: str
    precision: np.dtype[np.floating]
    threads: int
    seed: int
    convention: Convention
    spike_times: str
    progress: Progress
    exact_math: bool = False
    spikes: bool = True


def settings(
    dt: object,
    method: object,
    backend: object,
    precision: object,
    threads: object,
    seed: object,
    conventions: object,
    spike_times: object,
    progress: object,
    exact_math: object = False,
    spikes: object = True,
) -> Settings:
    """The keyword arguments of a run, checked. Raises UsageError, which names the argument."""
    if method is not None and not isinstance(method, str):
        raise UsageError(f"method: expected the name of a scheme, such as 'rk4', not {method!r}")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"progress: expected True, False, None or a callable(fraction, elapsed), not {progress!r}")
    if not isinstance(exact_math, bool):
        raise UsageError(f"exact_math: expected True or False, not {exact_math!r}")
    if not isinstance(spikes, bool):
        raise UsageError(f"spikes: expected True, or False where none are to be collected, not {spikes!r}")
    return Settings(
        dt=time_step(dt),
        method=method,
        backend=_backend(backend),
        precision=_precision(precision, backend),
        threads=_threads(threads),
        seed=_seed(seed),
        convention=CONVENTIONS[_one_of("conventions", conventions, tuple(CONVENTIONS))],
        spike_times=_one_of("spike_times", spike_times, ("grid", "exact")),
        progress=progress,
        exact_math=exact_math,
        spikes=spikes,
    )


def anew(kept: Settings, backend: object = None, threads: object = None, progress: object = None) -> Settings:
    """The settings of a checkpoint for the machine and the process that go on from it."""
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"progress: expected True, False, None or a callable(fraction, elapsed), not {progress!r}")
    backend = _backend(kept.backend if backend is None else backend)
    return replace(kept, backend=backend, threads=_threads(threads), progress=progress)


# what these values are called elsewhere
MEANT: Mapping[object, str] = {
    "gpu": "cuda",
    "numba": "cpu",
    "c++": "cpu",
    "numpy": "reference",
    "python": "reference",
    "double": "float64",
    "single": "float32",
    64: "float64",
    32: "float32",
}


def _one_of(argument: str, value: object, known: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in known:
        return value
    near = (MEANT[value],) if isinstance(value, str | int) and MEANT.get(value) in known else near_names(str(value), known, 1)
    near = tuple(name for name in near if str(value).strip("0123456789") != name.strip("0123456789"))  # float16 is none of ours
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"{argument}: {value!r} is not one of {', '.join(repr(k) for k in known)}{hint}")


def _backend(value: object) -> str:
    return _one_of("backend", value, tuple(BACKENDS))


def _precision(value: object, backend: object) -> np.dtype[np.floating]:
    """GPUs have many more units for float32 than for float64, so there it is what None means."""
    if value is None:
        return PRECISIONS["float32" if backend == "cuda" else "float64"]
    return PRECISIONS[_one_of("precision", getattr(value, "__name__", value), tuple(PRECISIONS))]


def _threads(value: object) -> int:
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return present if value is None else whole_number(value, "threads")


def _seed(value: object) -> int:
    if value is None:
        return secrets.randbits(32)
    seed = _integer(value)
    if seed is None or not 0 <= seed < 1 << 64:
        raise UsageError(f"seed: expected a whole number from 0 to 2^64 - 1, not {value!r}")
    return seed


def whole_number(value: object, argument: str) -> int:
    """A number of neurons, steps or threads. Raises UsageError for what is no whole number of 1 or more."""
    number = _integer(value)
    if number is None or number < 1:
        raise UsageError(f"{argument}: expected a whole number, 1 or more, not {value!r}")
    return number


def _integer(value: object) -> int | None:
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None
