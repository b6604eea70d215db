"""What CUDA finds on this machine: the GPU, its driver and NVIDIA's packages; and what is said where one of them is missing or fails."""

from __future__ import annotations

import gc
import importlib.util
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..unusable import DeviceFailed, Unavailable
from .functions import numba_cuda, simulated

INSTALL = 'python -m pip install "dvdt[cuda]"'
DRIVERS = {12: 525, 13: 580}  # the first Linux driver for each version of CUDA


@dataclass(frozen=True)
class Gpu:
    """A GPU: its name, bytes of memory, compute capability, and the newest CUDA that its driver knows."""

    name: str
    memory: int
    capability: tuple[int, int]
    driver: tuple[int, int]

    @property
    def architecture(self) -> str:
        """What machine code for it depends on."""
        return f"sm_{self.capability[0]}{self.capability[1]} for the driver of CUDA {_dotted(self.driver)}"

    def __str__(self) -> str:
        return f"{self.name}, {self.memory / 2**30:.0f} GiB, compute capability {_dotted(self.capability)}"


# ---- what there is ------------------------------------------------------------------------------


def obstacle() -> str:
    """Why this machine cannot run the backend, and what to do; empty where it can."""
    if simulated():
        return ""
    if importlib.util.find_spec("numba_cuda") is None:
        return f"the package numba-cuda is not installed; run: {INSTALL}"
    try:
        found = gpu()
        _refuse_what_does_not_match(found)
        numba = numba_cuda()
    except Unavailable as why:
        return str(why)
    except ImportError as error:
        return f"the package numba-cuda does not load ({_first_line(error)}); run: {INSTALL} --upgrade"
    if not numba.is_available():
        told = " ".join(str(numba.cuda_error() or "").split()).rstrip(". ")
        return f"numba cannot use the GPU here: {told or f'a part of the CUDA toolkit is missing; run: {INSTALL}'}"
    return ""


