"""What is said of texts with one mistake: its kind, the place, and the text that would repair it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvdt.grammar import syntax_mistakes as wrong
from dvdt.grammar.parse import parse, parse_block, parse_expression, parse_unit
from dvdt.grammar.source import Source

# text, kind of mistake, spanned text, replacement
CASES = [
    ("dv/dt = (V0 - v/tau : volt", wrong.UnclosedBracket, "(V0 - v/tau", None),
    ("dv/dt = (a + b : volt\ntau = 2 ms", wrong.UnclosedBracket, "(a + b", None),
    ("dv/dt = (a + b : volt\ntau : second", wrong.UnclosedBracket, "(a + b", None),
    ("dv/dt = (a*(b + c) : volt", wrong.UnclosedBracket, "(a*(b + c)", None),
    ("dv/dt = V0 - v)/tau : volt", wrong.StrayBracket, "V0 - v)", None),
    ("x = exp v)", wrong.StrayBracket, "exp v)", None),
    ("x = {a}", wrong.SquareBracket, "{", None),
    ("x = y[i] + 1", wrong.Indexing, "y[i]", "y"),
    ("x = 3 w*w", wrong.NotAUnit, "w", None),
    ("tau = 20 msec", wrong.NotAUnit, "msec", "ms"),
    ("tau = 20 mss", wrong.NotAUnit, "mss", "ms"),
    ("x = I / 1.5 nA/mV", wrong.CompoundAfterDivision, "1.5 nA/mV", "(1.5 nA/mV)"),
    ("x = a b", wrong.MissingOperator, "a b", None),
    ("x = (a)(b)", wrong.MissingOperator, ")(", None),
    ("x = a +", wrong.MissingExpression, "+", None),
    ("x = a * / b", wrong.MissingExpression, "* /", None),
    ("x =", wrong.MissingExpression, "=", None),
    ("x = 5 + $", wrong.UnknownCharacter, "$", None),
    ('x = "abc"', wrong.QuotedText, '"abc"', None),
    ("x = 1e400", wrong.NumberTooLarge, "1e400", None),
    ("x = 99999999999999999999", wrong.NumberTooLarge, "99999999999999999999", None),
    ("spike when v = 30 mV: v = 0", wrong.AssignmentForComparison, "=", "=="),
    ("x = a if b = 2 else c", wrong.AssignmentForComparison, "=", "=="),
    ("dv/dt == -v/tau : 1", wrong.ComparisonForAssignment, "==", "="),
    ("x == 3", wrong.ComparisonForAssignment, "==", "="),
    ("tau 20*ms : second", wrong.MissingAssignment, "tau 20", None),
    ("dv/dt -v/tau : volt", wrong.MissingAssignment, "dv/dt -v/tau", None),
    ("dv/dt (E - v)/tau : volt", wrong.MissingAssignment, "dv/dt (E - v)/tau", None),
    ("dv/dt = -v/ms : mV unless refractory", wrong.BareFlag, "unless refractory", "(unless refractory)"),
    ("d/dt v = -v/ms", wrong.LeftSide, "d/dt v", "dv/dt"),
    ("v(t=0) = -65 mV", wrong.LeftSide, "v(t=0)", "v(0)"),
    ("tau = tau2 = 3", wrong.AssignmentForComparison, "=", None),
    ("init v=", wrong.MissingOperator, "init v", None),
    ("x = f(v : mV)", wrong.UnitOfArgument, "mV", None),
    ("C*dv/dt*2 = 3", wrong.FactorPlace, "C*dv/dt*2", None),
    ("a + b = 3", wrong.LeftSide, "a + b", None),
    ("w += 3", wrong.BlockOperator, "+=", None),
    ("a = 1 : amp w = 2", wrong.MissingSeparator, "amp w", None),
    ("dv/dt = -v/tau :", wrong.MissingUnit, ":", None),
    ("dv/dt = -v/tau : (unless refractory)", wrong.MissingUnit, ":", None),
    ("x (constant)", wrong.MissingUnit, "x (constant)", None),
    ("tau second", wrong.MissingColon, " second", None),
    ("dv/dt = -v/tau volt (unless refractory)", wrong.MissingColon, " volt", None),
    ("dv/dt = -v/tau : volt : 1", wrong.TwoColons, ":", None),
    ("dx/dt = y : 10*mV", wrong.BadUnitSyntax, "10", None),
    ("x : 10*mV", wrong.ValueBehindColon, ":", "="),
    ("V_t : -50 mV", wrong.ValueBehindColon, ":", "="),
    ("tau = 20 [ms]", wrong.BracketedUnit, "20 [ms]", "20 ms"),
    ("tau = 20 (ms)", wrong.BracketedUnit, "20 (ms)", "20 ms"),
    ("const tau = 20 ms", wrong.DeclaringWord, "const ", ""),
    ("threshold v > 30 mV", wrong.RuleWord, "threshold ", None),
    ("reset: v = c", wrong.RuleWord, "reset: ", None),
    ("spike: v > 30 mV", wrong.RuleWord, "spike:", "spike when"),
    ("v -> c", wrong.Arrow, "->", "="),
    ("x = |v|", wrong.AbsoluteBars, "|", None),
    ("dv dt = -v/ms", wrong.LeftSide, "dv dt", "dv/dt"),
    ("v/dt = -v/ms", wrong.LeftSide, "v/dt", "dv/dt"),
    ("dv/t = -v/ms", wrong.LeftSide, "dv/t", "dv/dt"),
    ("d(v)/dt = -v/ms", wrong.LeftSide, "d(v)/dt", "dv/dt"),
    ("x : 1 (constant shared)", wrong.UnknownFlag, "constant shared", "constant, shared"),
    ("x = clip(v 0, 1)", wrong.MissingOperator, "v 0", None),
    ("x = 3 else 4", wrong.MissingWord, "3 else", None),
    ("w : 1 (linked) dv/dt = -v/ms", wrong.MissingSeparator, ") dv", None),
    ("w : volt dv/dt = -v/ms", wrong.MissingSeparator, "volt dv", None),
    ("x = 10 C = 1", wrong.MissingSeparator, "10 C", None),
    ("spike when v > 30 mV v = c", wrong.MissingColon, " v", None),
    ("x : volt (constnt)", wrong.UnknownFlag, "constnt", "constant"),
    ("x : volt (unles refractory)", wrong.UnknownFlag, "unles refractory", "unless refractory"),
    ("x : volt (event driven)", wrong.UnknownFlag, "event driven", "event-driven"),
    ("x = rand() (shard)", wrong.UnknownFlag, "shard", "shared"),
    ("spke when v > 1", wrong.MisspeltWord, "spke", "spike"),
    ("spike wen v > 1", wrong.MisspeltWord, "wen", "when"),
    ("onn burst when v > 1: v = 0", wrong.MisspeltWord, "onn", "on"),
    ("refractry 2 ms", wrong.MisspeltWord, "refractry", "refractory"),
    ("refractory 2 ms hodling v", wrong.MisspeltWord, "hodling", "holding"),
    ("refractory whle v > 1", wrong.MisspeltWord, "whle", "while"),
    ("methd euler", wrong.MisspeltWord, "methd", "method"),
    ("each stp: v = 1", wrong.MisspeltWord, "stp", "step"),
    ("modle a:\n    x = 1", wrong.MisspeltWord, "modle", "model"),
    ("spike when v croses V_t", wrong.MisspeltWord, "croses", "crosses"),
    ("x = 1 if b els 2", wrong.MisspeltWord, "els", "else"),
    ("x = nto a", wrong.MisspeltWord, "nto", "not"),
    ("spike v > 1: v = 0", wrong.MissingWord, "spike v", None),
    ("x = 1 if b", wrong.MissingWord, "b", None),
    ("refractory = 2 ms", wrong.KeywordDefined, "refractory = 2 ms", "refractory 2 ms"),
    ("model a:\n    x = 1\n      y = 2", wrong.BadIndentation, "      y", None),
    ("spike when v > 1:\nx = 2", wrong.EmptyBlock, ":", None),
    ("model a:\n    spike when v > 1\n        v = 0", wrong.MissingBlockColon, "1", None),
    ("model a:\n    x = 1\ny = 2", wrong.MixedText, "y = 2", None),
    ("x = y crosses z", wrong.CrossesOutsideEvent, "y crosses z", None),
    ("v' = -v/tau", wrong.PrimeNotation, "v'", "dv/dt"),
    ("d2v/dt2 = -v", wrong.SecondDerivative, "d2v/dt2", None),
    ("d^2v/dt^2 = -v", wrong.SecondDerivative, "d^2v/dt^2", None),
    ("x = v > 1 ? 2 : 3", wrong.TernaryOperator, "v > 1 ? 2 : 3", "2 if v > 1 else 3"),
    ("x = a && b", wrong.LogicOperator, "&&", "and"),
    ("x = a || b", wrong.LogicOperator, "||", "or"),
    ("x = !a", wrong.LogicOperator, "!", "not "),
    ("parameters:\n    x = 1", wrong.SectionHeader, "parameters:", None),
    ("tau ms = 20 ms", wrong.UnitBeforeEquals, "ms", ""),
    ("x = np.exp(v)", wrong.DottedName, "np.exp", "exp"),
    ("spike when v > 1:\n    if v > 2: v = 0", wrong.IfStatement, "if v > 2", None),
    ("x = 1j", wrong.ImaginaryNumber, "1j", None),
    ("tau = 20 ms // the time constant", wrong.ForeignComment, "//", "#"),
    ("% comment = 2", wrong.ForeignComment, "%", "#"),
    ("x := 2", wrong.WalrusAssignment, ":=", "="),
    ("synapse s:\n    w = 2", wrong.SynapseText, "synapse s", None),
    ('x = 1\n"""late"""', wrong.StrayDocstring, '"""late"""', None),
    ('model a:\n    """never closed\n    x = 1', wrong.UnclosedDocstring, '"""', None),
    ("spike when v > 1:\n    dv/dt = 2", wrong.NotInBlock, "dv/dt", None),
    ("spike when v > 1:\n    v = 2 : volt", wrong.NotInBlock, "volt", None),
    ("spike when v > 1:\n    v + 1", wrong.NoStatement, "v + 1", None),
    ("x = a, b", wrong.Unexpected, ",", None),
    ("tau = 12,5 ms", wrong.DecimalComma, "12,5", "12.5"),
    ("a = 1, b = 2", wrong.StatementComma, ",", ";"),
    ("r integer = 0", wrong.UnitBeforeEquals, "integer", ""),
    ("tau*dv/dt = -v : init=-65", wrong.ValueBehindColon, "init=-65", None),
    ("v[0] = 2", wrong.LeftSide, "v[0]", "v(0)"),
    ("initial v = 2", wrong.RuleWord, "initial v", None),
    ("refractory: 2 ms", wrong.RuleWord, ":", ""),
    ("x = 0.1 1/ms", wrong.BracketedUnit, "0.1 1/ms", "0.1 /ms"),
    ("x = exp v", wrong.MissingOperator, "exp v", None),
    ("Dv/Dt = -v", wrong.LeftSide, "Dv/Dt", "dv/dt"),
    ("dv(t)/dt = -v", wrong.LeftSide, "dv(t)/dt", "dv/dt"),
    ("x = a\u200b", wrong.UnknownCharacter, "\u200b", None),
]


@pytest.mark.parametrize(("text", "kind", "spanned", "replacement"), CASES, ids=[case[0] for case in CASES])
def test_one_mistake(text, kind, spanned, replacement):
    (mistake,) = parse(Source(text)).mistakes
    assert type(mistake) is kind
    assert mistake.span.text == spanned
    assert mistake.replacement == replacement
    assert mistake.code
    assert mistake.message
    assert not mistake.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "kind", "spanned", "replacement"), [case for case in CASES if case[3]], ids=[c[0] for c in CASES if c[3]]
)
def test_the_replacement_repairs(text, kind, spanned, replacement):
    (mistake,) = parse(Source(text)).mistakes
    repaired = text[: mistake.span.start] + replacement + text[mistake.span.stop :]
    # the comment signs and bad first lines of other languages leave words behind that are no statements
    assert kind in (wrong.ForeignComment,) or parse(Source(repaired)).mistakes == ()


def test_every_kind_has_a_case():
    kinds = {kind for _, kind, _, _ in CASES}
    elsewhere = {
        wrong.NestedTooDeeply,
        wrong.TextTooLong,
        wrong.TooManyMistakes,
        wrong.ModelInside,
        wrong.Habit,
        wrong.SyntaxMistake,
    }
    assert {
        kind for kind in vars(wrong).values() if isinstance(kind, type) and issubclass(kind, wrong.SyntaxMistake)
    } == kinds | elsewhere


def test_ordinary_use_of_a_keyword_is_no_mistake():
    assert parse(Source("refractory = 2 ms\nx = refractory/2")).mistakes == ()


def test_both_ways_to_write_a_compound_divisor_are_read():
    (mistake,) = parse(Source("x = I / 1.5 nA/mV")).mistakes
    assert mistake.help == "write `/ (1.5 nA/mV)`, or `/ (1.5 nA) /mV`"
    assert parse(Source("x = I / (1.5 nA/mV)\ny = I / (1.5 nA) /mV")).mistakes == ()


def test_an_operator_lost_at_a_line_end_points_at_both_lines():
    (mistake,) = parse(Source("x = a\nb*c : volt")).mistakes
    assert mistake.span.text == "b*c"


@given(st.text(st.sampled_from("dvt/=:()+-*^ \n\tw1.5,;#'\"$?&m²μif else"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_nothing_raises(text):
    for reader in (parse, parse_expression, parse_block, parse_unit):
        found = reader(Source(text))
        mistakes = found.mistakes if hasattr(found, "mistakes") else found[1]
        for mistake in mistakes:
            assert 0 <= mistake.span.start <= mistake.span.stop <= len(text)
            assert mistake.message
            assert mistake.labels is not None
            assert mistake.help is None or mistake.help
