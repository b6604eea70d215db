"""CheckedModel: what a text means, checked, as plain data. Every number in it is in the computing system of `units`.

Expressions are those of `backends.kernel`, with these further operations, which exist only here:

    power(x, Constant(int))                     an integer power, also of an INTEGER
    uniform(s) normal(s) exponential(s)         a draw; s is Constant(int), a number of its own for each place in the text
    poisson(s, mean)
    total(x) mean(x) largest(x) smallest(x) any(c) count(c) rank(x) one_of(s, c) matmul(W, x)      across the population
    sample(f, t) sample(f, t, i)                a table of samples given from outside (an External), Symbol f
    call(f, a, ...)                             a Python function given from outside, arguments and result in their declared units
    crosses(a, b)                               a > b, and not so at the last test
    old(Symbol)                                 the value when the block was entered

and these symbols beside the names of its variables: the BUILT_IN ones of the kernel ("@t" is REAL here; in blocks it is
the time of the stamp), "@spiked", "@not_refractory" (BOOLEAN), "@lastspike" (REAL), and "@xi" or "@xi_NAME" (white noise).
Kinds are REAL, INTEGER, BOOLEAN, and conversions between them are written out (`to_real` round a condition in
arithmetic). Functions of the text are inlined. Values of `shared`, `matrix`, ... stand in `flags`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..backends.kernel import Expr, Kind, Operation, Symbol
from .units import Unit

if TYPE_CHECKING:
    from ..grammar.nodes import ModelDeclaration


EXPONENT = "@exponent"  # the flag of a parameter whose value decides about units: it keeps its default
OUTPUT = "output"  # what the signal that a neuron sends on is recorded as, where no variable has that name


@dataclass(frozen=True)
class Variable:
    """A name of a model: `unit` is the one it was written with, or the usual one of its dimension where none was (`unit_written` false)."""

    name: str
    unit: Unit
    unit_written: bool
    kind: Kind
    description: str
    flags: frozenset[str]


@dataclass(frozen=True)
class State(Variable):
    """One value a neuron that changes. `initial` may use parameters, "@i", "@n", draws and other states' initial values.

    `derivative` is None for a state that only blocks assign. `held`: derivative zero while refractory.
    """

    initial: Expr
    derivative: Expr | None
    held: bool


@dataclass(frozen=True)
class Parameter(Variable):
    """Constant during a run unless it is driven.

    `default` (None: 0 until set) may use other parameters, "@i", "@n" and, drawn once, random numbers.
    """

    default: Expr | None

    @property
    def required(self) -> bool:
        return "required" in self.flags


@dataclass(frozen=True)
class Derived(Variable):
    """Evaluated where it is used; `once_a_step` for `constant over dt`."""

    expression: Expr
    once_a_step: bool


@dataclass(frozen=True)
class Input(Variable):
    """A definition that depends on time and on no state; settable like a parameter. `once_a_step` as in Derived."""

    expression: Expr
    once_a_step: bool


@dataclass(frozen=True)
class External(Variable):
    """A callable that is given from outside: of time, or of time and neuron (`takes` empty: also a table of samples), or a
    Python function of arguments in the units `takes`."""

    arguments: tuple[str, ...]
    takes: tuple[Unit, ...] = ()

    @property
    def arity(self) -> int:
        return len(self.arguments)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of the arguments of a Python function."""
        kinds = {"integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}
        return tuple(kinds.get(unit.text, Kind.REAL) for unit in self.takes)


@dataclass(frozen=True)
class Assignment:
    """One statement of a block, `=` only (`w += b` is written out). `target` is a state, or a local of the block (`local` true)."""

    target: str
    expression: Expr
    kind: Kind
    local: bool


@dataclass(frozen=True)
class Event:
    name: str
    condition: Expr
    block: tuple[Assignment, ...]


@dataclass(frozen=True)
class Refractory:
    """`expression`: a duration (REAL), or with `condition` what has to hold for the neuron to stay refractory (BOOLEAN)."""

    expression: Expr
    condition: bool


@dataclass(frozen=True)
class Surrogate:
    name: str
    arguments: tuple[tuple[str, float], ...]
    of: Expr | None


@dataclass(frozen=True)
class CheckedModel:
    """A checked model.

    `derived` and `inputs` stand in an order in which each uses only those before it. `method`, `dt` and `duration` are the author's, `order` the
    names after the method (`euler_sequential(v, u)`). `notes` are remarks that are no mistakes. `declaration` is the syntax with all inherited
    statements merged in; a model that was checked by another process has the same as `text` instead (see `declaration.declaration_of`).
    """

    name: str
    description: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    derived: tuple[Derived, ...]
    inputs: tuple[Input, ...]
    externals: tuple[External, ...]
    events: tuple[Event, ...]
    refractory: Refractory | None
    each_step: tuple[Assignment, ...]
    each_step_after_reset: tuple[Assignment, ...]
    output: Derived | None  # called OUTPUT
    surrogate: Surrogate | None
    method: str | None
    order: tuple[str, ...]
    plain: bool  # `time in ...`: no number has a unit
    dt: float | None = None  # what the author recommends, in ms
    duration: float | None = None
    notes: tuple[str, ...] = ()
    declaration: ModelDeclaration | None = field(default=None, compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)

    @property
    def formulas(self) -> tuple[Input | Derived, ...]:
        """Inputs and derived quantities, each after those that it uses."""
        return (*self.inputs, *self.derived)

    @property
    def signal(self) -> Derived | None:
        """What `output` names in a recording: the statement, unless the model has a variable of that name."""
        named = (*self.states, *self.parameters, *self.derived, *self.inputs, *self.externals)
        return None if any(variable.name == OUTPUT for variable in named) else self.output

    @property
    def noisy(self) -> bool:
        """Whether an equation holds white noise."""
        return any(state.derivative is not None and has_noise(state.derivative) for state in self.states)


def without_declaration(model: CheckedModel) -> CheckedModel:
    """The same model without its syntax: what is left decides what is computed."""
    return model if model.declaration is None and not model.text else replace(model, declaration=None, text="")


def has_noise(expression: Expr) -> bool:
    match expression:
        case Symbol(name):
            return name.startswith("@xi")
        case Operation(_, arguments):
            return any(has_noise(argument) for argument in arguments)
    return False
