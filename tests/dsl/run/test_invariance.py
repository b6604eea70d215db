"""The same bits for any number of threads, any size of a block, any split of a run and any choice of recording."""

import numpy as np
import pytest

import dvdt
from dvdt.backends.availability import BACKENDS, Backend
from dvdt.backends.cpu import program as cpu
from dvdt.dsl.run import loop

ALONE = """
    tau*dv/dt = E - v + I + J + exp(v - 2) + sigma*sqrt(tau)*xi : 1
    dw/dt = (0.5*v - w)/tau_w + 0.1*xi_w/sqrt(tau_w) : 1 (unless refractory)
    tau = 10 ms + 1 ms*randn() (constant)
    tau_w = 30 ms;  E = 0.2;  sigma = 0.2
    I = 0.5
    J = 0.2*randn() (constant over dt)
    v(0) = rand()
    count : integer
    each step: count = count + (v > 0.9)
    spike when v > 1 + 0.05*randn():
        v = 0.1*exponential()
        w += 0.01*poisson(2 + i % 3)
    on low when v < -0.4
    refractory 1 ms
    pull = v - w
"""
TOGETHER = """
    tau*dv/dt = 1.1 - v + 0.4*mean(v) - 0.2*tanh(w) + 0.3*sqrt(tau)*xi : 1 (unless refractory)
    tau = 10 ms
    v(0) = rand()
    w(0) = 0
    best(0) = 0
    middle = mean(v)
    each step:
        w = 0.9*w + 0.1*total(v)/N
        best = best + one_of(v > 0.8) - 0.5*(rank(v) < 3)
    spike when v > 1 and count(v > 1) > 1: v -= rand()
    refractory 0.5 ms
    pull = v - w
"""
MODELS = {"alone": (ALONE, ("v", "w", "count")), "together": (TOGETHER, ("v", "w", "best"))}
DRIVEN = {"alone": {"I": dvdt.noise("0.5", "0.2", "2 ms")}, "together": {}}
N = 700
STEPS = 60


@pytest.fixture(params=["float64", "float32"])
def precision(request):
    return request.param


@pytest.fixture(params=list(MODELS))
def name(request):
    return request.param


@pytest.fixture(autouse=True)
def small_work_is_worth_a_thread(monkeypatch):
    """Without it a run as short as these would use one thread whatever was asked for."""
    monkeypatch.setattr(cpu, "WORTH_A_THREAD", 1)


def simulation(name, precision, **kwargs):
    given = {
        "n": N,
        "dt": "0.1 ms",
        "method": "euler",
        "seed": 7,
        "threads": 1,
        "record": ["v"],
        "parameters": DRIVEN[name],
        **kwargs,
    }
    return dvdt.Simulation(dvdt.Model(MODELS[name][0], name=name), precision=precision, **given)


def whole(name, precision, **kwargs):
    return simulation(name, precision, **kwargs).run(f"{STEPS / 10} ms")


def assert_same(one, other, name):
    assert len(one.spikes) > 100
    for event, spikes in one.events.items():
        assert np.array_equal(spikes.t, other.events[event].t)
        assert np.array_equal(spikes.i, other.events[event].i)
    for state in MODELS[name][1]:
        assert np.array_equal(one.final_state[state], other.final_state[state]), state


def test_threads(name, precision):
    one, two = (whole(name, precision, threads=threads) for threads in (1, 2))
    assert two.report.threads == 2
    assert_same(one, two, name)
    assert np.array_equal(one["v"], two["v"])


def test_block_sizes(name, precision, monkeypatch):
    usual = whole(name, precision)
    block = 64 if precision == "float64" else 256
    blocks = Backend(lambda kernel, real, functions, _: cpu.build(kernel, real, functions, block=block))
    monkeypatch.setitem(BACKENDS, "cpu", blocks)
    other = whole(name, precision, threads=2)
    assert_same(usual, other, name)
    assert np.array_equal(usual["v"], other["v"])


@pytest.mark.parametrize("first_steps", [1, 7])
def test_chunks_of_the_loop(name, precision, first_steps, monkeypatch):
    usual = whole(name, precision)
    monkeypatch.setattr(loop, "FIRST_STEPS", first_steps)
    monkeypatch.setattr(loop, "GROWTH", 1)
    assert_same(usual, whole(name, precision), name)


@pytest.mark.parametrize("pieces", [(1, 59), (17, 0, 23, 20), (1,) * 60])
def test_splits_of_a_run(name, precision, pieces):
    usual = whole(name, precision)
    split = simulation(name, precision)
    parts = [split.run(f"{steps / 10} ms") for steps in pieces]
    assert_same(usual, split.result(), name)
    assert np.array_equal(usual["v"], split.result()["v"])
    assert np.array_equal(usual.spikes.i, np.concatenate([part.spikes.i for part in parts]))


def test_recordings(name, precision):
    usual, silent = whole(name, precision), whole(name, precision, record=[])
    seldom = dvdt.record(every="0.7 ms", neurons=[3, 600])
    some = whole(name, precision, threads=2, record={"pull": seldom, "w": seldom, "v": dvdt.record(neurons=slice(3, None, 597))})
    assert_same(usual, silent, name)
    assert_same(usual, some, name)
    assert np.array_equal(usual["v"][:, 3::597], some["v"])
    assert np.array_equal(some["pull"], usual["v"][::7, [3, 600]] - some["w"])


def test_a_recorded_quantity_of_all_neurons_changes_nothing():
    usual, other = (whole("together", "float64", record=record) for record in (["v"], ["v", "middle"]))
    assert_same(usual, other, "together")
    assert other["middle"][:, 0] == pytest.approx(other["v"].mean(axis=1), rel=1e-13)
    split = simulation("together", "float64", record=["v", "middle"])
    for steps in (1, 29, 30):
        split.run(f"{steps / 10} ms")
    assert np.array_equal(split.result()["middle"], other["middle"])


def test_the_first_chunk_of_a_run_is_as_long_as_the_backend_takes(monkeypatch):
    """Nothing is known of the speed yet; a device is asked for more at once than a processor."""
    from dvdt.backends.reference import Reference

    asked = []
    advance = Reference.advance
    monkeypatch.setattr(Reference, "first_chunk", 35)
    monkeypatch.setattr(
        Reference, "advance", lambda program, *given: (asked.append(given[2] - given[1]), advance(program, *given))[1]
    )
    dvdt.simulate("dv/dt = -v/(10 ms)\nv(0) = 1", "100 ms", dt="0.1 ms", n=5, backend="reference")
    assert asked[0] == 7
    assert max(asked) > 7
