"""Increments of the Wiener processes over a step, and what the schemes for white noise read of them."""

from __future__ import annotations

import sympy

from ..step import DT, Refusal, System
from ..symbolic import call

ROOT_DT = call("sqrt", DT)


def increment(source: str) -> sympy.Expr:
    """dW of a source over the step: sqrt(dt) times its normal number, which is the same for every stage and every equation."""
    return ROOT_DT * sympy.Symbol(source)


def kick(system: System, state: str) -> sympy.Expr:
    """The sum of g_j(x) dW_j in the equation of a state; 0 where it holds no noise."""
    terms = (factor * increment(source) for (owner, source), factor in system.noise.items() if owner == state)
    return sum(terms, sympy.Integer(0))


def refuse_what_is_read_once(system: System, name: str) -> None:
    """Raises Refusal where noise is multiplied by something that all neurons share and that keeps its value over the step."""
    for (state, source), factor in system.noise.items():
        for symbol in sorted(factor.free_symbols, key=lambda s: s.name):
            if symbol.name in system.across:
                raise Refusal(
                    state,
                    f"multiplies the white noise {source.removeprefix('@')} by {system.across[symbol.name]}(...) of all neurons,"
                    f" which is read once a step; {name} has to follow it within the step",
                )
