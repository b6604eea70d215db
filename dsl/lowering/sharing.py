"""What several statements compute alike is computed once."""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.kernel import Assign, Expr, Kind, Operation, Symbol, kind_of


def shared_parts(
    statements: list[tuple[str, Kind, Expr]], kinds: Mapping[str, Kind], prefix: str
) -> tuple[list[Assign], dict[str, Kind]]:
    """The statements with every operation that occurs twice computed once, under a name of its own."""
    counts: dict[Expr, int] = {}

    def count(expression: Expr) -> None:
        if isinstance(expression, Operation):
            counts[expression] = counts.get(expression, 0) + 1
            if counts[expression] == 1:
                for argument in expression.arguments:
                    count(argument)

    for _, _, expression in statements:
        count(expression)
    names: dict[Expr, Symbol] = {}
    made: list[Assign] = []
    new_kinds: dict[str, Kind] = {}

    def build(expression: Expr) -> Expr:
        if not isinstance(expression, Operation):
            return expression
        if expression in names:
            return names[expression]
        result = Operation(expression.name, tuple(build(argument) for argument in expression.arguments))
        if counts[expression] < 2:
            return result
        kind = kind_of(expression, kinds)
        names[expression] = Symbol(f"{prefix}{len(names)}")
        new_kinds[names[expression].name] = kind
        made.append(Assign(names[expression].name, kind, result))
        return names[expression]

    for name, kind, expression in statements:
        made.append(Assign(name, kind, build(expression)))
    return made, new_kinds
