"""What the simulator is asked of runs and of coupled kernels, asked of the virtual card: with exact mathematics, against the CPU's bits.

Threads, and what waits in streams, come in an order drawn by chance.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dvdt.backends import availability
from dvdt.backends.cpu import program as cpu
from dvdt.backends.cuda import program as cuda
from dvdt.dsl import compile as compiling

from . import simulated_coupled
from .simulated_coupled import *  # noqa: F403
from .simulated_runs import *  # noqa: F403
from .virtual.card import inserted

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None,
        reason='needs NVIDIA\'s compiler: python -m pip install ".[cuda-ci]"',
    ),
]

# these name the simulator, or ask for the values of a step that a CPU does not keep once one is not finite
del test_the_report_names_what_computed, test_saved_and_pickled_results, test_the_command_line  # noqa: F821
del test_the_first_value_that_is_not_finite_is_told  # noqa: F821


@pytest.fixture(scope="module", autouse=True)
def card() -> Iterator[None]:
    """A card in the place of the simulator, the CPU in that of the reference."""
    known = availability.BACKENDS
    exact = replace(
        known["cuda"], build=lambda kernel, precision, outside, _: cuda.build(kernel, precision, outside, exact_math=True)
    )
    with inserted(1), pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "BACKENDS", {**known, "cuda": exact, "reference": known["cpu"]})
        patch.setattr(simulated_coupled, "reference", cpu)
        patch.setattr(
            simulated_coupled, "program_of", lambda kernel, precision, backwards: cuda.build(kernel, precision, exact_math=True)
        )
        yield
