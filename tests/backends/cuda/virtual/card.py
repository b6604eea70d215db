"""A card for numba-cuda where there is none: its driver, in Python, with this machine's memory and processor.

`with inserted():` puts the driver in. Within, all of numba-cuda is its own (arrays, the marshalling of arguments, streams, the
compiler down to PTX) except that the functions of the driver that it calls are those of `Driver`, and that a kernel is the PTX that
libNVVM made of it, executed by `processor`. What a card does later is done later here: work in streams waits until someone waits for it,
and is then made in an order drawn by chance among those that streams and events allow. New memory is full of ones (nan); what is freed, too.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import functools
import gc
import itertools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from .processor import Machine, machine

CAPABILITY = (9, 0)
MEMORY = 1 << 33  # bytes, as the card tells
PROCESSORS, BLOCKS = 4, 2  # multiprocessors, and blocks that one holds at a time


@dataclass(eq=False)
class Work:
    """Something to be done in a stream, after what it `needs`."""

    do: Callable[[], object] | None
    needs: list[Work] = field(default_factory=list)


class Queue:
    """The work of all streams. Stream 0 waits for all streams, and all streams for it."""

    def __init__(self, seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.waiting: list[Work] = []
        self.last: dict[int, Work] = {}
        self.events: dict[int, Work] = {}

    def add(self, stream: int, do: Callable[[], object], *more: Work) -> Work:
        before = self.last.values() if stream == 0 else [self.last[s] for s in (0, stream) if s in self.last]
        work = Work(do, [*before, *more])
        self.last[stream] = work
        self.waiting.append(work)
        return work

    def finish(self, wanted: Work | None = None) -> None:
        """Do waiting work, whatever may come next by chance, until the wanted one (or all) is done."""
        while self.waiting and (wanted is None or wanted.do):
            ready = [work for work in self.waiting if not any(need.do for need in work.needs)]
            work = ready[self.chance.integers(len(ready))]
            self.waiting.remove(work)
            do, work.do, work.needs = work.do, None, []
            assert do is not None
            do()


class Refused(Exception):
    """The driver answers with an error; its name, without CUDA_ERROR_."""


class Driver:
    """The functions of CUDA's driver that numba-cuda calls, by their names. `types` is NVIDIA's module of the driver."""

    def __init__(self, types: Any, seed: int = 0) -> None:
        self.types = types
        self.queue = Queue(seed)
        self.allocated: dict[int, NDArray[np.uint8]] = {}
        self.pinned: dict[int, NDArray[np.uint8]] = {}
        self.handles = itertools.count(1 << 20)
        self.called: collections.Counter[str] = collections.Counter()
        self.current = 0

    # ---- the device -----------------------------------------------------------------------------------

    def cuInit(self, flags: int) -> None:
        """Nothing to be done."""

    def cuDriverGetVersion(self) -> int:
        return 13990  # of CUDA 13.99: of no card that is there

    def cuDeviceGetCount(self) -> int:
        return 1

    def cuDeviceGet(self, number: int) -> int:
        return number

    def cuDeviceGetName(self, size: int, device: int) -> bytes:
        return b"virtual card\0"

    def cuDeviceTotalMem(self, device: int) -> int:
        return MEMORY

    def cuDeviceGetAttribute(self, attribute: Any, device: int) -> int:
        major, minor = CAPABILITY
        told = {
            "MULTIPROCESSOR_COUNT": PROCESSORS,
            "COOPERATIVE_LAUNCH": 1,
            "CAN_MAP_HOST_MEMORY": 1,
            "MAX_THREADS_PER_BLOCK": 1024,
        }
        told |= {"COMPUTE_CAPABILITY_MAJOR": major, "COMPUTE_CAPABILITY_MINOR": minor}
        return told[attribute.name.removeprefix("CU_DEVICE_ATTRIBUTE_")]

    def cuCtxGetCurrent(self) -> Any:
        return self.types.CUcontext(self.current)

    def cuCtxGetDevice(self) -> int:
        if not self.current:
            raise Refused("INVALID_CONTEXT")
        return 0

    def cuCtxPushCurrent(self, context: Any) -> None:
        self.current = int(context)

    def cuCtxPopCurrent(self) -> int:
        popped, self.current = self.current, 0
        return popped

    def cuCtxSynchronize(self) -> None:
        self.queue.finish()

    def cuDevicePrimaryCtxRelease(self, device: int) -> None:
        """There is one for ever."""

    def cuOccupancyMaxActiveBlocksPerMultiprocessor(self, function: Any, threads: int, shared: int) -> int:
        return BLOCKS

    # ---- memory ---------------------------------------------------------------------------------------

    def cuMemGetInfo(self) -> tuple[int, int]:
        return MEMORY - sum(block.nbytes for block in self.allocated.values()), MEMORY

    def cuMemAlloc(self, size: int) -> Any:
        block = np.full(size, 0xFF, np.uint8)
        self.allocated[block.ctypes.data] = block
        return self.types.CUdeviceptr(block.ctypes.data)

    def cuMemFree(self, pointer: Any) -> None:
        self.queue.finish()  # as on a card, which waits for what is under way
        self.allocated.pop(int(pointer))[:] = 0xFF

    def cuMemHostAlloc(self, size: int, flags: int) -> int:
        block = np.full(max(1, size), 0xFF, np.uint8)
        self.pinned[block.ctypes.data] = block
        return block.ctypes.data

    def cuMemFreeHost(self, pointer: int) -> None:
        self.queue.finish()
        self.pinned.pop(pointer)[:] = 0xFF

    def cuMemHostRegister(self, pointer: int, size: int, flags: int) -> None:
        self.pinned[pointer] = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(pointer))

    def cuMemHostUnregister(self, pointer: int) -> None:
        self.queue.finish()
        self.pinned.pop(pointer)

    def cuMemHostGetDevicePointer(self, pointer: int, flags: int) -> Any:
        return self.types.CUdeviceptr(pointer)

    def _on_card(self, pointer: Any, size: int) -> int:
        """An address of the card; what lies outside of its blocks is an error."""
        for start, block in (*self.allocated.items(), *self.pinned.items()):
            if start <= int(pointer) and int(pointer) + size <= start + block.nbytes:
                return int(pointer)
        raise IndexError(f"{size} bytes at {int(pointer):#x} are no memory of the card")

    def _is_pinned(self, pointer: int) -> bool:
        return any(start <= pointer < start + block.nbytes for start, block in self.pinned.items())

    def _copy(self, to: int, of: int, size: int, stream: int) -> Work:
        return self.queue.add(stream, lambda: ctypes.memmove(to, of, size))

    def cuMemcpyHtoDAsync(self, to: Any, of: int, size: int, stream: int = 0) -> None:
        to = self._on_card(to, size)
        if self._is_pinned(of):
            self._copy(to, of, size, stream)
        else:  # the driver takes a copy of memory that may be moved, and returns
            kept = ctypes.string_at(of, size)
            self.queue.add(stream, lambda: ctypes.memmove(to, kept, size))

    def cuMemcpyDtoHAsync(self, to: int, of: Any, size: int, stream: int = 0) -> None:
        work = self._copy(to, self._on_card(of, size), size, stream)
        if not self._is_pinned(to):
            self.queue.finish(work)

    def cuMemcpyDtoDAsync(self, to: Any, of: Any, size: int, stream: int = 0) -> None:
        self._copy(self._on_card(to, size), self._on_card(of, size), size, stream)

    def cuMemcpyHtoD(self, to: Any, of: int, size: int) -> None:
        self.queue.finish(self._copy(self._on_card(to, size), of, size, 0))

    def cuMemcpyDtoH(self, to: int, of: Any, size: int) -> None:
        self.queue.finish(self._copy(to, self._on_card(of, size), size, 0))

    def cuMemcpyDtoD(self, to: Any, of: Any, size: int) -> None:
        self.cuMemcpyDtoDAsync(to, of, size)

    def cuMemsetD8Async(self, to: Any, value: int, size: int, stream: Any = 0) -> None:
        place = self._on_card(to, size)
        self.queue.add(int(stream), lambda: ctypes.memset(place, value, size))

    def cuMemsetD8(self, to: Any, value: int, size: int) -> None:
        self.cuMemsetD8Async(to, value, size)

    # ---- streams and events -----------------------------------------------------------------------------

    def cuStreamCreate(self, flags: int) -> Any:
        assert flags == 0, "a stream that does not wait for stream 0"
        return self.types.CUstream(next(self.handles))

    def cuStreamDestroy(self, stream: Any) -> None:
        self.cuStreamSynchronize(int(stream))

    def cuStreamSynchronize(self, stream: int) -> None:
        if work := self.queue.last.get(int(stream)):
            self.queue.finish(work)

    def cuStreamWaitEvent(self, stream: int, event: int, flags: int) -> None:
        if work := self.queue.events.get(int(event)):
            self.queue.add(int(stream), lambda: None, work)

    def cuEventCreate(self, flags: int) -> int:
        return next(self.handles)

    def cuEventDestroy(self, event: int) -> None:
        self.queue.events.pop(int(event), None)

    def cuEventRecord(self, event: int, stream: int) -> None:
        self.queue.events[int(event)] = self.queue.add(int(stream), lambda: None)

    def cuEventSynchronize(self, event: int) -> None:
        if work := self.queue.events.get(int(event)):
            self.queue.finish(work)

    def cuEventQuery(self, event: int) -> None:
        work = self.queue.events.get(int(event))
        if work and work.do and self.queue.chance.random() < 0.5:
            raise Refused("NOT_READY")
        self.cuEventSynchronize(event)

    def cuEventElapsedTime(self, start: int, end: int) -> float:
        return 1.0

    # ---- kernels ------------------------------------------------------------------------------------------

    def launch(self, stream: Any, config: Any, kernel: Kernel, *arguments: Any) -> None:
        """Put a kernel into a stream: what `cuda.core.launch` does."""
        numbers = [getattr(argument, "value", argument) for argument in arguments]
        blocks, threads = (count[0] if isinstance(count, tuple) else count for count in (config.grid, config.block))
        if kernel.waits_for_grid and (not config.is_cooperative or blocks > PROCESSORS * BLOCKS):
            raise RuntimeError(
                "a kernel whose blocks wait for one another is launched as if they did not, or with too many of them"
            )
        self.called[kernel.name] += 1

        def run() -> None:
            kernel.machine.launch(kernel.name, blocks, threads, numbers, [*self.allocated.values(), *self.pinned.values()])

        self.queue.add(int(stream), run)


@dataclass(frozen=True)
class Kernel:
    """What numba-cuda takes for a function on the card."""

    name: str
    machine: Machine
    module: Any = field(default_factory=lambda: SimpleNamespace(initialized=True))
    attrs: Any = field(default_factory=lambda: SimpleNamespace(regs=32, shared=0, const=0, local=0, maxthreads=1024))
    handle: int = 0

    @property
    def kernel(self) -> Kernel:
        return self

    @property
    def waits_for_grid(self) -> bool:
        return self.machine.waits_for_grid


class _Device:
    """What `cuda.core.Device` tells numba-cuda."""

    def __init__(self, number: int) -> None:
        driver = import_module("cuda.bindings.driver")
        self.device_id, self.compute_capability = number, CAPABILITY
        self.name, self.uuid = "virtual card", "00000000-0000-0000-0000-000000000000"
        self.context = SimpleNamespace(handle=driver.CUcontext(1))

    def set_current(self) -> None:
        """There is one."""


def _answering(function: Callable[..., Any], results: Any) -> Callable[..., tuple[Any, ...]]:
    """As NVIDIA's module has it: what a function gives stands behind an error code."""

    @functools.wraps(function)
    def answer(*arguments: Any) -> tuple[Any, ...]:
        try:
            given = function(*arguments)
        except Refused as error:
            return getattr(results, f"CUDA_ERROR_{error}"), None
        return (results.CUDA_SUCCESS, *(given if isinstance(given, tuple) else () if given is None else (given,)))

    return answer


