"""Python functions that a text calls: against closed forms, in the units that are declared, refused in words where they cannot be."""

import functools
import math
import os
import subprocess
import sys
from math import exp
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

import dvdt
from dvdt.backends.outside import digest

BACKENDS = ("reference", "cpu")
TABLE = np.array([0.0, 1.0, 4.0, 9.0])
FACTOR = 3.0


def run(text, function, backend="cpu", duration="10 ms", **arguments):
    return dvdt.simulate(text, duration, parameters={"f": function}, backend=backend, **arguments)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_logistic_equation_has_its_closed_form(backend, precision):
    result = run(
        "dx/dt = f(x)/(5 ms) : 1\nx(0) = 0.1\nf(x) : 1", lambda x: x * (1 - x), backend, method="rk4", precision=precision
    )
    expected = 1 / (1 + 9 * math.exp(-2))
    assert result.final_state["x"][0] == pytest.approx(expected, rel=1e-8 if precision == "float64" else 1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_and_result_have_their_declared_units(backend):
    """A conductance in uS of a potential in volt and a current in nA: 70 mV is 0.07, 500 pA is 0.5, and 2e-3 uS are 2 nS."""
    seen = "g = f(v, I) : uS\ndv/dt = 0 mV/ms\nv(0) = 70 mV\nI = 500 pA\nf(a : V, b : nA) : uS"
    result = run(seen, lambda a, b: a * b * 2e-3 / 0.035, backend, record=["g"])
    assert result.units["g"] == "uS"
    assert result["g"][0, 0] == pytest.approx(2e-3, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_time_and_index_are_arguments(backend):
    """dx/dt = cos(2 pi t/(8 ms)) + i, t counted in ms and i whole: sin(2 pi t/8)*8/(2 pi) + i t."""

    def drive(t, i):
        return math.cos(2 * math.pi * t / 8) + (10, 20, 30)[i] / 10 - 1

    result = run("dx/dt = f(t, i)/ms : 1\nf(t : ms, i : integer) : 1", drive, backend, n=3, method="rk4", duration="3 ms")
    expected = math.sin(2 * math.pi * 3 / 8) * 8 / (2 * math.pi) + 3.0 * np.arange(3)
    # of a function of time alone Simpson's rule, whose error is (2 pi/80)^4/2880 = 1.3e-8
    assert result.final_state["x"] == pytest.approx(expected, rel=2e-8)


def test_annotations_say_the_units_that_the_text_does_not():
    def gain(v: "mV", w: Annotated[float, "pA"], n: int) -> "nS":  # noqa: F821
        return n * v + w

    model = dvdt.Model("g = gain(v, w, 2)\ndv/dt = 0 mV/ms\ndw/dt = 0 pA/ms\nv(0) = 3 mV\nw(0) = 4 pA", parameters={"gain": gain})
    assert "gain(v : mV, w : pA, n : integer) : nS" in model.text
    assert dvdt.simulate(model, "1 ms", record=["g"])["g"][0, 0] == 10.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_of_parameters_is_a_parameter_and_follows_them(backend):
    """tau = f(C): hoisted out of the loop, also one value a neuron; v decays by exp(-t/tau)."""
    text = "dv/dt = -v/tau : 1\nv(0) = 1\ntau = f(C)\nC = 2 pF\nf(c : pF) : ms"
    result = dvdt.simulate(text, "4 ms", n=2, parameters={"f": lambda c: 2 * c, "C": np.array([1.0, 2.0])}, backend=backend)
    assert result.final_state["v"] == pytest.approx([math.exp(-2), math.exp(-1)], rel=1e-12)


def test_a_text_and_its_functions_are_read_together():
    """The annotations count also where the text declares the function without units, or calls it alone."""

    def f(t: "ms") -> "1":  # noqa: F821
        return 2 * t

    for declared in ("", "\nf(t) : 1", "\nf(x) : 1"):
        result = dvdt.simulate("dx/dt = f(t)/ms : 1" + declared, "3 ms", parameters={"f": f}, method="rk4", backend="reference")
        assert result.final_state["x"][0] == pytest.approx(9, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_plain_texts_hand_over_plain_numbers(backend):
    result = run("time in ms\ndx/dt = f(t)\nf(t : s) : 1", lambda t: 2e6 * t, backend, method="rk4", duration="2 ms")
    assert result.final_state["x"][0] == pytest.approx(2e6 * 2e-3, rel=1e-12)  # the integral of 2e3*t, t in ms


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("declared", "function", "expected"), [("integer", lambda x: int(x) + 1, 4), ("boolean", lambda x: x > 3, 1)]
)
def test_results_may_be_whole_numbers_and_truth_values(backend, declared, function, expected):
    result = run(f"k = f(x)\ndx/dt = 0/ms\nx(0) = 3.5\nf(x) : {declared}", function, backend, record=["k"])
    assert result["k"][0, 0] == expected
    assert result["k"].dtype.kind == {"integer": "i", "boolean": "b"}[declared]


def helper(x):
    return exp(-x) * FACTOR


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_function_reads_is_part_of_it(backend):
    scale = 2.0

    def reads(x, k=1.5):
        return helper(x) + scale + k + TABLE[int(x)] + np.tanh(x) + math.sqrt(-x + 5)

    result = run("y = f(x)\ndx/dt = 0/ms\nx(0) = 2\nf(x) : 1", reads, backend, record=["y"])
    expected = 3 * math.exp(-2) + 2 + 1.5 + 4 + math.tanh(2) + math.sqrt(3)
    assert result["y"][0, 0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arithmetic_that_python_refuses_gives_what_machines_give(backend):
    result = run("y = f(x)\ndx/dt = 0/ms\nf(x) : 1", lambda x: math.exp(1000 + x) + 1 / x, backend, record=["y"])
    assert result["y"][0, 0] == math.inf


# ---- schemes -----------------------------------------------------------------------------------


def test_schemes_that_need_a_derivative_refuse_and_name_the_function():
    text = "dx/dt = (f(x) - x)/(5 ms) : 1\nf(x) : 1"
    with pytest.raises(dvdt.UsageError, match=r"exponential_euler cannot .* hides x in the function f"):
        run(text, lambda x: x * x, method="exponential_euler")
    with pytest.raises(dvdt.UsageError, match=r"exact cannot .* not linear: the term f\(x\)/5"):
        run(text, lambda x: x * x, method="exact")
    assert run(text, lambda x: x * x).report.scheme == "rk2"


def test_a_function_of_other_states_leaves_an_equation_linear_in_its_own():
    text = "dm/dt = (f(v) - m)/(5 ms) : 1\ndv/dt = -v/(10 ms) : mV\nv(0) = 20 mV\nf(v : mV) : 1"
    own = "dm/dt = (1/(1 + exp(-v/(5 mV))) - m)/(5 ms) : 1\ndv/dt = -v/(10 ms) : mV\nv(0) = 20 mV"
    mine = run(text, lambda v: 1 / (1 + math.exp(-v / 5)), record=["m"])
    assert mine.report.scheme == "exponential_euler"
    assert mine["m"] == pytest.approx(dvdt.simulate(own, "10 ms", record=["m"])["m"], rel=1e-13, abs=1e-15)


def test_explain_shows_the_call_before_anybody_gives_the_function():
    explanation = str(dvdt.Model("dx/dt = f(x)/(5 ms) : 1\nf(x) : 1").explain())
    assert "f(x)" in explanation


# ---- refusals ----------------------------------------------------------------------------------


def raising(x):
    if x < 0:
        raise ValueError("negative")
    return x


def recursive(x):
    return recursive(x - 1) if x > 0 else 0.0


def complex_number(x):
    return 1j * x


def nothing(x):
    return missing(x)  # noqa: F821


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (raising, "f raises an exception, which a kernel cannot; give `math.nan`"),
        (recursive, "f calls itself"),
        (nothing, "f uses `missing`, which is not defined"),
        (lambda x: os.getpid() * x, "f uses the module `os`; math and numpy can be used"),
        (lambda x: np.random.rand() * x, "f draws random numbers; draw them in the text"),
        (lambda x: [1.0, 2.0][sys.maxsize] * x, "f uses the module `sys`"),
        (lambda x: PATHS[0] * x, "f reads `PATHS`, a list"),
        (lambda x, y: x, r"the model calls f\(x\), and the function takes x, y"),
        (lambda: 1.0, "takes no argument, so it is one value"),
        (lambda *x: x[0], r"the argument \*x of the function has no place"),
        (functools.partial(max, 1.0), "this is partial; write it with `def` or `lambda`"),
        (3.0, "give a Python function of 1 argument"),
        (dvdt.TimedSeries([1.0], "1 ms"), "give a Python function of 1 argument"),
    ],
)
def test_what_cannot_be_part_of_a_kernel_is_refused_before_a_run(function, reason):
    with pytest.raises(dvdt.UsageError, match=reason):
        dvdt.Population("dx/dt = f(x)/ms : 1\nf(x) : 1", parameters={"f": function})


PATHS = [1.0]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x.real[0], "f cannot be compiled: "),
        (complex_number, "f gives a complex number, where the text declares a number"),
        (lambda x: None, "f gives nothing"),
        (lambda x: (x, x), "f gives a tuple"),
        (lambda x: "a", "f gives a text"),
    ],
)
def test_what_numba_refuses_is_told_in_one_line(function, reason):
    with pytest.raises(dvdt.UsageError, match=reason) as error:
        run("dx/dt = f(x)/ms : 1\nf(x) : 1", function)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_a_wrong_kind_is_refused_by_both_backends():
    with pytest.raises(dvdt.UsageError, match="f gives float64, where the text declares a whole number"):
        run("k = f(x)\ndx/dt = 0/ms\nf(x) : integer", lambda x: x / 2, record=["k"])
    with pytest.raises(dvdt.RunError, match="f gave a float64, where the text declares a whole number"):
        run("k = f(x)\ndx/dt = k/ms\nf(x) : integer", lambda x: x / 2, "reference")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_index_outside_an_array_stops_the_run_and_keeps_the_results(backend):
    """x grows by 1 each ms and passes the table's end at 100 ms. What is in the results has been recorded, for all neurons."""
    squares = np.arange(100.0) ** 2
    text = "dx/dt = 1/ms\ny = f(x)\ndz/dt = y/ms\nf(x) : 1"
    told = {"record": ["x"], "method": "euler", "n": 600, "dt": "0.1 ms"}
    with pytest.raises(dvdt.RunError, match="f") as error:
        run(text, lambda x: squares[int(x)], backend, "200 ms", **told)
    rows = error.value.result["x"]
    assert 0 < len(rows) <= 1002
    np.testing.assert_allclose(rows, np.repeat(np.arange(len(rows))[:, None] / 10, 600, axis=1), rtol=1e-9)


