"""A result as a file: one .npz, whose entry `index` says what each array is. `loading` reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..paths import path_of
from .archive import RESULT, Arrays, write
from .recorders.spikes import Spikes

if TYPE_CHECKING:
    from .result import FinalState, Result, Trace

OTHERS = frozenset(
    (".csv", ".tsv", ".txt", ".dat", ".json", ".mat", ".h5", ".hdf5", ".nwb", ".pkl", ".npy", ".png", ".pdf", ".xlsx")
)


def save(result: Result, path: str | os.PathLike[str]) -> None:
    """Write a result to `path`. The file appears whole or not at all. Raises UsageError where it cannot be written."""
    refuse_other_formats(path_of(path, "save"), "save:")
    arrays: Arrays = {}
    index: dict[str, Any] = {
        "report": dict(result.report.items()),
        "traces": [_put_trace(arrays, f"trace{k}", name, trace) for k, (name, trace) in enumerate(result.traces.items())],
        "stimuli": [_put_trace(arrays, f"stimulus{k}", name, trace) for k, (name, trace) in enumerate(result.stimuli.items())],
        "events": [_put_events(arrays, f"event{k}", name, events) for k, (name, events) in enumerate(result.collected.items())],
        "state": [_put_state(arrays, f"state{k}", name, result.final_state) for k, name in enumerate(result.final_state)],
    }
    write(path, RESULT, index, arrays, "save")


def refuse_other_formats(path: Path, called: str) -> None:
    """Raises UsageError, which begins with `called`, for a name that promises another format than .npz."""
    if path.suffix.lower() in OTHERS:
        raise UsageError(
            f"{called} {path}: results are arrays in one .npz file, such as {path.with_suffix('.npz')};"
            " for a table, numpy.savetxt of a recording in Python"
        )


def _put_trace(arrays: Arrays, key: str, name: str, trace: Trace) -> dict[str, str]:
    arrays |= {f"{key}.t": trace.t, f"{key}.neurons": trace.neurons, f"{key}.values": trace.values}
    return {"key": key, "name": name, "unit": trace.unit}


def _put_events(arrays: Arrays, key: str, name: str, events: Spikes) -> dict[str, str]:
    arrays |= {f"{key}.t": events.t, f"{key}.i": events.i}
    return {"key": key, "name": name}


def _put_state(arrays: Arrays, key: str, name: str, state: FinalState) -> dict[str, str]:
    unit = state.unit(name)
    arrays[key] = state[name]
    return {"key": key, "name": name, "unit": unit.text, "decade": str(unit.decade)}
