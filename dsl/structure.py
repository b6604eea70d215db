"""Structure: all that a kernel depends on beside the model. Values, population size, dt and seed are no part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..backends.kernel import Expr, FunctionPlace, Kernel

LENGTH = "@length"  # a scalar of kernels that need dt in float64 in the middle of a step
FAILED = "@failed "  # and the name of a condition: an array of kernels, nan where that did not hold in some step
FAILURES: Mapping[str, str] = {"newton": "Newton's method finds no solution of the implicit equations of backward_euler"}
CONVENTIONS = ("dvdt", "brian2", "nest")


@dataclass(frozen=True)
class Structure:
    """`shapes`: each parameter is "scalar", "array" (one value a neuron), "series" (one row a sample), "columns" (a row a sample,
    a column a neuron), "function" (an expression of time in `functions`) or "matrix"; each external "series" or "columns".

    `outside` are the Python functions that the model calls (an external of the shape "call"). `recorded` are the names that probes are made for.
    `spike_times` is "grid" or "exact". Without `spikes` the kernel has no events: it lists none.
    """

    method: str | None = None
    shapes: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, Expr], ...] = ()
    conventions: str = "dvdt"
    recorded: tuple[str, ...] = ()
    outside: tuple[FunctionPlace, ...] = ()
    spike_times: str = "grid"
    spikes: bool = True


@dataclass(frozen=True)
class Jacobian:
    """df/dx of the equations: `entries` (row, column, expression over states, parameters and time) that are not 0, in the order of `states`."""

    states: tuple[str, ...]
    entries: tuple[tuple[int, int, Expr], ...]


@dataclass(frozen=True)
class Compiled:
    """A kernel and what a run has to know of it.

    `initial` gives a value to every array that needs one, in order of use, over parameters, "@i", "@n", "@t" (0), "@dt" and arrays before it.
    The last `observing` phases of the kernel write nothing but what is recorded of all neurons together.
    `scheme`, `why`, `notes` and `noise` (in whose sense white noise is taken) are for people. `jacobian` is
    that of the differential equations, None where there are none or it is not known.
    """

    kernel: Kernel
    initial: tuple[tuple[str, Expr], ...]
    scheme: str
    why: str
    notes: tuple[str, ...]
    observing: int = 0
    noise: str = ""
    jacobian: Jacobian | None = None
