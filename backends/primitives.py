"""What generated code calls where Python or numba would bring a branch or a bounds calculation: a few LLVM instructions each.

Being numba intrinsics, they cost a kernel no compilation of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.core.cgutils
import numba.core.types
from llvmlite import ir
from numba.extending import intrinsic

cgutils: Any = numba.core.cgutils  # numba is not typed
types: Any = numba.core.types

VECTOR = 16  # values that `all_finite` looks at together

# ---- memory ------------------------------------------------------------------------------------


def _at(typing_context: Any, address: Any, kind: Any) -> Any:
    """at(address, kind): the values that begin at an address, for `get` and `put`."""
    pointer = types.CPointer(kind.instance_type)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(types.int64, kind), generate


def _get(typing_context: Any, values: Any, place: Any) -> Any:
    """get(values, place)"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.unpack_value(builder, values.dtype, builder.gep(arguments[0], [arguments[1]], inbounds=True))

    return values.dtype(values, types.int64), generate


def _put(typing_context: Any, values: Any, place: Any, value: Any) -> Any:
    """put(values, place, value)"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = builder.gep(arguments[0], [arguments[1]], inbounds=True)
        context.pack_value(builder, values.dtype, arguments[2], target)
        return context.get_dummy_value()

    return types.void(values, types.int64, values.dtype), generate


def _copy(typing_context: Any, target: Any, to: Any, source: Any, start: Any, count: Any) -> Any:
    """copy(target, to, source, start, count): values of two places that do not overlap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target_at, to_at, source_at, start_at, many = arguments
        cgutils.raw_memcpy(
            builder, builder.gep(target_at, [to_at]), builder.gep(source_at, [start_at]), many, _size(context, target.dtype)
        )
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


def _size(context: Any, kind: Any) -> int:
    size: int = context.get_abi_sizeof(context.get_data_type(kind))
    return size


def _repeat(typing_context: Any, values: Any, place: Any, end: Any) -> Any:
    """repeat(values, place, end): the value before `place` is written to all places up to `end`; not worth a vector loop."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, place_at, end_at = arguments
        value = builder.load(builder.gep(base, [builder.sub(place_at, place_at.type(1))]))
        with cgutils.for_range_slice(builder, place_at, end_at, place_at.type(1), inc=True) as (index, _):
            builder.store(value, builder.gep(base, [index]), align=1)
        return context.get_dummy_value()

    return types.void(values, types.int64, types.int64), generate


def _all_finite(typing_context: Any, values: Any, place: Any, count: Any) -> Any:
    """all_finite(values, place, count): count is a multiple of VECTOR."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, place_at, many = arguments
        real = base.type.pointee
        vector, bits = ir.VectorType(real, VECTOR), ir.VectorType(ir.IntType(1), VECTOR)
        bad = cgutils.alloca_once_value(builder, bits(None))
        zero = vector(None)
        with cgutils.for_range_slice(builder, many.type(0), many, many.type(VECTOR), inc=True) as (index, _):
            pointer = builder.gep(base, [builder.add(place_at, index)])
            value = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=4)
            found = builder.fcmp_unordered("!=", builder.fsub(value, value), zero)
            builder.store(builder.or_(builder.load(bad), found), bad)
        word = builder.bitcast(builder.load(bad), ir.IntType(VECTOR))
        return builder.icmp_unsigned("==", word, word.type(0))

    return types.boolean(values, types.int64, types.int64), generate


