"""`dvdt run` and `dvdt resume`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .cli_options import DURATION, NEURONS_THAT_DIFFER, model_of, number, pairs
from .errors import RunError, UsageError

if TYPE_CHECKING:
    from .checked import CheckedModel
    from .run.inputs.series import TimedSeries
    from .run.result import Result

DRAWS = frozenset(("uniform", "normal", "exponential", "poisson", "one_of"))


def run(given: argparse.Namespace) -> int:
    from .run.simulate import simulate

    model = model_of(given)
    _check_targets(given)
    drives = {name: _series(path, name) for name, path in pairs(given.drives, "--drive", "I=current.csv").items()}
    values: dict[str, object] = {name: number(text) for name, text in pairs(given.values, "--set", "I=500pA").items()}
    twice = next((name for name in drives if name in values), None)
    if twice is not None:
        raise UsageError(f"{twice} is given by --set and by --drive")
    return _outcome(
        lambda: simulate(
            model,
            given.duration or _duration(model.checked, drives.values()),
            dt=given.dt,
            n=given.n if given.n is not None else (NEURONS_THAT_DIFFER if _neurons_differ(model.checked) else 1),
            parameters={name: value for name, value in values.items() if name not in model.states} | drives,
            state={name: value for name, value in values.items() if name in model.states},
            record=_recorded(given, model.checked),
            method=given.method,
            backend=given.backend,
            precision=given.precision,
            threads=given.threads,
            seed=given.seed,
            conventions=given.conventions,
            spike_times=given.spike_times,
            spikes=not given.no_spikes,
            exact_math=given.exact_math,
            checkpoint=given.checkpoint,
            every=given.every,
        ),
        given,
    )


def resume(given: argparse.Namespace) -> int:
    from .run import simulate

    _check_targets(given)
    return _outcome(lambda: simulate.resume(given.checkpoint, backend=given.backend, threads=given.threads), given)


def _outcome(run: Callable[[], Result], given: argparse.Namespace) -> int:
    """Tell, save and draw what a run leaves; also where it ends before its time, which then ends the command."""
    try:
        result = run()
    except RunError as error:
        if error.result is not None:
            try:
                _tell(error.result, given)  # type: ignore[arg-type]
            except UsageError as trouble:
                print(f"dvdt: {trouble}", file=sys.stderr)
        raise
    _tell(result, given)
    return 0


def _tell(result: Result, given: argparse.Namespace) -> None:
    print(result)
    if given.out:
        result.save(given.out)
        print(f"{'saved':<10} {given.out}")
    if given.plot:
        try:
            result.plot().savefig(given.plot, dpi=150)
        except OSError as error:
            raise UsageError(f"--plot {given.plot}: it cannot be written: {error.strerror or error}") from None
        print(f"{'figure':<10} {given.plot}")


def _check_targets(given: argparse.Namespace) -> None:
    """Raise UsageError for what would keep results from being written, before a long run and not after it."""
    for option, path in (("--out", given.out), ("--plot", given.plot)):
        if path and not Path(path).absolute().parent.is_dir():
            raise UsageError(f"{option} {path}: there is no folder {Path(path).parent}")
        if path and Path(path).is_dir():
            raise UsageError(f"{option} {path}: this is a folder; give the name of a file in it")
        if path and not Path(path).exists() and not os.access(Path(path).absolute().parent, os.W_OK):
            raise UsageError(f"{option} {path}: the folder {Path(path).absolute().parent} cannot be written to")
    if given.out:
        from .run.storage import refuse_other_formats

        refuse_other_formats(Path(given.out), "--out")
    if given.plot:
        _check_figure(given.plot)


def _check_figure(path: str) -> None:
    if find_spec("matplotlib") is None:
        raise UsageError('--plot needs matplotlib: python -m pip install "dvdt[plot]"')
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    ending = Path(path).suffix.removeprefix(".").lower()
    if ending not in known:
        said = f"'.{ending}' is no kind of figure" if ending else "the ending says what kind of figure it is, and there is none"
        raise UsageError(f"--plot {path}: {said}; known are {', '.join(sorted(known))}")


def _series(path: str, name: str) -> TimedSeries:
    """The column of the file that has the name of the parameter; where none has, the only one beside the time."""
    from .run.inputs.csv import from_csv

    return from_csv(path, column=name if name in _headings(path) else None)


def _headings(path: str) -> list[str]:
    if not Path(path).is_file():
        return []
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return [re.split(r"[(\[]", cell)[0].strip() for cell in re.split(r"[,;\t]", file.readline())]


def _recorded(given: argparse.Namespace, model: CheckedModel) -> list[str]:
    """What is asked for; for a figure of which nothing is said, the first state."""
    if given.plot and not given.record:
        return [state.name for state in model.states[:1]]
    return [name.strip() for name in given.record.split(",") if name.strip()]


def _duration(model: CheckedModel, drives: Iterable[TimedSeries]) -> str:
    import numpy as np

    from .run.duration import time_in_ms

    lengths = [np.asarray(drive.values).shape[0] * time_in_ms(drive.dt, "--drive") for drive in drives]
    if lengths or model.duration is not None:
        return f"{max(lengths, default=model.duration)!r} ms"
    return DURATION


def _neurons_differ(model: CheckedModel) -> bool:
    """Whether draws, noise or the index `i` make two neurons of a population differ."""
    from .substitute import expressions_of, operations_of, symbols_of

    defaults = [parameter.default for parameter in model.parameters if parameter.default is not None]
    formulas = [*defaults, *expressions_of(model)]
    names = {name for formula in formulas for name in symbols_of(formula)}
    operations = {operation.name for formula in formulas for operation in operations_of(formula)}
    return not DRAWS.isdisjoint(operations) or any(name == "@i" or name.startswith("@xi") for name in names)
