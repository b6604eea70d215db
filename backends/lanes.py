"""Values of a vector loop: arithmetic on them is written as LLVM instructions while numba compiles the loop that uses it.

A function over `Real` values becomes a numba intrinsic (`intrinsic_of`). Numba's own type inference and compilation of
small functions, about 60 ms each in every new kernel, are not paid, and no instruction carries a fast-math flag: a scalar
call, a vector and the rest of a loop give the same bits.
"""

from __future__ import annotations

import functools
import inspect
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from .device_writer import DeviceWriter
from .polynomials import FLOAT32, FLOAT64, Polynomials


@functools.cache
def has_fma() -> bool:
    """Whether the processor that numba compiles for rounds a*b + c once in one instruction."""
    features, processor = getattr(config, "CPU_FEATURES", None), getattr(config, "CPU_NAME", None)
    if features is not None:
        return "+fma" in features.split(",")
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    return processor != "generic" and bool(binding.get_host_cpu_features().get("fma", False))


@dataclass(frozen=True)
class Format:
    """A floating-point format: `fraction` bits after the leading one, `bias` of the exponent, and its coefficients."""

    name: str
    real: Any
    bits: Any
    numba_type: Any
    fraction: int
    bias: int
    smallest: float  # normal number
    largest: float
    polynomials: Polynomials


FORMATS = {
    "float64": Format(
        "float64", ir.DoubleType(), ir.IntType(64), types.float64, 52, 1023, 2.0**-1022, 1.7976931348623157e308, FLOAT64
    ),
    "float32": Format(
        "float32", ir.FloatType(), ir.IntType(32), types.float32, 23, 127, 2.0**-126, 3.4028234663852886e38, FLOAT32
    ),
}


@dataclass(frozen=True)
class Value:
    builder: Any
    value: Any
    format: Format


class Flag(Value):
    """A condition of each lane."""

    def __and__(self, other: Flag) -> Flag:
        return Flag(self.builder, self.builder.and_(self.value, other.value), self.format)

    def __or__(self, other: Flag) -> Flag:
        return Flag(self.builder, self.builder.or_(self.value, other.value), self.format)

    def __invert__(self) -> Flag:
        return Flag(self.builder, self.builder.not_(self.value), self.format)


class Bits(Value):
    """An integer as wide as its format. Shifts fill with zeros; sums wrap."""

    def _lift(self, other: Bits | int) -> Any:
        return other.value if isinstance(other, Bits) else ir.Constant(self.value.type, other)

    def _new(self, value: Any) -> Bits:
        return Bits(self.builder, value, self.format)

    def __add__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.add(self.value, self._lift(other)))

    def __sub__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.sub(self.value, self._lift(other)))

    def __rsub__(self, other: int) -> Bits:
        return self._new(self.builder.sub(self._lift(other), self.value))

    def __mul__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.mul(self.value, self._lift(other)))

    def of_words(self, factor: int) -> Bits:
        """The product of two words of 32 bits in lanes of 64."""
        if isinstance(self.builder, DeviceWriter):
            return self._new(self.builder.product_of_words(self.value, factor))
        return self * factor

    def __and__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.and_(self.value, self._lift(other)))

    def __or__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.or_(self.value, self._lift(other)))

    def __xor__(self, other: Bits | int) -> Bits:
        return self._new(self.builder.xor(self.value, self._lift(other)))

    def __lshift__(self, count: int) -> Bits:
        return self._new(self.builder.shl(self.value, self._lift(count)))

    def __rshift__(self, count: int) -> Bits:
        return self._new(self.builder.lshr(self.value, self._lift(count)))

    def nonzero(self) -> Flag:
        return Flag(self.builder, self.builder.icmp_signed("!=", self.value, self._lift(0)), self.format)

    def real(self) -> Real:
        """The number whose representation these bits are."""
        return Real(self.builder, self.builder.bitcast(self.value, self.format.real), self.format)


