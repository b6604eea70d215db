"""A long body is cut into loops: nothing is lost, nothing is made twice, and no bit of a result changes."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt.backends.cpu.loops import WORTH, Loop, loops_of, rows_between
from dvdt.backends.kernel import (
    Array,
    Assign,
    Constant,
    Draw,
    Emit,
    Expr,
    Kernel,
    Kind,
    Operation,
    Phase,
    Store,
    Symbol,
    symbols_of,
)

HODGKIN_HUXLEY = """
dv/dt = (g_L*(E_L - v) + g_Na*m^3*h*(E_Na - v) + g_K*n^4*(E_K - v) + I) / C : mV
dm/dt = 0.32/mV*(13 mV - x)/(exp((13 mV - x)/(4 mV)) - 1)/ms*(1 - m) - 0.28/mV*(x - 40 mV)/(exp((x - 40 mV)/(5 mV)) - 1)/ms*m
dn/dt = 0.032/mV*(15 mV - x)/(exp((15 mV - x)/(5 mV)) - 1)/ms*(1 - n) - 0.5/ms*exp((10 mV - x)/(40 mV))*n
dh/dt = 0.128/ms*exp((17 mV - x)/(18 mV))*(1 - h) - 4/ms/(1 + exp((40 mV - x)/(5 mV)))*h
x = v + 63 mV
C = 200 pF; g_L = 10 nS; E_L = -65 mV; E_K = -90 mV; E_Na = 50 mV; g_Na = 20000 nS; g_K = 6000 nS; I : pA
v(0) = E_L
spike when v > -20 mV
refractory 3 ms
"""


def call(function: str, *arguments: Expr) -> Operation:
    return Operation(function, arguments)


def kernel_of(body: tuple[Assign | Draw, ...], stored: str, flag: str) -> Kernel:
    phase = Phase((), body, (Emit(0, flag),), (Store("x", stored),))
    return Kernel("test", (Array("x", Kind.REAL, True),), (), (), (), (), (phase,), (), ("spike",), ("x",))


def chain(length: int) -> tuple[Assign | Draw, ...]:
    """Functions that each read the last two, a condition early on, and what reads all that late."""
    x = Symbol("x")
    made: list[Assign | Draw] = [
        Assign("r", Kind.REAL, call("exp", x)),
        Assign("high", Kind.BOOLEAN, call("greater", Symbol("r"), Constant(0.5))),
    ]
    last: tuple[Expr, Expr] = (x, Symbol("r"))
    for number in range(length):
        made.append(Assign(f"f{number}", Kind.REAL, call("exp", call("negate", call("add", *last)))))
        last = (last[1], Symbol(f"f{number}"))
    made.append(Assign("new", Kind.REAL, call("where", Symbol("high"), call("add", *last, Symbol("f0")), x)))
    return tuple(made)


def cut(length: int) -> tuple[Kernel, tuple[Loop, ...]]:
    kernel = kernel_of(chain(length), "new", "high")
    return kernel, loops_of(kernel, kernel.phases[0])


def test_a_short_body_stays_whole() -> None:
    kernel, loops = cut(WORTH - 3)
    assert [loop.statements for loop in loops] == [kernel.phases[0].body]


@pytest.mark.parametrize("length", [WORTH, 2 * WORTH, 5 * WORTH])
def test_every_loop_has_what_it_reads(length: int) -> None:
    _, loops = cut(length)
    assert len(loops) > 1
    kept: set[str] = set()
    for loop in loops:
        assert set(loop.taken) <= kept
        known = {"x", *loop.taken}
        for statement in loop.statements:
            if isinstance(statement, Assign):
                assert symbols_of(statement.expression) <= known
            known.add(statement.name)
        assert set(loop.kept) <= known
        assert loop.reads <= known
        kept |= set(loop.kept)
    assert {"new", "high"} <= known


@pytest.mark.parametrize("length", [WORTH, 2 * WORTH, 5 * WORTH])
def test_functions_are_made_once_and_conditions_again(length: int) -> None:
    kernel, loops = cut(length)
    names = [statement.name for loop in loops for statement in loop.statements]
    assert {name: names.count(name) for name in set(names) - {"high"}} == {
        statement.name: 1 for statement in kernel.phases[0].body if statement.name != "high"
    }
    assert names.count("high") == 2
    rows = rows_between(loops)
    assert sorted(rows.values()) == list(range(len(rows)))
    assert "high" not in rows


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_model_that_is_cut_runs_as_one_that_is_not(precision: str) -> None:
    """A population function makes the neurons wait for one another, and such a body stays whole."""
    texts = (HODGKIN_HUXLEY, HODGKIN_HUXLEY + "\neach step: s = total(n)\ns(0) = 0\n")
    current = np.linspace(100, 700, 700)
    cut, whole = (
        dvdt.simulate(
            text, "20 ms", dt="0.02 ms", n=700, parameters={"I": current}, method="exponential_euler", precision=precision, seed=3
        )
        for text in texts
    )
    assert len(cut.spikes.t) > 100
    assert np.array_equal(cut.spikes.t, whole.spikes.t)
    assert np.array_equal(cut.spikes.i, whole.spikes.i)
    for state in "vmnh":
        assert np.array_equal(cut.final_state[state], whole.final_state[state])
