"""Kernels written by hand, and what the tests of all backends need around them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvdt.backends.cuda.functions import simulated
from dvdt.backends.kernel import (
    Array,
    Assign,
    Constant,
    Draw,
    Emit,
    Expr,
    Hoist,
    Kernel,
    Kind,
    Matrix,
    MatrixProduct,
    Operation,
    Phase,
    Probe,
    Propagator,
    Reduce,
    Scalar,
    SeriesPlace,
    Store,
    Symbol,
)
from dvdt.backends.memory import Memory, Recording, allocate
from dvdt.backends.prologue import run_prologue

REAL, DOUBLE, INTEGER, BOOLEAN = Kind.REAL, Kind.DOUBLE, Kind.INTEGER, Kind.BOOLEAN


@pytest.fixture(scope="session", autouse=True)
def _quick_simulator() -> None:
    """Numba's simulator of CUDA, where a test runs on it: a Python thread for each thread of a device."""
    if not simulated():
        return
    sys.setswitchinterval(1e-5)  # its main thread asks and asks whether the others are done, and would not let them
    lock = threading.Lock()

    def array(self: Any, shape: Any, dtype: Any) -> Any:
        """One array for each line of a kernel that asks. The simulator's own now and then gives two threads that ask at once two."""
        caller = sys._getframe(1)
        with lock:
            made = np.empty(shape, getattr(dtype, "name", dtype))
            return self._allocations.setdefault((caller.f_code.co_filename, caller.f_lineno), made)

    import_module("numba.cuda.simulator.kernelapi").FakeCUDAShared.array = array


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVDT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def op(name: str, *arguments: Expr | str | float) -> Operation:
    return Operation(name, tuple(atom(argument) for argument in arguments))


def atom(value: Expr | str | float) -> Expr:
    if isinstance(value, str):
        return Symbol(value)
    return value if isinstance(value, Constant | Symbol | Operation) else Constant(value)


def let(name: str, expression: Expr | str | float, kind: Kind = REAL) -> Assign:
    return Assign(name, kind, atom(expression))


def reals(*names: str, fixed: str = "") -> tuple[Array, ...]:
    return tuple(Array(name, REAL, True) for name in names) + tuple(Array(name, REAL, False) for name in fixed.split())


def scalars(names: str) -> tuple[Scalar, ...]:
    return tuple(Scalar(name, REAL) for name in names.split())


@dataclass(frozen=True)
class Case:
    """A kernel, values for its scalars, and how its arrays begin: a range, drawn evenly."""

    kernel: Kernel
    scalars: Mapping[str, float] = field(default_factory=dict)
    initial: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    tolerance: float = 1e-12  # of float64 against the reference, a step
    dt: float = 0.1

    def memory(self, n: int, precision: str = "float64", seed: int = 7) -> Memory:
        memory = allocate(self.kernel, n, np.dtype(precision), seed)
        memory.scalars = {"@dt": self.dt, **self.scalars}
        draws = np.random.default_rng(3)
        for name, (low, high) in self.initial.items():
            memory.row(self.kernel, name)[:] = draws.uniform(low, high, n)
        memory.series = {place.name: draws.uniform(-1, 1, (5, n)).astype(precision) for place in self.kernel.series}
        memory.matrices = {place.name: draws.uniform(-1, 1, (n, n)).astype(precision) / n for place in self.kernel.matrices}
        run_prologue(self.kernel, memory)
        return memory


def kernel(name: str, arrays: tuple[Array, ...], phases: tuple[Phase, ...], **more: Any) -> Kernel:
    return Kernel(
        name=name,
        arrays=arrays,
        phases=phases,
        guarded=more.pop("guarded", tuple(array.name for array in arrays if array.written and array.kind is REAL)),
        **{
            **dict.fromkeys(("scalars", "series", "matrices", "prologue", "probes", "events"), ()),
            **more,
        },
    )


