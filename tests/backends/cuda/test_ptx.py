"""The processor for PTX against the meaning that NVIDIA's manual ("Parallel Thread Execution ISA") gives to instructions, in Python's own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from .virtual.processor import Machine, machine

HEAD = ".version 9.0\n.target sm_90\n.address_size 64\n"
DRAWS = np.random.default_rng(5)
EDGES = [0, 1, 2, 3, 63, 64, 65, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]


def kernel(body: str, more: str = "") -> Machine:
    """A kernel `k` of three parameters: `a` and `b` are arrays to read, `c` one to write; %i is the number of the thread."""
    return machine(
        HEAD
        + more
        + """.visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c) {
        .reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %d<9>; .reg .f32 %f<9>; .reg .f64 %g<9>;
        .reg .b64 %a; .reg .b64 %b; .reg .b64 %c; .reg .b32 %i; .reg .b32 %j; .reg .b32 %n; .reg .b64 %o;
        ld.param.u64 %a, [a]; ld.param.u64 %b, [b]; ld.param.u64 %c, [c];
        mov.u32 %i, %tid.x; mov.u32 %n, %ntid.x; mov.u32 %j, %ctaid.x; mad.lo.s32 %i, %j, %n, %i;
        mul.wide.u32 %o, %i, 8; add.s64 %a, %a, %o; add.s64 %b, %b, %o; add.s64 %c, %c, %o;
        """
        + body
        + "\nret;\n}\n"
    )


def run(made: Machine, a: Any, b: Any, c: Any, threads: int = 0) -> Any:
    arrays = [np.ascontiguousarray(array) for array in (a, b, c)]
    blocks = 1 if threads else len(arrays[2])
    made.launch("k", blocks, threads or 1, [array.ctypes.data for array in arrays], arrays)
    return arrays[2]


def signed(value: int, width: int = 64) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def shifted_right(a: int, b: int) -> int:
    return signed(a) >> min(b & 0xFFFFFFFF, 63)


def mask_of(place: int, width: int) -> int:
    return (1 << (width & 255)) - 1 << (place & 255)


WHOLE: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "add.s64": ("add.s64 %d3, %d1, %d2;", lambda a, b: a + b),
    "mul.hi.s64": ("mul.hi.s64 %d3, %d1, %d2;", lambda a, b: signed(a) * signed(b) >> 64),
    "mul.hi.u64": ("mul.hi.u64 %d3, %d1, %d2;", lambda a, b: a * b >> 64),
    "mul.wide.s32": (
        "cvt.u32.u64 %r1, %d1; cvt.u32.u64 %r2, %d2; mul.wide.s32 %d3, %r1, %r2;",
        lambda a, b: signed(a, 32) * signed(b, 32),
    ),
    "shl.b64": ("cvt.u32.u64 %r2, %d2; shl.b64 %d3, %d1, %r2;", lambda a, b: a << (b & 0xFFFFFFFF) if b & 0xFFFFFFFF < 64 else 0),
    "shr.s64": ("cvt.u32.u64 %r2, %d2; shr.s64 %d3, %d1, %r2;", shifted_right),
    "shr.u64": ("cvt.u32.u64 %r2, %d2; shr.u64 %d3, %d1, %r2;", lambda a, b: a >> min(b & 0xFFFFFFFF, 64)),
    "rem.s64": ("or.b64 %d2, %d2, 1; rem.s64 %d3, %d1, %d2;", lambda a, b: _remainder(signed(a), signed(b | 1))),
    "min.s64": ("min.s64 %d3, %d1, %d2;", lambda a, b: min(signed(a), signed(b))),
    "max.u64": ("max.u64 %d3, %d1, %d2;", max),
    "setp.lt.s64": ("setp.lt.s64 %p1, %d1, %d2; selp.b64 %d3, 7, -7, %p1;", lambda a, b: 7 if signed(a) < signed(b) else -7),
    "setp.hi.u64": ("setp.hi.u64 %p1, %d1, %d2; selp.b64 %d3, 7, -7, %p1;", lambda a, b: 7 if a > b else -7),
    "cvt.s64.s32": ("cvt.u32.u64 %r1, %d1; cvt.s64.s32 %d3, %r1;", lambda a, b: signed(a, 32)),
    "cvt.s64.s16": ("cvt.u16.u64 %h1, %d1; cvt.s64.s16 %d3, %h1;", lambda a, b: signed(a, 16)),
    "bfi.b64": (
        "cvt.u32.u64 %r1, %d1; cvt.u32.u64 %r2, %d2; bfi.b64 %d3, %d1, %d2, %r1, %r2;",
        lambda a, b: b & ~(mask_of(a, b)) | a << (a & 255) & mask_of(a, b),
    ),
    "bfi.b32": ("bfi.b64 %d3, %d1, %d2, 2, 62;", lambda a, b: b & 3 | a << 2),
    "guard": ("mov.u64 %d3, 5; setp.eq.s64 %p1, %d1, %d2; @!%p1 mov.u64 %d3, 6;", lambda a, b: 5 if a == b else 6),
    "pack": ("mov.b64 {%r1, %r2}, %d1; mov.b64 %d3, {%r2, %r1};", lambda a, b: (a & 0xFFFFFFFF) << 32 | a >> 32),
}


def _remainder(a: int, b: int) -> int:
    """With the sign of the dividend, as C has it."""
    return abs(a) % abs(b) * (-1 if a < 0 else 1)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name: str) -> None:
    text, meaning = WHOLE[name]
    numbers = EDGES + [int(word) for word in DRAWS.integers(0, 2**64, 20, np.uint64)]
    pairs = [(a, b) for a in numbers for b in numbers if not (name == "rem.s64" and (a, b | 1) == (2**63, 2**64 - 1))]
    a, b = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    made = kernel(f"ld.global.u64 %d1, [%a]; ld.global.u64 %d2, [%b]; {text} st.global.u64 [%c], %d3;")
    got = run(made, a, b, np.zeros(len(pairs), np.uint64))
    expected = np.array([meaning(x, y) & 2**64 - 1 for x, y in pairs], np.uint64)
    np.testing.assert_array_equal(got, expected)


def singles(count: int) -> tuple[Any, Any, Any]:
    a, b, c = (
        DRAWS.standard_normal(count).astype(np.float32) * np.float32(2) ** DRAWS.integers(-30, 30, count).astype(np.float32)
        for _ in "abc"
    )
    c[: count // 4] = -(a * b)[: count // 4]
    c[count // 4 : count // 3] = 0
    return a, b, c


def on_singles(text: str, a: Any, b: Any, c: Any) -> Any:
    """%f4 of %f1, %f2 and %f3."""
    first, second = (values.view(np.uint32).astype(np.uint64) for values in (a, b))
    second |= c.view(np.uint32).astype(np.uint64) << np.uint64(32)
    loads = "ld.global.f32 %f1, [%a]; ld.global.f32 %f2, [%b]; ld.global.f32 %f3, [%b+4];"
    got = run(kernel(f"{loads} {text} st.global.f32 [%c], %f4;"), first, second, np.zeros(len(a), np.uint64))
    return got.astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("direction", ["rm", "rz"])
def test_rounding_in_a_direction(direction: str, fused: bool) -> None:
    """Against fractions: the next float32 below, or on the side of zero."""
    a, b, c = singles(3000)
    got = on_singles(f"fma.{direction}.f32 %f4, %f1, %f2, %f3;" if fused else f"add.{direction}.f32 %f4, %f1, %f3;", a, b, c)
    for x, y, z, found in zip(a, b if fused else np.ones_like(b), c, got, strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        low, high = (Fraction(float(np.nextafter(found, np.float32(side)))) for side in (-np.inf, np.inf))
        if direction == "rm" or exact > 0:
            assert Fraction(float(found)) <= exact < high
        else:
            assert low < exact <= Fraction(float(found))


def test_sums_and_products_are_drawn_together_where_their_rounding_is_open() -> None:
    a, b, c = singles(1000)
    fused = on_singles("fma.rn.f32 %f4, %f1, %f2, %f3;", a, b, c)
    np.testing.assert_array_equal(on_singles("mul.f32 %f5, %f1, %f2; add.f32 %f4, %f5, %f3;", a, b, c), fused)
    apart = a * b + c
    for text in ("mul.f32 %f5, %f1, %f2; add.rn.f32 %f4, %f5, %f3;", "mul.rn.f32 %f5, %f1, %f2; add.f32 %f4, %f5, %f3;"):
        np.testing.assert_array_equal(on_singles(text, a, b, c), apart)
    assert (apart != fused).any()


def test_copysign_names_the_sign_first() -> None:
    a, b = np.array([-1.0, 2.0, -0.0]), np.array([3.0, -4.0, 5.0])
    made = kernel("ld.global.f64 %g1, [%a]; ld.global.f64 %g2, [%b]; copysign.f64 %g3, %g1, %g2; st.global.f64 [%c], %g3;")
    assert run(made, a, b, np.zeros(3)).tolist() == [-3.0, 4.0, -5.0]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("cvt.rni.f64.f64 %g2, %g1; cvt.rzi.s64.f64 %d3, %g2;", np.rint),
        ("cvt.rmi.f64.f64 %g2, %g1; cvt.rzi.s64.f64 %d3, %g2;", np.floor),
        ("cvt.rpi.f64.f64 %g2, %g1; cvt.rzi.s64.f64 %d3, %g2;", np.ceil),
        ("cvt.rzi.s64.f64 %d3, %g1;", np.trunc),
        ("cvt.rni.s64.f64 %d3, %g1;", np.rint),
    ],
)
def test_numbers_made_whole(text: str, meaning: Callable[[Any], Any]) -> None:
    """Beyond the range the nearest bound; what is not a number becomes the lowest number of 64 bits."""
    numbers = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.0**52 + 1, -3.7, 1e300, -1e300, np.inf, -np.inf, np.nan])
    made = kernel(f"ld.global.f64 %g1, [%a]; {text} st.global.u64 [%c], %d3;")
    got = run(made, numbers, numbers, np.zeros(len(numbers), np.int64))
    with np.errstate(all="ignore"):
        inside = [int(meaning(number)) for number in numbers[:7]]
    bounds = [2**63 - 1, -(2**63), 2**63 - 1, -(2**63), -(2**63)]
    assert got.tolist() == inside + bounds


@pytest.mark.parametrize(
    ("sign", "meaning"),
    [
        ("lt", lambda a, b: a < b),
        ("leu", lambda a, b: not a > b),
        ("neu", lambda a, b: a != b),
        ("ne", lambda a, b: a < b or a > b),
    ],
)
def test_comparisons_with_what_is_not_a_number(sign: str, meaning: Callable[[float, float], bool]) -> None:
    numbers = [0.0, -0.0, 1.0, np.inf, np.nan]
    a, b = (np.array(column) for column in zip(*[(x, y) for x in numbers for y in numbers], strict=True))
    made = kernel(
        f"ld.global.f64 %g1, [%a]; ld.global.f64 %g2, [%b]; setp.{sign}.f64 %p1, %g1, %g2; selp.u64 %d3, 1, 0, %p1; st.global.u64 [%c], %d3;"
    )
    got = run(made, a, b, np.zeros(len(a), np.int64))
    assert got.tolist() == [int(meaning(x, y)) for x, y in zip(a, b, strict=True)]


def test_small_numbers_are_flushed_and_fractions_clamped() -> None:
    a = np.array([2.0**-149, -(2.0**-127), 2.0**-126, 0.25, 3.0, -2.0, np.nan], np.float32)
    wide = a.view(np.uint32).astype(np.uint64)
    flushed = kernel(
        "ld.global.f32 %f1, [%a]; ex2.approx.ftz.f32 %f2, %f1; add.rn.ftz.f32 %f2, %f1, 0f00000000; st.global.f32 [%c], %f2;"
    )
    got = run(flushed, wide, wide, np.zeros_like(wide)).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(got, np.array([0, 0, *a[2:]], np.float32))
    clamped = kernel("ld.global.f32 %f1, [%a]; cvt.sat.f32.f32 %f2, %f1; st.global.f32 [%c], %f2;")
    got = run(clamped, wide, wide, np.zeros_like(wide)).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(got, np.array([2.0**-149, 0, 2.0**-126, 0.25, 1, 0, 0], np.float32))


REVERSED = """
cvt.u64.u32 %d1, %i;
shl.b64 %d2, %d1, 3; mov.u64 %d3, room; cvta.shared.u64 %d4, %d3; add.s64 %d4, %d4, %d2; ld.global.u64 %d5, [%a]; st.u64 [%d4], %d5;
bar.sync 0;
not.b32 %r1, %i; add.s32 %r1, %r1, %n; mul.wide.u32 %d2, %r1, 8; add.s64 %d2, %d2, %d3; ld.shared.u64 %d5, [%d2]; st.global.u64 [%c], %d5;
"""


def test_threads_of_a_block_wait_for_one_another() -> None:
    """Each leaves a number for another one, whichever is first."""
    a = np.arange(96, dtype=np.uint64) ** 2
    made = kernel(REVERSED, ".shared .align 8 .b8 room[768];\n")
    for _ in range(3):
        np.testing.assert_array_equal(run(made, a, a, np.zeros_like(a), threads=96), a[::-1])
    unsafe = kernel(REVERSED.replace("bar.sync 0;", ""), ".shared .align 8 .b8 room[768];\n")
    assert (run(unsafe, a, a, np.zeros_like(a), threads=96) != a[::-1]).any()


@pytest.mark.parametrize(("operation", "kind"), [("or", "pred"), ("and", "pred"), ("popc", "u32")])
def test_a_barrier_tells_of_all_threads(operation: str, kind: str) -> None:
    target = "%p2" if kind == "pred" else "%r1"
    made = kernel(
        f"ld.global.u64 %d1, [%a]; setp.ne.s64 %p1, %d1, 0; bar.red.{operation}.{kind} {target}, 0, %p1;"
        + ("selp.u64 %d2, 1, 0, %p2;" if kind == "pred" else "cvt.u64.u32 %d2, %r1;")
        + "st.global.u64 [%c], %d2;"
    )
    for a in (np.zeros(40, np.uint64), np.ones(40, np.uint64), np.arange(40, dtype=np.uint64) % 3):
        found = {"or": a.any(), "and": a.all(), "popc": np.count_nonzero(a)}[operation]
        assert set(run(made, a, a, np.zeros_like(a), threads=40)) == {int(found)}


def test_extremes_pass_over_what_is_not_a_number() -> None:
    pairs = [(1.0, 2.0), (-0.0, 0.0), (0.0, -0.0), (math.nan, 3.0), (4.0, math.nan), (-math.inf, 1.0)]
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    for name, expected in (
        ("min", ["1.0", "-0.0", "-0.0", "3.0", "4.0", "-inf"]),
        ("max", ["2.0", "0.0", "0.0", "3.0", "4.0", "1.0"]),
    ):
        made = kernel(f"ld.global.f64 %g1, [%a]; ld.global.f64 %g2, [%b]; {name}.f64 %g3, %g1, %g2; st.global.f64 [%c], %g3;")
        assert [str(value) for value in run(made, a, b, np.zeros(len(a))).tolist()] == expected


def test_a_barrier_that_some_never_reach_is_told() -> None:
    made = kernel(
        """setp.eq.s32 %p1, %i, 3; @%p1 bra $out;
        { .param .b32 given; .param .b32 back; st.param.b32 [given], 0;
        call.uni (back), cudaCGSynchronize, (given, given); }
        $out:"""
    )
    a = np.zeros(8, np.uint64)
    with pytest.raises(RuntimeError, match="others never reach"):
        run(made, a, a, a, threads=8)


def test_what_is_read_outside_is_told() -> None:
    made = kernel("ld.global.u64 %d1, [%a+8]; st.global.u64 [%c], %d1;")
    a = np.arange(4, dtype=np.uint64)
    with pytest.raises(IndexError, match="outside of the arrays"):
        run(made, a, a, np.zeros_like(a))


def test_additions_of_all_threads_arrive() -> None:
    made = kernel("ld.param.u64 %d1, [c]; cvt.u64.u32 %d2, %i; add.s64 %d2, %d2, 1; atom.global.add.u64 %d3, [%d1], %d2;")
    c = np.zeros(64, np.uint64)
    assert run(made, c, c, c, threads=64)[0] == 64 * 65 // 2


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="tanh"):
        kernel("tanh.approx.f32 %f1, %f2;")
