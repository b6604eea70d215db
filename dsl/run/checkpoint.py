"""Checkpoint: everything that a simulation is at one moment, as data and as a file. Arrays stand by name, so that any backend can go on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...backends.kernel import Kind
from ...backends.serial import from_plain, to_plain
from .. import store
from ..checked import CheckedModel, Variable, without_declaration
from ..declaration import declaration_of
from ..errors import UsageError
from ..near_names import near_names
from ..units import Unit, from_computing
from .archive import CHECKPOINT, DAMAGE, Arrays, damaged, read, write
from .assembly import Assembly
from .binding import variables
from .conventions import CONVENTIONS
from .recorders.state import Track
from .settings import PRECISIONS, Settings
from .sources import plain_source, same, source_from
from .values import Called, Restored, Source, Uniform

OWN = ("backend", "threads", "progress", "exact_math")  # settings that a run may go on with others of
SORTS: Mapping[str, str] = {
    "states": "the state",
    "parameters": "the parameter",
    "derived": "the derived quantity",
    "inputs": "the input",
    "externals": "the function",
    "events": "the event",
}


@dataclass(frozen=True)
class Goal:
    """The end of the run that is going on: the step that it stops at, and every how many steps it is saved (None: once a minute)."""

    last: int
    every: int | None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A simulation after `step` steps.

    `parameters` and `state` are what was set, as sources; `outside` names those that no file can hold, with a digest of
    what they were. `arrays` are the written arrays of
    the kernel, `rows` the rows of each track so far, `events` the stored logs. `touched`: values were set after the last step.
    """

    model: CheckedModel
    n: int
    parameters: Mapping[str, Source]
    state: Mapping[str, Source]
    outside: Mapping[str, str]
    settings: Settings
    scheme: str
    tracks: tuple[Track, ...]
    notes: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]
    rows: Mapping[str, NDArray[Any]]
    events: Mapping[str, Mapping[str, NDArray[Any]]]
    step: int
    seconds: float
    touched: bool
    goal: Goal | None = None


# ---- files ---------------------------------------------------------------------------------------


def save(checkpoint: Checkpoint, path: str | os.PathLike[str], called: str = "save") -> None:
    """Write a checkpoint in place of what is there, at once or not at all. Raises UsageError where it cannot be written."""
    arrays: Arrays = {}

    def keep(array: NDArray[Any]) -> str:
        key = f"array{len(arrays)}"
        arrays[key] = np.asarray(array)
        return key

    unheld = dict(checkpoint.outside)

    def sources(given: Mapping[str, Source]) -> dict[str, Any]:
        written = {name: plain_source(source, keep) for name, source in given.items()}
        unheld.update((name, digest_of(given[name])) for name, plain in written.items() if plain is None)
        return {name: plain for name, plain in written.items() if plain is not None}

    index = {
        "dvdt": __version__,
        "model": to_plain(_with_text(checkpoint.model), store.CLASSES),
        "n": checkpoint.n,
        "parameters": sources(checkpoint.parameters),
        "state": sources(checkpoint.state),
        "outside": unheld,
        "settings": _plain_settings(checkpoint.settings),
        "scheme": checkpoint.scheme,
        "tracks": [
            {"name": t.name, "every": t.every, "neurons": keep(t.asked), "on_device": t.on_device} for t in checkpoint.tracks
        ],
        "notes": checkpoint.notes,
        "arrays": {name: keep(array) for name, array in checkpoint.arrays.items()},
        "rows": {name: keep(rows) for name, rows in checkpoint.rows.items()},
        "events": {name: {part: keep(array) for part, array in log.items()} for name, log in checkpoint.events.items()},
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "touched": checkpoint.touched,
        "goal": None if checkpoint.goal is None else {"last": checkpoint.goal.last, "every": checkpoint.goal.every},
    }
    write(path, CHECKPOINT, index, arrays, called)


def load(path: str | os.PathLike[str], called: str) -> Checkpoint:
    """The checkpoint of a file. Raises UsageError for one that is missing, damaged, of another kind or of another version of dvdt."""
    index, arrays = read(path, CHECKPOINT, called)
    if index.get("dvdt") != __version__:
        raise UsageError(
            f"{called}: {path} was written by dvdt {index.get('dvdt')}, and this is dvdt {__version__}, which may not compute the same:"
            " go on with that version, or start anew"
        )
    try:
        return _checkpoint(index, arrays)
    except DAMAGE:
        raise damaged(path, CHECKPOINT, called) from None


