"""Draws: Random123's published words, the distributions by SciPy, independence, and the two implementations against each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats

from dvdt.backends import philox, random

COUNT = 50_000
NEURONS = np.arange(COUNT)
KEY = philox.key(0x1234_5678_9ABC_DEF0)
PRECISIONS = ("float64", "float32")
LOOPS: dict[tuple[str, str], Any] = {}

# counter, key, words: the vectors that come with Random123 (kat_vectors, philox4x32 10)
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def compiled(name: str, precision: str) -> Any:
    """A compiled loop over neurons first, first + 1, ... of one distribution."""
    if (name, precision) not in LOOPS:
        function = getattr(random, f"{name}_f{precision[-2:]}")
        arguments = f"{precision}[::1], int64, int64, int64, uint32, uint32"
        if name == "poisson":

            @njit(f"void({arguments}, {precision})")
            def loop(result: Any, first: int, step: int, stream: int, k0: int, k1: int, mean: float) -> None:
                for i in range(result.size):
                    result[i] = function(first + i, step, stream, k0, k1, mean)
        else:

            @njit(f"void({arguments})")
            def loop(result: Any, first: int, step: int, stream: int, k0: int, k1: int) -> None:
                for i in range(result.size):
                    result[i] = function(first + i, step, stream, k0, k1)

        LOOPS[name, precision] = loop
    return LOOPS[name, precision]


def first_of(counter: int) -> int:
    """The first of the two neurons whose words come from a counter."""
    return counter // 32 * 64 + counter % 32


def draws(
    name: str, precision: str, *mean: float, first: int = 0, step: int = 7, stream: int = 3, key: Any = KEY, count: int = COUNT
) -> Any:
    result = np.empty(count, precision)
    compiled(name, precision)(result, first, step, stream, *key, *(np.dtype(precision).type(value) for value in mean))
    return result


def counter_of(words: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """The counter whose words are these: Philox run backwards, in Python integers."""
    inverse = [pow(multiplier, -1, 2**32) for multiplier in philox.MULTIPLIERS]
    a, b, c, d = words
    for number in reversed(range(philox.ROUNDS)):
        key0, key1 = (k + number * step & 0xFFFFFFFF for k, step in zip(key, philox.KEY_STEPS, strict=True))
        c0, c2 = d * inverse[0] & 0xFFFFFFFF, b * inverse[1] & 0xFFFFFFFF
        a, b, c, d = (
            c0,
            a ^ key0 ^ c2 * philox.MULTIPLIERS[1] >> 32,
            c2,
            c ^ key1 ^ c0 * philox.MULTIPLIERS[0] >> 32,
        )
    return a, b, c, d


# ---- bits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_published_words(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    assert tuple(int(word) for word in philox.philox4x32(*(np.uint32(c) for c in counter), *key)) == words


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_compiled_draws_take_the_published_words(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    neuron, low, high, stream = counter
    step = int(np.uint64(high << 32 | low).astype(np.int64))
    radius = math.sqrt(-2 * math.log(((words[0] << 32 | words[1]) >> 12) / 2**52 + 2.0**-53))
    angle = math.pi * (((words[2] << 32 | words[3]) >> 12) / 2**52 - 0.5)
    ends = (math.sin(angle), math.cos(angle) * (-1) ** (words[3] & 1))
    for partner, w, factor in ((0, words[:2], ends[0]), (32, words[2:], ends[1])):
        place = {"first": first_of(neuron) + partner, "step": step, "stream": stream, "key": key, "count": 1}
        assert draws("uniform", "float64", **place)[0] == ((w[0] << 32 | w[1]) >> 11) / 2**53
        assert draws("uniform", "float32", **place)[0] == (w[0] >> 8) / 2**24
        assert draws("normal", "float64", **place)[0] == pytest.approx(radius * factor, rel=1e-13)
        middle = ((w[0] << 32 | w[1]) >> 12) / 2**52 + 2.0**-53
        assert draws("exponential", "float64", **place)[0] == pytest.approx(-math.log(middle), rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["uniform", "exponential", "normal"])
def test_pairs_are_the_numbers_of_their_neurons(name: str, precision: str) -> None:
    pair = getattr(random, f"{name}_pair_f{precision[-2:]}")

    @njit
    def loop(result: Any, step: int, stream: int, k0: int, k1: int) -> None:
        for group in range(0, result.size, 64):
            for i in range(group, group + 32):
                result[i], result[i + 32] = pair(i, step, stream, k0, k1)

    result = np.empty(640, precision)
    loop(result, 7, 3, *(int(word) for word in KEY))
    assert np.array_equal(result, draws(name, precision, count=640))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("partner", [0, 32])
@pytest.mark.parametrize("word", [0, 0xFFFFFFFF])
def test_the_outermost_words_give_numbers_of_their_range(word: int, partner: int, precision: str) -> None:
    key = (int(KEY[0]), int(KEY[1]))
    neuron, low, high, stream = counter_of((word,) * 4, key)
    step = int(np.uint64(high << 32 | low).astype(np.int64))
    place = {"first": first_of(neuron) + partner, "step": step, "stream": stream, "count": 1}
    uniform = draws("uniform", precision, **place)[0]
    assert 0 <= uniform < 1
    assert uniform == (0 if word == 0 else 1 - 2.0 ** -(53 if precision == "float64" else 24))
    assert 0 <= draws("exponential", precision, **place)[0] < 40
    assert abs(draws("normal", precision, **place)[0]) < 9


@pytest.mark.parametrize("precision", PRECISIONS)
def test_both_implementations_agree(precision: str) -> None:
    where = (2**33 + 5, 3, *KEY)
    for name, ulps in (("uniform", 0), ("exponential", 2), ("normal", 4)):
        found = draws(name, precision, first=11, step=where[0])
        wanted = getattr(philox, name)(NEURONS + 11, *where, np.dtype(precision))
        assert found.dtype == wanted.dtype
        assert np.all(abs(found - wanted) <= ulps * np.spacing(abs(wanted))), name
    for mean in (0.0, 0.3, 9.9, 10.0, 12.0, 500.0, 1e9):
        wanted = philox.poisson(NEURONS, 7, 3, *KEY, mean, np.dtype(precision))
        different = (
            np.count_nonzero(draws("poisson", precision, mean) != wanted) if precision == "float64" or mean.is_integer() else 0
        )
        assert different <= 1, mean  # one may lie at the edge of two counts


@pytest.mark.parametrize("name", ["uniform", "exponential", "normal"])
def test_float32_draws_are_the_float64_draws_rounded(name: str) -> None:
    double, single = draws(name, "float64"), draws(name, "float32")
    assert np.all(abs(double - single) <= 3e-6 * np.maximum(abs(double), 1))


@pytest.mark.parametrize("name", ["uniform", "normal", "exponential"])
def test_draws_do_not_depend_on_the_loop(name: str) -> None:
    for precision in PRECISIONS:
        together = draws(name, precision, count=200)
        parts = [draws(name, precision, first=first, count=count) for first, count in ((0, 1), (1, 40), (41, 7), (48, 152))]
        assert np.array_equal(together, np.concatenate(parts))


@pytest.mark.parametrize("name", ["uniform", "normal", "exponential"])
def test_negative_and_large_seeds_are_taken_by_their_low_bits(name: str) -> None:
    assert philox.key(-1) == philox.key(2**64 - 1)
    function = getattr(philox, name)
    assert np.array_equal(function(NEURONS[:9], 1, 0, *philox.key(-1)), function(NEURONS[:9], 1, 0, *philox.key(2**64 - 1)))


# ---- distributions -----------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("name", "distribution"), [("uniform", stats.uniform), ("exponential", stats.expon), ("normal", stats.norm)]
)
def test_distributions_by_kolmogorov_and_smirnov(name: str, distribution: Any, precision: str) -> None:
    sample = draws(name, precision).astype(np.float64)
    assert stats.kstest(sample, distribution.cdf).pvalue > 1e-3
    assert sample.mean() == pytest.approx(distribution.mean(), abs=4 * distribution.std() / COUNT**0.5)
    spread = 4 * distribution.var() * ((distribution.stats(moments="k") + 2) / COUNT) ** 0.5
    assert sample.var() == pytest.approx(distribution.var(), abs=spread)


def test_tails_of_the_normal_distribution() -> None:
    sample = np.concatenate([draws("normal", "float64", step=step) for step in range(20)])
    for limit in (2, 3, 4):
        expected = 2 * stats.norm.sf(limit) * sample.size
        assert np.count_nonzero(abs(sample) > limit) == pytest.approx(expected, abs=4 * expected**0.5)


@pytest.mark.parametrize("mean", [0.01, 0.7, 5.0, 9.99, 10.0, 13.0, 40.0, 1000.0])
def test_poisson_counts_by_chi_square(mean: float) -> None:
    sample = draws("poisson", "float64", mean).astype(np.int64)
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(1e-3, 1 - 1e-3, 60))).astype(np.int64)
    probabilities = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    found = np.bincount(np.searchsorted(edges, sample), minlength=probabilities.size)
    assert stats.chisquare(found, probabilities * COUNT).pvalue > 1e-3


@pytest.mark.parametrize("mean", [1e5, 1e9, 1e14])
def test_large_poisson_counts_are_nearly_normal(mean: float) -> None:
    sample = (draws("poisson", "float64", mean) - mean) / mean**0.5
    assert sample.mean() == pytest.approx(0, abs=4 / COUNT**0.5)
    assert sample.var() == pytest.approx(1, abs=4 * (2 / COUNT) ** 0.5)
    assert stats.kstest(sample, stats.norm.cdf).statistic < 0.006 + mean**-0.5


@pytest.mark.parametrize("precision", PRECISIONS)
def test_poisson_counts_at_the_edges(precision: str) -> None:
    few = {"count": 50}
    assert np.all(draws("poisson", precision, 0.0, **few) == 0)
    for mean in (-1.0, math.nan, math.inf, -math.inf):
        assert np.all(np.isnan(draws("poisson", precision, mean, **few)))
        assert np.all(np.isnan(philox.poisson(NEURONS[:50], 1, 0, *KEY, mean)))
    assert np.array_equal(philox.poisson(NEURONS[:3], 1, 0, *KEY, [0.0, math.nan, 0.0])[[0, 2]], [0, 0])


# ---- independence ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_streams_steps_neurons_and_seeds_are_independent(name: str) -> None:
    here = draws(name, "float64")
    others = {
        "stream": draws(name, "float64", stream=4),
        "step": draws(name, "float64", step=8),
        "step above 32 bits": draws(name, "float64", step=7 + 2**32),
        "neuron": draws(name, "float64", first=1),
        "the neuron that shares words": draws(name, "float64", first=32),
        "seed": draws(name, "float64", key=philox.key(0x1234_5678_9ABC_DEF1)),
        "upper half of the seed": draws(name, "float64", key=philox.key(0x1234_5679_9ABC_DEF0)),
    }
    for what, other in others.items():
        assert abs(np.corrcoef(here, other)[0, 1]) < 4 / COUNT**0.5, what
        assert abs(np.corrcoef(abs(here - here.mean()), abs(other - other.mean()))[0, 1]) < 4 / COUNT**0.5, what
        assert np.count_nonzero(here == other) < 3, what


@pytest.mark.parametrize("precision", PRECISIONS)
def test_normal_draws_become_vector_instructions(precision: str) -> None:
    from dvdt.backends.vector_math import has_fma

    if not has_fma():
        pytest.skip("reads the assembly of AVX2 and AVX-512")
    (text,) = compiled("normal", precision).inspect_asm().values()
    if "rax" not in text:
        pytest.skip("reads the assembly of x86-64")
    square_root = "vsqrtpd" if precision == "float64" else "vsqrtps"
    assert [line for line in text.splitlines() if square_root in line and ("zmm" in line or "ymm" in line)]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_counts_of_a_block_are_those_of_its_neurons(precision: str) -> None:
    """Side by side with means of all sizes, and what is no mean."""
    from dvdt.backends.primitives import at

    many = getattr(random, f"poisson_many_f{precision[-2:]}")
    real = np.float64 if precision == "float64" else np.float32
    double = np.float64

    @njit
    def count(values: int, work: int, lanes: int) -> None:
        many(at(values, real), 0, at(work, double), lanes, lanes, 100, 7, 3, KEY[0], KEY[1])

    odd = [0.0, -1.0, math.nan, math.inf, 1e-300, 9.999999, 10.0, 1e9]
    means = np.resize(np.concatenate([odd, np.geomspace(1e-3, 500, 83)]), 1024).astype(precision)
    found, work = means.copy(), np.empty(4 * means.size)
    count(found.ctypes.data, work.ctypes.data, means.size)
    wanted = [draws("poisson", precision, mean, first=100 + i, count=1)[0] for i, mean in enumerate(means)]
    assert np.array_equal(found, wanted, equal_nan=True)
    assert np.isnan(found).sum() == sum(not 0 <= mean < math.inf for mean in means)
