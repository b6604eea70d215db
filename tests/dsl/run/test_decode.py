"""Decoders against values worked out by hand, of a small raster and a small course of a potential."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt import decode

# steps of 1 ms, neurons a, b, c, d: who spikes when
RASTER = np.array(
    [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 1, 0, 1],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 1, 0, 0],
    ],
    float,
)
V = np.cumsum(np.array([[1.0, -1.0, 0.5, 2.0]] * 10), axis=0)  # after each step
T = len(RASTER)

TEXT = """
    fire = 0
    slope = 0 mV
    v(0) = 0 mV
    late = 0.25*fire
    each step: v += slope
    spike when fire > 0.5
"""


def run(raster: np.ndarray = RASTER, conventions: str = "dvdt", start: int = 0) -> dvdt.Result:
    """A run that makes exactly these spikes."""
    n = raster.shape[1]
    drive = np.vstack([np.zeros((start, n)), raster])
    parameters = {"fire": dvdt.TimedSeries(drive, "1 ms"), "slope": np.resize([1.0, -1.0, 0.5, 2.0], n)}
    simulation = dvdt.Simulation(
        TEXT, dt="1 ms", n=n, parameters=parameters, record=["v"], conventions=conventions, backend="reference"
    )
    if start:
        simulation.run(f"{start} ms")
    return simulation.run(f"{len(raster)} ms")


@pytest.fixture(scope="module")
def result() -> dvdt.Result:
    return run()


SILENT = np.zeros((5, 4))


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
def test_the_raster_and_the_course_are_those_of_the_steps(conventions: str) -> None:
    found = run(conventions=conventions)
    np.testing.assert_array_equal(decode.raster(found), RASTER)
    np.testing.assert_allclose(decode.v_t(found), V)
    assert decode.null is decode.raster


def test_a_stretch_of_a_longer_run_and_windows() -> None:
    late = run(start=7)
    np.testing.assert_array_equal(decode.raster(late), RASTER)
    np.testing.assert_array_equal(decode.raster(late, ("9 ms", "11 ms")), RASTER[2:4])
    assert decode.spike_count(late, window=("12 ms", "17 ms")).tolist() == [1, 4, 0, 0]
    for window, said in (
        (("2 ms", "9 ms"), "from 7 ms to 17 ms"),
        (("9 ms", "9 ms"), "no part"),
        ("9 ms", "two times"),
        ((1, 2), "time"),
    ):
        with pytest.raises(dvdt.UsageError, match=said):
            decode.raster(late, window)


def test_counts(result: dvdt.Result) -> None:
    assert decode.spike_count(result).tolist() == [2, 6, 0, 1]
    assert decode.spike_counts(result, pop_size=2, bias=1, scale=0.5).tolist() == [4.5, 1.0]
    assert decode.spike_rates(result).tolist() == pytest.approx([0.2, 0.6, 0, 0.1])
    assert decode.spike_rate(result, pop_size=2, bias=0.2, scale=10).tolist() == pytest.approx([10, 3])
    with pytest.raises(dvdt.UsageError, match="divides the 4 neurons"):
        decode.spike_counts(result, pop_size=3)


def test_first_spikes(result: dvdt.Result) -> None:
    assert decode.first_spike(result).tolist() == [0, 1, 0, 1]
    times = decode.first_spike_time(result)
    assert times[[0, 1, 3]].tolist() == pytest.approx([-3, -2, -2])
    assert times[2] == np.finfo(np.float32).min
    assert decode.first_spike(run(SILENT)).tolist() == [0, 0, 0, 0]
    assert decode.first_spike_time(run(start=7), window=("10 ms", "17 ms"))[:2].tolist() == pytest.approx([-10, -10])


def test_weighted_counts_and_smoothed_trains(result: dvdt.Result) -> None:
    weights = [0.1 * np.exp(-k / 5) for k in range(T)]
    assert decode.time_spike_counts(result)[0] == pytest.approx(weights[3] + weights[6])
    smooth = decode.spike_conv(result, width=3)
    # spikes of neuron a in steps 3 and 6: step 5 is 2 behind one and 1 before the other
    assert smooth[5, 0] == pytest.approx(np.exp(-4) + np.exp(-1))
    assert smooth[0, 0] == pytest.approx(np.exp(-9))
    assert smooth.shape == RASTER.shape
    assert decode.spike_conv(run(SILENT)).shape == SILENT.shape  # a kernel longer than the train


def test_readouts_of_the_potential(result: dvdt.Result) -> None:
    assert decode.final_step_voltage(result).tolist() == pytest.approx([10, -10, 5, 20])
    assert decode.voltage_sum(result).tolist() == pytest.approx(np.array([10, -10, 5, 20]) - 5.5 * 2.5 / 4)
    assert decode.sum_voltage(result).tolist() == pytest.approx([55, -55, 27.5, 110])
    assert decode.average_voltage(result).tolist() == pytest.approx([5.5, -5.5, 2.75, 11])
    early = sum(np.exp(-k / 10) * (k + 1) for k in range(10)) / 10
    assert decode.weighted_average_voltage(result)[:2].tolist() == pytest.approx([early, -early])
    assert decode.max_voltage(result).tolist() == pytest.approx([10, 0, 5, 20])
    assert (decode.var, decode.max_var) == (decode.final_step_voltage, decode.max_voltage)
    sparse = dvdt.simulate(TEXT, "4 ms", dt="1 ms", record={"v": dvdt.record(every="2 ms")}, backend="reference")
    with pytest.raises(dvdt.UsageError, match="record it in every step"):
        decode.v_t(sparse)
    with pytest.raises(dvdt.UsageError, match="'V' was not recorded"):
        decode.max_voltage(result, "V")


def test_spikes_with_a_lateness() -> None:
    found = lateness_run()
    late = RASTER * np.array([0.0, 0.5, 0.0, 0.25])
    times = np.arange(T)[:, None] - late
    first_four = [2, 3, 5, 7]  # of neuron b
    assert decode.complex_count(found, "late")[1] == pytest.approx(-sum(times[k, 1] for k in first_four) / T + 1e-6)
    place = T - np.arange(T)[:, None] + late
    largest = place.max()
    wanted = sum(np.exp((place[k, 0] - largest) / T) * np.exp(-(c + 1) / 5) for c, k in enumerate([3, 6]))
    assert decode.complex_latency(found, "late")[0] == pytest.approx(wanted)
    levels = np.abs(RASTER + 1j * late).mean(axis=1)
    weights = np.exp(levels) / np.exp(levels).sum()
    assert decode.complex_phase(found, "late")[3] == pytest.approx(weights[2] / (abs(1 + 0.25j) + 1))
    softmax = decode.time_softmax(found, 2, "late")
    earliest = 2.25  # neuron d
    arrivals = np.arange(T)[:, None] + late
    score = 5 * np.exp((earliest - arrivals) / 50) * RASTER
    assert softmax.tolist() == pytest.approx([score[:, :2].sum() / 2, score[:, 2:].sum() / 2])
    assert decode.time_softmax(run(SILENT), 2).tolist() == [0, 0]
    assert decode.complex_conv(found, "late", width=3)[5, 1] == pytest.approx((1 + 0.5j) * (1 + 2 * np.exp(-4) + 2 * np.exp(-9)))


def lateness_run() -> dvdt.Result:
    text = TEXT.replace("0.25*fire", "where(i == 1, 0.5, where(i == 3, 0.25, 0)) + 0*v/(1 mV)")
    drive = dvdt.TimedSeries(RASTER, "1 ms")
    return dvdt.simulate(text, "10 ms", dt="1 ms", n=4, parameters={"fire": drive}, record=["late"], backend="reference")


def test_distance_and_trajectory(result: dvdt.Result) -> None:
    assert decode.complex_timing_distance(result, RASTER) == 0
    other = RASTER.copy()
    other[6, 0] = 0
    kernel = np.exp(-((3 * (np.arange(T) - 6) / 10) ** 2))
    assert decode.complex_timing_distance(result, other) == pytest.approx((kernel**2).sum() / RASTER.size)
    path = decode.complex_trajectory(result, np.array([[1.0], [0], [0], [0]]), tau_d=5, tau_r=8)
    wanted = [sum(np.exp(-(k - s) / 5) * np.cos(2 * np.pi * (k - s) / 8) for s in (3, 6) if s <= k) for k in range(T)]
    assert path[:, 0].tolist() == pytest.approx(wanted)
    with pytest.raises(dvdt.UsageError, match="weights"):
        decode.complex_trajectory(result, np.ones(4))
    with pytest.raises(dvdt.UsageError, match="target"):
        decode.complex_timing_distance(result, np.ones(3))


def test_actions(result: dvdt.Result) -> None:
    assert decode.highest_spikes_action(result) == 1
    assert decode.highest_spikes_action(run(SILENT)) == 0
    assert decode.first_spike_action(result) == 1
    assert decode.first_spike_action(run(SILENT)) == 0
    assert decode.highest_voltage_action(result, trial=100_000, seed=3) == 3
    random = np.random.default_rng(4)

    def shares(choose: object, count: int) -> np.ndarray:
        return np.bincount([choose() for _ in range(4000)], minlength=count) / 4000  # type: ignore[operator]

    def close(found: np.ndarray, wanted: np.ndarray) -> bool:
        return bool(np.all(np.abs(found - wanted) < 4 * np.sqrt(0.25 / 4000)))

    counts = np.array([2, 6, 0, 1])
    assert close(shares(lambda: decode.pop_rate_action(result, seed=random), 4), counts / 9)
    assert close(shares(lambda: decode.pop_rate_action(run_silent, seed=random), 4), np.full(4, 0.25))
    assert close(shares(lambda: decode.softmax_action(result, seed=random), 4), np.exp(counts) / np.exp(counts).sum())
    assert close(shares(lambda: decode.random_action(result, 2, seed=random), 2), np.full(2, 0.5))
    by_chance = 0.05 + 0.85 * np.exp(-50 / 200)
    greedy = shares(lambda: decode.highest_voltage_action(result, trial=50, seed=random), 4)
    assert close(greedy, np.full(4, by_chance / 4) + (1 - by_chance) * np.array([0, 0, 0, 1]))
    with pytest.raises(dvdt.UsageError, match="trial"):
        decode.highest_voltage_action(result, trial=-1)


run_silent = run(SILENT)


def test_rewards(result: dvdt.Result) -> None:
    other = run(RASTER[:, ::-1])  # busiest is neuron c, and the group of c and d
    assert decode.global_reward(result, 1) == 1
    assert decode.global_reward([result, other], [1, 1]) == 0
    assert decode.global_reward([result, other], [0, 1], pop_size=2) == 1
    assert decode.da_reward([result, other, other], [0, 1, 0], pop_size=2).tolist() == [1, 1, 1, 1]
    assert decode.da_reward([other, other], [1, 1], pop_size=2).tolist() == [0, 0, 2, 2]
    assert decode.xor_reward([result, result, run_silent], [1, 0, 1]).tolist() == [1, -1, -1]
    assert decode.environment_reward([0.5, -1]).tolist() == [0.5, -1]
    level = np.array([sum(0.99 ** (T - 1 - k) * RASTER[k, j] for k in range(T)) for j in range(4)])
    level = (level - level.mean()) / level.std()
    p = np.exp(level) / np.exp(level).sum()
    found = decode.classify_reward([result], [1])
    assert found[0].tolist() == pytest.approx([-p[0], 1 - p[1], -p[2], -p[3]])
    assert decode.classify_reward(run_silent, 2)[0].tolist() == pytest.approx([-0.25, -0.25, 0.75, -0.25])
    for target, said in (([1, 2], "1 whole number"), (0.5, "whole number")):
        with pytest.raises(dvdt.UsageError, match=said):
            decode.global_reward(result, target)
    with pytest.raises(dvdt.UsageError, match="one a sample"):
        decode.global_reward([], [])


def test_layers_one_after_another() -> None:
    """A second layer fed with the first's spikes one step later sees each of them in the step behind."""
    first = run()
    fed = np.vstack([np.zeros(4), decode.raster(first)[:-1]])
    second = run(fed)
    np.testing.assert_array_equal(decode.raster(second)[1:], RASTER[:-1])


def test_a_spike_between_two_points_belongs_to_the_step_between_them():
    """A clock that reaches 1 every 5.5 ms, in steps of 1 ms: the spike at 5.5 ms is made in the step from 5 to 6 ms."""
    clock = "dx/dt = 1/(5.5 ms) : 1; spike when x > 1: x = 0"
    result = dvdt.simulate(clock, "40 ms", dt="1 ms", method="euler", spike_times="exact", backend="reference")
    found = decode.raster(result)
    assert found.shape == (40, 1)
    assert np.flatnonzero(found[:, 0]).tolist() == [int(5.5 * k) for k in range(1, 8)]
    assert decode.spike_count(result, window=("5 ms", "6 ms")).tolist() == [1]


def test_only_results_are_decoded():
    for decoder in (decode.spike_count, decode.raster, decode.final_step_voltage, decode.spike_rates):
        with pytest.raises(dvdt.UsageError, match="expected the Result of a run, not 3"):
            decoder(3)
