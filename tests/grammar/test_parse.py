"""Every form of statement and expression of the language, and where its limits are."""

from __future__ import annotations

import operator
import sys
from fractions import Fraction

import pytest

from dvdt.grammar import nodes
from dvdt.grammar.nodes import Binary, Call, Comparison, Conditional, Logical, Name, Number, Quantity, Unary, UnitFactor
from dvdt.grammar.parse import parse, parse_block, parse_expression, parse_unit
from dvdt.grammar.printer import print_module
from dvdt.grammar.source import Source, Span
from dvdt.grammar.walks import depth_of

from .corpus import SHARED, needs_design

HERE = Span(Source(""), 0, 0)


def statements(text: str) -> tuple[nodes.Statement, ...]:
    parsed = parse(Source(text))
    assert parsed.mistakes == ()
    return tuple(statement for model in parsed.module.models for statement in model.statements)


def expression(text: str) -> nodes.Expression:
    found, mistakes = parse_expression(Source(text))
    assert mistakes == ()
    assert found is not None
    return found


def name(text: str) -> Name:
    return Name(HERE, text)


def number(value: float) -> Number:
    return Number(HERE, value)


def unit(*factors: tuple[str, int | Fraction]) -> nodes.Unit:
    return nodes.Unit(HERE, tuple(UnitFactor(HERE, symbol, Fraction(power)) for symbol, power in factors))


def quantity(value: float, *factors: tuple[str, int]) -> Quantity:
    return Quantity(HERE, value, unit(*factors))


def binary(operator: str, left: nodes.Expression, right: nodes.Expression) -> Binary:
    return Binary(HERE, operator, left, right)


v, w, a, b, c = (name(text) for text in "vwabc")


# ---- expressions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("20 ms", quantity(20, ("ms", 1))),
        ("20ms", quantity(20, ("ms", 1))),
        ("-70 mV", Unary(HERE, "-", quantity(70, ("mV", 1)))),
        ("1.5 nA/mV^2", quantity(1.5, ("nA", 1), ("mV", -2))),
        ("36 mS/cm²", quantity(36, ("mS", 1), ("cm", -2))),
        ("10 mV^-1", quantity(10, ("mV", -1))),
        ("10 mV^(-1)", quantity(10, ("mV", -1))),
        ("2 V^(1/2)", Quantity(HERE, 2, unit(("V", Fraction(1, 2))))),
        ("4.mV", quantity(4.0, ("mV", 1))),
        (".5 V", quantity(0.5, ("V", 1))),
        ("2 ms/tau", binary("/", quantity(2, ("ms", 1)), name("tau"))),
        ("(10 nS)/C", binary("/", quantity(10, ("nS", 1)), name("C"))),
        ("10 nS/C", quantity(10, ("nS", 1), ("C", -1))),
        ("1/C", binary("/", number(1), name("C"))),
        ("0.04 /ms/mV", binary("/", binary("/", number(0.04), name("ms")), name("mV"))),
        ("20*ms", binary("*", number(20), name("ms"))),
        ("5 mV*m", binary("*", quantity(5, ("mV", 1)), name("m"))),
        ("5 mV/m(t)", binary("/", quantity(5, ("mV", 1)), Call(HERE, "m", (name("t"),), HERE))),
        ("x / 10 mV", binary("/", name("x"), quantity(10, ("mV", 1)))),
        ("x / (1.5 nA/mV)", binary("/", name("x"), quantity(1.5, ("nA", 1), ("mV", -1)))),
        ("5 µV", quantity(5, ("μV", 1))),
        ("a − b · c × v", binary("-", a, binary("*", binary("*", b, c), v))),
        ("x⁻²", binary("^", name("x"), Unary(HERE, "-", number(2)))),
        ("τₘ", name("τm")),
        ("-a^2", Unary(HERE, "-", binary("^", a, number(2)))),
        ("a^b**c", binary("^", a, binary("^", b, c))),
        ("a^-b", binary("^", a, Unary(HERE, "-", b))),
        ("a - b - c", binary("-", binary("-", a, b), c)),
        ("a/b*c", binary("*", binary("/", a, b), c)),
        ("a // b % c", binary("%", binary("//", a, b), c)),
        ("t % (50 ms)", binary("%", name("t"), quantity(50, ("ms", 1)))),
        ("a < b <= c", Comparison(HERE, a, (("<", b), ("<=", c)))),
        ("v crosses 30 mV", Comparison(HERE, v, (("crosses", quantity(30, ("mV", 1))),))),
        ("crosses + a", binary("+", name("crosses"), a)),
        ("a and b or not c", Logical(HERE, "or", (Logical(HERE, "and", (a, b)), Unary(HERE, "not", c)))),
        ("a and b and c", Logical(HERE, "and", (a, b, c))),
        ("not a == b", Unary(HERE, "not", Comparison(HERE, a, (("==", b),)))),
        ("a if b else c if v else w", Conditional(HERE, a, b, Conditional(HERE, c, v, w))),
        ("2*(v > 0)", binary("*", number(2), Comparison(HERE, v, ((">", number(0)),)))),
        ("rand() < a", Comparison(HERE, Call(HERE, "rand", (), HERE), (("<", a),))),
        ("f(a, b + c)", Call(HERE, "f", (a, binary("+", b, c)), HERE)),
        (
            "E*I*S*N*O*Q",
            binary(
                "*",
                binary("*", binary("*", binary("*", binary("*", *map(name, "EI")), name("S")), name("N")), name("O")),
                name("Q"),
            ),
        ),
        ("True", name("True")),
        ("1e-3", number(1e-3)),
        ("4.", number(4.0)),
    ],
)
def test_expression(text, tree):
    assert expression(text) == tree


