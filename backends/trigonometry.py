"""Circular functions and their inverses over lanes. Every function here has no branch: only selects."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .lanes import Bits, Flag, Real, fma, polynomial, product_error, residual, select

LARGEST_REST = 0.8  # above pi/4, by the rounding of n; sines of it are below 1


@dataclass(frozen=True)
class Turn:
    """x = n pi/2 + r + tail, |r| <= pi/4: bits whose low end is n, r, and tail (below the last bit of r)."""

    n: Bits
    r: Real
    tail: Real

    @property
    def odd(self) -> Flag:
        return (self.n & 1).nonzero()


def _turn(x: Real) -> Turn:
    """Where x is so large that it has no place within a turn, r is cut: sines stay sines."""
    first, second, third = x.format.polynomials.half_pi
    shift = 1.5 * 2.0**x.format.fraction  # adding it rounds to a whole number, found in the low bits
    shifted = fma(x, 2.0 / math.pi, shift)
    n = shifted - shift
    upper = residual(x, n, first)  # exact
    product = n * second
    r = upper - product
    tail = residual(((upper - r) - product) - product_error(n, x.constant(second), product), n, third)
    return Turn(shifted.bits(), r.capped(-LARGEST_REST, LARGEST_REST), select(abs(r) > LARGEST_REST, 0.0, tail))


def _sine(r: Real, tail: Real) -> Real:
    z = r * r
    return r + fma(polynomial(z, r.format.polynomials.sin) * z, r, tail)


def _cosine(r: Real, tail: Real) -> Real:
    z = r * r
    first = fma(z, -0.5, 1.0)
    lost = fma(z, -0.5, 1.0 - first)
    return first + fma(polynomial(z, r.format.polynomials.cos) * z, z, fma(-r, tail, lost))


def sin(x: Real) -> Real:
    """Sine. Below 1 ulp for |x| < 1e5; between -1 and 1 for any number."""
    turn = _turn(x)
    value = select(turn.odd, _cosine(turn.r, turn.tail), _sine(turn.r, turn.tail))
    return select(x.equals(0.0), x, select((turn.n & 2).nonzero(), -value, value))


def cos(x: Real) -> Real:
    """Cosine. Below 1 ulp for |x| < 1e5; between -1 and 1 for any number."""
    turn = _turn(x)
    value = select(turn.odd, _sine(turn.r, turn.tail), _cosine(turn.r, turn.tail))
    return select(((turn.n + 1) & 2).nonzero(), -value, value)


def sinc(x: Real) -> Real:
    """sin(x)/x, 1 at 0. Below 2 ulp for |x| < 1e5."""
    return select(x.equals(0.0), 1.0, sin(x) / x)


def tan(x: Real) -> Real:
    """Tangent. Below 3 ulp for |x| < 1e5."""
    turn = _turn(x)
    sine, cosine = _sine(turn.r, turn.tail), _cosine(turn.r, turn.tail)
    value = select(turn.odd, -cosine, sine) / select(turn.odd, sine, cosine)
    return select(x.equals(0.0), x, value)


def sin_pi(w: Real) -> Real:
    """sin(pi w) for |w| <= 1/2."""
    return polynomial(w * w, w.format.polynomials.sin_pi) * w


# ---- inverses ----------------------------------------------------------------------------------


def _angle(rise: Real, run: Real) -> Real:
    """atan(rise/run) of two numbers >= 0, not both 0 or inf, by the angles from 0, pi/4 and pi/2."""
    steep, middle = rise > run * (2.0**0.5 + 1.0), rise > run * (2.0**0.5 - 1.0)
    top = select(steep, -run, select(middle, rise - run, rise))
    bottom = select(steep, rise, select(middle, rise + run, run))
    t = top / bottom
    z = t * t
    low = t.format.polynomials.pi_low
    base = select(steep, math.pi / 2, select(middle, math.pi / 4, 0.0))
    base_low = select(steep, low / 2, select(middle, low / 4, 0.0))
    return base + (t + fma(polynomial(z, t.format.polynomials.atan) * z, t, base_low))


def atan(x: Real) -> Real:
    """Arc tangent. Below 2 ulp."""
    return _angle(abs(x), x.constant(1.0)).instruction("copysign", x)


def atan2(y: Real, x: Real) -> Real:
    """Angle of the point (x, y), from -pi to pi, with the special cases of C's atan2. Below 3 ulp."""
    rise, run, largest = abs(y), abs(x), x.format.largest
    both = (rise > largest) & (run > largest)
    nothing = rise.equals(0.0) & run.equals(0.0)
    shrink = select((rise > largest / 4) | (run > largest / 4), 0.25, 1.0)  # the sum of both must stay a number
    rise = select(both, 1.0, rise * shrink)
    run = select(both | nothing, 1.0, run * shrink)
    angle = _angle(rise, run)
    behind = (math.pi - angle) + x.format.polynomials.pi_low
    backwards = x.constant(1.0).instruction("copysign", x) < 0.0  # also -0
    return select(backwards, behind, angle).instruction("copysign", y)


def _small_asin(x: Real, z: Real) -> Real:
    """asin(x) for |x| <= 1/2, z = x^2."""
    return fma(polynomial(z, x.format.polynomials.asin) * z, x, x)


def _halves(x: Real) -> tuple[Flag, Real, Real]:
    """Whether |x| > 1/2; then the sine of half the complement of the angle, else |x|; and its square."""
    size = abs(x)
    outer = size > 0.5
    z = select(outer, (1.0 - size) * 0.5, size * size)
    return outer, select(outer, z.instruction("sqrt"), size), z


def asin(x: Real) -> Real:
    """Arc sine; nan outside -1..1. Below 3 ulp."""
    outer, s, z = _halves(x)
    angle = _small_asin(s, z)
    value = select(outer, math.pi / 2 - ((angle + angle) - x.format.polynomials.pi_low / 2), angle)
    return value.instruction("copysign", x)


def acos(x: Real) -> Real:
    """Arc cosine; nan outside -1..1. Below 2 ulp."""
    low = x.format.polynomials.pi_low
    outer, s, z = _halves(x)
    angle = _small_asin(s, z)
    inner = math.pi / 2 - (angle.instruction("copysign", x) - low / 2)
    twice = angle + angle
    return select(outer, select(x < 0.0, math.pi - (twice - low), twice), inner)
