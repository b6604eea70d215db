"""The vector mathematics against mpmath, against C's special cases, and against itself in loops of every length."""

from __future__ import annotations

import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from dvdt.backends import vector_math
from dvdt.backends.kernel import OPERATIONS
from dvdt.backends.vector_math import VECTOR_MATH, has_fma

PRECISIONS = ("float64", "float32")
POINTS = 300  # of each interval
EVERYWHERE = (-math.inf, math.inf)

# name: (exact function, bound in ulp, domain, intervals beside random bit patterns)
EXACT: dict[str, tuple[Callable[[Any], Any], float, tuple[float, float], list[tuple[float, float]]]] = {
    "exp": (mp.exp, 1, EVERYWHERE, [(-746, 710), (-104, 89), (-1, 1)]),
    "expm1": (mp.expm1, 2, EVERYWHERE, [(-40, 710), (-17, 89), (-0.5, 0.5), (0.3, 0.5)]),
    "exprel": (lambda x: mp.expm1(x) / x, 2, EVERYWHERE, [(-60, 717), (-17, 95), (-1, 1), (-1e-3, 1e-3), (0.3, 0.5)]),
    "exprel_decay": (lambda x: mp.expm1(x) / x if x < 0 else mp.mpf(1), 2, EVERYWHERE, [(-60, 1), (-1, 1), (-1e-3, 1e-3)]),
    "bernoulli": (lambda x: x / mp.expm1(x), 3, (-math.inf, 87.0), [(-60, 87), (-17, 17), (-1, 1), (-1e-3, 1e-3), (0.3, 0.5)]),
    "log": (mp.log, 1, (0, math.inf), [(0, 10), (0.5, 2), (0.99, 1.01)]),
    "log2": (lambda x: mp.log(x) / mp.log(2), 1, (0, math.inf), [(0, 10), (0.5, 2)]),
    "log10": (mp.log10, 1, (0, math.inf), [(0, 1000), (0.5, 2)]),
    "log1p": (mp.log1p, 2, (-1, math.inf), [(-1, 2), (-0.3, 0.5), (-1e-3, 1e-3), (0, 1e6)]),
    "sqrt": (mp.sqrt, 0.5, (0, math.inf), [(0, 10)]),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), 1, EVERYWHERE, [(-10, 10)]),
    "sin": (mp.sin, 2, (-1e5, 1e5), [(-1e5, 1e5), (-7, 7)]),
    "cos": (mp.cos, 2, (-1e5, 1e5), [(-1e5, 1e5), (-7, 7)]),
    "sinc": (lambda x: mp.sin(x) / x, 2, (-1e5, 1e5), [(-1e5, 1e5), (-7, 7), (-1, 1)]),
    "tan": (mp.tan, 4, (-1e5, 1e5), [(-1e5, 1e5), (-7, 7)]),
    "asin": (mp.asin, 3, (-1, 1), [(-1, 1), (0.49, 0.51), (0.99, 1)]),
    "acos": (mp.acos, 2, (-1, 1), [(-1, 1), (0.49, 0.51), (0.99, 1), (-1, -0.99)]),
    "atan": (mp.atan, 2, EVERYWHERE, [(-10, 10), (0.4, 0.43), (2.3, 2.5)]),
    "sinh": (mp.sinh, 3, EVERYWHERE, [(-711, 711), (-90, 90), (-1, 1)]),
    "cosh": (mp.cosh, 2, EVERYWHERE, [(-711, 711), (-90, 90), (-1, 1)]),
    "tanh": (mp.tanh, 2, EVERYWHERE, [(-22, 22), (-1, 1), (0.5, 0.6)]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), 3, EVERYWHERE, [(-745, 40), (-100, 20), (-5, 5)]),
}
FLAT_BEYOND = {
    "exp": 1000,
    "expm1": 1000,
    "sinh": 1000,
    "cosh": 1000,
    "sigmoid": 1000,
    "tanh": 100,
}  # the exact value is out of range or constant
TWO_ARGUMENTS = ("power", "atan2", "modulo", "floor_divide")
LOOPS: dict[tuple[str, str], Any] = {}


