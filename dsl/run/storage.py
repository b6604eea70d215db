"""A result as a file: one .npz, whose entry `index` says what each array is. `loading` reads it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .recorders.spikes import Spikes

if TYPE_CHECKING:
    from .result import FinalState, Result, Trace

FORMAT, VERSION = "dvdt result", 1


def save(result: Result, path: str | os.PathLike[str]) -> None:
    """Write a result to `path`. The file appears whole or not at all. Raises UsageError where it cannot be written."""
    target = Path(path)
    arrays: dict[str, NDArray[Any]] = {}
    index = {
        "format": FORMAT,
        "version": VERSION,
        "report": dict(result.report.items()),
        "traces": [_put_trace(arrays, f"trace{k}", name, trace) for k, (name, trace) in enumerate(result.traces.items())],
        "stimuli": [_put_trace(arrays, f"stimulus{k}", name, trace) for k, (name, trace) in enumerate(result.stimuli.items())],
        "events": [_put_events(arrays, f"event{k}", name, events) for k, (name, events) in enumerate(result.events.items())],
        "state": [_put_state(arrays, f"state{k}", name, result.final_state) for k, name in enumerate(result.final_state)],
    }
    arrays["index"] = np.frombuffer(json.dumps(index, ensure_ascii=False).encode(), np.uint8)
    try:
        _write(target, arrays)
    except OSError as error:
        raise UsageError(f"save: {target} cannot be written: {error.strerror or error}") from None


def _write(target: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with draft.open("xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # names of arrays; none is called allow_pickle
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _put_trace(arrays: dict[str, NDArray[Any]], key: str, name: str, trace: Trace) -> dict[str, str]:
    arrays |= {f"{key}.t": trace.t, f"{key}.neurons": trace.neurons, f"{key}.values": trace.values}
    return {"key": key, "name": name, "unit": trace.unit}


def _put_events(arrays: dict[str, NDArray[Any]], key: str, name: str, events: Spikes) -> dict[str, str]:
    arrays |= {f"{key}.t": events.t, f"{key}.i": events.i}
    return {"key": key, "name": name}


def _put_state(arrays: dict[str, NDArray[Any]], key: str, name: str, state: FinalState) -> dict[str, str]:
    unit = state.unit(name)
    arrays[key] = state[name]
    return {"key": key, "name": name, "unit": unit.text, "decade": str(unit.decade)}
