"""Machine code of one generated function: made by numba, kept as an object file, loaded by LLVM alone.

A process that finds its code on disk imports neither numba nor any compiler: loading takes milliseconds.
"""

from __future__ import annotations

import base64
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import cache
from .unusable import CodeFailed, Unusable

Function = Callable[[int], int]  # takes the address of the plan
Outside = Callable[[], Mapping[str, Any]]


def no_functions() -> Mapping[str, Any]:
    """Nothing from outside."""
    return {}


_LOADED: dict[str, Function] = {}  # code in a process stays for its life; looked up by the digest of what it was made from
_LOCK = threading.Lock()


@dataclass(frozen=True)
class MachineCode:
    """An object file, the symbol to call, and the symbols that it expects to find in the process."""

    symbol: str
    needs: tuple[str, ...]
    code: bytes


@functools.cache
def environment() -> str:
    """What machine code depends on beside its kernel: everything in this folder, the compilers, NumPy, Python, the processor."""
    from llvmlite import binding

    versions = [sys.version, *(f"{package} {version(package)}" for package in ("numba", "llvmlite", "numpy"))]
    processor = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return cache.digest(own_digest(), *versions, processor)


def own_digest() -> str:
    """A digest of everything in this folder, and of what numba is told by the environment."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.rglob("*.py"))]
    settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_")]
    return cache.digest(*sources, *settings)


def function_for(content: str, generate: Callable[[], str], outside: Outside = no_functions) -> tuple[Function, bool]:
    """The function of some content, and whether it had to be compiled: from this process, from disk, or from `generate()`'s text.

    `outside` gives the compiled functions from outside that the text calls; the content tells them apart. Raises Unusable where they need
    what only an interpreter has.
    """
    key = cache.digest("machine code", content, environment())
    with _LOCK:
        if key in _LOADED:
            return _LOADED[key], False
        kept = _kept(key)
        code = kept or _compile(generate(), outside())
        if kept is None:
            _check_needs(code)
            encoded = base64.b64encode(code.code).decode()
            cache.write(key, {"symbol": code.symbol, "needs": list(code.needs), "code": encoded})
        _LOADED[key] = _load(code)
        return _LOADED[key], kept is None


def _kept(key: str) -> MachineCode | None:
    found = cache.read(key)
    if found is None:
        return None
    code = MachineCode(found["symbol"], tuple(found["needs"]), base64.b64decode(found["code"]))
    return code if _resolved(code.needs) else None


def _resolved(names: tuple[str, ...]) -> bool:
    """Whether the process has every symbol; LLVM would end it over one that is missing. Numba brings some of its own."""
    from llvmlite import binding

    if all(binding.address_of_symbol(name) for name in names):
        return True
    import numba.core.registry

    _ = numba.core.registry.cpu_target.target_context
    return all(binding.address_of_symbol(name) for name in names)


def _check_needs(code: MachineCode) -> None:
    if not _resolved(code.needs):
        from llvmlite import binding

        missing = [name for name in code.needs if not binding.address_of_symbol(name)]
        what = "makes arrays or lists" if any(name.startswith("NRT_") for name in missing) else f"needs {', '.join(missing)}"
        raise Unusable(f"a function from outside {what}, which a kernel cannot")


def _compile(source: str, outside: Mapping[str, Any]) -> MachineCode:
    made = _compiled(source, outside)
    declared = [line for line in made.library.get_llvm_str().splitlines() if line.startswith("declare")]
    names = [line.partition("@")[2].partition("(")[0].strip('"') for line in declared]
    needs = tuple(name for name in names if not name.startswith("llvm."))
    return MachineCode(made.fndesc.mangled_name, needs, made.library._get_compiled_object())


def assembly(source: str) -> str:
    """What the processor is given for a generated text, to look at."""
    text: str = _compiled(source, {}).library.get_asm_str()
    return text


def _compiled(source: str, outside: Mapping[str, Any]) -> Any:
    """The text of a module that defines `advance(plan)`, compiled by numba; it is our own, built as an ast.

    No wrapper is made: wrappers speak to the interpreter, and the object file would need numba in every process.
    """
    compiler, types = import_module("numba.core.compiler"), import_module("numba.core.types")

    namespace = defined(source, {"outside": outside})
    flags = compiler.Flags()
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    target = import_module("numba.core.registry").cpu_target
    with import_module("numba.core.compiler_lock").global_compiler_lock:
        return compiler.compile_extra(
            target.typing_context,
            target.target_context,
            namespace["advance"],
            args=(types.CPointer(types.int64),),
            return_type=types.int64,
            flags=flags,
            locals={},
        )


def defined(source: str, given: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The names that a generated text defines, over those it is given. The text is our own, built as an ast."""
    namespace: dict[str, Any] = {"__name__": "dvdt_kernel", **given}
    exec(compile(source, "<kernel>", "exec"), namespace)
    return namespace


def _load(code: MachineCode) -> Function:
    """The function as ctypes calls it, without the interpreter's lock. Numba returns a status, and the value through a pointer."""
    from llvmlite import binding

    engine = _new_engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(code.code))
    engine.finalize_object()
    pointer = ctypes.c_void_p
    native = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, pointer)(engine.get_function_address(code.symbol))

    def call(plan: int, engine: Any = engine) -> int:  # the code lives as long as its engine
        value, error = ctypes.c_int64(), pointer()
        status = native(ctypes.addressof(value), ctypes.addressof(error), plan)
        if status != 0:
            raise CodeFailed(f"compiled code ended with status {status}")
        return value.value

    return call


def _new_engine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