def over_arrays(name: str, precision: str) -> Any:
    """A compiled loop (arrays of arguments..., array of results) over one function of the table."""
    if (name, precision) not in LOOPS:
        function, array = VECTOR_MATH[name, precision], f"{precision}[::1]"
        if name == "fma":

            @njit(f"void({array}, {array}, {array}, {array})")
            def loop(a: Any, b: Any, c: Any, result: Any) -> None:
                for i in range(result.size):
                    result[i] = function(a[i], b[i], c[i])
        elif name in TWO_ARGUMENTS:

            @njit(f"void({array}, {array}, {array})")
            def loop(a: Any, b: Any, result: Any) -> None:
                for i in range(result.size):
                    result[i] = function(a[i], b[i])
        else:

            @njit(f"void({array}, {array})")
            def loop(a: Any, result: Any) -> None:
                for i in range(result.size):
                    result[i] = function(a[i])

        LOOPS[name, precision] = loop
    return LOOPS[name, precision]


def evaluate(name: str, precision: str, *arguments: Any) -> Any:
    arrays = [np.ascontiguousarray(argument, precision) for argument in arguments]
    result = np.empty_like(arrays[0])
    over_arrays(name, precision)(*arrays, result)
    return result


def bit_patterns(precision: str, count: int, seed: int = 1) -> Any:
    bits = np.uint64 if precision == "float64" else np.uint32
    return np.random.default_rng(seed).integers(0, np.iinfo(bits).max, count, bits).view(precision)


def error_in_ulp(computed: Any, exact: Any, precision: str) -> float:
    """|computed - exact| in units of the last place of the exact value (of the smallest subnormal below the normal numbers)."""
    limits = np.finfo(precision)
    if not np.isfinite(computed):
        overflow = np.isinf(computed) and abs(exact) >= mp.mpf(float(limits.max)) and (exact > 0) == (computed > 0)
        return 0.0 if overflow else math.inf
    exponent = mp.frexp(exact)[1] - 1 if exact else limits.minexp
    unit = mp.ldexp(1, max(int(exponent), int(limits.minexp)) - limits.nmant)
    return float(abs(mp.mpf(float(computed)) - exact) / unit)


def largest_error(name: str, precision: str, points: Any) -> tuple[float, float]:
    function, _, (low, high), _ = EXACT[name]
    flat = FLAT_BEYOND.get(name, math.inf)
    points = points[np.isfinite(points) & (points > low) & (points < high) & (points != 0)]
    with mp.workprec(220):
        found = [
            (error_in_ulp(value, function(mp.mpf(max(min(float(x), flat), -flat))), precision), float(x))
            for x, value in zip(points, evaluate(name, precision, points), strict=True)
            if not (name == "exprel" and x > 800)
        ]
    return max(found)


# ---- accuracy ----------------------------------------------------------------------------------


def test_the_table_names_operations_of_the_kernel() -> None:
    assert {name for name, _ in VECTOR_MATH} <= set(OPERATIONS)
    assert {(name, precision) for name in EXACT for precision in PRECISIONS} <= set(VECTOR_MATH)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", EXACT)
