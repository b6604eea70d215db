"""What may be typed on the command line, and what it means."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from .errors import UsageError

if TYPE_CHECKING:
    from .model import Model

NEURONS_THAT_DIFFER = 50  # default size of a population whose neurons are not all the same
DURATION = "1 s"  # default where no drive says how long a run is


def calls() -> argparse.ArgumentParser:
    """The parser of all commands."""
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


# ---- what was typed -----------------------------------------------------------------------------


def model_of(given: argparse.Namespace) -> Model:
    """The model of the library or of a file."""
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


def pairs(texts: Sequence[str], option: str, example: str) -> Mapping[str, str]:
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


def number(text: str) -> str | float:
    """A bare number counts in the unit that the model writes, as in Python."""
    try:
        return float(text)
    except ValueError:
        return text
