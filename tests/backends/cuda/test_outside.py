"""Python functions in equations, as a GPU calls them; compiled here without one."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dvdt.backends import outside
from dvdt.backends.kernel import FunctionPlace, Kind
from dvdt.backends.unusable import Unusable

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
    reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
)

TABLE = np.array([1.0, 2.0, 3.0])


def inner(x: float) -> float:
    return math.exp(x) + math.sin(2)


def nested(x: float) -> float:
    return inner(x) * 2


def default(x: float, k: float = 3.0) -> float:
    return x * k


def every(x: Any) -> Any:
    """All that is taken from the rest of the kernel."""
    total = np.exp(x) + np.log(x) + np.log10(x) + np.log2(x) + np.log1p(x) + np.expm1(x) + np.sqrt(x) + np.cbrt(x) + np.tan(x)
    total += math.asin(x) + np.arccos(x) + np.arctan(x) + np.sinh(x) + math.cosh(x) + np.tanh(x) + np.cos(3)
    return total + np.hypot(x, 1.0) + np.fmod(x, 2.0) + np.power(x, 2.0) + np.fabs(x) + np.arctan2(x, 1.0) + math.erf(x)


def interpolated(x: float) -> Any:
    return np.interp(x, (1.0, 2.0), (3.0, 4.0))


def table(x: float) -> Any:
    return TABLE[int(x)]


def nothing(x: float) -> None:
    math.exp(x)


def compiled(function: Callable[..., Any], exact: bool, monkeypatch: pytest.MonkeyPatch) -> Any:
    from dvdt.backends.cuda.outside import compiled as made

    device = SimpleNamespace(compute_capability=(9, 0))
    monkeypatch.setattr(import_module("numba.cuda.dispatcher"), "get_current_device", lambda: device)
    return made(function, FunctionPlace("f", outside.digest(function), (Kind.REAL,), Kind.REAL), exact)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("function", [nested, default, every])
def test_they_become_machine_code(function: Callable[..., Any], exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import cuda, types

    called = compiled(function, exact, monkeypatch)

    def kernel(values: Any) -> None:
        values[0] = called(values[0])

    ptx, _ = cuda.compile_ptx(kernel, (types.float64[::1],), cc=(9, 0))
    assert ".visible .entry" in ptx
    assert ".extern .func" not in ptx


REFUSED = [
    (interpolated, "f cannot be compiled for a GPU: No implementation of function .*interp"),
    (table, 'f reads an array, and on a GPU no index is checked; backend="cpu"'),
    (nothing, "f gives nothing"),
]


@pytest.mark.parametrize(("function", "expected"), REFUSED)
def test_what_cannot_be_part_of_a_kernel_is_told(
    function: Callable[..., Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unusable, match=expected):
        compiled(function, False, monkeypatch)
