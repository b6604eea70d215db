"""The random numbers of every backend, defined with NumPy: a draw is a function of (neuron, step, stream, seed) and of nothing else.

Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, doi:10.1145/2063384.2063405) turns the counter (neuron, step modulo 2^32,
step / 2^32, stream) and the key (the seed's low and high word) into four words w0..w3.

The words of one counter serve two neurons, i and i + 32, where i stands in the first half of 64: the counter's first word is
32 (i div 64) + i mod 32. So a loop over 32 of them is made of plain vectors, and a normal number costs half a logarithm. From the words:

    uniform       the upper 53 bits of w0 w1, as a fraction in [0, 1); float32: the upper 24 bits of w0. The second neuron: of w2 w3
    exponential   -log(p), p the middle of one of 2^52 equal parts of (0, 1) by the upper bits of w0 w1; float32: one of 2^32, by
                  w0. The second neuron: by w2 w3
    normal        sqrt(-2 log(p)) sin(pi q), p by w0 w1 as above, q in [-1/2, 1/2) by w2 w3; float32: by w2. The second neuron: the cosine,
                  its sign by the last bit of w3 (Box and Muller 1958; the angle covers the circle, and needs no reduction)
    poisson       inversion by sequential search below a mean of 10; above it transformed rejection (Hoermann 1993,
                  doi:10.1016/0167-6687(93)90997-4), attempt a taking its words at stream + 2^16 a. Its counters have the neuron itself

So a float32 draw is the float64 draw of the same place to float32's accuracy. Streams are below 2^16.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
ATTEMPT = 1 << 16  # distance in the stream word between the attempts of a rejection method
SEARCHED = 10.0  # Poisson means below this are inverted by search
SHIFT = 10  # Stirling's series is used from here on
HALF = 32  # neurons between the two that share words

Words = NDArray[np.uint32]
FLOAT64 = np.dtype(np.float64)
WORD = 0xFFFFFFFF


def key(seed: int) -> tuple[np.uint32, np.uint32]:
    """The two words of a 64-bit seed, low first."""
    return np.uint32(seed & WORD), np.uint32(seed >> 32 & WORD)


def philox4x32(c0: Words, c1: Words, c2: Words, c3: Words, k0: int | np.uint32, k1: int | np.uint32) -> tuple[Words, ...]:
    """Ten rounds of Philox on counters (arrays of uint32, or numbers) under one key; four arrays of uint32 words."""
    low = np.uint64(WORD)
    a, b, c, d = (np.asarray(word, np.uint64) for word in np.broadcast_arrays(c0, c1, c2, c3))
    for number in range(ROUNDS):
        key0, key1 = (np.uint64(int(k) + number * step & WORD) for k, step in zip((k0, k1), KEY_STEPS, strict=True))
        first, second = a * np.uint64(MULTIPLIERS[0]), c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = second >> np.uint64(32) ^ b ^ key0, second & low, first >> np.uint64(32) ^ d ^ key1, first & low
    return tuple(word.astype(np.uint32) for word in (a, b, c, d))


def words(neurons: ArrayLike, step: int, stream: int, k0: int | np.uint32, k1: int | np.uint32) -> tuple[Words, ...]:
    """The four words of each neuron at a step, for one stream."""
    ids = np.asarray(neurons).astype(np.uint32)
    low, high, third = (np.full_like(ids, word & WORD) for word in (step, step >> 32, stream))
    return philox4x32(ids, low, high, third, k0, k1)


def _shared(neurons: ArrayLike, step: int, stream: int, k0: int | np.uint32, k1: int | np.uint32) -> tuple[Words, ...]:
    """The words that each neuron shares with another, and whether it is the second of the two."""
    ids = np.asarray(neurons).astype(np.int64)
    second = ids // HALF % 2 == 1
    return (*words(ids // (2 * HALF) * HALF + ids % HALF, step, stream, k0, k1), second)


def _own(w: tuple[Words, ...]) -> tuple[Words, Words]:
    """The two words of each neuron of a pair."""
    return np.where(w[4], w[2], w[0]), np.where(w[4], w[3], w[1])


def _join(high: Words, low: Words) -> NDArray[np.uint64]:
    return high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64)


def _fraction(high: Words, low: Words) -> NDArray[Any]:
    """53 bits in [0, 1)."""
    return (_join(high, low) >> np.uint64(11)) * 2.0**-53


def _middle(high: Words, low: Words, precision: np.dtype[Any]) -> NDArray[Any]:
    """The middle of one of many equal parts of (0, 1)."""
    if precision == FLOAT64:
        return ((_join(high, low) >> np.uint64(12)) + 0.5) * 2.0**-52
    return (high + 0.5) * 2.0**-32


def _centred(high: Words, low: Words, precision: np.dtype[Any]) -> NDArray[Any]:
    """A number from -1/2 to 1/2."""
    if precision == FLOAT64:
        return (_join(high, low) >> np.uint64(12)) * 2.0**-52 - 0.5
    return high * 2.0**-32 - 0.5


def uniform(
    neurons: ArrayLike, step: int, stream: int, k0: int | np.uint32, k1: int | np.uint32, precision: np.dtype[Any] = FLOAT64
) -> NDArray[Any]:
    """Numbers in [0, 1), one for each neuron id."""
    high, low = _own(_shared(neurons, step, stream, k0, k1))
    if precision == FLOAT64:
        return _fraction(high, low)
    return (high >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def exponential(
    neurons: ArrayLike, step: int, stream: int, k0: int | np.uint32, k1: int | np.uint32, precision: np.dtype[Any] = FLOAT64
) -> NDArray[Any]:
    """Exponentially distributed numbers of mean 1, one for each neuron id."""
    high, low = _own(_shared(neurons, step, stream, k0, k1))
    return np.asarray(-np.log(_middle(high, low, precision))).astype(precision)


def normal(
    neurons: ArrayLike, step: int, stream: int, k0: int | np.uint32, k1: int | np.uint32, precision: np.dtype[Any] = FLOAT64
) -> NDArray[Any]:
    """Normally distributed numbers of mean 0 and variance 1, one for each neuron id."""
    w = _shared(neurons, step, stream, k0, k1)
    radius = np.sqrt(-2.0 * np.log(_middle(w[0], w[1], precision)))
    q = _centred(w[2], w[3], precision)
    cosine = np.sin(np.pi * (0.5 - np.abs(q))) * np.where(w[3] & np.uint32(1), -1.0, 1.0)
    return np.asarray(radius * np.where(w[4], cosine, np.sin(np.pi * q))).astype(precision)


def poisson(
    neurons: ArrayLike,
    step: int,
    stream: int,
    k0: int | np.uint32,
    k1: int | np.uint32,
    mean: ArrayLike,
    precision: np.dtype[Any] = FLOAT64,
) -> NDArray[Any]:
    """Poisson counts, as floating-point numbers, of a mean for each neuron id; nan where the mean is negative or not finite."""
    ids = np.atleast_1d(np.asarray(neurons))
    means = np.broadcast_to(np.asarray(mean, np.float64), ids.shape)
    result = np.full(ids.shape, np.nan)
    small = (means >= 0) & (means < SEARCHED)
    large = (means >= SEARCHED) & np.isfinite(means)
    result[small] = _searched(_fraction(*words(ids[small], step, stream, k0, k1)[:2]), means[small])
    waiting = np.flatnonzero(large)
    attempt = 0
    while waiting.size:
        w = words(ids[waiting], step, stream + attempt * ATTEMPT, k0, k1)
        count, accepted = _proposed(_centred(w[0], w[1], FLOAT64), _middle(w[2], w[3], FLOAT64), means[waiting])
        result[waiting[accepted]] = count[accepted]
        waiting = waiting[~accepted]
        attempt += 1
    return result.astype(precision)


def _searched(u: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[Any]:
    """The smallest k whose cumulative probability exceeds u."""
    count = np.zeros_like(mean)
    term = np.exp(-mean)
    total = term.copy()
    k = 0
    active = u >= total
    while active.any():
        k += 1
        term = term * (mean * (1.0 / k))
        further = active & ((k < mean) | (total + term > total))  # the sum has stopped growing: u is in the last bit below 1
        count[further] = k
        total = total + term
        active = further & (u >= total)
    return count


def _proposed(
    u: NDArray[np.float64], v: NDArray[np.float64], mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """One attempt of algorithm PTRS: the count, and whether it is accepted."""
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b
    edge = np.maximum(0.5 - np.abs(u), 2.0**-54)
    count = np.floor((2.0 * a / edge + b) * u + mean + 0.43)
    quick = (edge >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
    possible = (count >= 0) & ((edge >= 0.013) | (v <= edge))
    ratio = np.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b))
    return count, quick | (possible & (ratio <= _log_probability(np.maximum(count, 0.0), mean)))


def _log_probability(k: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[Any]:
    """Logarithm of the Poisson probability of k, without cancellation where k and the mean are large and close.

    By Stirling's series; for small k at k + 10, by P(k) = P(k + 10) (k + 1)/mean ... (k + 10)/mean.
    """
    low = k < SHIFT
    shifted = np.where(low, k + SHIFT, k)
    excess, square = shifted - mean, shifted * shifted
    stirling = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / shifted
    product = np.prod([(np.where(low, k, 0.0) + factor) * (1.0 / mean) for factor in range(1, SHIFT + 1)], axis=0)
    rest = np.log(np.where(low, product, 1.0) / np.sqrt(2 * np.pi * shifted))
    return np.asarray(excess - shifted * np.log1p(excess / mean) - stirling + rest)
