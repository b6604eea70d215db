"""The interpreter against Python's own arithmetic and mathematics, and the compiled spelling of every operation against it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dvdt.backends import evaluation, reference
from dvdt.backends.cpu import program as cpu
from dvdt.backends.evaluation import evaluate
from dvdt.backends.kernel import (
    OPERATIONS,
    Array,
    Assign,
    Constant,
    Emit,
    Expr,
    Kernel,
    Kind,
    Operation,
    Phase,
    Store,
    Symbol,
)
from dvdt.backends.memory import allocate

DOUBLE = np.dtype(np.float64)
NUMBERS = (-7.5, -2.0, -1.0, -0.5, 0.0, 0.3, 1.0, 2.5, 40.0)
SPECIAL = (math.nan, math.inf, -math.inf)


def symbols(*names: str) -> tuple[Expr, ...]:
    return tuple(Symbol(name) for name in names)


def of_two(name: str) -> Operation:
    return Operation(name, symbols("x", "y"))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


OF_ONE: dict[str, Callable[[float], float]] = {
    "negate": lambda x: -x,
    "absolute": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "exp": math.exp,
    "log1p": lambda x: math.log1p(x) if x > -1 else -math.inf if x == -1 else math.nan,
    "expm1": math.expm1,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "cbrt": math.cbrt,
    "log": lambda x: math.log(x) if x > 0 else -math.inf if x == 0 else math.nan,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": lambda x: math.asin(x) if abs(x) <= 1 else math.nan,
    "acos": lambda x: math.acos(x) if abs(x) <= 1 else math.nan,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
    "sinc": lambda x: math.sin(x) / x if x else 1.0,
    "sigmoid": sigmoid,
}

OF_TWO: dict[str, Callable[[float, float], Any]] = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "subtract": lambda x, y: x - y,
    "minimum": min,
    "maximum": max,
    "below": lambda x, y: y if x > y else x,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "atan2": math.atan2,
}


@pytest.mark.parametrize("name", OF_ONE)
def test_operations_of_one_number(name: str) -> None:
    got = evaluate(Operation(name, symbols("x")), {"x": np.array(NUMBERS)})
    np.testing.assert_allclose(got, [OF_ONE[name](x) for x in NUMBERS], rtol=4e-16)


@pytest.mark.parametrize("name", OF_TWO)
def test_operations_of_two_numbers(name: str) -> None:
    x, y = np.meshgrid(NUMBERS, NUMBERS)
    wanted = [OF_TWO[name](float(a), float(b)) for a, b in zip(x.flat, y.flat, strict=True)]
    np.testing.assert_allclose(evaluate(of_two(name), {"x": x, "y": y}).ravel(), wanted, rtol=4e-16)


@pytest.mark.parametrize("kind", [float, int])
def test_division_with_rest_is_that_of_python(kind: type) -> None:
    for a in (-7, -6, 0, 5, 7, 13):
        for b in (-3, -1, 2, 5):
            values = {"x": np.asarray(kind(a)), "y": np.asarray(kind(b))}
            assert evaluate(of_two("floor_divide"), values) == kind(a) // kind(b)
            assert evaluate(of_two("modulo"), values) == kind(a) % kind(b)


@pytest.mark.parametrize("name", ["minimum", "maximum", "add", "sign", "tanh", "exp"])
def test_nan_comes_out_where_it_goes_in(name: str) -> None:
    arguments = symbols("x") if OPERATIONS[name].arity == 1 else symbols("x", "y")
    for x, y in ((math.nan, 1.0), (1.0, math.nan))[: len(arguments)]:
        assert np.isnan(evaluate(Operation(name, arguments), {"x": np.float64(x), "y": np.float64(y)}))


def test_a_bound_does_not_hide_nan() -> None:
    assert np.isnan(evaluate(of_two("below"), {"x": np.float64("nan"), "y": np.float64(1)}))


def test_integer_powers_are_products() -> None:
    for base, exponent in ((1.1, 3), (-2.0, 2), (3.0, -1), (0.0, 0)):
        got = evaluate(Operation("power", (Symbol("x"), Constant(exponent))), {"x": np.float64(base)})
        assert got == pytest.approx(base**exponent, rel=2e-16)


def test_constants_beside_time_are_not_rounded() -> None:
    product = Operation("multiply", (Symbol("t"), Constant(0.1)))
    assert evaluate(product, {"t": np.float64(3)}, precision=np.float32) == 3 * 0.1
    assert evaluate(product, {"t": np.float32(3)}, precision=np.float32).dtype == np.float32


def test_draws_are_asked_of_the_caller() -> None:
    asked = []

    def draw(distribution: str, stream: int, mean: Any) -> Any:
        asked.append((distribution, stream, mean))
        return np.float64(0.5)

    expression = Operation(
        "add", (Operation("normal", (Constant(3),)), Operation("poisson", (Constant(4), Operation("negate", (Constant(-2.0),)))))
    )
    assert evaluate(expression, {}, draw=draw) == 1.0
    assert asked == [("normal", 3, None), ("poisson", 4, 2.0)]
    with pytest.raises(TypeError, match="normal"):
        evaluate(expression, {})


def test_the_sum_is_a_tree_of_neighbours() -> None:
    values = np.array([1e16, 1.0, -1e16, 1.0, 3.0])
    assert reference.total(values) == ((1e16 + 1.0) + (-1e16 + 1.0)) + 3.0
    integers = np.random.default_rng(1).integers(-1000, 1000, 1001)
    assert reference.total(integers) == integers.sum()


def test_ranks() -> None:
    np.testing.assert_array_equal(reference.rank(np.array([1.0, 3.0, math.nan, 3.0, -math.inf])), [2, 0, 4, 1, 3])
    np.testing.assert_array_equal(reference.rank(np.array([5, 7, 5])), [1, 0, 2])


# ---- every operation as the CPU compiles it ----------------------------------------------------


def everything(precision: str) -> Kernel:
    """A kernel that stores the result of each operation on the arrays x and y, m and n."""
    reals = [name for name, row in OPERATIONS.items() if row.takes in ("number", "real") and row.gives == "same"]
    wholes = [name for name, row in OPERATIONS.items() if row.takes in ("number", "integer") and row.gives == "same"]
    tests = [name for name, row in OPERATIONS.items() if row.takes == "number" and row.gives == "boolean"]
    results: list[tuple[str, Kind, Expr]] = []
    for name in reals:
        operands = symbols("x", "y", "y")[: max(OPERATIONS[name].arity, 1) if OPERATIONS[name].arity > 0 else 3]
        results.append((f"{name}_real", Kind.REAL, Operation(name, operands)))
    for name in wholes:
        results.append((f"{name}_whole", Kind.INTEGER, Operation(name, symbols("m", "n")[: abs(OPERATIONS[name].arity)])))
    for name in tests:
        results.append((f"{name}_real", Kind.BOOLEAN, of_two(name)))
        results.append((f"{name}_whole", Kind.BOOLEAN, Operation(name, symbols("m", "n"))))
    low, high = Operation("less", symbols("x", "y")), Operation("greater", (Symbol("x"), Constant(0.25)))
    results += [
        ("finite", Kind.BOOLEAN, Operation("is_finite", symbols("x"))),
        ("both", Kind.BOOLEAN, Operation("and", (low, high, Operation("not", (low,))))),
        ("either", Kind.BOOLEAN, Operation("or", (low, high))),
        ("chosen", Kind.REAL, Operation("where", (low, Symbol("x"), Constant(1.0)))),
        ("chosen_whole", Kind.INTEGER, Operation("where", (low, Symbol("m"), Constant(1)))),
        ("as_real", Kind.REAL, Operation("to_real", (low,))),
        ("as_double", Kind.REAL, Operation("multiply", (Operation("to_double", symbols("m")), Constant(0.1)))),
        ("as_whole", Kind.INTEGER, Operation("to_integer", symbols("y"))),
        ("as_boolean", Kind.BOOLEAN, Operation("to_boolean", symbols("n"))),
        ("infinite", Kind.BOOLEAN, Operation("less", (Symbol("x"), Constant(math.inf)))),
        ("not_a_number", Kind.BOOLEAN, Operation("not_equal", (Constant(math.nan), Constant(math.nan)))),
    ]
    inputs = (*(Array(n, Kind.REAL, False) for n in "xy"), *(Array(n, Kind.INTEGER, False) for n in "mn"))
    arrays = (*inputs, *(Array(f"@{name}", kind, True) for name, kind, _ in results))
    body = tuple(Assign(name, kind, expression) for name, kind, expression in results)
    stores = tuple(Store(f"@{name}", name) for name, _, _ in results)
    return Kernel("everything", arrays, (), (), (), (), (Phase((), body, (), stores),), (), (), ())


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_every_operation_is_compiled_to_what_it_means(precision: str) -> None:
    kernel, dtype = everything(precision), np.dtype(precision)
    grid = np.array([(x, y) for x in (*NUMBERS, *SPECIAL) for y in (*NUMBERS, *SPECIAL)])
    wholes = np.array([(m, n) for m in range(-6, 6) for n in (-3, -1, 1, 2, 5, 0, 7, 11, 12, 40, -40, 3)])
    memories = []
    for build in (reference.build, lambda *made: cpu.build(*made, block=64)):
        memory = allocate(kernel, len(grid), dtype, 0)
        memory.scalars = {"@dt": 0.1}
        memory.reals[0], memory.reals[1] = grid[:, 0], grid[:, 1]
        memory.integers[0], memory.integers[1] = wholes[: len(grid), 0], np.abs(wholes[: len(grid), 1]) + 1
        build(kernel, dtype).advance(memory, 0, 1, 1)
        memories.append(memory)
    expected, got = memories
    tolerance = 3e-15 if precision == "float64" else 2e-6
    for array in kernel.arrays:
        finite = np.isfinite(grid).all(axis=1) | (
            array.name not in ("@as_whole", "@floor_divide_real", "@modulo_real", "@power_real")
        )
        wanted, found = expected.row(kernel, array.name)[finite], got.row(kernel, array.name)[finite]
        np.testing.assert_allclose(
            found, wanted, rtol=tolerance, atol=0 if array.name[1:5] != "tan_" else 1e-6, err_msg=array.name
        )


def test_every_operation_has_a_meaning_and_a_spelling() -> None:
    from dvdt.backends import emit, vector_math

    assert set(OPERATIONS) == {*evaluation.APPLY, "to_real", "call"}  # which depend on the precision, and on what is called
    spelled = {*emit.NODES, *(name for name, _ in vector_math.VECTOR_MATH), "element", "rows", "columns", "call"}
    assert set(OPERATIONS) == spelled & set(OPERATIONS)


def test_the_time_step_is_a_real_and_time_is_not() -> None:
    """In a float32 kernel 0.1 is the nearest float32, but t is k times the float64."""
    arrays = tuple(Array(name, Kind.REAL, True) for name in ("step", "late"))
    fine = Operation("multiply", (Operation("subtract", (Symbol("@t"), Constant(1e5))), Constant(1e6)))
    body = (
        Assign("scaled", Kind.REAL, Operation("multiply", (Symbol("@dt"), Constant(3.0)))),
        Assign("rest", Kind.REAL, fine),
    )
    stores = (Store("step", "scaled"), Store("late", "rest"))
    kernel = Kernel("time", arrays, (), (), (), (), (Phase((), body, (), stores),), (), (), ())
    for build in (reference.build, lambda *made: cpu.build(*made, block=64)):
        memory = allocate(kernel, 1, np.dtype(np.float32), 0)
        memory.scalars = {"@dt": 0.1}
        build(kernel, np.dtype(np.float32)).advance(memory, 1_000_001, 1_000_002, 1)
        assert memory.reals[0, 0] == np.float32(0.1) * np.float32(3.0)
        assert memory.reals[1, 0] == np.float32((1_000_001 * 0.1 - 1e5) * 1e6)


def test_a_flag_that_is_one_for_all() -> None:
    """A flag and a store that hang on no neuron."""
    always = Assign("yes", Kind.BOOLEAN, Constant(True))
    arrays = (Array("x", Kind.REAL, True),)
    kernel = Kernel(
        "always", arrays, (), (), (), (), (Phase((always,), (), (Emit(0, "yes"),), (Store("x", "@dt"),)),), (), ("tick",), ()
    )
    for build in (reference.build, lambda *made: cpu.build(*made, block=64)):
        memory = allocate(kernel, 70, DOUBLE, 0)
        memory.scalars = {"@dt": 0.25}
        build(kernel, DOUBLE).advance(memory, 0, 2, 1)
        assert sorted(np.concatenate([neurons for _, neurons in memory.spikes[0]])) == sorted([*range(70)] * 2)
        assert (memory.reals == 0.25).all()
