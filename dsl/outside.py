"""Python functions as a text sees them: the names of their arguments, and the units that their annotations say.

    def g_inf(v: "mV", n: int) -> "nS": ...

A text in quotes (or `Annotated[float, "mV"]`) is a unit, `int` and `bool` are the kinds `integer` and `boolean`, `float` and nothing say
nothing. Annotations are read, never evaluated.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import UsageError

if TYPE_CHECKING:
    from .checked import External
    from .keywords import FunctionOf
    from .units import Unit

KINDS: Mapping[str, str | None] = {
    "float": None,
    "np.float64": None,
    "numpy.float64": None,
    "int": "integer",
    "bool": "boolean",
}
ANNOTATED = re.compile(r"""(?:typing\.)?Annotated\[\s*[\w.]+\s*,\s*(['"])(?P<unit>.*?)\1\s*\]""")


def is_function(value: object) -> bool:
    """Whether a value is a function written in Python, also one that numba has compiled already."""
    return inspect.isfunction(getattr(value, "py_func", value))


def function_of(name: str, value: Any, declared: bool) -> FunctionOf:
    """What a function says of itself; `declared`: the text says the unit of its result. Raises UsageError, which names the argument."""
    from .keywords import FunctionOf

    arguments = arguments_of(f"parameters[{name!r}]", value)
    unit = result_unit(value)
    if unit is None and not declared:
        example = f"{name}({', '.join(f'{argument} : mV' for argument in arguments)}) : nS"
        raise UsageError(
            f"parameters[{name!r}]: nobody says the unit of what {name} gives; declare it in the text, such as `{example}`,"
            f' or in Python, such as `def {name}({", ".join(arguments)}) -> "nS"`'
        )
    return FunctionOf(tuple(arguments), tuple(arguments.values()), unit)


def arguments_of(argument: str, value: Any) -> dict[str, str | None]:
    """The names of the arguments that a function needs, and their units (None: it says none). Raises UsageError."""
    function = getattr(value, "py_func", value)
    kinds = inspect.Parameter
    found: dict[str, str | None] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD, kinds.KEYWORD_ONLY):
            raise UsageError(f"{argument}: the argument {parameter} of the function has no place in a call of the text")
        if parameter.default is kinds.empty:
            found[parameter.name] = _unit(parameter.annotation)
    if not found:
        raise UsageError(f"{argument}: the function takes no argument, so it is one value: give that")
    return found


def described(value: Any) -> tuple[object, ...]:
    """All that a text can see of a function, as plain data."""
    return ("function", str(inspect.signature(getattr(value, "py_func", value))), result_unit(value))


def result_unit(value: Any) -> str | None:
    """The unit of what a function gives, None where it says none."""
    return _unit(inspect.signature(getattr(value, "py_func", value)).return_annotation)


def check(value: Any, external: External, argument: str) -> None:
    """Raises UsageError for a function that takes other arguments, or counts them in other units, than the text declares."""
    called = f"{external.name}({', '.join(external.arguments)})"
    if not is_function(value):
        raise UsageError(
            f"{argument}: the model calls {called}, and this is {type(value).__name__}; write it with `def` or `lambda`"
        )
    if not external.takes:
        declared = f"`{external.name}({', '.join(f'{name} : ms' if name == 't' else name for name in external.arguments)}) : ...`"
        raise UsageError(f"{argument}: for a Python function the text has to say in which unit it takes the time: {declared}")
    said = arguments_of(argument, value)
    if not len(said) <= external.arity <= len(inspect.signature(getattr(value, "py_func", value)).parameters):
        raise UsageError(f"{argument}: the model calls {called}, and the function takes {', '.join(said)}")
    pairs = [*zip(external.arguments, external.takes, said.values(), strict=False), ("", external.unit, result_unit(value))]
    for name, declared_unit, unit in pairs:
        if unit is not None and not _same(unit, declared_unit, argument):
            what = f"takes its argument {name}" if name else "gives its result"
            text = declared_unit.text or "1"
            raise UsageError(f"{argument}: the function {what} in {unit}, and the model says {text}; they have to agree")


def _same(text: str, unit: Unit, argument: str) -> bool:
    from ..grammar.parse import parse_unit
    from ..grammar.source import Source
    from .units import Unit, unit_of

    if text == unit.text:
        return True
    node, mistakes = parse_unit(Source(text, argument))
    found = unit_of(node) if node is not None and not mistakes else None
    if not isinstance(found, Unit):
        raise UsageError(f"{argument}: {text!r}, which the function is annotated with, is no unit")
    kinds = ("integer", "boolean")
    return found.dimension == unit.dimension and found.decade == unit.decade and (text in kinds) == (unit.text in kinds)


def _unit(annotation: Any) -> str | None:
    if annotation is inspect.Parameter.empty:
        return None
    metadata = getattr(annotation, "__metadata__", ())
    if metadata:
        return next((text for text in metadata if isinstance(text, str)), None)
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if (written := ANNOTATED.fullmatch(text.strip())) is not None:
        return written["unit"]
    text = text.strip().strip("\"'")
    return KINDS.get(text, text)
