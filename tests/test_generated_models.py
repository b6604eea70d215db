"""Models that nobody wrote: they print as a text that is the same model, and the CPU agrees with the reference on them.

The strategy grows expressions by their dimension, so every text is right, and keeps slopes bounded, so every run is finite.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import dvdt

SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)

UNITS = {"number": "1", "voltage": "mV", "current": "pA", "conductance": "nS", "time": "ms"}
PRODUCTS = {  # a dimension as products and quotients of others
    "number": [("{} / ({} + 90 mV)", "voltage", "voltage")],
    "voltage": [("{} / (abs({}) + 1 nS)", "current", "conductance")],
    "current": [("{} * {}", "conductance", "voltage")],
    "conductance": [("{} / (abs({}) + 5 mV)", "current", "voltage")],
    "time": [],
}
TO_NUMBER = (
    "tanh({})",
    "sin({})",
    "exp(-abs({}))",
    "sigmoid({})",
    "clip({}, -2, 2)",
    "1/(1 + ({})^2)",
    "sqrt(abs({}))",
    "exprel(clip({}, -3, 3))",
)

Names = dict[str, list[str]]


def number_of(draw: Callable[[st.SearchStrategy[object]], object], low: float, high: float) -> str:
    return f"{draw(st.floats(low, high, allow_nan=False)):.4g}"


@st.composite
def expressions(draw: Callable[..., object], dimension: str, names: Names, depth: int) -> str:
    """An expression of a dimension over the names that have one."""

    def inner(of: str) -> str:
        return str(draw(expressions(of, names, depth - 1)))

    leaves = ["literal", *(["name"] if names.get(dimension) else [])]
    grown = [
        "sum",
        "scaled",
        "condition",
        *(["function"] if dimension == "number" else []),
        *(["product"] if PRODUCTS[dimension] else []),
    ]
    match draw(st.sampled_from(leaves if depth <= 0 else [*leaves, *grown])):
        case "name":
            return str(draw(st.sampled_from(names[dimension])))
        case "sum":
            return f"({inner(dimension)} {draw(st.sampled_from('+-'))} {inner(dimension)})"
        case "scaled":
            return f"{inner('number')}*{inner(dimension)}"
        case "condition":
            other = str(draw(st.sampled_from(["number", "voltage"])))
            sign = draw(st.sampled_from(["<", ">", "<=", ">="]))
            return f"({inner(dimension)} if {inner(other)} {sign} {inner(other)} else {inner(dimension)})"
        case "function":
            return str(draw(st.sampled_from(TO_NUMBER))).format(inner("number"))
        case "product":
            form, *of = draw(st.sampled_from(PRODUCTS[dimension]))  # type: ignore[misc]
            return f"({form.format(*(inner(each) for each in of))})"
    unit = "" if dimension == "number" else f" {UNITS[dimension]}"
    value = number_of(draw, 0.5, 20) if dimension == "time" else number_of(draw, -3, 3)
    return f"({value}{unit})"


@st.composite
def texts(draw: Callable[..., object]) -> str:
    """A model with up to three states, parameters, a quantity derived from others, a function, events, refractoriness and steps."""
    names: Names = {dimension: [] for dimension in UNITS}
    lines = []
    for index in range(draw(st.integers(1, 4))):  # type: ignore[call-overload]
        dimension = str(draw(st.sampled_from(list(UNITS))))
        value = number_of(draw, 1, 20) if dimension == "time" else number_of(draw, -5, 5)
        unit = "" if dimension == "number" else f" {UNITS[dimension]}"
        comment = draw(st.sampled_from(["", "  # a parameter"]))
        lines.append(f"p{index} = {value}{unit}{comment}")
        names[dimension].append(f"p{index}")
    states = []
    for index in range(draw(st.integers(1, 3))):  # type: ignore[call-overload]
        dimension = str(draw(st.sampled_from(["voltage", "current", "number"]))) if index else "voltage"
        states.append((f"x{index}", dimension))
    for state, dimension in states:
        names[dimension].append(state)
    derived = str(draw(st.sampled_from(["voltage", "current", "number"])))
    lines.append(
        f"d = {draw(expressions(derived, names, 2))} + 0*{next((s for s, of in states if of == derived), None) or zero(derived)}"
    )
    names[derived].append("d")
    held = draw(st.booleans())
    for state, dimension in states:
        scale = {"voltage": "20 mV", "current": "50 pA", "number": "2"}[dimension]
        target = f"({scale})*tanh(({draw(expressions(dimension, names, 2))})/({scale}))"
        tau = number_of(draw, 2, 30)
        flag = " (unless refractory)" if held and draw(st.booleans()) else ""
        unit = UNITS[dimension]
        lines.append(f"d{state}/dt = ({target} - {state})/({tau} ms) : {unit}{flag}")
        lines.append(f"{state}(0) = {number_of(draw, -5, 5)}{'' if dimension == 'number' else ' ' + unit}")
    level = number_of(draw, -6, 6)
    resets = [f"x0 = {number_of(draw, -20, -7)} mV"]
    if len(states) > 1:
        state, dimension = states[1]
        resets.append(f"{state} += {draw(expressions(dimension, {**names, dimension: []}, 0))}")
    lines.append(f"spike when x0 > {level} mV: {'; '.join(resets)}")
    if held:
        lines.append(f"refractory {number_of(draw, 0.3, 4)} ms")
    if draw(st.booleans()):
        lines.append("k(0) = 0")
        lines.append(f"each step: k = {draw(st.sampled_from(['old(k) + 1', 'mod(k + 1, 7)', 'k + int(spiked)']))}")
    if draw(st.booleans()):
        lines.append(f"on low when x0 < {number_of(draw, -19, -8)} mV: x0 += 1 mV")
    order = draw(st.permutations(lines))
    return "\n".join(order)  # type: ignore[arg-type]


def zero(dimension: str) -> str:
    return f"(1 {UNITS[dimension]})" if dimension != "number" else "1"


@SLOW
@given(texts())
def test_a_model_prints_as_a_text_that_is_the_same_model(text: str) -> None:
    model = dvdt.Model(text, name="made")
    again = dvdt.Model(str(model), name="made")
    assert again == model
    assert str(again) == str(model)


@settings(SLOW, max_examples=12)
@given(texts(), st.sampled_from(["euler", "rk2", "rk4", "exponential_euler"]), st.integers(0, 2**32))
def test_the_cpu_agrees_with_the_reference(text: str, method: str, seed: int) -> None:
    """From random states, a step at a time from the same state: a difference stays the rounding of one step."""
    model = dvdt.Model(text, name="made")
    draws = np.random.default_rng(seed)
    state = {name: draws.uniform(-20, 20, 70) for name in model.states if name != "k"}
    settings_of = {"dt": "0.1 ms", "method": method, "n": 70, "state": state, "seed": 1, "progress": False}
    one, other = (dvdt.Simulation(model, backend=backend, **settings_of) for backend in ("reference", "cpu"))  # type: ignore[arg-type]
    for _ in range(12):
        np.testing.assert_array_equal(one.step(), other.step())
        for name in model.states:
            expected = np.asarray(one.state[name], float)
            np.testing.assert_allclose(
                np.asarray(other.state[name], float), expected, rtol=1e-10, atol=1e-10, err_msg=f"{name}\n{text}"
            )
            other.state[name] = expected if model.states[name].unit != "integer" else expected.astype(int)
