"""What is computed once a run, against SciPy and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dvdt.backends.kernel import Array, Constant, Hoist, Kernel, Kind, Operation, Propagator, Scalar, Symbol
from dvdt.backends.memory import allocate
from dvdt.backends.prologue import matrix_exponential, propagators, run_prologue


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-3, 1.0, 30.0, 1e3])
def test_the_exponential_agrees_with_scipy(scale: float) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    matrices = np.random.default_rng(4).normal(size=(20, 5, 5)) * scale / 5
    matrices -= 2 * scale * np.eye(5)  # stable, as the systems of neurons are
    for got, matrix in zip(matrix_exponential(matrices), matrices, strict=True):
        np.testing.assert_allclose(got, linalg.expm(matrix), rtol=0, atol=1e-12 * max(1e-280, np.abs(linalg.expm(matrix)).max()))


def test_equal_time_constants_are_no_special_case() -> None:
    """x' = -x/tau + y, y' = -y/tau: the propagator has h*exp(-h/tau), where a formula by eigenvalues divides by 0."""
    tau, h = 20.0, 0.1
    transition, inputs = propagators(np.array([[[-1 / tau, 1.0], [0.0, -1 / tau]]]), np.array([h]))
    decay = np.exp(-h / tau)
    np.testing.assert_allclose(transition[0], [[decay, h * decay], [0, decay]], rtol=1e-15)
    np.testing.assert_allclose(inputs[0, 1, 1], -tau * np.expm1(-h / tau), rtol=1e-15)


def test_no_leak_at_all() -> None:
    transition, inputs = propagators(np.zeros((1, 2, 2)), np.array([0.5]))
    np.testing.assert_array_equal(transition[0], np.eye(2))
    np.testing.assert_allclose(inputs[0], 0.5 * np.eye(2), rtol=1e-16)


def test_what_is_not_finite_stays_with_its_neuron() -> None:
    transition, _ = propagators(np.array([[[np.nan]], [[-1.0]]]), np.array([1.0, 1.0]))
    assert np.isnan(transition[0, 0, 0])
    assert transition[1, 0, 0] == pytest.approx(np.exp(-1.0), rel=1e-15)


def test_a_propagator_for_each_neuron_equals_one_for_all(cases: Any) -> None:
    case = cases["two_compartments"]()
    memory = case.memory(5000)  # more than are computed at once
    leak = memory.row(case.kernel, "leak")
    for neuron in (0, 4999):
        system = np.array([[[-leak[neuron], 0.3], [0.3, -0.5]]])
        transition, inputs = propagators(system, np.array([case.dt]))
        for row in (0, 1):
            assert memory.row(case.kernel, f"q{row}")[neuron] == pytest.approx(inputs[0, row, 0], rel=1e-14)
            for column in (0, 1):
                assert memory.row(case.kernel, f"p{row}{column}")[neuron] == pytest.approx(transition[0, row, column], rel=1e-14)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_hoists_follow_one_another_in_double_precision(precision: Any) -> None:
    kernel = Kernel(
        name="hoists",
        arrays=(Array("tau", Kind.REAL, False), Array("decay", Kind.REAL, False), Array("count", Kind.INTEGER, False)),
        scalars=(Scalar("a", Kind.REAL), Scalar("b", Kind.REAL), Scalar("p", Kind.REAL)),
        series=(),
        matrices=(),
        prologue=(
            Hoist("b", Operation("multiply", (Symbol("a"), Symbol("@dt"), Constant(3.0))), False),
            Hoist("decay", Operation("exp", (Operation("divide", (Symbol("b"), Symbol("tau"))),)), True),
            Hoist("count", Operation("round", (Operation("divide", (Symbol("tau"), Symbol("@dt"))),)), True),
            Propagator(1, Symbol("b"), (Operation("negate", (Symbol("a"),)),), ((0, 0, "p"),), (), False),
        ),
        phases=(),
        probes=(),
        events=(),
        guarded=(),
    )
    memory = allocate(kernel, 3, np.dtype(precision), 0)
    memory.scalars = {"@dt": 0.1, "a": 0.7}
    memory.row(kernel, "tau")[:] = [1, 2, 4]
    run_prologue(kernel, memory)
    assert memory.scalars["b"] == 0.7 * 0.1 * 3.0
    assert memory.scalars["p"] == pytest.approx(np.exp(-0.7 * memory.scalars["b"]), rel=1e-15)
    np.testing.assert_array_equal(
        memory.row(kernel, "decay"), np.exp(memory.scalars["b"] / np.array([1.0, 2, 4])).astype(precision)
    )
    np.testing.assert_array_equal(memory.row(kernel, "count"), [10, 20, 40])
