"""Inputs from a table in a text file."""

from __future__ import annotations

import csv
import difflib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...paths import path_of, read_text
from ..duration import time_in_ms, time_step
from .series import TimedSeries

HEADING = re.compile(r"^(?P<name>.*?)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\])?$", re.DOTALL)
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+$")
TIME_NAMES = ("t", "time")


@dataclass(frozen=True)
class Column:
    """A column of the file: its place from 0, its name, and the unit that the header gives it."""

    place: int
    name: str
    unit: str | None


def from_csv(path: str | os.PathLike[str], column: str | None = None, unit: str | None = None, dt: object = None) -> TimedSeries:
    """A series from a CSV file with a header, one row a sample.

    The header gives names and units: `I (pA)` or `I [nA]`; `unit` is for a column whose heading has none (without both, numbers count in
    the unit that the model writes). `column` may be missing where there is one column beside the time. A time column `t (ms)` or
    `time [s]` gives the interval; without one, `dt` says it. Raises UsageError, with row and column, for what cannot be read.
    """
    file = path_of(path, "from_csv")
    for argument, text in (("column", column), ("unit", unit)):
        if text is not None and not isinstance(text, str):
            raise UsageError(f"from_csv: {argument}: expected a text, as the header has it, not {text!r}")
    header, rows = _read(file)
    columns = _columns(header, file)
    time = next((c for c in columns if c.name.lower() in TIME_NAMES), None)
    chosen = _choose(columns, time, column, file)
    if unit is not None and chosen.unit is not None and unit.strip() != chosen.unit:
        raise UsageError(f"{file}: the header gives column {chosen.name!r} in {chosen.unit}, and unit={unit!r} says another")
    for line, cells in rows:
        if len(cells) > len(columns):
            raise UsageError(f"{file}, line {line}: there are {len(cells)} cells, and the header has {len(columns)} columns")
    values = _numbers(rows, chosen, file)
    if time is None and dt is None:
        raise UsageError(f"{file} has no time column ('t (ms)' or 'time [s]'): give the interval, dt='1 ms'")
    interval = dt if time is None else _interval(rows, time, dt, file)
    return TimedSeries(values, interval, chosen.unit if chosen.unit is not None else unit)


def _read(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the other rows that are not empty, each with the number of its line."""
    text = read_text(file)
    if text.lstrip().startswith("#"):
        raise UsageError(
            f"{file} begins with `#`: the first line has to be the header, such as 't (ms),I (pA)', without a comment"
        )
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"{file}, line {reader.line_num}: {error}") from None
    if not lines:
        raise UsageError(f"{file} is empty; expected a header such as 't (ms),I (pA)' and rows of numbers")
    (number, header), rows = lines[0], lines[1:]
    if any(_is_number(cell) for cell in header):
        raise UsageError(
            f"{file}, line {number}: the header is missing; expected names such as 't (ms),I (pA)' and found {','.join(header)!r}"
        )
    if len(rows) < 2:
        raise UsageError(f"{file} has {len(rows)} row{'' if len(rows) == 1 else 's'} below its header; a series needs 2 or more")
    return header, rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell  # which Python's own spelling of numbers may have


def _columns(header: list[str], file: Path) -> list[Column]:
    found = []
    for place, heading in enumerate(header):
        match = HEADING.match(heading)
        assert match is not None  # every part of the pattern may be empty
        unit = match["round"] if match["round"] is not None else match["square"]
        found.append(Column(place, match["name"], unit.strip() if unit and unit.strip() else None))
    names = [c.name for c in found if c.name]
    if len(names) < len(found) and names:
        place = next(c.place for c in found if not c.name)
        raise UsageError(
            f"{file}: column {place + 1} of the header has no name (a separator at the end of a line makes a column)"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{file}: two columns of the header are called {twice!r}")
    return found


def _choose(columns: list[Column], time: Column | None, wanted: str | None, file: Path) -> Column:
    names = [c.name for c in columns if c is not time]
    if wanted is None:
        if len(names) != 1:
            raise UsageError(f"{file} has the columns {', '.join(names) or '(none beside the time)'}: say which, column=...")
        return next(c for c in columns if c is not time)
    for c in columns:
        if wanted in (c.name, f"{c.name} ({c.unit})", f"{c.name} [{c.unit}]"):
            return c
    near = difflib.get_close_matches(wanted, names, 3, 0.5)
    hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
    raise UsageError(f"{file} has no column {wanted!r}{hint} (it has {', '.join(c.name for c in columns)})")


def _numbers(rows: list[tuple[int, list[str]]], column: Column, file: Path) -> NDArray[np.float64]:
    values = np.empty(len(rows))
    for place, (line, cells) in enumerate(rows):
        cell = cells[column.place] if column.place < len(cells) else ""
        where = f"{file}, line {line}, column {column.name!r}"
        if not cell:
            raise UsageError(f"{where}: the cell is empty")
        if not _is_number(cell):
            decimal = ": a decimal point is written `.`" if DECIMAL_COMMA.match(cell) else ""
            raise UsageError(f"{where}: {cell!r} is not a number{decimal}")
        values[place] = float(cell)
        if not math.isfinite(values[place]):
            raise UsageError(f"{where}: {cell!r} is not a finite number")
    return values


def _interval(rows: list[tuple[int, list[str]]], time: Column, dt: object, file: Path) -> str:
    """The interval between the rows, as text with its unit."""
    if time.unit is None:
        raise UsageError(
            f"{file}: the time column {time.name!r} has no unit in the header; write '{time.name} (ms)' or '{time.name} (s)'"
        )
    times = _numbers(rows, time, file)
    usual = float(np.median(np.diff(times)))
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        line, now, before = rows[back[0] + 1][0], times[back[0] + 1], times[back[0]]
        told = f"the time {now:.9g} {time.unit} stands after {before:.9g} {time.unit}; the times have to increase"
        raise UsageError(f"{file}, line {line}, column {time.name!r}: {told}")
    _even(rows, times, usual, time, file)
    if abs(times[0]) > 1e-6 * usual:
        begins = f"{times[0]:.9g} {time.unit}"
        raise UsageError(
            f"{file}: the times begin at {begins}, and a run at 0: subtract it, or leave the column out and give dt="
        )
    step = f"{(times[-1] - times[0]) / (len(times) - 1):.17g} {time.unit}"
    in_ms = time_step(step, f"{file}: column {time.name!r}")
    if dt is not None and abs(time_in_ms(dt, "from_csv: dt") - in_ms) > 1e-6 * in_ms:
        raise UsageError(f"{file}: the time column advances by {usual:.9g} {time.unit}, and dt={dt!r} says another")
    return step


def _even(rows: list[tuple[int, list[str]]], times: NDArray[np.float64], usual: float, time: Column, file: Path) -> None:
    """Refuse times whose steps differ, at the first row where they do."""
    gaps = np.diff(times)
    uneven = np.flatnonzero(np.abs(gaps - usual) > 1e-6 * usual)
    if len(uneven):
        gap, line = gaps[uneven[0]], rows[uneven[0] + 1][0]
        told = f"the time steps by {gap:.9g} {time.unit} where others step by {usual:.9g} {time.unit}; a series has one interval"
        raise UsageError(f"{file}, line {line}, column {time.name!r}: {told}")