def _pair_sums(typing_context: Any, target: Any, to: Any, source: Any, start: Any, half: Any) -> Any:
    """pair_sums(target, to, source, start, half): target[to + j] = source[start + 2j] + source[start + 2j + 1] for j up to `half`.

    Vectors are written whole: up to 7 places behind the last one are written too. Both may be one place.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, target_at, values, source_at, many = arguments
        pair, single = (ir.VectorType(base.type.pointee, lanes) for lanes in (VECTOR, VECTOR // 2))
        even, odd = (ir.Constant(ir.VectorType(ir.IntType(32), VECTOR // 2), list(range(first, VECTOR, 2))) for first in (0, 1))
        step = many.type(VECTOR // 2)
        add = builder.add if isinstance(base.type.pointee, ir.IntType) else builder.fadd
        with cgutils.for_range_slice(builder, many.type(0), many, step, inc=True) as (index, _):
            place = builder.add(source_at, builder.add(index, index))
            pairs = builder.load(builder.bitcast(builder.gep(values, [place]), pair.as_pointer()), align=4)
            left, right = (builder.shuffle_vector(pairs, pair(ir.Undefined), mask) for mask in (even, odd))
            here = builder.gep(base, [builder.add(target_at, index)])
            builder.store(add(left, right), builder.bitcast(here, single.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


def _sums_of_64(typing_context: Any, target: Any, to: Any, source: Any, start: Any, count: Any) -> Any:
    """sums_of_64(target, to, source, start, count): target[to + c] is the sum of the 64 values from source[start + 64c] on, c up to `count`.

    Neighbours are added, then neighbours of the sums, as by `pair_sums`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, target_at, values, source_at, many = arguments
        vector = ir.VectorType(base.type.pointee, VECTOR)
        add = builder.add if isinstance(base.type.pointee, ir.IntType) else builder.fadd

        def neighbours(left: Any, right: Any, size: int) -> Any:
            lanes = [ir.Constant(ir.VectorType(ir.IntType(32), size), list(range(first, 2 * size, 2))) for first in (0, 1)]
            return add(*[builder.shuffle_vector(left, right, mask) for mask in lanes])

        with cgutils.for_range(builder, many) as loop:
            first = builder.add(source_at, builder.mul(loop.index, many.type(64)))
            places = [builder.gep(values, [builder.add(first, many.type(VECTOR * part))]) for part in range(4)]
            a, b, c, d = (builder.load(builder.bitcast(place, vector.as_pointer()), align=4) for place in places)
            sums = neighbours(neighbours(a, b, VECTOR), neighbours(c, d, VECTOR), VECTOR)
            size = VECTOR // 2
            while size:
                sums = neighbours(sums, sums.type(ir.Undefined), size)
                size //= 2
            value = builder.extract_element(sums, ir.IntType(32)(0))
            builder.store(value, builder.gep(base, [builder.add(target_at, loop.index)]))
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


def _largest_of(typing_context: Any, values: Any, place: Any, count: Any) -> Any:
    """largest_of(values, place, count): nan if any is nan; count is a multiple of twice VECTOR."""
    return _extreme(values, False)


def _smallest_of(typing_context: Any, values: Any, place: Any, count: Any) -> Any:
    """smallest_of(values, place, count): nan if any is nan; count is a multiple of twice VECTOR."""
    return _extreme(values, True)


def _extreme(values: Any, smallest: bool) -> Any:
    kind = values.dtype
    better = _minimum if smallest else _maximum

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, place_at, many = arguments
        vector = ir.VectorType(base.type.pointee, VECTOR)

        def load(index: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(base, [builder.add(place_at, index)]), vector.as_pointer()), align=4)

        found = [cgutils.alloca_once_value(builder, load(many.type(0))) for _ in range(2)]  # side by side, so that neither waits
        with cgutils.for_range_slice(builder, many.type(0), many, many.type(2 * VECTOR), inc=True) as (index, _):
            for place, off in zip(found, (0, VECTOR), strict=True):
                builder.store(better(builder, kind, builder.load(place), load(builder.add(index, many.type(off)))), place)
        rest = better(builder, kind, *[builder.load(place) for place in found])
        value = builder.extract_element(rest, ir.IntType(32)(0))
        for lane in range(1, VECTOR):
            value = better(builder, kind, value, builder.extract_element(rest, ir.IntType(32)(lane)))
        # of a positive and a negative zero the positive one, wherever they stand
        return value if isinstance(kind, types.Integer) else builder.fadd(value, value.type(0.0))

    return kind(values, types.int64, types.int64), generate