def test_whole_numbers_stay_whole():
    assert type(expression("2").value) is int  # type: ignore[union-attr]
    assert type(expression("2.").value) is float  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mV", unit(("mV", 1))),
        ("1", unit()),
        ("1/ms", unit(("ms", -1))),
        ("(1/metre)", unit(("metre", -1))),
        ("nS/cm^2", unit(("nS", 1), ("cm", -2))),
        ("siemens*meter**-2", unit(("siemens", 1), ("meter", -2))),
        ("second**-1", unit(("second", -1))),
        ("1/(ms*mV)", unit(("ms", -1), ("mV", -1))),
        ("(V/s)^2", unit(("V", 2), ("s", -2))),
        ("uA/cm²", unit(("uA", 1), ("cm", -2))),
        ("boolean", unit(("boolean", 1))),
    ],
)
def test_unit(text, wanted):
    assert parse_unit(Source(text)) == (wanted, ())


def test_spans_point_at_the_text():
    text = "dv/dt = (g_L*(E_L - v) - w + I*R) / C"
    (equation,) = statements(text)
    assert isinstance(equation, nodes.Differential)
    assert equation.name.span.text == "v"
    whole = equation.expression
    assert whole.span.text == "(g_L*(E_L - v) - w + I*R) / C"
    assert isinstance(whole, Binary)
    added = whole.left
    assert isinstance(added, Binary)
    assert added.span.text == "(g_L*(E_L - v) - w + I*R)"
    assert added.right.span.text == "I*R"
    assert added.left.span.text == "g_L*(E_L - v) - w"


# ---- statements ---------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["tau*dv/dt", "tau * d v / dt", "(tau)*dv/dt", "tau*(dv/dt)"])
def test_factor_before_a_derivative(left):
    (found,) = statements(f"{left} = -v : mV (unless refractory, constant over dt)")
    assert isinstance(found, nodes.Differential)
    assert (found.name, found.factor) == (v, name("tau"))
    assert [flag.text for flag in found.flags] == ["unless refractory", "constant over dt"]


