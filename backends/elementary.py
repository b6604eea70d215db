"""Exponentials, logarithms and powers over lanes. Every function here has no branch: only selects."""

from __future__ import annotations

from .lanes import Bits, Format, Real, fma, polynomial, polynomial_in_pairs, product_error, select

LOG2_E = 1.4426950408889634
LN_2 = 0.6931471805599453

# ---- exponentials ------------------------------------------------------------------------------


def _reduce(x: Real, bias: int) -> tuple[Bits, Real, Real]:
    """x = n ln 2 + r + tail, |r| <= ln(2)/2: bits whose low end is n + bias, r, and tail (below the last bit of r)."""
    high, low = x.format.polynomials.ln2
    shift = 1.5 * 2.0**x.format.fraction + bias  # adding it rounds to a whole number, found in the low bits
    shifted = fma(x, LOG2_E, shift)
    n = shifted - shift
    upper = fma(n, -high, x)
    r = fma(n, -low, upper)
    return shifted.bits(), r, fma(n, -low, upper - r)


def _reduce_at_once(x: Real) -> tuple[Bits, Real]:
    """As `_reduce`, by one product with ln 2."""
    shift = 1.5 * 2.0**x.format.fraction + x.format.bias
    shifted = fma(x, LOG2_E, shift)
    return shifted.bits(), fma(shifted - shift, -LN_2, x)


def _growth(r: Real, tail: Real) -> Real:
    """e^(r + tail) - 1 of a reduced r."""
    square = r * r
    return r + fma(polynomial_in_pairs(r, square, r.format.polynomials.exp), square, tail)


def _growth_of_reduced(r: Real) -> Real:
    """e^r - 1 of a reduced r."""
    square = r * r
    return fma(polynomial_in_pairs(r, square, r.format.polynomials.exp), square, r)


def _exp_of_reduced(r: Real) -> Real:
    return _growth_of_reduced(r) + 1.0


def _at_most(x: Real, bound: float) -> Real:
    return select(x > bound, bound, x)


def _at_least(x: Real, bound: float) -> Real:
    return select(x < bound, bound, x)


def _power_of_two(exponent: Bits) -> Real:
    """2^(n - bias), n the low end of the bits."""
    return (exponent << exponent.format.fraction).real()


def _scales(x: Real, n: Bits) -> tuple[Real, Real, Bits]:
    """2^n as a product of two numbers that stay in range (n carries twice the bias), and the second one's exponent."""
    half = n >> 1
    rest = n - half
    return _power_of_two(half), _power_of_two(rest), rest


def _range(form: Format) -> tuple[float, float]:
    """Arguments of exp beyond which it is 0 or inf."""
    return (-745.2, 709.79) if form.name == "float64" else (-104.0, 88.73)


def exp(x: Real) -> Real:
    """e^x. Below 1 ulp."""
    n, r, _ = _reduce(x.capped(*_range(x.format)), 2 * x.format.bias)
    first, second, _ = _scales(x, n)
    return _exp_of_reduced(r) * first * second


def _scaled_expm1(x: Real, halvings: int = 0) -> tuple[Real, Real]:
    """(e^x - 1)/2^halvings as a product of two, the second a power of two that is 1 or near the square root of the first."""
    n, r, tail = _reduce(x, 2 * x.format.bias - halvings)
    first, second, exponent = _scales(x, n)
    inverse = _power_of_two(2 * x.format.bias - halvings - exponent)  # 2^-halvings/second
    return fma(first, _growth(r, tail), first - inverse), second


def expm1(x: Real) -> Real:
    """e^x - 1, accurate near 0. Below 2 ulp."""
    first, second = _scaled_expm1(x.capped(-50.0, _range(x.format)[1]))
    return _keep_small(x, first * second)


def _keep_small(x: Real, value: Real) -> Real:
    """An odd function with slope 1 at 0: x itself, with its sign and its last bit, where it is tiny."""
    return select(abs(x) < 2.0 ** -(x.format.fraction + 2), x, value)


def exprel(x: Real) -> Real:
    """(e^x - 1)/x, 1 at 0. Below 2 ulp."""
    bound = x.capped(-50.0, _range(x.format)[1] + 8.0)
    first, second = _scaled_expm1(bound)
    ratio = first / select(x < bound, x, bound) * second  # below the bound, -1/x
    return select(abs(x) < 2.0 ** -(x.format.fraction + 1), 1.0, ratio)


def _expm1_in_range(x: Real, decaying: bool = False) -> Real:
    """e^x - 1 where 2^n is a normal number, n nearest to x/ln 2.

    What is lost when n ln 2 is subtracted at once grows as n; where n is negative, 2^n makes it less than it was.
    """
    n, r = _reduce_at_once(x) if decaying else _reduce(x, x.format.bias)[:2]
    scale = _power_of_two(n)
    return fma(scale, _growth_of_reduced(r), scale - 1.0)


