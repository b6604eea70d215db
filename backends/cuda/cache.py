"""Functions of a device, compiled by numba for given arguments and kept on disk: a process that finds them calls no compiler.

What is kept is numba's own kernel (assembly text, machine code, how arguments are passed), pickled; what launches it is numba's dispatcher.
"""

from __future__ import annotations

import base64
import functools
import pickle
import sys
import threading
import zlib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any

from .. import cache
from ..machine_code import own_digest
from .functions import numba_cuda, simulated

Types = tuple[Any, ...]  # numba's types of the arguments of a function
Functions = Mapping[str, Any]

PACKAGES = ("numba", "numba-cuda", "llvmlite", "numpy", "cuda-bindings", "cuda-core")

_LOADED: dict[str, Functions] = {}  # as in `machine_code`: looked up by the digest of what it was made from
_LOCK = threading.Lock()


@functools.cache
def environment() -> str:
    """What code of a device depends on beside its text and the device: everything in this folder, the compilers, Python."""
    _, *nvrtc = import_module("cuda.bindings.nvrtc").nvrtcVersion()
    toolkit = nvrtc, import_module("cuda.bindings.nvvm").version(), _linker()
    return cache.digest(own_digest(), sys.version, *(f"{package} {version(package)}" for package in PACKAGES), repr(toolkit))


def _linker() -> object:
    """The version of nvJitLink; where it is missing, the driver links, whose version is part of the key."""
    try:
        return import_module("cuda.bindings.nvjitlink").version()
    except (ImportError, RuntimeError):
        return None


def functions_for(
    content: str, device: str, types: Mapping[str, Types], define: Callable[[bool], Functions]
) -> tuple[Functions, bool]:
    """The functions of some content, ready to be launched, and whether they had to be compiled.

    They come from this process, from disk, or from `define(True)`, which gives them in Python; what is found on disk needs no more of them
    than their names and arguments, `define(False)`. `device` says what they are compiled for, `types` are those of each function's
    arguments. On the simulator nothing is compiled or kept.
    """
    if simulated():
        defined = define(True)
        return {name: numba_cuda().jit(defined[name]) for name in types}, True
    key = cache.digest("cuda", content, device, repr(sorted(types.items())), environment())
    with _LOCK:
        if key in _LOADED:
            return _LOADED[key], False
        kept = _kept(key)
        defined = define(kept is None)
        # what is assembled is the text whose registers and spills the tests look at; left to itself numba compiles twice, to link at last
        functions = {name: numba_cuda().jit(defined[name], lto=False) for name in types}
        if kept is None:
            kernels = {name: function.compile(types[name]) for name, function in functions.items()}
            cache.write(key, {name: _packed(kernel) for name, kernel in kernels.items()})
        else:
            for name, kernel in kept.items():
                kernel.bind()
                functions[name].add_overload(kernel, types[name])
        _LOADED[key] = functions
        return functions, kept is None


def _kept(key: str) -> Functions | None:
    """Numba's kernels by the names of their functions. They are pickled in a folder that is the user's alone (see `cache`)."""
    found = cache.read(key)
    if found is None:
        return None
    return {name: pickle.loads(zlib.decompress(base64.b64decode(text))) for name, text in found.items()}


def _packed(kernel: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(kernel))).decode()
