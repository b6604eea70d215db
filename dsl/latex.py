"""A model's equations as LaTeX, from its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Container

from ..grammar.nodes import (
    Assignment,
    Binary,
    Call,
    Comparison,
    Conditional,
    Definition,
    Differential,
    EachStep,
    Event,
    Expression,
    FunctionDefinition,
    Logical,
    ModelDeclaration,
    Name,
    Number,
    Output,
    Quantity,
    Refractory,
    Unary,
    Unit,
)

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega"
    " Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne", "crosses": r"\text{ crosses }"}
FUNCTIONS = frozenset("exp log sin cos tan sinh cosh tanh min max".split())

# how tightly a form binds: what binds less than its place asks for stands in brackets
CONDITION, OR, AND, NOT, RELATION, SUM, PRODUCT, SIGN, POWER, ATOM = range(10)


def latex_of(model: ModelDeclaration, derived: Container[str]) -> str:
    """The equations and events of a model as one `aligned` environment; of the definitions, those whose names are in `derived`."""
    rows: list[str] = []
    for statement in model.statements:
        match statement:
            case Differential(name=name, factor=factor, expression=expression):
                left = "" if factor is None else expression_of(factor, PRODUCT) + r" \, "
                rows.append(rf"{left}\frac{{d{symbol(name.id)}}}{{dt}} &= {expression_of(expression)}")
            case Definition(name=name, expression=expression) if name.id in derived:
                rows.append(f"{symbol(name.id)} &= {expression_of(expression)}")
            case Event(name=name, condition=condition, block=block):
                title = "spike" if name.id == "spike" else rf"{_plain(name.id)}"
                rows.append(rf"\text{{{title} when }} & {expression_of(condition)}{_assignments(block)}")
            case Refractory(expression=expression, condition=condition):
                title = "refractory while" if condition else "refractory"
                rows.append(rf"\text{{{title} }} & {expression_of(expression)}")
            case Output(expression=expression):
                rows.append(rf"\text{{output }} & {expression_of(expression)}")
            case FunctionDefinition(name=name, arguments=arguments, expression=expression):
                taken = ", ".join(symbol(argument.id) for argument in arguments)
                rows.append(rf"{symbol(name.id)}\left({taken}\right) &= {expression_of(expression)}")
            case EachStep(after_reset=after, block=block):
                rows.append(rf"\text{{each step{' after reset' if after else ''} }} &{_assignments(block)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _assignments(block: tuple[Assignment, ...]) -> str:
    return "".join(rf" \\ & \quad {_assignment(line)}" for line in block)


def _assignment(line: Assignment) -> str:
    name = symbol(line.target.id)
    operator = line.operator.removesuffix("=")
    if not operator:
        return rf"{name} \leftarrow {expression_of(line.expression)}"
    written_out = Binary(line.span, "^" if operator == "**" else operator, line.target, line.expression)
    return rf"{name} \leftarrow {expression_of(written_out)}"


def expression_of(expression: Expression, place: int = CONDITION) -> str:
    """One expression, in brackets where it binds less tightly than `place`."""
    text, tightness = _form(expression)
    return text if tightness >= place else rf"\left({text}\right)"


def _form(expression: Expression) -> tuple[str, int]:
    match expression:
        case Number(value=value):
            return _number(value), ATOM if "10^" not in _number(value) else PRODUCT
        case Quantity(value=value, unit=unit):
            return rf"{_number(value)}\,{unit_of(unit)}", SIGN
        case Name(id=name):
            return symbol(name), ATOM
        case Unary(operator="not", operand=operand):
            return rf"\lnot {expression_of(operand, NOT)}", NOT
        case Unary(operator=operator, operand=operand):
            return operator + expression_of(operand, SIGN), SIGN
        case Binary():
            return _binary(expression)
        case Comparison(first=first, rest=rest):
            parts = [expression_of(first, SUM), *(f"{RELATIONS[sign]} {expression_of(right, SUM)}" for sign, right in rest)]
            return " ".join(parts), RELATION
        case Logical(operator=operator, operands=operands):
            sign, tightness = (r" \land ", AND) if operator == "and" else (r" \lor ", OR)
            return sign.join(expression_of(operand, tightness + 1) for operand in operands), tightness
        case Conditional(then=then, condition=condition, otherwise=otherwise):
            above = rf"{expression_of(then)} & \text{{if }} {expression_of(condition)}"
            return rf"\begin{{cases}} {above} \\ {expression_of(otherwise)} & \text{{otherwise}} \end{{cases}}", ATOM
        case Call():
            return _call(expression), ATOM
    raise TypeError(expression)


def _binary(expression: Binary) -> tuple[str, int]:
    left, right = expression.left, expression.right
    match expression.operator:
        case "+" | "-" as sign:
            return f"{expression_of(left, SUM)} {sign} {expression_of(right, SUM if sign == '+' else PRODUCT)}", SUM
        case "*":
            dot = r" \cdot " if isinstance(right, Number | Quantity) else r" \, "
            return expression_of(left, PRODUCT) + dot + expression_of(right, PRODUCT), PRODUCT
        case "/":
            return rf"\frac{{{expression_of(left)}}}{{{expression_of(right)}}}", PRODUCT
        case "^":
            return rf"{expression_of(left, ATOM)}^{{{expression_of(right)}}}", POWER
        case "//":
            return rf"\left\lfloor \frac{{{expression_of(left)}}}{{{expression_of(right)}}} \right\rfloor", ATOM
    return rf"{expression_of(left, PRODUCT)} \bmod {expression_of(right, SIGN)}", PRODUCT


def _call(call: Call) -> str:
    arguments = [expression_of(argument) for argument in call.arguments]
    match call.function, arguments:
        case "sqrt", [inner]:
            return rf"\sqrt{{{inner}}}"
        case "abs", [inner]:
            return rf"\left|{inner}\right|"
        case "floor", [inner]:
            return rf"\left\lfloor {inner} \right\rfloor"
    name = "\\" + call.function if call.function in FUNCTIONS else symbol(call.function)
    return rf"{name}\left({', '.join(arguments)}\right)"


def symbol(name: str) -> str:
    """A name as mathematics: `tau_m` is a tau with an m below, `I1` an I with a 1, `v_rest` a v with an upright word."""
    base, _, below = name.partition("_")
    numbered = re.fullmatch(r"(\D+?)(\d+)", base)
    if numbered and not below:
        base, below = numbered.groups()
    letters = _letters(base) if base else ""
    return rf"{letters}_{{{', '.join(_letters(part) for part in below.split('_') if part)}}}" if below.strip("_") else letters


def _letters(word: str) -> str:
    if word in GREEK:
        return "\\" + word
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{_plain(word)}}}"


def _plain(text: str) -> str:
    return text.replace("_", r"\_")


def _number(value: int | float) -> str:
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text.removesuffix(".0")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa in ("1", "1.0") else rf"{mantissa.removesuffix('.0')} \cdot {power}"


def unit_of(unit: Unit) -> str:
    """A unit in upright letters; powers below the line are written as negative powers."""
    parts = []
    for factor in unit.factors:
        power = "" if factor.power == 1 else f"^{{{factor.power}}}"
        parts.append(
            rf"\mathrm{{{factor.symbol.replace('u', 'µ', 1) if re.match('u[A-Z]', factor.symbol) else factor.symbol}}}{power}"
        )
    return r"\,".join(parts)