def lif() -> Case:
    """Leaky integrate-and-fire, exact, with a counter of refractory steps and a boolean state."""
    body = (
        let("target", op("add", "E", "I")),
        let("free", op("fma", op("subtract", "v", "target"), "decay", "target")),
        let("holds", op("greater", "left", 0), BOOLEAN),
        let("v1", op("where", "holds", "v", "free")),
        let("fires", op("and", op("not", "holds"), op("greater", "v1", -50.0)), BOOLEAN),
        let("v2", op("where", "fires", "E", "v1")),
        let("left1", op("where", "fires", "rest", op("maximum", op("subtract", "left", 1), 0)), INTEGER),
        let("spoke1", op("or", "spoke", "fires"), BOOLEAN),
    )
    arrays = (Array("v", REAL, True), Array("spoke", BOOLEAN, True), Array("left", INTEGER, True), Array("I", REAL, False))
    stores = (Store("v", "v2"), Store("left", "left1"), Store("spoke", "spoke1"))
    made = kernel(
        "lif",
        arrays,
        (Phase((), body, (Emit(0, "fires"),), stores),),
        scalars=(*scalars("E tau decay"), Scalar("rest", INTEGER)),
        prologue=(
            Hoist("decay", op("exp", op("negate", op("divide", "@dt", "tau"))), False),
            Hoist("rest", op("round", op("divide", 2.0, "@dt")), False),
        ),
        events=("spike",),
        probes=(
            Probe("v", REAL, (), (), Symbol("v")),
            Probe("left", INTEGER, (), (), Symbol("left")),
            Probe("spoke", BOOLEAN, (), (), Symbol("spoke")),
            Probe(
                "distance", REAL, (let("u", op("negate", 50.0)),), (let("d", op("subtract", "u", "v")),), op("multiply", "d", 2.0)
            ),
        ),
    )
    return Case(made, {"E": -65.0, "tau": 20.0}, {"v": (-65, -50), "I": (10, 25)})


def izhikevich() -> Case:
    """Two events; names that are keywords, not ASCII, or those of the generated text."""
    rate = op("add", op("multiply", 0.04, "lambda", "lambda"), op("multiply", 5.0, "lambda"), 140.0, op("negate", "υ"), "plan")
    body = (
        let("step", op("add", "lambda", op("multiply", "h", rate))),
        let("u1", op("add", "υ", op("multiply", "h", "a", op("subtract", op("multiply", "b", "lambda"), "υ")))),
        let("j", op("greater_equal", "step", 30.0), BOOLEAN),
        let("up", op("greater", "u1", 0.0), BOOLEAN),
        let("v2", op("where", "j", "c", "step")),
        let("u2", op("where", "j", op("add", "u1", "d"), "u1")),
    )
    made = kernel(
        "izhikevich",
        reals("lambda", "υ", fixed="plan"),
        (Phase((), body, (Emit(1, "j"), Emit(0, "up")), (Store("lambda", "v2"), Store("υ", "u2"))),),
        scalars=scalars("a b c d h"),
        events=("up", "spike"),
        prologue=(Hoist("h", Symbol("@dt"), False),),
        probes=(Probe("v", REAL, (), (), Symbol("lambda")),),
    )
    return Case(made, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, {"lambda": (-65, -60), "υ": (-14, -12), "plan": (4, 14)})


def adex() -> Case:
    """Exponential integrate-and-fire, with one parameter an array and hoisted reciprocals."""
    push = op("exp", op("multiply", op("subtract", op("below", "v", 20.0), "V_T"), "steep"))
    current = op("add", op("multiply", "g", op("subtract", "E", "v")), op("multiply", "g", "D", push), op("negate", "w"), "I")
    body = (
        let("v1", op("fma", "h_C", current, "v")),
        let("w1", op("fma", "h_w", op("subtract", op("multiply", "a", op("subtract", "v", "E")), "w"), "w")),
        let("fires", op("greater", "v1", 0.0), BOOLEAN),
        let("v2", op("where", "fires", "E", "v1")),
        let("w2", op("where", "fires", op("add", "w1", "b"), "w1")),
    )
    made = kernel(
        "adex",
        (*reals("v", "w", fixed="I C h_C"),),
        (Phase((), body, (Emit(0, "fires"),), (Store("v", "v2"), Store("w", "w2"))),),
        scalars=scalars("g E V_T D a b tau steep h_w"),
        prologue=(
            Hoist("steep", op("divide", 1.0, "D"), False),
            Hoist("h_w", op("divide", "@dt", "tau"), False),
            Hoist("h_C", op("divide", "@dt", "C"), True),
        ),
        events=("spike",),
    )
    values = {"g": 30.0, "E": -70.6, "V_T": -50.4, "D": 2.0, "a": 4.0, "b": 80.5, "tau": 144.0}
    return Case(made, values, {"v": (-70, -55), "w": (0, 50), "I": (500, 1000), "C": (270, 290)})


