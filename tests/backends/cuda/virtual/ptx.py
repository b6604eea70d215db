"""PTX, the assembly text that a GPU is given, read: functions, their registers and parameters, instructions."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(
    r"\.(?P<sort>entry|func)\s*(?:\((?P<returned>[^)]*)\)\s*)?(?P<name>[\w$]+)\s*\((?P<parameters>[^)]*)\)(?P<hints>[^{;]*)(?P<end>[{;])"
)
_VARIABLE = re.compile(r"\.(?P<space>global|shared|const)\s+(?P<rest>[^;=]*)(?P<value>=[^;]*)?;")
_PIECE = re.compile(r"\s*(?:(?P<label>[$\w]+):|(?P<open>\{)|(?P<close>\})|(?P<statement>[^;]+);)")
_INSTRUCTION = re.compile(r"(?:@(?P<negated>!?)(?P<guard>%\w+)\s+)?(?P<code>[\w.:]+)\s*(?P<operands>.*)", re.DOTALL)
_DECLARED = re.compile(
    r"(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<kind>[bsuf]\d+|pred)\s+(?P<name>[%\w$]+)(?:<(?P<many>\d+)>|\[(?P<size>\d*)\])?"
)


@dataclass(frozen=True)
class Declared:
    """A register, parameter or variable; `size` is in bytes. `many` registers are called name0, name1, ..."""

    name: str
    kind: str
    size: int
    many: int = 0


@dataclass(frozen=True)
class Instruction:
    """`code` is the name of the operation and what stands behind its points; the instruction is made where `guard` holds (does not, if `negated`)."""

    code: tuple[str, ...]
    operands: tuple[str, ...]
    text: str
    guard: str = ""
    negated: bool = False


@dataclass(frozen=True)
class Function:
    """`body` has instructions and labels (plain strings) in their order; `entry` tells a kernel from what kernels call."""

    name: str
    entry: bool
    parameters: tuple[Declared, ...]
    returned: tuple[Declared, ...]
    declared: tuple[Declared, ...]
    body: tuple[Instruction | str, ...]


@dataclass(frozen=True)
class Module:
    functions: tuple[Function, ...]
    shared: tuple[Declared, ...]  # of the threads of one block
    variables: tuple[Declared, ...]  # of all threads


def read(text: str) -> Module:
    """The functions and variables of a text in PTX."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    functions, variables, place = [], {"shared": [], "global": [], "const": []}, 0
    while header := _HEADER.search(text, place):
        _note_variables(text[place : header.start()], variables)
        place = header.end()
        if header["end"] == "{":
            end = _end_of(text, place)
            functions.append(_function(header, text[place:end], variables))
            place = end + 1
    _note_variables(text[place:], variables)
    return Module(tuple(functions), tuple(variables["shared"]), tuple(variables["global"] + variables["const"]))


def _note_variables(text: str, found: dict[str, list[Declared]]) -> None:
    for variable in _VARIABLE.finditer(text):
        if variable["value"] is not None:
            raise NotImplementedError(f"a variable with a value: {variable[0]}")
        found[variable["space"]] += _declared(variable["rest"])


def _end_of(text: str, place: int) -> int:
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        place += 1
    return place - 1


def _function(header: re.Match[str], text: str, variables: dict[str, list[Declared]]) -> Function:
    declared: list[Declared] = []
    body: list[Instruction | str] = []
    place = 0
    while piece := _PIECE.match(text, place):
        place = piece.end()
        statement = (piece["statement"] or "").strip()
        if piece["label"]:
            body.append(piece["label"])
        elif statement.startswith((".shared", ".global")):
            _note_variables(statement + ";", variables)
        elif statement.startswith((".reg", ".param")):
            declared += _declared(statement)
        elif statement and not statement.startswith("."):
            body.append(_instruction(statement))
    if text[place:].strip():
        raise NotImplementedError(f"not understood: {text[place : place + 80]}")
    parameters, returned = _declared(header["parameters"]), _declared(header["returned"] or "")
    return Function(header["name"], header["sort"] == "entry", parameters, returned, tuple(declared), tuple(body))


def _declared(text: str) -> tuple[Declared, ...]:
    found = []
    for one in _DECLARED.finditer(text):
        width = 1 if one["kind"] == "pred" else int(one["kind"][1:]) // 8
        found.append(Declared(one["name"], one["kind"], width * int(one["size"] or 1), int(one["many"] or 0)))
    return tuple(found)


def _instruction(statement: str) -> Instruction:
    found = _INSTRUCTION.fullmatch(statement)
    if found is None:
        raise NotImplementedError(f"not understood: {statement}")
    operands = tuple(operand.strip() for operand in re.split(r",(?![^{(]*[})])", found["operands"]) if operand.strip())
    code = tuple(part for part in found["code"].replace("::", "_").split("."))
    return Instruction(code, operands, " ".join(statement.split()), found["guard"] or "", found["negated"] == "!")
