"""Expressions as a person would write them, and a scheme in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from sympy.printing.str import StrPrinter

from ..backends.kernel import Assign, Hoist, Kernel
from .checked import CheckedModel
from .structure import Structure
from .substitute import operations_of
from .symbolic import _Opaque, to_sympy

_SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
_WORDS = {"absolute": "abs", "minimum": "min", "maximum": "max", "below": "min"}


class _Printer(StrPrinter):  # type: ignore[misc]
    """sympy's text with the operations of the language; `@dt` is `dt`, powers are `^`."""

    def _print_Symbol(self, expression: sympy.Symbol) -> str:
        name = expression.name
        if "@stage" in name or "@slope" in name or "@next" in name:
            return str(name.replace("@", "_"))
        return str(name.removeprefix("@"))

    def _print_Function(self, expression: sympy.Function) -> str:
        if not isinstance(expression, _Opaque):
            return str(super()._print_Function(expression))
        arguments = [self._print(argument) for argument in expression.args]
        name = expression.operation
        if name in _SIGNS:
            return f"{arguments[0]} {_SIGNS[name]} {arguments[1]}"
        if name in ("and", "or"):
            return f" {name} ".join(f"({argument})" for argument in arguments)
        if name == "not":
            return f"not ({arguments[0]})"
        if name == "where":
            return f"({arguments[1]} if {arguments[0]} else {arguments[2]})"
        if name in ("to_real", "to_double"):
            return f"({arguments[0]})"
        return f"{_WORDS.get(name, name)}({', '.join(arguments)})"


def text_of(expression: sympy.Expr) -> str:
    """A sympy expression of ours as text of the language."""
    return str(_Printer({"full_prec": False}).doprint(expression)).replace("**", "^")


@dataclass(frozen=True)
class Explanation:
    """What a scheme makes of a model. `str()` is the page that `dvdt explain` prints.

    `updates` are (name, expression) in order, as text; `latex` the same for a notebook; `hoisted` what is computed once a run; `cost` how
    often each operation occurs in one step of one neuron, and `bytes` what a step reads and writes of a neuron's memory.
    """

    model: str
    scheme: str
    why: str
    notes: tuple[str, ...]
    updates: tuple[tuple[str, str], ...]
    latex: tuple[tuple[str, str], ...]
    hoisted: tuple[tuple[str, str], ...]
    cost: tuple[tuple[str, int], ...]
    bytes: int

    def __str__(self) -> str:
        lines = [f"{self.model}: {self.scheme}, {self.why}"]
        lines += [f"  {note}" for note in self.notes]
        if self.updates:
            lines += ["", "one step"]
            lines += [f"  {name} = {expression}" for name, expression in self.updates]
        if self.hoisted:
            lines += ["", "computed once a run"]
            lines += [f"  {name} = {expression}" for name, expression in self.hoisted]
        lines += ["", "cost of a step of one neuron"]
        lines += [f"  {', '.join(f'{count} {name}' for name, count in self.cost) or 'nothing'}; {self.bytes} bytes in float64"]
        return "\n".join(lines)


def explain(model: CheckedModel, structure: Structure) -> Explanation:
    """The scheme that a structure leads to, and what it does. Raises UsageError for a method that cannot do the model."""
    from .discretise import discretise
    from .lower import lower

    discretised = discretise(model, structure)
    kernel, _ = lower(model, structure, discretised)
    step = discretised.step
    bounds = [(name.removeprefix("@"), to_sympy(bound)) for name, bound in discretised.bounds.items()]
    updates = [*bounds, *step.stages, *((f"{state}(t + dt)", value) for state, value in step.new.items())]
    return Explanation(
        model=model.name,
        scheme=discretised.scheme,
        why=discretised.why,
        notes=discretised.notes,
        updates=tuple((_readable(name), text_of(value)) for name, value in updates),
        latex=tuple((_readable(name), latex_of(value)) for name, value in updates),
        hoisted=tuple(_hoisted(kernel)),
        cost=tuple(_cost(kernel)),
        bytes=8 * sum(1 + array.written for array in kernel.arrays),
    )


def _readable(name: str) -> str:
    return name.replace("@", "_") if "@" in name else name


def latex_of(expression: sympy.Expr) -> str:
    """A sympy expression of ours as LaTeX."""
    plain = expression.replace(
        lambda node: isinstance(node, _Opaque),
        lambda node: sympy.Function(_WORDS.get(node.operation, node.operation))(*node.args),
    )
    names = {symbol: sympy.Symbol(_readable(symbol.name.removeprefix("@"))) for symbol in plain.free_symbols}
    return str(sympy.latex(plain.xreplace(names)))


def _hoisted(kernel: Kernel) -> Iterator[tuple[str, str]]:
    for item in kernel.prologue:
        if isinstance(item, Hoist):
            yield item.name.removeprefix("@"), text_of(to_sympy(item.expression))
        else:
            entries = ", ".join(name.removeprefix("@") for _, _, name in (*item.transition, *item.input))
            yield entries, f"the exponential of a {item.size} by {item.size} matrix over dt"


def _cost(kernel: Kernel) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for phase in kernel.phases:
        for statement in phase.body:
            if isinstance(statement, Assign):
                counts.update(operation.name for operation in operations_of(statement.expression))
            else:
                counts[f"{statement.distribution} draw"] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
