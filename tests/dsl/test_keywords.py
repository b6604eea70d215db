"""The keyword form means the same as the statements; values given from Python as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

import dvdt
from dvdt.backends.kernel import Constant, Operation, Symbol
from dvdt.dsl.analyse import analyse, analyse_module
from dvdt.dsl.checked import CheckedModel
from dvdt.dsl.errors import ModelError
from dvdt.dsl.expressions import expression_in, function_of_time, quantity
from dvdt.dsl.keywords import Bound, CallableOf, with_keywords
from dvdt.dsl.units import CURRENT, ONE, TIME, VOLTAGE
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source


def keyword_model(text, **keywords) -> CheckedModel:
    declaration, mistakes = with_keywords(parse(Source(text)).module.models[0], **keywords)
    model, found = analyse(declaration, keyword_form=True)
    if mistakes or found:
        raise ModelError((*mistakes, *found))
    return model


def text_model(text) -> CheckedModel:
    (model,), mistakes = analyse_module(parse(Source(text)).module)
    assert not mistakes
    return model


def kinds(text, **keywords):
    with pytest.raises(ModelError) as error:
        keyword_model(text, **keywords)
    return [type(mistake).__name__ for mistake in error.value.mistakes]


def variable(model, name):
    return next(v for v in (*model.states, *model.parameters, *model.derived) if v.name == name)


def test_keywords_mean_the_same_as_the_statements():
    body = "dv/dt = (E_L - v)/tau : volt (unless refractory)\ndw/dt = -w/(50*ms) : amp\n"
    keywords = keyword_model(
        body,
        threshold="v > -50*mV",
        reset="v = E_L; w += 1*pA",
        refractory="2*ms",
        events={"high": ("w > 3*pA", "w = 0*pA"), "low": "v < -80*mV"},
        method="euler",
        parameters={"E_L": "-70*mV", "tau": "20*ms"},
    )
    statements = text_model(
        body
        + "spike when v > -50 mV: v = E_L; w += 1 pA\nrefractory 2 ms\non high when w > 3 pA: w = 0 pA\non low when v < -80 mV\n"
        "method euler\ntau = 20 ms\nE_L = -70 mV"
    )
    same = {"declaration": None, "parameters": ()}
    assert replace(keywords, **same) == replace(statements, **same)
    assert {p.name: p.default for p in keywords.parameters} == {p.name: p.default for p in statements.parameters}


def test_a_refractory_condition_is_told_from_a_duration_by_what_it_is():
    body = "dv/dt = -v/(10*ms) : volt\nsilent : boolean\n"
    for text in ("v > -40*mV", "silent", "not silent", "True"):
        assert keyword_model(body, threshold="v > 0*mV", refractory=text).refractory.condition
    assert not keyword_model(body, threshold="v > 0*mV", refractory="5*ms + 0.1*ms").refractory.condition
    assert kinds(body, refractory="5") == ["WrongUnit"]


def test_parameters_fill_declarations_and_keep_their_unit_flags_and_comment():
    model = keyword_model("dv/dt = -v/tau : 1\ntau : second (constant) # membrane", parameters={"tau": "20*ms"})
    tau = variable(model, "tau")
    assert (tau.unit.text, tau.default, tau.flags, tau.description) == ("second", Constant(20.0), {"constant"}, "membrane")


def test_parameters_may_use_one_another_and_unused_ones_are_left_out():
    namespace = {"tau": "2*tau_0", "tau_0": "5*ms", "other": "3*nA", "broken": "exc.theta / mV"}
    model = keyword_model("dv/dt = -v/tau : 1", parameters=namespace)
    assert {p.name for p in model.parameters} == {"tau", "tau_0"}
    assert variable(model, "tau").default == Operation("multiply", (Constant(2.0), Symbol("tau_0")))


def test_plain_numbers_infinities_and_signs():
    model = keyword_model("dv/dt = (a + b + c - v)/ms : 1", parameters={"a": 3, "b": -2.5, "c": float("-inf")})
    assert [variable(model, name).default for name in "abc"] == [Constant(3.0), Constant(-2.5), Constant(float("-inf"))]


def test_values_that_the_caller_keeps():
    model = keyword_model(
        "dv/dt = (I + J(t, i))/C : volt\nC : farad", parameters={"I": Bound("nA"), "J": CallableOf("pA", 2), "C": Bound("pF")}
    )
    assert (variable(model, "I").unit.text, variable(model, "I").required) == ("nA", True)
    assert variable(model, "C").unit.text == "farad"
    assert (model.externals[0].name, model.externals[0].arity) == ("J", 2)


def test_an_equation_wins_over_a_given_value_as_in_brian2():
    model = keyword_model("dv/dt = -v/(10*ms) : volt", parameters={"v": "-70*mV"})
    assert variable(model, "v").initial == Constant(0.0)


def test_what_brian2_lets_pass_is_a_note():
    model = keyword_model("dv/dt = -v/ms : 1\nw : 1 (constant)", threshold="v > 1", reset="u = 0; w += 1")
    assert len(model.notes) == 2


def test_each_text_is_named_in_reports():
    for keyword, text in {"threshold": "v >", "reset": "v =", "refractory": "2*", "method": "3"}.items():
        with pytest.raises(ModelError) as error:
            keyword_model("dv/dt = -v/ms : 1", **({"threshold": "v > 1"} | {keyword: text}))
        assert error.value.mistakes[0].span.source.name == keyword
    with pytest.raises(ModelError) as error:
        keyword_model("dv/dt = -v/tau : 1", parameters={"tau": "20 mss"})
    assert error.value.mistakes[0].span.source.name == "parameters['tau']"


def test_a_second_event_or_period_is_refused():
    body = "dv/dt = -v/ms : 1\nspike when v > 1: v = 0\nrefractory 2 ms\nmethod euler\n"
    assert kinds(body, threshold="v > 2") == ["DefinedTwice"]
    assert kinds(body, refractory="3*ms") == ["DefinedTwice"]
    assert kinds(body, method="rk4") == ["DefinedTwice"]


# ---- values from Python ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("500 pA", 500.0, CURRENT),
        ("0.5 nA", 500.0, CURRENT),
        ("20*ms", 20.0, TIME),
        ("-70 mV", -70.0, VOLTAGE),
        ("3", 3.0, ONE),
        ("1.5e-3", 1.5e-3, ONE),
        ("0.1 /ms", 0.1, TIME**-1),
        ("2 mV + 1 V", 1002.0, VOLTAGE),
        ("inf", float("inf"), ONE),
    ],
)
def test_quantities(text, value, dimension):
    assert quantity(text, "I") == (value, dimension)


@pytest.mark.parametrize(
    "text", ["", "  ", "five", "5 pAA", "N", "rand()", "v > 3", "1 mV + 1 ms", "1/0", "t", "True", "__import__('os')", "x = 3"]
)
def test_what_is_no_quantity_is_refused_with_a_report(text):
    with pytest.raises(ModelError) as error:
        quantity(text, "I")
    assert "I, line 1" in str(error.value)


LIF = """
dv/dt = (E_L - v + R*I)/tau
dn/dt = (n_inf - n)/tau
n_inf = 1/(1 + exp(-v/k))
k = 3 mV; E_L = -70 mV; R = 100 Mohm; I = 0 nA; tau = 20 ms
"""


def test_an_initial_value_may_use_what_there_is_before_a_run():
    model = text_model(LIF)
    given = expression_in(model, "n_inf + 0.1*rand() + i/N", "state['n']", variable(model, "n"))
    symbols = str(given)
    assert "n_inf" not in symbols
    assert all(name in symbols for name in ("'v'", "'k'", "@i", "@n", "uniform"))
    with pytest.raises(ModelError):
        expression_in(model, "sin(t/tau)", "state['n']", variable(model, "n"))


def test_units_of_given_values_are_checked_where_they_stand():
    model = text_model(LIF)
    with pytest.raises(ModelError) as error:
        expression_in(model, "3 pA", "state['v']", variable(model, "v"))
    assert "`v` is a voltage [V], but this is a current [A]" in str(error.value)
    with pytest.raises(ModelError):
        expression_in(model, "2*v", "parameters['I']", variable(model, "I"))


def test_a_function_of_time_is_in_the_unit_of_its_parameter():
    model = text_model(LIF)
    given = function_of_time(model, "0.5 nA*sin(2*pi*10 Hz*t)", "I", variable(model, "I"))
    assert given.arguments[0] == Constant(500.0)
    assert "@t" in str(given)
    with pytest.raises(ModelError):
        function_of_time(model, "v", "I", variable(model, "I"))


def test_a_name_that_nobody_defines_may_be_one_of_those_given_or_be_given() -> None:
    """A slip against the names of `parameters`, and the place where Brian2 would have read the caller's variables."""
    text = "dv/dt = (E_L - v)/tau : volt"
    with pytest.raises(dvdt.ModelError, match="did you mean `EL`"):
        dvdt.Model(text, parameters={"EL": "-70*mV", "tau": "10*ms"})
    with pytest.raises(
        dvdt.ModelError, match=r"or give its value, parameters=\{'E_L': \.\.\.\} \(variables of the caller are not read\)"
    ):
        dvdt.Model(text, threshold="v > -50*mV", parameters={"tau": "10*ms"})


