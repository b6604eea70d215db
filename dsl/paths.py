"""Paths that people give."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import UsageError


def path_of(given: object, argument: str) -> Path:
    """The path of a file or folder. Raises UsageError, which names `argument`, for what is none."""
    if isinstance(given, str | os.PathLike):
        path = os.fspath(given)
        if isinstance(path, str) and path and "\0" not in path:
            return Path(path)
    raise UsageError(f"{argument}: expected a path, as text or a Path, not {given!r}")
