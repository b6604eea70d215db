"""The forms of a statement told apart on its tree: what stands left of `=` or `:` says which it is."""

from __future__ import annotations

from . import nodes
from . import syntax_mistakes as wrong
from .build import Declared, Equation, Head
from .mistakes import Mistake
from .nodes import Binary, Call, Expression, Name, Number
from .source import Span
from .tokens import RESERVED
from .walks import parts_of

Block = tuple[nodes.Assignment, ...]


def classify(form: Equation | Declared | Head, span: Span, comment: str, block: Block, opens: bool) -> nodes.Statement | Mistake:
    """The statement that a form is, or what is wrong with its left side."""
    match form:
        case Head():
            return _head(form, span, comment, block, opens)
        case Declared():
            return _declared(form, span, comment)
        case Equation():
            return _equation(form, span, comment)
    return wrong.NoStatement(span, False)


def classify_assignment(form: Equation | Declared | Head, span: Span, comment: str) -> nodes.Assignment | Mistake:
    """The assignment of a block that a form is."""
    if isinstance(form, Equation) and form.unit is None and not form.flags and isinstance(form.left, Name):
        return nodes.Assignment(span, comment, form.left, form.assign.value, form.right)
    if isinstance(form, Head):
        return wrong.NotInBlock(span, "a statement of the model")
    if isinstance(form, Declared):
        if (equals := _equals_inside(form.left)) is not None:
            return equals
        return wrong.NotInBlock(form.unit.span, "a unit") if isinstance(form.left, Name) else wrong.LeftSide(form.left.span, True)
    if form.unit is not None:
        return wrong.NotInBlock(form.unit.span, "a unit")
    if form.flags:
        return wrong.NotInBlock(form.flags[0].span, "a flag")
    if _derivative(form.left) is not None:
        return wrong.NotInBlock(form.left.span, "a differential equation")
    return wrong.LeftSide(form.left.span, True)


def _head(form: Head, span: Span, comment: str, block: Block, opens: bool) -> nodes.Statement | Mistake:
    parts = form.parts
    match form.form:
        case "event":
            return nodes.Event(span, comment, parts[0], parts[1], block)
        case "each" if opens:
            return nodes.EachStep(span, comment, parts[0], block)
        case "each":
            return wrong.MissingBlockColon(span)
        case "model":
            return wrong.ModelInside(span) if opens else wrong.MissingBlockColon(span)
    if opens:
        return wrong.NotInBlock(span, "a block")
    if (crossing := _crossing(*(part for part in parts if isinstance(part, Expression)))) is not None:
        return crossing
    match form.form:
        case "refractory":
            return nodes.Refractory(span, comment, *parts)
        case "output":
            return nodes.Output(span, comment, *parts)
        case "surrogate":
            return nodes.Surrogate(span, comment, *parts)
        case "method":
            return nodes.Method(span, comment, *parts)
        case "dt":
            return nodes.RecommendedStep(span, comment, *parts)
        case "duration":
            return nodes.RecommendedDuration(span, comment, *parts)
        case "time":
            return nodes.TimeIn(span, comment, *parts)
    return nodes.Without(span, comment, *parts)


def _declared(form: Declared, span: Span, comment: str) -> nodes.Statement | Mistake:
    left = form.left
    if isinstance(left, Name):
        return nodes.Declaration(span, comment, left, form.unit, form.flags)
    if (equals := _equals_inside(left)) is not None:
        return equals
    if isinstance(left, Call) and left.arguments and not form.flags and all(isinstance(a, Name) for a in left.arguments):
        return nodes.CallableDeclaration(span, comment, Name(left.name_span, left.function), _names(left), form.unit, left.units)
    if (head := leading_derivative(left)) is not None:
        text = head.text
        return wrong.MissingAssignment(
            head if left.span.stop == head.stop else Span(head.source, head.start, left.span.stop), text
        )
    return wrong.NoStatement(left.span, False)


def _equation(form: Equation, span: Span, comment: str) -> nodes.Statement | Mistake:
    if form.assign.value != "=":
        return wrong.BlockOperator(form.assign.span, form.assign.value)
    if (crossing := _crossing(form.left, form.right)) is not None:
        return crossing
    left = form.left
    if isinstance(left, Name):
        return nodes.Definition(span, comment, left, form.right, form.unit, form.flags)
    if (derivative := _derivative(left)) is not None:
        factor, name = derivative
        return nodes.Differential(span, comment, name, factor, form.right, form.unit, form.flags)
    if isinstance(left, Call) and (made := _called(form, left, span, comment)) is not None:
        return made
    if (head := leading_derivative(left)) is not None:
        return wrong.FactorPlace(left.span, head.text)
    meant = _meant_derivative(left)
    taken = next((word for word in RESERVED if meant == f"d{word}/dt"), None)
    return wrong.LeftSide(left.span, False, None if taken else meant, taken)


