"""What a run says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from ..errors import NoSuchName


@dataclass(frozen=True)
class Report:
    """How a result came about; reads like a mapping too (`report["scheme"]`).

    `dt`, `start`, `duration`, `wall_time` and `compile_seconds` are in seconds. `kernels_compiled`: how many kernels had to be translated to
    machine code for this run; 0 where they were known. `noise` says in whose sense, Ito's or Stratonovich's, white noise was taken; empty
    where there is none. `spike_times`: "grid" or "exact". `spikes`: whether spikes and events were collected. `device`: the GPU that
    computed, empty for the processor; `threads` (of the processor) is 1 then.
    """

    model: str
    n: int
    scheme: str
    why: str
    conventions: str
    dt: float
    start: float
    steps: int
    duration: float
    backend: str
    precision: str
    threads: int
    seed: int
    wall_time: float
    compile_seconds: float
    kernels_compiled: int
    neuron_steps_per_second: float
    notes: tuple[str, ...] = ()
    noise: str = ""
    spike_times: str = "grid"
    spikes: bool = True
    device: str = ""

    def __getitem__(self, name: str) -> object:
        if name not in self.keys():
            raise NoSuchName(f"the report has no {name!r}; it has {', '.join(self.keys())}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> tuple[str, ...]:
        return tuple(f.name for f in fields(self))

    def items(self) -> tuple[tuple[str, object], ...]:
        return tuple((name, getattr(self, name)) for name in self.keys())

    def __str__(self) -> str:
        return "\n".join(f"{label:<10} {text}" for label, text in self.lines())

    def lines(self) -> list[tuple[str, str]]:
        """The report as pairs of a label and a text."""
        compiled = f"{self.kernels_compiled} compiled" if self.kernels_compiled else "none compiled"
        units = f"on {self.device}" if self.device else f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        found = [
            ("model", f"{self.model}, {self.n} neuron{'s' if self.n > 1 else ''}"),
            ("scheme", f"{self.scheme}: {self.why}"),
            ("time", f"{self.duration:.10g} s in {self.steps} steps of {self.dt * 1000:.10g} ms, conventions {self.conventions}"),
            ("backend", f"{self.backend}, {self.precision}, {units}"),
            ("kernels", f"{compiled}, {self.compile_seconds:.3g} s"),
            ("wall time", f"{self.wall_time:.3g} s, {self.neuron_steps_per_second:.3g} neuron-steps a second"),
            ("seed", str(self.seed)),
        ]
        if self.noise:
            found.insert(2, ("noise", self.noise))
        if not self.spikes:
            found.insert(-4, ("spikes", "not collected"))
        elif self.spike_times == "exact":
            found.insert(-4, ("spikes", "at their moments between the points of the grid"))
        return found + [("note", note) for note in self.notes]