def test_what_brian2_lets_pass_about_kinds_is_written_out_in_the_text() -> None:
    """A formula keeps its value, whatever kind it says; an assignment is what an array of that kind makes of it."""
    model = dvdt.Model(
        "dv/dt = (k - v)/tau : 1\nk : integer\nb : boolean\na = 2.5*v : integer",
        threshold="v > 1",
        reset="v = 0; k = k/2 + a; b = 1",
        parameters={"tau": "3*ms"},
    )
    assert "a = 2.5*v : 1" in str(model)
    assert "k = int(k/2 + a)" in str(model)
    assert "b = 1 != 0" in str(model)
    assert any("`a` is declared integer" in note for note in model.checked.notes)
    assert dvdt.Model(str(model)) == model
    with pytest.raises(dvdt.ModelError, match="`a` is integer, but this is a real number"):
        dvdt.Model("a = 2.5*v : integer\ndv/dt = -v/tau : 1\ntau = 3 ms")


def test_names_of_the_language_stay_what_they_are_beside_a_namespace_of_brian2() -> None:
    model = dvdt.Model("dv/dt = (i + N - v)/tau : 1", parameters={"tau": "3*ms", "N": 1000, "i": 5})
    assert set(model.parameters) == {"tau"}
    notes = dvdt.simulate(model, "1 ms", backend="reference").report.notes
    assert any("`N` is a name of the language" in note for note in notes)
    assert set(dvdt.Model("dv/dt = (N - v)/tau : 1\nN : 1", parameters={"tau": "3*ms", "N": 1000}).parameters) == {"tau", "N"}