def test_error_is_within_the_bound(name: str, precision: str) -> None:
    rng = np.random.default_rng(sum(map(ord, name)))
    points = [rng.uniform(low, high, POINTS).astype(precision) for low, high in EXACT[name][3]]
    error, worst = largest_error(name, precision, np.concatenate([*points, bit_patterns(precision, 2 * POINTS)]))
    assert error <= EXACT[name][1], f"{name}({worst!r}) is wrong by {error} ulp"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_power_is_within_four_ulp(precision: str) -> None:
    rng = np.random.default_rng(2)
    steep = 3000 if precision == "float64" else 500
    whole = rng.integers(-20, 20, POINTS)
    cases = [
        (rng.uniform(0, 10, POINTS), rng.uniform(-20, 20, POINTS)),
        (rng.uniform(0.8, 1.25, POINTS), rng.uniform(-steep, steep, POINTS)),
        (1 + rng.uniform(-1e-5, 1e-5, POINTS), rng.uniform(-1e6, 1e6, POINTS)),
        (rng.uniform(-20, 20, POINTS), whole),
        (abs(bit_patterns(precision, POINTS)), rng.uniform(-2, 2, POINTS)),
    ]
    x, y = (np.concatenate([part.astype(precision) for part in column]) for column in zip(*cases, strict=True))
    keep = np.isfinite(x) & (x != 0)
    x, y = x[keep], y[keep]
    with mp.workprec(220):
        for base, exponent, value in zip(x, y, evaluate("power", precision, x, y), strict=True):
            size = mp.exp(max(min(mp.mpf(float(exponent)) * mp.log(abs(mp.mpf(float(base)))), 2000), -2000))
            exact = -size if base < 0 and exponent % 2 == 1 else size
            assert error_in_ulp(value, exact, precision) <= 4, (base, exponent)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_atan2_is_within_three_ulp(precision: str) -> None:
    rng = np.random.default_rng(3)
    y = np.concatenate([rng.normal(size=POINTS).astype(precision), bit_patterns(precision, POINTS, 4)])
    x = np.concatenate([rng.normal(size=POINTS).astype(precision), bit_patterns(precision, POINTS, 5)])
    keep = np.isfinite(x) & np.isfinite(y)
    with mp.workprec(220):
        for rise, run, value in zip(y[keep], x[keep], evaluate("atan2", precision, y[keep], x[keep]), strict=True):
            assert error_in_ulp(value, mp.atan2(mp.mpf(float(rise)), mp.mpf(float(run))), precision) <= 3, (rise, run)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_powers_of_the_base_have_whole_logarithms(precision: str) -> None:
    exponents = np.arange(-37, 38)
    assert np.array_equal(evaluate("log2", precision, 2.0**exponents), exponents)
    tens = np.array([10**n for n in range(11)], precision)  # exact in float32 too
    assert np.array_equal(evaluate("log10", precision, tens), np.arange(11))


# ---- special values ----------------------------------------------------------------------------


def special_values(precision: str) -> Any:
    limits = np.finfo(precision)
    positive = [
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        4.5,
        1e20,
        math.inf,
        limits.tiny,
        limits.smallest_subnormal,
        limits.max,
        limits.eps,
        1 + limits.eps,
    ]
    return np.array([*positive, *(-value for value in positive), math.nan], precision)


def assert_same(found: Any, wanted: Any, ulps: int, arguments: Any) -> None:
    """Equal, nan with nan, zeros with their sign, finite numbers to a few ulp."""
    for value, other, argument in zip(found, wanted, arguments, strict=True):
        exact = (np.isnan(value) and np.isnan(other)) or (value == other and np.signbit(value) == np.signbit(other))
        near = (
            np.isfinite(value)
            and np.isfinite(other)
            and other != 0
            and abs(value - other) <= ulps * np.finfo(found.dtype).eps * abs(other)
        )
        assert exact or near, f"{argument}: {value!r} instead of {other!r}"


