"""Exponential Euler with the diagonal of the Jacobian, order 1; exact for an equation that is linear in its own variable."""

from __future__ import annotations

import sympy

from ..step import DT, Refusal, Step, System
from ..symbolic import call, function, hidden_in
from .runge_kutta import refuse_noise


def exponential_euler(system: System) -> Step:
    """x + dt f phi1(dt df/dx), phi1(z) = (e^z - 1)/z. Hochbruck & Ostermann 2010, Acta Numerica 19:209, section 2.

    A positive df/dx counts as 0 (the explicit form), so that an exponential upstroke does not overflow.
    """
    refuse_noise(system, "exponential_euler")
    rates = {s: _frozen_rate(system, s) if system.brian2 else decay(system, s, "exponential_euler") for s in system.states}
    return Step((), {state: system.hold(state, relaxed(system, state, rate, DT)) for state, rate in rates.items()})


def relaxed(system: System, state: str, rate: sympy.Expr, time: sympy.Expr) -> sympy.Expr:
    """A state after `time`, from its old value, the others standing still: linear with this rate."""
    x = sympy.Symbol(state)
    slope = system.at(_affine(system.drift[state], x, rate), {})
    if rate == 0:
        return x + time * slope
    return x + time * slope * call("exprel", time * system.at(rate, {}))


def _affine(slope: sympy.Expr, x: sympy.Symbol, rate: sympy.Expr) -> sympy.Expr:
    """A slope that is linear in x as a x + b: the scheme needs a anyway, and a gate a (1 - m) - b m becomes one multiply-add."""
    plain = rate.args[0] if isinstance(rate, function("below")) else rate
    if rate == 0 or not is_affine(slope, x.name, plain):
        return slope
    outer, inner = slope.as_independent(x, as_Add=False)
    return outer * (sympy.diff(inner, x) * x + inner.xreplace({x: sympy.Integer(0)}))


def is_affine(slope: sympy.Expr, state: str, rate: sympy.Expr) -> bool:
    """Whether a slope, whose derivative with its own state is `rate`, is linear in it; in functions it may be hidden from the derivative."""
    x = sympy.Symbol(state)
    return x not in rate.free_symbols and not any(x in node.free_symbols for node in slope.atoms(sympy.Function))


def decay(system: System, state: str, scheme: str) -> sympy.Expr:
    """df_i/dx_i where it is negative, else 0. Raises Refusal, for the scheme of that name, where it is not known."""
    rate = sympy.diff(system.drift[state], sympy.Symbol(state))
    if rate.has(sympy.Derivative, sympy.Subs):
        raise Refusal(state, f"hides {state} in {hidden_in(rate)}, whose derivative is not known; {scheme} needs it")
    return rate if rate == 0 else call("below", rate, sympy.Integer(0))


def _frozen_rate(system: System, state: str) -> sympy.Expr:
    """Brian2's linearisation: the factor of the plain variable; functions of the variable are frozen over the step."""
    x = sympy.Symbol(state)
    rate = sympy.Integer(0)
    for term in sympy.Add.make_args(sympy.expand(system.drift[state])):
        factors = dict(term.as_powers_dict())
        power = factors.pop(x, 0)
        if power == 1:
            rate += sympy.Mul(*(base**exponent for base, exponent in factors.items()))
        elif power != 0:
            raise Refusal(
                state,
                f'is not linear in {state}, which Brian2\'s exponential_euler needs; without conventions="brian2" it would be taken',
            )
    return rate