class Real(Value):
    """A number of each lane. Comparisons with nan are false, except `!=`."""

    def _lift(self, other: Real | float) -> Any:
        return other.value if isinstance(other, Real) else ir.Constant(self.format.real, float(other))

    def _new(self, value: Any) -> Real:
        return Real(self.builder, value, self.format)

    def constant(self, value: float) -> Real:
        return self._new(self._lift(value))

    def __add__(self, other: Real | float) -> Real:
        return self._new(self.builder.fadd(self.value, self._lift(other)))

    def __sub__(self, other: Real | float) -> Real:
        return self._new(self.builder.fsub(self.value, self._lift(other)))

    def __mul__(self, other: Real | float) -> Real:
        return self._new(self.builder.fmul(self.value, self._lift(other)))

    def __truediv__(self, other: Real | float) -> Real:
        return self._new(self.builder.fdiv(self.value, self._lift(other)))

    def __radd__(self, other: float) -> Real:
        return self.constant(other) + self

    def __rsub__(self, other: float) -> Real:
        return self.constant(other) - self

    def __rmul__(self, other: float) -> Real:
        return self.constant(other) * self

    def __rtruediv__(self, other: float) -> Real:
        return self.constant(other) / self

    def __neg__(self) -> Real:
        return self._new(self.builder.fneg(self.value))

    def __abs__(self) -> Real:
        return self.instruction("fabs")

    def __lt__(self, other: Real | float) -> Flag:
        return self._compare("<", other)

    def __le__(self, other: Real | float) -> Flag:
        return self._compare("<=", other)

    def __gt__(self, other: Real | float) -> Flag:
        return self._compare(">", other)

    def __ge__(self, other: Real | float) -> Flag:
        return self._compare(">=", other)

    def equals(self, other: Real | float) -> Flag:
        return self._compare("==", other)

    def differs(self, other: Real | float) -> Flag:
        return Flag(self.builder, self.builder.fcmp_unordered("!=", self.value, self._lift(other)), self.format)

    def _compare(self, sign: str, other: Real | float) -> Flag:
        return Flag(self.builder, self.builder.fcmp_ordered(sign, self.value, self._lift(other)), self.format)

    def instruction(self, name: str, *others: Real) -> Real:
        """One of LLVM's own functions that processors have an instruction for: sqrt, floor, ceil, rint, trunc, fabs, copysign."""
        if isinstance(self.builder, DeviceWriter):
            return self._new(self.builder.instruction(name, self.value, *(other.value for other in others)))
        real = self.format.real
        shape = ir.FunctionType(real, [real] * (1 + len(others)))
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", [real], shape)
        return self._new(self.builder.call(function, [self.value, *(other.value for other in others)]))

    def over(self, other: Real) -> Real:
        """The quotient of numbers from 2^-60 to 2^60, or of 0: rounded once, on a device without the branch for others."""
        if isinstance(self.builder, DeviceWriter) and self.format.name == "float32":
            reciprocal = other.instruction("rcp")
            reciprocal = fma(reciprocal, fma(-other, reciprocal, 1.0), reciprocal)
            value = self * reciprocal
            return fma(reciprocal, fma(-other, value, self), value)
        return self / other

    def root(self) -> Real:
        """The square root of a number from 2^-60 to 2^60: rounded once, on a device without the branch for others."""
        if isinstance(self.builder, DeviceWriter) and self.format.name == "float32":
            inverse = self.instruction("rsqrt")
            value = self * inverse
            return fma(fma(-value, value, self), inverse * 0.5, value)
        return self.instruction("sqrt")

    def bits(self) -> Bits:
        """The representation of the number."""
        return Bits(self.builder, self.builder.bitcast(self.value, self.format.bits), self.format)

    def capped(self, low: float, high: float) -> Real:
        """The nearest number from low to high; nan stays."""
        x = select(self > high, high, self)
        return select(x < low, low, x)


def select(flag: Flag, chosen: Real | float, other: Real | float) -> Real:
    """`chosen` where the flag holds, `other` elsewhere; both are computed."""
    one, two = (
        value.value if isinstance(value, Real) else ir.Constant(flag.format.real, float(value)) for value in (chosen, other)
    )
    return Real(flag.builder, flag.builder.select(flag.value, one, two), flag.format)


def fma(a: Real, b: Real | float, c: Real | float) -> Real:
    """a*b + c, rounded once; product and sum where the processor has no such instruction."""
    if not has_fma():
        return a * b + c
    return Real(a.builder, a.builder.fma(a.value, a._lift(b), a._lift(c)), a.format)


def product_error(a: Real, b: Real, product: Real) -> Real:
    """a*b - product, exactly, where `product` is a*b rounded (Dekker 1971 where there is no fused multiply-add)."""
    if has_fma():
        return fma(a, b, -product)
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def residual(c: Real, a: Real, b: Real | float) -> Real:
    """c - a*b, rounded once; without a fused multiply-add only where a*b is close to c."""
    if has_fma():
        return fma(-a, b, c)
    factor = b if isinstance(b, Real) else a.constant(b)
    product = a * factor
    return (c - product) - product_error(a, factor, product)


def _upper_half(x: Real) -> Real:
    scaled = x * (2.0 ** (x.format.fraction // 2 + 1) + 1.0)
    return scaled - (scaled - x)


def polynomial(x: Real, coefficients: tuple[float, ...]) -> Real:
    """Horner's rule, the highest power first."""
    value = x.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        value = fma(value, x, coefficient)
    return value


def polynomial_in_pairs(x: Real, square: Real, coefficients: tuple[float, ...]) -> Real:
    """Horner's rule in x^2 over pairs of terms: given x^2 the same number of operations, half of them waiting for one another."""
    terms = [x.constant(coefficient) for coefficient in reversed(coefficients)]
    pairs = [fma(x, high, low) for low, high in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) & -2 :]
    value = pairs.pop()
    while pairs:
        value = fma(value, square, pairs.pop())
    return value


def writer(context: Any, builder: Any) -> Any:
    """What writes the instructions of a function for the target that numba compiles for."""
    return DeviceWriter(builder) if type(context).__name__ == "CUDATargetContext" else builder


def intrinsic_of(body: Callable[..., Real], precision: str, arity: int) -> Any:
    """The numba function of `arity` arguments of that precision (and of no other) whose instructions `body` writes."""
    form = FORMATS[precision]

    def typed(typing_context: Any, *arguments: Any) -> Any:
        if arguments != (form.numba_type,) * arity:
            return None

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            written = writer(context, builder)
            return body(*(Real(written, value, form) for value in values)).value

        return form.numba_type(*[form.numba_type] * arity), generate

    names = ["typing_context", *inspect.signature(body).parameters][: arity + 1]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # numba reads the names of the arguments here
    typed.__name__ = f"{body.__name__}_{'f64' if precision == 'float64' else 'f32'}"
    typed.__doc__ = body.__doc__
    return intrinsic(typed)