def noisy() -> Case:
    """All four distributions."""
    body = (
        Draw("z", "normal", 0),
        Draw("u", "uniform", 1),
        Draw("e", "exponential", 2),
        Draw("p", "poisson", 3, op("multiply", 3.0, "u")),
        let("x1", op("add", op("multiply", 0.9, "x"), op("multiply", 0.1, "z"), "u", "e", "p")),
    )
    return Case(kernel("noisy", reals("x"), (Phase((), body, (), (Store("x", "x1"),)),)), {}, {"x": (0, 1)})


def driven() -> Case:
    """Two series, one value of each neuron at a step and one value for all; time in a function; the index of the neuron."""
    row = op("modulo", "@step", op("rows", "drive"))
    uniform = (
        let("row", row, INTEGER),
        let("common", op("element", "drive", "row", 0)),
        let("phase", op("sin", op("multiply", 0.3, "@t_next")), DOUBLE),
    )
    body = (
        let("own", op("element", "drive", "row", "@i")),
        let("late", op("element", "other", op("modulo", op("add", "row", "@i"), op("rows", "other")), 0)),
        let("index", op("divide", op("to_real", "@i"), op("to_real", "@n"))),
        let("x1", op("add", op("multiply", 0.5, "x"), "common", "own", "late", "phase", "index")),
        let("hot", op("greater", "x1", op("modulo", op("multiply", 1.3, "@t"), 2.0)), BOOLEAN),
    )
    made = kernel(
        "driven",
        reals("x"),
        (Phase(uniform, body, (Emit(0, "hot"),), (Store("x", "x1"),)),),
        series=(SeriesPlace("drive"), SeriesPlace("other")),
        events=("hot",),
        probes=(Probe("drive", REAL, uniform[:1], (), op("element", "drive", "row", "@i")),),
    )
    return Case(made, {}, {"x": (-1, 1)})


def coupled() -> Case:
    """Every reduction, lateral weights, and phases that read them."""
    first = Phase(
        (),
        (let("r", op("tanh", "x")), let("high", op("greater", "r", 0.0), BOOLEAN), let("k1", op("add", "k", 1), INTEGER)),
        (Emit(0, "high"),),
        (Store("rate", "r"), Store("active", "high"), Store("k", "k1")),
        (
            Reduce("sum", REAL, "total", "rate"),
            Reduce("centre", REAL, "mean", "rate"),
            Reduce("top", REAL, "largest", "rate"),
            Reduce("low", REAL, "smallest", "rate"),
            Reduce("some", BOOLEAN, "any", "active"),
            Reduce("many", INTEGER, "count", "active"),
            Reduce("ticks", INTEGER, "total", "k"),
            Reduce("place", INTEGER, "rank", "rate"),
            Reduce("chosen", BOOLEAN, "one_of", "active", stream=4),
            MatrixProduct("lateral", "W", "rate"),
        ),
    )
    uniform = (
        let("share", op("divide", op("to_real", "many"), op("to_real", "@n"))),
        let("drift", op("multiply", 1e-3, op("to_real", op("modulo", "ticks", 7)))),
    )
    terms = (
        op("multiply", 0.8, "x"),
        op("multiply", 0.01, op("divide", "sum", op("to_real", "@n"))),
        "centre",
        op("multiply", 0.1, op("subtract", "top", "low")),
        op("where", "some", "share", 0.0),
        op("multiply", 0.01, op("to_real", op("equal", "place", 0))),
        op("where", "chosen", -0.5, 0.0),
        "lateral",
        "drift",
    )
    second = Phase(uniform, (let("x1", op("add", *terms)),), (), (Store("x", "x1"),))
    arrays = (
        *reals("x", "rate", "lateral"),
        Array("active", BOOLEAN, True),
        Array("chosen", BOOLEAN, True),
        Array("place", INTEGER, True),
        Array("k", INTEGER, True),
    )
    made = kernel(
        "coupled",
        arrays,
        (first, second),
        matrices=(Matrix("W"),),
        events=("high",),
        probes=(Probe("x", REAL, (), (), Symbol("x")), Probe("place", INTEGER, (), (), Symbol("place"))),
    )
    return Case(made, {}, {"x": (-1, 1), "k": (0, 3)})


