"""The random numbers that `philox` defines, for numba code: f(neuron, step, stream, k0, k1) with the two words of the seed.

`normal_pair_f64` and so on give the numbers of a neuron in the first half of 64 and of its partner in the second, at the cost of one.
All but the Poisson counts are numba intrinsics without branches, so a loop over neurons becomes vector instructions.
Words and uniform numbers are those of `philox` bit for bit; the others agree to the last few bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from .elementary import log1p, log_of_normal
from .lanes import FORMATS, Bits, Flag, Real, fma, select, writer
from .philox import ATTEMPT, HALF, KEY_STEPS, MULTIPLIERS, ROUNDS, SEARCHED, SHIFT
from .primitives import get, put
from .primitives import select as where
from .trigonometry import sin_pi
from .vector_math import exp_f64

WORD = 0xFFFFFFFF
Words = tuple[Bits, Bits, Bits, Bits]


def _philox(neuron: Bits, step: Bits, stream: Bits, k0: Bits, k1: Bits) -> Words:
    """Four words of 32 bits in lanes of 64."""
    c0, c1, c2, c3 = neuron & WORD, step & WORD, step >> 32, stream & WORD
    k0, k1 = k0 & WORD, k1 & WORD
    for _ in range(ROUNDS):
        p0, p1 = c0.of_words(MULTIPLIERS[0]), c2.of_words(MULTIPLIERS[1])
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & WORD, (p0 >> 32) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + KEY_STEPS[0]) & WORD, (k1 + KEY_STEPS[1]) & WORD
    return c0, c1, c2, c3


def _single(word: Bits, conversion: str) -> Real:
    """A word as a float32, "uitofp" of 0..2^32 - 1 or "sitofp" of -2^31..2^31 - 1."""
    builder, form = word.builder, FORMATS["float32"]
    return Real(builder, getattr(builder, conversion)(builder.trunc(word.value, form.bits), form.real), form)


# ---- numbers from two words --------------------------------------------------------------------


def _fraction_f64(high: Bits, low: Bits) -> Real:
    whole = ((high << 32) | low) >> 11
    return Real(whole.builder, whole.builder.uitofp(whole.value, whole.format.real), whole.format) * 2.0**-53


def _fraction_f32(high: Bits, low: Bits) -> Real:
    return _single(high >> 8, "sitofp") * 2.0**-24


def _from_one(high: Bits, low: Bits) -> Real:
    """52 bits as a number in [1, 2)."""
    return (((high << 20) | (low >> 12)) | (1023 << 52)).real()


def _middle_f64(high: Bits, low: Bits) -> Real:
    return _from_one(high, low) - (1.0 - 2.0**-53)


def _log_middle_f64(high: Bits, low: Bits) -> Real:
    return log_of_normal(_middle_f64(high, low))


def _log_middle_f32(high: Bits, low: Bits) -> Real:
    middle, rest = (fma(_single(word, "uitofp"), 2.0**-32, 2.0**-33) for word in (high, high ^ WORD))
    return log_of_normal(middle, rest)


def _centred_f64(high: Bits, low: Bits) -> Real:
    return _from_one(high, low) - 1.5


def _centred_f32(high: Bits, low: Bits) -> Real:
    return _single(high ^ (1 << 31), "sitofp") * 2.0**-32


def _edge_f32(high: Bits, low: Bits) -> Real:
    """1/2 less the size of the centred number, of all its bits: where that is small the number has not got them."""
    builder, form = high.builder, FORMATS["float32"]
    word = builder.trunc(high.value, form.bits)
    rest = builder.sub(word.type(0), word)
    smaller = builder.select(builder.icmp_unsigned("<", word, rest), word, rest)
    return abs(Real(builder, builder.sitofp(smaller, form.real), form)) * 2.0**-32


# ---- distributions -----------------------------------------------------------------------------


Pair = tuple[Real, Real]


def _uniform_f64(w: Words) -> Pair:
    return _fraction_f64(w[0], w[1]), _fraction_f64(w[2], w[3])


def _uniform_f32(w: Words) -> Pair:
    return _fraction_f32(w[0], w[1]), _fraction_f32(w[2], w[3])


def _exponential_f64(w: Words) -> Pair:
    return 0.0 - _log_middle_f64(w[0], w[1]), 0.0 - _log_middle_f64(w[2], w[3])


def _exponential_f32(w: Words) -> Pair:
    return 0.0 - _log_middle_f32(w[0], w[1]), 0.0 - _log_middle_f32(w[2], w[3])


def _normal_f64(w: Words) -> Pair:
    centred = _centred_f64(w[2], w[3])
    return _box_muller(_log_middle_f64(w[0], w[1]), centred, 0.5 - abs(centred), w[3])


def _normal_f32(w: Words) -> Pair:
    return _box_muller(_log_middle_f32(w[0], w[1]), _centred_f32(w[2], w[3]), _edge_f32(w[2], w[3]), w[3])


def _box_muller(log_middle: Real, centred: Real, edge: Real, sign: Bits) -> Pair:
    """A sine, and a cosine whose sign is the last bit of a word."""
    radius = (log_middle * -2.0).root()
    return radius * sin_pi(centred), _with_last_bit(radius, sign) * sin_pi(edge)


def _with_last_bit(x: Real, word: Bits) -> Real:
    """-x where the last bit of a word is set."""
    bits = x.bits()
    narrow = Bits(x.builder, x.builder.trunc(word.value, bits.value.type), x.format) if x.format.name == "float32" else word
    top: int = bits.value.type.width - 1
    return (bits ^ (narrow << top)).real()


def _attempt(w: Words, mean: Real, quick_only: bool = False) -> Real:
    """One attempt of algorithm PTRS at a Poisson count; -1 where it is rejected, or nan where that is not `quick`. As in `philox`."""
    u, v = _centred_f64(w[0], w[1]), _middle_f64(w[2], w[3])
    b = mean.instruction("sqrt") * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    edge = 0.5 - abs(u)
    edge = select(edge < 2.0**-54, 2.0**-54, edge)
    count = ((2.0 * a / edge + b) * u + mean + 0.43).instruction("floor")
    quick = (edge >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
    if quick_only:
        return select(quick, count, math.nan)
    possible = (count >= 0.0) & ((edge >= 0.013) | (v <= edge))
    ratio = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b)
    accepted = quick | (possible & (log_of_normal(ratio) <= _log_probability(count, mean)))
    return select(accepted, count, -1.0)


def _log_probability(k: Real, mean: Real) -> Real:
    low = k < SHIFT
    shifted = select(low, k + SHIFT, k)
    excess, square = shifted - mean, shifted * shifted
    stirling = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / shifted
    product, reciprocal = k.constant(1.0), 1.0 / mean
    for factor in range(1, SHIFT + 1):
        product = product * ((k + factor) * reciprocal)
    rest = select(low, product, 1.0) / (shifted * (2.0 * math.pi)).instruction("sqrt")
    return excess - shifted * log1p(excess / mean) - stirling + log_of_normal(rest)


# ---- functions of (neuron, step, stream, k0, k1), any integers, and for counts the mean ---------

PLACE = (types.int64,) * 5


def _lanes(context: Any, builder: Any, values: Any) -> tuple[Bits, ...]:
    written = writer(context, builder)
    return tuple(Bits(written, value, FORMATS["float64"]) for value in values[:5])


def _partner(neuron: Bits) -> tuple[Bits, Flag]:
    """The first word of the counter that a neuron shares, and whether it is the second of the two."""
    return ((neuron >> 6) << 5) | (neuron & (HALF - 1)), (neuron & HALF).nonzero()


def _whole(*arguments: Any) -> bool:
    return all(isinstance(argument, types.Integer) for argument in arguments)


def _single_draw(name: str, draw: Callable[[Words], Pair], precision: str) -> Any:
    """The numba function of one number: of the two that share words, the neuron's own."""
    form = FORMATS[precision]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        neuron, *others = _lanes(context, builder, values)
        counter, second = _partner(neuron)
        one, two = draw(_philox(counter, *others))
        return select(Flag(builder, second.value, form), two, one).value

    def typed(typing_context: Any, neuron: Any, step: Any, stream: Any, k0: Any, k1: Any) -> Any:
        return (form.numba_type(*PLACE), generate) if _whole(neuron, step, stream, k0, k1) else None

    typed.__name__ = name
    return intrinsic(typed)


