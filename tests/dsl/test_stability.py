"""The longest stable step that `explain` tells is where runs begin to blow up."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt.dsl.stability import MAPS, longest_step

DECAY = "dx/dt = -x/tau; tau = 2 ms; x(0) = 1"


@pytest.mark.parametrize(
    ("method", "limit"),
    # on the negative real axis: 2 for Euler and second order, 2.785293563 for fourth (Hairer & Wanner 1996, section IV.2)
    [
        ("euler", 2.0),
        ("rk2", 2.0),
        ("heun", 2.0),
        ("rk4", 2.785293563),
        ("exponential_euler", np.inf),
        ("exponential_rk2", np.inf),
        ("exact", np.inf),
    ],
)
def test_limits_on_the_real_axis(method: str, limit: float) -> None:
    assert dvdt.Model(DECAY).explain(method).stable_dt == pytest.approx(2 * limit, rel=1e-4)


def test_the_limit_of_rk4_on_the_imaginary_axis() -> None:
    """2 sqrt(2), and none for Euler."""
    turning = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert longest_step(turning, MAPS["rk4"]) == pytest.approx(2 * np.sqrt(2), rel=1e-3)
    assert longest_step(turning, MAPS["euler"]) < 1e-3


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "euler_sequential", "exponential_euler", "exponential_rk2"])
@pytest.mark.filterwarnings("ignore:.*longer than")
def test_runs_decay_below_the_limit_and_grow_above(method: str) -> None:
    text = "dx/dt = (-x + 3*y)/ms; dy/dt = (-4*x - 2*y)/ms; x(0) = 1; y(0) = 1"
    limit = dvdt.Model(text).explain(method).stable_dt
    assert limit is not None
    sizes = []
    for dt in (0.97 * limit, 1.03 * limit):
        result = dvdt.simulate(text, f"{4000 * dt!r} ms", dt=f"{dt!r} ms", method=method)
        sizes.append(abs(result.final_state["x"][0]) + abs(result.final_state["y"][0]))
    assert sizes[0] < 1 < sizes[1]


def test_the_page_says_so() -> None:
    page = str(dvdt.Model(DECAY).explain("euler", dt="5 ms"))
    assert "stable up to dt = 4 ms; dt = 5 ms is NOT stable" in page


def test_no_number_is_told_as_computed_once_a_run() -> None:
    """A number, also an infinite one of Newton's search, is no work."""
    values = [value for _, value in dvdt.model("fitzhugh_nagumo").explain("backward_euler").hoisted]
    assert values
    assert not [value for value in values if not any(letter in value for letter in ("gamma", "tau", "I", "dt"))]


# ---- along a run --------------------------------------------------------------------------------


def test_the_limit_is_that_of_the_stiffest_place_of_a_run() -> None:
    """dx/dt = -x^3 with a rate of 3 x^2 that is fastest where x has been pushed to: x = 2 after a while, Euler stable up to 2/12 ms."""
    text = "dx/dt = (8 - x^3)/ms; x(0) = 0"
    explanation = dvdt.Model(text).explain("euler", dt="0.05 ms")
    assert explanation.stable_dt == pytest.approx(2.05 / 12, rel=1e-3)  # 5 % of growth in a step are let pass on the way
    assert "NOT stable" in str(dvdt.Model(text).explain("euler", dt="0.3 ms"))


