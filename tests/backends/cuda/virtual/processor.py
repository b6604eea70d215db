"""A processor for PTX: each thread of a grid one after another, in an order drawn by chance, on this machine's own processor.

Threads that wait for one another (barriers of a block or of the grid) are switched between where they wait. What reads or writes
outside the arrays it was given is told, as a sanitizer would.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

from .body import THREAD
from .instructions import BLOCK_BARRIER, DONE, GRID_BARRIER, translated
from .ptx import Function, Instruction, Module, read

STACK, CONTEXT = 1 << 15, 1 << 13  # bytes of a thread that waits: its stack, and what glibc keeps of it (ucontext_t)
ADDRESS, NUMBER = ctypes.c_void_p, ctypes.c_int64
NUMBERS = {"f32": np.float32, "f64": np.float64, "u8": np.uint8, "s8": np.int8, "b8": np.uint8}

HOST = """
@allocations = global ptr null
@allocated = global i64 0
@fault = global i64 0
@nowhere = global [64 x i8] zeroinitializer
@started = global ptr null
declare i32 @swapcontext(ptr, ptr)
declare i32 @getcontext(ptr)
declare void @makecontext(ptr, ptr, i32, ...)

define i64 @inside(i64 %address, i64 %size) {
entry:
  %table = load ptr, ptr @allocations
  %many = load i64, ptr @allocated
  %end = add i64 %address, %size
  br label %next
next:
  %i = phi i64 [0, %entry], [%following, %other]
  %left = icmp ult i64 %i, %many
  br i1 %left, label %try, label %outside
try:
  %at = mul i64 %i, 2
  %after = add i64 %at, 1
  %low_place = getelementptr i64, ptr %table, i64 %at
  %high_place = getelementptr i64, ptr %table, i64 %after
  %low = load i64, ptr %low_place
  %high = load i64, ptr %high_place
  %above = icmp uge i64 %address, %low
  %below = icmp ule i64 %end, %high
  %within = and i1 %above, %below
  br i1 %within, label %found, label %other
other:
  %following = add i64 %i, 1
  br label %next
found:
  ret i64 %address
outside:
  store i64 %address, ptr @fault
  %safe = ptrtoint ptr @nowhere to i64
  ret i64 %safe
}

; the threads of a grid, each with a context and a stack of its own, are about to start
define void @prepare(ptr %threads, i64 %many, ptr %start) {
entry:
  br label %next
next:
  %i = phi i64 [0, %entry], [%following, %next]
  %place = mul i64 %i, FIELDS
  %thread = getelementptr i64, ptr %threads, i64 %place
  %context_place = getelementptr i64, ptr %thread, i64 CONTEXT
  %stack_place = getelementptr i64, ptr %thread, i64 STACK
  %back_place = getelementptr i64, ptr %thread, i64 SCHEDULER
  %context = load ptr, ptr %context_place
  %stack = load i64, ptr %stack_place
  %back = load i64, ptr %back_place
  %a = call i32 @getcontext(ptr %context)
  %link = getelementptr i8, ptr %context, i64 8
  %base = getelementptr i8, ptr %context, i64 16
  %size = getelementptr i8, ptr %context, i64 32
  store i64 %back, ptr %link
  store i64 %stack, ptr %base
  store i64 ROOM, ptr %size
  call void (ptr, ptr, i32, ...) @makecontext(ptr %context, ptr %start, i32 0)
  %following = add i64 %i, 1
  %more = icmp ult i64 %following, %many
  br i1 %more, label %next, label %end
end:
  ret void
}

; some of them in turn, each until it waits or is done
define void @turn(ptr %threads, ptr %chosen, i64 %many) {
entry:
  br label %next
next:
  %i = phi i64 [0, %entry], [%following, %next]
  %index_place = getelementptr i64, ptr %chosen, i64 %i
  %index = load i64, ptr %index_place
  %place = mul i64 %index, FIELDS
  %thread = getelementptr i64, ptr %threads, i64 %place
  %own_place = getelementptr i64, ptr %thread, i64 CONTEXT
  %back_place = getelementptr i64, ptr %thread, i64 SCHEDULER
  %own = load ptr, ptr %own_place
  %back = load ptr, ptr %back_place
  store ptr %thread, ptr @started
  %a = call i32 @swapcontext(ptr %back, ptr %own)
  %following = add i64 %i, 1
  %more = icmp ult i64 %following, %many
  br i1 %more, label %next, label %end
end:
  ret void
}
"""

KERNEL = """
declare void @function_NUMBER(ptr, ptr, ptr)

