"""Kernel to machine code. `dvdt.backends()` lists what this machine can run."""

import sys
from importlib import import_module
from types import ModuleType


class _Backends(ModuleType):
    """The package, which answers a call with what there is to run on."""

    def __call__(self) -> object:
        return import_module(".availability", __name__).available()


sys.modules[__name__].__class__ = _Backends
