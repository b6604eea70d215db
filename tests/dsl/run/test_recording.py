"""What is recorded, of whom and when."""

import numpy as np
import pytest

import dvdt

TEXT = """
    dv/dt = (E_L - v)/tau : mV
    tau = 10 ms
    E_L = -70 mV - 1 mV*i
    gap = v - E_L
    drive = 2 pA * t/(1 ms) : pA
    k(0) = 0
    each step: k = k + 1
    v(0) = -50 mV
    spike when v < -60 mV: v = -50 mV
"""


def run(record, n=4, duration="5 ms", **kwargs):
    return dvdt.simulate(TEXT, duration, n=n, record=record, backend="reference", method="exact", **kwargs)


def test_states_parameters_derived_quantities_and_inputs():
    result = run(["v", "E_L", "gap", "drive"])
    assert np.allclose(result["E_L"], -70 - np.arange(4))
    assert np.allclose(result["gap"], result["v"] - result["E_L"], atol=1e-12)
    assert np.allclose(result["drive"], 2 * result.t[:, np.newaxis] * 1000, atol=1e-12)
    assert result.units["v"] == "mV"
    assert result.units["drive"] == "pA"


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_values_come_in_the_unit_that_the_model_writes(precision):
    text = "dv/dt = (E_L - v)/(10 ms) : volt\nE_L = -70 mV\nv(0) = -50 mV"
    running = dvdt.Simulation(text, record=["v", "E_L"], precision=precision, backend="reference", method="exact")
    result = running.run("10 ms")
    assert result["v"].dtype == precision
    assert result["v"][:, 0] == pytest.approx(-0.07 + 0.02 * np.exp(-result.t / 0.010), rel=1e-6)
    assert result["E_L"][0, 0] == pytest.approx(-70.0)
    assert result.final_state["v"] == pytest.approx(result["v"][-1])
    assert np.array_equal(running.result()["v"], result["v"])  # neither was scaled in place


def test_the_course_is_the_exponential():
    result = run(["v"], n=1)
    assert result["v"][:, 0] == pytest.approx(-70 + 20 * np.exp(-result.t / 0.010), abs=1e-10)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (slice(0, 2), [0, 1]),
        (slice(None, None, 2), [0, 2]),
        ([3, 1], [3, 1]),
        ([2, 0, -1, 2], [2, 0, 3, 2]),
        (slice(None, None, -1), [3, 2, 1, 0]),
        (2, [2]),
        (-1, [3]),
        (np.array([True, False, False, True]), [0, 3]),
        (np.int64(1), [1]),
        ([], []),
        (None, [0, 1, 2, 3]),
    ],
)
def test_some_neurons(asked, expected):
    everyone = run(["v"])
    result = run({"v": dvdt.record(neurons=asked)})
    assert result["v"].shape == (51, len(expected))
    assert np.array_equal(result["v"], everyone["v"][:, expected])
    for neuron in expected:
        assert np.array_equal(result["v", neuron], everyone["v"][:, neuron])
        assert result["v", neuron].shape == (51,)
    if len(expected) == 2:
        assert np.array_equal(result["v", expected[::-1]], everyone["v"][:, expected[::-1]])


def test_a_neuron_that_was_not_recorded():
    result = run({"v": dvdt.record(neurons=[1, 3])})
    for neuron in (0, 2, 4, -1):
        with pytest.raises(dvdt.UsageError, match="was not recorded"):
            result["v", neuron]
    with pytest.raises(dvdt.UsageError, match="index"):
        result["v", 1.5]


def test_intervals_of_their_own():
    result = run({"v": dvdt.record(every="1 ms"), "gap": dvdt.record(every="0.5 ms", neurons=0), "k": None})
    assert result["v"].shape == (6, 4)
    assert result["gap"].shape == (11, 1)
    assert result["k"].shape == (51, 4)
    assert result.times["v"] == pytest.approx(np.arange(6) * 1e-3)
    with pytest.raises(dvdt.UsageError, match="times"):
        result.t  # noqa: B018


