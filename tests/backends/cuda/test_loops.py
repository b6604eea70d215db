"""The machine code of the loop over steps: how it is counted, and that it allows the speeds that are wanted of an H200."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends.cuda import loops
from dvdt.dsl.compile import Structure, compile_model


def loaded(name: str) -> ModuleType:
    """A file of the benchmarks, which are not part of the package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[3] / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


CASES, WANTED = loaded("cases").CASES, loaded("cuda/page").TARGETS  # neuron-steps a second
MULTIPROCESSORS, CLOCK = 132, 1.98e9  # of an H200
MARGIN = 1.2  # of the bound over what is wanted: no program reaches the bound

LISTING = """
        /*0000*/                   S2R R2, SR_TID.X ;
.L_x_1:
        /*0010*/                   FADD R10, R10, -1 ;
        /*0020*/                   FSETP.GT.AND P0, PT, R10.reuse, RZ, PT ;
        /*0030*/              @!P0 BRA `(.L_x_2) ;
        /*0040*/                   STG.E desc[UR12][R2.64], R10 ;
        /*0050*/                   VIADD R7, R7, 0x1 ;
.L_x_2:
        /*0060*/                   FADD R10, R10, -2 ;
        /*0070*/                   MUFU.RCP R11, R10 ;
        /*0080*/                   UIADD3 UR7, UP0, UR7, 0x2, URZ ;
        /*0090*/                   UIADD3.X UR8, URZ, UR8, URZ, UP0, !UPT ;
        /*00a0*/                   ISETP.LE.U32.AND P1, PT, R14, UR7, PT ;
        /*00b0*/                   P2R R9, PR, RZ, 0x2 ;
        /*00c0*/                   ISETP.NE.AND P1, PT, R9, RZ, PT ;
        /*00d0*/              @!P1 BRA `(.L_x_1) ;
        /*00e0*/                   EXIT ;
"""


def test_what_one_step_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps are made at a time; the side that writes to memory is not counted."""
    monkeypatch.setattr(loops, "disassembled", lambda cubin: LISTING)
    step = loops.step_of(b"")
    assert step.unrolled == 2
    assert step.issued == 11 / 2
    assert step.instructions["FADD"] == 1.0
    assert "STG" not in step.instructions
    assert step.pipes["function"] == 0.5
    assert step.clocks == pytest.approx(max(5.5 / 128, 2 / 64, 0.5 / 16))
    assert step.narrowest == "issue"
    assert step.bound(132, 2e9) == pytest.approx(132 * 2e9 * 128 / 5.5)


def test_a_loop_that_is_left_before_its_last_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the assembler closes loops that are too long for a branch on a condition."""
    left = LISTING.replace("@!P1 BRA `(.L_x_1) ;", "@P1 CALL.REL.NOINC `(.L_x_3) ;\n /*00d8*/ BRA `(.L_x_1) ;\n.L_x_3:")
    monkeypatch.setattr(loops, "disassembled", lambda cubin: left)
    assert loops.step_of(b"").unrolled == 2


def test_code_without_a_loop_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "disassembled", lambda cubin: LISTING.split(".L_x_1:")[0])
    with pytest.raises(ValueError, match="no loop over steps"):
        loops.step_of(b"")


assembler = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None or loops.disassembler() is None,
    reason='needs NVIDIA\'s compiler and disassembler: python -m pip install ".[cuda-ci]"',
)


def step(name: str, precision: str, **further: Any) -> tuple[loops.Step, int]:
    """What a step of a case takes, and the registers of a thread."""
    from dvdt.backends.cuda.code import code_of

    case = CASES[name]
    structure = Structure(method=case.method, shapes=(("I", "array"),), **further)
    (made,) = code_of(compile_model(dvdt.Model(case.text).checked, structure).kernel, np.dtype(precision))
    return loops.step_of(made.cubin, made.neurons), made.registers


@assembler
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", WANTED)
def test_instructions_allow_the_speed_that_is_wanted(name: str, precision: str, record_property: Any) -> None:
    """What is counted are instructions, no time: the bound that they set on an H200 leaves room above what is wanted."""
    found, registers = step(name, precision)
    record_property(
        "code", f"{name + ' (benchmark)':40}{precision:19}{registers:>5} registers{found.issued:>8.1f} instructions a step"
    )
    if precision == "float32":
        assert found.bound(MULTIPROCESSORS, CLOCK) > MARGIN * WANTED[name]
    elif name != "hodgkin_huxley":
        assert found.bound(MULTIPROCESSORS, CLOCK) > MARGIN * WANTED[name] / 3


@assembler
def test_steps_between_recordings_ask_nothing() -> None:
    """What is recorded costs a step in which it is not due next to nothing."""
    plain, _ = step("izhikevich", "float32")
    recorded, _ = step("izhikevich", "float32", recorded=("v",))
    assert recorded.unrolled == plain.unrolled
    assert abs(recorded.issued - plain.issued) <= 1.0