def exprel_decay(x: Real) -> Real:
    """(e^z - 1)/z of z = min(x, 0), 1 at 0 and above. Below 2 ulp. Cheaper than exprel: what only decays cannot overflow."""
    below = _at_most(x, -(2.0 ** -(x.format.fraction + 8)))  # there e^x - 1 is x itself, and nothing is 0/0
    return _expm1_in_range(_at_least(below, -50.0), decaying=True) / below  # under -50, -1/x


def bernoulli(x: Real) -> Real:
    """x/(e^x - 1), 1 at 0: one division where 1/exprel(x) has two. Below 3 ulp up to where e^x overflows, 0 behind."""
    top = _range(x.format)[1] - 1.0
    apart = select(x.equals(0.0), x.format.smallest, x)  # what is as small as that is e^x - 1 itself: 1, not 0/0
    return select(x > top, 0.0, apart) / _expm1_in_range(apart.capped(-50.0, top))  # under -50, -x


def tanh(x: Real) -> Real:
    """Hyperbolic tangent. Below 2 ulp."""
    size = abs(x)
    far = size > 0.55
    n, r, _ = _reduce((size * -2.0).capped(-60.0, 0.0), x.format.bias)
    decay = _exp_of_reduced(r) * _power_of_two(n)  # e^(-2|x|)
    z = size * size
    above, below = x.format.polynomials.tanh  # x - tanh(x) = x z above/below near 0
    top = select(far, decay + decay, size * z * polynomial(z, above))
    bottom = select(far, decay + 1.0, polynomial(z, below))
    return (select(far, 1.0, size) - top / bottom).instruction("copysign", x)


def sinh(x: Real) -> Real:
    """Hyperbolic sine. Below 3 ulp."""
    bound = abs(x).capped(0.0, _range(x.format)[1] + 1.0)
    first, second = _scaled_expm1(bound, halvings=1)
    half = first * second
    value = select(half > x.format.largest, half, half + half / fma(half, 2.0, 1.0))
    return _keep_small(x, value.instruction("copysign", x))


def cosh(x: Real) -> Real:
    """Hyperbolic cosine. Below 2 ulp."""
    n, r, _ = _reduce(abs(x).capped(0.0, _range(x.format)[1] + 1.0), 2 * x.format.bias - 1)
    first, second, _ = _scales(x, n)
    half = _exp_of_reduced(r) * first * second
    return half + 0.25 / half


def sigmoid(x: Real) -> Real:
    """1/(1 + e^-x). Below 3 ulp."""
    small = exp(-abs(x))
    return select(x < 0.0, small, 1.0) / (small + 1.0)


# ---- logarithms --------------------------------------------------------------------------------


def _split(x: Real) -> tuple[Real, Real]:
    """x > 0 as 2^k m with m from sqrt(1/2) to sqrt(2): k and m."""
    digits = x.format.fraction + 2
    tiny = x < x.format.smallest
    k, m = _split_normal(select(tiny, x * 2.0**digits, x))
    return select(tiny, k - digits, k), m


def _split_normal(x: Real) -> tuple[Real, Real]:
    form = x.format
    root = x.constant(0.5**0.5).bits()
    offset = x.bits() - root + (2 * form.bias << form.fraction)
    number = (offset >> form.fraction) | x.constant(2.0**form.fraction).bits()  # k as a number, by its fraction's bits
    mantissa = (offset & ((1 << form.fraction) - 1)) + root
    return number.real() - (2.0**form.fraction + 2 * form.bias), mantissa.real()


def _log_of_split(k: Real, f: Real, correction: Real | None = None) -> Real:
    """k ln 2 + log(1 + f) (+ correction), with s = f/(2 + f): log(1 + f) = f - (f^2/2 - s (f^2/2 + R(s^2)))."""
    high, low = f.format.polynomials.ln2
    s = f.over(f + 2.0)
    z = s * s
    half_square = f * 0.5 * f
    rest = fma(k, low, s * fma(polynomial(z, f.format.polynomials.log), z, half_square))
    if correction is not None:
        rest = rest + correction
    return fma(k, high, f - (half_square - rest))


def _log_limits(x: Real, value: Real) -> Real:
    """Logarithm of 0, of inf, of what is negative, of nan."""
    value = select(x > x.format.largest, x, value)
    return select(x > 0.0, value, select(x.equals(0.0), -float("inf"), float("nan")))


def log(x: Real) -> Real:
    """Natural logarithm. Below 1 ulp."""
    k, m = _split(x)
    return _log_limits(x, _log_of_split(k, m - 1.0))


