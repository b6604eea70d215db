"""The command line: `dvdt models`, `check`, `explain`, `run`, `resume`, `cache`.

Exit status: 0 done, 1 a mistake in a text or trouble in a run, 2 a mistake in the call.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .cli_options import calls, model_of, number, pairs
from .cli_run import resume, run
from .errors import ModelError, RunError, UsageError

if TYPE_CHECKING:
    from .model import Model
    from .registry import ModelTable

AS_OBJECT = re.compile(r"are in \.result$")  # how an error tells a caller in Python where the results are


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = calls()
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
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except RunError as error:
        print(f"dvdt: {AS_OBJECT.sub('stand above', str(error))}", file=sys.stderr)
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
    values = {name: number(text) for name, text in pairs(given.values, "--set", "I=500pA").items()}
    print(model_of(given).explain(method=given.method, dt=given.dt, parameters=values))
    return 0


def _cache(given: argparse.Namespace) -> int:
    from ..backends import cache

    if given.clear:
        print(f"removed {_count(cache.clear(), 'file')} from {cache.folder()}")
    else:
        print(f"{cache.folder()}: {cache.size() / 1e6:.1f} MB")
    return 0


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1] + 'ies' if noun.endswith('ty') else noun + 's'}"


COMMANDS: Mapping[str, Any] = {
    "models": _models,
    "check": _check,
    "explain": _explain,
    "run": run,
    "resume": resume,
    "cache": _cache,
}
