"""Backward Euler, order 1, for stiff equations: each step solves x1 = x + dt f(x1, t + dt) by Newton's method.

What depends on nothing else is solved first. Of equations that depend on one another, those that are linear in their own state are
put into the others (the gates of a neuron into its potential), which leaves one equation for most neurons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import sympy

from ..step import DT, Refusal, Step, System
from ..symbolic import call, function, hidden_in
from .exact import reach
from .exponential_euler import is_affine
from .newton import Problem, solve
from .runge_kutta import refuse_noise

LARGEST = 8  # equations that are solved together; what is unrolled grows with the third power
NEXT = Fraction(1)
Values = Mapping[str, sympy.Expr]


def backward_euler(system: System) -> Step:
    """Hairer & Wanner 1996, Solving Ordinary Differential Equations II, section IV.8, with the Jacobian by symbolic differentiation."""
    refuse_noise(system, "backward_euler")
    # the derivative of 1/exprel by itself: one function for a rate and its slope
    drift = {state: slope.replace(_is_reciprocal, _as_bernoulli) for state, slope in system.drift.items()}
    return _Implicit(replace(system, drift=drift)).step()


def _is_reciprocal(expression: sympy.Expr) -> bool:
    return bool(
        expression.is_Pow and isinstance(expression.base, function("exprel")) and expression.exp.is_Integer and expression.exp < 0
    )


def _as_bernoulli(power: sympy.Expr) -> sympy.Expr:
    return call("bernoulli", *power.base.args) ** -power.exp


@dataclass
class _Implicit:
    """One implicit step while it is written: `values` are the new values that are known already."""

    system: System
    stages: list[tuple[str, sympy.Expr]] = field(default_factory=list)
    values: dict[str, sympy.Expr] = field(default_factory=dict)
    solved: list[sympy.Expr] = field(default_factory=list)
    shown: list[tuple[str, sympy.Expr]] = field(default_factory=list)

    def step(self) -> Step:
        for together in self.components():
            if len(together) == 1 and self.is_affine(together[0]):
                self.values[together[0]] = self.relaxed(together[0], {}, f"{together[0]}@next")
            else:
                self.solve(together)
        holds = (("newton", call("and", *self.solved) if len(self.solved) > 1 else self.solved[0]),) if self.solved else ()
        new = {state: self.values[state] for state in self.system.states}
        return Step(tuple(self.stages), new, conditions=holds, shown=self.written())

    def stage(self, name: str, value: sympy.Expr) -> sympy.Symbol:
        self.stages.append((name, value))
        return sympy.Symbol(name)

    # ---- what depends on what

    @cached_property
    def slopes(self) -> dict[tuple[str, str], sympy.Expr]:
        """The Jacobian df/dx. Raises Refusal where it is not known."""
        found = {}
        for state, slope in self.system.drift.items():
            for other in self.reads(state):
                found[state, other] = sympy.diff(slope, sympy.Symbol(other))
                if found[state, other].has(sympy.Derivative, sympy.Subs):
                    hidden = hidden_in(found[state, other])
                    raise Refusal(state, f"hides {other} in {hidden}, whose derivative is not known; backward_euler needs it")
        return found

    def reads(self, state: str) -> list[str]:
        return [other for other in self.system.states if sympy.Symbol(other) in self.system.drift[state].free_symbols]

    def is_affine(self, state: str) -> bool:
        """Whether an equation is linear in its own state, which nothing bounds."""
        if state in self.system.ceilings:
            return False
        return (state, state) not in self.slopes or is_affine(self.system.drift[state], state, self.slopes[state, state])

    def components(self) -> list[list[str]]:
        """States that depend on one another, each group behind those that it reads."""
        states = self.system.states
        pattern = reach(sympy.Matrix(len(states), len(states), lambda r, c: int(states[c] in self.reads(states[r]))))
        groups: dict[tuple[bool, ...], list[str]] = {}
        for row, state in enumerate(states):
            groups.setdefault(tuple(pattern[row]), []).append(state)
        return [group for _, group in sorted(groups.items(), key=lambda item: sum(item[0]))]

    def split(self, together: Sequence[str]) -> tuple[list[str], list[str]]:
        """(put in, solved for): affine equations, no two of which wait for each other, each behind those it reads; and the others."""
        coupled = {s: [o for o in together if o != s and ((s, o) in self.slopes or (o, s) in self.slopes)] for s in together}
        inner: list[str] = []
        for state in sorted((s for s in together if self.is_affine(s)), key=lambda s: len(coupled[s])):
            ordered = self.ordered([*inner, state])
            inner = inner if ordered is None else ordered
        if len(inner) == len(together):
            inner.pop()
        core = [state for state in together if state not in inner]
        if len(core) > LARGEST:
            why = f"is one of {len(core)} equations that depend on one another and cannot be solved one by one"
            raise Refusal(core[0], f"{why}; backward_euler takes up to {LARGEST}")
        return inner, core

    def ordered(self, states: Sequence[str]) -> list[str] | None:
        """The states, each behind those it reads; None where they go in circles."""
        waiting, found = list(states), list[str]()
        while waiting:
            ready = [s for s in waiting if not any((s, o) in self.slopes for o in waiting if o != s)]
            if not ready:
                return None
            found += ready
            waiting = [s for s in waiting if s not in ready]
        return found

    # ---- one group

    def at_next(self, expression: sympy.Expr, values: Values) -> sympy.Expr:
        return self.system.at(expression, {**self.values, **values}, NEXT)

    def unless_held(self, state: str, expression: sympy.Expr) -> sympy.Expr:
        return self.system.hold(state, expression, sympy.Integer(0))

    def relaxed(self, state: str, values: Values, name: str) -> sympy.Symbol:
        """The new value of an affine equation x' = a x + b: (x + dt b)/(1 - dt a), with the new values of what it reads."""
        x = sympy.Symbol(state)
        constant = self.at_next(self.system.drift[state], {**values, state: sympy.Integer(0)})
        return self.stage(name, self.system.hold(state, (x + DT * constant) / self.divisor(state, values)))

    def divisor(self, state: str, values: Values) -> sympy.Expr:
        return 1 - DT * self.at_next(self.slopes.get((state, state), sympy.Integer(0)), values)

    def solve(self, together: Sequence[str]) -> None:
        inner, core = self.split(together)
        plain = {sympy.Symbol(state) for state in together}
        linear = not any(self.slopes[s, o].free_symbols & plain for s in together for o in together if (s, o) in self.slopes)
        bent = [s for s in core if not (linear or self.is_affine(s))]
        ceilings = {s: self.system.ceilings[s] for s in core if s in self.system.ceilings}
        problem = Problem(core, {s: self.scale(s) for s in core}, ceilings, linear and not bent)

        def equations(values: Values, mark: str) -> tuple[list[sympy.Expr], list[list[sympy.Expr]]]:
            return self.equations(inner, core, values, mark)

        found, solved = solve(problem, equations, self.stage)
        self.values.update(found)
        for state in inner:
            self.values[state] = self.relaxed(state, {}, f"{state}@next")
        if solved is not None:
            self.solved.append(solved)

    def scale(self, state: str) -> sympy.Expr:
        """How large the terms of an equation are: rounding is measured against it."""
        terms = self.system.at(_magnitude(self.system.drift[state]), {}, NEXT)
        return call("absolute", sympy.Symbol(state)) + DT * self.unless_held(state, terms)

    def equations(
        self, inner: Sequence[str], core: Sequence[str], values: Values, mark: str
    ) -> tuple[list[sympy.Expr], list[list[sympy.Expr]]]:
        """G(y) = y - x - dt f(y) for the states of the core, those within put in, and its Jacobian."""
        known = dict(values)
        moves: dict[tuple[str, str], sympy.Expr] = {}  # of a state that is put in, with one of the core
        for state in inner:
            known[state] = self.relaxed(state, known, f"{state}@{mark}")
            for other in core:
                slope = self.total_slope(state, other, inner, moves, known)
                if slope != 0:
                    change = self.unless_held(state, DT * slope / self.divisor(state, known))
                    moves[state, other] = self.stage(f"{state} with {other}@{mark}", change)
        residuals, rows = [], []
        for state in core:
            slope = self.unless_held(state, self.at_next(self.system.drift[state], known))
            residuals.append(known[state] - sympy.Symbol(state) - DT * slope)
            row = [self.unless_held(state, self.total_slope(state, other, inner, moves, known)) for other in core]
            rows.append([int(state == other) - DT * slope for other, slope in zip(core, row, strict=True)])
        return residuals, rows

    def total_slope(
        self, state: str, other: str, inner: Sequence[str], moves: Mapping[tuple[str, str], sympy.Expr], values: Values
    ) -> sympy.Expr:
        """df/dy of a state with one of the core, directly and through those that are put in."""
        direct = self.bounded_slope(state, other, values)
        through = (self.bounded_slope(state, via, values) * moves[via, other] for via in inner if (via, other) in moves)
        return direct + sum(through, sympy.Integer(0))

    def bounded_slope(self, state: str, other: str, values: Values) -> sympy.Expr:
        """An entry of the Jacobian; 0 where the equations read the other state under its bound, and it stands above."""
        slope = self.at_next(self.slopes.get((state, other), sympy.Integer(0)), values)
        if other not in self.system.ceilings or slope == 0:
            return slope
        below = call("less", values.get(other, sympy.Symbol(other)), self.system.ceilings[other])
        return call("where", below, slope, sympy.Integer(0))

    # ---- for people

    def written(self) -> tuple[tuple[str, sympy.Expr], ...]:
        """The equations that are solved, `_next` behind the names of new values."""
        new = {state: sympy.Symbol(f"{state}@next") for state in self.system.states}
        shown = []
        for state in self.system.states:
            slope = self.system.at(self.system.drift[state], new, NEXT)
            shown.append((new[state].name, self.system.hold(state, sympy.Symbol(state) + DT * slope)))
        return tuple(shown)


def _magnitude(expression: sympy.Expr) -> sympy.Expr:
    """The sum of the absolute values of all terms."""
    if expression.is_Add:
        return sympy.Add(*map(_magnitude, expression.args))
    if expression.is_Mul:
        return sympy.Mul(*map(_magnitude, expression.args))
    if expression.is_Pow and expression.exp.is_Integer:
        return _magnitude(expression.base) ** expression.exp if expression.exp > 0 else call("absolute", expression)
    return abs(expression) if expression.is_Number else call("absolute", expression)
