"""Spikes between the points of the grid: closed forms, SciPy's event location, observed orders, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dvdt
from dvdt.dsl.cli import main

TAU, DRIVE, PERIOD = 10.0, 1.2, 2.0  # the survey's neuron, in ms and thresholds
LIF = dvdt.Model(
    """
    dv/dt = (1.2 - v)/tau : 1 (unless refractory)
    tau = 10 ms
    spike when v > 1: v = 0
    refractory 2 ms
    """,
    name="lif",
)


def spike_times(model, duration, dt, backend="reference", **given):
    """In ms. Most runs here are short, and shorter without a compilation."""
    return dvdt.simulate(model, duration, dt=f"{dt} ms", spike_times="exact", backend=backend, **given).spikes.t * 1e3


def lif_times(until):
    to_threshold = TAU * np.log(DRIVE / (DRIVE - 1))
    times = to_threshold + np.arange(1000) * (to_threshold + PERIOD)
    return times[times <= until]


def test_the_rate_does_not_depend_on_dt():
    """The survey measured +4.8 % at 1 ms for spikes on the grid."""
    wanted = 1 / (TAU * np.log(DRIVE / (DRIVE - 1)) + PERIOD)
    for dt in (0.01, 0.03, 0.1, 0.3, 1.0):
        times = spike_times(LIF, "1 s", dt, backend="cpu")
        assert abs((len(times) - 1) / (times[-1] - times[0]) / wanted - 1) < 1e-6
        assert len(times) == len(lif_times(1000))
    grid = dvdt.simulate(LIF, "1 s", dt="1 ms", backend="reference").spikes.t * 1e3
    assert abs((len(grid) - 1) / (grid[-1] - grid[0]) / wanted - 1) > 1e-3


# ---- order -----------------------------------------------------------------------------------------

DRIVEN = dvdt.Model(
    """
    dv/dt = (2.2 + 0.4*sin(2*pi*t/(7 ms)) - v - w - 0.1*v**3)/tau : 1
    dw/dt = (0.2*v - w)/tau_w : 1
    tau = 5 ms; tau_w = 20 ms
    spike when v + 0.1*w > 0.9: v = 0.1*w; w += 0.15
    refractory 1.37 ms holding v
    """
)


def driven_times(until):
    """SciPy's event location, restarted at every spike and at every end of a refractory period."""

    def free(t, x):
        v, w = x
        return [(2.2 + 0.4 * np.sin(2 * np.pi * t / 7) - v - w - 0.1 * v**3) / 5, (0.2 * v - w) / 20]

    def held(t, x):
        return [0.0, (0.2 * x[0] - x[1]) / 20]

    def margin(t, x):
        return x[0] + 0.1 * x[1] - 0.9

    margin.terminal, margin.direction = True, 1
    t, x, found = 0.0, [0.0, 0.0], []
    while True:
        run = solve_ivp(free, (t, until), x, events=margin, rtol=1e-12, atol=1e-13, method="DOP853")
        if not len(run.t_events[0]):
            return np.array(found)
        t, (_, w) = run.t_events[0][0], run.y_events[0][0]
        found.append(t)
        x = solve_ivp(held, (t, t + 1.37), [0.1 * w, w + 0.15], rtol=1e-12, atol=1e-13, method="DOP853").y[:, -1]
        t += 1.37


@pytest.mark.parametrize(
    ("method", "order", "longest", "backend"),
    [
        ("euler", 1, 0.2, "reference"),
        ("euler_sequential", 1, 0.2, "reference"),
        ("exponential_euler", 1, 0.2, "reference"),
        ("rk2", 2, 0.4, "reference"),
        ("heun", 2, 0.4, "reference"),
        ("exponential_rk2", 2, 0.4, "reference"),
        ("rk4", 4, 0.8, "cpu"),
        ("backward_euler", 1, 0.2, "cpu"),
    ],
)
def test_spike_times_converge_with_the_order_of_the_scheme(method, order, longest, backend):
    wanted = driven_times(60.0)
    assert len(wanted) > 5
    steps = longest / 2.0 ** np.arange(4)
    errors = []
    for dt in steps:
        times = spike_times(DRIVEN, "64 ms", dt, method=method, backend=backend)
        errors.append(np.abs(times[: len(wanted)] - wanted).max())
    observed = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order - 0.25 < observed < order + 0.5, errors


