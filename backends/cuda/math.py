"""Functions in float32 for a device: of the forms that its arithmetic has, those with the fewest instructions.

A multiprocessor of compute capability 9.0 makes 128 sums and products in a clock, 64 comparisons or choices, and 16 of the approximations
that its unit for functions knows: 2^x and 1/x, which are right to two units in the last place and to one (PTX ISA, "ex2", "rcp"), and take
numbers below 2^-126 for zero. So a function here is a short polynomial where it is near to what would cancel, and one or two such
approximations elsewhere. Bounds of the error are in units in the last place against the exact value, with both approximations at their
worst.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..elementary import LN_2, LOG2_E
from ..lanes import Real, fma, intrinsic_of, polynomial, select

# Minimax polynomials (Remez, relative to the function), the highest power first.
EXPREL = (0.0010357106, 0.0080732545, 0.041576955, 0.16665293, 0.4999993)  # ((e^x - 1)/x - 1)/x, -0.7 <= x <= 0
BERNOULLI = (3.1497944e-05, -0.0013879574, 0.08333317)  # (x/(e^x - 1) + x/2 - 1)/x^2 of x^2, |x| <= 1
LARGEST = 88.0  # e^x of what is not above is finite


def _smaller(x: Real, bound: float) -> Real:
    """The smaller one; the bound where x is nan."""
    return x.instruction("fmin", x.constant(bound))


def _larger(x: Real, bound: float) -> Real:
    return x.instruction("fmax", x.constant(bound))


def _exp2(x: Real) -> Real:
    return x.instruction("ex2")


def _reciprocal(x: Real) -> Real:
    return x.instruction("rcp")


def _exp_and(x: Real, more: float) -> Real:
    """e^x + `more`, |x| <= LARGEST: what x log2(e) loses when it is rounded is put back."""
    exponent = x * LOG2_E
    lost = fma(exponent, -LN_2, x)
    power = _exp2(exponent)
    return fma(power, lost, power + more)


def quotient(a: Real, b: Real) -> Real:
    """a/b. Below 3 ulp: the full range, without the branch of a division that is rounded once."""
    return a.instruction("div", b)


def over_large(a: Real, b: Real) -> Real:
    """a/b, for b that is not below 2^-126: two instructions. Below 3 ulp; where b is above 2^126, 0."""
    return a * _reciprocal(b)


def exprel_decay(x: Real) -> Real:
    """(e^z - 1)/z of z = min(x, 0), 1 at 0 and above. Below 5 ulp."""
    z = _smaller(x, 0.0)
    near = fma(polynomial(z, EXPREL), z, 1.0)
    far = (_exp2(x * LOG2_E) - 1.0) * _reciprocal(x)
    return select(x >= -0.7, near, far)


def bernoulli(x: Real) -> Real:
    """x/(e^x - 1), 1 at 0. Below 6 ulp, and where x is positive x ulp more, as if x were rounded once more; less than 1e-36 is 0."""
    square = x * x
    near = fma(x, -0.5, fma(polynomial(square, BERNOULLI), square, 1.0))
    far = _smaller(x, LARGEST) * _reciprocal(_exp2(x * LOG2_E) - 1.0)
    return select(abs(x) > 1.0, far, near)


def sigmoid(x: Real) -> Real:
    """1/(1 + e^-x). Below 9 ulp; less than 1e-38 is 0."""
    return _reciprocal(_exp_and((-x).capped(-LARGEST, LARGEST), 1.0))


def _of(body: Callable[..., Real], arity: int = 1) -> Any:
    return intrinsic_of(body, "float32", arity)


# by operation of the kernel, and what generated code has beside it
OWN: Mapping[str, Any] = {
    "divide": _of(quotient, 2),
    "over_large": _of(over_large, 2),
    "exprel_decay": _of(exprel_decay),
    "bernoulli": _of(bernoulli),
    "sigmoid": _of(sigmoid),
}
