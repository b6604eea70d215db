"""A result from the file that `storage` wrote."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..units import ONE, Unit
from .recorders.spikes import Spikes
from .report import Report
from .result import FinalState, Result, Trace
from .storage import FORMAT, VERSION


def load_result(path: str | os.PathLike[str]) -> Result:
    """A result that `Result.save` wrote. Raises UsageError for a file that is missing, damaged, or of another kind."""
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
