"""Functions from outside as a device calls them: what they call of math and numpy comes from where the rest of the kernel has it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from .. import outside
from ..kernel import FunctionPlace
from ..unusable import Unusable
from ..vector_math import names
from .functions import functions, numba_cuda, simulated

# the operations of kernels (see `vector_math`) by what math and numpy call them
_ARC = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_ONE = "exp log log10 log2 log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh".split()
OPERATIONS: Mapping[object, str] = {
    **{getattr(math, name): name for name in _ONE if hasattr(math, name)},
    **{getattr(np, _ARC.get(name, name)): name for name in _ONE},
}
# what numba has for a device by the name of math alone
PLAIN: Mapping[object, object] = {
    np.hypot: math.hypot,
    np.fmod: math.fmod,
    np.power: math.pow,
    np.fabs: math.fabs,
    np.arctan2: math.atan2,
}


def compiled(value: object, place: FunctionPlace, exact: bool) -> Any:
    """The function for a device. Raises Unusable for what the processor cannot compile either, for arrays, and for what CUDA has not."""
    try:
        outside.compiled(value, place)
        function = outside.python_function(value)
        made = _device_form(function, exact)
        if not simulated():
            _compile(made, outside.argument_types(function, place))
    except Unusable as reason:
        raise Unusable(f"{place.name} {reason}") from None
    return made


def _compile(made: Any, types: tuple[Any, ...]) -> None:
    try:
        made.compile_device(types)
    except Exception as error:  # numba has many kinds of refusal, and all are about what a person wrote
        raise Unusable(f"cannot be compiled for a GPU: {outside.reason(error)}") from None


def _device_form(function: FunctionType, exact: bool) -> Any:
    def swap(value: object) -> object:
        if isinstance(value, np.ndarray):
            raise Unusable('reads an array, and on a GPU no index is checked; backend="cpu" checks them')
        if isinstance(value, BuiltinFunctionType | np.ufunc):
            return _operation(OPERATIONS[value], exact) if value in OPERATIONS else PLAIN.get(value, value)
        if hasattr(value, "py_func") or (isinstance(value, FunctionType) and not value.__module__.startswith("numpy")):
            return _device_form(outside.python_function(value), exact)
        return value

    return numba_cuda().jit(device=True)(outside.rebound(function, swap))


def _operation(operation: str, exact: bool) -> Any:
    """A function of the kernel for a number of any kind, which is taken to float64 first."""
    spelled = names()[operation, "float64"]
    form = functions((spelled,), exact)[spelled]
    return numba_cuda().jit(device=True)(lambda x: form(np.float64(x)))