def test_units_that_disagree_are_refused():
    def f(v: "V") -> "nS":  # noqa: F821
        return v

    with pytest.raises(dvdt.UsageError, match="takes its argument v in V, and the model says mV; they have to agree"):
        dvdt.Population("dv/dt = -v*f(v)/(1 pF) : mV\nf(v : mV) : nS", parameters={"f": f})
    with pytest.raises(dvdt.UsageError, match="gives its result in nS, and the model says S"):
        dvdt.Population("dv/dt = -v*f(v)/(1 pF) : mV\nf(v : V) : S", parameters={"f": f})


def test_nobody_says_the_unit_of_the_result():
    with pytest.raises(
        dvdt.UsageError, match=r"nobody says the unit of what f gives; declare it in the text, such as `f\(x : mV"
    ):
        dvdt.Model("dv/dt = f(v) : mV", parameters={"f": lambda x: x})


def test_a_quantity_for_a_plain_argument_is_a_mistake_of_the_text():
    with pytest.raises(dvdt.ModelError) as error:
        dvdt.Model("dv/dt = -v*f(v)/(1 pF) : mV\nf(v) : nS", parameters={"f": lambda v: v})
    (mistake,) = error.value.mistakes
    assert "declare it as `f(v : mV) : ...`" in mistake.help