def _pair_draw(name: str, draw: Callable[[Words], Pair], precision: str) -> Any:
    """The numba function of both numbers that share words, for a neuron in the first half of 64."""
    form = FORMATS[precision]
    both: Any = types.UniTuple(form.numba_type, 2)  # type: ignore[no-untyped-call]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        neuron, *others = _lanes(context, builder, values)
        pair = draw(_philox(_partner(neuron)[0], *others))
        return context.make_tuple(builder, both, [number.value for number in pair])

    def typed(typing_context: Any, neuron: Any, step: Any, stream: Any, k0: Any, k1: Any) -> Any:
        return (both(*PLACE), generate) if _whole(neuron, step, stream, k0, k1) else None

    typed.__name__ = name
    return intrinsic(typed)


def _counting(name: str, draw: Callable[..., Real]) -> Any:
    """The numba function that counts are made with; it takes the words of the neuron itself, and the mean."""
    form = FORMATS["float64"]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return draw(_philox(*_lanes(context, builder, values)), Real(writer(context, builder), values[5], form)).value

    def typed(typing_context: Any, neuron: Any, step: Any, stream: Any, k0: Any, k1: Any, mean: Any) -> Any:
        return form.numba_type(*PLACE, form.numba_type), generate

    typed.__name__ = name
    return intrinsic(typed)