@contextlib.contextmanager
def inserted(seed: int = 0) -> Iterator[Driver]:
    """A virtual card in this process, taken out again at the end; what is drawn by chance follows from `seed`."""
    types, cuda = import_module("cuda.bindings.driver"), import_module("numba.cuda")
    codegen, dispatcher = import_module("numba.cuda.codegen"), import_module("numba.cuda.dispatcher")
    devices, driver = import_module("numba.cuda.cudadrv.devices"), import_module("numba.cuda.cudadrv.driver")
    made = Driver(types, seed)
    names = [name for name in dir(made) if name.startswith("cu") and name in dir(types)]

    def function(library: Any) -> Kernel:
        if 0 not in library._cufunc_cache:
            library.get_cubin()  # assembled, as for a card
            library._cufunc_cache[0] = Kernel(library._entry_name, machine(library.get_asm_str()))
        found: Kernel = library._cufunc_cache[0]
        return found

    earlier = set(weakref.finalize._registry)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(types, name, _answering(getattr(made, name), types.CUresult))
        patch.setattr(driver.driver, "is_initialized", False)
        patch.setattr(driver.driver, "initialization_error", None)
        patch.setattr(driver.driver, "devices", {})
        patch.setattr(driver, "ExperimentalDevice", _Device)
        patch.setattr(driver, "_to_core_stream", driver._stream_handle)
        patch.setattr(devices._runtime, "gpus", devices._DeviceList())
        patch.setattr(dispatcher, "launch", made.launch)
        patch.setattr(dispatcher, "LaunchConfig", SimpleNamespace)
        patch.setattr(codegen.CUDACodeLibrary, "get_cufunc", function)
        try:
            yield made
        finally:
            gc.collect()
            cuda.current_context().reset()
            for late, told in [*weakref.finalize._registry.items()]:  # type: ignore[attr-defined]
                if late not in earlier and told.func.__module__ == driver.__name__:
                    late.detach()  # nobody is there to be told that something is not used any more
            for name in names:  # numba keeps what it has called
                vars(driver.driver).pop(name, None)