# ---- what tells functions apart ------------------------------------------------------------------


def test_the_digest_is_that_of_what_is_computed():
    def make(factor):
        return lambda x: factor * x

    assert digest(make(2.0)) == digest(make(2.0))
    assert digest(make(2.0)) != digest(make(2))  # a whole number is computed with otherwise
    assert digest(make(2.0)) != digest(make(3.0))
    assert digest(make(np.array([1.0]))) != digest(make(np.array([2.0])))
    assert digest(lambda x: x + 1) != digest(lambda x: x + 2)
    assert digest(lambda x: math.sin(x)) != digest(lambda x: math.cos(x))


def test_a_function_can_be_changed_in_a_running_simulation():
    sim = dvdt.Simulation("dx/dt = f(x)/ms : 1\nf(x) : 1", parameters={"f": lambda x: 1.0}, method="euler")
    sim.run("1 ms")
    assert sim.state["x"][0] == pytest.approx(1)
    with pytest.raises(dvdt.UsageError):
        sim.parameters["f"] = 3.0


SCRIPT = """
import sys, dvdt, math

def f(v: "mV") -> "1":
    return FACTOR/(1 + math.exp(-v/5))

FACTOR = float(sys.argv[1])
text = "dm/dt = (f(v) - m)/(5 ms)\\ndv/dt = -v/(10 ms) : mV\\nv(0) = 20 mV"
result = dvdt.simulate(dvdt.Model(text, parameters={"f": f}), "10 ms")
print(result.final_state["m"][0], result.report.kernels_compiled, *[name for name in ("numba", "sympy", "lark") if name in sys.modules])
"""


