"""A device that is not there: numba-cuda compiles for it and links, and loads nothing. What a test asks of the compiler is counted."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from dvdt.backends.cuda import machine
from dvdt.backends.cuda import program as cuda


class Context:
    """In the place of numba's context of a device; `loaded` is the machine code that was loaded."""

    def __init__(self, capability: tuple[int, int]) -> None:
        self.device = SimpleNamespace(compute_capability=capability, id=0)
        self.loaded: list[bytes] = []

    def create_module_image(self, image: Any, setup: Any, teardown: Any) -> Any:
        self.loaded.append(image.code)
        module = SimpleNamespace(initialized=True)
        return SimpleNamespace(get_function=lambda name: SimpleNamespace(module=module, name=name))


class Counted:
    """How often libNVVM was called."""

    def __init__(self) -> None:
        self.calls = 0
        nvvm = import_module("numba.cuda.cudadrv.nvvm")
        compiled = nvvm.compile_ir

        def compile_ir(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            return compiled(*arguments, **options)

        nvvm.compile_ir = compile_ir


def put_in_place(capability: tuple[int, int] = (9, 0)) -> Context:
    """From now on this process has such a device, for all that numba-cuda and dvdt ask before a kernel is launched."""
    context = Context(capability)
    gpu = machine.Gpu("NVIDIA Nothing", 1 << 34, capability, (13, 0))
    import_module("numba.cuda.dispatcher").get_current_device = lambda: context.device
    import_module("numba.cuda.cudadrv.devices").get_context = lambda number=None: context
    for module in (cuda, machine):
        module.gpu = lambda: gpu
    cuda.obstacle = lambda: ""
    return context
