"""Values that lie on a device, for programs that compute there too: CuPy, PyTorch and numba read and write them without a copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checked import Variable
from ..errors import UsageError
from ..units import Unit, computing_unit, describe, unit_of


@dataclass(frozen=True, eq=False)
class OnDevice:
    """An array on a GPU, in `unit`, with the CUDA array interface (version 3): `cupy.asarray(values)` and
    `torch.as_tensor(values, device="cuda")` are views of it.

    `dtype` is the precision of the run, int64 for whole numbers; truth values of states are 0 and 1 in that precision.
    """

    name: str
    unit: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    array: Any = field(repr=False)  # of numba
    outdated: Callable[[], str] = field(default=str, repr=False)  # why it is no longer that of the simulation; empty where it is

    @property
    def __cuda_array_interface__(self) -> Mapping[str, Any]:
        """See https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html. Raises UsageError where the array is another one by now."""
        self._refuse_outdated()
        found: Mapping[str, Any] = interface(self.array)
        return found

    def copy_to_host(self) -> NDArray[Any]:
        """The values now, as an array in the main memory. Raises UsageError where the array is another one by now."""
        self._refuse_outdated()
        return np.array(self.array.copy_to_host())

    def _refuse_outdated(self) -> None:
        if why := self.outdated():
            raise UsageError(f"{self.name}: {why}")

    def __repr__(self) -> str:
        return f"OnDevice({self.name!r} in {self.unit}, {' x '.join(map(str, self.shape))}, {self.dtype.name})"


def interface(array: Any) -> Mapping[str, Any]:
    """The CUDA array interface of an array of numba; its simulator, whose arrays lie in the main memory, has none."""
    found = getattr(array, "__cuda_array_interface__", None)
    if found is not None:
        return dict(found)
    return {**array.__array_interface__, "stream": None, "version": 3}


def unit_on_device(variable: Variable, asked: object, where: str, otherwise: str) -> Unit:
    """The unit in which the values of a variable lie on a device.

    That is the one that the model declares, or another one that has to be `asked` for, so that nobody takes the one for the other.
    `otherwise` says how a copy in the declared unit is had.
    """
    declared = variable.unit
    stored = declared if declared.computing_decade == 0 else computing_unit(declared.dimension)
    if asked is None and stored is declared:
        return declared
    if asked is None:
        raise UsageError(
            f"{where}: {variable.name} is declared in {declared.text} and computed in {stored.text}, without a copy it can be had in that alone:"
            f" unit={stored.text!r}; {otherwise} is a copy in {declared.text}"
        )
    found = _parsed(asked, where, stored)
    if found.dimension != declared.dimension:
        raise UsageError(
            f"{where}: unit={asked!r} is {describe(found.dimension)}, and {variable.name} is {describe(declared.dimension)}"
        )
    if found.computing_decade != 0:
        raise UsageError(f"{where}: {variable.name} is computed in {stored.text}, not in {asked}: unit={stored.text!r}")
    return found


def _parsed(asked: object, where: str, stored: Unit) -> Unit:
    if asked == stored.text:
        return stored
    from ...grammar.parse import parse_unit
    from ...grammar.source import Source

    node, mistakes = parse_unit(Source(asked, f"{where}: unit")) if isinstance(asked, str) else (None, ())
    unit = unit_of(node) if node is not None else None
    if mistakes or not isinstance(unit, Unit):
        raise UsageError(f"{where}: unit={asked!r} is no unit; expected one such as {stored.text!r}")
    return unit