def test_exact_integration_finds_spikes_to_fourth_order():
    steps = np.array([2.0, 1.0, 0.5, 0.25])
    errors = [np.abs(spike_times(LIF, "200 ms", dt, method="exact") - lif_times(200)).max() for dt in steps]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] > 3.8, errors
    assert errors[1] < 1e-4


def test_exponential_euler_is_exact_where_it_is_exact_on_the_grid():
    for dt in (0.1, 1.0, 3.0):
        assert np.abs(spike_times(LIF, "200 ms", dt, method="exponential_euler") - lif_times(200)).max() < 1e-11


# ---- AdEx ------------------------------------------------------------------------------------------


def adex_times(current, peak, until):
    """The upstroke is integrated over the potential instead of time, where it is no singularity."""

    def slopes(t, x):
        v, w = x
        return [(30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + current) / 281, (4 * (v + 70.6) - w) / 144]

    def over_v(v, x):
        dv, dw = slopes(0, (v, x[0]))
        return [dw / dv, 1 / dv]

    def taking_off(t, x):
        return x[0] + 45

    taking_off.terminal, taking_off.direction = True, 1
    t, x, found = 0.0, [-70.6, 0.0], []
    while True:
        run = solve_ivp(slopes, (t, until), x, events=taking_off, rtol=1e-11, atol=1e-11, method="DOP853")
        if not len(run.t_events[0]):
            return np.array(found)
        start = [run.y_events[0][0][1], run.t_events[0][0]]
        w, t = solve_ivp(over_v, (-45, peak), start, rtol=1e-11, atol=1e-11, method="DOP853").y[:, -1]
        found.append(t)
        x = [-70.6, w + 80.5]


@pytest.mark.parametrize(("dt", "tolerance"), [(0.1, 0.1), (0.0125, 0.01)])
def test_adex_with_its_upstroke(dt, tolerance):
    """The upstroke takes less than 1e-9 ms from its middle to its peak: what remains is the error of the last steps before it."""
    wanted = adex_times(800.0, 20.0, 300.0)
    given = {"parameters": {"I": "800 pA"}, "state": {"v": "-70.6 mV"}, "method": "rk4"}
    times = spike_times("adex", "300 ms", dt, backend="cpu", **given)
    assert len(times) == len(wanted)
    assert np.abs(times - wanted).max() < tolerance
    grid = dvdt.simulate("adex", "300 ms", dt=f"{dt} ms", **given).spikes.t * 1e3
    assert np.abs(grid - wanted).max() > 5 * np.abs(times - wanted).max()


def test_adex_cut_off_early_converges():
    wanted = adex_times(800.0, -40.0, 300.0)
    given = {"parameters": {"I": "800 pA", "V_peak": "-40 mV"}, "state": {"v": "-70.6 mV"}}
    given |= {"method": "rk4", "backend": "cpu"}
    errors = [np.abs(spike_times("adex", "300 ms", dt, **given) - wanted).max() for dt in (0.1, 0.00625)]
    assert errors[0] < 1e-4
    assert errors[1] < 1e-6


# ---- conditions ------------------------------------------------------------------------------------

RAMP = "dv/dt = rate : 1\nrate = 1/ms\n"


def test_refractoriness_that_holds_nothing_lasts_to_the_moment():
    for dt in (0.1, 0.25, 1.0, 3.0):
        times = spike_times(RAMP + "spike when v > 1\nrefractory 2.37 ms", "30 ms", dt)
        wanted = 1 + 2.37 * np.arange(len(times))
        if dt < 2.37:  # one spike a step at most
            assert np.abs(times - wanted).max() < 1e-12
            assert len(times) == 13


