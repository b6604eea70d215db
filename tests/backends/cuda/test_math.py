"""The short functions of a device in float32: their formulas on NumPy numbers, with its approximations as far off as they may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from llvmlite import ir
from numpy.typing import NDArray

from dvdt.backends.cuda import math as cuda_math
from dvdt.backends.device_writer import DeviceWriter
from dvdt.backends.lanes import FORMATS, Real

SINGLE = FORMATS["float32"]
ALLOWED = {"ex2": 2, "rcp": 1, "rsqrt": 2, "div": 2}  # units in the last place (PTX ISA)
COMPARE = {"<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal, "==": np.equal}


class Arrays(DeviceWriter):
    """Makes every instruction at once, on arrays; approximations are off by the part `off` (from -1 to 1) of what they may be."""

    def __init__(self, off: float) -> None:
        self.off = off

    def number(self, value: Any) -> Any:
        return np.float32(value.constant) if isinstance(value, ir.Constant) else value

    def two(self, function: Callable[..., Any], *values: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*map(self.number, values))

    def fadd(self, left: Any, right: Any) -> Any:
        return self.two(np.add, left, right)

    def fsub(self, left: Any, right: Any) -> Any:
        return self.two(np.subtract, left, right)

    def fmul(self, left: Any, right: Any) -> Any:
        return self.two(np.multiply, left, right)

    def fneg(self, value: Any) -> Any:
        return -self.number(value)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.two(lambda a, b, c: (np.longdouble(a) * b + c).astype(np.float32), a, b, c)

    def select(self, flag: Any, chosen: Any, other: Any) -> Any:
        return self.two(lambda chosen, other: np.where(flag, chosen, other), chosen, other)

    def fcmp_ordered(self, sign: str, left: Any, right: Any) -> Any:
        return self.two(COMPARE[sign], left, right)

    def fcmp_unordered(self, sign: str, left: Any, right: Any) -> Any:
        return ~self.two(np.equal, left, right)

    def instruction(self, name: str, value: Any, *others: Any) -> Any:
        if name in ALLOWED:
            return self.approximate(name, *map(self.number, (value, *others)))
        functions: dict[str, Any] = {"fmin": np.fmin, "fmax": np.fmax, "fabs": np.abs}
        return self.two(functions[name], value, *others)

    def approximate(self, name: str, value: Any, *others: Any) -> Any:
        exact: dict[str, Any] = {"ex2": np.exp2, "rcp": lambda x: 1 / x, "rsqrt": lambda x: 1 / np.sqrt(x), "div": np.divide}
        with np.errstate(all="ignore"):
            wide = exact[name](*(np.float64(flushed(each) if name != "div" else each) for each in (value, *others)))
            near = wide.astype(np.float32)
            unit = np.spacing(np.abs(near)).astype(np.float64)
            there = np.isfinite(near) & (near != 0)
            made = np.where(there, wide + np.trunc(self.off * ALLOWED[name]) * unit, wide).astype(np.float32)
        return made if name == "div" else flushed(made)


def flushed(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.abs(x) < 2.0**-126, np.copysign(np.float32(0), x), x)


def applied(body: Callable[..., Real], off: float, *values: NDArray[np.float32]) -> NDArray[np.float32]:
    writer = Arrays(off)
    found: NDArray[np.float32] = body(*(Real(writer, value, SINGLE) for value in values)).value
    return found


def errors(body: Callable[..., Real], exact: Callable[[Any], Any], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The largest error in units in the last place at each point, over the two extremes of the approximations and none."""
    with mpmath.workprec(120):
        truth = [exact(mpmath.mpf(float(x))) for x in points]
        units = [float(np.spacing(np.float32(abs(float(true))))) for true in truth]
        found = [
            [float(abs(mpmath.mpf(float(got)) - true)) / unit for got, true, unit in zip(results, truth, units, strict=True)]
            for results in (applied(body, off, points) for off in (-1.0, 0.0, 1.0))
        ]
    return np.max(found, axis=0)


def relative_exp(x: Any) -> Any:
    return mpmath.expm1(x) / x if x else mpmath.mpf(1)


POINTS = (
    np.random.default_rng(3)
    .permutation(
        np.concatenate(
            [np.linspace(-87, 87, 700), np.linspace(-1.2, 1.2, 1200), np.logspace(-30, 0, 60), -np.logspace(-30, 0, 60)]
        )
    )
    .astype(np.float32)
)


@pytest.mark.parametrize(
    ("body", "exact", "points", "bound", "further"),
    [
        (cuda_math.exprel_decay, lambda x: relative_exp(min(x, 0)), np.append(POINTS, np.float32([-1e5, -3e30])), 5.0, 0.0),
        (cuda_math.bernoulli, lambda x: 1 / relative_exp(x), np.append(POINTS, np.float32([-1e5, -3e30])), 6.0, 1.0),
        (cuda_math.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), POINTS, 9.0, 0.0),
    ],
)
def test_errors_are_as_told(body: Any, exact: Any, points: NDArray[np.float32], bound: float, further: float) -> None:
    """`further`: for each unit by which the argument is positive."""
    assert (errors(body, exact, points) < bound + further * np.maximum(points, 0.0)).all()


@pytest.mark.parametrize("off", [-1.0, 0.0, 1.0])
def test_what_is_infinite_or_no_number(off: float) -> None:
    special = np.array([math.inf, -math.inf, math.nan, 0.0, -0.0], np.float32)
    np.testing.assert_array_equal(applied(cuda_math.exprel_decay, off, special), np.float32([1, 0, math.nan, 1, 1]))
    np.testing.assert_array_equal(applied(cuda_math.bernoulli, off, special), np.float32([0, math.inf, math.nan, 1, 1]))
    decided = applied(cuda_math.sigmoid, off, special[:3])
    assert decided[0] == pytest.approx(1.0, abs=3e-7)
    assert 0.0 <= decided[1] < 1e-37
    assert math.isnan(decided[2])


def test_far_out_nothing_returns() -> None:
    """Where e^x is too large for the format the functions are 0, or go as the argument does."""
    large = np.float32([89, 1e3, 1e30])
    np.testing.assert_array_equal(applied(cuda_math.bernoulli, 0.0, large), 0.0)
    np.testing.assert_allclose(applied(cuda_math.bernoulli, 0.0, -large), large, rtol=3e-7)
    np.testing.assert_array_equal(applied(cuda_math.exprel_decay, 0.0, large), 1.0)


def test_quotients_and_roots_in_few_instructions_are_rounded_once() -> None:
    """Whatever the approximation they begin with, so that a seed draws the same numbers everywhere."""
    chance = np.random.default_rng(4)
    top, bottom = (np.float32(chance.uniform(0.3, 45.0, 20000)) for _ in range(2))
    for off in (-0.5, 0.0, 0.5):
        np.testing.assert_array_equal(applied(Real.over, off, top - 10, bottom), (top - 10) / bottom)
        np.testing.assert_array_equal(applied(Real.root, off, bottom), np.sqrt(bottom))