@pytest.mark.parametrize("left", ["dv/dt", "dv / dt", "d v/dt", "d v / dt"])
def test_derivative(left):
    (found,) = statements(f"{left} = -v/tau")
    assert isinstance(found, nodes.Differential)
    assert (found.name, found.factor, found.unit) == (v, None, None)


def test_factor_may_be_a_call():
    (found,) = statements("tau_n(v)*dn/dt = n_inf(v) - n")
    assert isinstance(found, nodes.Differential)
    assert found.factor == Call(HERE, "tau_n", (v,), HERE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x = 2 mV", nodes.Definition),
        ("dx = 2", nodes.Definition),
        ("dt_spike = 2", nodes.Definition),
        ("V_T = -50 mV + 2 mV*randn() (constant)", nodes.Definition),
        ("x = f (constant)", nodes.Definition),
        ("x : volt (shared, constant)", nodes.Declaration),
        ("x : 1 (event-driven)", nodes.Declaration),
        ("x : boolean", nodes.Declaration),
        ("I(t, i) : amp", nodes.CallableDeclaration),
        ("v(0) = E_L", nodes.Initial),
        ("v(0) = -70 mV : mV", nodes.Initial),
        ("alpha(v) = 1/(1 + exp(-v/(5 mV)))", nodes.FunctionDefinition),
        ("spike when v > V_t", nodes.Event),
        ("spike when v crosses V_t", nodes.Event),
        ("on burst when w > 2: w = 0", nodes.Event),
        ("refractory 2 ms", nodes.Refractory),
        ("refractory 2 ms holding v, w", nodes.Refractory),
        ("refractory while v > -40 mV", nodes.Refractory),
        ("refractory (2 ms)", nodes.Refractory),
        ("refractory -x", nodes.Refractory),
        ("each step: v = 2; w = v", nodes.EachStep),
        ("each step after reset: v = 2", nodes.EachStep),
        ("output v*2", nodes.Output),
        ("output (v)", nodes.Output),
        ("surrogate arctan", nodes.Surrogate),
        ("surrogate arctan(alpha=100, beta=2) of v - V_t", nodes.Surrogate),
        ("method euler", nodes.Method),
        ("dt 0.25 ms", nodes.RecommendedStep),
        ("duration 2 s", nodes.RecommendedDuration),
        ("dt = 2 ms", nodes.Definition),
        ("method euler_sequential(v, u)", nodes.Method),
        ("time in ms", nodes.TimeIn),
        ("without refractory", nodes.Without),
        # keywords are ordinary names everywhere else
        ("method = 2", nodes.Definition),
        ("model : 1", nodes.Declaration),
        ("output(x) = x^2", nodes.FunctionDefinition),
        ("output = x", nodes.Definition),
        ("on : boolean", nodes.Declaration),
        ("time = 3", nodes.Definition),
        ("each*dv/dt = 3", nodes.Differential),
        ("refractory_period : second", nodes.Declaration),
    ],
)
def test_statement(text, kind):
    (found,) = statements(text)
    assert type(found) is kind
    assert found.span.text == text


def test_refractory_parts():
    (found,) = statements("refractory 2 ms holding v, w")
    assert isinstance(found, nodes.Refractory)
    assert (found.expression, found.condition, found.holding) == (quantity(2, ("ms", 1)), False, (v, w))


def test_one_line_block_reaches_to_the_line_end():
    event, other = statements("spike when v > 30 mV: v = c; w += a  # reset\nx = 2")
    assert isinstance(event, nodes.Event)
    assert [(line.target.id, line.operator, line.comment) for line in event.block] == [("v", "=", ""), ("w", "+=", "reset")]
    assert isinstance(other, nodes.Definition)


