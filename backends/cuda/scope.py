"""How expressions of a kernel are spelled for a device, and the names of functions that the text then calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from ..emit import Scope, call
from ..kernel import Constant, Expr, Kind, Operation

_ROUNDED = {"add": "plus", "subtract": "minus", "multiply": "times"}
QUOTIENT, OVER_LARGE = "divide_f32", "over_large_f32"
OWN = "finite plus minus times".split()  # functions of the device
PRIMITIVES = "below maximum minimum select sign".split()
PAIRED = "uniform normal exponential".split()  # distributions whose numbers come in pairs
DISTRIBUTIONS = [*PAIRED, *(f"{distribution}_pair" for distribution in PAIRED), "poisson"]


@dataclass
class DeviceScope(Scope):
    """Spelling for a device: series are arrays, and no constant of another precision stands in the text."""

    exact: bool = False  # sums and products are rounded one by one

    def _operation(self, operation: str, arguments: tuple[Expr, ...]) -> ast.expr:
        if operation == "is_finite":
            return call("finite", self.emit(arguments[0], self.kind(arguments[0])))
        if self.exact and operation in _ROUNDED:
            beside = self.kind_beside(arguments)
            if beside in (Kind.REAL, Kind.DOUBLE):
                nodes = [self._alike(argument, beside) for argument in arguments]
                total = nodes[0]
                for node in nodes[1:]:
                    total = call(_ROUNDED[operation], total, node)
                return total
        if operation == "divide" and not self.exact and self.precision == "float32" and self.kind_beside(arguments) is Kind.REAL:
            top, bottom = arguments
            short = isinstance(top, Constant) and abs(top.value) < 1e6 and _is_large(bottom)
            function = OVER_LARGE if short else QUOTIENT
            self.called.add(function)
            return call(function, *[self._alike(argument, Kind.REAL) for argument in arguments])
        return super()._operation(operation, arguments)

    def kind_beside(self, arguments: tuple[Expr, ...]) -> Kind:
        """The kind that arguments are brought to."""
        kinds = [self.kind(argument) for argument in arguments]
        return Kind.DOUBLE if Kind.DOUBLE in kinds else kinds[0]

    def element(self, series: ast.expr, row: ast.expr, column: ast.expr, columns: ast.expr) -> ast.expr:
        return ast.Subscript(series, ast.Tuple([row, column], ast.Load()), ast.Load())


def _is_large(expression: Expr) -> bool:
    """Whether it is e^x and a constant that is not small, as in 1/(1 + e^x)."""
    match expression:
        case Operation("add", (*terms,)):
            constants = [float(term.value) for term in terms if isinstance(term, Constant)]
            exponentials = [term for term in terms if isinstance(term, Operation) and term.name == "exp"]
            return len(constants) + len(exponentials) == len(terms) and min(constants, default=0.0) > 1e-6
    return False
