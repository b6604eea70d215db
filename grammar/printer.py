"""A syntax tree as canonical text, which parses back to an equal tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from . import nodes
from .nodes import Binary, Call, Comparison, Conditional, Expression, Logical, Name, Number, Quantity, Unary
from .unit_table import REFUSED_UNITS, UNITS
from .words import FLAGS

INDENT = "    "


def print_module(module: nodes.Module) -> str:
    """The whole text, models apart by an empty line."""
    return "\n\n".join(print_model(model) for model in module.models) + "\n" if module.models else ""


def print_model(model: nodes.ModelDeclaration) -> str:
    """`model NAME(BASE):` with its docstring and statements, or the statements alone of a bare body."""
    indent = "" if model.bare else INDENT
    base = f"({model.base.id})" if model.base is not None else ""
    lines = [] if model.bare else [f"model {model.name.id}{base}:"]
    lines += _docstring(model.docstring, indent)
    lines += [line for statement in model.statements for line in _statement_lines(statement, indent)]
    return "\n".join(lines)


def print_statement(statement: nodes.Statement) -> str:
    """One statement; the block of an event or step on lines of its own."""
    return "\n".join(_statement_lines(statement, ""))


def _docstring(text: str, indent: str) -> list[str]:
    if not text:
        return []
    quotes = '"""' if '"""' not in text else "'''"
    if quotes in text:  # neither pair can hold it: a comment can
        return [f"{indent}# {line}".rstrip() for line in text.split("\n")]
    lines = text.split("\n")
    body = [f"{indent}{line}" if line and k else line for k, line in enumerate(lines)]
    opening = indent + quotes
    if len(lines) == 1 and not text.endswith(quotes[0]):
        return [f"{opening}{text}{quotes}"]
    return [opening + body[0], *body[1:], indent + quotes]


# ---- statements ---------------------------------------------------------------------------------


def _statement_lines(statement: nodes.Statement, indent: str) -> list[str]:
    comment = f"  # {statement.comment}" if statement.comment else ""
    block = statement.block if isinstance(statement, nodes.Event | nodes.EachStep) else ()
    colon = ":" if block or isinstance(statement, nodes.EachStep) else ""
    head = f"{indent}{_head(statement)}{colon}{comment}"
    return [head, *(line for part in block for line in _statement_lines(part, indent + INDENT))]


def _head(statement: nodes.Statement) -> str:
    """A statement without its block and comment."""
    match statement:
        case nodes.Differential(name=name, factor=None):
            return f"d{name.id}/dt = {_right(statement.expression, statement.unit, statement.flags)}"
        case nodes.Differential(name=name, factor=factor) if factor is not None:
            left = _text(factor, PRODUCT)
            if left[0] in "+-":  # a line that begins with a sign would go on the one above
                left = f"({left})"
            return f"{left}*d{name.id}/dt = {_right(statement.expression, statement.unit, statement.flags)}"
        case nodes.Definition(name=name):
            return f"{name.id} = {_right(statement.expression, statement.unit, statement.flags)}"
        case nodes.Declaration(name=name, unit=unit, flags=flags):
            return f"{name.id} : {print_unit(unit)}{_flags(flags)}"
        case nodes.CallableDeclaration(name=name, arguments=arguments, unit=unit):
            units = statement.units or (None,) * len(arguments)
            named = (f"{a.id} : {print_unit(u)}" if u is not None else a.id for a, u in zip(arguments, units, strict=True))
            return f"{name.id}({', '.join(named)}) : {print_unit(unit)}"
        case nodes.Initial(name=name):
            return f"{name.id}(0) = {_right(statement.expression, statement.unit)}"
        case nodes.FunctionDefinition(name=name, arguments=arguments):
            return f"{name.id}({_names(arguments)}) = {_right(statement.expression, statement.unit)}"
        case nodes.Assignment(target=target, operator=operator, expression=expression):
            return f"{target.id} {operator} {_right(expression, None)}"
    return _keyword_head(statement)


def _keyword_head(statement: nodes.Statement) -> str:
    match statement:
        case nodes.Event(name=name, condition=condition):
            rule = "spike" if name.id == "spike" else f"on {name.id}"
            return f"{rule} when {print_expression(condition)}"
        case nodes.Refractory(expression=expression, condition=condition, holding=holding):
            held = f" holding {_names(holding)}" if holding else ""
            return f"refractory {'while ' + print_expression(expression) if condition else _after_word(expression)}{held}"
        case nodes.EachStep(after_reset=after):
            return "each step after reset" if after else "each step"
        case nodes.Output(expression=expression):
            return f"output {_after_word(expression)}"
        case nodes.Surrogate(name=name, arguments=arguments, of=of):
            settings = ", ".join(f"{key.id}={print_expression(value)}" for key, value in arguments)
            return f"surrogate {name.id}{f'({settings})' if settings else ''}{f' of {print_expression(of)}' if of is not None else ''}"
        case nodes.Method(name=name, order=order):
            return f"method {name.id}{f'({_names(order)})' if order else ''}"
        case nodes.RecommendedStep(expression=expression):
            return f"dt {_after_word(expression)}"
        case nodes.RecommendedDuration(expression=expression):
            return f"duration {_after_word(expression)}"
        case nodes.TimeIn(unit=unit):
            return f"time in {print_unit(unit)}"
        case nodes.Without(name=name):
            return f"without {name.id}"
    raise TypeError(f"no statement: {statement!r}")


def _names(names: Sequence[Name]) -> str:
    return ", ".join(name.id for name in names)


def _flags(flags: Sequence[nodes.Flag]) -> str:
    return f" ({', '.join(flag.text for flag in flags)})" if flags else ""


def _right(expression: Expression, unit: nodes.Unit | None, flags: Sequence[nodes.Flag] = ()) -> str:
    """What stands right of `=`."""
    text = print_expression(expression)
    if unit is not None:
        return f"{text} : {print_unit(unit)}{_flags(flags)}"
    last = text[text.rfind("(") + 1 : -1] if text.endswith(")") else ""
    if not flags and any(word.strip() in FLAGS for word in last.split(",")):
        return f"({text})"  # a last bracket of flag words would be read as flags
    return text + _flags(flags)


def _after_word(expression: Expression) -> str:
    """An expression behind a keyword, which counts as one only before a word, a number, a minus or a bracket."""
    text = print_expression(expression)
    return f"({text})" if text.startswith(("+", "while", "holding")) else text


# ---- units --------------------------------------------------------------------------------------


def print_unit(unit: nodes.Unit) -> str:
    """A unit as it stands behind a colon: `nS/cm^2`, `1/ms`, `1`."""
    text = ""
    for factor in unit.factors:
        sign = "/" if factor.power < 0 else "*" if text else ""
        text += f"{'1' if sign == '/' and not text else ''}{sign}{factor.symbol}{_power(abs(factor.power))}"
    return text or "1"


def _quantity_unit(unit: nodes.Unit) -> str:
    """A unit as it stands behind a number, where it runs on only through `/`."""
    first, *rest = unit.factors
    return f"{first.symbol}{_power(first.power)}" + "".join(f"/{factor.symbol}{_power(-factor.power)}" for factor in rest)


def _power(power: Fraction) -> str:
    if power == 1:
        return ""
    return f"^{power}" if power.denominator == 1 else f"^({power})"


# ---- expressions: each level binds tighter than the one before ----------------------------------

CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)

_LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "^": POWER}
_LEADING_NAME = re.compile(r"\w+(?!\w*\()")


def print_expression(expression: Expression) -> str:
    """An expression with as few brackets as it needs."""
    return _text(expression, CONDITIONAL)


def _text(expression: Expression, level: int) -> str:
    """The expression as it stands where only what binds at least as tightly as `level` needs no brackets."""
    return _bare(expression) if _level(expression) >= level else f"({_bare(expression)})"


def _level(expression: Expression) -> int:
    """How tightly the text of an expression binds."""
    match expression:
        case Unary(operator=operator):
            return NOT if operator == "not" else UNARY
        case Binary(operator=operator):
            return _LEVELS[operator]
        case Comparison():
            return COMPARISON
        case Logical(operator=operator):
            return OR if operator == "or" else AND
        case Conditional():
            return CONDITIONAL
    return ATOM


def _bare(expression: Expression) -> str:
    """The text of an expression without outer brackets."""
    match expression:
        case Name(id=name):
            return name
        case Number(value=value):
            return repr(value)
        case Quantity(value=value, unit=unit):
            return f"{value!r} {_quantity_unit(unit)}"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join([_text(argument, CONDITIONAL) for argument in arguments])})"
        case Unary(operator="not", operand=operand):
            return f"not {_text(operand, NOT)}"
        case Unary(operator=operator, operand=operand):
            return f"{operator}{_text(operand, UNARY)}"
        case Binary():
            return _binary(expression)
        case Comparison(first=first, rest=rest):
            return " ".join([_text(first, SUM), *[f"{sign} {_text(operand, SUM)}" for sign, operand in rest]])
        case Logical(operator=operator, operands=operands):
            return f" {operator} ".join([_text(operand, _level(expression) + 1) for operand in operands])
        case Conditional(then=then, condition=condition, otherwise=otherwise):
            return f"{_text(then, OR)} if {_text(condition, OR)} else {_text(otherwise, CONDITIONAL)}"


def _binary(expression: Binary) -> str:
    operator, left, right = expression.operator, expression.left, expression.right
    if operator == "^":
        below = f"({_text(left, CONDITIONAL)})" if isinstance(left, Quantity) else _text(left, ATOM)
        return f"{below}^{_text(right, UNARY)}"
    level = _LEVELS[operator]
    sign = operator if operator in ("*", "/", "//") else f" {operator} "
    after = _text(right, level + 1)
    if isinstance(right, Quantity) and operator in ("/", "//", "%"):
        after = f"({after})"  # `x/(1.5 nA/mV)`: unbracketed it could be read in two ways
    before = _text(left, level)
    if operator == "/" and _ends_in_quantity(left, level) and _starts_with_unit(after):
        before = f"({before})"  # `(2 ms)/C`: the unit would run on
    return f"{before}{sign}{after}"


def _ends_in_quantity(expression: Expression, level: int) -> bool:
    """Whether the text of a left operand ends in an unbracketed quantity."""
    while _level(expression) >= level:
        match expression:
            case Quantity():
                return True
            case Unary(operand=inner) | Binary(right=inner):
                level = UNARY if isinstance(expression, Unary) or expression.operator == "^" else _LEVELS[expression.operator] + 1
                expression = inner
            case _:
                return False
    return False


def _starts_with_unit(text: str) -> bool:
    name = _LEADING_NAME.match(text)
    return name is not None and (name[0] in UNITS or name[0] in REFUSED_UNITS)