def log_of_normal(x: Real, below_one: Real | None = None) -> Real:
    """Natural logarithm of a number that is known to be positive, finite and not subnormal; `below_one` is 1 - x, more exactly."""
    k, m = _split_normal(x)
    f = m - 1.0
    return _log_of_split(k, f if below_one is None else select(k.equals(0.0), -below_one, f))


def log1p(x: Real) -> Real:
    """log(1 + x), accurate near 0. Below 2 ulp."""
    u = x + 1.0
    lost = select(abs(x) < 1.0, x - (u - 1.0), 1.0 - (u - x)) / u
    k, m = _split(u)
    inside = k.equals(0.0)
    value = _log_of_split(k, select(inside, x, m - 1.0), select(inside, 0.0, lost))
    return _keep_small(x, _log_limits(u, value))


def _long_log(x: Real) -> tuple[Real, Real]:
    """Logarithm of x > 0 in twice the precision, high and low part."""
    form = x.format
    k, m = _split(x)
    f, d = m - 1.0, m + 1.0
    reciprocal = 1.0 / d
    s = f * reciprocal
    s_low = -(product_error(s, d, f) + s * (m - (d - 1.0))) * reciprocal
    u = s * s
    u_low = fma(s * 2.0, s_low, product_error(s, s, u))
    q = polynomial(u, form.polynomials.log_tail) * u
    third, third_low = form.polynomials.two_thirds
    t = q + third
    t_low = (third - t) + q + third_low
    w = u * t
    w_low = fma(u, t_low, fma(u_low, t, product_error(u, t, w)))
    v = s * w
    v_low = fma(s, w_low, fma(s_low, w, product_error(s, w, v)))
    twice = s + s
    a = twice + v
    high, low = form.polynomials.ln2
    whole = k * high
    b = whole + a
    rest = fma(k, low, (whole - b) + a + ((twice - a) + v + fma(s_low, 2.0, v_low)))
    return b, rest


def _log_in_base(x: Real, factor: tuple[float, float]) -> Real:
    high, low = _long_log(x)
    scale = x.constant(factor[0])
    product = high * scale
    value = product + fma(high, factor[1], fma(low, scale, product_error(high, scale, product)))
    return _log_limits(x, value)


def log2(x: Real) -> Real:
    """Logarithm to base 2; exact at powers of two. Below 1 ulp."""
    return _log_in_base(x, x.format.polynomials.log2_of_e)


def log10(x: Real) -> Real:
    """Logarithm to base 10; exact at powers of ten. Below 1 ulp."""
    return _log_in_base(x, x.format.polynomials.log10_of_e)


# ---- powers ------------------------------------------------------------------------------------


def power(x: Real, y: Real) -> Real:
    """x^y with every special case of IEEE 754's pow. Below 2 ulp."""
    base = abs(x)
    high, low = _long_log(base)
    high = _log_limits(base, high)
    exponent = y.capped(-1e30, 1e30)  # as good as infinite, and 0 times it is 0
    product = high * exponent
    rest = fma(exponent, low, product_error(high, exponent, product))
    value = _exp_of_sum(product, select(abs(product) < 800.0, rest, 0.0))
    return _power_limits(x, y, value)


def _exp_of_sum(x: Real, rest: Real) -> Real:
    """e^(x + rest), rest below the last bit of x."""
    n, r, tail = _reduce(x.capped(*_range(x.format)), 2 * x.format.bias)
    first, second, _ = _scales(x, n)
    total = r + (tail + rest)
    return _exp_of_reduced(total) * first * second


def _power_limits(x: Real, y: Real, value: Real) -> Real:
    """Signs, invalid arguments and what is 1 whatever the other argument is."""
    whole = y.instruction("floor").equals(y)
    half = y * 0.5
    odd = whole & half.instruction("floor").differs(half)
    value = select(odd, value.instruction("copysign", x), value)
    value = select((x < 0.0) & (x >= -x.format.largest) & ~whole, float("nan"), value)
    value = select(x.differs(x) | y.differs(y), x + y, value)
    return select(y.equals(0.0) | x.equals(1.0), 1.0, value)


def cbrt(x: Real) -> Real:
    """Cube root. Below 1 ulp but for rare last bits."""
    size = abs(x)
    tiny, huge = size < x.format.smallest * 2.0**60, size > x.format.largest * 2.0**-60
    scaled = size * select(tiny, 2.0**60, select(huge, 2.0**-60, 1.0))
    root = exp(log(scaled) * (1.0 / 3.0))
    square = root * root
    error = fma(square, root, -scaled) + product_error(root, root, square) * root
    root = root - error / (square * 3.0)
    value = root * select(tiny, 2.0**-20, select(huge, 2.0**20, 1.0))
    return select((size > 0.0) & (size <= x.format.largest), value.instruction("copysign", x), x)
