"""What a text may know of the values that come with it: numbers and texts as they are, of all else the unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from .errors import ModelError, UsageError
from .units import Dimension, usual_unit

if TYPE_CHECKING:
    from ..grammar.nodes import ModelDeclaration
    from .keywords import GivenParameter


def given_parameters(parameters: Mapping[str, object], declaration: ModelDeclaration) -> dict[str, GivenParameter]:
    """The values as the keyword form takes them. Raises UsageError for a function of time whose unit nobody says."""
    from .keywords import Bound, CallableOf
    from .outside import function_of, is_function

    called = dict(_calls(declaration))
    found: dict[str, GivenParameter] = {}
    for name, value in parameters.items():
        if is_plain(value):
            found[name] = value.item() if hasattr(value, "item") else value  # type: ignore[assignment]
        elif is_function(value) and (name in called or name in _functions(declaration)):
            found[name] = function_of(name, value, name in _functions(declaration))
        elif name in called and name not in _functions(declaration):
            found[name] = CallableOf(_function_unit(name, value), called[name])
        else:
            found[name] = Bound(_unit(value))
    return found


def is_plain(value: object) -> bool:
    """Whether a value can stand in a text as it is: a text or one number."""
    if isinstance(value, str | int | float):
        return True
    return (
        hasattr(value, "item")
        and getattr(value, "shape", None) == ()
        and isinstance(value.item(), int | float)
        and _dimension(value) is None
    )


def _unit(value: object) -> str | None:
    """The unit of what is no single number; plain numbers have the unit 1, and None is for what does not say."""
    unit = getattr(value, "unit", None)
    if isinstance(unit, str):
        return unit
    if is_dataclass(value) and not isinstance(value, type):
        value = getattr(value, fields(value)[0].name)  # of inputs and distributions the first field is a value
    dimension = _dimension(value)
    if dimension is not None:
        return usual_unit(dimension).text
    return None if isinstance(value, str) or callable(value) else "1"


def _function_unit(name: str, value: object) -> str:
    unit = _unit(value)
    if unit is None:
        raise UsageError(
            f"parameters[{name!r}]: the text calls `{name}` and does not say its unit; declare it there, such as `{name}(t) : pA`"
        )
    return unit


def _dimension(value: object) -> Dimension | None:
    """The dimension of a quantity object, or of a text such as "500 pA"."""
    from .expressions import quantity
    from .run.quantities import physical

    if isinstance(value, str):
        try:
            return quantity(value, "value")[1]
        except ModelError:  # an expression of names: its unit follows from where it stands
            return None
    found = physical(value)
    return None if found is None else found.dimension


def _calls(declaration: ModelDeclaration) -> Iterator[tuple[str, int]]:
    """Every function that a text calls, and with how many arguments."""
    from ..grammar.nodes import Call
    from ..grammar.walks import expressions_of, parts_of

    for statement in declaration.statements:
        for expression in expressions_of(statement):
            yield from ((node.function, len(node.arguments)) for node in parts_of(expression) if isinstance(node, Call))


def _functions(declaration: ModelDeclaration) -> set[str]:
    """The functions that a text declares or defines itself."""
    from ..grammar.nodes import CallableDeclaration, FunctionDefinition

    return {s.name.id for s in declaration.statements if isinstance(s, CallableDeclaration | FunctionDefinition)}
