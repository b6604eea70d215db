"""How long equations become when the quantities they use are written out, and where that is too long to be meant."""

from __future__ import annotations

from collections.abc import Mapping

from ..backends.kernel import Expr, Operation, Symbol
from .checked import CheckedModel
from .errors import UsageError

LONGEST = 20_000  # operations and names of one equation; models of hundreds of equations stay far below


def refuse_what_grows(model: CheckedModel) -> None:
    """Raises UsageError for an equation that is longer than LONGEST when everything it uses is written out.

    A quantity that uses another twice is twice as long: sixty such in a row would fill any memory.
    """
    lengths: dict[str, int] = {}
    for formula in model.formulas:
        lengths[formula.name] = length(formula.expression, lengths)
    used = [(f"d{state.name}/dt", state.derivative) for state in model.states if state.derivative is not None]
    used += [(f"the condition of {event.name}", event.condition) for event in model.events]
    for what, expression in used:
        found = length(expression, lengths)
        if found > LONGEST:
            longest = max((name for name in lengths if lengths[name] <= found), key=lambda name: lengths[name], default="")
            raise UsageError(
                f"{model.name}: {what} has {found:.3g} terms when everything it uses is written out, more than {LONGEST}: quantities that use"
                f" others several times double again and again, up to {longest}. Let a block compute such values, one after the other:"
                " `each step: a = ...; b = a*a`"
            )


def length(expression: Expr, lengths: Mapping[str, int]) -> int:
    """Operations and symbols of an expression, symbols counted as long as what they stand for. Shared parts count each time."""
    seen: dict[int, int] = {}

    def of(node: Expr) -> int:
        if id(node) not in seen:
            own = lengths.get(node.name, 1) if isinstance(node, Symbol) else 1
            seen[id(node)] = own + (sum(map(of, node.arguments)) if isinstance(node, Operation) else 0)
        return seen[id(node)]

    return of(expression)
