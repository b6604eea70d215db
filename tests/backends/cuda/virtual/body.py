"""A function of PTX while it is written in LLVM's language: its registers, its memory, and arithmetic on them.

Each register becomes a variable. Rounding is that of IEEE 754 as the code says it. Sums and products whose rounding the code leaves open
are drawn together where they can be, as NVIDIA's assembler may do. Approximate functions (`ex2.approx`) are those of the C library, where
a device is allowed an error of two units.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from llvmlite import ir

from .ptx import Function

I1, I8, I32, I64, F32, F64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()
ADDRESS = ir.PointerType()
SLOT = 8  # bytes of a parameter

# What a function knows of its thread: a row of numbers of 64 bits.
THREAD = (
    "tid.x",
    "ctaid.x",
    "ntid.x",
    "nctaid.x",
    "shared",
    "parameters",
    "context",
    "stack",
    "scheduler",
    "waits",
    "given",
    "told",
)

WHOLE = {"add": "add", "sub": "sub", "and": "and_", "or": "or_", "xor": "xor"}
REAL = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}


def typed(kind: str) -> Any:
    """LLVM's type of a kind of PTX."""
    return {"pred": I1, "f32": F32, "f64": F64}.get(kind) or ir.IntType(int(kind[1:]))


class Body:
    """One function while it is written."""

    def __init__(self, function: Function, target: Any, functions: Any, variables: Any, shared: Any) -> None:
        self.function, self.target, self.module = function, target, target.module
        self.functions, self.variables, self.shared = functions, variables, shared
        self.parameters, self.returned, self.thread = target.args
        self.builder = b = ir.IRBuilder(target.append_basic_block("entry"))
        self.registers: dict[str, Any] = {}
        self.places: dict[str, Any] = {p.name: self.offset(self.parameters, SLOT * i) for i, p in enumerate(function.parameters)}
        self.places |= {p.name: self.returned for p in function.returned}
        for declared in function.declared:
            if declared.many:
                for number in range(declared.many):
                    self.registers[f"{declared.name}{number}"] = b.alloca(typed(declared.kind))
            elif declared.name.startswith("%"):
                self.registers[declared.name] = b.alloca(typed(declared.kind))
            else:
                self.places[declared.name] = self.room(1 + declared.size // 8)
        labels = [item for item in function.body if isinstance(item, str)]
        self.blocks = {label: target.append_basic_block(f"at_{i}") for i, label in enumerate(labels)}

    # ---- operands -----------------------------------------------------------------------------------

    def value(self, operand: str, kind: str) -> Any:
        """An operand, read as a number of that kind."""
        wanted = typed(kind)
        if operand in self.registers:
            register = self.registers[operand]
            return self.alike(self.builder.load(register, typ=register.allocated_type), wanted)
        if operand.startswith("%"):
            return self.alike(self.of_thread(operand[1:]), wanted)
        if operand[:2] in ("0f", "0d"):
            (number,) = struct.unpack(">f" if operand[1] == "f" else ">d", bytes.fromhex(operand[2:]))
            return ir.Constant(wanted, number)
        if re.fullmatch(r"-?(0x)?[0-9A-Fa-f]+U?", operand):
            number = int(operand.rstrip("U"), 0)
            return (
                wanted(number & (1 << wanted.width) - 1) if isinstance(wanted, ir.IntType) else ir.Constant(wanted, float(number))
            )
        return self.alike(self.symbol(operand), wanted)

    def symbol(self, name: str) -> Any:
        """The address of a variable; of a shared one, its place in what the block shares."""
        if name in self.shared:
            return I64(self.shared[name])
        return self.builder.ptrtoint(self.places.get(name) or self.variables[name], I64)

    def of_thread(self, name: str) -> Any:
        if name in THREAD:
            return self.builder.load(self.offset(self.thread, 8 * THREAD.index(name)), typ=I64)
        if name == "laneid":
            return self.builder.and_(self.of_thread("tid.x"), I64(31))
        return I64(
            {"tid.y": 0, "tid.z": 0, "ctaid.y": 0, "ctaid.z": 0, "ntid.y": 1, "ntid.z": 1, "nctaid.y": 1, "nctaid.z": 1}[name]
        )

    def alike(self, value: Any, wanted: Any) -> Any:
        """The same bits as another type; the lower ones where it is narrower."""
        width = {F32: 32, F64: 64}
        if value.type == wanted:
            return value
        if isinstance(value.type, ir.IntType) and isinstance(wanted, ir.IntType):
            return self.builder.trunc(value, wanted) if wanted.width < value.type.width else self.builder.zext(value, wanted)
        if isinstance(wanted, ir.IntType):
            return self.alike(self.builder.bitcast(value, ir.IntType(width[value.type])), wanted)
        return self.builder.bitcast(self.alike(value, ir.IntType(width[wanted])), wanted)

    def put(self, register: str, value: Any, signed: bool = False) -> None:
        place = self.registers[register]
        wanted = place.allocated_type
        if signed and isinstance(wanted, ir.IntType) and isinstance(value.type, ir.IntType) and wanted.width > value.type.width:
            value = self.builder.sext(value, wanted)
        self.builder.store(self.alike(value, wanted), place)

    def room(self, words: int) -> Any:
        return self.builder.inttoptr(self.builder.ptrtoint(self.builder.alloca(ir.ArrayType(I64, words)), I64), ADDRESS)

    def offset(self, address: Any, bytes_: Any) -> Any:
        return self.builder.gep(address, [I64(bytes_) if isinstance(bytes_, int) else bytes_], source_etype=I8)

    def memory(self, operand: str, space: str, size: int) -> Any:
        """The place that an operand like [%rd4+8] names."""
        base, _, more = operand.strip("[] ").partition("+")
        register = self.registers.get(base)
        if space in ("param", "local") and register is None:
            return self.offset(self.places[base], int(more or 0))
        address = self.builder.add(self.alike(self.value(base, "b64"), I64), I64(int(more or 0)))
        if space == "shared":
            address = self.builder.add(address, self.of_thread("shared"))
        elif space != "local":
            address = self.builder.call(self.module.globals["inside"], [address, I64(size)])
        return self.builder.inttoptr(address, ADDRESS)

    def intrinsic(self, name: str, values: list[Any], returned: Any = None) -> Any:
        result = returned or values[0].type
        types = [result, values[0].type] if returned else [result]
        function = self.module.declare_intrinsic(name, types, ir.FunctionType(result, [value.type for value in values]))
        return self.builder.call(function, values)

    # ---- arithmetic ---------------------------------------------------------------------------------

    def whole(self, operation: str, modifiers: list[str], values: list[Any]) -> Any:
        b, signed, form = self.builder, modifiers[-1].startswith("s"), values[0].type
        if operation in WHOLE:
            return getattr(b, WHOLE[operation])(*values)
        match operation, *modifiers[:-1]:
            case "mul", "lo":
                return b.mul(*values)
            case ("mul", "wide") | ("mul", "hi"):
                wide = ir.IntType(2 * form.width)
                product = b.mul(*[(b.sext if signed else b.zext)(value, wide) for value in values])
                return product if "wide" in modifiers else b.trunc(b.lshr(product, wide(form.width)), form)
            case "mad", "lo":
                return b.add(b.mul(*values[:2]), values[2])
            case ("div",):
                return (b.sdiv if signed else b.udiv)(*values)
            case ("rem",):
                return (b.srem if signed else b.urem)(*values)
            case ("neg",):
                return b.neg(values[0])
            case ("not",):
                return b.not_(values[0])
            case ("min",) | ("max",):
                compare = b.icmp_signed if signed else b.icmp_unsigned
                return b.select(compare("<" if operation == "min" else ">", *values), *values)
            case ("abs",):
                return b.select(b.icmp_signed("<", values[0], form(0)), b.neg(values[0]), values[0])
        raise NotImplementedError(operation)

    def real(self, operation: str, modifiers: set[str], values: list[Any]) -> Any:
        flush = "ftz" in modifiers
        if unknown := modifiers - {"rn", "rm", "rz", "ftz", "approx", "full", "f32", "f64"}:
            raise NotImplementedError(unknown)
        values = [self.flushed(value) for value in values] if flush else values
        if {"rm", "rz"} & modifiers:
            made = self.directed(operation, values, "rz" in modifiers)
        else:
            made = self.plain_real(operation, values, () if "rn" in modifiers else ("contract",))
        return self.flushed(made) if flush else made

    def plain_real(self, operation: str, values: list[Any], flags: tuple[str, ...]) -> Any:
        if operation in REAL:
            return getattr(self.builder, REAL[operation])(*values, flags=flags)
        one = ir.Constant(values[0].type, 1.0)
        match operation:
            case "neg":
                return self.builder.fneg(values[0])
            case "fma" | "sqrt":
                return self.intrinsic(f"llvm.{operation}", values)
            case "abs":
                return self.intrinsic("llvm.fabs", values)
            case "min" | "max":
                return self.extreme(operation == "min", *values)
            case "copysign":  # PTX names the sign first
                return self.intrinsic("llvm.copysign", values[::-1])
            case "ex2":
                return self.intrinsic("llvm.exp2", values)
            case "lg2":
                return self.intrinsic("llvm.log2", values)
            case "rcp":
                return self.builder.fdiv(one, values[0])
            case "rsqrt":
                return self.builder.fdiv(one, self.intrinsic("llvm.sqrt", values))
        raise NotImplementedError(operation)

    def extreme(self, least: bool, x: Any, y: Any) -> Any:
        """The smaller or larger number, of zeros the one with that sign; what is not a number counts for nothing."""
        b = self.builder
        whole = ir.IntType(32 if x.type == F32 else 64)
        both = (b.or_ if least else b.and_)(b.bitcast(x, whole), b.bitcast(y, whole))
        made = b.select(b.fcmp_ordered("<" if least else ">", x, y), x, y)
        made = b.select(b.fcmp_ordered("==", x, y), b.bitcast(both, x.type), made)
        return b.select(b.fcmp_unordered("uno", x, x), y, b.select(b.fcmp_unordered("uno", y, y), x, made))

    def flushed(self, value: Any) -> Any:
        """Numbers below the normal ones are zero."""
        small = self.builder.fcmp_ordered("<", self.intrinsic("llvm.fabs", [value]), ir.Constant(value.type, 2.0**-126))
        return self.builder.select(small, self.intrinsic("llvm.copysign", [ir.Constant(value.type, 0.0), value]), value)

    def directed(self, operation: str, values: list[Any], to_zero: bool) -> Any:
        """x*y + z or a sum in float32, rounded down or to zero. In float64 the product is exact, and so is the error of the sum (Knuth)."""
        b = self.builder
        if operation not in ("fma", "add") or values[0].type != F32:
            raise NotImplementedError("rounded in a direction")
        x, *factor, z = (b.fpext(value, F64) for value in values)
        product = b.fmul(x, factor[0]) if factor else x
        total = b.fadd(product, z)
        part = b.fsub(total, product)
        error = b.fadd(b.fsub(product, b.fsub(total, part)), b.fsub(z, part))
        near = b.fptrunc(total, F32)
        back, zero = b.fpext(near, F64), F64(0.0)
        same = b.fcmp_ordered("==", back, total)
        above = b.or_(b.fcmp_ordered(">", back, total), b.and_(same, b.fcmp_ordered("<", error, zero)))
        below = b.or_(b.fcmp_ordered("<", back, total), b.and_(same, b.fcmp_ordered(">", error, zero)))
        bits, negative = b.bitcast(near, I32), b.fcmp_ordered("<", back, zero)
        smaller = b.bitcast(b.sub(bits, I32(1)), F32)
        if to_zero:
            return b.select(b.and_(b.select(negative, below, above), b.fcmp_ordered("!=", back, zero)), smaller, near)
        next_ = b.select(negative, b.bitcast(b.add(bits, I32(1)), F32), smaller)
        next_ = b.select(b.fcmp_ordered("==", back, zero), b.bitcast(I32(0x80000001), F32), next_)
        return b.select(above, next_, near)
