"""The loop over steps in a kernel's machine code, and what one step of it asks of a multiprocessor.

The machine code is told by `nvdisasm`, from the wheel nvidia-cuda-nvdisasm (in the extra `cuda-ci`) or a CUDA toolkit. Counted is the
longest way through the loop that keeps clear of what writes to memory and of calls: no neuron spikes and nothing is recorded.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Results a clock and multiprocessor of compute capability 9.0 (CUDA C++ Programming Guide, "Throughput of native arithmetic instructions");
# four warps issue an instruction in a clock, which makes 128 of anything. Conversions that the table has at 64 are taken at 16, the rate
# of the unit that makes them on cards before.
ISSUED = 128
PIPES: Mapping[str, int] = {
    "fma": 128,
    "integer product": 64,
    "compare and choose": 64,
    "function": 16,
    "double": 64,
    "other": 128,
}
OPCODES: Mapping[str, tuple[str, ...]] = {
    "fma": ("FFMA", "FMUL", "FADD", "FFMA32I", "FADD32I", "FMUL32I"),
    "integer product": ("IMAD",),
    "compare and choose": tuple(
        "FSETP FSEL FMNMX FSET FCHK ISETP SEL IADD3 IADD VIADD VIADDMNMX VIMNMX IMNMX LOP3 PLOP3 SHF SHL SHR LEA PRMT LOP I2FP F2FP"
        " IABS P2R R2P BMSK SGXT ISCADD".split()
    ),
    "function": tuple("MUFU F2I I2F F2F FRND POPC FLO BREV".split()),
    "double": ("DFMA", "DMUL", "DADD", "DSETP"),
}
_PIPE = {opcode: pipe for pipe, opcodes in OPCODES.items() for opcode in opcodes}
JUMPS = frozenset("BRA CALL EXIT".split())
ENDS = frozenset("EXIT RET BRX JMP".split())
LEAVES = frozenset("ST STG STS STL ATOM ATOMG ATOMS RED CALL".split())  # a step that only computes does not do these


@dataclass(frozen=True)
class Instruction:
    opcode: str  # with its modifiers, as in "FSETP.GT.AND"
    operands: str
    predicate: str  # "@P0", "@!P0"; empty where it is always made
    target: int | None  # of a branch, the place in the listing

    @property
    def name(self) -> str:
        return self.opcode.split(".")[0]

    @property
    def always(self) -> bool:
        """Whether a jump is made whatever the predicates are."""
        return not self.predicate and not re.match(r"!?U?P\d|UR", self.operands)


@dataclass(frozen=True)
class Step:
    """One step of one neuron: instructions of each name, and how many steps of how many neurons the loop makes at a time."""

    instructions: Mapping[str, float]
    unrolled: int
    neurons: int

    @property
    def issued(self) -> float:
        return sum(self.instructions.values())

    @property
    def pipes(self) -> Mapping[str, float]:
        """Instructions for each part of a multiprocessor."""
        found = dict.fromkeys(PIPES, 0.0)
        for name, number in self.instructions.items():
            found[_PIPE.get(name, "other")] += number
        return found

    @property
    def clocks(self) -> float:
        """Least clocks of a multiprocessor, for one step of one neuron."""
        return max(self.issued / ISSUED, *[number / PIPES[pipe] for pipe, number in self.pipes.items()])

    @property
    def narrowest(self) -> str:
        """What sets `clocks`: a name of PIPES, or "issue"."""
        pipe, number = max(self.pipes.items(), key=lambda item: item[1] / PIPES[item[0]])
        return pipe if number / PIPES[pipe] > self.issued / ISSUED else "issue"

    def bound(self, multiprocessors: int, clock: float) -> float:
        """Neuron-steps a second that a card cannot exceed, of its multiprocessors and their clock in Hz."""
        return multiprocessors * clock / self.clocks


def step_of(cubin: bytes, neurons: int = 1) -> Step:
    """What one step costs in a kernel whose neurons do not read one another, of which a thread makes `neurons`.

    Raises ValueError where there is no loop over steps.
    """
    code = listing(disassembled(cubin))
    ways = {loop: places for loop in _loops(code) if (places := _way(code, *loop))}
    if not ways:
        raise ValueError("the machine code has no loop over steps")
    made = [code[place] for place in _innermost(ways)]
    unrolled = _unrolled(made)
    parts = unrolled * neurons
    return Step({name: number / parts for name, number in Counter(i.name for i in made).items()}, unrolled, neurons)


# ---- the listing --------------------------------------------------------------------------------


def disassembler() -> str | None:
    """The path of nvdisasm, None where it is not installed."""
    package = importlib.util.find_spec("nvidia")
    for folder in package.submodule_search_locations or () if package else ():
        for found in Path(folder).glob("cu*/bin/nvdisasm"):
            return str(found)
    return shutil.which("nvdisasm")


def disassembled(cubin: bytes) -> str:
    program = disassembler()
    if program is None:
        raise FileNotFoundError("nvdisasm is not installed; run: python -m pip install nvidia-cuda-nvdisasm")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(cubin)
        return subprocess.run([program, "-c", str(file)], capture_output=True, text=True, check=True).stdout


_LABEL = re.compile(r"\s*(\.L_\w+):")
_LINE = re.compile(r"\s*/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
_TARGET = re.compile(r"`\((\.L_\w+)\)")


def listing(text: str) -> list[Instruction]:
    """The instructions that nvdisasm tells, branches with the places they go to."""
    places: dict[str, int] = {}
    found: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        if label := _LABEL.match(line):
            places[label[1]] = len(found)
        elif told := _LINE.match(line):
            found.append(((told[1] or "").strip(), told[2], told[3]))
    code = []
    for predicate, opcode, operands in found:
        target = _TARGET.search(operands) if opcode.startswith("BRA") else None
        code.append(Instruction(opcode, operands, predicate, places[target[1]] if target else None))
    return code


# ---- the loop -----------------------------------------------------------------------------------


def _loops(code: list[Instruction]) -> list[tuple[int, int]]:
    """First and last place of each loop: a branch backwards."""
    return [(i.target, place) for place, i in enumerate(code) if i.target is not None and i.target < place]


def _innermost(ways: Mapping[tuple[int, int], list[int]]) -> list[int]:
    """The longest way, or, where that is around a loop which makes up most of it, the way through this one: steps between recordings."""
    (first, last), longest = max(ways.items(), key=lambda item: len(item[1]))
    inside = {loop: way for loop, way in ways.items() if first <= loop[0] and loop[1] < last and 2 * len(way) > len(longest)}
    return _innermost(inside) if inside else longest


def _way(code: list[Instruction], first: int, last: int) -> list[int]:
    """The places of the longest way through a loop, loops inside gone through once; empty where there is none.

    Of two sides of a branch that meet again, one on which something may be written or called is not gone.
    """
    after: dict[int, list[int]] = {last: []}  # places that come next, of those from which the end is reached
    meet = {last: last}  # the next place that all ways from here come through
    for place in range(last - 1, first - 1, -1):
        instruction = code[place]
        targets = [] if instruction.target is None else [instruction.target]
        if not (targets and instruction.always) and instruction.name not in ENDS:
            targets.append(place + 1)
        after[place] = [target for target in targets if place < target <= last and (target in meet)]
        if after[place]:
            meet[place] = functools.reduce(functools.partial(_common, meet), after[place])
    if first not in meet:
        return []
    length, before = {first: 1}, {first: first}
    for place in range(first, last):
        if place not in length:
            continue
        quiet = [target for target in after[place] if not _writes(code, after, target, meet[place])]
        for target in quiet or after[place]:
            if length.get(target, 0) <= length[place]:
                length[target], before[target] = length[place] + 1, place
    way = [last]
    while way[-1] != first:
        way.append(before[way[-1]])
    return way[::-1]


def _common(meet: Mapping[int, int], one: int, other: int) -> int:
    """The first place that the ways from two places share."""
    while one != other:
        one, other = (meet[one], other) if one < other else (one, meet[other])
    return one


def _writes(code: list[Instruction], after: Mapping[int, list[int]], begin: int, end: int) -> bool:
    """Whether something between two places writes to memory or calls."""
    seen, left = {end}, [begin]
    while left:
        place = left.pop()
        if place not in seen:
            if code[place].name in LEAVES:
                return True
            seen.add(place)
            left += after[place]
    return False


_PLACE = re.compile(r"(?<![\w.])U?[RP]\d+")
_FOLLOWED = frozenset("ISETP UISETP PLOP3 UPLOP3 P2R MOV UMOV IMAD R2UR IADD3 UIADD3 VIADD IADD SEL USEL".split())
_ADDS = frozenset("IADD3 UIADD3 VIADD IADD".split())


def _unrolled(way: list[Instruction]) -> int:
    """The steps of one way through the loop: what is added to the number that its last branch looks at.

    From that branch back, twice around, every register and predicate that is wanted is replaced by those it is made of.
    """
    # a long loop may be closed by a jump that is always made, and left before it
    last = next(instruction for instruction in reversed(way) if instruction.name in JUMPS and not instruction.always)
    wanted = set(_PLACE.findall(f"{last.predicate[1:].lstrip('!')} {last.operands.split('`')[0]}"))
    steps: set[int] = set()
    for instruction in (way[:-1] * 2)[::-1]:
        made, used = _made_and_used(instruction)
        if instruction.name not in _FOLLOWED or not wanted & made:
            continue
        wanted = wanted - made | used
        constant = re.search(r"-?0x[0-9a-f]+", instruction.operands)
        if instruction.name in _ADDS and ".X" not in instruction.opcode and made & used and constant:
            steps.add(abs((int(constant[0], 16) + (1 << 31)) % (1 << 32) - (1 << 31)))
    steps.discard(0)
    if len(steps) != 1:
        raise ValueError(f"the steps of a way through the loop cannot be told: {sorted(steps)}")
    return steps.pop()


def _made_and_used(instruction: Instruction) -> tuple[set[str], set[str]]:
    """The registers and predicates that an instruction writes, and those it reads."""
    operands = instruction.operands.split(", ")
    first = 1
    while first < len(operands) and re.match(r"!?U?P(\d|T)$", operands[first]) and first < 2:
        first += 1
    made, used = (set(_PLACE.findall(" ".join(part))) for part in (operands[:first], operands[first:]))
    if instruction.name == "P2R":  # predicates as bits
        mask = int(operands[-1], 16)
        used |= {f"P{number}" for number in range(7) if mask >> number & 1}
    return made, used | set(_PLACE.findall(instruction.predicate.lstrip("@!")))