def test_a_refractory_period_shorter_than_a_step():
    times = spike_times(RAMP + "spike when v > 1: v = 0\nrefractory 0.3 ms holding v", "20 ms", 0.9)
    assert np.abs(times - (1 + 1.3 * np.arange(len(times)))).max() < 1e-12
    assert len(times) == 15


def test_no_refractory_period():
    times = spike_times(RAMP + "spike when v > 1: v = v - 1", "20 ms", 0.7)
    assert np.abs(times - np.arange(1, 21)).max() < 1e-12


def test_crossing_is_lost_while_refractory_and_found_after():
    text = """
    dx/dt = 2*pi*y/(5 ms) : 1
    dy/dt = -2*pi*x/(5 ms) : 1
    y(0) = 1
    spike when x crosses 0.5
    refractory {} ms
    """  # x = sin(2 pi t/5 ms) comes above 0.5 at 5/12 ms and every 5 ms after
    for dt in (0.03, 0.2, 0.31):
        all_of_them = spike_times(text.format(1), "40 ms", dt, method="exact")
        assert np.abs(all_of_them - (5 / 12 + 5 * np.arange(8))).max() < 1e-3 * dt**3
        assert (
            np.abs(spike_times(text.format(7), "40 ms", dt, method="exact") - (5 / 12 + 10 * np.arange(4))).max() < 1e-3 * dt**3
        )
        # x is above 0.5 when this period ends, 1 ms after it crossed: nothing to find until it comes again
        assert (
            np.abs(spike_times(text.format(6), "40 ms", dt, method="exact") - (5 / 12 + 10 * np.arange(4))).max() < 1e-3 * dt**3
        )


def test_conditions_of_several_parts():
    text = RAMP + "dw/dt = 0.5/ms : 1\nenabled = True\nfires = v > 1.25\nspike when {}: v = 0; w = 0"
    for condition, first, interval in [
        ("v > 1 and w > 1", 2.0, 2.0),
        ("v > 1 or w > 1", 1.0, 1.0),
        ("not (v <= 1 or w < 0.75)", 1.5, 1.5),
        ("v > 1 and enabled and not_refractory", 1.0, 1.0),
        ("fires", 1.25, 1.25),
        ("1 < v < 5 and not (enabled and w < 0.7)", 1.4, 1.4),
        ("t - lastspike > 1.7 ms and v > 1", 1.0, 1.7),
    ]:
        times = spike_times(text.format(condition), "10 ms", 0.3)
        assert np.abs(times - (first + interval * np.arange(len(times)))).max() < 1e-12
        assert len(times) >= 4


def test_what_nest_counts_in_steps_is_not_counted():
    ours, theirs = (dvdt.simulate(LIF, "100 ms", dt="1 ms", spike_times="exact", conventions=c) for c in ("dvdt", "nest"))
    assert np.array_equal(ours.spikes.t, theirs.spikes.t)


def test_threshold_that_moves_in_time():
    times = spike_times("dv/dt = 1/ms : 1\nspike when v > 2 + t/(2 ms): v = -10", "10 ms", 0.3, method="rk4")
    assert np.abs(times - [4.0]).max() < 1e-12


def test_what_is_above_from_the_start_spikes_at_once():
    times = spike_times(RAMP + "v(0) = 2\nspike when v > 1: v = 0", "2.4 ms", 0.5)
    assert np.abs(times - [0, 1, 2]).max() < 1e-12


