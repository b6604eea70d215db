"""Kernel: one time step of a population as plain data, the contract between the compiler and every backend.

Nothing here is symbolic algebra and nothing here runs: a Kernel can be written to a file and read back without
importing anything but the standard library.

The meaning of a kernel, which every backend gives:

    once a run      prologue, in float64, from scalars and arrays to further scalars and arrays
    step k:         probes that are due are recorded from the values at t_k
                    for each phase in order (a barrier stands between phases):
                        uniform statements, once a step; what follows for each neuron, or only where `where` holds
                        body statements, once a neuron; a name is assigned exactly once in a kernel
                        emits: neurons where a flag holds are appended to an event list
                        stores: names are written to arrays, after the whole body
                        reductions: over the stored arrays of all neurons, to a value all may read in later phases

Symbols an expression may use, apart from places and names assigned before it: the BUILT_IN ones below. A name that
begins with "@" was made by the compiler and never meets a name of a model; any other is a name of the model, which may
be any identifier (also a Python keyword, and not only ASCII), so an emitter spells names its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a value is. REAL has the working precision, DOUBLE is float64 in every kernel (time), INTEGER is int64."""

    REAL = "real"
    DOUBLE = "double"
    INTEGER = "integer"
    BOOLEAN = "boolean"


BUILT_IN: Mapping[str, Kind] = {
    "@step": Kind.INTEGER,  # k, the number of the step
    "@t": Kind.DOUBLE,  # k*dt
    "@t_next": Kind.DOUBLE,  # (k + 1)*dt
    "@dt": Kind.REAL,  # float64 in the prologue
    "@i": Kind.INTEGER,  # index of the neuron; not in `uniform`
    "@n": Kind.INTEGER,  # size of the population
}


# ---- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: a bool is BOOLEAN, an int is INTEGER, a float is REAL."""

    value: float | int | bool

    def __eq__(self, other: object) -> bool:  # 1, 1.0 and True are different constants, nan equals itself
        return isinstance(other, Constant) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is a row of OPERATIONS."""

    name: str
    arguments: tuple[Expr, ...]


Expr = Constant | Symbol | Operation


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: how many arguments (-1: two or more), what kinds they have, what kind comes out.

    `takes` and `gives`: "number" is REAL, DOUBLE or INTEGER, all arguments alike; "real" is REAL or DOUBLE, all alike; "same" is
    the kind of the (last) argument; a Kind's value is that kind.
    """

    arity: int
    takes: str
    gives: str


