"""What a scheme makes of a model, in words, formulas and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..backends.kernel import Assign, Hoist, Kernel
from .checked import CheckedModel
from .discretise import discretise
from .lowering import lower
from .notation import latex_of, readable, text_of
from .stability import stable_step
from .structure import Structure
from .substitute import operations_of
from .symbolic import to_sympy


@dataclass(frozen=True)
class Explanation:
    """What a scheme makes of a model. `str()` is the page that `dvdt explain` prints.

    `updates` are (name, expression) in order, as text; `latex` the same for a notebook; `hoisted` what is computed once a run; `cost` how
    often each operation occurs in one step of one neuron, and `bytes` what a step reads and writes of a neuron's memory. `stable_dt`
    is the longest step in ms at which what decays in the equations, linearised at the start, decays under the scheme (infinity: any;
    None: it cannot be told from the defaults), `dt` the step in ms that it is held against. `noise` says in whose sense, Ito's or
    Stratonovich's, white noise is taken; empty where there is none.
    """

    model: str
    scheme: str
    why: str
    notes: tuple[str, ...]
    updates: tuple[tuple[str, str], ...]
    latex: tuple[tuple[str, str], ...]
    hoisted: tuple[tuple[str, str], ...]
    cost: tuple[tuple[str, int], ...]
    bytes: int
    stable_dt: float | None
    dt: float
    noise: str = ""

    def __str__(self) -> str:
        lines = [f"{self.model}: {self.scheme}, {self.why}"]
        lines += [f"  {self.noise}"] if self.noise else []
        lines += [f"  {note}" for note in self.notes]
        if self.updates:
            lines += ["", "one step"]
            lines += [f"  {name} = {expression}" for name, expression in self.updates]
        if self.hoisted:
            lines += ["", "computed once a run"]
            lines += [f"  {name} = {expression}" for name, expression in self.hoisted]
        lines += ["", "cost of a step of one neuron"]
        lines += [f"  {', '.join(f'{count} {name}' for name, count in self.cost) or 'nothing'}; {self.bytes} bytes in float64"]
        lines += ["", *self._stability()]
        return "\n".join(lines)

    def _stability(self) -> list[str]:
        if self.stable_dt is None:
            return []
        if self.stable_dt == float("inf"):
            return ["it is stable at any dt" if self.scheme == "exact" else "linearised at its start it is stable at any dt"]
        verdict = "is stable" if self.dt <= self.stable_dt else "is NOT stable"
        return [f"linearised at its start it is stable up to dt = {self.stable_dt:.4g} ms; dt = {self.dt:g} ms {verdict}"]


def explain(model: CheckedModel, structure: Structure, dt: float) -> Explanation:
    """The scheme that a structure leads to, and what it does with a step of `dt` ms. Raises UsageError for a method that cannot do the model."""
    discretised = discretise(model, structure)
    kernel, _, _ = lower(model, structure, discretised)
    step = discretised.step
    bounds = [(name.removeprefix("@"), to_sympy(bound)) for name, bound in discretised.bounds.items()]
    updates = [*bounds, *step.stages, *((f"{state}(t + dt)", value) for state, value in step.new.items())]
    return Explanation(
        model=model.name,
        scheme=discretised.scheme,
        why=discretised.why,
        notes=discretised.notes,
        updates=tuple((readable(name), text_of(value)) for name, value in updates),
        latex=tuple((readable(name), latex_of(value)) for name, value in updates),
        hoisted=tuple(_hoisted(kernel)),
        cost=tuple(_cost(kernel)),
        bytes=8 * sum(1 + array.written for array in kernel.arrays),
        stable_dt=stable_step(model, discretised),
        dt=dt,
        noise=discretised.sense,
    )


def _hoisted(kernel: Kernel) -> Iterator[tuple[str, str]]:
    for item in kernel.prologue:
        if isinstance(item, Hoist):
            yield item.name.removeprefix("@"), text_of(to_sympy(item.expression))
        else:
            entries = ", ".join(name.removeprefix("@") for _, _, name in (*item.transition, *item.input))
            yield entries, f"the exponential of a {item.size} by {item.size} matrix over dt"


def _cost(kernel: Kernel) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for phase in kernel.phases:
        for statement in phase.body:
            if isinstance(statement, Assign):
                counts.update(operation.name for operation in operations_of(statement.expression))
            else:
                counts[f"{statement.distribution} draw"] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