def test_parameters_move_the_limit() -> None:
    model = dvdt.Model(DECAY)
    assert model.explain("euler", dt="0.1 ms", parameters={"tau": "0.5 ms"}).stable_dt == pytest.approx(1.0, rel=1e-4)
    driven = model.explain("euler", dt="0.01 ms", parameters={"tau": dvdt.function("1 ms + 0.75 ms*cos(t/(1 ms))")})
    assert driven.stable_dt == pytest.approx(2.05 * 0.25, rel=0.02)
    with pytest.raises(dvdt.UsageError, match="tua"):
        model.explain(parameters={"tua": 1.0})


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "exponential_euler", "backward_euler"])
def test_the_error_that_is_told_is_the_difference_of_two_runs(method: str) -> None:
    text = "dx/dt = (y - x^3)/ms; dy/dt = -x/(4 ms); x(0) = 1; y(0) = 0.5"
    explanation = dvdt.Model(text).explain(method, dt="0.1 ms")
    duration, steps = explanation.trial.duration, round(explanation.trial.duration / 0.1)
    runs = [
        dvdt.simulate(text, f"{duration!r} ms", dt=f"{dt} ms", method=method, record={"x": dvdt.record(every="0.1 ms")})["x", 0]
        for dt in (0.1, 0.05)
    ]
    looks = np.linspace(0, steps, 65).astype(int)
    told = {name: error for name, error, _ in explanation.trial.errors}
    assert told["x"] == pytest.approx(np.max(np.abs(runs[0] - runs[1])[looks]), rel=1e-6)


def test_spikes_of_both_runs_are_compared() -> None:
    explanation = dvdt.model("lif").explain("euler", dt="0.5 ms", parameters={"I": "30 nA"})
    # from -65, and then -70 mV, towards -35 mV with 20 ms, through -50 mV, with steps of 0.5 and 0.25 ms
    counts, times = [], []
    for dt in (0.5, 0.25):
        v, spikes = -65.0, []
        for step in range(1, round(explanation.trial.duration / dt) + 1):
            v += dt * (-35 - v) / 20
            if v > -50:
                spikes.append(step * dt)
                v = -70.0
        counts.append(len(spikes))
        times.append(spikes)
    assert explanation.trial.spikes == tuple(counts)
    if counts[0] == counts[1]:
        assert explanation.trial.shift == pytest.approx(np.max(np.abs(np.subtract(*times))))


def test_what_cannot_be_tried_says_why() -> None:
    page = str(dvdt.Model("dx/dt = f(x)/(5 ms) : 1\nf(x) : 1").explain())
    assert "not tried: parameters: model needs a value for f" in page
    noisy = dvdt.Model("dx/dt = -x/tau + s*xi; tau = 5 ms; s = 1/ms^0.5; x(0) = 0").explain()
    assert "draws other numbers" in str(noisy)
    assert not noisy.trial.errors
    assert "does not stay finite" in str(dvdt.Model("dx/dt = x^2/ms; x(0) = 1").explain("rk4"))


def test_the_page_for_a_notebook_is_balanced_and_escaped() -> None:
    page = dvdt.model("adex").explain()._repr_html_()
    assert page.count("{") == page.count("}")
    assert page.count(r"\left(") == page.count(r"\right)")
    assert r"\begin{aligned}" in page
    assert r"\begin{cases}" in page
    assert "<div>cost of a step of one neuron</div>" in page
    assert "less(" not in page


# ---- before a run -------------------------------------------------------------------------------


def test_a_step_that_is_too_long_is_told_before_the_run() -> None:
    with pytest.warns(UserWarning, match=r"dt = 5 ms is longer than euler is stable for in this model, 4 ms") as caught:
        result = dvdt.simulate(DECAY, "50 ms", dt="5 ms", method="euler")
    assert caught[0].filename == __file__
    assert any("longer than euler is stable for" in note for note in result.report.notes)


def test_one_stiff_neuron_among_many_is_seen() -> None:
    tau = np.full(8, 10.0)
    tau[-1] = 0.1
    with pytest.warns(UserWarning, match=r"rk4 is stable for in this model, 0\.279 ms"):
        dvdt.simulate(DECAY, "1 ms", dt="0.5 ms", method="rk4", n=8, parameters={"tau": tau})


def test_what_the_run_comes_to_is_seen_ahead() -> None:
    """At rest rk4 could do Hodgkin and Huxley's axon with 0.1 ms; its spike it cannot."""
    with (
        pytest.warns(UserWarning, match=r"longer than rk4 is stable for"),
        pytest.raises(dvdt.RunError, match="is not finite"),
    ):
        dvdt.simulate("hh", "100 ms", dt="0.1 ms", method="rk4", parameters={"I": "10 uA/cm^2"})


