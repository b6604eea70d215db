"""The command line: `dvdt models`, `check`, `explain`, `run`, `resume`, `cache`.

Exit status: 0 done, 1 a mistake in a text or trouble in a run, 2 a mistake in the call.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from .errors import ModelError, RunError, UsageError

if TYPE_CHECKING:
    from ..backends.kernel import Expr
    from .checked import CheckedModel
    from .model import Model
    from .registry import ModelTable
    from .run.inputs.series import TimedSeries
    from .run.result import Result

NEURONS_THAT_DIFFER = 50  # default size of a population whose neurons are not all the same
DRAWS = frozenset(("uniform", "normal", "exponential", "poisson", "one_of"))
DURATION = "1 s"  # default where no drive says how long a run is


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    command: Callable[[argparse.Namespace], int] = COMMANDS[given.command]
    try:
        return command(given)
    except UsageError as error:
        print(f"dvdt: {error}", file=sys.stderr)
        return 2
    except (ModelError, RunError) as error:
        print(str(error) if isinstance(error, ModelError) else f"dvdt: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `dvdt models | head`
        sys.stderr.close()
        return 0
    except OSError as error:  # a full disk, a cache folder that others may write into
        print(f"dvdt: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dvdt: stopped", file=sys.stderr)
        return 130


# ---- what may be typed --------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dvdt", description="Write a neuron as text, run it at the speed of the machine.")
    parser.add_argument("--version", action="version", version=f"dvdt {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    models = commands.add_parser("models", help="list the models, or those whose names contain a text, or show one in full")
    models.add_argument("name", nargs="?", metavar="NAME")
    models.add_argument(
        "--from", dest="source", metavar="SYSTEM", help="only those that give the numbers of a system, such as norse"
    )

    check = commands.add_parser("check", help="all mistakes of a text, with their places")
    check.add_argument("file", metavar="FILE")
    check.add_argument("--lint", action="store_true", help="also what is no mistake and was hardly meant")
    check.add_argument("--strict", action="store_true", help="with --lint: exit status 1 where something is found")
    check.add_argument("--dt", help="with --lint: the step that times are held against (default: the model's, else 0.1 ms)")

    explain = commands.add_parser("explain", help="the scheme, the update equations, the stability limit of dt")
    _add_model(explain)
    explain.add_argument("--method", metavar="M", help="a scheme, instead of the one that the model recommends")
    explain.add_argument("--dt", help="the step (default: what the model recommends, else 0.1 ms)")
    _add_values(explain)

    _add_run(commands.add_parser("run", help="run a population and say what came out"))

    resume = commands.add_parser("resume", help="go on with a run that was ended before its time")
    resume.add_argument("checkpoint", metavar="CHECKPOINT", help="the file that `dvdt run --checkpoint` wrote")
    resume.add_argument("--backend", metavar="B", help="cpu, cuda or reference (default: as it was begun)")
    _add_results(resume)

    cache = commands.add_parser("cache", help="where compiled kernels are kept, and how large they are")
    cache.add_argument("--clear", action="store_true", help="remove them")
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL|FILE", help="the name of a model, or a file")
    parser.add_argument("--model", dest="chosen", metavar="NAME", help="which model of the file, where it holds several")


def _add_values(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], dest="values", metavar="NAME=VALUE", help="a parameter, such as I=500pA; repeatable"
    )


def _add_run(run: argparse.ArgumentParser) -> None:
    _add_model(run)
    run.add_argument(
        "--n", type=int, metavar="N", help=f"neurons (default: 1, or {NEURONS_THAT_DIFFER} where the text makes them differ)"
    )
    run.add_argument(
        "--duration",
        metavar="T",
        help=f"how long, such as 500ms (default: as long as the drives, else as the model says, else {DURATION})",
    )
    run.add_argument("--dt", metavar="T", help="the step (default: what the model recommends, else 0.1 ms)")
    _add_values(run)
    run.add_argument(
        "--drive",
        action="append",
        default=[],
        dest="drives",
        metavar="NAME=FILE.csv",
        help="a parameter from a table; repeatable",
    )
    run.add_argument(
        "--record", default="", metavar="A,B", help="what is recorded (default: nothing, or with --plot the first state)"
    )
    run.add_argument("--method", metavar="M", help="a scheme, instead of the one that the model recommends")
    run.add_argument("--backend", default="cpu", metavar="B", help="cpu (default), cuda or reference")
    run.add_argument("--precision", choices=("float64", "float32"), help="default: float64, on cuda float32")
    run.add_argument("--exact-math", action="store_true", help="on cuda: functions and rounding of the CPU")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--spike-times", default="grid", choices=("grid", "exact"), help="at the ends of steps, or at their moments")
    run.add_argument("--no-spikes", action="store_true", help="collect neither spikes nor events")
    run.add_argument("--conventions", default="dvdt", choices=("dvdt", "brian2", "nest"), help="what a step does, in detail")
    run.add_argument(
        "--checkpoint", metavar="FILE", help="keep the state in this file, and go on from it where it is there already"
    )
    run.add_argument(
        "--every", metavar="T", help="simulated time between two checkpoints, such as 10s (default: a minute of waiting)"
    )
    _add_results(run)


def _add_results(run: argparse.ArgumentParser) -> None:
    run.add_argument("--threads", type=int, metavar="K")
    run.add_argument("--out", metavar="FILE.npz", help="where the results go")
    run.add_argument("--plot", metavar="FILE.png", help="where a figure goes")


# ---- the commands -------------------------------------------------------------------------------


def _models(given: argparse.Namespace) -> int:
    from .registry import model, models

    table = models() if given.source is None else models().of_source(given.source)
    if given.name is None:
        print(table)
        return 0
    found = table.matching(given.name)
    if given.source is None and (not found or _is_one(given.name, found)):
        print(model(given.name))  # raises, with near names, for what is none
    elif found:
        print(found)
    else:
        raise UsageError(f"no model of {given.source} has {given.name!r} in its name; without it, all of them are listed")
    return 0


def _is_one(name: str, found: ModelTable) -> bool:
    """Whether a name is that of one model, and not a short name with which the names of others begin (`izh`)."""
    from .shelf import folded

    exact = [row for row in found if folded(name) in map(folded, row.names)]
    begins = [row for row in found if folded(row.name).startswith(folded(name)) and row not in exact]
    return len(found) == 1 or any(folded(row.name) == folded(name) for row in exact) or bool(exact and not begins)


def _check(given: argparse.Namespace) -> int:
    from .registry import load

    if (given.strict or given.dt) and not given.lint:
        raise UsageError(f"{'--strict' if given.strict else '--dt'} belongs to --lint: dvdt check --lint FILE")
    strange = 0
    for name, found in load(given.file).items():
        parts = (
            (found.states, "state"),
            (found.parameters, "parameter"),
            (found.derived, "derived quantity"),
            (found.inputs, "input"),
        )
        counts = [_count(len(names), noun) for names, noun in parts if names]
        if not counts:
            print(f"{name}: there is no equation and no definition in this text")
            return 1
        print(f"{name}: no mistakes ({', '.join(counts)})")
        for note in found.checked.notes:
            print(f"  note: {note}")
        strange += _lint(found, given) if given.lint else 0
    return 1 if given.strict and strange else 0


def _lint(model: Model, given: argparse.Namespace) -> int:
    """Print what is found in a model, at its places in the file; how many findings."""
    from .declaration import declaration_of
    from .lint import lint
    from .run.duration import time_step

    findings = lint(model.checked, declaration_of(model.checked), None if given.dt is None else time_step(given.dt))
    if findings:
        print(f"\n{findings}\n")
    return len(findings)


def _explain(given: argparse.Namespace) -> int:
    values = {name: _number(text) for name, text in _pairs(given.values, "--set", "I=500pA").items()}
    print(_model(given).explain(method=given.method, dt=given.dt, parameters=values))
    return 0


def _cache(given: argparse.Namespace) -> int:
    from ..backends import cache

    if given.clear:
        print(f"removed {_count(cache.clear(), 'file')} from {cache.folder()}")
    else:
        print(f"{cache.folder()}: {cache.size() / 1e6:.1f} MB")
    return 0


def _run(given: argparse.Namespace) -> int:
    from .run.simulate import simulate

    model = _model(given)
    _check_targets(given)
    drives = {name: _series(path, name) for name, path in _pairs(given.drives, "--drive", "I=current.csv").items()}
    values: dict[str, object] = {name: _number(text) for name, text in _pairs(given.values, "--set", "I=500pA").items()}
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


def _resume(given: argparse.Namespace) -> int:
    from .run.simulate import resume

    _check_targets(given)
    return _outcome(lambda: resume(given.checkpoint, backend=given.backend, threads=given.threads), given)


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


def _number(text: str) -> str | float:
    """A bare number counts in the unit that the model writes, as in Python."""
    try:
        return float(text)
    except ValueError:
        return text


def _neurons_differ(model: CheckedModel) -> bool:
    """Whether draws, noise or the index `i` make two neurons of a population differ."""
    from .substitute import operations_of, symbols_of

    formulas = [formula for formula in _formulas(model) if formula is not None]
    names = {name for formula in formulas for name in symbols_of(formula)}
    operations = {operation.name for formula in formulas for operation in operations_of(formula)}
    return not DRAWS.isdisjoint(operations) or any(name == "@i" or name.startswith("@xi") for name in names)


def _formulas(model: CheckedModel) -> Iterator[Expr | None]:
    yield from (parameter.default for parameter in model.parameters)
    yield from (quantity.expression for quantity in model.derived)
    yield from (quantity.expression for quantity in model.inputs)
    for state in model.states:
        yield from (state.initial, state.derivative)
    for event in model.events:
        yield event.condition
    for block in (model.each_step, model.each_step_after_reset, *(event.block for event in model.events)):
        yield from (line.expression for line in block)


def _model(given: argparse.Namespace) -> Model:
    from .registry import load, model

    if not _is_file(given.model):
        if given.chosen is not None:
            raise UsageError(f"--model chooses among the models of a file, and {given.model!r} is the name of a model")
        return model(given.model)
    found = load(given.model)
    if given.chosen is None and len(found) == 1:
        return next(iter(found.values()))
    if given.chosen not in found:
        said = "say which one with --model" if given.chosen is None else f"none of them is called {given.chosen!r}"
        raise UsageError(f"{given.model} holds the models {', '.join(found)}: {said}")
    return found[given.chosen]


def _is_file(text: str) -> bool:
    return text.endswith(".dvdt") or "/" in text or "\\" in text or Path(text).is_file()


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1] + 'ies' if noun.endswith('ty') else noun + 's'}"


def _pairs(texts: Sequence[str], option: str, example: str) -> Mapping[str, str]:
    """`NAME=VALUE` texts as a mapping."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise UsageError(f"{option} {text}: expected NAME=VALUE, such as {option} {example}")
        if name.strip() in found:
            raise UsageError(f"{option}: {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found


COMMANDS: Mapping[str, Any] = {
    "models": _models,
    "check": _check,
    "explain": _explain,
    "run": _run,
    "resume": _resume,
    "cache": _cache,
}
