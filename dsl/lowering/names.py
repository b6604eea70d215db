"""Names, streams and constants that the parts of the lowering share."""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.kernel import Constant, Expr, Kind, Operation
from ..substitute import operations_of

NEVER = -1e7  # ms; the last spike of a neuron that has not spiked
REFRACTORY, LAST, SPIKED = "@refractory", "@lastspike", "@spiked"
IS_REFRACTORY = "@is_refractory"
SINCE = "@since_spike"  # in steps; 0 before the first
LAST_PART = f"{LAST} part"  # with exact spike times, the part of a step behind that
LAST_STEP = f"{LAST} step"  # the number of the step whose time the last spike carries, -1 for none
BEFORE: Mapping[str, Constant] = {LAST: Constant(NEVER), SPIKED: Constant(False), "@not_refractory": Constant(True)}  # a run
STREAM_STEP = 8  # streams that one draw of a text may use
NOISE_STREAM = 1 << 12  # streams of white noise stand above those of the draws that a text names
ZEROS: Mapping[Kind, Constant] = {Kind.REAL: Constant(0.0), Kind.INTEGER: Constant(0), Kind.BOOLEAN: Constant(False)}
REDUCTIONS: Mapping[str, Kind] = {
    "total": Kind.REAL,
    "mean": Kind.REAL,
    "largest": Kind.REAL,
    "smallest": Kind.REAL,
    "any": Kind.BOOLEAN,
    "count": Kind.INTEGER,
    "rank": Kind.INTEGER,
    "one_of": Kind.BOOLEAN,
}
DRAWS = frozenset(("uniform", "normal", "exponential", "poisson"))

_CONVERSIONS: Mapping[Kind, str] = {
    Kind.REAL: "to_real",
    Kind.INTEGER: "to_integer",
    Kind.BOOLEAN: "to_boolean",
    Kind.DOUBLE: "to_double",
}


def converted(expression: Expr, found: Kind, wanted: Kind) -> Expr:
    return expression if found is wanted else Operation(_CONVERSIONS[wanted], (expression,))


def kept_kind(kind: Kind) -> Kind:
    """The kind in which a value is stored or recorded: time leaves a kernel in the working precision."""
    return Kind.REAL if kind is Kind.DOUBLE else kind


def reads_all(expression: Expr) -> bool:
    """Whether an expression reads all neurons."""
    return any(node.name in REDUCTIONS or node.name == "matmul" for node in operations_of(expression))