def gpu() -> Gpu:
    """The GPU that would be used: that of the present context, else the first. Raises Unavailable, saying what to do."""
    driver = _part("driver")
    _ask(driver, "cuInit", 0)
    if _ask(driver, "cuDeviceGetCount") == 0:
        raise Unavailable(CODES["NO_DEVICE"])
    error, current = driver.cuCtxGetDevice()
    device = current if int(error) == 0 else _ask(driver, "cuDeviceGet", 0)
    attributes = driver.CUdevice_attribute
    capability = [
        int(_ask(driver, "cuDeviceGetAttribute", getattr(attributes, f"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_{part}"), device))
        for part in ("MAJOR", "MINOR")
    ]
    name = _ask(driver, "cuDeviceGetName", 256, device).partition(b"\0")[0].decode(errors="replace").strip()
    newest = int(_ask(driver, "cuDriverGetVersion"))
    memory = int(_ask(driver, "cuDeviceTotalMem", device))
    return Gpu(name, memory, (capability[0], capability[1]), (newest // 1000, newest % 1000 // 10))


def free_memory(wanted: float) -> float:
    """The bytes that are free on the GPU; where fewer than `wanted` are, what nobody holds any more is given back first."""
    context = numba_cuda().current_context()
    free: float = context.get_memory_info()[0]
    if free < wanted:
        gc.collect()
        if hasattr(context.memory_manager, "deallocations"):  # numba keeps what is left until it needs memory itself
            context.memory_manager.deallocations.clear()
        free = context.get_memory_info()[0]
    return free


def refuse_what_needs(needed: float, what: str, free: float) -> None:
    """Raise Unavailable where so many bytes are more than are free on the GPU, or can be."""
    if needed > free and needed > (free := free_memory(needed)):
        raise Unavailable(
            f"{what} need {needed / 1e9:.3g} GB on the GPU, {free / 1e9:.3g} GB are free: take fewer neurons,"
            ' precision="float32", or backend="cpu"'
        )


def _refuse_what_does_not_match(found: Gpu) -> None:
    """Raise Unavailable where driver, packages and GPU are of different times."""
    _, major, minor = _call(_part("nvrtc"), "nvrtcVersion")
    _, known = _call(_part("nvrtc"), "nvrtcGetSupportedArchs")
    _call(_part("nvvm"), "version")
    capabilities = sorted(divmod(int(number), 10) for number in known)
    toolkit, told = (int(major), int(minor)), _dotted((int(major), int(minor)))
    if found.driver[0] < toolkit[0]:
        raise Unavailable(
            f"the NVIDIA driver is for CUDA {_dotted(found.driver)}, the packages installed here are for CUDA {told}: update the driver"
            f' (to {DRIVERS.get(toolkit[0], "a newer one")} or newer), or run: python -m pip install "numba-cuda[cu{found.driver[0]}]"'
        )
    if found.capability < capabilities[0]:
        raise Unavailable(
            f"{found} is older than what CUDA {told} compiles for ({_dotted(capabilities[0])} at least): an older CUDA may do, run:"
            f' python -m pip install "numba-cuda[cu{toolkit[0] - 1}]"; or take backend="cpu"'
        )
    if found.capability not in capabilities:
        raise Unavailable(f"{found} is newer than CUDA {told}, which is installed here; run: {INSTALL} --upgrade")


def _part(name: str) -> Any:
    """A module of NVIDIA's own Python packages, which numba-cuda brings."""
    try:
        return import_module(f"cuda.bindings.{name}")
    except ImportError as error:
        raise Unavailable(f"the package cuda-bindings does not load ({error}); run: {INSTALL} --upgrade") from None


def _call(module: Any, name: str, *arguments: object) -> Any:
    """What a function of NVIDIA's libraries returns; the library is looked for when the first of its functions is called."""
    try:
        return getattr(module, name)(*arguments)
    except (RuntimeError, OSError) as error:
        if module.__name__.endswith("driver"):
            raise Unavailable(NO_DRIVER) from None
        library = module.__name__.rpartition(".")[2]
        raise Unavailable(f"the CUDA library {library} is not found ({_first_line(error)}); run: {INSTALL}") from None


def _ask(driver: Any, name: str, *arguments: object) -> Any:
    """The value that a function of the driver gives."""
    error, *values = _call(driver, name, *arguments)
    if int(error) != 0:
        code = str(error.name).removeprefix("CUDA_ERROR_")
        raise Unavailable(CODES.get(code, f"the NVIDIA driver says {error.name} ({name})"))
    return values[0] if values else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


# ---- what fails ---------------------------------------------------------------------------------

NO_DRIVER = (
    "there is no NVIDIA driver here; install one (`nvidia-smi` shows whether it works; in a container, run it with `--gpus all`),"
    ' or take backend="cpu"'
)
_OLD_DRIVER = f"the NVIDIA driver is older than the CUDA packages installed here: update the driver, or run: {INSTALL} --upgrade"
_OURS = (
    "the GPU stopped in a kernel ({code}), which is a fault of dvdt: please report it with the text of the model; CUDA works again in a"
    " new process"
)
_HARDWARE = "the GPU reports a fault of its own ({code}): `nvidia-smi -q` says more; CUDA works again in a new process"

# what is said for the driver's errors, by their names without CUDA_ERROR_
CODES: Mapping[str, str] = {
    "NO_DEVICE": "the NVIDIA driver sees no GPU (`nvidia-smi -L` lists them, CUDA_VISIBLE_DEVICES hides those it does not name)",
    "OUT_OF_MEMORY": (
        "the memory of the GPU is full (`nvidia-smi` shows who uses it): take fewer neurons, record fewer of them, or take"
        ' precision="float32" or backend="cpu"'
    ),
    "DEVICE_UNAVAILABLE": "another process has the GPU for itself (`nvidia-smi` shows which, and the compute mode)",
    "DEVICES_UNAVAILABLE": "another process has the GPU for itself (`nvidia-smi` shows which, and the compute mode)",
    "SYSTEM_NOT_READY": "the GPUs are not ready: on a machine with NVSwitch, start the service nvidia-fabricmanager",
    "SYSTEM_DRIVER_MISMATCH": "the parts of the NVIDIA driver are of different versions: restart the machine",
    "COMPAT_NOT_SUPPORTED_ON_DEVICE": _OLD_DRIVER,
    "INSUFFICIENT_DRIVER": _OLD_DRIVER,
    "UNSUPPORTED_PTX_VERSION": _OLD_DRIVER,
    "NO_BINARY_FOR_GPU": _OLD_DRIVER,
    "INVALID_IMAGE": _OLD_DRIVER,
    "INVALID_PTX": _OLD_DRIVER,
    "JIT_COMPILER_NOT_FOUND": f"the CUDA library nvjitlink is missing; run: {INSTALL}",
    "NOT_INITIALIZED": "CUDA was begun before this process was forked: start processes with multiprocessing.get_context('spawn')",
    "LAUNCH_TIMEOUT": "the GPU also serves a screen, and stopped a kernel that took too long: take fewer neurons, or another GPU",
    "LAUNCH_OUT_OF_RESOURCES": "the kernel needs more registers than this GPU has for a block of threads: please report it with the model",
    "COOPERATIVE_LAUNCH_TOO_LARGE": "the kernel has more threads than this GPU runs at once: please report it with the text of the model",
    **dict.fromkeys(
        (
            "ILLEGAL_ADDRESS",
            "ILLEGAL_INSTRUCTION",
            "MISALIGNED_ADDRESS",
            "INVALID_ADDRESS_SPACE",
            "INVALID_PC",
            "LAUNCH_FAILED",
            "ASSERT",
        ),
        _OURS,
    ),
    **dict.fromkeys(("ECC_UNCORRECTABLE", "HARDWARE_STACK_ERROR", "NVLINK_UNCORRECTABLE", "UNCORRECTABLE"), _HARDWARE),
}

_MIXED = f"packages of different versions are the usual cause, run: {INSTALL} --upgrade"
_MISSING = f"a CUDA library is missing ({{error}}); run: {INSTALL}"

# and for other errors of numba-cuda and of NVIDIA's packages, by the names of their classes: these packages may be absent
CLASSES: Mapping[str, str] = {
    "CudaSupportError": "CUDA does not begin: {error}",
    "CCSupportError": '{error}; an older CUDA may do, or backend="cpu"',
    **dict.fromkeys(("NvvmSupportError", "NvrtcSupportError", "DynamicLibNotFoundError"), _MISSING),
    **dict.fromkeys(("LinkerError", "nvJitLinkError"), f"CUDA's linker fails: {{error}}; {_MIXED}"),
    **dict.fromkeys(("NvvmError", "nvvmError", "NvrtcError", "NVRTCError"), f"CUDA's compiler fails: {{error}}; {_MIXED}"),
    **dict.fromkeys(("CudaDriverError", "CUDAError"), "the NVIDIA driver fails: {error}"),
}


def reason(error: BaseException) -> str:
    """What a person is told of an error of numba-cuda or NVIDIA's packages, and what to do; empty for an error of another kind."""
    known = [cls.__name__ for cls in type(error).__mro__ if cls.__name__ in CLASSES]
    if not known:
        return ""
    code = re.search(r"CUDA_ERROR_([A-Z_]+)", str(error))
    if code and code[1] in CODES:
        return CODES[code[1]].format(code=code[0])
    return CLASSES[known[0]].format(error=_first_line(error))


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".:") if lines else type(error).__name__


@contextmanager
def beginning() -> Iterator[None]:
    """While nothing has been computed yet, an error of CUDA is an obstacle: Unavailable."""
    with _as(Unavailable):
        yield


@contextmanager
def running() -> Iterator[None]:
    """While steps are made, an error of CUDA ends the run: DeviceFailed."""
    with _as(DeviceFailed):
        yield


@contextmanager
def _as(kind: type[Exception]) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", r"Grid size \d+ will likely result in GPU under-utilization"
            )  # numba's, of few neurons
            yield
    except Exception as error:
        told = reason(error)
        if not told:
            raise
        raise kind(told) from error
