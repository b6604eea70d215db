"""Names that mean something without being defined: constants, time, the neuron itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..backends.kernel import Kind

CONSTANTS: Mapping[str, float | bool] = {"pi": math.pi, "e": math.e, "inf": math.inf, "True": True, "False": False}
CHANGING_SPECIAL: Mapping[str, tuple[str, Kind]] = {
    "t": ("@t", Kind.REAL),
    "step": ("@step", Kind.INTEGER),
    "spiked": ("@spiked", Kind.BOOLEAN),
    "not_refractory": ("@not_refractory", Kind.BOOLEAN),
    "lastspike": ("@lastspike", Kind.REAL),
}
FIXED_SPECIAL: Mapping[str, tuple[str, Kind]] = {"dt": ("@dt", Kind.REAL), "i": ("@i", Kind.INTEGER), "N": ("@n", Kind.INTEGER)}
TIMES = frozenset({"t", "dt", "lastspike"})
SPECIAL_NAMES = (*CHANGING_SPECIAL, *FIXED_SPECIAL, *CONSTANTS)
