"""spikes=False: what happens is the same, nothing of it is collected, and whoever asks for it is told."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.dsl.cli import main
from dvdt.dsl.compile import Structure, compile_model
from dvdt.dsl.run import estimate

FIRING = """
    tau*dv/dt = -v + I + 2 mV*sqrt(tau)*xi : mV
    dw/dt = -w/(30 ms) : mV
    tau = 10 ms;  I = 25 mV
    spike when v > 15 mV:
        v = 0 mV
        w += 1 mV
    on low when v crosses 5 mV
    refractory 2 ms holding v
    output spiked
"""
SMOOTH = "dv/dt = (30 mV - v)/(10 ms) : mV\nspike when v > 20 mV: v = 0 mV\nrefractory 1.05 ms"
ASKED: dict[str, Callable[[Any], Any]] = {
    "spikes": lambda result: result.spikes,
    "one event": lambda result: result.events["low"],
    "the names of events": lambda result: list(result.events),
    "how many": lambda result: len(result.events),
    "is there": lambda result: "low" in result.events,
    "of a dict": lambda result: result.events.items(),
    "rates": lambda result: result.rates(),
    "trains": lambda result: result.spike_trains(),
    "a decoder": lambda result: dvdt.decode.spike_count(result),
}


def run(text: str, backend: str, **kwargs: Any) -> dvdt.Result:
    given = {"n": 9, "seed": 4, "record": ["v"], "backend": backend, "progress": False}
    return dvdt.simulate(text, "40 ms", **{**given, **kwargs})


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(("text", "how"), [(FIRING, "grid"), (SMOOTH, "exact")])
def test_states_are_the_same_to_the_last_bit(backend: str, text: str, how: str) -> None:
    collected, silent = (run(text, backend, spike_times=how, spikes=spikes) for spikes in (True, False))
    assert len(collected.spikes) > 9
    assert np.array_equal(silent["v"], collected["v"])
    for name in collected.final_state:
        assert np.array_equal(silent.final_state[name], collected.final_state[name])


@pytest.mark.parametrize("how", ["grid", "exact"])
def test_the_kernel_lists_nothing(how: str) -> None:
    text = FIRING if how == "grid" else SMOOTH
    kernel = compile_model(dvdt.Model(text).checked, Structure(spike_times=how, spikes=False)).kernel
    assert kernel.events == ()
    assert not any(phase.emits for phase in kernel.phases)


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
def test_who_asks_for_them_is_told(asked: Callable[[Any], Any], tmp_path: Path) -> None:
    result = run(FIRING, "reference", spikes=False)
    result.save(tmp_path / "silent.npz")
    for each in (result, dvdt.load_result(tmp_path / "silent.npz"), pickle.loads(pickle.dumps(result))):
        with pytest.raises(dvdt.UsageError, match="run it with spikes=True"):
            asked(each)


def test_what_is_told_of_a_run_says_so() -> None:
    result = run(FIRING, "reference", spikes=False)
    assert result.report["spikes"] is False
    assert "spikes not collected" in repr(result)
    assert any(line.split() == ["spikes", "not", "collected"] for line in str(result).splitlines())
    assert "not collected" in result._repr_html_()


def test_a_figure_has_no_raster() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    axes = [len(run(FIRING, "reference", spikes=spikes).plot().axes) for spikes in (True, False)]
    assert axes[0] - axes[1] == 2  # spikes, and the other event
    with pytest.raises(dvdt.UsageError, match=r"nothing was recorded, and spikes were not collected \(spikes=False\)"):
        run(FIRING, "reference", spikes=False, record=[]).plot()


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_steps_are_made_and_the_neurons_that_spiked_are_not_known(backend: str) -> None:
    known, silent = (dvdt.Simulation(FIRING, n=5, seed=2, backend=backend, spikes=spikes) for spikes in (True, False))
    for count in (1, 30, 1):
        known.step(count)
        spiked = silent.step(count)
    assert np.array_equal(silent.state["v"], known.state["v"])
    looks: list[Callable[[], Any]] = [
        lambda: len(spiked),
        lambda: list(spiked),
        lambda: spiked.size,
        lambda: np.bincount(spiked),
        lambda: 3 in spiked,
        lambda: bool(spiked),
    ]
    for look in looks:
        with pytest.raises(dvdt.UsageError, match=r"step: .*run it with spikes=True"):
            look()


def test_checkpoints_carry_it(tmp_path: Path) -> None:
    path = tmp_path / "silent.ckpt"
    whole = run(FIRING, "reference", spikes=False)
    begun = dvdt.Simulation(FIRING, n=9, seed=4, record=["v"], backend="reference", spikes=False)
    begun.run("15 ms")
    begun.save(path)
    rest = dvdt.Simulation.load(path).run("25 ms")
    assert not rest.report.spikes
    assert np.array_equal(rest["v"], whole["v"][150:])
    other = tmp_path / "long.ckpt"
    run(FIRING, "reference", spikes=False, checkpoint=other)
    with pytest.raises(dvdt.UsageError, match="spikes is False there and True here"):
        run(FIRING, "reference", checkpoint=other)


def test_memory_is_not_taken_for_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that fires in every other step fills the memory, unless nothing is collected."""
    text = "x(0) = 0\neach step: x = 1 - x\nspike when x > 0"
    monkeypatch.setattr(estimate, "free_memory", lambda: 32 * 2000)
    with pytest.raises(dvdt.RunError, match="spikes have filled the memory"):
        dvdt.simulate(text, "1 s", backend="reference")
    assert dvdt.simulate(text, "1 s", backend="reference", spikes=False).report.steps == 10_000


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(dvdt.UsageError, match="spikes: expected True, or False"):
        run(FIRING, "reference", spikes=0)


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "lif", "--duration", "5ms", "--no-spikes"]) == 0
    assert "not collected" in capsys.readouterr().out
