"""Whatever stands on a right-hand side: one step of a scheme from several states against mpmath."""

import mpmath
import numpy as np
import pytest

import dvdt

SIDES = {
    "x^x": lambda x: x**x,
    "x^0.3 - x^1.5": lambda x: x ** mpmath.mpf("0.3") - x ** mpmath.mpf("1.5"),
    "k^-x": lambda x: 3 ** (-x),
    "1/x^70": lambda x: x**-70,
    "x^3/(1 + x^2) - x^-2": lambda x: x**3 / (1 + x**2) - x**-2,
    "1/x if x > 0.9 else -2*x": lambda x: 1 / x if x > 0.9 else -2 * x,
    "min(x, 1.1) - 3*max(x, 0.8)": lambda x: min(x, mpmath.mpf("1.1")) - 3 * max(x, mpmath.mpf("0.8")),
    "-abs(x - 1)*x": lambda x: -abs(x - 1) * x,
    "atan2(x, 2) - cbrt(x)*log1p(x)": lambda x: mpmath.atan2(x, 2) - mpmath.cbrt(x) * mpmath.log1p(x),
    "cos(x)*tanh(x) - sinh(x)": lambda x: mpmath.cos(x) * mpmath.tanh(x) - mpmath.sinh(x),
    "sigmoid(-3*x) - exprel(x) - log10(x)": lambda x: 1 / (1 + mpmath.exp(3 * x)) - mpmath.expm1(x) / x - mpmath.log10(x),
    "-x*(x > 0.9) - x": lambda x: -x * (x > 0.9) - x,
}
STATES = [0.55, 0.75, 0.95, 1.3]
STEP = 0.1


def stepped(side, method, backend):
    text = f"dx/dt = ({side})/ms : 1\nk = 3\n"
    result = dvdt.simulate(text, "0.1 ms", n=len(STATES), state={"x": STATES}, method=method, backend=backend, record=["x"])
    return STATES, result["x"][-1]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_one_step_of_euler(side, backend):
    start, after = stepped(side, "euler", backend)
    assert after == pytest.approx([float(x + STEP * SIDES[side](mpmath.mpf(x))) for x in start], rel=1e-13)


@pytest.mark.parametrize("side", SIDES)
def test_one_step_of_exponential_euler(side):
    start, after = stepped(side, "exponential_euler", "reference")
    for x, new in zip(map(mpmath.mpf, start), after, strict=True):
        slope = mpmath.diff(SIDES[side], x, h=mpmath.mpf("1e-8")) * STEP
        growth = mpmath.expm1(slope) / slope if slope < 0 else 1
        assert new == pytest.approx(float(x + STEP * SIDES[side](x) * growth), rel=1e-9)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_pole_on_the_side_that_is_not_taken(backend):
    """At 0 the other side of the choice and its derivative are infinite; the one that is taken is -(1 + x), whose derivative is -1."""
    text = "dx/dt = (1/x if x > 0.5 else -(1 + x))/ms : 1\n"
    result = dvdt.simulate(text, "0.1 ms", method="exponential_euler", backend=backend, record=["x"])
    assert result["x"][-1, 0] == pytest.approx(np.expm1(-STEP), rel=1e-13)
