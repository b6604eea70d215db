"""Explicit Runge-Kutta schemes from a tableau, the whole system advancing together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy

from ..step import DT, Refusal, Step, System


@dataclass(frozen=True)
class Tableau:
    """`a[s]` weights the slopes before stage s + 1, `b` all slopes, `c` are the stages' times in steps."""

    a: tuple[tuple[Fraction, ...], ...]
    b: tuple[Fraction, ...]
    c: tuple[Fraction, ...]


def refuse_noise(system: System, name: str) -> None:
    """Raises Refusal where an equation holds white noise, which the scheme called `name` does not know."""
    for state, source in system.noise:
        raise Refusal(state, f"holds the white noise {source.removeprefix('@')}, which {name} does not integrate")


def _weighted(weights: tuple[Fraction, ...], slopes: list[sympy.Expr]) -> sympy.Expr:
    return sum(
        (sympy.Rational(w.numerator, w.denominator) * k for w, k in zip(weights, slopes, strict=False) if w), sympy.Integer(0)
    )


def explicit(tableau: Tableau, system: System) -> Step:
    """One step of an explicit scheme; slopes and stage values are named, so that each is computed once."""
    stages: list[tuple[str, sympy.Expr]] = []
    slopes: dict[str, list[sympy.Expr]] = {state: [] for state in system.states}
    values: dict[str, sympy.Expr] = {}
    several = len(tableau.b) > 1
    for number, time in enumerate(tableau.c):
        if number:
            values = {}
            for state in system.states:
                moved = sympy.Symbol(state) + DT * _weighted(tableau.a[number - 1], slopes[state])
                name = f"{state}@stage{number + 1}"
                stages.append((name, system.hold(state, moved)))
                values[state] = sympy.Symbol(name)
        for state in system.states:
            slope = system.at(system.drift[state], values, time)
            if several:
                name = f"{state}@slope{number + 1}"
                stages.append((name, slope))
                slope = sympy.Symbol(name)
            slopes[state].append(slope)
    new = {s: system.hold(s, sympy.Symbol(s) + DT * _weighted(tableau.b, slopes[s])) for s in system.states}
    return Step(tuple(stages), new)
