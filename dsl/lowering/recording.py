"""What is recorded: probes on the stored values, and phases for what has to read all neurons first."""

from __future__ import annotations

from ...backends.kernel import Probe, Symbol
from ..checked import OUTPUT
from .draft import Draft
from .names import IS_REFRACTORY, converted, kept_kind, reads_all
from .reading import read, read_smooth
from .refractoriness import left_refractory
from .sharing import shared_parts


def observe(draft: Draft) -> int:
    """Recorded quantities that read all neurons: phases at the end of the step, from the values that a recording sees, keep them in
    arrays. Returns how many phases."""
    names = [name for name in draft.structure.recorded if reads_all(draft.written_out.get(name, Symbol(name)))]
    before = len(draft.phases)
    _look(draft, Symbol("@t_next"))
    for name in names:
        value = read_smooth(draft, draft.written_out[name])
        kind = draft.kind(value)
        draft.now[f"@observed {name}"] = draft.assign(f"@observed {name}", kind, value)
        draft.array(f"@observed {name}", kind, written=True)
        draft.end_phase()
    return len(draft.phases) - before


def probes(draft: Draft) -> tuple[Probe, ...]:
    """One for each recorded name, on the values at t_k."""
    _look(draft, Symbol("@t"))
    return tuple(_probe(draft, name) for name in draft.structure.recorded)


def _look(draft: Draft, time: Symbol) -> None:
    """From here on the stored values are those that are read, at `time`."""
    draft.time = draft.sampled_at = time
    draft.once = {}
    draft.now = {name: Symbol(name) for name, array in draft.arrays.items() if array.written}
    refractory = draft.model.refractory
    if refractory is not None:
        draft.now[IS_REFRACTORY] = left_refractory(draft)


def _probe(draft: Draft, name: str) -> Probe:
    source = "@output" if name == OUTPUT and draft.model.signal is not None else name
    source = f"@observed {name}" if f"@observed {name}" in draft.arrays else source
    written = draft.written_out.get(source)
    value = read(draft, Symbol(source)) if written is None else read_smooth(draft, written)
    kind = kept_kind(draft.kind(value))
    arranged = draft.arranger.keep(converted(value, draft.kind(value), kind))
    uniform = tuple(draft.arranger.next_phase())
    statements, kinds = shared_parts([("@recorded", kind, arranged)], draft.kinds, f"@seen_{name}_")
    draft.kinds |= kinds
    return Probe(name, kind, uniform, tuple(statements[:-1]), statements[-1].expression)
