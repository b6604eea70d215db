"""The sources of the library: statistics of the random ones, the steps of the planned ones, and currents as inputs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import dvdt


def raster(name: str, steps: int, n: int, dt: float = 0.1, seed: int = 5, **parameters: object) -> np.ndarray:
    """Spikes (step, neuron); step k is the one that begins at k*dt."""
    result = dvdt.simulate(name, f"{steps * dt!r} ms", dt=f"{dt!r} ms", n=n, parameters=parameters, seed=seed)
    found = np.zeros((steps, n), int)
    np.add.at(found, (np.rint(result.spikes.t / result.report.dt).astype(int) - 1, result.spikes.i), 1)
    return found


PROBABILITIES = [
    ("poisson", {"rate": "40 Hz"}, 0.1, 0.004),
    ("bernoulli", {"p": 0.3}, 1.0, 0.3),
    ("poisson_input", {"x": 0.2}, 1.0, 1 - np.exp(-0.2)),
    ("spaic_poisson", {"x": 0.3, "unit_conversion": 2.0}, 0.1, 0.06),
    ("spaic_bernoulli", {"x": 0.4, "max_prob": 0.5}, 0.1, 0.2),
    ("spaic_bernoulli", {"x": 4.0, "max_prob": 0.5}, 0.1, 0.5),  # divided by the largest
    ("poisson_generator", {"rate": 0.5}, 0.1, 0.05),
    ("poisson_generator2", {"rate": 0.5}, 0.1, 0.05),
    ("ngc_poisson", {"x": 0.5}, 1.0, 0.5 * 63.75e-3),
]


@pytest.mark.parametrize(("name", "parameters", "dt", "p"), PROBABILITIES)
def test_random_sources_spike_with_their_probability_and_independently(
    name: str, parameters: dict[str, object], dt: float, p: float
) -> None:
    found = raster(name, 1000, 200, dt, **parameters)
    assert stats.binomtest(int(found.sum()), found.size, p).pvalue > 1e-3
    per_neuron, per_step = found.sum(axis=0), found.sum(axis=1)
    assert 0.7 < per_neuron.var() / (1000 * p * (1 - p)) < 1.4  # binomial, so neither bunched nor spread out
    assert 0.85 < per_step.var() / (200 * p * (1 - p)) < 1.15
    later = (found[1:] & found[:-1]).sum()
    assert stats.binomtest(int(later), found[1:].size, p * p).pvalue > 1e-3


def test_a_driven_rate_is_followed() -> None:
    rates = np.repeat([10.0, 200.0, 0.0], 1000)[:, None] * np.ones(300)
    found = raster("poisson", 3000, 300, rate=dvdt.TimedSeries(rates, "0.1 ms", unit="Hz"))
    for part, rate in zip(np.split(found, 3), (10, 200, 0), strict=True):
        assert part.sum() == pytest.approx(rate * 0.1 * 300, abs=4 * np.sqrt(rate * 0.1 * 300))


def test_signed_inputs_send_minus_one() -> None:
    x = np.array([0.5, -0.5, 0.0])
    result = dvdt.simulate("binary_spike_input", "3 ms", n=3, parameters={"x": x, "signed_spikes": True}, record=["output"])
    assert result["output"][1:].tolist() == [[1, -1, 0]] * 3
    assert result.spikes.i.tolist() == [0] * 3
    assert result.events["negative"].i.tolist() == [1] * 3
    unsigned = dvdt.simulate("binary_spike_input", "3 ms", n=3, parameters={"x": x}, record=["output"])
    assert unsigned["output"][1:].tolist() == [[1, 0, 0]] * 3
    signed = dvdt.simulate("poisson_input", "2 s", n=50, parameters={"x": -0.3, "signed_spikes": True}, record=["output"])
    assert stats.binomtest(len(signed.events["negative"]), 100_000, 1 - np.exp(-0.3)).pvalue > 1e-3
    assert (signed["output"] == -1).sum() == len(signed.events["negative"])
    assert len(signed.spikes) == 0


def test_frames_hold_and_the_last_one_stays() -> None:
    frames = dvdt.TimedSeries(np.array([[1.0, 0.0], [0.0, 1.0]]), "2 ms")
    assert raster("binary_spike_input", 6, 2, 1.0, x=frames).tolist() == [[1, 0]] * 2 + [[0, 1]] * 4


def test_listed_spikes_come_in_the_first_step_from_their_time_on() -> None:
    found = raster("spike_times", 100, 3, times=dvdt.spike_times([[1.2, 5.05, 5.05], [], [0.0, 9.9]]))
    assert [np.flatnonzero(found[:, k]).tolist() for k in range(3)] == [[12, 51, 52], [], [0, 99]]
    seconds = raster("spike_times", 100, 1, times=dvdt.spike_times([[0.0012]], unit="s"))
    assert np.flatnonzero(seconds).tolist() == [12]


def test_spike_times_are_checked() -> None:
    for wrong, said in (
        ([[3, 1]], "ascending"),
        ([["a"]], "no number"),
        ([1, 2], "one list"),
        ([[-1]], "before 0"),
        ([], "no list"),
    ):
        with pytest.raises(dvdt.UsageError, match=said):
            dvdt.spike_times(wrong)
    with pytest.raises(dvdt.UsageError, match="unit of time"):
        dvdt.spike_times([[1]], unit="mV")
    with pytest.raises(dvdt.UsageError, match="2 lists of spike times for 3 neurons"):
        dvdt.simulate("spike_times", "1 ms", n=3, parameters={"times": dvdt.spike_times([[1], [2]])})
    with pytest.raises(dvdt.UsageError, match="'times'"):
        dvdt.simulate("lif", "1 ms", parameters={"I": dvdt.spike_times([[1]])})


def test_regular_trains() -> None:
    result = dvdt.simulate("regular", "100 ms", n=2, parameters={"period": ["10 ms", "30 ms"][0], "offset": "5 ms"})
    assert np.round(result.spikes.t[::2] * 1e3, 6).tolist() == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]


def encoded(found: np.ndarray) -> list[list[int]]:
    return [np.flatnonzero(column).tolist() for column in found.T]


def test_the_encoders_of_one_spike() -> None:
    """Against their formulas, computed by hand in plain numbers."""
    x = np.array([0.0, 0.2, 0.55, 0.9, 1.0])
    scaled = (x - x.min()) / (x.max() - x.min() + 1e-10)
    assert encoded(raster("latency", 100, 5, x=x)) == [[int(99 * (1 - s))] for s in scaled]
    half = raster("latency", 100, 5, x=x + 0.04, cut_off=True, max_scale=0.5)
    assert encoded(half) == [[]] + [[int(49.5 * (1 - s))] for s in scaled[1:]]
    weak = np.exp(-2 * x)
    places = np.trunc(99 * 0.9999999 * (weak - weak.min())).astype(int)
    limit = int(places.min() + 0.8 * (places.max() - places.min()))
    assert encoded(raster("relative_latency", 100, 5, x=x, amp=2)) == [[p] if p < limit else [] for p in places]
    assert encoded(raster("sstb", 100, 3, time=np.array([0.0, 3.33, 9.95]))) == [[0], [33], [99]]
    assert encoded(raster("ngc_latency", 150, 3, 1.0, x=np.array([0.0, 0.5, 1.0]))) == [[99], [50], [0]]
    times = 100 * np.log(np.array([0.02, 0.5]) / (np.array([0.02, 0.5]) - 0.01))
    assert encoded(raster("ngc_latency_log", 150, 3, 1.0, x=np.array([0.01, 0.02, 0.5]))) == [
        [],
        *([int(np.ceil(t))] for t in times),
    ]


def test_the_uniform_encoder_sends_regular_trains() -> None:
    x = np.array([0.0, 0.5, 1.0])
    found = encoded(raster("uniform_train", 1000, 3, x=x, max_time=20.0))
    for k in (1, 2):
        period = int(np.ceil(20 * (0.05 + 1 - x[k]) / ((0.05 + 1) * 0.1)))
        assert found[k] == list(range(period - 1, 1000, period))
    assert found[0] == []


def test_spaic_poisson_is_gated_in_whole_steps() -> None:
    found = raster("spaic_poisson", 100, 20, x=20.0, start_time=2.0, end_time=5.0)
    assert found[20:50].all()
    assert not found[:20].any()
    assert not found[50:].any()


# ---- currents as inputs of parameters -------------------------------------------------------------


def driven(value: object) -> dvdt.Result:
    return dvdt.simulate("adex", "300 ms", parameters={"I": value}, record=["v", "I"])


def test_a_current_is_the_input_of_a_parameter_in_the_unit_of_the_parameter() -> None:
    sine = dvdt.Population("sine_current", parameters={"amplitude": 1200, "period": 40})
    as_text = driven(dvdt.function("1200 pA*sin(2*pi*t/(40 ms))"))
    np.testing.assert_allclose(driven(sine)["v"], as_text["v"], atol=1e-9)
    assert len(as_text.spikes) > 1
    ramp = driven(dvdt.Population("ramp_current", parameters={"amp": 10.0, "base": 5, "end_time": 200}))
    t = np.arange(3001) * 0.1
    np.testing.assert_allclose(ramp["I"][:, 0], np.where(t < 200 - 1e-9, 10 * (t + 5), 0), atol=1e-9)
    held = driven(dvdt.Population("constant_current", parameters={"amplitude": 700}))
    np.testing.assert_array_equal(held["v"], driven("700 pA")["v"])


def test_an_output_with_a_unit_keeps_it() -> None:
    late = dvdt.Model("output 0.7 nA*(t > 100 ms)", name="late")
    assert driven(late)["I"].max() == pytest.approx(700)
    with pytest.raises(dvdt.UsageError, match="sends mV, and this is in pA"):
        driven(dvdt.Model("output 20 mV*t/(1 ms)"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (dvdt.model("poisson"), "has events of its own"),
        (dvdt.Model("dx/dt = -x/(10 ms)\nx(0) = 1\noutput x"), "has states"),
        (dvdt.Model("I = 3 nA"), "has no `output`"),
        (dvdt.Model("output randn()*(1 pA)"), "draws random numbers"),
        (
            dvdt.Population("sine_current", parameters={"amplitude": dvdt.normal(1, 2)}),
            "amplitude of sine_current has to be one value",
        ),
    ],
    ids=["events", "states", "output", "draws", "distribution"],
)
def test_what_is_no_course_of_a_current_is_refused(value: object, said: str) -> None:
    with pytest.raises(dvdt.UsageError, match=said):
        driven(value)
