"""What replaces a removable singularity is equal to it elsewhere, and finite where it stands."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

from dvdt.backends.evaluation import evaluate
from dvdt.backends.kernel import Kind
from dvdt.dsl.safe_forms import safe
from dvdt.dsl.symbolic import call, from_sympy

v, k, V = sympy.symbols("v k V")


def exp(x: sympy.Expr) -> sympy.Expr:
    return call("exp", x)


def expm1(x: sympy.Expr) -> sympy.Expr:
    return call("expm1", x)


# expression, its value by mpmath, the voltage where it is 0/0; k = 4, V = -63
REMOVABLE = [
    (v / (exp(v) - 1), lambda x: x / mpmath.expm1(x), 0.0),
    (v**2 / (exp(v) - 1) ** 2, lambda x: (x / mpmath.expm1(x)) ** 2, 0.0),
    ((1 - exp(-v)) / v, lambda x: -mpmath.expm1(-x) / x, 0.0),
    (expm1(v / k) / v, lambda x: mpmath.expm1(x / 4) / x, 0.0),
    (call("sin", 3 * v) / v, lambda x: mpmath.sin(3 * x) / x, 0.0),
    (v / call("sin", 3 * v), lambda x: x / mpmath.sin(3 * x), 0.0),
    ((v - V) / k / (exp((v - V) / k) - 1), lambda x: (x + 63) / 4 / mpmath.expm1((x + 63) / 4), -63.0),
    (sympy.Float(0.32) * (V - v) / (exp((V - v) / k) - 1), lambda x: 0.32 * (-63 - x) / mpmath.expm1((-63 - x) / 4), -63.0),
    (v * (3 - 4 * exp(-v * k)) / (1 - exp(-v * k)), lambda x: x * (3 - 4 * mpmath.exp(-4 * x)) / -mpmath.expm1(-4 * x), 0.0),
]
LEFT_ALONE = [1 / (exp(v) - 1), (v - 1) / (exp(v) - 1), v / (exp(v) + 1), v**2 / (exp(V) - 1), v * exp(v)]


@pytest.mark.parametrize(("expression", "exact", "singular"), REMOVABLE, ids=[str(row[0]) for row in REMOVABLE])
def test_equal_elsewhere_and_finite_there(expression: sympy.Expr, exact: object, singular: float) -> None:
    plain = from_sympy(safe(expression), {"v": Kind.REAL, "k": Kind.REAL, "V": Kind.REAL})
    points = singular + np.array([-3.1, -0.3, -1e-6, -1e-12, 1e-9, 2e-4, 0.7, 2.9])
    got = evaluate(plain, {"v": points, "k": np.float64(4.0), "V": np.float64(-63.0)})
    np.testing.assert_allclose(got, [float(exact(mpmath.mpf(x))) for x in points], rtol=1e-13)
    with mpmath.workdps(50):
        limit = float(exact(mpmath.mpf(singular) + mpmath.mpf("1e-25")))
    assert evaluate(plain, {"v": np.float64(singular), "k": np.float64(4.0), "V": np.float64(-63.0)}) == pytest.approx(
        limit, rel=1e-13
    )


@pytest.mark.parametrize("expression", LEFT_ALONE, ids=str)
def test_what_is_not_removable_stays_as_it_was_written(expression: sympy.Expr) -> None:
    assert safe(expression) == expression
