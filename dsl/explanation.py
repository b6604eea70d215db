"""What a scheme makes of a model, as a page of text and for a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

FUNCTIONS = frozenset(
    "exp log log10 log2 log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh exprel sinc sigmoid exprel_decay bernoulli"
    " atan2 power call".split()
)


@dataclass(frozen=True)
class Trial:
    """A short run of one neuron. Times in ms.

    `stable_dt`: the longest step at which what decays in the equations, linearised along the run, decays under the scheme (infinity: any;
    None: it cannot be told), `where` that is. `errors` are (state, largest difference to a run with half the step, unit), up to the first
    spike; `spikes` how many there are with the step and with half of it, `shift` by how much they differ in time at most (nan where
    their numbers differ). `remark` says why one or the other is missing.
    """

    duration: float
    stable_dt: float | None = None
    where: str = ""
    errors: tuple[tuple[str, float, str], ...] = ()
    spikes: tuple[int, int] = (0, 0)
    shift: float = 0.0
    remark: str = ""


@dataclass(frozen=True)
class Explanation:
    """What a scheme makes of a model. `str()` is the page that `dvdt explain` prints.

    `updates` are (name, expression) in order, as text; `latex` the same for a notebook; `hoisted` what is computed once a run; `cost` how
    often each operation occurs in one step of one neuron, `reads` and `writes` how many bytes of its memory. `noise` says in whose sense,
    Ito's or Stratonovich's, white noise is taken; empty where there is none. `dt` is in ms. `trial` is made when somebody first asks for it.
    """

    model: str
    scheme: str
    why: str
    notes: tuple[str, ...]
    updates: tuple[tuple[str, str], ...]
    latex: tuple[tuple[str, str], ...]
    hoisted: tuple[tuple[str, str], ...]
    cost: tuple[tuple[str, int], ...]
    reads: int
    writes: int
    dt: float
    noise: str = ""
    attempt: Callable[[], Trial] = field(default=lambda: Trial(0.0), repr=False, compare=False)

    @cached_property
    def trial(self) -> Trial:
        """A short run with this step and with half of it."""
        return self.attempt()

    @property
    def stable_dt(self) -> float | None:
        """The longest stable step in ms: infinity where any is, None where it cannot be told."""
        return self.trial.stable_dt

    @property
    def bytes(self) -> int:
        return self.reads + self.writes

    # ---- the page

    def sections(self) -> list[tuple[str, list[str]]]:
        """The page as titles and lines."""
        found = [("", [self.noise] * bool(self.noise) + list(self.notes))]
        found.append(("one step", [f"{name} = {expression}" for name, expression in self.updates]))
        found.append(("computed once a run", [f"{name} = {expression}" for name, expression in self.hoisted]))
        found.append(("cost of a step of one neuron", self._cost()))
        found.append((f"tried for {self.trial.duration:.6g} ms" if self.trial.duration else "tried", self._tried()))
        return [(title, lines) for title, lines in found if lines]

    def __str__(self) -> str:
        lines = [f"{self.model}: {self.scheme}, {self.why}"]
        for title, inside in self.sections():
            lines += ["", title] if title else []
            lines += [f"  {line}" for line in inside]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = " \\\\\n".join(f"{name} &= {expression}" for name, expression in self.latex)
        parts = [f"<b>{escape(self.model)}</b>: {escape(self.scheme)}, {escape(self.why)}"]
        for title, lines in self.sections():
            if title == "one step":
                parts.append(f"<div>{title}</div>\n$$\\begin{{aligned}}\n{escape(rows)}\n\\end{{aligned}}$$")
            else:
                items = "".join(f"<li>{escape(line)}</li>" for line in lines)
                parts.append((f"<div>{escape(title)}</div>" if title else "") + f"<ul>{items}</ul>")
        return "\n".join(parts)

    def _cost(self) -> list[str]:
        functions = ", ".join(f"{count} {name}" for name, count in self.cost if _is_function(name))
        rest = ", ".join(f"{count} {name}" for name, count in self.cost if not _is_function(name))
        memory = f"memory: reads {self.reads} and writes {self.writes} bytes in float64"
        return [f"functions: {functions or 'none'}", f"operations: {rest or 'none'}", memory]

    def _tried(self) -> list[str]:
        lines = self._stability()
        if self.trial.errors:
            told = ", ".join(f"{state} by {error:.2g}{' ' + unit if unit else ''}" for state, error, unit in self.trial.errors)
            first = " up to the first spike" if any(self.trial.spikes) else ""
            lines.append(f"a run with dt/2 differs{first} in {told}")
        if any(self.trial.spikes):
            one, two = self.trial.spikes
            apart = f", up to {self.trial.shift:.3g} ms apart" if one == two else ""
            lines.append(f"{one} spike{'s' if one != 1 else ''} with dt, {two} with dt/2{apart}")
        return lines + [self.trial.remark] * bool(self.trial.remark)

    def _stability(self) -> list[str]:
        limit = self.trial.stable_dt
        if limit is None:
            return []
        if limit == float("inf"):
            return ["stable at any dt"]
        verdict = "is stable" if self.dt <= limit else "is NOT stable"
        return [f"stable up to dt = {limit:.4g} ms; dt = {self.dt:g} ms {verdict}{self.trial.where}"]


def _is_function(name: str) -> bool:
    return name in FUNCTIONS or name.endswith(" draw")
