"""The functions that equations may use, for numba code, in float64 and float32: LLVM's loop vectoriser takes them whole.

They are numba intrinsics: called inside compiled functions only, with arguments of exactly their precision. The caller is
compiled without fastmath, whose flags numba would put on these instructions too, and with error_model="numpy". A processor
without a fused multiply-add gets products and sums, and then the last bits may differ from those of other processors.
Errors are in units in the last place against the exact value; inf, nan, signed zeros and subnormal numbers are as in C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import elementary, rounding, trigonometry
from .lanes import Real, fma, has_fma, intrinsic_of

__all__ = ["VECTOR_MATH", "has_fma"]


def _both(body: Callable[..., Real], arity: int = 1) -> tuple[Any, Any]:
    return intrinsic_of(body, "float64", arity), intrinsic_of(body, "float32", arity)


exp_f64, exp_f32 = _both(elementary.exp)
log_f64, log_f32 = _both(elementary.log)
log10_f64, log10_f32 = _both(elementary.log10)
log2_f64, log2_f32 = _both(elementary.log2)
log1p_f64, log1p_f32 = _both(elementary.log1p)
expm1_f64, expm1_f32 = _both(elementary.expm1)
sqrt_f64, sqrt_f32 = _both(rounding.sqrt)
cbrt_f64, cbrt_f32 = _both(elementary.cbrt)
sin_f64, sin_f32 = _both(trigonometry.sin)
cos_f64, cos_f32 = _both(trigonometry.cos)
tan_f64, tan_f32 = _both(trigonometry.tan)
asin_f64, asin_f32 = _both(trigonometry.asin)
acos_f64, acos_f32 = _both(trigonometry.acos)
atan_f64, atan_f32 = _both(trigonometry.atan)
atan2_f64, atan2_f32 = _both(trigonometry.atan2, 2)
sinh_f64, sinh_f32 = _both(elementary.sinh)
cosh_f64, cosh_f32 = _both(elementary.cosh)
tanh_f64, tanh_f32 = _both(elementary.tanh)
exprel_f64, exprel_f32 = _both(elementary.exprel)
exprel_decay_f64, exprel_decay_f32 = _both(elementary.exprel_decay)
bernoulli_f64, bernoulli_f32 = _both(elementary.bernoulli)
sinc_f64, sinc_f32 = _both(trigonometry.sinc)
sigmoid_f64, sigmoid_f32 = _both(elementary.sigmoid)
pow_f64, pow_f32 = _both(elementary.power, 2)
floor_f64, floor_f32 = _both(rounding.floor)
ceil_f64, ceil_f32 = _both(rounding.ceil)
round_even_f64, round_even_f32 = _both(rounding.round_even)
floor_divide_f64, floor_divide_f32 = _both(rounding.floor_divide, 2)
modulo_f64, modulo_f32 = _both(rounding.modulo, 2)
fma_f64, fma_f32 = _both(fma, 3)

# (operation of the kernel, precision) -> function
VECTOR_MATH: Mapping[tuple[str, str], Any] = {
    ("exp", "float64"): exp_f64,
    ("exp", "float32"): exp_f32,
    ("log", "float64"): log_f64,
    ("log", "float32"): log_f32,
    ("log10", "float64"): log10_f64,
    ("log10", "float32"): log10_f32,
    ("log2", "float64"): log2_f64,
    ("log2", "float32"): log2_f32,
    ("log1p", "float64"): log1p_f64,
    ("log1p", "float32"): log1p_f32,
    ("expm1", "float64"): expm1_f64,
    ("expm1", "float32"): expm1_f32,
    ("sqrt", "float64"): sqrt_f64,
    ("sqrt", "float32"): sqrt_f32,
    ("cbrt", "float64"): cbrt_f64,
    ("cbrt", "float32"): cbrt_f32,
    ("sin", "float64"): sin_f64,
    ("sin", "float32"): sin_f32,
    ("cos", "float64"): cos_f64,
    ("cos", "float32"): cos_f32,
    ("tan", "float64"): tan_f64,
    ("tan", "float32"): tan_f32,
    ("asin", "float64"): asin_f64,
    ("asin", "float32"): asin_f32,
    ("acos", "float64"): acos_f64,
    ("acos", "float32"): acos_f32,
    ("atan", "float64"): atan_f64,
    ("atan", "float32"): atan_f32,
    ("atan2", "float64"): atan2_f64,
    ("atan2", "float32"): atan2_f32,
    ("sinh", "float64"): sinh_f64,
    ("sinh", "float32"): sinh_f32,
    ("cosh", "float64"): cosh_f64,
    ("cosh", "float32"): cosh_f32,
    ("tanh", "float64"): tanh_f64,
    ("tanh", "float32"): tanh_f32,
    ("exprel", "float64"): exprel_f64,
    ("exprel", "float32"): exprel_f32,
    ("exprel_decay", "float64"): exprel_decay_f64,
    ("exprel_decay", "float32"): exprel_decay_f32,
    ("bernoulli", "float64"): bernoulli_f64,
    ("bernoulli", "float32"): bernoulli_f32,
    ("sinc", "float64"): sinc_f64,
    ("sinc", "float32"): sinc_f32,
    ("sigmoid", "float64"): sigmoid_f64,
    ("sigmoid", "float32"): sigmoid_f32,
    ("power", "float64"): pow_f64,
    ("power", "float32"): pow_f32,
    ("floor", "float64"): floor_f64,
    ("floor", "float32"): floor_f32,
    ("ceil", "float64"): ceil_f64,
    ("ceil", "float32"): ceil_f32,
    ("round", "float64"): round_even_f64,
    ("round", "float32"): round_even_f32,
    ("floor_divide", "float64"): floor_divide_f64,
    ("floor_divide", "float32"): floor_divide_f32,
    ("modulo", "float64"): modulo_f64,
    ("modulo", "float32"): modulo_f32,
    ("fma", "float64"): fma_f64,
    ("fma", "float32"): fma_f32,
}


def names() -> Mapping[tuple[str, str], str]:
    """(operation, precision) to the name that generated code calls."""
    spelled = {id(value): name for name, value in globals().items()}
    return {key: spelled[id(function)] for key, function in VECTOR_MATH.items()}
