"""What becomes of a kernel on a GPU, without one: the assembly text, and what the assembler says of registers and memory."""

from __future__ import annotations

import contextlib
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..kernel import Kernel
from . import spikes
from .functions import numba_cuda
from .program import namespace_of, signature, text_of

HOPPER = (9, 0)  # compute capability


@dataclass(frozen=True)
class Code:
    """One function of a kernel: registers a thread, bytes that spill from registers, bytes of stack, its text in PTX, its machine code."""

    function: str
    registers: int
    spilled: int
    stack: int
    ptx: str
    cubin: bytes
    neurons: int = 1  # that a thread makes

    @property
    def double(self) -> tuple[str, ...]:
        """The instructions in float64."""
        return tuple(line.strip() for line in self.ptx.splitlines() if ".f64" in line and not line.lstrip().startswith("."))


def code_of(
    kernel: Kernel, precision: np.dtype[np.floating], exact_math: bool = False, capability: tuple[int, int] = HOPPER
) -> tuple[Code, ...]:
    """The functions of a kernel, compiled for a compute capability. Needs the packages of the extra `cuda-ci`, no GPU and no driver."""
    text = text_of(kernel, precision, exact_math)
    namespace = namespace_of(text, exact_math)
    made = _codes({f.name: (namespace[f.name], signature(f, precision)) for f in text.functions}, capability)
    return tuple(replace(code, neurons=function.neurons) for code, function in zip(made, text.functions, strict=True))


def code_of_gathering(capability: tuple[int, int] = HOPPER) -> tuple[Code, ...]:
    """The functions that gather the events of a chunk."""
    defined = spikes.defined()
    wanted = {name: (defined[name.split()[0]], types) for name, types in spikes.signatures().items()}
    return _codes(wanted, capability)


def _codes(functions: Mapping[str, tuple[Any, tuple[Any, ...]]], capability: tuple[int, int]) -> tuple[Code, ...]:
    """What becomes of functions, each with the types of its arguments."""
    with _device_of(capability):
        compiled = {name: numba_cuda().compile_ptx(*function, cc=capability) for name, function in functions.items()}
    return tuple(_assembled(name, ptx, capability) for name, (ptx, _) in compiled.items())


def _assembled(name: str, ptx: str, capability: tuple[int, int]) -> Code:
    core = import_module("cuda.core")
    options = core.LinkerOptions(arch=f"sm_{capability[0]}{capability[1]}", ptxas_options=["-v"])
    parts = [core.ObjectCode.from_ptx(ptx.encode())]
    if "cudaCGSynchronize" in ptx:  # the barrier of all blocks is a function of this library
        library = import_module("numba.cuda.cudadrv.libs").get_cudalib("cudadevrt", static=True)
        parts.append(core.ObjectCode.from_library(Path(library).read_bytes()))
    linker = core.Linker(*parts, options=options)
    linked = linker.link("cubin")
    told = linker.get_info_log() or ""

    def number(pattern: str) -> int:
        found = re.search(pattern, told)
        if found is None:
            raise ValueError(f"the assembler does not tell {pattern!r}: {told}")
        return int(found[1])

    spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
    return Code(name, number(r"Used (\d+) registers"), spilled, number(r"(\d+) bytes stack frame"), ptx, bytes(linked.code))


@contextlib.contextmanager
def _device_of(capability: tuple[int, int]) -> Iterator[None]:
    """Numba asks the present device for its capability when a function calls another one; where there is none, this one answers."""
    module: Any = import_module("numba.cuda.dispatcher")
    asked = module.get_current_device
    module.get_current_device = lambda: types.SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        module.get_current_device = asked
