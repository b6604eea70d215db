"""Coupled kernels on a device that runs one thread at a time, each as far as it comes: what a barrier is missing for shows at once.

A thread runs until it waits at a barrier; then the first in the order of the threads that can run does. So one block is always as far
ahead of the others as the barriers of the grid allow, and one thread as far ahead of its block as those of the block do. `test_cuda` runs
this file in a process of its own, since the arrays are those of numba's simulator, which itself runs one block alone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends import reference
from dvdt.backends.cuda import program as cuda
from dvdt.backends.cuda.coupled import Together
from dvdt.backends.kernel import (
    Array,
    Assign,
    Constant,
    Draw,
    Kernel,
    Kind,
    Matrix,
    MatrixProduct,
    Operation,
    Phase,
    Reduce,
    Store,
    Symbol,
)
from dvdt.backends.memory import Memory, Recording, allocate
from dvdt.backends.unusable import Unavailable

pytestmark = pytest.mark.filterwarnings("ignore")  # single NumPy numbers, whose overflows warn

DOUBLE, SINGLE = np.dtype(np.float64), np.dtype(np.float32)
REAL, INTEGER, BOOLEAN = Kind.REAL, Kind.INTEGER, Kind.BOOLEAN
SIZES = [1, 3, 4, 5, 16, 37, 70]  # with blocks of 4: less than a tile, whole ones, some, and more parts than are folded at once

# ---- the device ---------------------------------------------------------------------------------

Place = tuple[int, int]  # block and thread


class Adversary:
    """Runs a function on `blocks` of `threads`; it stands in for `numba.cuda` in the text. `backwards`: the last thread goes first."""

    def __init__(self, blocks: int, threads: int, backwards: bool) -> None:
        places = [(block, thread) for block in range(blocks) for thread in range(threads)]
        self.order: list[Place] = places[::-1] if backwards else places
        self.gridDim, self.blockDim = SimpleNamespace(x=blocks), SimpleNamespace(x=threads)
        self.here = threading.local()
        self.shared = SimpleNamespace(array=self._shared)
        self.cg = SimpleNamespace(this_grid=lambda: SimpleNamespace(sync=self._grid_sync))
        self.atomic = SimpleNamespace(or_=self._or)

    def run(self, function: Any, arguments: Sequence[Any]) -> None:
        self.turns = {place: threading.Semaphore(0) for place in self.order}
        self.waits: dict[Place, tuple[int, ...] | None] = dict.fromkeys(self.order)
        self.running = list(self.order)
        self.spaces: dict[tuple[int, int], Any] = {}
        self.said: dict[Place, Any] = {}
        self.heard: dict[Place, bool] = {}
        self.failed: list[BaseException] = []
        crew = [threading.Thread(target=self._thread, args=(place, function, arguments), daemon=True) for place in self.order]
        for thread in crew:
            thread.start()
        self.turns[self.order[0]].release()
        for thread in crew:
            thread.join(60)
        if self.failed:
            raise self.failed[0]
        assert not self.running, "threads wait at different barriers"

    def _thread(self, place: Place, function: Any, arguments: Sequence[Any]) -> None:
        self.turns[place].acquire()
        self.here.place = place
        try:
            if not self.failed:
                function(*arguments)
        except BaseException as error:
            self.failed.append(error)
        self.running.remove(place)
        self._next()

    def _next(self) -> None:
        """Let the first thread run that can; where all of a block or of the grid have come to their barrier, they can."""
        if self.failed:
            for place in self.running:
                self.turns[place].release()
            return
        for block in {place[0] for place in self.running}:
            crew = [place for place in self.running if place[0] == block]
            if all(self.waits[place] == (block,) for place in crew):
                said = any(self.said.get(place) for place in crew)
                for place in crew:
                    self.waits[place], self.heard[place] = None, said
        if all(self.waits[place] == () for place in self.running):
            self.waits.update(dict.fromkeys(self.running))
        for place in self.order:
            if place in self.running and self.waits[place] is None:
                self.turns[place].release()
                return

    def _wait(self, barrier: tuple[int, ...]) -> None:
        place = self.here.place
        self.waits[place] = barrier
        self._next()
        self.turns[place].acquire()
        if self.failed:
            raise RuntimeError("another thread failed")

    # ---- what the text calls ----------------------------------------------------------------------

    @property
    def blockIdx(self) -> Any:
        return SimpleNamespace(x=self.here.place[0])

    @property
    def threadIdx(self) -> Any:
        return SimpleNamespace(x=self.here.place[1])

    def syncthreads(self) -> None:
        self._wait((self.here.place[0],))

    def syncthreads_or(self, said: Any) -> int:
        self.said[self.here.place] = bool(said)
        self.syncthreads()
        return int(self.heard[self.here.place])

    def _grid_sync(self) -> None:
        self._wait(())

    def _shared(self, size: int, kind: Any) -> Any:
        """One array a block for each line of the text, as undefined as on a device."""
        key = self.here.place[0], sys._getframe(1).f_lineno
        if key not in self.spaces:
            self.spaces[key] = np.full(size, 113, kind)
        return self.spaces[key]

    def _or(self, values: Any, place: int, bits: int) -> None:
        values[place] |= bits


class Launched:
    """Takes the place of a compiled function."""

    def __init__(self, namespace: dict[str, Any], name: str, blocks: int, threads: int, backwards: bool) -> None:
        self.device = Adversary(blocks, threads, backwards)
        self.function = namespace[name]
        namespace["cuda"] = self.device

    def __getitem__(self, grid: object) -> Any:
        return lambda *arguments: self.device.run(self.function, [getattr(a, "_ary", a) for a in arguments])


# ---- kernels ------------------------------------------------------------------------------------

BLOCKS, THREADS = 3, 4


def let(name: str, operation: str, *arguments: str | float, kind: Kind = REAL) -> Assign:
    taken = (Symbol(a) if isinstance(a, str) else Constant(a) for a in arguments)
    return Assign(name, kind, Operation(operation, tuple(taken)))


def program_of(kernel: Kernel, precision: np.dtype[Any], backwards: bool) -> Any:
    program = cuda.build(kernel, precision)
    namespace = cuda.namespace_of(program.text, False)
    functions = {f.name: Launched(namespace, f.name, BLOCKS, THREADS, backwards) for f in program.text.functions}
    return replace(program, functions=functions)


def agree(kernel: Kernel, memory: Any, precision: np.dtype[Any] = DOUBLE, steps: tuple[int, ...] = (0, 1, 3)) -> None:
    """The states and events after some chunks are those of the reference to the last bit, whichever threads go first."""
    expected = memory()
    for first, last in pairwise(steps):
        reference.build(kernel, precision).advance(expected, first, last)
    for backwards in (False, True):
        got, program = memory(), program_of(kernel, precision, backwards)
        for first, last in pairwise(steps):
            assert program.advance(got, first, last).done == last
        got.bring_home()
        read = [array.name for array in kernel.arrays if not array.passing]
        for name in read:
            np.testing.assert_array_equal(got.stored(kernel, name), expected.stored(kernel, name), err_msg=name)
        assert [told(events) for events in got.spikes] == [told(events) for events in expected.spikes]


def told(events: Any) -> list[tuple[int, int]]:
    return sorted((int(s), int(i)) for steps, neurons in events for s, i in zip(steps, neurons, strict=True))


def filled(kernel: Kernel, n: int, precision: np.dtype[Any], **values: Any) -> Memory:
    memory = allocate(kernel, n, precision, 5)
    memory.scalars = {"@dt": 0.1}
    for name, row in values.items():
        memory.row(kernel, name)[:] = row
    return memory


def kernel_of(arrays: tuple[Array, ...], *phases: Phase, **more: Any) -> Kernel:
    nothing = dict.fromkeys(("scalars", "series", "matrices", "prologue", "probes", "events", "guarded"), ())
    return Kernel(name="made", arrays=arrays, phases=phases, **{**nothing, **more})


@pytest.mark.parametrize("precision", [DOUBLE, SINGLE])
@pytest.mark.parametrize("n", SIZES)
def test_every_reduction_for_every_size(n: int, precision: np.dtype[Any], cases: Any) -> None:
    case = cases["coupled"]()
    agree(case.kernel, lambda: case.memory(n, precision.name), precision)


@pytest.mark.parametrize("n", [5, 37, 70])
def test_recordings_and_the_last_step(n: int, cases: Any) -> None:
    """Each probe at every second step, chunk by chunk, and what is due when the run ends."""
    case = cases["coupled"]()
    got, expected = case.memory(n), case.memory(n)
    for memory in (got, expected):
        for probe in case.kernel.probes:
            memory.recordings.append(
                Recording(probe.name, 2, 0, np.array([0, n - 1]), np.zeros((3, 2), np.int64 if probe.kind is INTEGER else DOUBLE))
            )
    program, oracle = program_of(case.kernel, DOUBLE, False), reference.build(case.kernel, DOUBLE)
    for each, memory in ((program, got), (oracle, expected)):
        each.advance(memory, 0, 3)
        each.advance(memory, 3, 4)
        each.record(memory, 4)
    for a, b in zip(got.recordings, expected.recordings, strict=True):
        np.testing.assert_array_equal(a.values, b.values)


RANKED = (Array("x", REAL, True), Array("place", INTEGER, True), Array("k", INTEGER, True), Array("other", INTEGER, True))
VALUES = np.array([1.0, 2.0, 2.0, np.nan, -1.0, 0.0, -0.0, np.inf, -np.inf, 2.0, np.nan, 1.0])


@pytest.mark.parametrize("n", [*SIZES, 64])
def test_ranks_of_ties_and_of_what_is_no_number(n: int) -> None:
    """The largest is 0, equal values in the order of the neurons, nan last; whole numbers likewise, down to the least."""
    move = Phase((), (let("k1", "add", "k", 1, kind=INTEGER),), (), (Store("k", "k1"),), (Reduce("other", INTEGER, "rank", "k"),))
    kernel = kernel_of(RANKED, Phase((), (), (), (), (Reduce("place", INTEGER, "rank", "x"),)), move)
    x = np.resize(VALUES, n)
    k = np.resize(np.array([3, 3, -(2**63), 2**62, 0, -5, 3, 1]), n)
    memory = partial(filled, kernel, n, DOUBLE, x=x, k=k)
    agree(kernel, memory)
    made = memory()
    program = program_of(kernel, DOUBLE, False)
    program.advance(made, 0, 1)
    made.bring_home()
    order = sorted(range(n), key=lambda i: (np.isnan(x[i]), 0.0 if np.isnan(x[i]) else -x[i], i))
    assert [order.index(i) for i in range(n)] == list(made.stored(kernel, "place"))


@pytest.mark.parametrize("candidates", [[], [0], [36], [7], [3, 4, 20, 21, 36], list(range(37))])
def test_one_of_few_and_of_many(candidates: list[int]) -> None:
    arrays = (Array("free", BOOLEAN, True), Array("chosen", BOOLEAN, True), Array("times", INTEGER, True))
    after = let("times1", "add", "times", "one", kind=INTEGER)
    pick = Phase((), (), (), (), (Reduce("chosen", BOOLEAN, "one_of", "free", stream=2),))
    kernel = kernel_of(
        arrays, pick, Phase((), (let("one", "to_integer", "chosen", kind=INTEGER), after), (), (Store("times", "times1"),))
    )
    free = np.isin(np.arange(37), candidates)
    agree(kernel, lambda: filled(kernel, 37, DOUBLE, free=free), steps=(0, 5, 9))
    got = filled(kernel, 37, DOUBLE, free=free)
    program_of(kernel, DOUBLE, True).advance(got, 0, 9)
    got.bring_home()
    times = got.stored(kernel, "times")
    assert times.sum() == (9 if candidates else 0)
    assert not times[~free].any()


@pytest.mark.parametrize("n", [1, 5, 37, 70])
def test_a_chain_of_phases(n: int) -> None:
    """Each phase reads what the one before has reduced: a sum, a rank of what that gave, a product with the ranks, the largest of it all;
    what is reduced at the end of a step is read at the beginning of the next one."""
    arrays = (*[Array(name, REAL, True) for name in ("x", "y", "z", "fed")], Array("place", INTEGER, True))
    phases = (
        Phase((), (Draw("noise", "normal", 3), let("y0", "add", "x", "noise", "fed")), (), (Store("y", "y0"),), (SUM_OF_Y,)),
        Phase(
            (let("half", "multiply", "sum", 0.5),), (let("z0", "subtract", "y", "half"),), (), (Store("z", "z0"),), (RANK_OF_Z,)
        ),
        Phase((), (let("z1", "to_real", "place"),), (), (Store("z", "z1"),), (MatrixProduct("fed", "W", "z"), TOP_OF_Z)),
        Phase((), (let("x1", "subtract", "x", "top"), let("x2", "multiply", "x1", "sum")), (), (Store("x", "x2"),), (RANK_OF_Y,)),
    )
    kernel = kernel_of((*arrays, Array("late", INTEGER, True)), *phases, matrices=(Matrix("W"),), guarded=("x",))

    def memory() -> Memory:
        made = filled(kernel, n, DOUBLE, x=np.linspace(-1, 1, n), y=np.arange(n) % 3)
        made.matrices = {"W": np.random.default_rng(2).uniform(-1, 1, (n, n)) / n**2}
        return made

    agree(kernel, memory)


SUM_OF_Y, TOP_OF_Z = Reduce("sum", REAL, "total", "y"), Reduce("top", REAL, "largest", "z")
RANK_OF_Z, RANK_OF_Y = Reduce("place", INTEGER, "rank", "z"), Reduce("late", INTEGER, "rank", "y")


@pytest.mark.parametrize("n", [3, 37])
def test_more_reductions_than_are_folded_side_by_side(n: int) -> None:
    """Of one kind and of several, also over what they are not meant for: conditions are 0 and 1."""
    arrays = (Array("x", REAL, True), Array("b", BOOLEAN, True), Array("k", INTEGER, True), Array("sums", REAL, True))
    kinds = {"x": REAL, "b": REAL, "k": INTEGER}
    reductions = [
        Reduce(f"{operation} of {of}", REAL if operation == "mean" else kinds[of], operation, of)
        for of in kinds
        for operation in ("total", "mean", "largest", "smallest")
    ]
    reductions += [Reduce(f"many of {of}", INTEGER, "count", of) for of in kinds]
    reductions += [Reduce(f"any of {of}", BOOLEAN, "any", of) for of in kinds]
    total = [let(f"real {r.name}", "to_real", r.name) for r in reductions]
    sums = let("sums1", "add", "sums", *[statement.name for statement in total])
    move = (
        let("x1", "multiply", "x", -1.01),
        let("b1", "less", "x", "sums", kind=BOOLEAN),
        let("k1", "add", "k", 1, kind=INTEGER),
    )
    stores = (Store("sums", "sums1"), Store("x", "x1"), Store("b", "b1"), Store("k", "k1"))
    kernel = kernel_of(arrays, Phase((), (), (), (), tuple(reductions[::-1])), Phase((), (*total, sums, *move), (), stores))
    values = np.random.default_rng(4)
    x, b, k = values.normal(size=n), values.uniform(size=n) < 0.4, values.integers(-9, 9, n)
    agree(kernel, lambda: filled(kernel, n, DOUBLE, x=x, b=b, k=k))


def test_the_largest_of_what_is_no_number_is_none() -> None:
    arrays = (Array("x", REAL, True), Array("top", REAL, True), Array("low", REAL, True))
    reductions = (Reduce("t", REAL, "largest", "x"), Reduce("l", REAL, "smallest", "x"))
    kept = Phase(
        (), (let("t1", "multiply", "t", 1.0), let("l1", "multiply", "l", 1.0)), (), (Store("top", "t1"), Store("low", "l1"))
    )
    kernel = kernel_of(arrays, Phase((), (), (), (), reductions), kept)
    for x in ([-np.inf] * 6, [np.inf] * 6, [1.0, np.nan, 2.0, 3.0, 4.0, 5.0], [np.nan, -np.inf, np.inf, 0.0, 0.0, 0.0]):
        agree(kernel, partial(filled, kernel, 6, DOUBLE, x=np.array(x)))


@pytest.mark.parametrize("n", [3, 37])
def test_a_column_whose_factor_is_zero_is_passed_over(n: int) -> None:
    """So what stands in it does not matter; few factors are others, as where they are spikes."""
    arrays = (Array("s", BOOLEAN, True), Array("x", REAL, True), Array("fed", REAL, True))
    body = (let("x1", "add", "x", "fed"), let("s1", "greater", "x1", 0.5, kind=BOOLEAN))
    first = Phase((), (), (), (), (MatrixProduct("fed", "W", "s"),))
    kernel = kernel_of(arrays, first, Phase((), body, (), (Store("x", "x1"), Store("s", "s1"))), matrices=(Matrix("W"),))

    def memory() -> Memory:
        made = filled(kernel, n, DOUBLE, s=np.arange(n) % 9 == 1, x=np.linspace(0, 0.5, n))
        made.matrices = {"W": np.random.default_rng(2).uniform(-0.1, 0.1, (n, n))}
        made.matrices["W"][:, 0] = np.nan
        made.matrices["W"][:, n - 1] = np.inf
        return made

    agree(kernel, memory, steps=(0, 1))


@pytest.mark.parametrize("backwards", [False, True])
def test_chunks_with_too_many_events_are_made_again(backwards: bool, cases: Any) -> None:
    case = cases["coupled"]()
    expected, got = case.memory(20), case.memory(20)
    reference.build(case.kernel, DOUBLE).advance(expected, 0, 12)
    program = program_of(case.kernel, DOUBLE, backwards)
    assert program.advance(got, 0, 12).done == 12
    assert max(np.bincount([i for _, i in told(expected.spikes[0])])) > 8  # places of a list on the simulator
    assert told(got.spikes[0]) == told(expected.spikes[0])
    got.bring_home()
    np.testing.assert_array_equal(got.reals, expected.reals)


def test_the_first_value_that_is_not_finite_is_told() -> None:
    """What a neuron has reaches the others by their sum a step later."""
    arrays = (Array("x", REAL, True),)
    grow = Phase((), (let("x1", "multiply", "x", "x"), let("x2", "add", "x1", "sum")), (), (Store("x", "x2"),))
    kernel = kernel_of(arrays, Phase((), (), (), (), (Reduce("sum", REAL, "total", "x"),)), grow, guarded=("x",))
    x = np.array([1e-3, -2e-3, 1e5, 1e-3, 0.0, 1e-3, 1e-3, 2e-3, 1e-3])
    found = []
    for backwards in (False, True):
        got, expected = (filled(kernel, 9, DOUBLE, x=x) for _ in range(2))
        program = program_of(kernel, DOUBLE, backwards)
        found += [program.advance(got, 0, 40), reference.build(kernel, DOUBLE).advance(expected, 0, 40)]
        got.bring_home()
        np.testing.assert_array_equal(got.reals, expected.reals)
    for outcome in found:
        assert outcome.trouble is not None
        assert (outcome.done, outcome.trouble.array, outcome.trouble.neuron) == (
            found[1].done,
            "x",
            found[1].trouble.neuron,
        )
        np.testing.assert_array_equal(outcome.trouble.recent, found[1].trouble.recent)


# ---- texts --------------------------------------------------------------------------------------

COUPLED = (
    *("ngc_lif_one_spike", "ngc_slif_sparse", "ngc_slif_lateral_sparse", "izhikevich_norse_recurrent", "cann_field"),
    *("conex_aelif_kwta", "spaic_bernoulli", "latency", "relative_latency", "uniform_train"),
)
EXACT = """
    time in ms
    dv/dt = (I - v)/tau
    tau = 20; I = 2 + i/7
    v(0) = 0.1*i
    s = total(v) + rank(v)
    spike when v > 1: v = 0
    output s