@pytest.mark.parametrize(
    ("name", "drive", "settings"),
    [
        ("hh", "10 uA/cm^2", {"dt": "0.1 ms"}),
        ("hh", "10 uA/cm^2", {"dt": "0.01 ms", "method": "rk4"}),
        ("adex", "800 pA", {"dt": "0.1 ms"}),
        ("izhikevich", 10, {"dt": "0.5 ms"}),
        ("fitzhugh_nagumo", 0.5, {"dt": "0.1 ms", "method": "euler"}),
        ("lif", "30 nA", {"dt": "30 ms"}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_no_alarm_where_the_step_will_do(name: str, drive: object, settings: dict[str, str]) -> None:
    dvdt.simulate(name, "100 ms", parameters={"I": drive}, **settings)


def test_looking_ahead_leaves_the_run_as_it_was() -> None:
    """With draws: the same numbers whether a run looks ahead (for an eighth of its steps) or is made step by step."""
    text = "dx/dt = -x/tau + s*xi; tau = 5 ms; s = 1/ms^0.5; x(0) = 0; spike when x > 1: x = 0"
    at_once = dvdt.simulate(text, "100 ms", n=20, seed=3)
    simulation = dvdt.Simulation(text, n=20, seed=3)
    for _ in range(1000):
        simulation.step()
    np.testing.assert_array_equal(at_once.final_state["x"], simulation.state["x"])
    np.testing.assert_array_equal(at_once.spikes.i, simulation.result().spikes.i)


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "exponential_euler", "backward_euler", "exact"])
def test_the_limit_of_many_states_is_that_of_their_blocks(method: str) -> None:
    """Sixty states in pairs that know nothing of each other: the limit of all is that of the fastest pair, which is worked out alone."""
    rng = np.random.default_rng(3)
    pairs = [np.array([[-1.0, 2.0], [-2.5, -1.0]]) * scale for scale in rng.uniform(0.1, 3, 30)]
    whole = np.zeros((60, 60))
    for k, pair in enumerate(pairs):
        whole[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = pair
    alone = min(longest_step(pair, MAPS[method]) for pair in pairs)
    assert longest_step(whole, MAPS[method]) == pytest.approx(alone, rel=2e-4)


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "backward_euler"])
def test_a_mode_is_multiplied_by_what_its_matrix_has_as_eigenvalue(method: str) -> None:
    """The matrices of one step, written out: their eigenvalues are the factors."""
    rng = np.random.default_rng(5)
    jacobian, dt, unit = rng.normal(size=(6, 6)), 0.37, np.eye(6)
    a = jacobian * dt
    matrix = {
        "euler": unit + a,
        "rk2": unit + a + a @ a / 2,
        "rk4": unit + a + a @ a / 2 + a @ a @ a / 6 + a @ a @ a @ a / 24,
        "backward_euler": np.linalg.inv(unit - a),
    }[method]
    sizes = np.sort(MAPS[method].sizes(jacobian, np.linalg.eigvals(jacobian), dt))
    assert sizes == pytest.approx(np.sort(np.abs(np.linalg.eigvals(matrix))), rel=1e-10)


def test_a_large_model_is_tried_for_fewer_steps() -> None:
    """A ring of seventy: the error over 16 steps is that of two runs."""
    ring = "\n".join(
        f"dx{k}/dt = (tanh(x{k - 1 if k else 69} + exp(-x{k}^2)) - x{k})/ms : 1; x{k}(0) = {k / 70}" for k in range(70)
    )
    explanation = dvdt.Model(ring).explain("rk4", dt="0.1 ms")
    trial = explanation.trial
    assert trial.duration == pytest.approx(1.6)
    runs = [dvdt.simulate(ring, "1.6 ms", dt=f"{dt} ms", method="rk4", backend="reference", record="x7") for dt in (0.1, 0.05)]
    error = np.max(np.abs(runs[0]["x7", 0] - runs[1]["x7", 0][::2]))
    assert {state: found for state, found, _ in trial.errors}["x7"] == pytest.approx(error, rel=1e-6)