def _bits_of(typing_context: Any, x: Any) -> Any:
    """bits_of(x): the representation of a float64 as a whole number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


# ---- flags -------------------------------------------------------------------------------------


def _any_of_eight(typing_context: Any, words: Any, place: Any) -> Any:
    """any_of_eight(words, place): whether one of eight words is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.IntType(64), 8)
        pointer = builder.bitcast(builder.gep(arguments[0], list(arguments[1:])), vector.as_pointer())
        found = builder.icmp_unsigned("!=", builder.load(pointer, align=8), vector(None))
        mask = builder.bitcast(found, ir.IntType(8))
        return builder.icmp_unsigned("!=", mask, mask.type(0))

    return types.boolean(words, types.int64), generate


def _lowest_bit(typing_context: Any, word: Any) -> Any:
    """lowest_bit(word): the position of the lowest bit that is set in a number that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


# ---- values ------------------------------------------------------------------------------------


def _select(typing_context: Any, condition: Any, chosen: Any, other: Any) -> Any:
    """select(condition, chosen, other): both sides are evaluated, so that a loop around it stays free of branches."""
    result = typing_context.unify_types(types.unliteral(chosen), types.unliteral(other))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return result(types.boolean, result, result), generate


def _less(builder: Any, kind: Any, a: Any, b: Any) -> Any:
    return builder.fcmp_ordered("<", a, b) if isinstance(kind, types.Float) else builder.icmp_signed("<", a, b)


def _nan(builder: Any, kind: Any, a: Any) -> Any:
    return builder.fcmp_unordered("uno", a, a) if isinstance(kind, types.Float) else builder.icmp_signed("<", a, a)


def _of_two(generate: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """An intrinsic of two numbers that are brought to one type."""

    def typed(typing_context: Any, a: Any, b: Any) -> Any:
        kind = typing_context.unify_types(types.unliteral(a), types.unliteral(b))
        return kind(kind, kind), lambda context, builder, signature, arguments: generate(builder, kind, *arguments)

    return intrinsic(typed)


def _minimum(builder: Any, kind: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.or_(_less(builder, kind, a, b), _nan(builder, kind, a)), a, b)


def _maximum(builder: Any, kind: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.or_(_less(builder, kind, b, a), _nan(builder, kind, a)), a, b)


def _below(builder: Any, kind: Any, x: Any, bound: Any) -> Any:
    return builder.select(_less(builder, kind, bound, x), bound, x)


def _sign(typing_context: Any, x: Any) -> Any:
    kind = types.unliteral(x)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        minus, zero, one = (context.get_constant(kind, number) for number in (-1, 0, 1))
        still = builder.select(_nan(builder, kind, value), value, zero)
        negative = builder.select(_less(builder, kind, value, zero), minus, still)
        return builder.select(_less(builder, kind, zero, value), one, negative)

    return kind(kind), generate


at: Any = intrinsic(_at)
get: Any = intrinsic(_get)
put: Any = intrinsic(_put)
copy: Any = intrinsic(_copy)
repeat: Any = intrinsic(_repeat)
all_finite: Any = intrinsic(_all_finite)
pair_sums: Any = intrinsic(_pair_sums)
sums_of_64: Any = intrinsic(_sums_of_64)
largest_of: Any = intrinsic(_largest_of)
smallest_of: Any = intrinsic(_smallest_of)
bits_of: Any = intrinsic(_bits_of)
any_of_eight: Any = intrinsic(_any_of_eight)
lowest_bit: Any = intrinsic(_lowest_bit)
select: Any = intrinsic(_select)
minimum: Any = _of_two(_minimum)
maximum: Any = _of_two(_maximum)
below: Any = _of_two(_below)
sign: Any = intrinsic(_sign)