def test_a_second_process_finds_the_code_of_the_function(tmp_path):
    """Machine code is kept under the digest of the function: another process loads it without a compiler, another function is compiled."""
    environment = {**os.environ, "DVDT_CACHE_DIR": str(tmp_path)}

    def process(factor):
        command = [sys.executable, "-c", SCRIPT, str(factor)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, cwd=Path(__file__).parent
        ).stdout

    first, second, other = process(1.0), process(1.0), process(2.0)
    assert first.split()[1:] == ["1", "numba", "sympy", "lark"]
    assert second.split() == [first.split()[0], "0"]
    assert float(other.split()[0]) == pytest.approx(2 * float(first.split()[0]), rel=1e-13)


# ---- everywhere in a model -----------------------------------------------------------------------

EVERYWHERE = """
dv/dt = (30 mV - v - 5 mV*mean(f(v)))/(10 ms) + s*mV/ms : mV
ds/dt = -s*f(w)/(3 ms)
w = 2*v + 1 mV*f(v)
v(0) = 5 mV*f(i*mV)
th = 12 mV + 2 mV*f(v0)
v0 = 3 mV
f(x : mV) : 1
third(n : integer, b : boolean) : boolean
pause(x : mV) : ms
k(0) = 0
each step: k = k + f(v)
spike when v > th and third(i, v > 3 mV):
    s += f(v)
    v = 0 mV
on high when f(v) > 0.9
refractory pause(v0)
output f(v)
"""


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_functions_stand_in_equations_events_blocks_reductions_and_parameters(precision):
    """The reference calls them as they are, the other backend compiles them: the same spikes, and states to rounding."""
    functions = {
        "f": lambda x: 1 / (1 + math.exp(-x / 5)),
        "third": lambda n, b: n % 3 == 0 and b,
        "pause": lambda x: 1.0 + 0.1 * x,
    }
    names = ["v", "w", "k", "output"]
    one, other = (
        dvdt.simulate(EVERYWHERE, "40 ms", n=7, parameters=functions, backend=b, precision=precision, record=names, method="rk4")
        for b in BACKENDS
    )
    assert len(one.spikes.t) > 5
    assert set(one.spikes.i) == {0, 3, 6}
    assert np.array_equal(one.spikes.i, other.spikes.i)
    assert np.array_equal(one.spikes.t, other.spikes.t)
    for name in names:
        assert np.asarray(other[name], float) == pytest.approx(
            np.asarray(one[name], float), rel=1e-12 if precision == "float64" else 1e-4
        )


def test_a_model_with_functions_prints_and_reads_back():
    model = dvdt.Model(EVERYWHERE)
    assert dvdt.Model(model.text) == model
    assert "third(n : integer, b : boolean) : boolean" in model.text