def test_hodgkin_huxley_without_a_reset():
    given = {"parameters": {"I": "10 uA/cm^2"}, "record": ["v"], "method": "rk4", "backend": "reference"}
    model = dvdt.model("hodgkin_huxley")
    exact = dvdt.simulate(model, "20 ms", dt="0.01 ms", spike_times="exact", **given)
    grid = dvdt.simulate(model, "20 ms", dt="0.01 ms", **given)
    assert np.abs(exact["v"] - grid["v"]).max() < 1e-9
    v, t, level = exact["v"][:, 0], exact.t * 1e3, 50.0
    at = np.flatnonzero((v[:-1] <= level) & (v[1:] > level))
    chord = t[at] + 0.01 * (level - v[at]) / (v[at + 1] - v[at])
    assert len(at) > 1
    assert np.abs(exact.spikes.t * 1e3 - chord).max() < 1e-4


# ---- what else happens at a spike --------------------------------------------------------------------

NOTED = dvdt.Model(
    """
    dv/dt = rate*(1 + 0.3*sin(t/(3 ms)))*(0.7 ms + at - lastspike > 0 ms) : 1
    rate = 1 /ms : 1/ms
    at(0) = -1 ms
    since = t - lastspike
    spike when v > 1: v = 0; at = t
    on high when v crosses 0.5
    refractory 0.4 ms holding v
    """
)


def test_blocks_and_lastspike_know_the_moment():
    given = {"record": ["at", "since"], "method": "rk4", "backend": "reference"}
    result = dvdt.simulate(NOTED, "20 ms", dt="0.25 ms", spike_times="exact", **given)
    last = {round(float(at), 12) for at in result["at"][:, 0]} - {-1.0}
    assert last == {round(float(t) * 1e3, 12) for t in result.spikes.t}
    rows = result["at"][:, 0] > 0
    assert np.abs(result["since"][rows, 0] - (result.t[rows] * 1e3 - result["at"][rows, 0])).max() < 1e-12
    grid = np.rint(result.events["high"].t / 0.25e-3)
    assert len(grid) == len(result.spikes.t)
    assert np.abs(result.events["high"].t - grid * 0.25e-3).max() < 1e-15


def test_driven_parameters_are_held_over_the_step():
    series = dvdt.TimedSeries(np.array([0.5, 1.0, 2.0, 1.0]), "2 ms")
    times = spike_times("dv/dt = rate : 1\nrate : 1/ms\nspike when v > 1.25: v = 0", "8 ms", 0.5, parameters={"rate": series})
    assert np.abs(times - [2.25, 3.5, 4.375, 5.0, 5.625, 6.5, 7.75]).max() < 1e-12


def test_steps_of_a_closed_loop():
    simulation = dvdt.Simulation(LIF, dt="1 ms", spike_times="exact")
    spiked = [simulation.step() for _ in range(100)]
    whole = dvdt.simulate(LIF, "100 ms", dt="1 ms", spike_times="exact")
    assert np.array_equal(simulation.result().spikes.t, whole.spikes.t)
    assert [step for step, neurons in enumerate(spiked) if len(neurons)] == list(np.floor(whole.spikes.t * 1e3))
    assert np.array_equal(whole.rates("10 ms")[:, 0], np.bincount(np.floor(whole.spikes.t * 100).astype(int), minlength=10) * 100)


# ---- backends ----------------------------------------------------------------------------------------


RANDOM = dvdt.Model(
    """
    dv/dt = (1.3 + 0.2*kick - v)/tau + 0.01*randn()/tau : 1
    tau = 5 ms
    kick = randn() (constant over dt)
    spike when v > 1: v = 0.3*rand(); n += poisson(2)
    n(0) = 0
    refractory 0.6 ms * (1 + rand()) holding v
    """
)


def populations():
    yield "adex", "60 ms", {"parameters": {"I": np.linspace(600, 1500, 37)}, "n": 37, "seed": 4}
    yield NOTED, "20 ms", {"parameters": {"rate": np.linspace(0.3, 3, 37)}, "n": 37}
    yield DRIVEN, "30 ms", {"state": {"v": dvdt.uniform(0, 0.8)}, "n": 37, "seed": 2}
    yield LIF, "60 ms", {"state": {"v": dvdt.uniform(0, 0.8)}, "n": 37, "seed": 2}

    yield RANDOM, "40 ms", {"n": 37, "seed": 5}