OPERATIONS: Mapping[str, Row] = {
    # arithmetic; add and multiply take any number of terms and are evaluated from left to right
    "add": Row(-1, "number", "same"),
    "multiply": Row(-1, "number", "same"),
    "subtract": Row(2, "number", "same"),
    "divide": Row(2, "real", "same"),
    "negate": Row(1, "number", "same"),
    "fma": Row(3, "real", "same"),  # a*b + c, rounded once where the processor can
    "power": Row(2, "real", "same"),
    "floor_divide": Row(2, "number", "same"),  # towards minus infinity, as Python
    "modulo": Row(2, "number", "same"),  # sign of the divisor, as Python
    "shift_right": Row(2, "integer", "same"),
    "absolute": Row(1, "number", "same"),
    "sign": Row(1, "number", "same"),
    "minimum": Row(2, "number", "same"),  # nan if any is nan
    "maximum": Row(2, "number", "same"),
    "below": Row(2, "number", "same"),  # clamp(x, bound): bound if x > bound else x; one comparison, nan stays
    "floor": Row(1, "real", "same"),
    "ceil": Row(1, "real", "same"),
    "round": Row(1, "real", "same"),  # half to even
    # functions
    **{
        name: Row(1, "real", "same")
        for name in (
            "exp log log10 log2 log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh"
            " exprel sinc sigmoid"  # exprel(x) = (e^x - 1)/x, sinc(x) = sin(x)/x, both 1 at 0
            " exprel_decay bernoulli"  # exprel(min(x, 0)), and 1/exprel(x) = x/(e^x - 1)
        ).split()
    },
    "atan2": Row(2, "real", "same"),
    # conditions
    **{name: Row(2, "number", "boolean") for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")},
    "is_finite": Row(1, "real", "boolean"),
    "and": Row(-1, "boolean", "boolean"),
    "or": Row(-1, "boolean", "boolean"),
    "not": Row(1, "boolean", "boolean"),
    "where": Row(3, "boolean, then two alike", "same"),
    # kinds
    "to_real": Row(1, "any", "real"),
    "to_double": Row(1, "any", "double"),
    "to_integer": Row(1, "any", "integer"),  # towards zero
    "to_boolean": Row(1, "any", "boolean"),  # not equal to zero
    # an element of a series: (Symbol of a SeriesPlace, row INTEGER, column INTEGER); indices are inside
    "element": Row(3, "series", "real"),
    "call": Row(-1, "function, then its kinds", "real"),  # (Symbol of a FunctionPlace, arguments of the kinds that it takes)
    "rows": Row(1, "series", "integer"),  # number of rows of a series
    "columns": Row(1, "series", "integer"),
}


def kind_of(expression: Expr, kinds: Mapping[str, Kind]) -> Kind:
    """The kind of an expression, given the kinds of its symbols. Raises KeyError for a symbol that is not among them."""
    match expression:
        case Constant(bool()):
            return Kind.BOOLEAN
        case Constant(int()):
            return Kind.INTEGER
        case Constant():
            return Kind.REAL
        case Symbol(name):
            return kinds[name]
        case Operation(name, arguments):
            gives = OPERATIONS[name].gives
            if gives != "same":
                return Kind(gives)
            found = [kind_of(argument, kinds) for argument in arguments[(1 if name == "where" else 0) :]]
            return Kind.DOUBLE if Kind.DOUBLE in found else found[0]  # a REAL constant may stand beside a DOUBLE
    raise TypeError(expression)


def symbols_of(expression: Expr) -> frozenset[str]:
    """The names of all symbols in an expression."""
    return frozenset(_symbols(expression))


def _symbols(expression: Expr) -> Iterator[str]:
    if isinstance(expression, Symbol):
        yield expression.name
    elif isinstance(expression, Operation):
        for argument in expression.arguments:
            yield from _symbols(argument)


# ---- places ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Array:
    """One value a neuron, kept from step to step. BOOLEAN arrays are stored as 0.0 and 1.0 in the working precision."""

    name: str
    kind: Kind  # REAL, INTEGER or BOOLEAN
    written: bool  # some phase stores to it
    passing: bool = False  # only the one reduction of the phase that stores it reads it; what it holds elsewhere is not defined


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value for the population; float64 outside the kernel, cast to the working precision inside (DOUBLE: not cast)."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """A table (rows, columns) in the working precision that "element" reads."""

    name: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """An n by n table, stored row by row, in the working precision."""

    name: str


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """A function from outside that "call" calls; `digest` is that of its code (see `outside`), so that a kernel stays plain data.

    `takes` and `gives` are REAL (float64 in every kernel), INTEGER or BOOLEAN.
    """

    name: str
    digest: str
    takes: tuple[Kind, ...]
    gives: Kind


# ---- once a run --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hoist:
    """`name` = `expression` of scalars and arrays, in float64. `per_neuron` says whether it is an Array or a Scalar."""

    name: str
    expression: Expr
    per_neuron: bool


@dataclass(frozen=True, slots=True)
class Propagator:
    """The exact solution of x' = A x + b over `step`: x(t + step) = P x + Q b, P = exp(A step), Q = integral of exp(A s) ds.

    `system` is A row by row. Every entry (row, column) named in `transition` (P) and `input` (Q) is a Scalar or,
    with `per_neuron`, an Array of the kernel. Computed numerically, once for each distinct A.
    """

    size: int
    step: Expr
    system: tuple[Expr, ...]
    transition: tuple[tuple[int, int, str], ...]
    input: tuple[tuple[int, int, str], ...]
    per_neuron: bool


# ---- every step --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assign:
    name: str
    kind: Kind
    expression: Expr


@dataclass(frozen=True, slots=True)
class Draw:
    """A random number of neuron i at step k, from counter (i, k, stream): "uniform" in [0, 1), "normal", "exponential", or "poisson"."""

    name: str
    distribution: str
    stream: int
    mean: Expr | None = None  # poisson only


@dataclass(frozen=True, slots=True)
class Emit:
    """Neurons where the BOOLEAN name `flag` holds are appended to the list of event number `event`, with step k.

    `moment`: the array that holds, after the stores of this phase, how far into the step it happened, in steps from t_k.
    """

    event: int
    flag: str
    moment: str | None = None


@dataclass(frozen=True, slots=True)
class Store:
    array: str
    name: str  # assigned in this phase or an earlier place


@dataclass(frozen=True, slots=True)
class Reduce:
    """`name` (a value for all) or, for "rank", an array = operation over the stored array `of`.

    operation: "total" (a fixed tree over the index), "mean", "largest", "smallest", "any", "count", "rank" (INTEGER array, 0 for
    the largest, ties by index), "one_of" (BOOLEAN array, true for one neuron among those where `of` holds, by the largest
    uniform draw of stream `stream`).
    """

    name: str
    kind: Kind
    operation: str
    of: str
    stream: int = 0


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """Array `name` = matrix times the stored array `of`: name[r] = sum over c, ascending, of matrix[r, c]*of[c]."""

    name: str
    matrix: str
    of: str


@dataclass(frozen=True, slots=True)
class Phase:
    """`where`: a BOOLEAN array that this phase does not store to; where it does not hold, the phase does nothing at all."""

    uniform: tuple[Assign, ...]
    body: tuple[Assign | Draw, ...]
    emits: tuple[Emit, ...]
    stores: tuple[Store, ...]
    reductions: tuple[Reduce | MatrixProduct, ...] = ()
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A quantity that is recorded: `body` and then `expression`, on the values at t_k. It writes nothing else."""

    name: str
    kind: Kind
    uniform: tuple[Assign, ...]
    body: tuple[Assign, ...]
    expression: Expr


@dataclass(frozen=True, slots=True)
class Kernel:
    """One structure: it does not depend on population size, dt, parameter values or seed.

    `arrays`: states first; arrays that hold a value between phases or after a reduction, and per-neuron results of the prologue, are among them.
    `guarded`: the arrays that must stay finite: states, and before them arrays to which a step writes nan where it could not be made.
    `events`: their names, in the order of their numbers.
    """

    name: str
    arrays: tuple[Array, ...]
    scalars: tuple[Scalar, ...]
    series: tuple[SeriesPlace, ...]
    matrices: tuple[Matrix, ...]
    prologue: tuple[Hoist | Propagator, ...]
    phases: tuple[Phase, ...]
    probes: tuple[Probe, ...]
    events: tuple[str, ...]
    guarded: tuple[str, ...]
    functions: tuple[FunctionPlace, ...] = ()

    @property
    def coupled(self) -> bool:
        """Whether neurons read one another within a step, so that blocks cannot run ahead of each other."""
        return any(phase.reductions for phase in self.phases)

    @property
    def timed(self) -> frozenset[int]:
        """The events that come with the moment within their step."""
        return frozenset(emit.event for phase in self.phases for emit in phase.emits if emit.moment is not None)