"""


def same(model: Any, duration: str, n: int, record: list[str], **more: Any) -> int:
    """How many spikes a run has, on the simulator as in the reference."""
    told = {"n": n, "seed": 3, "precision": "float64", "progress": False, "record": record, **more}
    expected, got = (dvdt.simulate(model, duration, backend=backend, **told) for backend in ("reference", "cuda"))
    for name in record:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name)
    np.testing.assert_array_equal(got.spikes.t, expected.spikes.t)
    np.testing.assert_array_equal(got.spikes.i, expected.spikes.i)
    return len(got.spikes.t)


@pytest.mark.parametrize("name", COUPLED)
def test_models_of_several_tiles(name: str) -> None:
    n, model = 21, dvdt.model(name)
    required = {p.name for p in model.checked.parameters if "required" in p.flags}
    given: dict[str, Any] = {name: np.linspace(0.1, 3.0, n) for name in required}
    given |= {p.name: np.linspace(-1, 1, n * n).reshape(n, n) / n for p in model.checked.parameters if "matrix" in p.flags}
    same(model, "0.6 ms", n, list(model.states), dt="0.1 ms", parameters=given)


EVERYTHING = """
    time in ms
    W : 1 (matrix)
    field = 0.1*total(v)/N + 0.05*mean(v) + 0.01*(largest(v) - smallest(v)) + 0.02*count(v > 0.5)/N
    dv/dt = (I - v - field + matmul(W, near) + (0.1 if any(v > 0.98) else 0))/tau
    near = v if v > 0.7 else 0
    tau = 20; I : 1
    v(0) = 0; won(0) = 0; place(0) = 0
    each step: won = won + (1 if one_of(spiked) else 0); place = rank(v)
    spike when v > 1: v = 0
"""


def test_passes_that_reduce_different_things() -> None:
    n = 9
    given = {"I": np.linspace(5, 20, n), "W": np.linspace(-0.1, 0.1, n * n).reshape(n, n)}
    assert same(dvdt.Model(EVERYTHING), "8 ms", n, ["v", "won", "place"], dt="1 ms", parameters=given) > 3


@pytest.mark.parametrize("n", [4, 21])
def test_spikes_between_the_points_of_the_grid(n: int) -> None:
    assert same(dvdt.Model(EXACT), "12 ms", n, ["v", "s"], dt="0.5 ms", spike_times="exact") >= 3


def test_more_neurons_than_ranks_have_numbers_are_refused(cases: Any) -> None:
    with pytest.raises(Unavailable, match="rank is made of 1073741824 neurons at most, not of 2000000000"):
        Together(cases["coupled"]().kernel, 2_000_000_000, SINGLE)