define void @run_NUMBER(ptr %threads, i64 %many) {
entry:
  br label %next
next:
  %i = phi i64 [0, %entry], [%following, %next]
  %place = mul i64 %i, FIELDS
  %thread = getelementptr i64, ptr %threads, i64 %place
  %parameters_place = getelementptr i64, ptr %thread, i64 PARAMETERS
  %parameters = load ptr, ptr %parameters_place
  call void @function_NUMBER(ptr %parameters, ptr null, ptr %thread)
  %following = add i64 %i, 1
  %more = icmp ult i64 %following, %many
  br i1 %more, label %next, label %end
end:
  ret void
}

define void @start_NUMBER() {
  %thread = load ptr, ptr @started
  %parameters_place = getelementptr i64, ptr %thread, i64 PARAMETERS
  %parameters = load ptr, ptr %parameters_place
  call void @function_NUMBER(ptr %parameters, ptr null, ptr %thread)
  %waits_place = getelementptr i64, ptr %thread, i64 WAITS
  store i64 DONE, ptr %waits_place
  ret void
}
"""


def _filled(text: str, number: int = 0) -> str:
    words = {"NUMBER": number, "FIELDS": len(THREAD), "DONE": DONE, "ROOM": STACK}
    words |= {name.upper(): THREAD.index(name) for name in ("context", "stack", "scheduler", "parameters", "waits")}
    for word, value in words.items():
        text = text.replace(word, str(value))
    return text


def _target() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    features = binding.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=1)


@dataclass
class Machine:
    """The kernels of a text in PTX, by name: `launch` runs one."""

    module: Module
    engine: Any
    order: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @property
    def kernels(self) -> dict[str, Function]:
        return {function.name: function for function in self.module.functions if function.entry}

    def launch(self, name: str, blocks: int, threads: int, arguments: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
        """Run a kernel, with one number for each of its parameters; `arrays` are all that it may touch.

        Raises IndexError where it touches anything else, RuntimeError where a thread waits for others that never come.
        """
        number = next(i for i, function in enumerate(self.module.functions) if function.name == name)
        function = self.module.functions[number]
        parameters = np.zeros(len(function.parameters), np.uint64)
        for place, (parameter, value) in enumerate(zip(function.parameters, arguments, strict=True)):
            form = np.dtype(NUMBERS.get(parameter.kind, np.int64))
            parameters[place : place + 1].view(form)[0] = value
        grid = np.zeros((blocks * threads, len(THREAD)), np.uint64)
        grid[:, THREAD.index("tid.x")] = np.tile(np.arange(threads), blocks)
        grid[:, THREAD.index("ctaid.x")] = np.repeat(np.arange(blocks), threads)
        grid[:, THREAD.index("ntid.x")], grid[:, THREAD.index("nctaid.x")] = threads, blocks
        size = 16 + sum(-(-variable.size // 16) * 16 for variable in self.module.shared)
        shared = np.full((blocks, size), 0xFF, np.uint8)
        grid[:, THREAD.index("shared")] = np.repeat(shared.ctypes.data + size * np.arange(blocks), threads)
        grid[:, THREAD.index("parameters")] = parameters.ctypes.data
        table = np.array([[a.ctypes.data, a.ctypes.data + a.nbytes] for a in (*arrays, *self._variables(), shared)], np.uint64)
        self._global("allocations").value, self._global("allocated").value = table.ctypes.data, len(table)
        self._global("fault").value = 0
        self.order.shuffle(grid)
        if self.waits:
            self._take_turns(number, grid)
        else:
            self._function(f"run_{number}", ADDRESS, NUMBER)(grid.ctypes.data, len(grid))
        if fault := self._global("fault").value:
            raise IndexError(f"a thread reads or writes at {fault:#x}, outside of the arrays of the kernel")

    def _variables(self) -> list[NDArray[Any]]:
        found = []
        for index, variable in enumerate(self.module.variables):
            address = self.engine.get_global_value_address(f"variable_{index}")
            found.append(np.ctypeslib.as_array((ctypes.c_uint8 * variable.size).from_address(address)))
        return found

    @functools.cached_property
    def waits_for_grid(self) -> bool:
        return self._has(lambda item: "cudaCGSynchronize" in item.text)

    @functools.cached_property
    def waits(self) -> bool:
        return self.waits_for_grid or self._has(lambda item: item.code[0] in ("bar", "barrier"))

    @functools.cached_property
    def told(self) -> bool:
        return self._has(lambda item: item.code[0] in ("bar", "barrier") and "red" in item.code)

    def _has(self, told: Callable[[Instruction], bool]) -> bool:
        return any(not isinstance(item, str) and told(item) for function in self.module.functions for item in function.body)

    def _take_turns(self, number: int, grid: NDArray[np.uint64]) -> None:
        """Every thread with a stack of its own, run until it waits; who waits goes on when all of its block, or of the grid, do."""
        contexts, stacks = np.zeros((len(grid) + 1, CONTEXT), np.uint8), np.empty((len(grid), STACK), np.uint8)
        grid[:, THREAD.index("scheduler")] = contexts[-1].ctypes.data
        grid[:, THREAD.index("context")] = contexts.ctypes.data + CONTEXT * np.arange(len(grid))
        grid[:, THREAD.index("stack")] = stacks.ctypes.data + STACK * np.arange(len(grid))
        start = self.engine.get_function_address(f"start_{number}")
        self._function("prepare", ADDRESS, NUMBER, ADDRESS)(grid.ctypes.data, len(grid), start)
        turn = self._function("turn", ADDRESS, ADDRESS, NUMBER)
        waits, block = grid[:, THREAD.index("waits")], grid[:, THREAD.index("ctaid.x")]
        ready = np.arange(len(grid))
        while len(ready):
            turn(grid.ctypes.data, ready.ctypes.data, len(ready))
            here, for_all = waits == BLOCK_BARRIER, waits == GRID_BARRIER
            ready = np.flatnonzero(here & ~np.isin(block, block[for_all]) if for_all.any() else here)
            if not len(ready):
                ready = np.flatnonzero(for_all)
                if here.any() or (len(ready) and (waits == DONE).any()):
                    raise RuntimeError("some threads wait at a barrier that others never reach")
            else:
                self._tell_all(grid[ready], grid, ready)
            self.order.shuffle(ready)

    def _tell_all(self, waiting: NDArray[np.uint64], grid: NDArray[np.uint64], ready: NDArray[np.int64]) -> None:
        """What the conditions are that the threads of each block have given at a barrier: one holds, all do, and how many."""
        if not self.told:
            return
        given, block = waiting[:, THREAD.index("given")].astype(int), waiting[:, THREAD.index("ctaid.x")].astype(int)
        holding, many = np.bincount(block, given), np.bincount(block)
        told = (holding > 0) | (holding == many) << 1 | holding.astype(int) << 2
        grid[ready, THREAD.index("told")] = told[block]

    def _global(self, name: str) -> ctypes.c_uint64:
        return ctypes.c_uint64.from_address(self.engine.get_global_value_address(name))

    def _function(self, name: str, *types: Any) -> Any:
        return ctypes.CFUNCTYPE(None, *types)(self.engine.get_function_address(name))


def machine(text: str) -> Machine:
    """The kernels of a text in PTX, compiled for this processor."""
    module = read(text)
    made = binding.parse_assembly(str(translated(module)))
    kernels = [_filled(KERNEL, i) for i, function in enumerate(module.functions) if function.entry]
    made.link_in(binding.parse_assembly(_filled(HOST + "".join(kernels))))
    made.verify()
    target = _target()
    options = binding.create_pipeline_tuning_options(speed_level=1)
    builder = binding.create_pass_builder(target, options)
    builder.getModulePassManager().run(made, builder)
    engine = binding.create_mcjit_compiler(made, target)
    engine.finalize_object()
    return Machine(module, engine)
