"""What kernels can run on here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


def _none() -> str:
    return ""


def _cuda() -> str:
    from .cuda_machine import obstacle

    return obstacle()


def _gpu() -> str:
    from .cuda_functions import simulated
    from .cuda_machine import gpu

    return "numba's simulator" if simulated() else str(gpu())


OBSTACLES: Mapping[str, Callable[[], str]] = {"cpu": _none, "cuda": _cuda, "reference": _none}
DEVICES: Mapping[str, Callable[[], str]] = {"cuda": _gpu}  # of backends that do not compute on the processor


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
    return Available(tuple(_status(name, obstacle()) for name, obstacle in OBSTACLES.items()))


def _status(name: str, obstacle: str) -> BackendStatus:
    return BackendStatus(name, obstacle, "" if obstacle else device_of(name))


def device_of(backend: str) -> str:
    """What a backend that can run here computes on, where that is not the processor."""
    return DEVICES.get(backend, _none)()
