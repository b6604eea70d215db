"""Results on disk: one .npz file of plain arrays, with an index in JSON; nothing in it can run code."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..units import ONE, Unit
from .recorders.spikes import Spikes
from .report import Report
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


def load(path: str | os.PathLike[str]) -> Result:
    """See `result.load_result`."""
    source = Path(path)
    try:
        with np.load(source, allow_pickle=False) as file:
            index = _index(file, source)
            return _result(index, file)
    except OSError as error:
        raise UsageError(f"load_result: {source} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"load_result: {source} is damaged, or no file that Result.save wrote") from None


def _index(file: Any, source: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(file["index"].tobytes().decode())
    if index["format"] != FORMAT:
        raise UsageError(f"load_result: {source} is no file that Result.save wrote")
    if index["version"] != VERSION:
        raise UsageError(
            f"load_result: {source} was written by another version of dvdt (format {index['version']}, this one reads {VERSION})"
        )
    return index


def _result(index: dict[str, Any], file: Any) -> Result:
    report = {**index["report"], "notes": tuple(index["report"]["notes"])}
    states = index["state"]
    units = {s["name"]: Unit(s["unit"], ONE, Fraction(s["decade"])) for s in states}
    return Result(
        report=Report(**{f.name: report[f.name] for f in fields(Report)}),
        traces=_traces(index["traces"], file),
        events={e["name"]: Spikes(file[f"{e['key']}.t"], file[f"{e['key']}.i"]) for e in index["events"]},
        final_state=FinalState({s["name"]: file[s["key"]] for s in states}, units, declared=True),
        stimuli=_traces(index["stimuli"], file),
    )


def _traces(entries: list[dict[str, str]], file: Any) -> dict[str, Trace]:
    return {
        entry["name"]: Trace(file[f"{key}.t"], file[f"{key}.neurons"], file[f"{key}.values"], entry["unit"])
        for entry in entries
        for key in (entry["key"],)
    }
