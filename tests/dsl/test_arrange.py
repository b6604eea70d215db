"""Rearranged expressions keep their value; what is fixed leaves the loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvdt.backends.evaluation import evaluate
from dvdt.backends.kernel import Constant, Expr, Kind, Operation, Symbol
from dvdt.dsl.lowering.arrange import Arranger, Pace

VALUES = {
    "v": np.float64(1.7),
    "w": np.float64(-0.6),
    "g": np.float64(2.3),
    "E": np.float64(-1.1),
    "p": np.float64(0.8),
    "@t": np.float64(3.2),
}
PACES = {"v": Pace.FREE, "w": Pace.FREE, "g": Pace.FIXED, "E": Pace.FIXED, "p": Pace.PER_NEURON, "@t": Pace.PER_STEP}

leaves = st.one_of(
    st.sampled_from([Symbol(name) for name in VALUES]),
    st.sampled_from([Constant(value) for value in (0.5, 2.0, -3.0, 1.0)]),
)


def grown(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(lambda n, a, b: Operation(n, (a, b)), st.sampled_from(["add", "subtract", "multiply", "divide"]), parts, parts),
        st.builds(lambda a: Operation("negate", (a,)), parts),
        st.builds(lambda a, n: Operation("power", (a, Constant(n))), parts, st.sampled_from([2, 3, -1, -2])),
        st.builds(lambda a: Operation("tanh", (a,)), parts),
    )


def by_hand(e: Expr) -> tuple[float, float]:
    """The value of an expression, and the largest term on the way: rounding is relative to that."""
    match e:
        case Constant(value):
            return float(value), abs(value)
        case Symbol(name):
            return float(VALUES[name]), abs(float(VALUES[name]))
        case Operation(name, arguments):
            values = [by_hand(a) for a in arguments]
            numbers = [value for value, _ in values]
            result = {
                "add": lambda a, b: a + b,
                "subtract": lambda a, b: a - b,
                "multiply": lambda a, b: a * b,
                "divide": lambda a, b: a / b,
                "negate": lambda a: -a,
                "power": lambda a, n: a**n,
                "tanh": math.tanh,
            }[name](*numbers)
            sizes = [size for _, size in values]
            size = {
                "add": lambda a, b: a + b,
                "subtract": lambda a, b: a + b,
                "multiply": lambda a, b: a * b,
                "divide": lambda a, b: a * b / numbers[1] ** 2,
                "negate": lambda a: a,
                "power": lambda a, n: a**n if n > 0 else a**-n / numbers[0] ** (-2 * numbers[1]),
                "tanh": lambda a: a,
            }[name](*(sizes if name != "power" else (sizes[0], numbers[1])))
            return result, max(abs(result), size)
    raise TypeError(e)


def arranged(expression: Expr) -> tuple[Expr, dict[str, np.float64], Arranger]:
    arranger = Arranger({**dict.fromkeys(VALUES, Kind.REAL), "@t": Kind.DOUBLE}, dict(PACES))
    result = arranger.arrange(expression)
    values = dict(VALUES)
    for hoist in arranger.hoists:
        values[hoist.name] = evaluate(hoist.expression, values)
    for statement in arranger.uniform:
        values[statement.name] = evaluate(statement.expression, values)
    return result, values, arranger


@settings(max_examples=300, deadline=None)
@given(st.recursive(leaves, grown, max_leaves=14))
def test_the_value_stays(expression: Expr) -> None:
    try:
        wanted, size = by_hand(expression)
    except (ZeroDivisionError, OverflowError):
        return
    if not math.isfinite(size) or size > 1e12 or abs(wanted) < 1e-9 * size:
        return
    result, values, _ = arranged(expression)
    assert evaluate(result, values) == pytest.approx(wanted, abs=1e-12 * size)


def test_what_is_fixed_is_computed_once() -> None:
    leak = Operation(
        "divide", (Operation("multiply", (Symbol("g"), Operation("subtract", (Symbol("E"), Symbol("v"))))), Symbol("p"))
    )
    result, _, arranger = arranged(Operation("add", (Symbol("v"), leak)))
    assert [(hoist.per_neuron, hoist.expression) for hoist in arranger.hoists] == [
        (True, Operation("divide", (Symbol("g"), Symbol("p"))))
    ]
    assert result == Operation("fma", (Symbol("@fixed0"), Operation("subtract", (Symbol("E"), Symbol("v"))), Symbol("v")))


def test_what_is_common_to_all_neurons_is_computed_once_a_step() -> None:
    wave = Operation("multiply", (Symbol("g"), Operation("sin", (Symbol("@t"),))))
    result, _, arranger = arranged(Operation("multiply", (Symbol("v"), wave)))
    assert len(arranger.uniform) == 1
    assert result == Operation("multiply", (Symbol(arranger.uniform[0].name), Symbol("v")))


def test_as_written_keeps_the_order() -> None:
    text = Operation("add", (Operation("add", (Symbol("v"), Symbol("w"))), Operation("multiply", (Symbol("v"), Symbol("p")))))
    arranger = Arranger(dict.fromkeys(VALUES, Kind.REAL), dict(PACES))
    assert arranger.keep(text) == text
