"""What kernels can run on here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


def _none() -> str:
    return ""


def _cuda() -> str:
    from .cuda import obstacle

    return obstacle()


OBSTACLES: Mapping[str, Callable[[], str]] = {"cpu": _none, "cuda": _cuda, "reference": _none}


@dataclass(frozen=True)
class BackendStatus:
    """A backend by name, and why this machine cannot run it, with what to do (empty where it can)."""

    name: str
    obstacle: str

    def __str__(self) -> str:
        return f"{self.name:<10} {self.obstacle or 'ready'}"


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
    return Available(tuple(BackendStatus(name, obstacle()) for name, obstacle in OBSTACLES.items()))
