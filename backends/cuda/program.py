"""The CUDA backend: a Kernel compiled by numba for an NVIDIA GPU, one thread a neuron, state on the device from run to run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ..kernel import Kernel, Kind
from ..machine_code import defined
from ..memory import Memory, Outcome
from ..serial import to_plain
from ..unusable import Unavailable
from .arrays import bytes_of
from .cache import functions_for
from .device import Device
from .functions import functions, numba_cuda, simulated
from .generate import generate
from .generate_coupled import generate_coupled
from .generate_pairs import generate_pairs, shares_draws
from .machine import beginning, gpu, obstacle, refuse_what_needs, running
from .reductions import ON_DEVICE, SIMULATED
from .spikes import kernels
from .text import Argument, Function, Text

__all__ = ["CudaProgram", "Unavailable", "build", "namespace_of", "signature", "text_of"]

Outside = Mapping[str, object]


def build(
    kernel: Kernel, precision: np.dtype[np.floating], outside: Outside = MappingProxyType({}), *, exact_math: bool = False
) -> CudaProgram:
    """Compile the kernel for "float32" or "float64", or take it from the cache.

    outside      the functions from outside that the kernel calls
    exact_math   functions are the CPU's polynomials and every operation is rounded by itself: float64 states are the CPU's bit for bit

    Raises Unavailable where there is no GPU, no driver or no numba-cuda, and where the GPU, the driver and the packages do not match.
    """
    if why := obstacle():
        raise Unavailable(why)
    start = time.perf_counter()
    precision = np.dtype(precision)
    text = text_of(kernel, precision, exact_math)
    with beginning():
        functions, compiled = _functions(kernel, text, precision, exact_math, outside)
        if kernel.events:
            kernels(precision, kernel.timed)  # they too are compiled here, not in the run
    return CudaProgram(kernel, precision, compiled, time.perf_counter() - start, text, functions)


def _functions(
    kernel: Kernel, text: Text, precision: np.dtype[np.floating], exact_math: bool, outside: Outside
) -> tuple[Mapping[str, Any], bool]:
    """The functions of the text, each compiled for its arguments, and whether they had to be."""
    content = json.dumps([text.source, precision.name, exact_math, [to_plain(function) for function in kernel.functions]])
    types = {function.name: signature(function, precision) for function in text.functions}
    device = "" if simulated() else gpu().architecture

    def define(wanted: bool) -> Mapping[str, Any]:
        if not wanted:
            return defined(text.source)
        from .outside import compiled

        called = {name for name, _ in text.outside}
        made = {each.name: compiled(outside[each.name], each, exact_math) for each in kernel.functions if each.name in called}
        return namespace_of(text, exact_math, made)

    return functions_for(content, device, types, define)


def text_of(kernel: Kernel, precision: np.dtype[np.floating], exact_math: bool = False) -> Text:
    """The text that `build` compiles, with the functions it defines and their arguments."""
    from ..vector_math import names

    if kernel.coupled:
        return generate_coupled(kernel, precision.name, names(), exact_math, SIMULATED if simulated() else ON_DEVICE)
    make = generate_pairs if shares_draws(kernel) else generate
    return make(kernel, precision.name, names(), exact_math)


def namespace_of(text: Text, exact_math: bool, called: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The functions of a generated text, not yet compiled; `called` are functions from outside, as a device calls them."""
    given = {spelled: called[name] for name, spelled in text.outside}
    return defined(text.source, {"cuda": numba_cuda(), **given, **functions(text.imports, exact_math)})


def signature(function: Function, precision: np.dtype[np.floating]) -> tuple[Any, ...]:
    """The numba types of the arguments of a generated function."""
    from numba import types

    real = types.float32 if precision == np.float32 else types.float64
    kinds = {Kind.REAL: real, Kind.DOUBLE: types.float64, Kind.INTEGER: types.int64, Kind.BOOLEAN: types.boolean}
    arrays = {
        **dict.fromkeys(("reals", "reals_out", "fixed", "series", "matrix", "parts", "keys"), real[:, ::1]),
        "double_parts": types.float64[:, ::1],
        **dict.fromkeys(("whole", "whole_out", "fixed_whole", "whole_parts", "whole_keys"), types.int64[:, ::1]),
        "listed": types.int32[:, :, ::1],
        "counts": types.int32[:, ::1],
        **dict.fromkeys(("before", "status"), types.int64[::1]),
        "moments": real[:, :, ::1],
        "column": types.int32[::1],
        **dict.fromkeys(("steps", "capacity", "due", "apart"), types.int32),
        "interval": types.float64,
        "dt": real,
    }

    def of(argument: Argument) -> Any:
        if argument.of == "scalar":
            return kinds[argument.kind]
        if argument.of == "values":
            return kinds[argument.kind][:, ::1]
        return arrays.get(argument.of, types.int64)

    return tuple(map(of, function.arguments))


# ---- the program --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CudaProgram:
    kernel: Kernel
    precision: np.dtype[np.floating]
    compiled: bool
    compile_seconds: float
    text: Text
    functions: Mapping[str, Any]

    @property
    def source(self) -> str:
        return self.text.source

    def refuse_what_does_not_fit(self, n: int) -> None:
        """Raise Unavailable where the arrays of `n` neurons need more than is free on the GPU; nothing has been allocated yet."""
        if not simulated():
            with beginning():
                free, _ = numba_cuda().current_context().get_memory_info()
            refuse_what_needs(bytes_of(self.kernel, n, self.precision), f"{n} neurons of {self.kernel.name}", free)

    @property
    def first_chunk(self) -> int:
        """A step of a coupled kernel may be much longer than what its neurons do."""
        return 1 << 20 if self.kernel.coupled else 1 << 24

    @running()
    def advance(self, memory: Memory, first: int, last: int, threads: int = 1) -> Outcome:
        """Make the steps first..last-1 on the device, in chunks; `threads` is of no account."""
        return self.settle(memory).run(first, last)

    @running()
    def record(self, memory: Memory, step: int) -> None:
        """Write the recordings that are due at `step`, from the present values."""
        if memory.recordings:
            self.settle(memory).record(step)

    @beginning()
    def settle(self, memory: Memory) -> Device:
        """The arrays of a memory on the device, as new as those in the main memory."""
        if not isinstance(memory.device, Device) or memory.device.functions is not self.functions:
            memory.bring_home()
            memory.device = Device(self.kernel, self.text, self.functions, memory)
        memory.device.refresh()
        return memory.device
