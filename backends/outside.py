"""Functions that come from outside, written in Python: told apart by their code, interpreted by the reference, compiled by numba.

Such a function is one in the sense of mathematics: numbers in, one number out, the same for the same arguments. It computes in float64
in every kernel. What it reads beside its arguments (numbers, arrays, further functions) is part of it, as it is when a run begins.
"""

from __future__ import annotations

import builtins
import dis
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from . import cache
from .kernel import FunctionPlace, Kind
from .unusable import CallFailed, Unusable

MODULES = (math, np)
LARGEST = 1 << 26  # bytes of an array that a function reads: it becomes part of the machine code


def python_function(value: object) -> FunctionType:
    """The function as it was written. Raises Unusable for what was not written with `def` or `lambda`."""
    function = getattr(value, "py_func", value)  # of one that numba has compiled already
    if not isinstance(function, FunctionType):
        raise Unusable(f"is {_what(value)}; a function written with `def` or `lambda` is needed")
    return function


# ---- what a function is ------------------------------------------------------------------------


def digest(value: object) -> str:
    """A key of all that decides what a function computes: its code, its constants and whatever it reads. Raises Unusable."""
    return cache.digest(repr(_described(python_function(value), ())), np.__version__)


def _described(function: FunctionType, callers: tuple[CodeType, ...]) -> object:
    code = function.__code__
    if code in callers:
        raise Unusable("calls itself, which a kernel cannot")
    below = (*callers, code)
    reads = [(name, _value(name, value, below)) for name, value in _reads(function)]
    defaults = [_value("a default", value, below) for value in (function.__defaults__ or ())]
    return _code(code), reads, defaults


