"""What a person probably meant where units do not fit."""

from __future__ import annotations

import re
from fractions import Fraction

from ..backends.kernel import Constant, Symbol
from ..grammar.unit_table import USUAL
from .dimensions import times
from .scope import Role, Scope, Value
from .unit_mistakes import Hint
from .units import ONE, TIME, Dimension, coherent_text, describe, unit_of_symbol, usual_unit, written_with

NUMBER = re.compile(r"[-+]?\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
QUANTITY = re.compile(r"(?P<number>-?\s*[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*\*?\s*[^\W\d][\w^/]*")  # `-50 ms`, `5mV`, `20*nS`
ROOT_OF_TIME = TIME ** Fraction(1, 2)
COMMON = frozenset(symbol for symbol in USUAL if len(symbol) == 2)  # units that nobody takes for a parameter: mV, ms, nA


def for_value(value: Value, found: Dimension | None, wanted: Dimension | None, scope: Scope) -> Hint:
    """A hint for a value of dimension `found` where `wanted` was needed."""
    if found is None or wanted is None:
        return Hint()
    if value.noise is not None and found / wanted == ROOT_OF_TIME:
        tau = scope.parameters.get(TIME, "tau")
        return Hint(
            f"white noise is per square root of time: for a standard deviation `sigma` write `sigma*sqrt(2/{tau})*{value.noise}`",
            None,
            2,
        )
    if found.is_one and NUMBER.fullmatch(value.span.text.strip()):
        text = written_with(value.span.text.strip(), usual_unit(wanted))
        return Hint(f"did you mean `{text}`?", text, 2)
    quantity = QUANTITY.fullmatch(value.span.text.strip()) if isinstance(value.expression, Constant) else None
    if quantity is not None and not wanted.is_one:
        return Hint(f"did you mean `{written_with(quantity['number'], usual_unit(wanted))}`?", None, 1)
    forgotten = unit_taken_for_name(value, scope)
    if forgotten is not None:
        return Hint(forgotten, None, 1)
    bare = parameter_without_unit(value, found, wanted, scope)
    if bare is not None:
        return Hint(bare, None, 2)
    fewer = without_a_factor(value, wanted, scope)
    if fewer is not None:
        return Hint(f"did you mean `{fewer}` instead of `{value.span.text.strip()}`?", fewer, 1)
    return by_ratio(value, found, wanted, scope)


def for_change(value: Value, ratio: Dimension | None, scope: Scope) -> Hint:
    """The same where only the ratio to what is needed is known: `dx/dt = -x/5` for a time constant without its unit."""
    if ratio != TIME:
        return Hint()
    number = next((part for part, sign in value.parts if sign < 0 and NUMBER.fullmatch(part.span.text.strip())), None)
    if number is not None:
        return Hint(f"did you mean `{written_with(number.span.text.strip(), usual_unit(TIME))}`?", None, 1)
    bare = parameter_without_unit(value, TIME, ONE, scope)
    return Hint(bare, None, 1) if bare is not None else by_ratio(value, TIME, ONE, scope)


def power_meant(first: Value, second: Value) -> Hint | None:
    """`10 ms-1`, where the sign belongs to a power of the unit."""
    text = first.span.source.text[first.span.start : second.span.stop]
    unit, sign, power = text.rpartition("-")
    if not sign or power not in ("1", "2", "3") or not QUANTITY.fullmatch(unit):
        return None
    return Hint(f"did you mean `{unit}^-{power}`?", f"{unit}^-{power}", 3)


def without_a_factor(value: Value, wanted: Dimension, scope: Scope) -> str | None:
    """The product with one factor left out, where that has the dimension that is wanted."""
    if len(value.parts) < 2:
        return None
    for place, (part, sign) in enumerate(value.parts):
        left = [other for k, other in enumerate(value.parts) if k != place]
        number = scope.solution.dimension(part.form) == ONE
        if scope.solution.dimension(times(value.form, part.form, -sign)) == wanted and left[0][1] > 0 and not number:
            first, *others = left
            return first[0].span.text + "".join(("*" if power > 0 else "/") + other.span.text for other, power in others)
    return None


def parameter_without_unit(value: Value, found: Dimension, wanted: Dimension, scope: Scope) -> str | None:
    """A parameter that was given as a plain number where its unit would make all right: `tau = 20` for `tau = 20 ms`."""
    for part, sign in value.parts or ((value, 1),):
        entry = scope.entries.get(part.expression.name) if isinstance(part.expression, Symbol) else None
        if entry is None or entry.value is None or not is_plain_parameter(part, scope):
            continue
        unit = usual_unit(wanted / found if sign > 0 else found / wanted)
        meant = written_with(entry.value.span.text.strip(), unit)
        return f"`{entry.name}` is a plain number: did you mean `{entry.name} = {meant}`?"
    return None


def is_plain_parameter(value: Value, scope: Scope) -> bool:
    """Whether a value is a parameter whose default is a number without a unit, which was perhaps forgotten: `E_e = 0`."""
    entry = scope.entries.get(value.expression.name) if isinstance(value.expression, Symbol) else None
    if entry is None or entry.role is not Role.PARAMETER or entry.value is None:
        return False
    return NUMBER.fullmatch(entry.value.span.text.strip()) is not None


def has_plain_factor(value: Value, scope: Scope) -> bool:
    """Whether a factor of a value is a parameter whose unit was perhaps forgotten."""
    return any(is_plain_parameter(part, scope) for part, _ in value.parts or ((value, 1),))


def unit_taken_for_name(value: Value, scope: Scope) -> str | None:
    """A word that was read as a unit because nothing defines it: often a forgotten parameter."""
    for part, _ in value.parts or ((value, 1),):
        word = part.span.text.strip()
        plain = word.isidentifier() and len(word) <= 2 and word not in COMMON
        if plain and word not in scope.entries and unit_of_symbol(word) is not None:
            return f"`{word}` is read as a unit here, since nothing defines it; if it is a parameter, write `{word} = ...`"
    return None


def by_ratio(value: Value, found: Dimension, wanted: Dimension, scope: Scope) -> Hint:
    """What would have to be multiplied or divided by."""
    text = value.span.text.strip()
    text = text if text.isidentifier() or (text.startswith("(") and text.endswith(")")) else f"({text})"
    text = text if len(text) <= 40 and "\n" not in text else "(...)"
    if found == wanted * TIME:
        return Hint(f"divide by a time constant: `{text}/{scope.parameters.get(TIME, 'tau')}`", None, 1)
    ratio = wanted / found
    for sign, dimension in (("*", ratio), ("/", ONE / ratio)):
        if dimension in scope.parameters and not dimension.is_one and found != ONE:
            return Hint(f"did you mean `{text}{sign}{scope.parameters[dimension]}`?", None, 1)
    if found == ONE:
        return Hint(f"give it a unit: `{text} * (1 {usual_unit(wanted).text})`")
    if wanted == ONE:
        return Hint(f"divide it by a quantity in {coherent_text(found)}")
    return Hint(f"it lacks a factor that is {describe(ratio)}: look for a missing or a wrong name")
