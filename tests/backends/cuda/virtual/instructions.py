"""PTX translated to LLVM's language, instruction by instruction, so that this processor can execute what a GPU is given.

Arithmetic of one kind of number is in `body`; here is a row for each instruction with a shape of its own. Shifts and conversions keep within
the bounds that NVIDIA's manual sets. What has no row raises NotImplementedError with the instruction.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from .body import ADDRESS, F32, F64, I8, I32, I64, SLOT, THREAD, WHOLE, Body, typed
from .ptx import Declared, Instruction, Module

BLOCK_BARRIER, GRID_BARRIER, DONE = 1, 2, 3  # for what a thread `waits`
SWITCH, INSIDE = "swapcontext", "inside"  # functions that every module is linked with

QUALIFIERS = frozenset("volatile nc relaxed acquire release acq_rel weak gpu cta sys ca cg cs lu cv wb wt uni".split())
SPACES = frozenset("param global shared local const".split())
SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "lo": "<", "ls": "<=", "hi": ">", "hs": ">="}
ROUNDED = {"rni": "llvm.rint", "rzi": "llvm.trunc", "rmi": "llvm.floor", "rpi": "llvm.ceil"}
ATOMIC = {"add": "add", "and": "and_", "or": "or_", "xor": "xor"}


def _move(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    target, source = operands
    kind = code[-1]
    if source.startswith("{"):  # the parts of a wider number, the lowest first
        parts = [body.value(part.strip(), f"b{int(kind[1:]) // 2}") for part in source.strip("{}").split(",")]
        wide = typed(kind)
        low, high = (body.builder.zext(part, wide) for part in parts)
        return body.put(target, body.builder.or_(low, body.builder.shl(high, wide(wide.width // 2))))
    value = body.value(source, kind)
    if target.startswith("{"):
        half = ir.IntType(int(kind[1:]) // 2)
        whole = body.alike(value, typed(f"b{kind[1:]}"))
        for place, name in enumerate(target.strip("{}").split(",")):
            if name.strip() != "_":
                body.put(name.strip(), body.builder.trunc(body.builder.lshr(whole, whole.type(place * half.width)), half))
        return None
    return body.put(target, value)


def _compare(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    sign, kind = code[0], code[-1]
    target, *sources = operands
    a, b = (body.value(source, kind) for source in sources[:2])
    builder = body.builder
    if kind[0] != "f":
        unsigned = kind[0] in "ub" or sign in ("lo", "ls", "hi", "hs")
        made = (builder.icmp_unsigned if unsigned else builder.icmp_signed)(SIGNS[sign], a, b)
    elif sign in ("num", "nan"):
        made = (builder.fcmp_ordered if sign == "num" else builder.fcmp_unordered)("ord" if sign == "num" else "uno", a, b)
    elif sign in SIGNS:
        made = builder.fcmp_ordered(SIGNS[sign], a, b)
    else:
        made = builder.fcmp_unordered(SIGNS[sign.removesuffix("u")], a, b)
    if len(code) == 3:  # and, or, xor with another condition
        made = getattr(builder, WHOLE[code[1]])(made, body.value(sources[2], "pred"))
    body.put(target, made)


def _choose(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    target, chosen, other, condition = operands
    flag = body.value(condition, "pred")
    body.put(target, body.builder.select(flag, body.value(chosen, code[-1]), body.value(other, code[-1])))


def _shift(left: bool) -> Callable[..., None]:
    """Shifts by more than the width leave nothing, or the sign alone; LLVM leaves them undefined."""

    def write(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
        b, form = body.builder, typed(code[-1])
        value, count = body.value(operands[1], code[-1]), body.value(operands[2], "u32")
        far = b.icmp_unsigned(">=", count, I32(form.width))
        near = body.alike(b.select(far, I32(0), count), form)
        if left or code[-1][0] != "s":
            made = b.select(far, form(0), (b.shl if left else b.lshr)(value, near))
        else:
            made = b.ashr(value, b.select(far, form(form.width - 1), near))
        body.put(operands[0], made)

    return write


def _convert(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    *modifiers, to, of = code
    if unknown := set(modifiers) - {"rn", "sat", "ftz", *ROUNDED}:
        raise NotImplementedError(unknown)
    b, wanted = body.builder, typed(to)
    value = body.value(operands[1], of)
    for modifier in modifiers:
        if modifier in ROUNDED and of[0] == "f":
            value = body.intrinsic(ROUNDED[modifier], [value])
    if of[0] == to[0] == "f":
        value = {(F32, F64): b.fpext, (F64, F32): b.fptrunc}.get((value.type, wanted), lambda same, _: same)(value, wanted)
        if "sat" in modifiers:  # from 0 to 1; 0 where it is not a number
            value = b.select(b.fcmp_ordered(">", value, wanted(0.0)), value, wanted(0.0))
            value = b.select(b.fcmp_ordered(">", value, wanted(1.0)), wanted(1.0), value)
    elif of[0] == "f":
        bits = value.type == F64 or wanted.width == 64
        missing = wanted(1 << (wanted.width - 1) if bits else 0)
        whole = body.intrinsic("llvm.fptosi.sat" if to[0] == "s" else "llvm.fptoui.sat", [value], wanted)
        value = b.select(b.fcmp_unordered("uno", value, value), missing, whole)
    elif to[0] == "f":
        value = (b.sitofp if of[0] == "s" else b.uitofp)(value, wanted)
    elif "sat" in modifiers:
        raise NotImplementedError("a whole number kept within bounds")
    elif wanted.width > value.type.width:
        value = (b.sext if of[0] == "s" else b.zext)(value, wanted)
    else:
        value = body.alike(value, wanted)
    body.put(operands[0], value, signed=to[0] == "s")


def _address(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    value = body.value(operands[1], "b64")
    if "shared" in code:
        base = body.of_thread("shared")
        value = body.builder.sub(value, base) if "to" in code else body.builder.add(value, base)
    body.put(operands[0], value)


def _space(code: tuple[str, ...]) -> tuple[str, int]:
    """Which memory, and how many numbers at once."""
    rest = [part for part in code[:-1] if part not in QUALIFIERS and not part.startswith("shared_")]
    spaces = [part for part in rest if part in SPACES] + ["shared" for part in code if part.startswith("shared_")]
    many = [int(part[1:]) for part in rest if part in ("v2", "v4")]
    if unknown := [part for part in rest if part not in SPACES and part not in ("v2", "v4")]:
        raise NotImplementedError(unknown)
    return (spaces or ["generic"])[0], (many or [1])[0]


def _load(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    (space, many), form = _space(code), typed(code[-1])
    size = int(code[-1][1:]) // 8
    place = body.memory(operands[1], space, size * many)
    for index, target in enumerate(operands[0].strip("{}").split(",")):
        value = body.builder.load(body.offset(place, index * size), typ=form, align=1)
        body.put(target.strip(), value, signed=code[-1][0] == "s")


def _store(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    space, many = _space(code)
    size = int(code[-1][1:]) // 8
    place = body.memory(operands[0], space, size * many)
    for index, source in enumerate(operands[1].strip("{}").split(",")):
        body.builder.store(body.value(source.strip(), code[-1]), body.offset(place, index * size), align=1)


def _atomic(returns: bool) -> Callable[..., None]:
    """Threads run one at a time, so plain instructions do."""

    def write(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
        operation = code[-2]
        space, _ = _space((*code[:-2], code[-1]))
        target, operand, *sources = operands if returns else ("", *operands)
        place = body.memory(operand, space, int(code[-1][1:]) // 8)
        values = [body.value(source, code[-1]) for source in sources]
        old, b = body.builder.load(place, typ=typed(code[-1]), align=1), body.builder
        if operation == "cas":
            new = b.select(b.icmp_unsigned("==", old, values[0]), values[1], old)
        elif operation == "exch":
            new = values[0]
        elif operation in ("min", "max"):
            new = body.whole(operation, [code[-1]], [old, *values])
        elif operation == "add" and code[-1][0] == "f":
            new = b.fadd(old, values[0])
        else:
            new = getattr(b, ATOMIC[operation])(old, values[0])
        b.store(new, place, align=1)
        if returns:
            body.put(target, old)

    return write


def _insert(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    """The lowest bits of one number in the place of some of another."""
    form, b = typed(code[0]), body.builder
    field, base = (body.value(operand, code[0]) for operand in operands[1:3])
    given = [b.and_(body.value(operand, "u32"), I32(255)) for operand in operands[3:]]
    place, width = (b.select(b.icmp_unsigned(">", one, I32(form.width)), I32(form.width), one) for one in given)
    wide = ir.IntType(2 * form.width)  # a place and a width of all bits are within its own
    mask = b.sub(b.shl(wide(1), body.alike(width, wide)), wide(1))
    mask, moved = (b.trunc(b.shl(part, body.alike(place, wide)), form) for part in (mask, b.and_(b.zext(field, wide), mask)))
    body.put(operands[0], b.or_(b.and_(base, b.not_(mask)), moved))


def _branch(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    body.builder.branch(body.blocks[operands[0]])


def _return(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    body.builder.ret_void()


def _wait(body: Body, why: int) -> None:
    body.builder.store(I64(why), body.offset(body.thread, 8 * THREAD.index("waits")))
    contexts = [body.of_thread(name) for name in ("context", "scheduler")]
    body.builder.call(body.module.globals["swapcontext"], contexts)


def _barrier(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    """For all threads of a block; `red` tells each whether a condition holds for one or all of them, or for how many."""
    wanted = [part for part in code if part not in ("sync", "cta", "aligned", "red")]
    target, barrier, *conditions = operands if "red" in code else ("", *operands)
    if barrier != "0" or len(conditions) != ("red" in code):
        raise NotImplementedError("a barrier of some of the threads")
    if not conditions:
        _wait(body, BLOCK_BARRIER)
        return
    b = body.builder
    b.store(b.zext(body.value(conditions[0], "pred"), I64), body.offset(body.thread, 8 * THREAD.index("given")))
    _wait(body, BLOCK_BARRIER)
    told = b.load(body.offset(body.thread, 8 * THREAD.index("told")), typ=I64)
    shift = {"or": 0, "and": 1, "popc": 2}[wanted[0]]
    body.put(target, b.trunc(b.lshr(told, I64(shift)), typed(wanted[1])))


def _nothing(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    """Fences: memory is always in order here."""


def _call(body: Body, code: tuple[str, ...], operands: tuple[str, ...]) -> None:
    given = [[name.strip() for name in operand.strip("()").split(",") if name.strip()] for operand in operands]
    returned = given.pop(0) if operands[0].startswith("(") else []
    (called,), *rest = given
    names = rest[0] if rest else []
    b = body.builder
    if called in GRID:
        GRID[called](body, returned)
        return
    function, target = body.functions[called]
    block = body.room(max(1, len(names)))
    for index, (name, parameter) in enumerate(zip(names, function.parameters, strict=True)):
        _only_whole(parameter)
        b.store(b.load(body.places[name], typ=I64), body.offset(block, SLOT * index))
    for parameter in function.returned:
        if parameter.size > 8 * SLOT:
            raise NotImplementedError("returns so much")
    b.call(target, [block, body.places[returned[0]] if returned else ir.Constant(ADDRESS, None), body.thread])


def _only_whole(parameter: Declared) -> None:
    if parameter.size > SLOT:
        raise NotImplementedError("a parameter of several numbers")


def _grid_handle(body: Body, returned: list[str]) -> None:
    body.builder.store(I64(1), body.places[returned[0]])


def _grid_barrier(body: Body, returned: list[str]) -> None:
    _wait(body, GRID_BARRIER)
    body.builder.store(I64(0), body.places[returned[0]])


GRID = {"cudaCGGetIntrinsicHandle": _grid_handle, "cudaCGSynchronize": _grid_barrier}

SPECIAL: dict[str, Callable[[Body, tuple[str, ...], tuple[str, ...]], None]] = {
    "mov": _move,
    "setp": _compare,
    "selp": _choose,
    "shl": _shift(left=True),
    "shr": _shift(left=False),
    "cvt": _convert,
    "cvta": _address,
    "ld": _load,
    "st": _store,
    "atom": _atomic(returns=True),
    "red": _atomic(returns=False),
    "bfi": _insert,
    "bra": _branch,
    "ret": _return,
    "exit": _return,
    "bar": _barrier,
    "barrier": _barrier,
    "membar": _nothing,
    "fence": _nothing,
    "call": _call,
}


def translated(module: Module) -> ir.Module:
    """All functions of a module. Each takes the addresses of its parameters, of what it returns and of its thread."""
    made = ir.Module()
    made.triple = ""
    ir.Function(made, ir.FunctionType(I64, [I64, I64]), INSIDE)
    ir.Function(made, ir.FunctionType(I32, [I64, I64]), SWITCH)
    variables = {}
    for variable in module.variables:
        variables[variable.name] = ir.GlobalVariable(made, ir.ArrayType(I8, variable.size), f"variable_{len(variables)}")
        variables[variable.name].initializer = ir.Constant(variables[variable.name].value_type, None)
        variables[variable.name].align = 16
    shared, size = {}, 0
    for variable in module.shared:
        shared[variable.name], size = size, size + -(-variable.size // 16) * 16
    shape = ir.FunctionType(ir.VoidType(), [ADDRESS] * 3)
    functions = {f.name: (f, ir.Function(made, shape, f"function_{i}")) for i, f in enumerate(module.functions)}
    for function, target in functions.values():
        _write(Body(function, target, functions, variables, shared))
    return made


def _write(body: Body) -> None:
    for item in body.function.body:
        if isinstance(item, str):
            if not body.builder.block.is_terminated:
                body.builder.branch(body.blocks[item])
            body.builder.position_at_end(body.blocks[item])
            continue
        if body.builder.block.is_terminated:
            body.builder.position_at_end(body.target.append_basic_block())
        try:
            _guarded(body, item)
        except (KeyError, IndexError, ValueError, AttributeError, NotImplementedError) as error:
            raise NotImplementedError(f"{item.text}: {error!r}") from error
    if not body.builder.block.is_terminated:
        body.builder.ret_void()


def _guarded(body: Body, item: Instruction) -> None:
    if not item.guard:
        _instruction(body, item)
        return
    condition = body.value(item.guard, "pred")
    condition = body.builder.not_(condition) if item.negated else condition
    made, after = body.target.append_basic_block(), body.target.append_basic_block()
    body.builder.cbranch(condition, made, after)
    body.builder.position_at_end(made)
    _instruction(body, item)
    if not body.builder.block.is_terminated:
        body.builder.branch(after)
    body.builder.position_at_end(after)


def _instruction(body: Body, item: Instruction) -> None:
    operation, *modifiers = item.code
    kind = modifiers[-1] if modifiers else ""
    operands = item.operands
    if operation in SPECIAL:
        SPECIAL[operation](body, tuple(modifiers), operands)
        return
    target, *sources = operands
    values = [body.value(source, kind) for source in sources]
    result = body.real(operation, set(modifiers), values) if kind in ("f32", "f64") else body.whole(operation, modifiers, values)
    body.put(target, result)
