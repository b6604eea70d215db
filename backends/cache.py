"""What is kept from one process to the next: machine code, kernels and checked texts, each under a key of its content.

The folder is `DVDT_CACHE_DIR`, or `dvdt` in the cache folder of the user. Machine code is read from it, so it must belong to
the user, and nobody else may write into it. Files are replaced as a whole; one that is damaged counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any


class CacheFolderError(OSError):
    """The cache folder cannot be made, or is not safe to read compiled code from."""


# ---- folder ------------------------------------------------------------------------------------


def folder() -> Path:
    """The cache folder, made if it is missing. Raises CacheFolderError where it belongs to someone else or others may write into it."""
    path = _wanted_folder()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = path.stat()
    except OSError as error:
        raise CacheFolderError(f"the cache folder {path} cannot be made ({error.strerror}); {_REMEDY}") from error
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise CacheFolderError(f"the cache folder {path} belongs to another user; {_REMEDY}")
    if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheFolderError(f"other users may write into the cache folder {path}: run `chmod 700 {path}`, or {_REMEDY}")
    return path


_REMEDY = "set the environment variable DVDT_CACHE_DIR to a folder of your own"


def _wanted_folder() -> Path:
    if chosen := os.environ.get("DVDT_CACHE_DIR"):
        return Path(chosen).expanduser()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "dvdt" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dvdt"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dvdt"


def size() -> int:
    """Bytes in the cache folder."""
    return sum(path.stat().st_size for path in folder().rglob("*") if path.is_file())


def clear() -> int:
    """Remove what this module wrote; how many files there were. Other files in the folder are left alone."""
    paths = [path for pattern in _PATTERNS for path in folder().glob(pattern) if path.is_file()]
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


_PATTERNS = ("*.json", "*.part")


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


# ---- plain data --------------------------------------------------------------------------------


def digest(*parts: str) -> str:
    """A key of the content of some texts."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode()).digest())
    return total.hexdigest()[:32]


def read(key: str) -> dict[str, Any] | None:
    """What was written under this key, or None where nothing was, or it is damaged."""
    try:
        check, _, text = _data_path(key).read_text(encoding="utf-8").partition("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    if check != digest(key, text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def write(key: str, value: dict[str, Any]) -> None:
    """Keep a value that JSON can hold; nan and infinity survive."""
    text = json.dumps(value, separators=(",", ":"))
    _replace(_data_path(key), f"{digest(key, text)}\n{text}")


def _data_path(key: str) -> Path:
    return folder() / f"{digest(key)}.json"
