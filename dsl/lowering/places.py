"""Where the variables of a model live: an array or a scalar of the kernel, a table of samples, a matrix."""

from __future__ import annotations

from ...backends.kernel import Constant, Kind, Matrix, Symbol
from ..checked import Parameter
from ..safe_forms import smooth
from ..substitute import substitute
from .arrange import Pace
from .draft import Draft
from .names import IS_REFRACTORY, LAST, LAST_PART, LAST_STEP, REFRACTORY, SINCE, SPIKED
from .refractoriness import is_compared


def declare(draft: Draft) -> None:
    """Places for the states, parameters and callables that the text names, and for the refractory state."""
    for state in draft.model.states:
        draft.array(state.name, state.kind, written=True)
    initial_values = draft.initial_values()
    for state in draft.model.states:
        draft.state(state.name, state.kind, smooth(substitute(state.initial, initial_values), draft.kinds))
    for parameter in draft.model.parameters:
        _parameter(draft, parameter)
    for external in draft.model.externals:
        if external.takes:
            draft.outside(external)
        else:
            draft.table(external.name)
    draft.know(IS_REFRACTORY, Kind.BOOLEAN, Pace.FREE)
    refractory = draft.model.refractory
    if refractory is not None and (refractory.condition or is_compared(draft)):
        draft.state(REFRACTORY, Kind.BOOLEAN, Constant(False))
        if not refractory.condition:
            draft.state(SINCE, Kind.REAL, Constant(0.0))
    elif refractory is not None:
        draft.state(REFRACTORY, Kind.REAL, Constant(0.0))


def _parameter(draft: Draft, parameter: Parameter) -> None:
    match draft.shapes.get(parameter.name, "scalar"):
        case "array":
            draft.array(parameter.name, parameter.kind, written=False, pace=Pace.PER_NEURON)
        case "scalar":
            draft.scalar(parameter.name, parameter.kind)
        case "matrix":
            draft.matrices[parameter.name] = Matrix(parameter.name)
        case "series" | "columns" as shape:
            draft.table(parameter.name)
            draft.driven[parameter.name] = Symbol("@i") if shape == "columns" else Constant(0)


def remember(draft: Draft, name: str) -> None:
    """The arrays that hold the last spike exist only where they are read."""
    if name == LAST and LAST_STEP not in draft.now:
        draft.state(LAST_STEP, Kind.INTEGER, Constant(-1))
        if draft.exact:
            draft.state(LAST_PART, Kind.REAL, Constant(0.0))
    elif name == SPIKED and SPIKED not in draft.now:
        draft.state(SPIKED, Kind.BOOLEAN, Constant(False))