C_FUNCTIONS = "exp expm1 log log1p log2 log10 sqrt cbrt sinh cosh tanh arctan arcsin arccos floor ceil".split()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", C_FUNCTIONS)
def test_special_values_are_those_of_c(name: str, precision: str) -> None:
    x = special_values(precision)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x.astype(np.float64)).astype(precision)
    assert_same(evaluate(name.replace("arc", "a"), precision, x), wanted, 3, x)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_limits_of_functions_that_c_has_not(precision: str) -> None:
    inf, nan = math.inf, math.nan
    x = [0.0, -0.0, inf, -inf, nan]
    assert_same(evaluate("exprel", precision, x), [1.0, 1.0, inf, 0.0, nan], 0, x)
    assert_same(evaluate("exprel_decay", precision, x), [1.0, 1.0, 1.0, 0.0, nan], 0, x)
    assert_same(evaluate("bernoulli", precision, x), [1.0, 1.0, 0.0, inf, nan], 0, x)
    assert_same(evaluate("sinc", precision, x), [1.0, 1.0, nan, nan, nan], 0, x)
    assert_same(evaluate("sigmoid", precision, x), [0.5, 0.5, 1.0, 0.0, nan], 0, x)
    for name in ("sin", "tan"):
        assert_same(evaluate(name, precision, x), [0.0, -0.0, nan, nan, nan], 0, x)
    assert_same(evaluate("cos", precision, x), [1.0, 1.0, nan, nan, nan], 0, x)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sines_of_huge_numbers_stay_sines(precision: str) -> None:
    x = bit_patterns(precision, 2000)
    x = x[np.isfinite(x)]
    for name in ("sin", "cos"):
        assert np.all(abs(evaluate(name, precision, x)) <= 1)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "reference"), [("power", np.power), ("atan2", np.arctan2)])
def test_special_pairs_are_those_of_c(name: str, reference: Any, precision: str) -> None:
    a, b = (column.ravel() for column in np.meshgrid(special_values(precision), special_values(precision)))
    with np.errstate(all="ignore"):
        wanted = reference(a.astype(np.float64), b.astype(np.float64)).astype(precision)
    assert_same(evaluate(name, precision, a, b), wanted, 4, list(zip(a, b, strict=True)))


