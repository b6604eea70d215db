"""System and Step: what a scheme is given and what it returns, in sympy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from .symbolic import call

DT = sympy.Symbol("@dt")
TIME = sympy.Symbol("@t")
REFRACTORY = sympy.Symbol("@is_refractory")


@dataclass(frozen=True)
class System:
    """dx/dt = f(x, p, t) + sum of g(x, p, t) xi, for all states that have a differential equation.

    `drift` is f by state; `noise` is g by (state, source of noise). `held` are the states that stand still while the neuron is
    refractory. `varying` names every symbol that can change during a run. `ceilings` are bounds that right-hand sides read their states
    through (explosive terms). `across` names what is read of the states of all neurons at the start of the step, with how it is computed
    (`mean`), `sampled` what is read of series then, `unsteady` what of either Brian2 does
    not take to be constant over the step. `order` stands after the method's name in the text. `named`
    is the drift, for messages, where what is given as a function of time stands by its name (empty where nothing is).
    """

    drift: Mapping[str, sympy.Expr]
    noise: Mapping[tuple[str, str], sympy.Expr]
    held: frozenset[str]
    varying: frozenset[str]
    ceilings: Mapping[str, sympy.Expr]
    order: tuple[str, ...] = ()
    brian2: bool = False
    across: Mapping[str, str] = field(default_factory=dict)
    sampled: frozenset[str] = frozenset()
    unsteady: frozenset[str] = frozenset()
    named: Mapping[str, sympy.Expr] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(self.drift)

    @property
    def switched(self) -> bool:
        """Whether the flow of some state is another while the neuron is refractory."""
        asked = (symbol.name for slope in self.drift.values() for symbol in slope.free_symbols)
        return bool(self.held) or "@not_refractory" in asked

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of noise in a fixed order."""
        return tuple(sorted({source for _, source in self.noise}))

    def at(self, expression: sympy.Expr, values: Mapping[str, sympy.Expr], time: Fraction = Fraction(0)) -> sympy.Expr:
        """An expression of the right-hand side, read at a stage: states replaced by `values`, time moved by `time` steps."""
        replace: dict[sympy.Expr, sympy.Expr] = {}
        for state in self.states:
            value = values.get(state, sympy.Symbol(state))
            if state in self.ceilings:
                value = call("below", value, self.ceilings[state])
            if value != sympy.Symbol(state):
                replace[sympy.Symbol(state)] = value
        if time:
            if self.brian2:  # which reads series too at the times of the stages
                replace |= {sympy.Symbol(name): sympy.Symbol(f"{name}+{time}") for name in self.sampled if name[0] == "@"}
            replace[TIME] = TIME + sympy.Rational(time.numerator, time.denominator) * DT
        return expression.xreplace(replace) if replace else expression

    def hold(self, state: str, value: sympy.Expr, instead: sympy.Expr | None = None) -> sympy.Expr:
        """The new value of a state, or its old one (or what stands there `instead`) while it is held."""
        kept = sympy.Symbol(state) if instead is None else instead
        return call("where", REFRACTORY, kept, value) if state in self.held else value

    def is_constant(self, expression: sympy.Expr) -> bool:
        """Whether an expression keeps its value during a run."""
        return not any(symbol.name in self.varying for symbol in expression.free_symbols)


@dataclass(frozen=True)
class Propagation:
    """x' = A x + b solved exactly over `step`, numerically, once a parameter set: entry names of exp(A step) and of its integral."""

    system: sympy.Matrix
    step: sympy.Expr
    transition: Mapping[tuple[int, int], str]
    input: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Step:
    """One time step: `stages` in order, each may use those before it, then all new values at once.

    Where one of the `conditions` does not hold, the step cannot be made: its name (a row of FAILURES) and the condition, over states and
    stages. `shown` are the equations for people, where the stages are more than a person wants to read.

    `calculus` is the sense in which it takes white noise, "Ito" or "Stratonovich"; empty where it takes none.
    """

    stages: tuple[tuple[str, sympy.Expr], ...]
    new: Mapping[str, sympy.Expr]
    propagations: tuple[Propagation, ...] = ()
    calculus: str = ""
    conditions: tuple[tuple[str, sympy.Expr], ...] = ()
    shown: tuple[tuple[str, sympy.Expr], ...] = ()


class Refusal(Exception):
    """A scheme cannot do a system: the state whose equation stands in the way, and why, as the end of a sentence."""

    def __init__(self, state: str, why: str) -> None:
        self.state, self.why = state, why
        super().__init__(f"d{state}/dt {why}")