def _code(code: CodeType) -> object:
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise Unusable("is a generator or a coroutine, and gives no number")
    if any(step.opname == "RAISE_VARARGS" for step in dis.get_instructions(code)):
        raise Unusable("raises an exception, which a kernel cannot; give `math.nan` instead: it stops the run and says where")
    constants = [_code(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars, code.co_argcount


def _reads(function: FunctionType) -> Iterator[tuple[str, object]]:
    """The names of a function that are none of its own, and what they stand for now."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            raise Unusable(f"uses `{name}`, which has no value yet") from None
    for name in sorted(_global_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
        elif not hasattr(builtins, name):
            raise Unusable(f"uses `{name}`, which is not defined")


def _global_names(code: CodeType) -> set[str]:
    found = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*(_global_names(value) for value in code.co_consts if isinstance(value, CodeType)))


def _value(name: str, value: object, callers: tuple[CodeType, ...]) -> object:
    """What a name stands for, as plain data."""
    match value:
        case None | bool() | int() | float() | complex() | str():
            return repr(value)
        case tuple():
            return [_value(name, element, callers) for element in value]
        case np.generic() if value.dtype.kind in "biufc":
            return value.dtype.str, value.tobytes().hex()
        case np.ndarray() if value.dtype.kind in "biuf":
            if value.nbytes > LARGEST:
                raise Unusable(f"reads the array `{name}` of {value.nbytes / 2**20:.0f} MB, too large to be part of a kernel")
            return value.dtype.str, value.shape, cache.digest(value.tobytes().hex())
        case ModuleType():
            return _module(name, value, callers[-1])
        case FunctionType() if value.__module__ is None or value.__module__.partition(".")[0] != "numpy":
            return _described(value, callers)
    if hasattr(value, "py_func"):
        return _described(python_function(value), callers)
    home = (getattr(value, "__module__", None) or "").partition(".")[0]
    if isinstance(value, BuiltinFunctionType | np.ufunc | type | FunctionType) and home in ("math", "numpy", "builtins", ""):
        return home, getattr(value, "__qualname__", getattr(value, "__name__", name))
    raise Unusable(f"reads `{name}`, {_what(value)}; numbers, tuples, arrays and functions of math and numpy can be read")


def _module(name: str, module: ModuleType, code: CodeType) -> str:
    if module not in MODULES:
        raise Unusable(f"uses the module `{module.__name__}`; math and numpy can be used")
    if module is np and "random" in code.co_names:
        raise Unusable("draws random numbers; draw them in the text (`rand()`, `randn()`) and give them as an argument")
    return module.__name__


def _what(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


# ---- the same function with other parts --------------------------------------------------------


def rebound(function: FunctionType, swap: Callable[[object], object]) -> FunctionType:
    """The function with each thing that it reads in the place of what `swap` makes of it."""
    code = function.__code__
    read = {name: _swapped(value, swap, code) for name, value in _reads(function)}
    closure = tuple(CellType(read[name]) for name in code.co_freevars)
    names = {name: value for name, value in read.items() if name not in code.co_freevars}
    made = FunctionType(code, {"__builtins__": builtins, **names}, function.__name__, function.__defaults__, closure)
    made.__module__ = __name__
    return made


def _swapped(value: object, swap: Callable[[object], object], code: CodeType) -> object:
    if not isinstance(value, ModuleType):
        return swap(value)
    other = ModuleType(value.__name__)
    for name in _attributes(code):
        if hasattr(value, name):
            setattr(other, name, swap(getattr(value, name)))
    return other


def _attributes(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_attributes(value) for value in code.co_consts if isinstance(value, CodeType)))


# ---- interpreted -------------------------------------------------------------------------------

# functions of math that raise where those of numpy, as machine code does, give nan or infinity
QUIET: Mapping[object, object] = {
    getattr(math, name): getattr(np, other)
    for name, other in (
        *((name, name) for name in "exp expm1 log log10 log2 log1p sqrt sin cos tan sinh cosh tanh hypot fmod".split()),
        *(("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"), ("atan2", "arctan2"), ("pow", "power"), ("fabs", "fabs")),
        *(("asinh", "arcsinh"), ("acosh", "arccosh"), ("atanh", "arctanh")),
    )
}


def interpreted(value: object, place: FunctionPlace) -> Callable[..., Any]:
    """The function of NumPy values, called once an element; the result is float64. Raises Unusable."""
    function = _quiet(python_function(value))

    def call(*values: Any) -> Any:
        columns = np.broadcast_arrays(*(_as_kind(v, kind) for v, kind in zip(values, place.takes, strict=True)))
        rows = zip(*(column.ravel() for column in columns), strict=True)
        made = np.array([_number(function, place, row) for row in rows], np.float64)
        return made.reshape(columns[0].shape)[()]

    return call


def _quiet(function: FunctionType) -> FunctionType:
    def swap(value: object) -> object:
        if isinstance(value, FunctionType) or hasattr(value, "py_func"):
            return _quiet(python_function(value))
        return QUIET.get(value, value) if isinstance(value, BuiltinFunctionType) else value

    return rebound(function, swap)


def _as_kind(value: Any, kind: Kind) -> Any:
    return np.asarray(value, {Kind.INTEGER: np.int64, Kind.BOOLEAN: np.bool_}.get(kind, np.float64))


def _number(function: FunctionType, place: FunctionPlace, arguments: Sequence[Any]) -> float:
    try:
        with np.errstate(all="ignore"):
            result: Any = function(*arguments)
    except Exception as error:  # whatever a person's function raises
        said = ", ".join(f"{argument:.10g}" for argument in arguments)
        raise CallFailed(f"{place.name}({said}) raised {type(error).__name__}: {error}") from error
    kinds = {Kind.INTEGER: (int, np.integer, np.bool_), Kind.BOOLEAN: (bool, np.bool_)}
    if not isinstance(result, kinds.get(place.gives, (int, float, np.integer, np.floating, np.bool_))):
        raise CallFailed(f"{place.name} gave {_what(result)}, where the text declares {GIVES[place.gives]}")
    number: float = float(result)  # type: ignore[arg-type]  # of the kinds above
    return number


GIVES = {Kind.REAL: "a number", Kind.INTEGER: "a whole number", Kind.BOOLEAN: "a truth value"}


# ---- compiled ----------------------------------------------------------------------------------


def compiled(value: object, place: FunctionPlace) -> Any:
    """What numba makes of the function, which kernels call and LLVM puts into them whole. Raises Unusable, with numba's reason."""
    import numba.core.types

    types: Any = numba.core.types  # numba is not typed
    if digest(value) != place.digest:
        raise Unusable("reads something that has changed since the run was set up; give it the changed value as an argument")
    function = python_function(value)
    made, arguments = _jitted(function), argument_types(function, place)
    try:
        made.compile(arguments)
    except Exception as error:  # numba has many kinds of refusal, and all are about what a person wrote
        raise Unusable(f"cannot be compiled: {reason(error)}") from None
    given = types.unliteral(made.overloads[arguments].signature.return_type)
    wanted = {Kind.INTEGER: (types.Integer, types.Boolean), Kind.BOOLEAN: (types.Boolean,)}
    if not isinstance(given, wanted.get(place.gives, (types.Float, types.Integer, types.Boolean))):
        raise Unusable(f"gives {_given(given)}, where the text declares {GIVES[place.gives]}")
    return made


def argument_types(function: FunctionType, place: FunctionPlace) -> tuple[Any, ...]:
    """The numba types of the arguments; those that a call leaves out have their defaults."""
    import numba.core.types

    types: Any = numba.core.types  # numba is not typed
    kinds = {Kind.INTEGER: types.int64, Kind.BOOLEAN: types.boolean}
    left_out = (function.__defaults__ or ())[len(place.takes) - function.__code__.co_argcount :]
    given = (kinds.get(kind, types.float64) for kind in place.takes)
    return (*given, *(types.Omitted(default) for default in left_out if function.__code__.co_argcount > len(place.takes)))


def _jitted(function: FunctionType) -> Any:
    from numba import njit

    from .outside_math import VECTOR_FORMS

    def swap(value: object) -> object:
        if isinstance(value, BuiltinFunctionType | np.ufunc):
            return VECTOR_FORMS.get(value, value)
        if hasattr(value, "py_func") or (isinstance(value, FunctionType) and not value.__module__.startswith("numpy")):
            return _jitted(python_function(value))
        return value

    return njit(rebound(function, swap), error_model="numpy", boundscheck=True)


def _given(given: Any) -> str:
    from numba.core import types

    if isinstance(given, types.NoneType):
        return "nothing (is a `return` missing?)"
    if isinstance(given, types.Optional):
        return "nothing in some cases (is a `return` missing?)"
    names = (
        (types.Complex, "a complex number"),
        (types.Array, "an array"),
        (types.BaseTuple, "a tuple"),
        (types.UnicodeType, "a text"),
    )
    return next((said for kind, said in names if isinstance(given, kind)), str(given))


def reason(error: Exception) -> str:
    """The line of numba's message that says what is wrong."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = (line.strip(" -") for line in plain.splitlines())
    told = [line for line in lines if line and not line.startswith(("Failed in", "This error", "File ", "During:"))]
    return (told[0] if told else type(error).__name__).removesuffix("Raised from None").rstrip(".: ")


def namespace(places: Iterable[FunctionPlace], functions: Mapping[str, object]) -> dict[str, Any]:
    """The compiled functions of a kernel by name. Raises Unusable, whose text begins with the function's name."""
    found = {}
    for place in places:
        try:
            found[place.name] = compiled(functions[place.name], place)
        except Unusable as error:
            raise Unusable(f"{place.name} {error}") from None
    return found
