"""Every model of the library runs for a second at the step it recommends, under every scheme that its equations allow, in both precisions.

Models that share their differential equations run under the schemes that they do not recommend once: schemes see nothing else.
"""

from __future__ import annotations

import numpy as np
import pytest

import dvdt
from dvdt.dsl.schemes import SCHEMES
from dvdt.stdlib_models import LIBRARY

from .strong_inputs import STRONG


def shape(name: str) -> str:
    """What a scheme sees of a model."""
    model = dvdt.model(name).checked
    return repr((sorted((s.name, repr(s.derivative), s.held) for s in model.states if s.derivative is not None), model.derived))


def cases() -> list[tuple[str, str | None]]:
    """(model, scheme): every scheme for the first model of a shape that has equations, for the others their own."""
    found: list[tuple[str, str | None]] = []
    shapes: set[str] = set()
    for name in LIBRARY:
        model, found_shape = dvdt.model(name).checked, shape(name)
        found.append((name, None))
        if found_shape not in shapes and any(state.derivative is not None for state in model.states):
            found += [(name, scheme) for scheme, row in SCHEMES.items() if scheme != model.method and not row.noise]
        shapes.add(found_shape)
    return found


@pytest.mark.parametrize(("name", "scheme"), cases(), ids=lambda part: part or "recommended")
def test_runs_for_a_second_and_stays_finite(name: str, scheme: str | None) -> None:
    model = dvdt.model(name)
    parameters: dict[str, object] = {p.name: np.eye(3) for p in model.checked.parameters if "matrix" in p.flags}
    if name in STRONG:
        parameters[STRONG[name][0]] = np.array([0, 0.5, 1]) * STRONG[name][1]
    parameters |= {e.name: dvdt.spike_times([[10.0], [20.0, 30.0], [900.0]]) for e in model.checked.externals}
    for precision in ("float64", "float32"):
        try:
            final = dvdt.simulate(
                model, "1 s", n=3, parameters=parameters, method=scheme, precision=precision, threads=1, seed=1
            ).final_state
        except dvdt.UsageError as error:
            if scheme is None or not str(error).startswith(f"method: {scheme} cannot"):  # the scheme says why
                raise
            return
        for state in model.states:
            assert np.all(np.isfinite(final[state])), (state, precision)
            assert np.all(np.abs(final[state].astype(np.float64)) < 1e8), (state, precision)


def test_what_is_driven_hard_spikes() -> None:
    for name, (parameter, value) in STRONG.items():
        model = dvdt.model(name)
        if not model.events:
            continue
        result = dvdt.simulate(model, "0.5 s", n=1, parameters={parameter: np.array([value])}, threads=1, seed=1)
        assert len(result.spikes.t), name
