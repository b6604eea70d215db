"""sympy expressions of ours as a person would write them: text of the language, and LaTeX."""

from __future__ import annotations

import sympy
from sympy.printing.str import StrPrinter

from .symbolic import _Opaque

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
        if name in ("call", "sample"):
            return f"{arguments[0]}({', '.join(arguments[1:])})"
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


def readable(name: str) -> str:
    return name.replace("@", "_") if "@" in name else name


def latex_of(expression: sympy.Expr) -> str:
    """A sympy expression of ours as LaTeX."""
    plain = expression.replace(
        lambda node: isinstance(node, _Opaque),
        lambda node: sympy.Function(_WORDS.get(node.operation, node.operation))(*node.args),
    )
    names = {symbol: sympy.Symbol(readable(symbol.name.removeprefix("@"))) for symbol in plain.free_symbols}
    return str(sympy.latex(plain.xreplace(names)))
