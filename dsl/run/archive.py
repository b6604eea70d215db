"""A file of arrays (.npz) whose entry `index` says what they are: written whole or not at all, read with one clear error."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..paths import cannot_be_read, path_of

RESULT, CHECKPOINT = "dvdt result", "dvdt checkpoint"
VERSIONS: Mapping[str, int] = {RESULT: 1, CHECKPOINT: 1}
KINDS: Mapping[str, str] = {  # what a file of each format is, and what reads it
    RESULT: "a result; dvdt.load_result reads it",
    CHECKPOINT: "a checkpoint; dvdt.Simulation.load or dvdt.resume reads it",
}
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)  # of an index that says something else

Arrays = dict[str, NDArray[Any]]


def write(path: str | os.PathLike[str], form: str, index: Mapping[str, Any], arrays: Arrays, called: str) -> None:
    """Write the file in place of what is there, in one moment: a process that is killed leaves the old one or the new one.

    Raises UsageError, which begins with `called`, where it cannot be written.
    """
    text = json.dumps({"format": form, "version": VERSIONS[form], **index}, ensure_ascii=False)
    target = Path(os.path.realpath(path_of(path, called)))  # a link stays one
    try:
        _refuse_device(target, path, called)
        with _draft(target) as file:
            np.savez(file, **{"index": np.frombuffer(text.encode(), np.uint8), **arrays})  # type: ignore[arg-type]
    except OSError as error:
        raise UsageError(f"{called}: {path} cannot be written: {error.strerror or error}") from None


def _refuse_device(target: Path, path: object, called: str) -> None:
    """Raise UsageError for a device or a pipe: a file that takes its place would be the end of it."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise UsageError(f"{called}: {path} is no file but a device or a pipe: give the path of a file")


@contextmanager
def _draft(target: Path) -> Iterator[IO[bytes]]:
    """A file beside the target that takes its place when it is complete and on the disk."""
    _sweep(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with draft.open("xb") as file:
            _claim(file)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove drafts of the same file whose writers have been killed: nobody claims them any more."""
    for draft in target.parent.glob(f".{_literally(target.name)}.*.part"):
        with suppress(OSError), draft.open("rb") as file:
            if _claim(file):
                draft.unlink()


def _literally(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _claim(file: IO[bytes]) -> bool:
    """Take a file for oneself until it is closed, also by the end of the process; False where another has it, or nobody can say."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk too, where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def read(path: str | os.PathLike[str], form: str, called: str) -> tuple[dict[str, Any], Arrays]:
    """The index and all arrays of a file of the format. Raises UsageError for one that is missing, damaged or of another kind."""
    source = path_of(path, called)
    try:
        _refuse_device(source, path, called)
        with np.load(source, allow_pickle=False) as file:
            index = json.loads(file["index"].tobytes().decode())
            _check(index, form, source, called)
            return index, {name: file[name] for name in file.files if name != "index"}
    except OSError as error:
        raise UsageError(f"{called}: {cannot_be_read(source, error)}") from None
    except UsageError:
        raise
    except MemoryError:
        raise UsageError(f"{called}: {source} is damaged, or needs more memory than there is") from None
    except Exception:  # zipfile, zlib, bz2, lzma and NumPy's reader of headers have errors of their own
        raise damaged(source, form, called) from None


def damaged(source: str | os.PathLike[str], form: str, called: str) -> UsageError:
    """The error for a file that is no, or no more, what it should be."""
    writer = "Result.save" if form == RESULT else "dvdt"
    return UsageError(f"{called}: {source} is damaged, or no file that {writer} wrote, or of another version of dvdt")


def _check(index: Any, form: str, source: Path, called: str) -> None:
    found = index["format"]
    if found != form:
        what = KINDS.get(found)
        raise UsageError(f"{called}: {source} is {what}") if what else damaged(source, form, called)
    if index["version"] != VERSIONS[form]:
        versions = f"format {index['version']}, this one reads {VERSIONS[form]}"
        raise UsageError(f"{called}: {source} was written by another version of dvdt ({versions})")
