"""The backends: how each makes a program of a kernel, and what this machine can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .kernel import Kernel
from .program import Program
from .unusable import Unavailable


def _none() -> str:
    return ""


Functions = Mapping[str, object]  # Python functions that a kernel calls
Real = np.dtype[np.floating]


@dataclass(frozen=True)
class Backend:
    """`build` makes a program of a kernel, a precision, the functions that it calls, and whether the CPU's rounding is asked for
    (`exact_math`: of account on GPUs alone). `obstacle`: why this machine cannot run it, with what to do. `device`: what it computes on,
    where that is not the processor."""

    build: Callable[[Kernel, Real, Functions, bool], Program]
    obstacle: Callable[[], str] = _none
    device: Callable[[], str] = _none


def _cpu(kernel: Kernel, precision: Real, functions: Functions, exact_math: bool) -> Program:
    from .cpu.program import build

    return build(kernel, precision, functions)


def _reference(kernel: Kernel, precision: Real, functions: Functions, exact_math: bool) -> Program:
    from . import reference

    return reference.build(kernel, precision)


def _cuda(kernel: Kernel, precision: Real, functions: Functions, exact_math: bool) -> Program:
    if why := _no_gpu():  # asked before anything of numba-cuda is imported, which may be broken
        raise Unavailable(why)
    from .cuda.program import build

    return build(kernel, precision, functions, exact_math=exact_math)


def _no_gpu() -> str:
    from .cuda.machine import obstacle

    return obstacle()


def _gpu() -> str:
    from .cuda.functions import simulated
    from .cuda.machine import gpu

    return "numba's simulator" if simulated() else str(gpu())


BACKENDS: Mapping[str, Backend] = {"cpu": Backend(_cpu), "cuda": Backend(_cuda, _no_gpu, _gpu), "reference": Backend(_reference)}


@dataclass(frozen=True)
class BackendStatus:
    """A backend by name, why this machine cannot run it, with what to do (empty where it can), and the device that it runs on (empty for
    the processor)."""

    name: str
    obstacle: str
    device: str = ""

    def __str__(self) -> str:
        return f"{self.name:<10} {self.obstacle or 'ready'}{f', on {self.device}' if self.device else ''}"


@dataclass(frozen=True)
class Available:
    """The backends; prints as a table."""

    statuses: tuple[BackendStatus, ...]

    def __iter__(self) -> Iterator[BackendStatus]:
        return iter(self.statuses)

    def __str__(self) -> str:
        return "\n".join(map(str, self.statuses))

    __repr__ = __str__


def available() -> Available:
    """Every backend, and what stands in its way on this machine."""
    return Available(tuple(_status(name, backend.obstacle()) for name, backend in BACKENDS.items()))


def _status(name: str, obstacle: str) -> BackendStatus:
    return BackendStatus(name, obstacle, "" if obstacle else device_of(name))


def obstacle_of(backend: str) -> str:
    """Why this machine cannot run a backend, with what to do; empty where it can."""
    return BACKENDS[backend].obstacle()


def device_of(backend: str) -> str:
    """What a backend that can run here computes on, where that is not the processor."""
    return BACKENDS[backend].device()
