"""Kernel expressions to Python `ast`, by one lookup table: operation -> how it is spelled."""

from __future__ import annotations

import ast
import builtins
import keyword
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from .kernel import Assign, Constant, Draw, Expr, Kind, Operation, Symbol, kind_of

# ---- names -------------------------------------------------------------------------------------


@dataclass
class Spelling:
    """Gives every name of a kernel a safe Python identifier of its own; the same names in the same order get the same ones."""

    taken: set[str] = field(default_factory=lambda: {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)})
    given: dict[str, str] = field(default_factory=dict)

    def reserve(self, names: Iterable[str]) -> None:
        self.taken.update(names)

    def __call__(self, name: str) -> str:
        if name not in self.given:
            safe = "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"_{ord(c):x}_" for c in name.lstrip("@"))
            safe = safe if safe[:1].isalpha() else f"x{safe}"
            spelled, count = safe, 1
            while spelled in self.taken:
                count += 1
                spelled = f"{safe}_{count}"
            self.taken.add(spelled)
            self.given[name] = spelled
        return self.given[name]


# ---- small ast builders ------------------------------------------------------------------------


def name(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Load())


def number(value: float | int | bool) -> ast.expr:
    return name("nan") if isinstance(value, float) and math.isnan(value) else ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(name(function), list(arguments), [])


def assign(target: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(target, ast.Store())], value)


# ---- templates ---------------------------------------------------------------------------------


class _Fill(ast.NodeTransformer):
    """Puts statements where a template has a name in capitals, and expressions for its constants."""

    def __init__(self, statements: Mapping[str, list[ast.stmt]], constants: Mapping[str, ast.expr]) -> None:
        self.statements = statements
        self.constants = constants

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        if isinstance(node.value, ast.Name) and node.value.id in self.statements:
            return self.statements[node.value.id]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.constants.get(node.id, node)


def filled(template: str, statements: Mapping[str, list[ast.stmt]], **constants: ast.expr | int) -> list[ast.stmt]:
    """A template with its names in capitals replaced: by statements where one stands alone on a line, else by expressions."""
    nodes = {key: number(value) if isinstance(value, int) else value for key, value in constants.items()}
    module: ast.Module = _Fill(statements, nodes).visit(ast.parse(template))
    return module.body


# ---- expressions -------------------------------------------------------------------------------


@dataclass
class Scope:
    """What an expression needs to be spelled: names, their kinds, the precision; it collects the functions that are called."""

    spelling: Spelling
    kinds: dict[str, Kind]
    precision: str  # "float64" or "float32"
    functions: Mapping[tuple[str, str], str]  # (operation, precision) -> name of a function of vector_math
    called: set[str] = field(default_factory=set)  # of those, the ones that the text calls
    outside: Mapping[str, tuple[Kind, ...]] = field(default_factory=dict)  # functions from outside, and what they take

    def inside(self, own: Iterable[str]) -> Self:
        """A scope for statements beside the others, whose `own` names may be taken again with another meaning."""
        given = {key: spelled for key, spelled in self.spelling.given.items() if key not in own}
        return replace(self, spelling=Spelling(self.spelling.taken, given), kinds=dict(self.kinds))

    def kind(self, expression: Expr) -> Kind:
        return kind_of(expression, self.kinds)

    def emit(self, expression: Expr, beside: Kind = Kind.REAL) -> ast.expr:
        """`beside`: DOUBLE where a REAL constant stands beside a float64 value."""
        match expression:
            case Constant(float() as value) if self.precision == "float32" and beside is not Kind.DOUBLE:
                return call("real", number(value))
            case Constant(value):
                return number(value)
            case Symbol(symbol):
                return name(self.spelling(symbol))
            case Operation(operation, arguments):
                return self._operation(operation, arguments)
        raise TypeError(expression)

    def _operation(self, operation: str, arguments: tuple[Expr, ...]) -> ast.expr:
        if operation in ("element", "rows", "columns"):
            return self._of_series(operation, *arguments)
        if operation == "call":
            return self._from_outside(*arguments)
        kinds = [self.kind(argument) for argument in arguments[operation == "where" :]]
        beside = Kind.DOUBLE if Kind.DOUBLE in kinds else kinds[0]
        if (operation, self.precision) in self.functions and beside in (Kind.REAL, Kind.DOUBLE):
            function = self.functions[operation, "float64" if beside is Kind.DOUBLE else self.precision]
            self.called.add(function)
            return call(function, *[self._alike(argument, beside) for argument in arguments])
        return NODES[operation](*[self.emit(argument, beside) for argument in arguments])

    def _of_series(self, operation: str, series: Expr, *indices: Expr) -> ast.expr:
        assert isinstance(series, Symbol)
        rows, columns = (name(self.spelling(extent)) for extent in extents(series.name))
        if operation != "element":
            return rows if operation == "rows" else columns
        row, column = (self.emit(index) for index in indices)
        return self.element(name(self.spelling(series.name)), row, column, columns)

    def element(self, series: ast.expr, row: ast.expr, column: ast.expr, columns: ast.expr) -> ast.expr:
        """An element of a series, which is stored row by row."""
        return call("get", series, ast.BinOp(ast.BinOp(row, ast.Mult(), columns), ast.Add(), column))

    def _from_outside(self, function: Expr, *arguments: Expr) -> ast.expr:
        """Numbers go in as float64, and the result is rounded to the working precision."""
        assert isinstance(function, Symbol)
        takes = (Kind.DOUBLE if kind is Kind.REAL else kind for kind in self.outside[function.name])
        made = [self.converted(argument, kind) for argument, kind in zip(arguments, takes, strict=True)]
        return call("real", call(self.spelling(function.name), *made))

    def _alike(self, argument: Expr, beside: Kind) -> ast.expr:
        """An argument of a function: all have the one kind that it takes."""
        if isinstance(argument, Constant):
            value = float(argument.value)
            return call("real", number(value)) if self.precision == "float32" and beside is Kind.REAL else number(value)
        return self.converted(argument, beside)

    def converted(self, expression: Expr, kind: Kind) -> ast.expr:
        """The expression as a value of that kind."""
        given, node = self.kind(expression), self.emit(expression, kind)
        if isinstance(expression, Constant) and given is Kind.REAL and kind is Kind.DOUBLE:
            return node
        same = given is kind or (self.precision == "float64" and {given, kind} == {Kind.REAL, Kind.DOUBLE})
        return node if same else CONVERT[kind](node)

    def assign(self, statement: Assign) -> ast.stmt:
        node = self.converted(statement.expression, statement.kind)
        self.kinds[statement.name] = statement.kind
        return assign(self.spelling(statement.name), node)

    def draw(self, statement: Draw) -> ast.stmt:
        """A draw of neuron @i; the function of the distribution has the name `uniform_f64` and so on."""
        function = f"{statement.distribution}_{'f64' if self.precision == 'float64' else 'f32'}"
        self.called.add(function)
        arguments = [name(self.spelling("@i")), name(self.spelling("@step")), number(statement.stream), name("k0"), name("k1")]
        if statement.mean is not None:
            arguments.append(self.converted(statement.mean, Kind.REAL))
        self.kinds[statement.name] = Kind.REAL
        return assign(self.spelling(statement.name), call(function, *arguments))


