"""The conventions of a run: shortest interval, stamp, rows of a recording, order inside a step."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

import dvdt

EAGER = "dx/dt = 0/ms; x(0) = 1; refractory {} ms; spike when x > 0"
# (t_ref, dt) in ms: steps between the spikes of a neuron that fires whenever it may
INTERVALS = {
    "dvdt": {(2, 0.1): 21, (5, 0.1): 51, (1, 0.1): 11, (0.3, 0.1): 4, (2, 0.025): 81},
    "nest": {(2, 0.1): 21, (5, 0.1): 51, (1, 0.1): 11, (0.3, 0.1): 4, (2, 0.025): 81},
    "brian2": {(2, 0.1): 20, (5, 0.1): 50, (1, 0.1): 10, (0.3, 0.1): 3, (2, 0.025): 80},
}


@pytest.mark.parametrize("conventions", INTERVALS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_shortest_interval_between_spikes(conventions: str, precision: str) -> None:
    for (period, dt), steps in INTERVALS[conventions].items():
        text = EAGER.format(period)
        result = dvdt.simulate(
            text, f"{20 * period} ms", dt=f"{dt} ms", conventions=conventions, precision=precision, method="euler"
        )
        intervals = np.diff(np.round(result.spikes.t * 1e3 / dt))
        assert len(intervals) > 5
        assert set(intervals) == {steps}, (period, dt)


def test_halves_of_a_step_count_up() -> None:
    result = dvdt.simulate(EAGER.format(0.15), "5 ms", dt="0.1 ms", method="euler")
    assert set(np.diff(np.round(result.spikes.t * 1e4))) == {3}


@pytest.mark.parametrize("conventions", INTERVALS)
def test_no_refractory_period_is_none(conventions: str) -> None:
    for text in ("dx/dt = 0/ms; x(0) = 1; spike when x > 0", EAGER.format(0)):
        result = dvdt.simulate(text, "1 ms", dt="0.1 ms", conventions=conventions, method="euler")
        assert len(result.spikes.t) == 10


RAMP = "dx/dt = 1/ms; spike when x > 0.95: x = 0"


def test_a_spike_is_stamped_at_the_end_of_its_step_in_brian2_at_its_start() -> None:
    first = {c: dvdt.simulate(RAMP, "2 ms", dt="0.1 ms", conventions=c, method="euler").spikes.t[0] for c in INTERVALS}
    assert first == pytest.approx({"dvdt": 1.0e-3, "nest": 1.0e-3, "brian2": 0.9e-3})


def test_rows_of_a_recording() -> None:
    rows = {c: dvdt.simulate(RAMP, "0.5 ms", dt="0.1 ms", record=["x"], conventions=c, method="euler") for c in INTERVALS}
    assert {c: (r.t[0], r.t[-1], len(r.t)) for c, r in rows.items()} == {
        "dvdt": pytest.approx((0.0, 0.5e-3, 6)),
        "brian2": pytest.approx((0.0, 0.4e-3, 5)),
        "nest": pytest.approx((0.1e-3, 0.5e-3, 5)),
    }
    for result in rows.values():
        np.testing.assert_allclose(result["x", 0], result.t * 1e3, atol=1e-12)


def test_what_is_held_is_held_for_exactly_the_period() -> None:
    """v rests at its reset for 2 ms after the spike and moves in the step after."""
    text = """
    dv/dt = 1 mV/ms (unless refractory)
    spike when v > 0.95 mV: v = 0 mV
    refractory 2 ms
    """
    result = dvdt.simulate(text, "4 ms", dt="0.1 ms", record=["v"], method="euler")
    spike = round(result.spikes.t[0] * 1e4)
    v = result["v", 0]
    assert np.all(v[spike : spike + 21] == 0)
    assert v[spike + 21] == pytest.approx(0.1)


def test_a_condition_keeps_a_neuron_refractory_until_it_is_false() -> None:
    """One spike for each swing, although x stays above the level for many steps."""
    text = "dx/dt = 2*pi*f*cos(2*pi*f*t) : 1; f = 100 Hz; spike when x > 0.5; refractory while x > 0.2"
    result = dvdt.simulate(text, "50 ms", dt="0.05 ms", method="rk4")
    assert len(result.spikes.t) == 5


def test_crossing_fires_once_and_not_at_the_start() -> None:
    text = "dx/dt = -2*pi*f*sin(2*pi*f*t) : 1; x(0) = 1; f = 100 Hz; spike when x crosses 0.5"
    result = dvdt.simulate(text, "50 ms", dt="0.05 ms", method="rk4")
    np.testing.assert_allclose(result.spikes.t * 1e3, [10 * k - 10 / 6 for k in range(1, 6)], atol=0.051)


def test_the_order_inside_a_step() -> None:
    """Integration, each step, events, resets in the order written, each step after reset."""
    text = """
    dx/dt = 1/ms
    y(0) = 0; z(0) = 0; w(0) = 0
    each step: y = x
    spike when y > 0.25: x = 0; z = old(x) + x
    on second when x > 0.25: w = x
    each step after reset: y = y + 10*x
    """
    result = dvdt.simulate(text, "0.3 ms", dt="0.1 ms", method="euler")
    final = {name: result.final_state[name][0] for name in "xyzw"}
    assert final == pytest.approx({"x": 0.0, "y": 0.3, "z": 0.3, "w": 0.0})
    assert len(result.events["second"].t) == 1  # its condition saw x before the reset


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_last_spike_is_known_to_the_step_late_in_a_run(precision):
    """100 s into a run two float32 times are 0.008 ms apart at least; the time since the last spike stays exact."""
    text = "dv/dt = 1/(10.35 ms) : 1\nspike when v > 1: v = 0\nsince = t - lastspike : ms\n"
    result = dvdt.simulate(
        text, "100 s", dt="0.1 ms", method="euler", precision=precision, record={"since": dvdt.record(every="1.3 ms")}
    )
    spikes = result.spikes.t
    last = np.searchsorted(spikes, result.t + 1e-9) - 1
    known = last >= 0
    assert known.sum() > 70_000
    expected = 1000 * (result.t[known] - spikes[last[known]])
    assert result["since"][known, 0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_refractory_period_may_read_the_last_spike(backend):
    """At a spike that is the time of the spike itself: a neuron above threshold all along is refractory for half its age."""
    text = "dv/dt = 0/ms : 1\nv(0) = 2\nspike when v > 1\nrefractory 0.5*lastspike\n"
    steps = [1]
    while steps[-1] < 1000:
        steps.append(steps[-1] + (steps[-1] + 1) // 2 + 1)  # halves up, and one step in which it may fire
    result = dvdt.simulate(text, "100 ms", dt="0.1 ms", backend=backend)
    assert np.rint(result.spikes.t * 1e4).astype(int).tolist() == [step for step in steps if step <= 1000]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("method", ["euler", "rk4", "exact"])
def test_a_draw_in_an_equation_is_made_once_a_step(method: str, backend: str) -> None:
    """Held over the step, so that every scheme adds the same numbers, uniform in [0, dt)."""
    text = "dx/dt = rand()/ms : 1"
    steps = np.diff(dvdt.simulate(text, "20 ms", n=200, method=method, backend=backend, seed=4, record=["x"])["x"], axis=0) / 0.1
    assert 0 <= steps.min() < 0.001 < 0.999 < steps.max() < 1 + 1e-9
    assert steps.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * steps.size))
    same = dvdt.simulate(text, "20 ms", n=200, method="euler", backend="reference", seed=4, record=["x"])["x"]
    assert steps == pytest.approx(np.diff(same, axis=0) / 0.1, abs=1e-9)


@pytest.mark.parametrize("duration", ["4.45 ms", "5.95 ms", "9.15 ms"])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_half_a_step_counts_as_a_step_also_where_the_duration_reads_a_state(duration: str, backend: str, precision: str) -> None:
    """44.5 steps are 45, and the next spike is one step behind them; in float32 4.45/0.1 would be 44.499996."""
    text = f"dx/dt = 0/ms; x(0) = 1; T = {duration}; refractory T*x; spike when x > 0"
    times = dvdt.simulate(text, "30 ms", dt="0.1 ms", backend=backend, precision=precision).spikes.t
    halves_up = int(Decimal(duration.split()[0]) / Decimal("0.1") + Decimal("0.5"))
    assert np.array_equal(np.diff(np.rint(times / 1e-4)), np.full(len(times) - 1, halves_up + 1))
    assert len(times) > 2