uniform_f64 = _single_draw("uniform_f64", _uniform_f64, "float64")
uniform_f32 = _single_draw("uniform_f32", _uniform_f32, "float32")
exponential_f64 = _single_draw("exponential_f64", _exponential_f64, "float64")
exponential_f32 = _single_draw("exponential_f32", _exponential_f32, "float32")
normal_f64 = _single_draw("normal_f64", _normal_f64, "float64")
normal_f32 = _single_draw("normal_f32", _normal_f32, "float32")
uniform_pair_f64 = _pair_draw("uniform_pair_f64", _uniform_f64, "float64")
uniform_pair_f32 = _pair_draw("uniform_pair_f32", _uniform_f32, "float32")
exponential_pair_f64 = _pair_draw("exponential_pair_f64", _exponential_f64, "float64")
exponential_pair_f32 = _pair_draw("exponential_pair_f32", _exponential_f32, "float32")
normal_pair_f64 = _pair_draw("normal_pair_f64", _normal_f64, "float64")
normal_pair_f32 = _pair_draw("normal_pair_f32", _normal_f32, "float32")
_searched_uniform = _counting("_searched_uniform", lambda w, mean: _fraction_f64(w[0], w[1]))
_poisson_quick = _counting("_poisson_quick", lambda w, mean: _attempt(w, mean, quick_only=True))
_poisson_attempt = _counting("_poisson_attempt", _attempt)


@njit(error_model="numpy")
def poisson_f64(neuron: int, step: int, stream: int, k0: int, k1: int, mean: float) -> float:
    """A Poisson count as a floating-point number; nan where the mean is negative or not finite."""
    if not 0.0 <= mean < math.inf:
        return math.nan
    if mean >= SEARCHED:
        count = -1.0
        while count < 0.0:
            count = _poisson_quick(neuron, step, stream, k0, k1, mean)
            if count != count:
                count = _poisson_attempt(neuron, step, stream, k0, k1, mean)
            stream += ATTEMPT
        return count
    u = _searched_uniform(neuron, step, stream, k0, k1, mean)
    term = exp_f64(-mean)
    total = term
    count = 0.0
    while u >= total:
        term *= mean * (1.0 / (count + 1.0))
        if count + 1.0 >= mean and total + term <= total:  # the sum has stopped growing: u is in the last bit below 1
            break
        count += 1.0
        total += term
    return count


@njit(error_model="numpy")
def poisson_f32(neuron: int, step: int, stream: int, k0: int, k1: int, mean: np.float32) -> np.float32:
    """A Poisson count as a float32."""
    return np.float32(poisson_f64(neuron, step, stream, k0, k1, np.float64(mean)))


# ---- the counts of a block ---------------------------------------------------------------------


def _many_counts(one: Any, real: Any) -> Any:
    """The function that replaces `lanes` means, from `place` on, by counts.

    All lanes look for their counts together, one candidate after the other, so that a pass over them is made of vectors; of the large
    means few are left for further attempts of their own. `work` has room for four rows of `block` numbers.
    """

    @njit(error_model="numpy")
    def poisson_many(
        values: Any, place: int, work: Any, block: int, lanes: int, origin: int, step: int, stream: int, k0: int, k1: int
    ) -> None:
        others = 0
        for j in range(lanes):
            mean = np.float64(get(values, place + j))
            searched = (mean >= 0.0) & (mean < SEARCHED)
            others |= int(not searched)
            small = where(searched, mean, 0.0)
            none = exp_f64(-small)
            put(work, j, where(searched, _searched_uniform(origin + j, step, stream, k0, k1, small), -1.0))
            put(work, block + j, none)
            put(work, 2 * block + j, none)
            put(work, 3 * block + j, small)
            put(values, place + j, where(searched, real(0.0), real(mean)))
        number, left = 0.0, 1
        while left != 0:
            number += 1.0
            left = 0
            for j in range(lanes):
                mean, total = get(work, 3 * block + j), get(work, 2 * block + j)
                term = get(work, block + j) * (mean * (1.0 / number))
                further = (get(work, j) >= total) & ((number < mean) | (total + term > total))
                put(values, place + j, get(values, place + j) + where(further, real(1.0), real(0.0)))
                put(work, block + j, term)
                put(work, 2 * block + j, total + term)
                left |= int(further)
        if others != 0:
            for j in range(lanes):
                mean = np.float64(get(values, place + j))
                large = (get(work, j) < 0.0) & (mean >= SEARCHED) & (mean < math.inf)
                count = _poisson_attempt(origin + j, step, stream, k0, k1, where(large, mean, SEARCHED))
                found = large & (count >= 0.0)
                put(values, place + j, where(found, real(count), real(mean)))
                put(work, j, where(found, 0.0, get(work, j)))
            for j in range(lanes):
                if get(work, j) < 0.0:
                    put(values, place + j, one(origin + j, step, stream + ATTEMPT, k0, k1, get(values, place + j)))

    return poisson_many


poisson_many_f64 = _many_counts(poisson_f64, np.float64)
poisson_many_f32 = _many_counts(poisson_f32, np.float32)