@pytest.mark.parametrize(("which", "precision"), [*((which, "float64") for which in range(5)), (0, "float32"), (1, "float32")])
def test_reference_and_cpu_agree(which, precision):
    model, duration, given = list(populations())[which]
    names = [state.name for state in dvdt.Population(model).model.states]
    results = [
        dvdt.simulate(model, duration, dt="0.25 ms", spike_times="exact", backend=b, precision=precision, record=names, **given)
        for b in ("reference", "cpu")
    ]
    close = 1e-9 if precision == "float64" else 2e-3
    assert np.array_equal(np.sort(results[0].spikes.i), np.sort(results[1].spikes.i))
    assert len(results[0].spikes) > 37
    for i in range(37):
        mine, theirs = (r.spikes.t[r.spikes.i == i] for r in results)
        assert np.abs(mine - theirs).max(initial=0) * 1e3 < close
    for result in results:
        assert np.array_equal(np.lexsort((result.spikes.i, result.spikes.t)), np.arange(len(result.spikes)))


def test_bit_for_bit_with_any_threads_chunks_and_recordings():
    given = {
        "dt": "0.25 ms",
        "spike_times": "exact",
        "n": 3000,
        "seed": 3,
        "parameters": {"I": dvdt.uniform("600 pA", "1500 pA")},
    }
    one = dvdt.simulate("adex", "50 ms", threads=1, **given)
    two = dvdt.simulate("adex", "50 ms", threads=2, record=["w"], **given)
    split = dvdt.Simulation("adex", threads=2, **given)
    parts = [split.run("13 ms"), split.run("37 ms")]
    for other in (two, split.result()):
        assert np.array_equal(one.spikes.t, other.spikes.t)
        assert np.array_equal(one.spikes.i, other.spikes.i)
    assert np.array_equal(np.concatenate([part.spikes.t for part in parts]), one.spikes.t)
    assert np.array_equal(one.final_state["w"], split.state["w"])


def test_a_recording_of_all_neurons_changes_no_spike():
    """It couples the blocks, so that the few neurons are looked for in one after the other."""
    model = LIF.extend("m = mean(v)", name="told")
    given = {"dt": "0.7 ms", "spike_times": "exact", "n": 1500, "seed": 3, "state": {"v": dvdt.uniform(0, 0.9)}}
    alone, together = (dvdt.simulate(model, "60 ms", record=names, **given) for names in ((), ("m", "v")))
    assert np.array_equal(alone.spikes.t, together.spikes.t)
    assert np.array_equal(alone.spikes.i, together.spikes.i)
    assert len(alone.spikes) > 3000
    assert np.abs(together["m"][:, 0] - together["v"].mean(axis=1)).max() < 1e-12


def test_float32_keeps_the_moment():
    """What float32 leaves of the potential (6e-8) makes 3e-6 ms where it rises by 0.02/ms; a step adds a rounding."""
    intervals = np.diff(spike_times(LIF, "2 s", 0.5, precision="float32", backend="cpu"))
    assert len(intervals) == 99
    assert np.abs(intervals - np.diff(lif_times(100))[0]).max() < 1e-4


