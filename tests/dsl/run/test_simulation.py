"""Running: durations, pieces, closed loops, trouble."""

import signal
import threading

import numpy as np
import pytest

import dvdt

LIF = """
    dv/dt = (E_L - v + R*I) / tau : mV (unless refractory)
    tau = 20 ms;  E_L = -70 mV;  R = 100 Mohm;  I = 0 nA
    v(0) = E_L
    spike when v > -50 mV: v = -65 mV
    refractory 2 ms
"""
NOISY = LIF + "dw/dt = (jitter - w)/tau : mV\njitter = randn()*(1 mV) (constant over dt)\n"


def simulation(text=LIF, **kwargs):
    return dvdt.Simulation(text, **{"backend": "reference", "seed": 1, "parameters": {"I": "300 pA"}, **kwargs})


def test_first_spike_and_interval_of_the_closed_form():
    """R I = 30 mV above rest: from -70 to -50 mV in tau ln 3, from -65 mV in tau ln 2.5, and 2 ms refractory."""
    result = dvdt.simulate(LIF, "80 ms", dt="0.01 ms", parameters={"I": "300 pA"}, backend="reference")
    assert result.spikes.t[0] == pytest.approx(0.020 * np.log(3), abs=1.1e-5)
    assert np.diff(result.spikes.t) == pytest.approx(0.020 * np.log(2.5) + 0.002, abs=2.1e-5)
    assert result.report.scheme == "exact"


@pytest.mark.parametrize("pieces", [("25 ms", "15 ms"), ("0.1 ms", "39.9 ms"), ("39.9 ms", "0.1 ms"), ("0 ms", "40 ms")])
@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
def test_a_run_in_pieces_is_the_whole(pieces, conventions):
    kwargs = {"text": NOISY, "n": 3, "record": ["v", "w"], "conventions": conventions, "method": "euler"}
    whole = simulation(**kwargs).run("40 ms")
    split = simulation(**kwargs)
    parts = [split.run(piece) for piece in pieces]
    both = split.result()
    assert len(whole.spikes) > 0
    for name in ("v", "w"):
        assert np.array_equal(both[name], whole[name])
        assert np.array_equal(split.state[name], whole.final_state[name])
        assert np.array_equal(np.concatenate([part.final_state[name] for part in parts])[-3:], whole.final_state[name])
    assert np.array_equal(both.spikes.t, whole.spikes.t)
    assert np.array_equal(np.concatenate([part.spikes.i for part in parts]), whole.spikes.i)
    assert np.array_equal(np.concatenate([part.spikes.t for part in parts]), whole.spikes.t)


def test_steps_are_a_run():
    whole = simulation(record=["v"]).run("25 ms")
    stepped = simulation(record=["v"])
    spiked = [stepped.step() for _ in range(248)]
    last = stepped.step(2)
    assert stepped.steps == 250
    assert stepped.t == pytest.approx(0.025)
    assert np.array_equal(stepped.result()["v"], whole["v"])
    at = [k for k, neurons in enumerate(spiked) if len(neurons)]
    assert (np.array(at) + 1) * 1e-4 == pytest.approx(whole.spikes.t)
    assert spiked[at[0]].tolist() == [0]
    assert last.tolist() == []


def test_a_result_keeps_its_final_state_when_the_simulation_goes_on():
    running = simulation()
    first = running.run("5 ms")
    before = first.final_state["v"]
    running.run("5 ms")
    assert np.array_equal(first.final_state["v"], before)
    second = running.run("5 ms")
    kept = second.final_state["v"]
    running.state["v"] = "-55 mV"
    assert np.array_equal(second.final_state["v"], kept)
    assert running.state["v"].tolist() == [-55.0]


def test_a_state_that_is_set_is_where_the_next_step_begins():
    running = simulation(parameters={}, record=["v"])
    running.run("10 ms")
    running.state["v"] = "v + 15 mV"
    result = running.run("10 ms")
    assert result["v"][:, 0] == pytest.approx(-70 + 15 * np.exp(-(result.t - 0.010) / 0.020), abs=1e-9)
    for value in ("3 nA", [1.0, 2.0], np.nan, dvdt.step("0 mV", "1 mV")):
        with pytest.raises(dvdt.UsageError, match="v"):
            running.state["v"] = value
    with pytest.raises(dvdt.UsageError, match="no state"):
        running.state["u"] = 1.0
    with pytest.raises(dvdt.UsageError, match="no state"):
        running.state["u"]


def test_draws_for_a_state_are_fresh_at_each_time():
    running = simulation(n=100)
    running.state["v"] = "-70 mV + 10 mV*rand()"
    first = running.state["v"]
    running.step()
    running.state["v"] = "-70 mV + 10 mV*rand()"
    assert abs(np.corrcoef(first, running.state["v"])[0, 1]) < 0.4