def test_an_interval_that_dt_does_not_divide_is_rounded_with_a_note():
    result = run({"v": dvdt.record(every="0.26 ms")})
    assert result.times["v"][:2] == pytest.approx([0, 0.3e-3])
    assert any("0.26" in note for note in result.report.notes)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (["gapp"], "'gap'"),
        (["quux"], "known"),
        ({"v": "1 ms"}, "dvdt.record"),
        ({"v": dvdt.record(every="1 mV")}, "every"),
        ({"v": dvdt.record(every="0 ms")}, "every"),
        ({"v": dvdt.record(every="-1 ms")}, "every"),
        ({"v": dvdt.record(every="0.01 ms")}, "dt"),
        ({"v": dvdt.record(every=1)}, "every"),
        ({"v": dvdt.record(neurons=4)}, "no neuron 4"),
        ({"v": dvdt.record(neurons=[-5])}, "no neuron -5"),
        ({"v": dvdt.record(neurons=[0.5])}, "neurons"),
        ({"v": dvdt.record(neurons="all")}, "neurons"),
        ({"v": dvdt.record(neurons=[True, False])}, "mask"),
        ([1], "name"),
        (3, "record"),
    ],
)
def test_refused(record, words):
    with pytest.raises(dvdt.UsageError) as caught:
        run(record)
    assert "record" in str(caught.value)
    assert words in str(caught.value)


def test_recording_changes_nothing():
    silent, loud = run([]), run({"v": dvdt.record(every="0.3 ms", neurons=[2]), "gap": None})
    assert np.array_equal(silent.final_state["v"], loud.final_state["v"])
    assert np.array_equal(silent.spikes.t, loud.spikes.t)
    assert np.array_equal(silent.spikes.i, loud.spikes.i)


def test_spikes_are_sorted_by_time_then_neuron():
    spikes = run([], n=30, duration="30 ms").spikes
    assert len(spikes) > 30
    assert np.array_equal(np.lexsort((spikes.i, spikes.t)), np.arange(len(spikes)))
    assert spikes.t.dtype == np.float64
    assert spikes.i.dtype == np.int64


def test_other_events():
    text = "x(0) = 0\neach step: x = x + 1\nspike when x % 4 == 0\non burst when x % 10 == 0: x = x"
    result = dvdt.simulate(text, "3 ms", backend="reference")
    assert result.spikes.t == pytest.approx(np.arange(4, 31, 4) * 1e-4)
    assert result.events["burst"].t == pytest.approx([1e-3, 2e-3, 3e-3])
    assert set(result.events) == {"spike", "burst"}
    assert len(dvdt.simulate("x(0) = 0\neach step: x = x + 1", "1 ms", backend="reference").spikes) == 0


def test_the_order_of_neurons_outlives_a_file(tmp_path):
    result = run({"v": dvdt.record(neurons=[2, 0])})
    result.save(tmp_path / "r.npz")
    read = dvdt.load_result(tmp_path / "r.npz")
    assert np.array_equal(read["v"], result["v"])
    assert np.array_equal(read["v", 0], result["v"][:, 1])


def test_names_in_two_spellings_of_unicode():
    micro, greek = "\u00b5", "\u03bc"
    result = dvdt.simulate(
        f"{greek}*dv/dt = -v : mV; {greek} = 10 ms", "1 ms", parameters={micro: "5 ms"}, record=[micro], backend="reference"
    )
    assert result[micro][0, 0] == result[greek][0, 0] == pytest.approx(5.0)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize(
    "asked",
    [slice(None, None, 7), slice(None, None, -7), [40, 3, 3], np.arange(50)[::-3], np.array([3, 1], np.uint8), slice(5, 5)],
)
def test_any_order_and_any_array_on_both_backends(backend, asked):
    """The closed form of decay from i mV."""
    fall = "dv/dt = -v/(10 ms) : mV; v(0) = 1 mV*i"
    result = dvdt.simulate(fall, "2 ms", n=50, record={"v": dvdt.record(neurons=asked)}, backend=backend)
    assert result["v"] == pytest.approx(np.exp(-result.t[:, np.newaxis] / 0.010) * np.arange(50)[asked], abs=1e-12)


@pytest.mark.parametrize("name", ["push", "sum", "xi_own"])
def test_white_noise_has_no_value_to_record(name):
    text = "dv/dt = -v/tau + sum : mV\ntau = 10 ms\npush = sqrt(2/tau)*xi_own\nsum = (1 mV)*push + 1 mV/ms"
    with pytest.raises(dvdt.UsageError, match=f"record: {name} holds white noise, which has no value at a moment"):
        dvdt.simulate(text, "1 ms", record=["v", name], backend="reference")
    with pytest.raises(dvdt.UsageError, match=r"has no 'summ' to record \(known: v, tau\)"):
        dvdt.simulate(text, "1 ms", record="summ", backend="reference")
