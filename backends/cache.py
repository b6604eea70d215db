"""What is kept from one process to the next: compiled kernels, and checked texts as plain data, each under a key of its content.

The folder is `DVDT_CACHE_DIR`, or `dvdt` in the cache folder of the user. Compiled code and pickles are read from it, so it
must belong to the user, and nobody else may write into it. Files are replaced as a whole; one that is damaged counts as absent.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

STAMP = 946_684_800  # every module has this time of change, so that two processes that write the same one agree


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


_PATTERNS = ("kernel_*.py", "kernel_*.sums", "__pycache__/kernel_*.nb[ic]", "*.json", "*.part")


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.utime(part, (STAMP, STAMP))
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


# ---- compiled modules --------------------------------------------------------------------------


@functools.cache
def environment() -> str:
    """What compiled code depends on beside its text: everything in this folder, numba, LLVM, NumPy, Python, the processor."""
    import llvmlite
    import numba
    import numpy
    from numba.core import config as numba_config

    config: Any = numba_config

    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    versions = [sys.version, numba.__version__, llvmlite.__version__, numpy.__version__]
    processor = [str(config.CPU_NAME), str(config.CPU_FEATURES), _processor(), str(config.OPT)]
    return digest(*sources, *versions, *processor)


def _processor() -> str:
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"


def load(source: str) -> tuple[ModuleType, bool]:
    """The module of a generated text, and whether machine code had to be made for it."""
    name = f"kernel_{digest(source, environment())}"
    with _loading:
        return (sys.modules[name], False) if name in sys.modules else _load(name, source)


_loading = threading.Lock()  # a module is in sys.modules before it is complete


def _load(name: str, source: str) -> tuple[ModuleType, bool]:
    path = folder() / f"{name}.py"
    _place(path, source)
    if not _intact(path):
        _forget(path)
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # numba looks for the module of a function here
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    compiled = bool(module.advance.stats.cache_misses)
    if compiled:
        _seal(path, module.advance.stats.cache_path)
    return module, compiled


def _place(path: Path, source: str) -> None:
    """The text beside the compiled code; written once, because numba takes code for outdated when its text is written again."""
    try:
        present = path.read_text(encoding="utf-8") == source
    except (FileNotFoundError, UnicodeDecodeError):
        present = False
    if not present:
        _replace(path, source)


def _seal(path: Path, compiled: str) -> None:
    """Write down how the compiled files look. Another process that makes the same ones at this moment may have taken them away."""
    with contextlib.suppress(FileNotFoundError):
        files = sorted(Path(compiled).glob(f"{path.stem}.*"))
        sums = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        _replace(path.with_suffix(".sums"), json.dumps(sums))


def _intact(path: Path) -> bool:
    """Whether the compiled files are as they were written. A processor would run whatever stands in them."""
    try:
        sums = json.loads(path.with_suffix(".sums").read_text(encoding="utf-8"))
        return bool(sums) and all(hashlib.sha256(Path(file).read_bytes()).hexdigest() == sum for file, sum in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _forget(path: Path) -> None:
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink(missing_ok=True)
    path.with_suffix(".sums").unlink(missing_ok=True)
