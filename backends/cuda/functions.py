"""What generated CUDA code calls, by name: functions of the device, or of NumPy where numba's simulator stands in for one.

By default transcendental functions are those of the CUDA library; with `exact` they are the polynomials of the CPU, every sum
and product rounded by itself, so that float64 results are the CPU's bit for bit.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

Functions = Mapping[str, Any]

# Those of the CUDA library, by operation. What it has not (exprel, bernoulli, ...) comes from the polynomials, and so do sin, cos and tan:
# the library's reduce large angles in the memory of the thread.
LIBRARY: Mapping[str, Callable[..., Any]] = {
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "sqrt": math.sqrt,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
}


def simulated() -> bool:
    """Whether numba's simulator stands in for a device (NUMBA_ENABLE_CUDASIM=1)."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def numba_cuda() -> Any:
    """The module of numba, or of numba-cuda, which comes in its place."""
    return import_module("numba.cuda")


def functions(wanted: tuple[str, ...], exact: bool) -> Functions:
    """The functions of these names, for a device or for the simulator."""
    return for_simulator(wanted) if simulated() else for_device(wanted, exact)


def for_device(wanted: tuple[str, ...], exact: bool) -> Functions:
    """The functions of these names as numba compiles them for a device."""
    from .. import random, vector_math
    from . import math as cuda_math

    short = {} if exact else {f"{operation}_f32": function for operation, function in cuda_math.OWN.items()}
    operations = {name: operation for (operation, _), name in vector_math.names().items()}
    found: dict[str, Any] = {}
    for name in wanted:
        if name in short:
            found[name] = short[name]
        elif name in _device():
            found[name] = _device()[name]
        elif name in operations and not exact and operations[name] in LIBRARY:
            found[name] = LIBRARY[operations[name]]
        elif name in operations:
            found[name] = getattr(vector_math, name)
        else:
            found[name] = getattr(random, name)
    return found


@functools.cache
def _device() -> Functions:
    from llvmlite import ir
    from numba.extending import intrinsic

    from .. import primitives
    from ..device_writer import DeviceWriter

    types: Any = import_module("numba.core.types")

    def finite(typing_context: Any, x: Any) -> Any:
        """finite(x)"""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            (value,) = arguments
            return builder.fcmp_ordered("==", builder.fsub(value, value), ir.Constant(value.type, 0.0))

        return types.boolean(x), generate

    def rounded(instruction: str) -> Any:
        """A sum or product that the compiler does not draw together with another."""

        def typed(typing_context: Any, a: Any, b: Any) -> Any:
            kind = typing_context.unify_types(types.unliteral(a), types.unliteral(b))

            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                return getattr(DeviceWriter(builder), instruction)(*arguments)

            return kind(kind, kind), generate

        return intrinsic(typed)

    return {
        "finite": intrinsic(finite),
        "plus": rounded("fadd"),
        "minus": rounded("fsub"),
        "times": rounded("fmul"),
        **{name: getattr(primitives, name) for name in ("below", "maximum", "minimum", "select", "sign")},
    }


def for_simulator(wanted: tuple[str, ...]) -> Functions:
    """The functions of these names on single NumPy numbers, from the reference."""
    from ..evaluation import APPLY
    from ..vector_math import names

    operations = {name: operation for (operation, _), name in names().items()}
    own: Functions = {
        "finite": lambda x: bool(np.isfinite(x)),
        "plus": lambda a, b: a + b,
        "minus": lambda a, b: a - b,
        "times": lambda a, b: a * b,
        **dict.fromkeys(("divide_f32", "over_large_f32"), _one_number(np.divide)),
        "select": lambda condition, chosen, other: chosen if condition else other,
    }
    found: dict[str, Any] = {}
    for name in wanted:
        if name in own:
            found[name] = own[name]
        elif name in operations or name in APPLY:
            found[name] = _one_number(APPLY[operations.get(name, name)])
        else:
            found[name] = _one_draw(*name.rsplit("_", 1))
    return found


def _one_number(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(function(*arguments))[()]

    return apply


def _one_draw(distribution: str, width: str) -> Callable[..., Any]:
    from .. import philox

    distribution, _, pair = distribution.partition("_")
    draw = getattr(philox, distribution)
    precision = np.dtype(np.float64 if width == "f64" else np.float32)

    def apply(neuron: Any, step: Any, stream: Any, k0: Any, k1: Any, *mean: Any) -> Any:
        return draw([int(neuron)], int(step), int(stream), int(k0), int(k1), *mean, precision)[0]

    if not pair:
        return apply
    return lambda neuron, *place: (apply(neuron, *place), apply(neuron + philox.HALF, *place))