@pytest.mark.parametrize(
    "value",
    ["0.1 nA", [0.1], dvdt.step("0.1 nA", "0.1 nA"), dvdt.function("0.1 nA + 0 nA * t/(1 ms)"), dvdt.TimedSeries([0.1], "1 ms")],
    ids=["one value", "array", "step", "function", "series"],
)
def test_a_parameter_that_is_set_holds_from_the_next_step_on(value):
    """Whatever its shape, also where that needs another kernel."""
    running = simulation(parameters={"I": "0 nA"}, record=["v"])
    running.run("10 ms")
    running.parameters["I"] = value
    result = running.run("10 ms")
    expected = -60 - 10 * np.exp(-(result.t - 0.010) / 0.020)
    assert result["v"][:, 0] == pytest.approx(expected, abs=1e-9)
    assert running.result()["v"].shape == (201, 1)
    running.parameters["I"] = "0 nA"
    assert running.run("200 ms").final_state["v"] == pytest.approx([-70.0], abs=1e-2)


def test_a_refractory_period_goes_on_in_another_kernel():
    running = simulation(parameters={"I": "1 nA"})
    while not len(running.step()):
        pass
    running.step(5)
    running.parameters["I"] = [1.0]
    running.step(14)
    assert running.state["v"].tolist() == [-65.0]
    running.step(2)
    assert running.state["v"][0] > -65.0


def test_parameters_read_back():
    running = simulation(n=2, parameters={"I": [0.1, 0.2], "tau": "10 ms"})
    assert running.parameters["I"].tolist() == pytest.approx([0.1, 0.2])
    assert running.parameters["tau"] == 10.0
    assert set(running.parameters) == {"tau", "E_L", "R", "I"}
    with pytest.raises(dvdt.UsageError, match="'tau'"):
        running.parameters["taau"]
    with pytest.raises(dvdt.UsageError, match="'tau'"):
        running.parameters["taau"] = 1.0
    with pytest.raises(dvdt.UsageError, match="I"):
        running.parameters["I"] = "3 mV"
    assert running.parameters["I"].tolist() == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize("dt", ["0 ms", "-0.1 ms", "nan ms", "inf ms", "0.1", "0.1 mV", 0.1, "fast"])
def test_dt_that_is_none(dt):
    with pytest.raises(dvdt.UsageError, match="dt"):
        dvdt.simulate(LIF, "1 ms", dt=dt, backend="reference")


@pytest.mark.parametrize("duration", ["-1 ms", "nan s", "1", 1.0, "1 mV", "1e300 s", None])
def test_duration_that_is_none(duration):
    with pytest.raises(dvdt.UsageError, match="duration"):
        dvdt.simulate(LIF, duration, backend="reference")


def test_a_duration_is_rounded_to_whole_steps_with_a_note():
    report = dvdt.simulate(LIF, "1 ms", dt="0.3 ms", backend="reference").report
    assert report.steps == 3
    assert report.duration == pytest.approx(0.9e-3)
    assert any("duration" in note and "0.9 ms" in note for note in report.notes)
    for duration, dt, steps in [("1 s", "0.1 ms", 10000), ("0.3 ms", "0.1 ms", 3), ("1.1 ms", "0.1 ms", 11)]:
        report = dvdt.simulate("x(0) = 0\neach step: x = 1 - x", duration, dt=dt, backend="reference").report
        assert report.steps == steps
        assert not report.notes


def test_no_steps():
    result = dvdt.simulate(LIF, "0 ms", record=["v"], backend="reference")
    assert result["v"].tolist() == [[-70.0]]
    assert result.final_state["v"].tolist() == [-70.0]
    with pytest.raises(dvdt.UsageError, match="rates"):
        result.rates()


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"method": "rk5"}, "rk4"),
        ({"method": 4}, "method"),
        ({"backend": "gpu"}, "backend"),
        ({"precision": "float16"}, "float64"),
        ({"threads": 0}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"seed": -1}, "seed"),
        ({"seed": 1 << 64}, "seed"),
        ({"seed": "one"}, "seed"),
        ({"seed": True}, "seed"),
        ({"conventions": "brian"}, "brian2"),
        ({"spike_times": "precise"}, "grid"),
        ({"progress": 3}, "progress"),
        ({"n": 0}, "n"),
        ({"parameters": [1]}, "parameters"),
        ({"state": "v"}, "state"),
    ],
)
def test_arguments_that_are_refused(kwargs, words):
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.simulate(LIF, "1 ms", **{"backend": "reference", **kwargs})
    assert next(iter(kwargs)) in str(caught.value)
    assert words in str(caught.value)


def test_a_fresh_seed_is_told():
    seeds = {dvdt.simulate(LIF, "0.1 ms", backend="reference").report.seed for _ in range(3)}
    assert len(seeds) == 3
    seed = seeds.pop()
    state = {"v": "-70 mV + rand()*mV"}
    one, two = (dvdt.simulate(LIF, "1 ms", state=state, seed=seed, backend="reference") for _ in range(2))
    assert np.array_equal(one.final_state["v"], two.final_state["v"])


EXPLOSIVE = "dv/dt = v^2/(1 ms) \nv(0) = 1\nspike when v > 1e9\nlabel = 1"