CONVERT: Mapping[Kind, Callable[[ast.expr], ast.expr]] = {
    Kind.REAL: lambda x: call("real", x),
    Kind.DOUBLE: lambda x: call("double", x),
    Kind.INTEGER: lambda x: call("integer", x),
    Kind.BOOLEAN: lambda x: ast.Compare(x, [ast.NotEq()], [ast.Constant(0)]),
}

Node = Callable[..., ast.expr]


def _chain(operator: ast.operator) -> Node:
    def node(first: ast.expr, *rest: ast.expr) -> ast.expr:
        for argument in rest:
            first = ast.BinOp(first, operator, argument)
        return first

    return node


def _compare(operator: ast.cmpop) -> Node:
    return lambda a, b: ast.Compare(a, [operator], [b])


def _called(function: str) -> Node:
    return lambda *arguments: call(function, *arguments)


NODES: Mapping[str, Node] = {
    "add": _chain(ast.Add()),
    "multiply": _chain(ast.Mult()),
    "subtract": _chain(ast.Sub()),
    "divide": _chain(ast.Div()),
    "negate": lambda x: ast.UnaryOp(ast.USub(), x),
    "floor_divide": _chain(ast.FloorDiv()),  # of integers; of reals it is a function
    "modulo": _chain(ast.Mod()),
    "shift_right": _chain(ast.RShift()),
    "absolute": _called("abs"),
    "sign": _called("sign"),
    "minimum": _called("minimum"),
    "maximum": _called("maximum"),
    "below": _called("below"),
    "less": _compare(ast.Lt()),
    "less_equal": _compare(ast.LtE()),
    "greater": _compare(ast.Gt()),
    "greater_equal": _compare(ast.GtE()),
    "equal": _compare(ast.Eq()),
    "not_equal": _compare(ast.NotEq()),
    "is_finite": lambda x: ast.Compare(call("abs", x), [ast.Lt()], [name("inf")]),
    "and": _chain(ast.BitAnd()),
    "or": _chain(ast.BitOr()),
    "not": lambda x: ast.UnaryOp(ast.Not(), x),
    "where": _called("select"),
    "to_real": CONVERT[Kind.REAL],
    "to_double": CONVERT[Kind.DOUBLE],
    "to_integer": CONVERT[Kind.INTEGER],
    "to_boolean": CONVERT[Kind.BOOLEAN],
}


def extents(series: str) -> tuple[str, str]:
    """The names, made by the compiler, of the numbers of rows and columns of a series."""
    return f"@@rows_{series}", f"@@columns_{series}"
