"""Paths that people give."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import UsageError
from .near_names import near_names


def path_of(given: object, argument: str) -> Path:
    """The path of a file or folder. Raises UsageError, which names `argument`, for what is none."""
    if isinstance(given, str | os.PathLike):
        path = os.fspath(given)
        if isinstance(path, str) and path and "\0" not in path:
            return Path(path)
    raise UsageError(f"{argument}: expected a path, as text or a Path, not {given!r}")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8. Raises UsageError where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(cannot_be_read(path, error)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8 (byte {error.start}): save it as UTF-8") from None


def cannot_be_read(path: object, error: OSError) -> str:
    """Why a file cannot be read, and where it is missing, what there is of a like name."""
    told = f"{path} cannot be read: {error.strerror or error}"
    if not isinstance(error, FileNotFoundError):
        return told
    wanted = Path(str(path))
    if not wanted.parent.is_dir():
        return f"{told}; there is no folder {wanted.parent}"
    there = sorted(os.listdir(wanted.parent)) if os.access(wanted.parent, os.R_OK) else []
    near = near_names(wanted.name, there, 1)
    return f"{told}; did you mean {wanted.with_name(near[0])}?" if near else f"{told}; look for it from {Path.cwd()}"
