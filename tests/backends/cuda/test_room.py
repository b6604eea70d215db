"""A GPU that is too small for a run is told before anything is allocated: on a virtual card, whose free memory the test sets."""

from __future__ import annotations

import importlib.util

import pytest

import dvdt

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
    reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
)


def test_too_many_neurons_are_refused_before_there_is_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state is on the device twice: that is 8 bytes a neuron in float32."""
    from dvdt.dsl.run import assembly

    from .virtual.card import Driver, inserted

    monkeypatch.setattr(Driver, "cuMemGetInfo", lambda card: (7_000_000, 1 << 33))
    with inserted() as card:
        made = set(card.allocated)
        with monkeypatch.context() as changed:
            changed.setattr(assembly, "allocate", None)
            with pytest.raises(
                dvdt.UsageError, match=r"backend='cuda': 1000000 neurons of .* need 0\.008 GB on the GPU, 0\.007 GB"
            ):
                dvdt.simulate("dv/dt = -v/(10 ms); v(0) = rand()", "1 ms", n=1_000_000, backend="cuda")
        assert set(card.allocated) == made
