"""The moment at which a condition becomes true: its margin, a number that is positive where it holds, and the zero of that."""

from __future__ import annotations

from collections.abc import Callable

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..substitute import transform
from .draft import Draft

ITERATIONS = 14  # of Chandrupatla's method: some 8 find the zero of a cubic to the last digit; a bend costs a few more
INFINITY = Constant(float("inf"))


def was_above(number: int) -> str:
    """Whether the left side of a crossing was above the right one at the last look."""
    return f"@above{number}"


def crossings(condition: Expr) -> list[tuple[Expr, Expr]]:
    """The sides of every `crosses` in a condition, each pair once."""
    found: dict[Expr, None] = {}
    transform(condition, lambda node: (found.setdefault(node), node)[1] if _crosses(node) else node)
    return [(node.arguments[0], node.arguments[1]) for node in found if isinstance(node, Operation)]


def _crosses(node: Expr) -> bool:
    return isinstance(node, Operation) and node.name == "crosses"


def plainly(condition: Expr) -> Expr:
    """The condition with `a crosses b` as `a > b`, and not above before."""
    known = crossings(condition)

    def change(node: Expr) -> Expr:
        match node:
            case Operation("crosses", (a, b)):
                above = Symbol(was_above(known.index((a, b))))
                return Operation("and", (Operation("greater", (a, b)), Operation("not", (above,))))
        return node

    return transform(condition, change)


def margin(condition: Expr) -> Expr:
    """A number that is positive where a condition (made plain) holds, and continuous where what it compares is.

    A part that compares nothing is there or not: it counts as infinity.
    """
    match condition:
        case Operation("greater" | "greater_equal", (a, b)):
            return Operation("to_real", (Operation("subtract", (a, b)),))
        case Operation("less" | "less_equal", (a, b)):
            return Operation("to_real", (Operation("subtract", (b, a)),))
        case Operation("not", (part,)):
            return Operation("negate", (margin(part),))
        case Operation("and" | "or" as name, parts):
            choose = "minimum" if name == "and" else "maximum"
            found = margin(parts[0])
            for part in parts[1:]:
                found = Operation(choose, (found, margin(part)))
            return found
        case Constant(value):
            return INFINITY if value else Operation("negate", (INFINITY,))
    return Operation("where", (condition, INFINITY, Operation("negate", (INFINITY,))))


def first_zero(draft: Draft, f: Callable[[Expr], Symbol], low: Expr, high: Expr) -> Symbol:
    """Where f, positive at `high`, has become so; `low` where it is positive there already.

    Chandrupatla 1997, Adv. Eng. Softw. 28:145: inverse quadratic interpolation where that is safe, halving where not. The number of
    iterations is fixed, so there is no branch.
    """
    at_low = f(low)
    a, fa, b, fb = high, f(high), low, at_low  # a: the last point; the zero lies between it and b
    t: Expr = Constant(0.5)
    for _ in range(ITERATIONS):
        x = draft.assign("@u", Kind.REAL, _op("fma", t, _op("subtract", b, a), a))
        fx = f(x)
        same = draft.assign("@same", Kind.BOOLEAN, _same_side(fx, fa))
        c, fc = _pick(draft, "@c", same, a, b), _pick(draft, "@fc", same, fa, fb)
        b, fb = _pick(draft, "@b", same, b, a), _pick(draft, "@fb", same, fb, fa)
        a, fa = x, fx
        t = draft.assign("@fraction", Kind.REAL, _fraction(a, fa, b, fb, c, fc))
    nearer = _op("less", _op("absolute", fa), _op("absolute", fb))
    best = _op("where", nearer, a, b)
    return draft.assign("@u", Kind.REAL, _op("where", is_positive(at_low), low, best))


def _fraction(a: Expr, fa: Expr, b: Expr, fb: Expr, c: Expr, fc: Expr) -> Expr:
    """How far from a towards b the next point lies."""
    xi = _op("divide", _op("subtract", a, b), _op("subtract", c, b))
    phi = _op("divide", _op("subtract", fa, fb), _op("subtract", fc, fb))
    left, right = _op("subtract", Constant(1.0), phi), _op("subtract", Constant(1.0), xi)
    safe = _op("and", _op("less", _op("multiply", phi, phi), xi), _op("less", _op("multiply", left, left), right))
    first = _op("multiply", _op("divide", fa, _op("subtract", fb, fa)), _op("divide", fc, _op("subtract", fb, fc)))
    alpha = _op("divide", _op("subtract", c, a), _op("subtract", b, a))
    second = _op("multiply", alpha, _op("divide", fa, _op("subtract", fc, fa)), _op("divide", fb, _op("subtract", fc, fb)))
    return _op("where", safe, _op("add", first, second), Constant(0.5))


def is_positive(value: Expr) -> Expr:
    """Also where it is not a number: an upstroke that leaves the range has crossed."""
    return _op("not", _op("less_equal", value, Constant(0.0)))


def _same_side(x: Expr, y: Expr) -> Expr:
    p, q = is_positive(x), is_positive(y)
    return _op("or", _op("and", p, q), _op("not", _op("or", p, q)))


def _pick(draft: Draft, name: str, condition: Symbol, yes: Expr, no: Expr) -> Symbol:
    return draft.assign(name, Kind.REAL, _op("where", condition, yes, no))


def _op(name: str, *arguments: Expr) -> Operation:
    return Operation(name, arguments)