# ---- rounding and remainders -------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_halves_go_to_the_even_neighbour(precision: str) -> None:
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 1e20, -0.0])
    assert_same(evaluate("round", precision, x), np.array([-2, -2, -0.0, 0, 2, 2, 2, 1e20, -0.0], precision), 0, x)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_remainders_follow_python(precision: str) -> None:
    rng = np.random.default_rng(6)
    divisor = rng.uniform(0.1, 1, POINTS)
    x = np.concatenate([rng.normal(size=POINTS) * 100, rng.integers(-50, 50, POINTS), rng.integers(1, 999, POINTS) * divisor])
    y = np.concatenate([rng.normal(size=POINTS), rng.integers(1, 9, POINTS) * rng.choice([-1, 1], POINTS), divisor])
    x, y = (
        np.append(x, [5, -5, 5, -5, 1e9, 0, -0.0]).astype(precision),
        np.append(y, [math.inf, math.inf, -math.inf, -math.inf, 0.1, 3, 3]).astype(precision),
    )
    pairs = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    assert_same(evaluate("modulo", precision, x, y), np.array([a % b for a, b in pairs], precision), 0, pairs)
    if precision == "float64":  # Python divides in float64
        assert_same(evaluate("floor_divide", precision, x, y), np.array([a // b for a, b in pairs]), 0, pairs)
    else:
        wanted = np.array([math.floor(Fraction(a) / Fraction(b)) for a, b in pairs if math.isfinite(b)], precision)
        assert np.array_equal(evaluate("floor_divide", precision, x, y)[np.isfinite(y)], wanted)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_remainders_that_python_refuses_are_nan(precision: str) -> None:
    assert np.all(np.isnan(evaluate("modulo", precision, [1.0, 0.0, math.inf, math.nan, 1.0], [0.0, 0.0, 2.0, 1.0, math.nan])))


@pytest.mark.skipif(not has_fma(), reason="this processor has no fused multiply-add")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_fma_rounds_once(precision: str) -> None:
    a, b = np.random.default_rng(7).normal(size=(2, 100)).astype(precision)
    c = -(a * b)  # what is left is the rounding error of the product, exactly
    wanted = [float(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))) for x, y, z in zip(a, b, c, strict=True)]
    assert np.array_equal(evaluate("fma", precision, a, b, c), np.array(wanted, precision))
    assert np.any(np.array(wanted) != 0)


# ---- vectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "precision"), VECTOR_MATH)
def test_a_loop_of_any_length_gives_the_same_bits(name: str, precision: str) -> None:
    rng = np.random.default_rng(8)
    count = 3 if name == "fma" else 2 if name in TWO_ARGUMENTS else 1
    arguments = [
        np.concatenate([rng.normal(size=30) * 3, special_values(precision)[:10]]).astype(precision) for _ in range(count)
    ]
    alone = np.array([evaluate(name, precision, *(argument[i : i + 1] for argument in arguments))[0] for i in range(40)])
    for length in range(1, 41):
        together = evaluate(name, precision, *(argument[:length] for argument in arguments))
        assert np.array_equal(together, alone[:length], equal_nan=True)
    assert np.array_equal(
        evaluate(name, precision, *(np.tile(argument, 5) for argument in arguments)), np.tile(alone, 5), equal_nan=True
    )


def test_a_scalar_call_gives_the_same_bits() -> None:
    exp, sin, log, power = (VECTOR_MATH[name, "float64"] for name in ("exp", "sin", "log", "power"))

    @njit("UniTuple(float64, 4)(float64)")
    def call(x: float) -> tuple[float, ...]:
        return exp(x), sin(x), log(x), power(x, 0.3)

    x = np.random.default_rng(9).uniform(0.1, 30, 64)
    arrays = [evaluate(name, "float64", x) for name in ("exp", "sin", "log")] + [
        evaluate("power", "float64", x, np.full(64, 0.3))
    ]
    assert np.array_equal([call(value) for value in x], np.transpose(arrays))


LIBM = re.compile(
    r"\b(exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|a(?:sin|cos|tan|tan2)|(?:sin|cos|tan)h|cbrt|fma|fmod|floor|ceil|rint|trunc)f?\b"
)


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64") or not has_fma(), reason="reads the assembly of AVX2 and AVX-512"
)
@pytest.mark.parametrize(("name", "precision"), VECTOR_MATH)
def test_a_loop_becomes_vector_instructions(name: str, precision: str) -> None:
    (text,) = over_arrays(name, precision).inspect_asm().values()
    code = [line.partition("#")[0] for line in text.splitlines() if line.startswith("\t") and not line.startswith("\t.")]
    assert not [line for line in code if LIBM.search(line.replace("%", "$$"))]
    packed = "pd" if precision == "float64" else "ps"
    assert [line for line in code if re.match(rf"\tv\w+{packed}\t.*%[yz]mm", line)]


def test_the_guard_sees_calls_of_the_mathematics_library() -> None:
    @njit("void(float64[::1], float64[::1])")
    def loop(a: Any, result: Any) -> None:
        for i in range(result.size):
            result[i] = math.exp(a[i])

    (text,) = loop.inspect_asm().values()
    assert [line for line in text.splitlines() if LIBM.search(line)]


def test_arguments_of_another_precision_are_refused() -> None:
    from numba.core.errors import TypingError

    exp = vector_math.exp_f64
    with pytest.raises(TypingError):
        njit("float64(float32)")(lambda x: exp(x))


WITHOUT_FMA = """
import math
from numba import njit
from dvdt.backends.vector_math import exp_f64, sin_f64, pow_f64, modulo_f64, has_fma
assert not has_fma()
f = njit("UniTuple(float64, 4)(float64)")(lambda x: (exp_f64(x), sin_f64(x), pow_f64(x, 3.7), modulo_f64(x, 0.1)))
for k in range(1, 500):
    x = k * 0.173
    for found, wanted in zip(f(x), (math.exp(x), math.sin(x), x**3.7, x % 0.1)):
        assert abs(found - wanted) <= 2 * math.ulp(wanted), (x, found, wanted)
"""


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="every other processor has a fused multiply-add"
)
def test_without_fused_multiply_add() -> None:
    environment = {**os.environ, "NUMBA_CPU_NAME": "generic"}
    done = subprocess.run([sys.executable, "-c", WITHOUT_FMA], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
