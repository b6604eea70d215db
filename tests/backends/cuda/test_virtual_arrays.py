"""Arrays that are lent, on the virtual card: numba-cuda's own arrays and streams, whose work waits until someone waits for it, so that what
is read too early, written too late or freed too soon is not a number."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dvdt

from .virtual import card as virtual
from .virtual.card import Driver, inserted

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
        reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
    ),
    pytest.mark.filterwarnings("ignore:Grid size"),
]

TEXT = "dv/dt = (I - v)/(5 ms) : mV\nI = 30 mV\nv(0) = i*mV\nk : integer\neach step: k = k + 1\nspike when v > 20 mV: v = 0 mV"
COUPLED = TEXT.replace("I - v", "I - v + 0.1*mean(v)")


@pytest.fixture(params=[0, 1])
def card(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Two orders in which work that may be done in any order is done."""
    with inserted(request.param) as made:
        yield made


def view(values: Any, card: Driver) -> NDArray[Any]:
    """What another program makes of the interface: memory of the card at an address. Work of the null stream comes in its turn."""
    found = values.__cuda_array_interface__
    assert (found["version"], found["stream"], found["strides"]) == (3, None, None)
    address, read_only = found["data"]
    assert not read_only
    dtype = np.dtype(found["typestr"])
    size = int(np.prod(found["shape"])) * dtype.itemsize
    assert any(start <= address and address + size <= start + block.nbytes for start, block in card.allocated.items())
    memory = (ctypes.c_uint8 * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(found["shape"])


def both(**kwargs: Any) -> tuple[dvdt.Simulation, dvdt.Simulation]:
    usual: dict[str, Any] = {"n": 70, "precision": "float64", "progress": False, "seed": 1, "exact_math": True}
    text = kwargs.pop("text", TEXT)
    record = {"v": dvdt.record(every="0.3 ms", on="device")}
    there = dvdt.Simulation(text, backend="cuda", record=record, **{**usual, **kwargs})
    return there, dvdt.Simulation(text, backend="cpu", record={"v": dvdt.record(every="0.3 ms")}, **{**usual, **kwargs})


@pytest.mark.parametrize("text", [TEXT, COUPLED], ids=["alone", "coupled"])
def test_a_state_is_read_and_written_where_it_lies(text: str, card: Driver) -> None:
    there, here = both(text=text)
    v, k = (view(there.state.on_device(name), card) for name in ("v", "k"))
    np.testing.assert_array_equal(v, np.arange(70.0))
    for part in range(3):
        for sim in (there, here):
            sim.run("1.1 ms")
        card.queue.finish()
        np.testing.assert_array_equal(v, here.state["v"])
        v[:] = here.state["v"] = np.linspace(0.0, 19.0, 70) + part
        k[:] = here.state["k"] = 100
        for sim in (there, here):
            sim.step(3)
            sim.state["k"] = "k + i"
        np.testing.assert_array_equal(k, here.state["k"])
    np.testing.assert_array_equal(there.state["v"], here.state["v"])
    np.testing.assert_array_equal(there.result()["v"], here.result()["v"])
    np.testing.assert_array_equal(there.result().spikes.i, here.result().spikes.i)


def test_a_recording_stays_and_grows_on_the_card(card: Driver) -> None:
    there, here = both()
    parts = [(there.run(f"{ms} ms"), here.run(f"{ms} ms")) for ms in (1.0, 2.0, 4.0)]
    for mine, theirs in (*parts, (there.result(), here.result())):
        np.testing.assert_array_equal(view(mine.on_device("v"), card), theirs["v"])
        np.testing.assert_array_equal(mine["v"], theirs["v"])


def taken(card: Driver) -> int:
    """Bytes of the card that somebody holds."""
    from numba import cuda

    cuda.current_context().memory_manager.deallocations.clear()
    return sum(block.nbytes for block in card.allocated.values())


def test_memory_is_given_back(card: Driver) -> None:
    """A run that is over keeps what stays on the card for its result, and that as long as somebody holds it."""
    dvdt.simulate(TEXT, "1 ms", n=70, backend="cuda", progress=False)  # what is known of a kernel stays
    before = taken(card)
    result = dvdt.simulate(TEXT, "1 ms", n=70, backend="cuda", record={"v": dvdt.record(on="device")}, progress=False)
    lent = result.on_device("v")
    values = view(lent, card).copy()
    assert taken(card) == before + values.nbytes
    del result
    np.testing.assert_array_equal(view(lent, card), values)
    del lent
    assert taken(card) == before
    sim = dvdt.Simulation(TEXT, n=70, backend="cuda")
    sim.run("1 ms")
    v = sim.state.on_device("v")
    whole, values = taken(card), v.copy_to_host()
    del sim
    assert before < taken(card) < whole
    np.testing.assert_array_equal(view(v, card), values)
    del v
    assert taken(card) == before


def test_a_full_card_is_emptied_before_a_run_is_refused(card: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can reach, and Python has not yet collected, is given back."""
    from numba import cuda

    ring: list[Any] = [cuda.device_array(4_000_000, np.uint8)]
    ring.append(ring)
    monkeypatch.setattr(virtual, "MEMORY", taken(card) + 100_000)
    with pytest.raises(dvdt.UsageError, match=r"70 neurons of model need .* on the GPU, .* are free"):
        dvdt.Simulation(TEXT, n=70, backend="cuda").step()
    del ring
    dvdt.Simulation(TEXT, n=70, backend="cuda").step()


@pytest.mark.parametrize(("before", "after"), [("cpu", "cuda"), ("cuda", "cpu")])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_run_that_changes_its_machine_is_the_same(
    precision: str, before: str, after: str, card: Driver, tmp_path: Path
) -> None:
    """Noise, a drive, and values that were set; with the CPU's mathematics bit for bit in both precisions."""
    text = TEXT.replace(": mV\n", " + 2 mV*xi/(5 ms)^0.5 : mV\n", 1)
    told: dict[str, Any] = {"n": 9, "seed": 7, "precision": precision, "exact_math": True, "record": ["v"], "progress": False}
    drive = dvdt.noise("25 mV", "10 mV", "1 ms")
    whole, begun = (dvdt.Simulation(text, backend=b, parameters={"I": drive}, **told) for b in ("cpu", before))
    for sim in (whole, begun):
        sim.run("1 ms")
        sim.parameters["I"] = 30.0
        sim.step(3)
    begun.save(tmp_path / "x.ckpt")
    rest = dvdt.Simulation.load(tmp_path / "x.ckpt", backend=after)
    for sim in (whole, rest):
        sim.run("2 ms")
    np.testing.assert_array_equal(rest.result()["v"], whole.result()["v"])
    np.testing.assert_array_equal(rest.result().spikes.i, whole.result().spikes.i)