def _checkpoint(index: Mapping[str, Any], arrays: Arrays) -> Checkpoint:
    model, goal = from_plain(index["model"], store.CLASSES), index["goal"]
    if not isinstance(model, CheckedModel):
        raise TypeError("no model")
    return Checkpoint(
        model=model,
        n=int(index["n"]),
        parameters={name: source_from(plain, arrays) for name, plain in index["parameters"].items()},
        state={name: source_from(plain, arrays) for name, plain in index["state"].items()},
        outside=dict(index["outside"]),
        settings=_settings(index["settings"]),
        scheme=index["scheme"],
        tracks=tuple(Track(t["name"], int(t["every"]), arrays[t["neurons"]], bool(t["on_device"])) for t in index["tracks"]),
        notes=tuple(index["notes"]),
        arrays={name: arrays[key] for name, key in index["arrays"].items()},
        rows={name: arrays[key] for name, key in index["rows"].items()},
        events={name: {part: arrays[key] for part, key in log.items()} for name, log in index["events"].items()},
        step=int(index["step"]),
        seconds=float(index["seconds"]),
        touched=bool(index["touched"]),
        goal=None if goal is None else Goal(int(goal["last"]), None if goal["every"] is None else int(goal["every"])),
    )


def _with_text(model: CheckedModel) -> CheckedModel:
    """The model with its text in place of its syntax."""
    if model.declaration is None:
        return model
    from ...grammar.printer import print_model

    return replace(model, declaration=None, text=print_model(declaration_of(model)))


def _plain_settings(settings: Settings) -> dict[str, Any]:
    kept = {field.name: getattr(settings, field.name) for field in fields(Settings) if field.name not in ("threads", "progress")}
    return {**kept, "precision": settings.precision.name, "convention": settings.convention.name}


def _settings(plain: Mapping[str, Any]) -> Settings:
    named = {"precision": PRECISIONS[plain["precision"]], "convention": CONVENTIONS[plain["convention"]]}
    return Settings(**{**plain, **named, "threads": 1, "progress": None})


# ---- what a run may go on from -------------------------------------------------------------------