def test_a_checkpoint_keeps_moments(tmp_path):
    given = {"dt": "0.3 ms", "spike_times": "exact", "backend": "reference"}
    simulation = dvdt.Simulation(NOTED, **given)
    simulation.run("7 ms")
    simulation.save(tmp_path / "half.ckpt")
    later = dvdt.Simulation.load(tmp_path / "half.ckpt")
    later.run("7 ms")
    simulation.run("7 ms")
    assert np.array_equal(later.result().spikes.t, simulation.result().spikes.t)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_other_events_stay_on_the_grid(backend):
    """The condition holds from ln(1.2/0.7) time constants on, up to the spike; an event of a step carries the time of its end."""
    model = LIF.extend("on high when v > 0.5: v = v", name="noted")
    told = dvdt.simulate(model, "18 ms", dt="0.3 ms", spike_times="exact", backend=backend).events["high"].t * 1e3
    first = int(np.ceil(TAU * np.log(DRIVE / (DRIVE - 0.5)) / 0.3))
    np.testing.assert_allclose(told, 0.3 * np.arange(first, int(lif_times(20)[0] / 0.3) + 1), atol=1e-9)


# ---- refused ---------------------------------------------------------------------------------------

SIMPLE = "dv/dt = (1.2 - v)/tau : 1\ntau = 10 ms\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SIMPLE + "spike when v > 1 and rand() < 0.5: v = 0", "draws random numbers"),
        (SIMPLE + "late = rand() (constant over dt)\nspike when v > late: v = 0", "draws random numbers"),
        ("dv/dt = -v/tau + xi*tau**-0.5 : 1\ntau = 10 ms\nspike when v > 1: v = 0", "dv/dt holds the white noise xi"),
        (SIMPLE + "n(0) = 1 : integer\nspike when v > n: v = 0; n += 1", "reads n"),
        (SIMPLE + "each step: v = v + 0.1\nspike when v > 1: v = 0", "each step"),
        (SIMPLE + "each step after reset: v = v + 0.1\nspike when v > 1: v = 0", "each step"),
        (SIMPLE + "spike when v > mean(v): v = 0", "mean"),
        ("dv/dt = (1.2 - largest(v))/tau : 1\ntau = 10 ms\nspike when v > 1: v = 0", "dv/dt reads largest"),
        (SIMPLE + "on big when v > 1: v = 0", "no `spike when`"),
        (SIMPLE + "spike when v == 1: v = 0", "asks =="),
        (SIMPLE + "spike when v > 1 and not spiked: v = 0", "reads spiked"),
        (SIMPLE + "spike when tau > 1 ms: v = 0", "nothing that moves"),
        (SIMPLE + "spike when v > 1: v = 0\nrefractory while v < 0.5 holding v", "refractory period"),
        ("v(0) = 0\neach step: v += 1\nspike when v > 10: v = 0", "no differential equation"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(text, words):
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.simulate(dvdt.Model(text, name="cell"), "10 ms", spike_times="exact")
    assert words in str(caught.value)
    assert "spike_times" in str(caught.value)
    assert "cell" in str(caught.value)


def test_all_reasons_are_told_together():
    with pytest.raises(dvdt.UsageError, match=r"brian2.*draws random numbers"):
        dvdt.simulate(SIMPLE + "spike when v > rand(): v = 0", "1 ms", spike_times="exact", conventions="brian2")


def test_a_condition_that_ends_refractoriness_is_looked_at_on_the_grid():
    text = "dx/dt = 2*pi*y/(5 ms) : 1\ndy/dt = -2*pi*x/(5 ms) : 1\ny(0) = 1\nspike when x > 0.5\nrefractory while x > 0.5"
    times = spike_times(text, "20 ms", 0.1, method="exact")
    assert np.abs(times - (5 / 12 + 5 * np.arange(4))).max() < 1e-6


def test_command_line_and_report(tmp_path, capsys):
    file, out = tmp_path / "lif.dvdt", tmp_path / "result.npz"
    file.write_text(str(LIF))
    assert main(["run", str(file), "--duration", "100 ms", "--dt", "1 ms", "--spike-times", "exact", "--out", str(out)]) == 0
    assert "between the points of the grid" in capsys.readouterr().out
    result = dvdt.load_result(out)
    assert result.report.spike_times == "exact"
    assert np.abs(result.spikes.t * 1e3 - lif_times(100)).max() < 1e-4
