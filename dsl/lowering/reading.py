"""An expression of the model over names of the kernel, at the current values and the current time."""

from __future__ import annotations

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..safe_forms import smooth
from ..structure import LENGTH
from ..substitute import transform
from .across import across
from .draft import Draft
from .names import DRAWS, LAST, LAST_PART, LAST_STEP, NEVER, NOISE_STREAM, REDUCTIONS, SPIKED, STREAM_STEP
from .places import remember
from .refractoriness import is_refractory

OFFSET = Constant(1e-6)  # a sample begins at its time also where k*dt falls short of it by rounding


def read(draft: Draft, expression: Expr) -> Expr:
    """The expression with every name of the model replaced by what holds its value now.

    Draws, reductions and crossings on the way become statements of the draft.
    """
    seen: dict[str, Expr] = {}

    def change(node: Expr) -> Expr:
        if isinstance(node, Symbol):
            if node.name not in seen:
                seen[node.name] = _symbol(draft, node)
            return seen[node.name]
        if isinstance(node, Operation):
            return _operation(draft, node)
        return node

    return transform(_entered(draft, expression), change)


def read_smooth(draft: Draft, expression: Expr) -> Expr:
    """The same for an expression as it was written, whose removable singularities are still in it."""
    return read(draft, smooth(expression, draft.kinds))


def _entered(draft: Draft, expression: Expr) -> Expr:
    """`old(x)` as the name that held x when the block was entered; such names are settled already."""

    def change(node: Expr) -> Expr:
        if isinstance(node, Operation) and node.name == "old":
            symbol = node.arguments[0]
            assert isinstance(symbol, Symbol)
            return draft.entry.get(symbol.name, symbol)
        return node

    return transform(expression, change)


def _symbol(draft: Draft, symbol: Symbol) -> Expr:
    name = symbol.name
    if name in draft.now:
        return draft.now[name]
    if name in draft.written_out:
        return read(draft, draft.written_out[name])
    if name in draft.driven:
        return _sampled(draft, name, draft.sampled_at, draft.driven[name])
    if name == "@t":
        return draft.time
    if name == "@not_refractory":
        return Operation("not", (is_refractory(draft),))
    if name == SPIKED:
        remember(draft, name)
        return draft.now[name]
    if name == LAST:
        return _last_spike(draft)
    if name.startswith("@xi"):
        return _white_noise(draft, name)
    return symbol


def _operation(draft: Draft, node: Operation) -> Expr:
    if node.name in DRAWS:
        return _draw(draft, node)
    if node.name in REDUCTIONS or node.name == "matmul":
        return across(draft, node)
    if node.name == "sample":
        series = node.arguments[0]
        assert isinstance(series, Symbol)
        column = node.arguments[2] if len(node.arguments) > 2 else Constant(0)
        return _sampled(draft, series.name, node.arguments[1], column)
    if node.name == "crosses":
        return _crosses(draft, node)
    return node


# ---- what a spike has left -------------------------------------------------------------------------


def _last_spike(draft: Draft) -> Expr:
    """The time of the last spike, in float64 from the number of its step: late in a run float32 cannot tell milliseconds apart."""
    remember(draft, LAST)
    draft.scalar(LENGTH, Kind.DOUBLE)
    number = draft.now[LAST_STEP]
    steps: Expr = Operation("to_double", (number,))
    if draft.exact:
        steps = Operation("add", (steps, Operation("to_double", (draft.now[LAST_PART],))))
    time = Operation("multiply", (steps, Symbol(LENGTH)))
    return Operation("where", (Operation("less", (number, Constant(0))), Operation("to_double", (Constant(NEVER),)), time))


def _crosses(draft: Draft, node: Operation) -> Expr:
    """True where the left side has just come above the right: the last test is kept in an array."""
    above = draft.assign("@above", Kind.BOOLEAN, Operation("greater", node.arguments))
    name = f"@crossed{len(draft.crossings)}"
    draft.crossings.append((name, above))
    draft.array(name, Kind.BOOLEAN, written=True)
    draft.now[name] = above
    # a name of its own, in this phase: a reduction beside it ends the phase, which stores the test
    return draft.assign("@crossing", Kind.BOOLEAN, Operation("and", (above, Operation("not", (Symbol(name),)))))


# ---- draws -----------------------------------------------------------------------------------------


def _draw(draft: Draft, node: Operation) -> Symbol:
    found = draft.once.get(node)
    if found is None:
        stream = node.arguments[0]
        assert isinstance(stream, Constant)
        mean = draft.assign("@mean", Kind.REAL, node.arguments[1]) if node.name == "poisson" else None
        found = draft.once[node] = draft.draw("@draw", node.name, int(stream.value) * STREAM_STEP, mean)
    return found


def _white_noise(draft: Draft, name: str) -> Symbol:
    """A normal number of the step, the same under every scheme; the scheme has put sqrt(dt) beside it."""
    if name not in draft.noise:
        system = draft.discretised.system
        assert system is not None
        draft.noise[name] = draft.draw(name, "normal", NOISE_STREAM + STREAM_STEP * system.sources.index(name))
    return draft.noise[name]


# ---- samples ---------------------------------------------------------------------------------------


def _sampled(draft: Draft, name: str, time: Expr, column: Expr) -> Expr:
    """The sample of a series that holds at `time`; after its end the last one. One column is that of all neurons; an index that has no
    column gets nan, which stops the run."""
    place = Symbol(name)
    column = Constant(0) if draft.shapes.get(name) == "series" else column
    steps = Operation("floor", (Operation("add", (Operation("divide", (time, Symbol(f"@interval {name}"))), OFFSET)),))
    last = Operation("subtract", (Operation("rows", (place,)), Constant(1)))
    row = Operation("maximum", (Operation("minimum", (Operation("to_integer", (steps,)), last)), Constant(0)))
    if column in (Constant(0), Symbol("@i")):
        return Operation("element", (place, row, column))
    inside = Operation(
        "and",
        (Operation("greater_equal", (column, Constant(0))), Operation("less", (column, Operation("columns", (place,))))),
    )
    element = Operation("element", (place, row, Operation("where", (inside, column, Constant(0)))))
    return Operation("where", (inside, element, Constant(float("nan"))))
