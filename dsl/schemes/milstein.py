"""Milstein's scheme for white noise in the sense of Ito, strong order 1, for commutative noise."""

from __future__ import annotations

import sympy

from ..step import DT, REFRACTORY, Refusal, Step, System
from ..symbolic import call, function
from .increments import ROOT_DT, increment, kick, refuse_what_is_read_once


def milstein(system: System) -> Step:
    """x_k + dt f_k + sum_j g_kj dW_j + 1/2 sum_ij (sum_l g_li dg_kj/dx_l) (dW_i dW_j - dt [i = j]). Kloeden & Platen 1992, eq. 10.3.16.

    For noise that commutes: one source, or each state with a source of its own whose factor reads that state alone (diagonal: 1/2 g g'
    (dW^2 - dt)), or additive. Any other needs double integrals of two sources, and is refused. With Brian2's conventions it is Brian2's
    scheme without derivatives, in the sense of Stratonovich. Without noise it is forward Euler.
    """
    refuse_what_is_read_once(system, "milstein")
    if system.brian2:
        return _brian2(system)
    new = {}
    for state, slope in system.drift.items():
        moved = sympy.Symbol(state) + DT * system.at(slope, {}) + system.at(kick(system, state) + _correction(system, state), {})
        new[state] = system.hold(state, moved)
    return Step((), new, calculus="Ito")


def _correction(system: System, state: str) -> sympy.Expr:
    total = sympy.Integer(0)
    for number, i in enumerate(system.sources):
        total += _turned(system, state, i, i) * DT * (sympy.Symbol(i) ** 2 - 1) / 2
        for j in system.sources[:number]:
            one, other = _turned(system, state, i, j), _turned(system, state, j, i)
            if sympy.expand(one - other) != 0:
                raise Refusal(
                    state,
                    f"holds noise that is not diagonal and does not commute: {_name(j)} and {_name(i)} act on it in an order that matters",
                )
            total += one * DT * sympy.Symbol(i) * sympy.Symbol(j)
    return total


def _turned(system: System, state: str, along: str, source: str) -> sympy.Expr:
    """sum over l of g_l,along dg_state,source/dx_l: how the factor of one source changes as the other pushes the states."""
    factor = system.noise.get((state, source), sympy.Integer(0))
    total = sympy.Integer(0)
    for other in system.states:
        push = system.noise.get((other, along))
        slope = sympy.diff(factor, sympy.Symbol(other))
        if slope.has(sympy.Derivative, sympy.Subs):
            raise Refusal(state, f"hides {other} in a function whose derivative is not known; milstein needs it")
        if push is None or slope == 0:
            continue
        stands = other in system.held and state not in system.held
        total += _joined(slope * (call("where", REFRACTORY, sympy.Integer(0), push) if stands else push))
    return total


def _joined(term: sympy.Expr) -> sympy.Expr:
    """x^a x^b as x^(a + b): where x is 0 the derivative of a root is infinite, and its product with the root is not."""
    powers: dict[sympy.Expr, sympy.Expr] = {}
    others = []
    for factor in sympy.Mul.make_args(term):
        if isinstance(factor, function("power")):
            base, exponent = factor.args
            powers[base] = powers.get(base, sympy.Integer(0)) + exponent
        else:
            others.append(factor)
    joined = (base ** int(e) if e.is_number and e == int(e) else call("power", base, e) for base, e in powers.items())
    return sympy.Mul(*others, *joined)


def _brian2(system: System) -> Step:
    """x + dt f + g dW + (g(x + dt f + sqrt(dt) g) - g) dW^2 / (2 sqrt(dt)), all states together (Brian2's `milstein`).

    Strong order 1/2: the drift in the argument of g leaves f g' sqrt(dt) dW^2/2, whose mean does not vanish.
    """
    owners: dict[str, str] = {}
    for state, source in system.noise:
        if state in owners.values() or source in owners:
            raise Refusal(state, "holds noise that is not diagonal, which Brian2's milstein does not integrate; its heun does")
        owners[source] = state
    stages, values = [], {}
    for state, slope in system.drift.items():
        push = sum((ROOT_DT * g for (owner, _), g in system.noise.items() if owner == state), sympy.Integer(0))
        stages.append((f"{state}@stage2", system.hold(state, sympy.Symbol(state) + DT * slope + push)))
        values[state] = sympy.Symbol(f"{state}@stage2")
    new = {state: sympy.Symbol(state) + DT * slope + kick(system, state) for state, slope in system.drift.items()}
    for (state, source), factor in system.noise.items():
        new[state] += (system.at(factor, values) - factor) * increment(source) ** 2 / (2 * ROOT_DT)
    return Step(tuple(stages), {state: system.hold(state, value) for state, value in new.items()}, calculus="Stratonovich")


def _name(source: str) -> str:
    return source.removeprefix("@")
