"""Memory: refused before it is taken, and not taken twice."""

import subprocess
import sys

import pytest

import dvdt
from dvdt.dsl.run import estimate
from dvdt.dsl.run.estimate import Item, refuse_what_does_not_fit, told

LIF = "dv/dt = -v/(10 ms) : mV\nI = 0 pA\nspike when v > 1 mV: v = 0 mV"


def test_a_population_that_does_not_fit():
    with pytest.raises(dvdt.UsageError, match="TB of memory"):
        dvdt.simulate(LIF, "1 ms", n=10**12, backend="reference")


def test_a_recording_that_does_not_fit_is_named(monkeypatch):
    monkeypatch.setattr(estimate, "free_memory", lambda: 50_000_000)
    with pytest.raises(dvdt.UsageError) as caught:
        dvdt.simulate(LIF, "1 s", n=1000, record=["v"], backend="reference")
    assert "80 MB for the recording of v (10001 rows of 1000 neurons)" in str(caught.value)
    assert "dvdt.record" in str(caught.value)


def test_noise_that_does_not_fit_is_named(monkeypatch):
    monkeypatch.setattr(estimate, "free_memory", lambda: 50_000_000)
    with pytest.raises(dvdt.UsageError, match=r"80 MB for the course of I"):
        dvdt.simulate(LIF, "1 s", n=1000, parameters={"I": dvdt.noise("0 pA", "1 pA", "1 ms")}, backend="reference")


def test_what_fits_is_added_up():
    nothing = Item("spikes", 0)
    assert refuse_what_does_not_fit([Item("a", 3), Item("b", 4)], nothing, 9) == 2
    with pytest.raises(dvdt.UsageError, match="7 B of memory, and 6 B are free: 4 B for b, 3 B for a"):
        refuse_what_does_not_fit([Item("a", 3), Item("b", 4)], nothing, 6)


def test_a_guess_alone_refuses_nothing():
    assert refuse_what_does_not_fit([Item("a", 40)], Item("spikes", 10**9), 100) == 60
    with pytest.raises(dvdt.UsageError):
        refuse_what_does_not_fit([Item("a", 60)], Item("spikes", 10**9), 100)


def test_spikes_that_fill_the_memory_end_the_run(monkeypatch):
    monkeypatch.setattr(estimate, "free_memory", lambda: 32 * 5000)
    text = "x(0) = 0\neach step: x = 1 - x\nspike when x > 0"
    with pytest.raises(dvdt.RunError, match="spikes have filled the memory") as caught:
        dvdt.simulate(text, "10 s", backend="reference")
    result = caught.value.result
    assert 5000 < len(result.spikes) < 20000
    assert len(result.spikes) == (result.report.steps + 1) // 2


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (8 * 10**12, "8 TB"), (10**21, "1.000e+06 PB")]
)
def test_sizes_for_people(size, text):
    assert told(size) == text


def test_free_memory_is_some_part_of_this_machine():
    assert 10**6 < estimate.free_memory() < 10**14


PEAK = """
import sys
import dvdt
text = '''
dv/dt = (E_L - v + w + x + y)/tau : mV
dw/dt = -w/tau : mV
dx/dt = -x/tau : mV
dy/dt = -y/tau : mV
tau = 10 ms; E_L = -70 mV
v(0) = E_L + 5 mV*rand(); w(0) = 1 mV
spike when v > -50 mV: v = E_L
'''
def peak(n):
    dvdt.simulate(text, "2 ms", n=n, seed=1, method="euler", state={"x": dvdt.uniform("0 mV", "1 mV")})
    # what getrusage tells begins with the peak of the process that has started this one
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
small = peak(1000)
print(peak(1_000_000) - small)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peak of a program in /proc")
def test_a_million_neurons_take_no_more_than_one_and_a_half_times_their_arrays():
    grown = int(subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True).stdout)
    assert 4 * 8e6 <= grown < 1.5 * 4 * 8e6