def two_compartments() -> Case:
    """A linear system by its propagator, one for each neuron."""
    system = (op("negate", "leak"), Symbol("coupling"), Symbol("coupling"), Constant(-0.5))
    body = tuple(
        let(f"{row}1", op("add", op("multiply", f"p{index}0", "x"), op("multiply", f"p{index}1", "y"), f"q{index}"))
        for index, row in enumerate("xy")
    )
    made = kernel(
        "two_compartments",
        reals("x", "y", fixed="leak p00 p01 p10 p11 q0 q1"),
        (Phase((), body, (), (Store("x", "x1"), Store("y", "y1"))),),
        scalars=scalars("coupling"),
        prologue=(
            Propagator(
                2,
                Symbol("@dt"),
                system,
                tuple((row, column, f"p{row}{column}") for row in (0, 1) for column in (0, 1)),
                ((0, 0, "q0"), (1, 0, "q1")),
                True,
            ),
        ),
    )
    return Case(made, {"coupling": 0.3}, {"x": (-1, 1), "y": (-1, 1), "leak": (0.5, 3)})


def squared() -> Case:
    """A state that explodes at a known step."""
    body = (let("x1", op("multiply", "x", "x")), let("high", op("greater", "x1", 2.0), BOOLEAN))
    made = kernel("squared", reals("x"), (Phase((), body, (Emit(0, "high"),), (Store("x", "x1"),)),), events=("high",))
    return Case(made, {}, {"x": (0, 1)})


def always() -> Case:
    """Every neuron has an event of one kind in every step, and one of another kind in some of them."""
    body = (
        let("k1", op("add", "k", 1), INTEGER),
        let("on", op("greater", "k1", -1), BOOLEAN),
        let("rare", op("equal", op("modulo", "k1", 5), 0), BOOLEAN),
        let("x1", op("add", op("multiply", 0.5, "x"), op("to_real", "k1"))),
    )
    phase = Phase((), body, (Emit(1, "on"), Emit(0, "rare")), (Store("x", "x1"), Store("k", "k1")))
    arrays = (*reals("x"), Array("k", INTEGER, True))
    probes = (Probe("k", INTEGER, (), (), Symbol("k")),)
    return Case(kernel("always", arrays, (phase,), events=("rare", "on"), probes=probes), {}, {"x": (0, 1), "k": (0, 7)})


def burst() -> Case:
    """Quiet, until each neuron fires at every step."""
    body = (let("x1", op("add", "x", 1.0)), let("on", op("greater", "x1", 9.5), BOOLEAN))
    phase = Phase((), body, (Emit(0, "on"),), (Store("x", "x1"),))
    probes = (Probe("x", REAL, (), (), Symbol("x")),)
    return Case(kernel("burst", reals("x"), (phase,), events=("on",), probes=probes), {}, {"x": (0, 1)})


CASES: Mapping[str, Callable[[], Case]] = {
    made.__name__: made for made in (lif, izhikevich, adex, noisy, driven, coupled, two_compartments, squared, always, burst)
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Every kernel in turn."""
    return CASES[request.param]()


@pytest.fixture
def cases() -> Mapping[str, Callable[[], Case]]:
    """A kernel by its name."""
    return CASES


@pytest.fixture
def record() -> Callable[..., Recording]:
    """A recording of a probe, with room for the steps 0..steps."""

    def made(
        case: Case, probe: str, steps: int, neurons: Any, every: int = 1, start: int = 0, precision: str = "float64"
    ) -> Recording:
        kind = next(found.kind for found in case.kernel.probes if found.name == probe)
        dtype = {REAL: precision, INTEGER: "int64", BOOLEAN: "bool"}[kind]
        chosen = np.asarray(neurons, np.int64)
        return Recording(probe, every, start, chosen, np.zeros(((steps - start) // every + 1, len(chosen)), dtype))

    return made


@pytest.fixture
def here() -> Path:
    return Path(__file__).parents[2]
