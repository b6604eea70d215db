"""What is said where CUDA is missing, does not match, or fails: with stand-ins for NVIDIA's libraries, which need not be installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dvdt
from dvdt.backends.cuda import machine as cuda_machine
from dvdt.backends.unusable import DeviceFailed, Unavailable


class Result(int):
    """A CUresult: a number with a name."""

    name: str

    def __new__(cls, value: int, name: str) -> Result:
        made = super().__new__(cls, value)
        made.name = name
        return made


DONE = Result(0, "CUDA_SUCCESS")


def library(name: str, **functions: Any) -> Any:
    return SimpleNamespace(__name__=f"cuda.bindings.{name}", **functions)


def driver(**other: Any) -> Any:
    """An H200 under a driver for CUDA 13.1, except for `other`."""
    attributes = SimpleNamespace(
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR="major", CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR="minor"
    )
    functions = {
        "cuInit": lambda flags: (DONE,),
        "cuDeviceGetCount": lambda: (DONE, 1),
        "cuCtxGetDevice": lambda: (Result(201, "CUDA_ERROR_INVALID_CONTEXT"), None),
        "cuDeviceGet": lambda number: (DONE, number),
        "cuDeviceGetAttribute": lambda attribute, device: (DONE, {"major": 9, "minor": 0}[attribute]),
        "cuDeviceGetName": lambda size, device: (DONE, b"NVIDIA H200\0\0"),
        "cuDriverGetVersion": lambda: (DONE, 13010),
        "cuDeviceTotalMem": lambda device: (DONE, 150_000_000_000),
        "CUdevice_attribute": attributes,
    }
    return library("driver", **{**functions, **other})


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine on which all is well; a test puts what is not into the dictionary."""
    parts = {
        "driver": driver(),
        "nvrtc": library(
            "nvrtc", nvrtcVersion=lambda: (DONE, 13, 0), nvrtcGetSupportedArchs=lambda: (DONE, [75, 80, 86, 90, 100, 120])
        ),
        "nvvm": library("nvvm", version=lambda: (2, 0)),
    }
    numba = SimpleNamespace(is_available=lambda: True, cuda_error=lambda: None)

    def imported(name: str) -> Any:
        found = parts[name.rpartition(".")[2]]
        if isinstance(found, ImportError):
            raise found
        return found

    monkeypatch.setattr(cuda_machine.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(cuda_machine, "import_module", imported)
    monkeypatch.setattr(cuda_machine, "numba_cuda", lambda: numba)
    monkeypatch.setattr(cuda_machine, "simulated", lambda: False)
    parts["numba"] = numba
    return parts


def test_a_gpu_is_told_with_its_memory_and_capability(machine: dict[str, Any]) -> None:
    assert cuda_machine.obstacle() == ""
    assert str(cuda_machine.gpu()) == "NVIDIA H200, 140 GiB, compute capability 9.0"


def test_the_gpu_of_the_present_context_is_the_one(machine: dict[str, Any]) -> None:
    machine["driver"] = driver(cuCtxGetDevice=lambda: (DONE, 1), cuDeviceGetName=lambda size, device: (DONE, b"GPU %d" % device))
    assert cuda_machine.gpu().name == "GPU 1"


def failing(name: str, code: str) -> Any:
    return driver(**{name: lambda *given: (Result(1, f"CUDA_ERROR_{code}"),)})


def missing(*given: object) -> Any:
    raise RuntimeError("Failed to dlopen")


OBSTACLES = {
    "no driver": ("driver", driver(cuInit=missing), "there is no NVIDIA driver here; install one .*--gpus all"),
    "no device": ("driver", failing("cuInit", "NO_DEVICE"), "sees no GPU .*CUDA_VISIBLE_DEVICES"),
    "none visible": ("driver", driver(cuDeviceGetCount=lambda: (DONE, 0)), "sees no GPU .*CUDA_VISIBLE_DEVICES"),
    "fabric": ("driver", failing("cuInit", "SYSTEM_NOT_READY"), "nvidia-fabricmanager"),
    "half updated": ("driver", failing("cuInit", "SYSTEM_DRIVER_MISMATCH"), "restart the machine"),
    "something else": ("driver", failing("cuInit", "STUB_LIBRARY"), "says CUDA_ERROR_STUB_LIBRARY .cuInit"),
    "old driver": (
        "driver",
        driver(cuDriverGetVersion=lambda: (DONE, 12080)),
        r"driver is for CUDA 12\.8, .* for CUDA 13\.0: update the driver \(to 580 or newer\), or run: .*numba-cuda\[cu12\]",
    ),
    "old GPU": (
        "driver",
        driver(cuDeviceGetAttribute=lambda attribute, device: (DONE, {"major": 6, "minor": 1}[attribute])),
        r"compute capability 6\.1 is older than what CUDA 13\.0 compiles for \(7\.5 at least\).*numba-cuda\[cu12\]",
    ),
    "new GPU": (
        "driver",
        driver(cuDeviceGetAttribute=lambda attribute, device: (DONE, {"major": 14, "minor": 0}[attribute])),
        r"compute capability 14\.0 is newer than CUDA 13\.0.*--upgrade",
    ),
    "no bindings": ("driver", ImportError("no module named cuda"), "cuda-bindings does not load .*--upgrade"),
    "no nvrtc": ("nvrtc", library("nvrtc", nvrtcVersion=missing), r"library nvrtc is not found .*pip install \"dvdt\[cuda\]\""),
    "no nvvm": ("nvvm", library("nvvm", version=missing), r"library nvvm is not found .*pip install \"dvdt\[cuda\]\""),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_each_obstacle_says_what_to_do(name: str, machine: dict[str, Any]) -> None:
    part, stand_in, expected = OBSTACLES[name]
    machine[part] = stand_in
    with pytest.raises(AssertionError, match=expected):
        assert not cuda_machine.obstacle(), cuda_machine.obstacle()


def test_what_numba_itself_says_is_passed_on(machine: dict[str, Any]) -> None:
    machine["numba"].is_available = lambda: False
    machine["numba"].cuda_error = lambda: "\nCUDA is disabled due to setting NUMBA_DISABLE_CUDA=1\n"
    assert cuda_machine.obstacle() == "numba cannot use the GPU here: CUDA is disabled due to setting NUMBA_DISABLE_CUDA=1"


def test_packages_that_do_not_load_are_told_before_they_are_needed(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise ImportError("cannot import name 'driver' from 'cuda'")

    monkeypatch.setattr(cuda_machine, "numba_cuda", broken)
    with pytest.raises(
        dvdt.UsageError, match=r"backend='cuda': the package numba-cuda does not load .cannot import name .* --upgrade"
    ):
        dvdt.simulate("lif", "1 ms", backend="cuda")


# ---- errors of numba-cuda and of NVIDIA's packages, with their classes and their texts


class CudaDriverError(Exception):
    pass


class CudaAPIError(CudaDriverError):
    def __init__(self, code: int, name: str) -> None:
        super().__init__(code, f"Call to cuMemAlloc results in {name}")


class CudaSupportError(ImportError):
    pass


class NvvmSupportError(ImportError):
    pass


class LinkerError(RuntimeError):
    pass


class CUDAError(Exception):
    pass


class nvJitLinkError(Exception):  # as NVIDIA writes it
    pass


FAILURES = [
    (CudaAPIError(2, "CUDA_ERROR_OUT_OF_MEMORY"), "memory of the GPU is full .*fewer neurons"),
    (CudaAPIError(222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"), "driver is older than the CUDA packages .*update the driver"),
    (CudaAPIError(46, "CUDA_ERROR_DEVICES_UNAVAILABLE"), "another process has the GPU"),
    (CudaAPIError(3, "CUDA_ERROR_NOT_INITIALIZED"), "forked: .*spawn"),
    (CudaAPIError(999, "CUDA_ERROR_UNKNOWN"), "the NVIDIA driver fails: .*CUDA_ERROR_UNKNOWN"),
    (
        CUDAError("CUDA_ERROR_ILLEGAL_ADDRESS: a load is out of range"),
        "stopped in a kernel .CUDA_ERROR_ILLEGAL_ADDRESS.*report it",
    ),
    (CUDAError("CUDA_ERROR_ECC_UNCORRECTABLE: an ECC error"), "a fault of its own .CUDA_ERROR_ECC_UNCORRECTABLE"),
    (CUDAError("CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE"), "more threads than this GPU runs at once"),
    (CudaSupportError("Error at driver init: \nsomething"), "CUDA does not begin: Error at driver init"),
    (NvvmSupportError("libNVVM is not available"), r"library is missing .libNVVM is not available.*dvdt\[cuda\]"),
    (LinkerError("libcudadevrt.a not found"), "linker fails: libcudadevrt.a not found; .*--upgrade"),
    (nvJitLinkError("ERROR_PTX_COMPILE (4)\nnvJitLink error log"), r"linker fails: ERROR_PTX_COMPILE \(4\); .*--upgrade"),
]


@pytest.mark.parametrize(("error", "expected"), FAILURES, ids=lambda value: type(value).__name__)
def test_each_failure_says_what_to_do(error: Exception, expected: str) -> None:
    with pytest.raises(Unavailable, match=expected), cuda_machine.beginning():
        raise error
    with pytest.raises(DeviceFailed, match=expected) as failed, cuda_machine.running():
        raise error
    assert failed.value.__cause__ is error


def test_an_error_of_another_kind_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), cuda_machine.running():
        raise ZeroDivisionError


# ---- what a kernel is kept under


def test_a_function_from_outside_is_told_apart_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from dvdt.backends.cuda import program as cuda

    seen: list[str] = []

    def functions_for(content: str, *given: object) -> tuple[dict[str, object], bool]:
        seen.append(content)
        return {}, False

    monkeypatch.setattr(cuda, "obstacle", lambda: "")
    monkeypatch.setattr(cuda, "gpu", lambda: cuda_machine.Gpu("card", 1 << 34, (9, 0), (13, 0)))
    monkeypatch.setattr(cuda, "functions_for", functions_for)
    text = "dv/dt = (f(v) - v)/(10 ms) : 1\nf(a) : 1"
    for function in (lambda a: a + 1, lambda a: a + 2, lambda a: a + 1):
        sim = dvdt.Simulation(text, dt="0.1 ms", backend="cuda", parameters={"f": function}, method="euler", progress=False)
        cuda.build(sim._assembly.kernel, np.dtype(np.float32))
    assert seen[0] == seen[2] != seen[1]
