"""Every smooth model of the library under every scheme that takes it: the deviation from SciPy at tight tolerance falls with the scheme's
order, from a start beside the model's own, over a stretch without events.

Models that share their equations are tested once. Steps are measured in the fastest time constant at the start.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dvdt
from dvdt.backends.evaluation import evaluate
from dvdt.dsl.checked import CheckedModel
from dvdt.dsl.schemes import SCHEMES
from dvdt.dsl.substitute import definitions, operations_of, substitute, symbols_of
from dvdt.dsl.units import from_computing
from dvdt.stdlib_models import LIBRARY

# statements that make something happen, where the defaults leave a model near its rest
DRIVES = {
    "if_": "I = 0.3 nA; decay = 0.1 mV/ms",
    "lif": "I = 10 nA",
    "lif_blocked_input": "I = 10 nA",
    "lif_adaptive_threshold": "I = 10 nA",
    "alif": "I = 0.8",
    "qif": "I = 5 nA",
    "eif": "I = 2 nA",
    "adex": "I = 300 pA",
    "izhikevich": "I = 3",
    "fitzhugh_nagumo": "I = 0.4; v_th = 3",
    "hodgkin_huxley": "I = 8 uA/cm^2",
    "traub_miles": "I = 200 pA",
    "glif5": "I = 100 pA",
}
STEPS = (5, 10, 20)  # in the same stretch: two of the fastest time constants at the start
NOT_SMOOTH = frozenset("uniform normal exponential poisson one_of rank sample floor ceil round".split())
ROUNDING = 1e-9  # relative: where errors are below, nothing is left to fall


class Fired(Exception):
    """An event in the stretch."""


@dataclass(frozen=True)
class Case:
    """A stretch of `duration` ms from `start`, which ends at `end` (both by state, in the model's units), of size `scale`."""

    duration: float
    start: dict[str, float]
    end: np.ndarray
    scale: np.ndarray


def distinct() -> list[str]:
    """One model for each set of differential equations without noise, draws and jumps, where nothing moves once a step but they."""
    found: dict[str, str] = {}
    for name in LIBRARY:
        checked = dvdt.model(name).checked
        slopes = {state.name: state.derivative for state in checked.states if state.derivative is not None}
        written = definitions(checked)
        operations = {o.name for slope in slopes.values() for o in operations_of(substitute(slope, written))}
        once_a_step = {statement.target for statement in (*checked.each_step, *checked.each_step_after_reset)}
        moved = {symbol for slope in slopes.values() for symbol in symbols_of(substitute(slope, written))} & {"@dt", *once_a_step}
        text = repr(
            (slopes, [(d.name, d.expression) for d in checked.derived], [s.kind for s in checked.states if s.name in slopes])
        )
        if slopes and "@xi" not in text and not moved and not operations & NOT_SMOOTH:
            found.setdefault(text, name)
    return list(found.values())


@functools.cache
def driven(name: str) -> dvdt.Model:
    model = dvdt.model(name)
    return model.extend(DRIVES[name], name=f"{name}_driven") if name in DRIVES else model


@functools.cache
def case(name: str, part: float) -> Case:
    """SciPy's solution of the equations as they stand in the text, over a part of the usual stretch."""
    checked: CheckedModel = driven(name).checked
    states = [state for state in checked.states if state.derivative is not None]
    values = values_at_start(checked)
    written = definitions(checked)
    slopes = [substitute(state.derivative, written) for state in states if state.derivative is not None]

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        here = {**values, "@t": np.float64(t), **{state.name: np.float64(x) for state, x in zip(states, y, strict=True)}}
        return np.array([float(evaluate(expression, here)) for expression in slopes])

    start = np.array([0.97 * float(values[state.name]) + 0.03 for state in states])
    duration = part * 2 / fastest(slope, start)
    run = solve_ivp(slope, (0, duration), start, method="DOP853", rtol=1e-11, atol=1e-13)
    shown = [from_computing(np.array([a, b]), state.unit) for state, a, b in zip(states, start, run.y[:, -1], strict=True)]
    names = [state.name for state in states]
    end = np.array([pair[1] for pair in shown])
    return Case(duration, dict(zip(names, [float(pair[0]) for pair in shown], strict=True)), end, np.maximum(np.abs(end), 1e-2))


def values_at_start(checked: CheckedModel) -> dict[str, np.generic]:
    """Every name at the start of a run with defaults."""
    waiting = {p.name: p.default for p in checked.parameters if p.default is not None}
    written = definitions(checked)
    waiting |= {state.name: substitute(state.initial, written) for state in checked.states}
    found: dict[str, np.generic] = {"@t": np.float64(0), "@n": np.int64(1), "@not_refractory": np.bool_(True)}
    found |= {p.name: np.float64(0) for p in checked.parameters if p.default is None}
    while waiting:
        ready = [name for name, expression in waiting.items() if symbols_of(expression) <= found.keys()]
        assert ready, f"{checked.name}: {', '.join(waiting)} depend on what is not known at the start"
        found |= {name: evaluate(waiting.pop(name), found) for name in ready}
    return found


def fastest(slope: object, at: np.ndarray) -> float:
    """The largest eigenvalue of the Jacobian, by differences."""
    columns = []
    for place in range(len(at)):
        moved = at.copy()
        moved[place] += 1e-5 * max(1.0, abs(at[place]))
        columns.append((slope(0.0, moved) - slope(0.0, at)) / (moved[place] - at[place]))  # type: ignore[operator]
    rate = float(np.max(np.abs(np.linalg.eigvals(np.array(columns).T))))
    return rate if rate > 1e-6 else 1.0


def deviation(name: str, part: float, scheme: str, steps: int) -> float:
    """The largest deviation of a state at the end, relative to its size. Raises UsageError for a scheme that cannot do the model."""
    found, model = case(name, part), driven(name)
    state = {s: value if (text := model.states[s].unit) in ("", "1") else f"{value!r} {text}" for s, value in found.start.items()}
    dt = f"{found.duration / steps!r} ms"
    simulation = dvdt.Simulation(model, dt=dt, method=scheme, backend="reference", state=state)
    simulation.step(steps)
    result = simulation.result()
    if any(len(event.t) for event in result.events.values()):
        raise Fired
    end = np.array([float(simulation.state[s][0]) for s in found.start])
    return float(np.max(np.abs(end - found.end) / found.scale))


def quiet(name: str, part: float) -> bool:
    """Whether nothing happens in a part of the stretch."""
    try:
        deviation(name, part, "rk4", STEPS[-1])
    except Fired:
        return False
    return True


@pytest.mark.parametrize("name", distinct())
def test_errors_fall_with_the_order(name: str) -> None:
    part = next(part for part in (1.0, 0.3, 0.1, 0.03) if quiet(name, part))
    taken = []
    for scheme, row in SCHEMES.items():
        try:
            errors = [deviation(name, part, scheme, steps) for steps in STEPS]
        except dvdt.UsageError:
            continue
        taken.append(scheme)
        if errors[0] < ROUNDING:
            continue
        assert row.order is not None, (scheme, errors)
        assert errors[0] > errors[1] > errors[2] or errors[2] < ROUNDING, (scheme, errors)
        assert np.log2(errors[1] / errors[2]) > row.order - 0.35 or errors[2] < ROUNDING, (scheme, errors)
        assert errors[2] < 0.1, (scheme, errors)
    assert {"euler", "rk2", "rk4", "exponential_euler", "exponential_rk2", "backward_euler"} <= set(taken)


def test_the_table_of_drives_names_models() -> None:
    assert set(DRIVES) <= set(LIBRARY)
