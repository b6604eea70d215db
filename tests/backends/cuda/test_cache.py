"""Kernels of a GPU are kept on disk, as those of the processor are. They are compiled here without one (see `no_gpu`)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dvdt.backends import cache
from dvdt.backends.cuda import cache as cuda_cache

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
    reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
)

# builds the kernel of a model for each of some variants, in a process of its own, and tells what that took
CHILD = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
import dvdt, no_gpu
import numpy as np
from dvdt.backends.cuda import program as cuda
from dvdt.dsl.compile import Structure, compile_model
told = []
for text, precision, exact_math, capability in json.loads(sys.argv[2]):
    context, counted = no_gpu.put_in_place(tuple(capability)), no_gpu.Counted()
    kernel = compile_model(dvdt.Model(text).checked, Structure()).kernel
    program = cuda.build(kernel, np.dtype(precision), exact_math=exact_math)
    again = cuda.build(kernel, np.dtype(precision), exact_math=exact_math)
    assert again.functions is program.functions and not again.compiled
    types = [cuda.signature(function, program.precision) for function in program.text.functions]
    assert [list(function.overloads) for function in program.functions.values()] == [[each] for each in types]
    digests = [hashlib.sha256(code).hexdigest() for code in context.loaded]
    told.append([program.compiled, counted.calls, digests])
print(json.dumps(told))
"""

# runs a model whose neurons read each other on the virtual card, in a process of its own, and on the processor
RUN = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
import dvdt, numpy as np
from virtual.card import inserted
told = {"n": 300, "method": "euler", "precision": "float64", "progress": False, "dt": "0.1 ms"}
text = "dv/dt = (total(v)/N - v)/(10 ms) + i*0.01/ms : 1; v(0) = i/10; spike when v > 3: v = 0"
with inserted():
    there = dvdt.simulate(text, "0.5 ms", backend="cuda", exact_math=True, **told)
    here = dvdt.simulate(text, "0.5 ms", **told)
    equal = np.array_equal(there.final_state["v"], here.final_state["v"]) and np.array_equal(there.spikes.i, here.spikes.i)
    print(there.report.kernels_compiled, equal, len(here.spikes.i) > 0)
"""

LEAK = "dv/dt = -v/(10 ms); v(0) = 1; spike when v < {}: v = 1"
COUPLED = "dv/dt = (total(v)/10 - v)/(10 ms) : 1\nv(0) = i"
HOPPER = (9, 0)


def child(folder: Path, *variants: tuple[Any, ...]) -> list[list[Any]]:
    environment = {**os.environ, "DVDT_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), json.dumps(variants)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def test_a_second_process_compiles_nothing_and_gets_the_same_code(tmp_path: Path) -> None:
    """And what differs in its text, precision, rounding or card is another kernel."""
    first = (LEAK.format(0.5), "float32", False, HOPPER)
    others = [
        (LEAK.format(0.25), *first[1:]),
        (first[0], "float64", False, HOPPER),
        (first[0], "float32", True, HOPPER),
        (*first[:3], (8, 0)),
    ]
    ((compiled, calls, codes),) = child(tmp_path, first)
    assert compiled
    assert calls > 0
    assert codes
    known, *told = child(tmp_path, first, *others)
    assert known == [False, 0, codes]
    assert all(compiled and calls for compiled, calls, _ in told)
    assert len({tuple(codes) for _, _, codes in (known, *told)}) == 5


def test_what_is_kept_runs(tmp_path: Path) -> None:
    """A cooperative kernel that another process has compiled, launched on the virtual card."""
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent)]
    environment = {**os.environ, "DVDT_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200, check=True).stdout.split()
        for _ in range(2)
    ]
    assert said == [["1", "True", "True"], ["0", "True", "True"]]


def test_damage_is_noticed_and_what_is_kept_is_counted_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = (COUPLED, "float32", False, HOPPER)
    assert child(tmp_path, variant)[0][0]
    largest = max(tmp_path.glob("*.json"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0x01
    largest.write_bytes(content)
    ((compiled, _, codes),) = child(tmp_path, variant)
    assert compiled
    assert child(tmp_path, variant) == [[False, 0, codes]]
    monkeypatch.setenv("DVDT_CACHE_DIR", str(tmp_path))
    assert cache.size() > largest.stat().st_size > 10_000
    cache.clear()
    assert list(tmp_path.iterdir()) == []


def test_the_key_depends_on_the_toolkit_and_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = cuda_cache.environment.__wrapped__
    seen = {plain()}
    for package in cuda_cache.PACKAGES:
        with monkeypatch.context() as changed:
            real = cuda_cache.version
            changed.setattr(cuda_cache, "version", lambda p, package=package, real=real: "99" if p == package else real(p))
            seen.add(plain())
    for name, value in (("_linker", lambda: (99, 0)), ("own_digest", lambda: "changed")):
        with monkeypatch.context() as changed:
            changed.setattr(cuda_cache, name, value)
            seen.add(plain())
    from cuda.bindings import nvrtc

    with monkeypatch.context() as changed:
        changed.setattr(nvrtc, "nvrtcVersion", lambda: (0, 99, 0))
        seen.add(plain())
    assert len(seen) == 1 + len(cuda_cache.PACKAGES) + 3