def refuse_another_run(found: Checkpoint, wanted: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Raise UsageError, with the differences, where a file is not the checkpoint of this run."""
    differences = list(_differences(found, wanted))
    if differences:
        more = f", and {len(differences) - 4} more" if len(differences) > 4 else ""
        raise UsageError(
            f"checkpoint: {path} is of another run: {'; '.join(differences[:4])}{more}."
            " Give another path, or remove the file to start anew"
        )


def _differences(found: Checkpoint, wanted: Checkpoint) -> Iterator[str]:
    yield from _of_models(found.model, wanted.model)
    if found.n != wanted.n:
        yield f"n is {found.n} there and {wanted.n} here"
    for field in fields(Settings):
        there, here = (_told(getattr(c.settings, field.name)) for c in (found, wanted))
        if field.name not in OWN and there != here:
            name = "conventions" if field.name == "convention" else field.name
            yield f"{name} is {there}{' ms' if name == 'dt' else ''} there and {here}{' ms' if name == 'dt' else ''} here"
    units = {name: variable.unit for name, variable in variables(wanted.model).items()}
    for argument in ("parameters", "state"):
        there_given, here_given = getattr(found, argument), getattr(wanted, argument)
        for name in dict.fromkeys((*there_given, *here_given)):
            if name in found.outside:
                if found.outside[name] != digest_of(here_given.get(name)):
                    yield f"{argument}[{name!r}] is another function, or was seen by another version of Python"
            else:
                yield from _of_sources(f"{argument}[{name!r}]", there_given.get(name), here_given.get(name), units.get(name))
    yield from _of_tracks(found.tracks, wanted.tracks)


def _told(value: object) -> str:
    return repr(getattr(value, "name", value))


def _of_models(found: CheckedModel, wanted: CheckedModel) -> Iterator[str]:
    """Where two models differ; the order of lines and remarks do not count."""
    if found.name != wanted.name:
        yield f"its model is {found.name!r}, not {wanted.name!r}"
        return
    for sort, called in SORTS.items():
        there, here = ({each.name: _undescribed(each) for each in getattr(model, sort)} for model in (found, wanted))
        for name in dict.fromkeys((*there, *here)):
            if there.get(name) != here.get(name):
                missing = "" if name in there and name in here else f" (only {'there' if name in there else 'here'})"
                yield f"{called} {name!r} of the model differs{missing}"
    rest = {field.name for field in fields(CheckedModel) if field.compare} - {*SORTS, "name", "description", "notes"}
    found, wanted = without_declaration(found), without_declaration(wanted)
    for name in sorted(rest):
        if _undescribed(getattr(found, name)) != _undescribed(getattr(wanted, name)):
            yield f"the `{name.replace('_', ' ')}` of the model differs"


def _undescribed(variable: object) -> object:
    return replace(variable, description="") if isinstance(variable, Variable) else variable


def _of_sources(called: str, found: Source | None, wanted: Source | None, unit: Unit | None) -> Iterator[str]:
    if found is None or wanted is None:
        yield f"{called} is set only {'here' if found is None else 'there'}"
    elif isinstance(found, Uniform) and isinstance(wanted, Uniform) and unit is not None and found != wanted:
        there, here = (f"{from_computing(source.value, unit):.10g} {unit.text}" for source in (found, wanted))
        yield f"{called} is {there} there and {here} here"
    elif not same(found, wanted):
        yield f"{called} has another value"


def _of_tracks(found: tuple[Track, ...], wanted: tuple[Track, ...]) -> Iterator[str]:
    there, here = ({track.name: track for track in tracks} for tracks in (found, wanted))
    for name in dict.fromkeys((*there, *here)):
        if name not in there or name not in here:
            yield f"{name} is recorded only {'there' if name in there else 'here'}"
        elif there[name].every != here[name].every or not np.array_equal(there[name].asked, here[name].asked):
            yield f"{name} is recorded at other times or of other neurons"


def refuse_other_arrays(kept: Checkpoint, assembly: Assembly, called: str) -> None:
    """Raise UsageError where what a checkpoint holds is not what the kernel reads and writes."""
    kernel, precision, scheme = assembly.kernel, assembly.settings.precision, assembly.compiled.scheme
    wanted = {a.name: np.dtype(np.int64) if a.kind is Kind.INTEGER else precision for a in kernel.arrays if a.written}
    differences = [] if kept.scheme == scheme else [f"its scheme is {kept.scheme}, not {scheme}"]
    for name in sorted({*kept.arrays, *wanted}):
        if name not in kept.arrays or name not in wanted:
            differences.append(f"{name} is stored only {'there' if name in kept.arrays else 'here'}")
        elif (kept.arrays[name].dtype, kept.arrays[name].shape) != (wanted[name], (kept.n,)):
            differences.append(f"the values of {name} are of another kind")
    if (*kept.events,) != kernel.events:
        differences.append(f"its events are {', '.join(kept.events) or 'none'}, not {', '.join(kernel.events) or 'none'}")
    if differences:
        raise UsageError(f"{called}: the checkpoint is of another structure: {'; '.join(differences)}")


def digest_of(source: object) -> str:
    """What tells one Python function from another."""
    return source.place.digest if isinstance(source, Called) else ""


def restored(checkpoint: Checkpoint, argument: str, outside: Mapping[str, object]) -> dict[str, object]:
    """The values of `parameters` or `state` as a Population takes them; `outside` are given anew, because no file can hold them."""
    sources: Mapping[str, Source] = getattr(checkpoint, argument)
    found: dict[str, object] = {name: Restored(source) for name, source in sources.items()}
    if argument == "state":
        return found
    if not isinstance(outside, Mapping):
        raise UsageError(f"parameters: expected a mapping of names to what no file can hold, not {outside!r}")
    missing = [name for name in checkpoint.outside if name not in outside]
    if missing:
        raise UsageError(
            f"load: no file can hold what was given for {', '.join(missing)}: give it again, parameters={{{missing[0]!r}: ...}}"
        )
    other = next((name for name in outside if name not in checkpoint.outside), None)
    if other is not None and other not in variables(checkpoint.model):
        near = near_names(str(other), variables(checkpoint.model))
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"parameters: the model of the checkpoint, {checkpoint.model.name}, has no {other!r}{hint}")
    if other is not None:
        raise UsageError(
            f"parameters[{other!r}]: the checkpoint has its value; set it in sim.parameters[{other!r}] after loading"
        )
    return {**found, **outside}
