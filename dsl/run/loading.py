"""A result from the file that `storage` wrote."""

from __future__ import annotations

import os
from dataclasses import fields
from fractions import Fraction
from typing import Any

from ..units import ONE, Unit
from .archive import DAMAGE, RESULT, Arrays, damaged, read
from .recorders.spikes import Spikes
from .report import Report
from .result import FinalState, Result, Trace


def load_result(path: str | os.PathLike[str]) -> Result:
    """A result that `Result.save` wrote. Raises UsageError for a file that is missing, damaged, or of another kind."""
    index, arrays = read(path, RESULT, "load_result")
    try:
        return _result(index, arrays)
    except DAMAGE:
        raise damaged(path, RESULT, "load_result") from None


def _result(index: dict[str, Any], arrays: Arrays) -> Result:
    report = {**index["report"], "notes": tuple(index["report"]["notes"])}
    states = index["state"]
    units = {s["name"]: Unit(s["unit"], ONE, Fraction(s["decade"])) for s in states}
    return Result(
        report=Report(**{f.name: report[f.name] for f in fields(Report) if f.name in report}),
        traces=_traces(index["traces"], arrays),
        events={e["name"]: Spikes(arrays[f"{e['key']}.t"], arrays[f"{e['key']}.i"]) for e in index["events"]},
        final_state=FinalState({s["name"]: arrays[s["key"]] for s in states}, units, declared=True),
        stimuli=_traces(index["stimuli"], arrays),
    )


def _traces(entries: list[dict[str, str]], arrays: Arrays) -> dict[str, Trace]:
    return {
        entry["name"]: Trace(arrays[f"{key}.t"], arrays[f"{key}.neurons"], arrays[f"{key}.values"], entry["unit"])
        for entry in entries
        for key in (entry["key"],)
    }
