"""Step to Kernel: one time step of a checked model in the order of the language, as phases of plain statements.

`draft` is the kernel while it is written, `places` says where variables live, `reading` turns an expression of the model into one of the
kernel, `across` ends a phase where all neurons are read; `integration`, `events`, `refractoriness` and `recording` write the parts of a
step. `exact_spikes` writes a step whose spikes fall between the points of the grid, with `flow`, the solution between these, and `crossing`,
the moment at which a condition becomes true. `arrange` decides what is computed once a run or once a step, `phases` the order of the statements.
"""

from __future__ import annotations

from ...backends.kernel import Expr, Kernel, Symbol
from ..checked import CheckedModel
from ..discretise import Discretised
from ..structure import Structure
from .draft import Draft
from .events import block, events, output
from .exact_spikes import step_to_spikes
from .integration import integrate, step_values
from .places import declare
from .recording import observe, probes


def lower(
    model: CheckedModel, structure: Structure, discretised: Discretised
) -> tuple[Kernel, tuple[tuple[str, Expr], ...], int]:
    """The kernel of a model, the initial value of every array that needs one, and how many phases observe (see Compiled)."""
    draft = Draft(model, structure, discretised)
    declare(draft)
    step_values(draft)
    if draft.exact:
        step_to_spikes(draft)
    else:
        _step_on_the_grid(draft)
    output(draft)
    draft.end_phase()
    observing = observe(draft)
    kernel = draft.finished(probes(draft))
    return kernel, tuple(draft.initial), observing


def _step_on_the_grid(draft: Draft) -> None:
    integrate(draft)
    draft.time = Symbol("@t" if draft.brian2 else "@t_next")  # of the stamp
    block(draft, draft.model.each_step)
    events(draft, range(len(draft.model.events)))
    block(draft, draft.model.each_step_after_reset)