def test_block_with_every_operator():
    block, mistakes = parse_block(Source("v = 1\nv += 1; v -= 1\nv *= 2\nv /= 2; v ^= 2; v **= 2; v //= 2; v %= 2"))
    assert mistakes == ()
    assert [line.operator for line in block] == ["=", "+=", "-=", "*=", "/=", "^=", "^=", "//=", "%="]


def test_comments():
    first, second, third = statements("a = 1  # first\nb = 2; c = 3 # third : x = 1\n# nothing\n")
    assert (first.comment, second.comment, third.comment) == ("first", "", "third : x = 1")


# ---- lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = (a\n + b\n\n + c)",
        "x = a +\n b",
        "x = a\n + b",
        "x = a # why\n + b",
        "x\n = a",
        "x =\n a",
        "x = a\n : mV",
        "x = a : mV\n (constant)",
        "x = a\n if b\n else c",
        "x = a > b\n and c",
        "x = clip(a,\n b, c)",
        "  x = (\n a\n) / b",
        "x = a;",
        ";;x = a",
        "\ufeffx = a",
        "x = a\r\n + b\r\n",
        "refractory 2 ms\n holding v",
        "x\u00a0=\u00a0a",
    ],
)
def test_goes_on_over_the_line_end(text):
    assert len(statements(text)) == 1


def test_keywords_and_holding_start_lines_of_their_own():
    assert len(statements("x = 1\nholding = 2\nrefractory 2 ms\nholding : 1")) == 4


def test_uneven_indentation_of_a_bare_text():
    assert len(statements("a = 1\n      b = 2\n   c = 3\n\tv = 4")) == 4


def test_text_on_the_line_of_the_opening_quote():
    event, other = statements("spike when v > 1:\n            v = 0\n        a = 2")
    assert isinstance(event, nodes.Event)
    assert len(event.block) == 1
    assert isinstance(other, nodes.Definition)
    (event,) = statements("spike when v > 1:\n    v = 0\n    w = 1")
    assert isinstance(event, nodes.Event)
    assert len(event.block) == 2


def test_models():
    text = '''
model lif:  # leaky
    """Leaky.

      Indented.
    """
    dv/dt = -v/tau
    tau = 20 ms
    spike when v > 1:
        v = 0

model child(lif):
# described here
# on two lines
    tau = 10 ms
    without spike
'''
    parsed = parse(Source(text))
    assert parsed.mistakes == ()
    lif, child = parsed.module.models
    assert (lif.name.id, lif.base, lif.docstring, len(lif.statements)) == ("lif", None, "Leaky.\n\n  Indented.", 3)
    assert child.base == name("lif")
    assert child.docstring == "described here\non two lines"
    assert [type(statement) for statement in child.statements] == [nodes.Definition, nodes.Without]


@needs_design
def test_first_example_of_the_design():
    page = (SHARED / "design" / "language.md").read_text("utf-8")
    example = page[page.index("    model adex:") : page.index("Where no docstring stands")]
    parsed = parse(Source(example))
    assert parsed.mistakes == ()
    assert [(model.name.id, len(model.statements)) for model in parsed.module.models] == [("adex", 15), ("adex_bursting", 2)]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "   \t", ";"])
def test_empty_text(text):
    parsed = parse(Source(text, "empty"))
    assert parsed.mistakes == ()
    assert [model.statements for model in parsed.module.models] == [()]
    assert parsed.module.models[0].name.id == "empty"


def test_mistakes_of_all_statements_are_reported_and_the_rest_is_read():
    parsed = parse(Source("a = (1\nb = 2\nc = = 3\nd' = 4\nx = 5"))
    assert [mistake.span.line for mistake in parsed.mistakes] == [1, 3, 4]
    assert [statement.name.id for statement in parsed.module.models[0].statements] == ["b", "x"]  # type: ignore[union-attr]
    assert {"a", "c", "d"} <= parsed.unread


# ---- nothing raises, nothing hangs ---------------------------------------------------------------

