"""sympy expressions of ours as a person would write them: text of the language, and LaTeX."""

from __future__ import annotations

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from .latex import FUNCTIONS, symbol
from .symbolic import INFINITY, _Opaque

_SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
_RELATIONS = {"less": "<", "less_equal": r"\le", "greater": ">", "greater_equal": r"\ge", "equal": "=", "not_equal": r"\ne"}
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
        if name == "power":
            base, exponent = (
                text if part.is_Atom else f"({text})" for part, text in zip(expression.args, arguments, strict=True)
            )
            return f"{base}^{exponent}"
        return f"{_WORDS.get(name, name)}({', '.join(arguments)})"


def text_of(expression: sympy.Expr) -> str:
    """A sympy expression of ours as text of the language."""
    return str(_Printer({"full_prec": False}).doprint(expression)).replace("**", "^")


def readable(name: str) -> str:
    return name.replace("@", "_") if "@" in name else name


class _LatexPrinter(LatexPrinter):  # type: ignore[misc]
    """sympy's LaTeX with the names of a model as mathematics, choices as cases, and the operations of the language."""

    def _print_Symbol(self, expression: sympy.Symbol) -> str:
        return r"\infty" if expression == INFINITY else latex_of_name(expression.name)

    def _print_Function(self, expression: sympy.Function, exp: str | None = None) -> str:
        if not isinstance(expression, _Opaque):
            return str(super()._print_Function(expression, exp))
        text = self._operation(expression.operation, [self._print(argument) for argument in expression.args])
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _operation(self, name: str, arguments: list[str]) -> str:
        if name == "exp":
            return rf"e^{{{arguments[0]}}}"
        if name in _RELATIONS:
            return f"{arguments[0]} {_RELATIONS[name]} {arguments[1]}"
        if name == "where":
            return rf"\begin{{cases}} {arguments[1]} & \text{{if }} {arguments[0]} \\ {arguments[2]} & \text{{otherwise}} \end{{cases}}"
        if name in ("and", "or"):
            return (r" \land " if name == "and" else r" \lor ").join(arguments)
        if name in ("to_real", "to_double"):
            return arguments[0]
        spelled = _WORDS.get(name, name)
        plain = f"\\{spelled}" if spelled in FUNCTIONS else rf"\operatorname{{{spelled}}}".replace("_", r"\_")
        return rf"{plain}\left({', '.join(arguments)}\right)"


def latex_of(expression: sympy.Expr) -> str:
    """A sympy expression of ours as LaTeX."""
    return str(_LatexPrinter().doprint(expression))


def latex_of_name(name: str) -> str:
    """A name as LaTeX; also `v(t + dt)`, what an update gives a value to."""
    plain, bracket, rest = readable(name.removeprefix("@")).partition("(")
    return symbol(plain) + bracket + rest.replace("dt", r"\mathrm{dt}")
