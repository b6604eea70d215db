"""What was worked out before is found on disk: checked texts and kernels, under keys of their content.

A text that this version has checked needs neither lark nor sympy again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..backends import cache
from ..backends.serial import KERNEL_CLASSES, from_plain, to_plain
from . import checked, structure, units

T = TypeVar("T")

CLASSES: Mapping[str, type] = {
    **KERNEL_CLASSES,
    **{
        cls.__name__: cls
        for cls in (
            units.Dimension,
            units.Unit,
            checked.State,
            checked.Parameter,
            checked.Derived,
            checked.Input,
            checked.External,
            checked.Assignment,
            checked.Event,
            checked.Refractory,
            checked.Surrogate,
            checked.CheckedModel,
            structure.Structure,
            structure.Jacobian,
            structure.Compiled,
        )
    },
}


@functools.cache
def fingerprint() -> str:
    """A digest of the compiler: whatever it worked out in another version is not found."""
    root = Path(__file__).parent.parent
    files = [path for folder in ("grammar", "dsl", "backends") for path in sorted((root / folder).rglob("*.*"))]
    files = [path for path in files if root / "dsl" / "run" not in path.parents]  # what runs has no say in what is compiled
    return cache.digest(*(path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".lark")))


def key(kind: str, *values: Any) -> str:
    """The key of something of this kind that depends on these values and on the compiler."""
    return cache.digest(kind, fingerprint(), *(json.dumps(to_plain(value, CLASSES), sort_keys=True) for value in values))


def remembered(key: str, make: Callable[[], T]) -> T:
    """What is stored under the key, or what `make` returns, which is stored then."""
    found = recall(key)
    if found is not None:
        value: T = found
        return value
    value = make()
    keep(key, value)
    return value


def recall(key: str) -> Any:
    """What was kept under the key, or None."""
    found = cache.read(key)
    return None if found is None else from_plain(found["value"], CLASSES)


def keep(key: str, value: Any) -> None:
    cache.write(key, {"value": to_plain(value, CLASSES)})
