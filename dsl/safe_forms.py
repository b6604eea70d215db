"""Removable singularities become functions that are smooth there, without the author asking.

    u/(exp(u) - 1) -> 1/exprel(u)       (exp(u) - 1)/u -> exprel(u)       sin(u)/u -> sinc(u)

also shifted, scaled, negated, written with expm1, and where the numerator is only proportional to u.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from ..backends.kernel import Expr, Kind, symbols_of
from .substitute import operations_of
from .symbolic import call, from_sympy, function, to_float, to_sympy

# numbers at which two expressions are compared: nothing a modeller writes makes two different lines meet in all three
_PROBES = (0.7390851332, -1.3247179572, 2.6651441427)
_TOLERANCE = 1e-11


def safe(expression: sympy.Expr) -> sympy.Expr:
    """The expression with its removable singularities removed; equal to it wherever both are defined."""
    return _safe(expression, {})


def _safe(expression: sympy.Expr, seen: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    if not expression.args:
        return expression
    if expression in seen:
        return seen[expression]
    arguments = tuple(_safe(argument, seen) for argument in expression.args)
    result = expression if arguments == expression.args else expression.func(*arguments)
    if result.is_Mul:
        result = _product(result)
    elif result.is_Pow and result.exp.is_negative:
        result = _product(sympy.Mul(result, evaluate=False))
    seen[expression] = result
    return result


def _product(product: sympy.Expr) -> sympy.Expr:
    """Rewrites one pair of factors after another until none fits."""
    factors = list(product.args)
    changed = False
    while (pair := _first_pair(factors)) is not None:
        changed = True
        for place in sorted(pair[0], reverse=True):
            del factors[place]
        factors.extend(pair[1])
    return sympy.Mul(*factors) if changed else sympy.Mul(*factors) if product.is_Mul and len(factors) > 1 else product


def _first_pair(factors: list[sympy.Expr]) -> tuple[tuple[int, ...], list[sympy.Expr]] | None:
    for place, factor in enumerate(factors):
        base, exponent = factor.as_base_exp()
        if not exponent.is_Integer:
            continue
        found = _growth(base)
        if found is None:
            continue
        scale, argument, smooth = found
        partner = _proportional(factors, place, argument, below=exponent > 0)
        if partner is None:
            continue
        return _rewritten(factors, place, partner, scale, argument, smooth)
    return None


def _rewritten(
    factors: list[sympy.Expr], place: int, partner: tuple[int, sympy.Expr], scale: sympy.Expr, argument: sympy.Expr, smooth: str
) -> tuple[tuple[int, ...], list[sympy.Expr]]:
    """One power of the vanishing factor against one power of its partner: vanishing = scale*argument*smooth(argument)."""
    other, ratio = partner
    base, exponent = factors[place].as_base_exp()
    sign = 1 if exponent > 0 else -1
    partner_base, partner_exponent = factors[other].as_base_exp()
    rest = [
        (scale * ratio * call(smooth, argument)) ** sign,
        base ** (exponent - sign),
        partner_base ** (partner_exponent + sign),
    ]
    return (place, other), [factor for factor in rest if factor != 1]


def _growth(base: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, str] | None:
    """(scale, u, smooth) where base = scale*u*smooth(u) vanishes with u: exp(u) - 1, expm1(u), sin(u)."""
    if isinstance(base, function("expm1")):
        return sympy.Integer(1), base.args[0], "exprel"
    if isinstance(base, function("sin")):
        return sympy.Integer(1), base.args[0], "sinc"
    if not (base.is_Add and len(base.args) == 2):
        return None
    numbers = [term for term in base.args if term.is_number]
    others = [term for term in base.args if not term.is_number]
    if len(numbers) != 1:
        return None
    scale, rest = others[0].as_coeff_Mul()
    if not isinstance(rest, function("exp")) or to_float(scale + numbers[0]) != 0:
        return None
    return scale, rest.args[0], "exprel"


def _proportional(factors: list[sympy.Expr], place: int, argument: sympy.Expr, below: bool) -> tuple[int, sympy.Expr] | None:
    """A factor F (a divisor with `below`) and the constant r with argument = r*F... returned as (place of F, F-free F*r/argument)."""
    for other, factor in enumerate(factors):
        base, exponent = factor.as_base_exp()
        if other == place or not exponent.is_Integer or (exponent > 0) == below or base.is_number:
            continue
        ratio = _ratio(argument, base)
        if ratio is not None:
            return other, ratio
    return None


def _ratio(argument: sympy.Expr, base: sympy.Expr) -> sympy.Expr | None:
    """The factor r, free of what varies in `base`, with argument = r*base; None where there is none."""
    for symbol in sorted(base.free_symbols & argument.free_symbols, key=lambda s: s.name):
        up, down = sympy.diff(argument, symbol), sympy.diff(base, symbol)
        if down == 0 or symbol in up.free_symbols or symbol in down.free_symbols:
            continue
        ratio = up / down
        if _vanishes(argument - ratio * base):
            return ratio
    return None


def _vanishes(difference: sympy.Expr) -> bool:
    """Whether an expression is zero up to rounding, tried at three places."""
    if difference == 0:
        return True
    symbols = sorted(difference.free_symbols, key=lambda s: s.name)
    if not symbols:
        return abs(to_float(difference)) < _TOLERANCE if difference.is_number and difference.is_real else False
    for shift, probe in enumerate(_PROBES):
        values = {symbol: sympy.Float(probe * (1 + 0.37 * ((n * 7 + shift * 3) % 11))) for n, symbol in enumerate(symbols)}
        terms = [term.xreplace(values) for term in sympy.Add.make_args(difference)]
        if not all((term.is_number and term.is_Float) or term.is_Rational for term in terms):
            return False
        numbers = [to_float(term) for term in terms]
        if abs(sum(numbers)) > _TOLERANCE * max(1e-300, max(abs(number) for number in numbers)):
            return False
    return True


# ---- plain expressions -------------------------------------------------------------------------


def smooth(expression: Expr, kinds: Mapping[str, Kind]) -> Expr:
    """Removable singularities out of an expression that no scheme has seen; anything else stays as it was written."""
    suspects = ("exp", "expm1", "sin")
    divided = any(node.name in ("divide", "power") for node in operations_of(expression))
    if not divided or not any(node.name in suspects for node in operations_of(expression)):
        return expression
    before = to_sympy(expression)
    after = safe(before)
    if after == before:
        return expression
    known = {**dict.fromkeys(symbols_of(expression), Kind.REAL), **kinds}
    return from_sympy(after, known)