def _meant_derivative(left: Expression) -> str | None:
    """`dv/dt` for `dv/d`, `dv/t`, `dv/dT`, `v/dt`, `d(v)/dt`, `Dv/Dt`, `dv(t)/dt`."""
    match left:
        case Binary(operator="/", left=Name(id=top), right=Name(id=below)):
            if top.startswith("d") and len(top) > 1 and below.lower() in ("d", "t", "dt", "ddt"):
                return f"{top}/dt"
            if top[0] == "D" and len(top) > 1 and below == "Dt":
                return f"d{top[1:]}/dt"
            return f"d{top}/dt" if below == "dt" else None
        case Binary(operator="/", left=Call(function=top, arguments=(Name(id="t"),)), right=Name(id="dt")) if top.startswith("d"):
            return f"{top}/dt"
        case Binary(operator="/", left=Call(function="d", arguments=(Name(id=top),)), right=Name(id="dt")):
            return f"d{top}/dt"
    return None


def _called(form: Equation, left: Call, span: Span, comment: str) -> nodes.Statement | Mistake | None:
    """`x(0) = ...` and `f(a, b) = ...`."""
    name = Name(left.name_span, left.function)
    if form.flags:
        return wrong.NotInBlock(form.flags[0].span, "a flag")
    if len(left.arguments) == 1 and isinstance(left.arguments[0], Number) and left.arguments[0].value == 0:
        return nodes.Initial(span, comment, name, form.right, form.unit)
    if left.arguments and all(isinstance(argument, Name) for argument in left.arguments):
        return nodes.FunctionDefinition(span, comment, name, _names(left), form.right, form.unit)
    return None


def _names(call: Call) -> tuple[Name, ...]:
    return tuple(argument for argument in call.arguments if isinstance(argument, Name))


def _derivative(left: Expression) -> tuple[Expression | None, Name] | None:
    """Factor and name of `dv/dt`, `tau*dv/dt`, `tau*(dv/dt)`."""
    match left:
        case Binary(operator="/", left=Name() as top, right=Name(id="dt")):
            name = _state(top)
            return None if name is None else (None, name)
        case Binary(operator="/", left=Binary(operator="*", left=factor, right=Name() as top), right=Name(id="dt")):
            name = _state(top)
            return None if name is None else (factor, name)
        case Binary(operator="*", left=factor, right=Binary(operator="/", left=Name() as top, right=Name(id="dt"))):
            name = _state(top)
            return None if name is None else (factor, name)
    return None


def _state(top: Name) -> Name | None:
    """`v` of `dv`; its span leaves the `d` out."""
    if len(top.id) < 2 or not top.id.startswith("d") or not top.id[1:].isidentifier() or top.id[1:] in RESERVED:
        return None
    start = top.span.start + 1
    while start < top.span.stop and top.span.source.text[start].isspace():
        start += 1
    return Name(Span(top.span.source, start, top.span.stop), top.id[1:])


def leading_derivative(expression: Expression) -> Span | None:
    """The span of a `dv/dt` that stands somewhere in what should be a left side."""
    for part in parts_of(expression):
        if not isinstance(part, Binary) or part.operator != "/":
            continue
        below = part.right if isinstance(part.right, Name) else None
        if isinstance(part.right, Call):  # `dv/dt (E - v)`: the `=` is missing
            below = Name(part.right.name_span, part.right.function)
        top = part.left.right if isinstance(part.left, Binary) else part.left
        if below is not None and below.id == "dt" and isinstance(top, Name) and _state(top) is not None:
            return top.span.to(below.span)
    return None


def _equals_inside(expression: Expression) -> Mistake | None:
    """`dv/dt == -v/tau : 1`: a comparison where an equation was meant."""
    if not isinstance(expression, nodes.Comparison) or expression.rest[0][0] != "==":
        return None
    source = expression.span.source
    start = source.text.find("==", expression.first.span.stop, expression.rest[0][1].span.start)
    return wrong.ComparisonForAssignment(Span(source, start, start + 2)) if start >= 0 else None


def _crossing(*expressions: Expression) -> Mistake | None:
    for expression in expressions:
        for part in parts_of(expression):
            if isinstance(part, nodes.Comparison) and any(operator == "crosses" for operator, _ in part.rest):
                return wrong.CrossesOutsideEvent(part.span)
    return None


def misplaced_unit(*expressions: Expression) -> nodes.Unit | None:
    """The unit of an argument, `f(v : mV)`, which has a meaning only where `f` is declared."""
    for expression in expressions:
        for part in parts_of(expression):
            if isinstance(part, Call) and any(part.units):
                return next(unit for unit in part.units if unit is not None)
    return None