def test_a_state_that_explodes_stops_the_run_with_what_there_is():
    """dv/dt = v^2 reaches infinity at t = 1 ms; Euler's scheme a few steps later."""
    with pytest.raises(dvdt.RunError) as caught:
        dvdt.simulate(
            EXPLOSIVE, "100 ms", dt="0.1 ms", n=3, state={"v": [0.0, 1.0, 0.0]}, record=["v"], method="euler", backend="reference"
        )
    told, result = str(caught.value), caught.value.result
    assert "v of neuron 1 is not finite" in told
    v, steps = 1.0, 0
    with np.errstate(over="ignore"):
        while np.isfinite(v):
            v, steps = v + 0.1 * v * v, steps + 1
    assert f"(step {steps - 1})" in told
    assert result["v"].shape[1] == 3
    assert len(result["v"]) >= steps - 1
    assert np.isfinite(result["v"]).all()
    assert result.report.steps == steps - 1
    with pytest.raises(dvdt.UsageError, match="no final state"):
        result.final_state["v"]
    assert list(result.spikes.i) == [1] * len(result.spikes)


def test_a_simulation_that_has_exploded_does_not_go_on():
    running = dvdt.Simulation(EXPLOSIVE, method="euler", backend="reference")
    with pytest.raises(dvdt.RunError):
        running.run("100 ms")
    with pytest.raises(dvdt.UsageError, match="has stopped"):
        running.run("1 ms")


def test_progress_is_told_and_ends_at_one():
    calls = []
    result = dvdt.simulate(
        LIF, "20 ms", progress=lambda fraction, elapsed: calls.append((fraction, elapsed)), backend="reference"
    )
    fractions, elapsed = zip(*calls, strict=True)
    assert fractions[-1] == 1.0
    assert list(fractions) == sorted(fractions)
    assert list(elapsed) == sorted(elapsed)
    assert result.report.steps == 200


def test_nothing_is_printed_into_a_pipe(capsys):
    dvdt.simulate(LIF, "20 ms", backend="reference")
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_gives_what_there_is_and_the_simulation_goes_on():
    """The signal comes as the keyboard sends it, in the middle of a run."""
    running = simulation(record=["v"])
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(dvdt.RunError, match="interrupted at") as caught:
        running.run("100 s")
    partial = caught.value.result
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert 0 < partial.report.steps < 1_000_000
    assert len(partial["v"]) == partial.report.steps + 1
    whole = simulation(record=["v"])
    assert np.array_equal(whole.run(f"{partial.report.steps * 0.1:.1f} ms")["v"], partial["v"])
    assert np.array_equal(running.run("1 ms")["v"], whole.run("1 ms")["v"])


def test_a_keyboard_interrupt_of_the_progress_is_one_of_the_run():
    def stop(fraction, elapsed):
        raise KeyboardInterrupt

    with pytest.raises(dvdt.RunError, match="interrupted") as caught:
        dvdt.simulate(LIF, "100 s", progress=stop, backend="reference")
    assert 0 < caught.value.result.report.steps < 1_000_000


def test_a_model_by_name_is_looked_up():
    assert dvdt.simulate("adex", "1 ms", backend="reference").report.model == "adex"
    with pytest.raises(dvdt.UsageError, match="adex"):
        dvdt.simulate("addex", "1 ms")
    with pytest.raises(dvdt.UsageError, match="Population, a Model"):
        dvdt.simulate(42, "1 ms")


def test_names_that_a_text_uses_and_does_not_define_come_from_the_parameters():
    text = "dv/dt = (v_rest - v)/tau_m : volt"
    result = dvdt.simulate(text, "100 ms", parameters={"v_rest": "-65 mV", "tau_m": "1 ms"}, backend="reference")
    assert result.final_state.si("v") == pytest.approx([-0.065])
    assert result.final_state["v"] == pytest.approx([-0.065])
    with pytest.raises(dvdt.ModelError, match="tau_m"):
        dvdt.simulate(text, "1 ms", parameters={"v_rest": "-65 mV"}, backend="reference")


def test_trouble_tells_of_a_parameter_that_was_never_set():
    with pytest.warns(UserWarning, match="tau"), pytest.raises(dvdt.RunError, match="tau was never set and counted as 0"):
        dvdt.simulate("dv/dt = -v/tau : mV; tau : second; v(0) = 1 mV", "1 ms", backend="reference")


def test_more_steps_than_can_be_counted():
    with pytest.raises(dvdt.UsageError, match="count: no more than"):
        dvdt.Simulation("lif", backend="reference").step(10**30)


def test_the_mean_of_a_count_is_named_where_a_run_ends_in_nan():
    text = "rate = 2 Hz\nx(0) = 0\neach step: x = poisson(rate*dt) + (0 if t < 1 ms else poisson(-rate*dt))"
    with pytest.raises(dvdt.RunError, match=r"`poisson\(mean\)` gives nan where its mean is negative or infinite"):
        dvdt.simulate(text, "2 ms", backend="reference")


def test_a_notebook_shows_a_simulation_where_it_is():
    sim = simulation(method="rk4")
    sim.run("30.5 ms")
    page = sim._repr_html_()
    assert "<b>model</b>, 1 neuron" in page
    assert "at t = 30.5 ms" in page
    assert "reference, float64" in page
    assert page.index("300 pA") < page.index("<details>") < page.index("rk4")
