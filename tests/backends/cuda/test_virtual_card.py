"""What numba-cuda and libNVVM make of the functions that kernels call, executed on a virtual card: the bits of the CPU, and NVIDIA's library."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from dvdt.backends import philox, random, vector_math
from dvdt.backends.cuda.functions import LIBRARY, functions
from dvdt.backends.machine_code import defined

from .virtual.card import Driver, inserted

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
        reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
    ),
    pytest.mark.filterwarnings("ignore:Grid size"),
]

PRECISIONS = ("float64", "float32")
DRAWS = np.random.default_rng(11)
DISTRIBUTIONS = ("uniform", "normal", "exponential", "poisson")
THREADS = 64


@pytest.fixture(scope="module")
def card() -> Iterator[Driver]:
    with inserted() as made:
        yield made


def on_both(body: list[str], arguments: str, names: dict[str, Any], on_card: dict[str, Any], *arrays: Any) -> tuple[Any, Any]:
    """The results of expressions over `arrays` at i, on the processor and on the card: one row for each."""
    from numba import cuda

    rows = "\n".join(f"        out[{row}, i] = {expression}" for row, expression in enumerate(body))
    here = njit(error_model="numpy")(defined(f"def k({arguments}, out):\n    for i in range(out.shape[1]):\n{rows}", names)["k"])
    text = f"def k({arguments}, out):\n    i = cuda.grid(1)\n    if i < out.shape[1]:\n{rows}"
    there = cuda.jit(defined(text, {"cuda": cuda, **on_card})["k"])
    expected = np.zeros((len(body), len(arrays[0])), arrays[-1].dtype)
    here(*arrays, expected)
    result = cuda.device_array(expected.shape, expected.dtype)
    there[-(-expected.shape[1] // THREADS), THREADS](*map(cuda.to_device, arrays), result)
    return expected, result.copy_to_host()


# ---- draws --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_draws_are_those_of_the_processor(precision: str, exact: bool, card: Driver) -> None:
    """Neurons, steps, streams and seeds from their whole ranges, by either mathematics: every draw has the same bits."""
    width = f"f{precision[-2:]}"
    names = [f"{distribution}_{width}" for distribution in DISTRIBUTIONS]
    count = 4000
    neurons = np.concatenate([np.arange(1000), DRAWS.integers(0, 2**31, count - 1000)])
    steps = np.concatenate([np.arange(count // 2) // 7, DRAWS.integers(0, 2**40, count // 2)])
    streams, keys = DRAWS.integers(0, 50, count), DRAWS.integers(0, 2**32, (2, count))
    means = np.concatenate([DRAWS.uniform(0, 30, count // 2), 10 ** DRAWS.uniform(-6, 5, count // 2)]).astype(precision)
    body = [f"{name}(neurons[i], steps[i], streams[i], k0[i], k1[i]{', means[i]' * ('poisson' in name)})" for name in names]
    expected, got = on_both(
        body,
        "neurons, steps, streams, k0, k1, means",
        {name: getattr(random, name) for name in names},
        dict(functions(tuple(names), exact)),
        *(neurons, steps, streams, *keys, means),
    )
    for name, mine, theirs in zip(names, expected, got, strict=True):
        np.testing.assert_array_equal(theirs, mine, err_msg=name)
    assert np.isfinite(got).all()
    assert len(np.unique(got[1])) > 0.99 * count


@pytest.mark.parametrize("precision", PRECISIONS)
def test_both_numbers_of_a_pair_are_those_of_its_neurons(precision: str, card: Driver) -> None:
    width = f"f{precision[-2:]}"
    count = 1000
    neurons = DRAWS.integers(0, 2**25, count) * 64 + DRAWS.integers(0, 32, count)
    places = (neurons, DRAWS.integers(0, 2**40, count), DRAWS.integers(0, 50, count), *DRAWS.integers(0, 2**32, (2, count)))
    names = {f"{name}_{width}": f"{name}_pair_{width}" for name in DISTRIBUTIONS if name != "poisson"}
    place = "steps[i], streams[i], k0[i], k1[i]"
    single = [f"{name}(neurons[i] + {32 * other}, {place})" for name in names for other in (0, 1)]
    paired = [f"{name}(neurons[i], {place})[{other}]" for name in names.values() for other in (0, 1)]
    unused = np.zeros(count, precision)
    of_processor = {name: getattr(random, name) for name in names}
    arguments = "neurons, steps, streams, k0, k1, unused"
    wanted, _ = on_both(single, arguments, of_processor, of_processor, *places, unused)
    of_pairs = {name: getattr(random, name) for name in names.values()}
    _, got = on_both(paired, arguments, of_pairs, dict(functions(tuple(names.values()), False)), *places, unused)
    np.testing.assert_array_equal(got, wanted)


def test_draws_take_the_published_words(card: Driver) -> None:
    """The known answers that come with Random123 (kat_vectors, philox4x32 10), read as uniform numbers."""
    known = [
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0), (0xD16CFE09, 0x94FDCCEB)),
    ]
    for (neuron, low, high, stream), key, words in known:
        first = neuron // 32 * 64 + neuron % 32  # of the two neurons whose words come from this counter
        numbers = [first, np.uint64(high << 32 | low).astype(np.int64), stream, *key]
        arrays = [np.array([number], np.int64) for number in numbers]
        names = {"uniform_f64": random.uniform_f64}
        _, got = on_both(
            ["uniform_f64(neurons[i], steps[i], streams[i], k0[i], k1[i])"],
            "neurons, steps, streams, k0, k1, unused",
            names,
            names,
            *(*arrays, np.zeros(1)),
        )
        assert got[0, 0] == ((words[0] << 32 | words[1]) >> 11) / 2**53
    assert philox.ROUNDS == 10


# ---- functions ----------------------------------------------------------------------------------------

ARGUMENTS = {"power": 2, "atan2": 2, "modulo": 2, "floor_divide": 2, "fma": 3}
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -2.5,
    5e-324,
    1e-310,
    1e-45,
    1e-38,
    1e38,
    1e300,
    -1e300,
    math.inf,
    -math.inf,
    math.nan,
]


def inputs(precision: str) -> list[Any]:
    """Three arrays of arguments: all pairs of special numbers, numbers of every size, random bits."""
    with np.errstate(over="ignore"):
        special = np.array(SPECIAL).astype(precision)
    pairs = [np.repeat(special, len(special)), np.tile(special, len(special)), np.roll(np.tile(special, len(special)), 7)]
    words = DRAWS.integers(0, 2 ** (64 if precision == "float64" else 32), (3, 1000), np.uint64)
    bits = words.astype("u8" if precision == "float64" else "u4").view(precision)
    near = np.concatenate([DRAWS.uniform(-limit, limit, (3, 300)) for limit in (1, 10, 100, 700, 1e5)], axis=1).astype(precision)
    return [np.concatenate([special_, near_, bits_]) for special_, near_, bits_ in zip(pairs, near, bits, strict=True)]


def operations(precision: str) -> dict[str, str]:
    return {operation: name for (operation, width), name in vector_math.names().items() if width == precision}


def spelled(operation: str, name: str) -> str:
    return f"{name}({', '.join(['a[i]', 'b[i]', 'c[i]'][: ARGUMENTS.get(operation, 1)])})"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_exact_functions_have_the_bits_of_the_processor(precision: str, card: Driver) -> None:
    known = operations(precision)
    body = [spelled(operation, name) for operation, name in known.items()]
    expected, got = on_both(
        body,
        "a, b, c",
        {name: getattr(vector_math, name) for name in known.values()},
        dict(functions(tuple(known.values()), exact=True)),
        *inputs(precision),
    )
    for operation, mine, theirs in zip(known, expected, got, strict=True):
        same = (mine.view(f"u{mine.itemsize}") == theirs.view(f"u{mine.itemsize}")) | (np.isnan(mine) & np.isnan(theirs))
        where = np.flatnonzero(~same)
        assert not len(where), (operation, [array[where[0]] for array in inputs(precision)], mine[where[0]], theirs[where[0]])


EXACT: dict[str, tuple[Callable[[Any], Any], tuple[float, float], float]] = {
    "exp": (mp.exp, (-80, 80), 2),
    "log": (mp.log, (0, 100), 1),
    "log10": (mp.log10, (0, 100), 2),
    "log2": (lambda x: mp.log(x) / mp.log(2), (0, 100), 2),
    "log1p": (mp.log1p, (-0.99, 100), 2),
    "expm1": (mp.expm1, (-80, 80), 2),
    "sqrt": (mp.sqrt, (0, 100), 0.5),
    "asin": (mp.asin, (-1, 1), 4),
    "acos": (mp.acos, (-1, 1), 4),
    "atan": (mp.atan, (-100, 100), 4),
    "sinh": (mp.sinh, (-80, 80), 3),
    "cosh": (mp.cosh, (-80, 80), 2),
    "tanh": (mp.tanh, (-10, 10), 3),
}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_functions_of_the_library_are_near_the_truth(precision: str, card: Driver) -> None:
    """Within the errors that NVIDIA's programming guide tells for each function, in units in the last place (appendix on mathematics)."""
    known = operations(precision)
    points = {name: DRAWS.uniform(*domain, 300).astype(precision) for name, (_, domain, _) in EXACT.items()}
    assert set(EXACT) == set(LIBRARY) - {"atan2"}
    for operation, (truth, _, bound) in EXACT.items():
        name, x = known[operation], points[operation]
        _, got = on_both([f"{name}(a[i])"], "a", {name: getattr(vector_math, name)}, dict(functions((name,), exact=False)), x)
        for argument, value in zip(x, got[0], strict=True):
            exact = truth(mp.mpf(float(argument)))
            unit = float(np.spacing(np.abs(np.dtype(precision).type(float(exact)))))
            assert abs(mp.mpf(float(value)) - exact) <= bound * unit, (operation, argument, value)
