"""Writes the instructions of a function for a device, where `lanes` writes them for vectors of a processor."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

# Instructions of a device in float32, by what they are called here
APPROXIMATE = {name: f"{name}.approx.ftz.f32" for name in ("ex2", "rcp", "rsqrt")} | {"div": "div.full.f32"}


class DeviceWriter:
    """Writes for NVVM as another writer does, but sums and products so that NVVM does not draw them together, which it would by itself."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builder, name)

    def fneg(self, value: Any) -> Any:
        return self._builder.fsub(ir.Constant(value.type, -0.0), value)  # the instruction is younger than NVVM's dialect

    def fadd(self, left: Any, right: Any) -> Any:
        return self._rounded("add", left, right)

    def fsub(self, left: Any, right: Any) -> Any:
        return self._rounded("add", left, self.fneg(right))

    def fmul(self, left: Any, right: Any) -> Any:
        return self._rounded("mul", left, right)

    def fdiv(self, left: Any, right: Any) -> Any:
        return self._rounded("div", left, right)

    def product_of_words(self, value: Any, factor: int) -> Any:
        """One instruction; of the product of two long numbers NVVM makes three, though it knows that they are short."""
        word = self._builder.trunc(value, ir.IntType(32))
        shape = ir.FunctionType(value.type, [word.type])
        return self._builder.asm(shape, f"mul.wide.u32 $0, $1, {factor};", "=l,r", [word], False)

    def instruction(self, name: str, value: Any, *others: Any) -> Any:
        """As `Real.instruction`."""
        if name == "copysign":
            return self._with_sign(value, *others)
        if name in APPROXIMATE:
            return self._approximation(APPROXIMATE[name], value, *others)
        known = {"sqrt": "sqrt.rn", "rint": "round", "fabs": "fabs", "floor": "floor", "ceil": "ceil", "trunc": "trunc"}
        return self._call(known.get(name, name), value, *others)

    def _approximation(self, instruction: str, *values: Any) -> Any:
        real = ir.FloatType()
        shape, operands = ir.FunctionType(real, [real] * len(values)), ", ".join(f"${place}" for place in range(1 + len(values)))
        return self._builder.asm(shape, f"{instruction} {operands};", "=f" + ",f" * len(values), values, False)

    def _with_sign(self, value: Any, sign: Any) -> Any:
        whole = ir.IntType(64 if isinstance(value.type, ir.DoubleType) else 32)
        top = 1 << (whole.width - 1)
        size, side = (self._builder.bitcast(number, whole) for number in (value, sign))
        bits = self._builder.or_(self._builder.and_(size, whole(top - 1)), self._builder.and_(side, whole(top)))
        return self._builder.bitcast(bits, value.type)

    def _rounded(self, instruction: str, left: Any, right: Any) -> Any:
        return self._call(f"{instruction}.rn", left, right)

    def _call(self, instruction: str, *values: Any) -> Any:
        real, module = values[0].type, self._builder.module
        name = f"llvm.nvvm.{instruction}.{'d' if isinstance(real, ir.DoubleType) else 'f'}"
        shape = ir.FunctionType(real, [real] * len(values))
        return self._builder.call(module.globals.get(name) or ir.Function(module, shape, name), values)
