"""The CUDA backend without a GPU: what it says where it cannot run, its results on numba's simulator, and the code it makes."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends.cuda import loops, machine
from dvdt.dsl.compile import Structure, compile_model

assembler = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
    reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
)


@pytest.mark.parametrize(
    "part",
    [f"simulated_{part}.py" for part in ("cuda", "chunks", "runs", "coupled", "kernels", "arrays")],
)
def test_on_the_simulator(part: str) -> None:
    """In a process of its own, because numba looks at the variable once, when it is imported."""
    file = Path(__file__).with_name(part)
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=file.parents[3], check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_a_machine_without_numba_cuda_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(dvdt.UsageError, match=r'numba-cuda is not installed; run: python -m pip install "dvdt\[cuda\]"'):
        dvdt.simulate("lif", "1 ms", backend="cuda")
    statuses = {status.name: status.obstacle for status in dvdt.backends()}
    assert set(statuses) == {"cpu", "cuda", "reference"}
    assert statuses["cpu"] == ""
    assert "numba-cuda" in statuses["cuda"]


def test_a_run_that_was_begun_on_a_gpu_goes_on_without_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A checkpoint that says so of itself; written here, where there is none."""
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: None)
    begun = dvdt.Simulation("lif", n=2, precision="float32", backend="reference", seed=1)
    begun.run("1 ms")
    begun._settings = replace(begun._settings, backend="cuda")
    begun.save(tmp_path / "x.ckpt")
    with pytest.raises(
        dvdt.UsageError, match=r"begun with backend='cuda'\. load\(\.\.\., backend='cpu'\) goes on .* is not installed"
    ):
        dvdt.Simulation.load(tmp_path / "x.ckpt")
    onward = dvdt.Simulation.load(tmp_path / "x.ckpt", backend="reference")
    assert (onward.t, onward.run("1 ms").report.precision) == (1e-3, "float32")


@assembler
def test_a_machine_without_a_driver_is_told_so() -> None:
    from numba import cuda as device

    if device.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(dvdt.UsageError, match="no NVIDIA driver here; install one"):
        dvdt.simulate("lif", "1 ms", backend="cuda")


@functools.cache
def code(kernel: Any, precision: str, exact_math: bool) -> Any:
    """Made once for the models that share a kernel."""
    from dvdt.backends.cuda.code import code_of

    return code_of(kernel, np.dtype(precision), exact_math)


@assembler
@pytest.mark.parametrize(("precision", "exact_math"), [("float32", False), ("float64", False), ("float64", True)])
@pytest.mark.parametrize("name", [model.name for model in dvdt.models()])
def test_code_stays_in_registers(name: str, exact_math: bool, precision: str, record_property: Any) -> None:
    """For compute capability 9.0: nothing spilled, no stack, few registers, and in float32 no float64 but for the time.

    Coupled kernels may have more: at barriers they wait for more than for memory."""
    model = dvdt.model(name).checked
    matrices = tuple((p.name, "matrix") for p in model.parameters if "matrix" in p.flags)
    kernel = compile_model(model, Structure(shapes=matrices)).kernel
    timed = "@t" in kernel_symbols(kernel)
    for made in code(replace(kernel, name="kernel"), precision, exact_math):
        told = f"{name:40}{precision}{' exact_math' if exact_math else '':12}{made.registers:>5} registers"
        if not kernel.coupled and loops.disassembler() is not None:
            with contextlib.suppress(ValueError):  # a kernel without states is a loop that the compiler has taken away
                told += f"{loops.step_of(made.cubin, made.neurons).issued:>8.1f} instructions a step"
        record_property("code", told)
        assert made.spilled == 0
        assert made.stack == 0
        if len(model.states) <= 5:
            assert made.registers < (64 if precision == "float32" and not kernel.coupled else 128)
        if precision == "float32" and not timed:
            assert made.double == ()


@assembler
def test_gathering_stays_in_registers() -> None:
    from dvdt.backends.cuda.code import code_of_gathering

    for made in code_of_gathering():
        assert made.spilled == 0
        assert made.stack == 0
        assert made.registers <= 64


def kernel_symbols(kernel: Any) -> str:
    return repr((kernel.phases, kernel.probes))
