"""What is read of all neurons: it is stored, the phase ends, and the next one begins with the result."""

from __future__ import annotations

from ...backends.kernel import Constant, Expr, Kind, MatrixProduct, Operation, Reduce, Store, Symbol
from .arrange import Pace
from .draft import Draft
from .names import REDUCTIONS, STREAM_STEP


def across(draft: Draft, node: Operation) -> Expr:
    """The value of a reduction, a rank or a matrix product that all neurons may read from here on."""
    if node in draft.once:
        return draft.once[node]
    operand = node.arguments[1] if node.name in ("one_of", "matmul") else node.arguments[0]
    kind = Kind.BOOLEAN if node.name in ("any", "count", "one_of") else Kind.REAL
    held = _stored(draft, operand, kind)
    stores: tuple[Store, ...] = ()
    if held is None:
        value = draft.assign("@of", kind, operand)
        held, stores = f"@held {value.name}", (Store(f"@held {value.name}", value.name),)
        draft.array(held, kind, written=True, passing=True)
    result = Symbol(draft.version(f"@{node.name}"))
    draft.end_phase((_reduction(draft, node, result.name, held),), *stores)
    draft.once[node] = result
    return result


def _stored(draft: Draft, value: Expr, kind: Kind) -> str | None:
    """The array that holds the value when the phase ends, where one does: it need not be written twice."""
    for name, current in draft.now.items():
        if isinstance(value, Symbol) and current == value and name in draft.arrays and draft.arrays[name].kind is kind:
            return name
    return None


def _reduction(draft: Draft, node: Operation, result: str, held: str) -> Reduce | MatrixProduct:
    if node.name == "matmul":
        matrix = node.arguments[0]
        assert isinstance(matrix, Symbol)
        draft.array(result, Kind.REAL, written=True)
        return MatrixProduct(result, matrix.name, held)
    kind = REDUCTIONS[node.name]
    if node.name in ("rank", "one_of"):
        draft.array(result, kind, written=True)
    else:
        draft.know(result, kind, Pace.PER_STEP)
    stream = node.arguments[0].value if node.name == "one_of" and isinstance(node.arguments[0], Constant) else 0
    return Reduce(result, kind, node.name, held, int(stream) * STREAM_STEP)
