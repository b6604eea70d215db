"""The functions of math and numpy in the forms that this package has for vectors, for what is compiled from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numba.core.types
import numpy as np
from numba.extending import intrinsic

from . import elementary, rounding, trigonometry
from .lanes import FORMATS, Real

types: Any = numba.core.types  # numba is not typed
_FLOAT = FORMATS["float64"]


def _of_any_number(body: Any) -> Any:
    """The vector form for one number of any real type, which is taken to float64 first."""

    def typed(typing_context: Any, x: Any) -> Any:
        if not isinstance(types.unliteral(x), types.Float | types.Integer | types.Boolean):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return body(Real(builder, arguments[0], _FLOAT)).value

        return types.float64(types.float64), generate

    typed.__name__ = body.__name__
    return intrinsic(typed)


_BODIES: Mapping[str, Any] = {
    **{name: getattr(elementary, name) for name in "exp log log10 log2 log1p expm1 cbrt sinh cosh tanh".split()},
    **{name: getattr(trigonometry, name) for name in "sin cos tan asin acos atan".split()},
    "sqrt": rounding.sqrt,
}
_NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_FORMS = {name: _of_any_number(body) for name, body in _BODIES.items()}

VECTOR_FORMS: Mapping[object, Any] = {
    **{getattr(math, name): form for name, form in _FORMS.items() if hasattr(math, name)},
    **{getattr(np, _NUMPY_NAMES.get(name, name)): form for name, form in _FORMS.items()},
}