LONG = 60_000
HOSTILE = {
    "brackets": "x = " + "(" * 10_000 + "1" + ")" * 10_000,
    "open brackets": "x = " + "(" * LONG,
    "ten megabytes": "x = " + "1+" * 5_000_000 + "1",
    "remainders": "x = " + "a%" * 30_000 + "a",
    "colons": ":" * 30_000,
    "quotes": '"' * LONG,
    "docstrings": '"""' * (LONG // 3),
    "not": "x = " + "not " * 15_000 + "a",
    "powers": "x = " + "a^" * 20_000 + "a",
    "conditions": "x = " + "a if b else " * 4_000 + "c",
    "headers": "spike when a: " * 4_000,
    "deeper headers": "".join(" " * k + "spike when a:\n" for k in range(300)),
    "combining marks": "a" + "\u0300" * LONG,
    "dots": "a." * LONG,
    "digits": "x = " + "1" * LONG,
    "exponent": "x = 1e" + "9" * LONG,
    "unit chain": "x = 1 m" + "/m" * 20_000,
    "unit power": "x : m^" + "9" * 5_000,
    "large unit power": "x = 3 m^1e300",
    "closing": ")" * LONG,
    "zero bytes": "\x00" * 1_000,
    "surrogates": "\ud800x = 2",
    "index": "x = " + "y[i]" * 1_000,
    "questions": "x = " + "a?b:" * 1_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_a_mistake(text):
    limit = sys.getrecursionlimit()
    assert parse(Source(text)).mistakes or text.startswith("x = 1 m")  # a unit may be as long as it likes
    for found in (parse(Source(text)).mistakes, parse_expression(Source(text))[1], parse_unit(Source(text))[1]):
        for mistake in found[:20]:
            assert mistake.message
            assert 0 <= mistake.span.start <= mistake.span.stop <= len(text)
            assert (mistake.note, mistake.labels, mistake.help, mistake.replacement) is not None
    assert sys.getrecursionlimit() == limit


def test_depth_at_the_limit_is_read():
    assert expression("(" * 150 + "a" + ")" * 150) == a
    assert parse(Source("x = " + " + ".join("a" * 140))).mistakes == ()


# ---- long chains ---------------------------------------------------------------------------------


APPLIED = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def number_of(node: nodes.Expression) -> Fraction:
    """The exact value of an expression of whole numbers."""
    if isinstance(node, nodes.Binary):
        left, right = number_of(node.left), number_of(node.right)
        return APPLIED[node.operator](left, right)
    assert isinstance(node, nodes.Number)
    return Fraction(node.value)


def chained(values: list[int], signs: str) -> tuple[str, Fraction]:
    """A chain as text, and its exact value from left to right."""
    text, value = str(values[0]), Fraction(values[0])
    for sign, number in zip(signs, values[1:], strict=True):
        text += f" {sign} {number}"
        value = APPLIED[sign](value, number)
    return text, value


@pytest.mark.parametrize("signs", ["+-", "-", "*/", "/"])
def test_a_chain_of_any_length_has_its_value_in_a_shallow_tree(signs):
    values = [2 + k % 7 for k in range(3001)]
    text, value = chained(values, "".join(signs[k % len(signs)] for k in range(3000)))
    (statement,) = parse(Source(f"x = {text}")).module.models[0].statements
    assert number_of(statement.expression) == value
    assert depth_of(statement.expression) < 40
    assert statement.expression.span.text == text


def test_a_long_chain_prints_and_parses_back():
    module = parse(Source("x = " + " - ".join(f"a*{k}" for k in range(3000)) + " : volt")).module
    assert parse(Source(print_module(module))).module == module


def test_a_long_chain_inside_others_is_shallow():
    text = "x = exp(-(" + "+".join("a" * 500) + ")/(" + "*".join("b" * 500) + ")) if " + "+".join("c" * 500) + " > 2 else d"
    assert parse(Source(text)).mistakes == ()
