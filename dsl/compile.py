"""All stages on one screen: a checked model and a structure to a kernel, a kernel to a program."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from ..backends.availability import BACKENDS
from ..backends.program import Program
from ..backends.unusable import Unavailable, Unusable
from . import store
from .checked import CheckedModel, without_declaration
from .errors import UsageError
from .structure import Compiled, Structure

__all__ = ["Compiled", "Structure", "build", "compile_model"]


def compile_model(model: CheckedModel, structure: Structure) -> Compiled:
    """The kernel of a model for one structure, made once.

    Raises UsageError for a method that does not exist or cannot do the model, and for exact spike times of a model that has none.
    """
    return _compiled(without_declaration(model), structure)


@functools.lru_cache(maxsize=256)
def _compiled(model: CheckedModel, structure: Structure) -> Compiled:
    return store.remembered(store.key("kernel", model, structure), lambda: _compile(model, structure))


def _compile(model: CheckedModel, structure: Structure) -> Compiled:
    from .discretise import discretise
    from .jacobian import jacobian_of
    from .lowering import lower
    from .spike_times import refuse_inexact

    discretised = discretise(model, structure)
    if structure.spike_times == "exact":
        refuse_inexact(model, structure, discretised)
    kernel, initial, observing = lower(model, structure, discretised)
    system = discretised.system
    return Compiled(
        kernel,
        initial,
        discretised.scheme,
        discretised.why,
        discretised.notes,
        observing,
        discretised.sense,
        None if system is None else jacobian_of(system, discretised.bounds),
    )


PRECISIONS = ("float64", "float32")


def build(
    compiled: Compiled, backend: str, precision: str, functions: Mapping[str, object] | None = None, exact_math: bool = False
) -> Program:
    """A program that runs the kernel, which calls `functions`; `exact_math` is of account on "cuda" alone.

    Raises UsageError for a backend or precision that does not exist, a backend that this machine cannot run, and a function that cannot
    be compiled.
    """
    if backend not in BACKENDS:
        raise UsageError(f"backend: there is no backend called {backend!r}; there are {', '.join(BACKENDS)}")
    if precision not in PRECISIONS:
        raise UsageError(f"precision: expected {' or '.join(PRECISIONS)}, not {precision!r}")
    try:
        return BACKENDS[backend].build(compiled.kernel, np.dtype(precision), functions or {}, exact_math)
    except Unavailable as obstacle:
        raise UsageError(f"backend={backend!r}: {obstacle}") from None
    except Unusable as reason:
        raise UsageError(f"parameters: {reason}") from None
