"""Rounding, remainders and roots over lanes: what processors have instructions for, or nearly."""

from __future__ import annotations

from .lanes import Flag, Real, residual, select


def sqrt(x: Real) -> Real:
    """Square root, correctly rounded; nan of what is negative."""
    return x.instruction("sqrt")


def floor(x: Real) -> Real:
    """The largest integer that is not above x."""
    return x.instruction("floor")


def ceil(x: Real) -> Real:
    """The smallest integer that is not below x."""
    return x.instruction("ceil")


def round_even(x: Real) -> Real:
    """The nearest integer, halves to the even one."""
    return x.instruction("rint")


def _remainder(x: Real, y: Real) -> tuple[Real, Flag]:
    """x - q y, |x - q y| < |y|, for an integer q, exactly; and whether Python's remainder is that plus y.

    nan for y = 0, for infinite x, and where x/y has more than twice the bits of a number.
    """
    rest = x
    for _ in range(2):  # each pass takes off as many bits of the quotient as a number has
        rest = residual(rest, (rest / y).instruction("trunc"), y)
    rest = select(abs(x) < abs(y), x, rest)
    rest = select(abs(rest) < abs(y), rest, float("nan"))
    return rest, ((rest < 0.0) & (y > 0.0)) | ((rest > 0.0) & (y < 0.0))


def modulo(x: Real, y: Real) -> Real:
    """Python's x % y: it has the sign of y. nan where Python raises, and where x/y has more than twice the bits of a number."""
    rest, other_side = _remainder(x, y)
    value = select(other_side, rest + y, rest)
    return select(value.equals(0.0), value.instruction("copysign", y), value)


def floor_divide(x: Real, y: Real) -> Real:
    """Python's x // y; x/y where y is 0 or the quotient has no digits after the point."""
    rest, other_side = _remainder(x, y)
    quotient = x / y
    value = ((x - rest) / y).instruction("rint") - select(other_side, 1.0, x.constant(0.0))
    value = select(value.equals(0.0), value.instruction("copysign", quotient), value)
    whole = (abs(quotient) >= 2.0**x.format.fraction) & (abs(x) <= x.format.largest)
    return select(whole | y.equals(0.0), quotient, value)
