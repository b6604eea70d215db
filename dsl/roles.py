"""Roles: what each name of a model is, from what its formula hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from ..grammar.walks import parts_of
from .circles import circles
from .functions import DRAWS, REDUCTIONS
from .name_mistakes import Cycle, Recursion
from .outline import Outline
from .scope import Role

Changing = frozenset[str]  # of "state", "time", "draw", "noise", "event", "reduction"
NEVER: Changing = frozenset()
SPECIAL: Mapping[str, str] = {"t": "time", "step": "time", "spiked": "event", "not_refractory": "event", "lastspike": "event"}


@dataclass(frozen=True)
class Reading:
    """What an expression reads: names of the model with their first place, functions of the text, and what changes."""

    names: Mapping[str, Span]
    functions: Mapping[str, Span]
    changing: Changing


NOTHING_READ = Reading({}, {}, NEVER)


def reading(node: nodes.Expression, outline: Outline, names: Iterable[str], hidden: Iterable[str] = ()) -> Reading:
    """What one expression reads itself; `hidden` are the arguments of a function."""
    model, mine = set(names), set(hidden)
    found: dict[str, Span] = {}
    functions: dict[str, Span] = {}
    changing: set[str] = set()
    for part in parts_of(node):
        if isinstance(part, nodes.Name) and part.id not in mine:
            if part.id in model:
                found.setdefault(part.id, part.span)
            elif part.id in SPECIAL:
                changing.add(SPECIAL[part.id])
            elif part.id == "xi" or part.id.startswith("xi_"):
                changing.add("noise")
        elif isinstance(part, nodes.Call):
            if part.function in outline.functions:
                functions.setdefault(part.function, part.name_span)
            elif part.function in outline.callables:
                changing |= {"time"} if outline.callables[part.function].of_time else NEVER
            elif part.function in DRAWS:
                changing.add("draw")
            elif part.function in REDUCTIONS:
                changing.add("reduction")
    return Reading(found, functions, frozenset(changing))


class Roles:
    """The role of every definition, an order in which each uses only those before it, and the circles among them."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.names = {**outline.names}
        self.mistakes: list[Mistake] = []
        self.assigned = {a.target.id: a for block in reversed(outline.blocks) for a in reversed(block)}
        self.function_order: list[str] = []  # each after those it calls
        self.broken_functions = self._recursive_functions()
        self._readings: dict[str, Reading] = {}
        self._function_readings: dict[str, Reading] = {}
        self._read_functions()
        self._changing: dict[str, Changing] = {}
        self.in_circles: set[str] = set()
        self.order: list[str] = []
        self._arrange()
        # an assigned definition is a state, unless its formula reads what changes
        self._initials = {name for name in outline.definitions if name in self.assigned}
        for name in self.order:
            self._changing[name] = self._formula_changing(name)
        self._initials -= {name for name in self._initials if self._changing.get(name, NEVER) - {"draw"}}

    # ---- functions ----------------------------------------------------------------------------

    def _recursive_functions(self) -> frozenset[str]:
        calls = {name: list(dict.fromkeys(self._own_calls(f))) for name, f in self.outline.functions.items()}
        broken: set[str] = set()
        for path in circles(calls, self.function_order):
            if not broken & set(path):
                self.mistakes.append(Recursion(self.outline.functions[path[0]].name.span, tuple(path)))
            broken.update(path)
        return frozenset(broken)

    def _own_calls(self, function: nodes.FunctionDefinition) -> Iterator[str]:
        for part in parts_of(function.expression):
            if isinstance(part, nodes.Call) and part.function in self.outline.functions:
                yield part.function

    # ---- what a formula hangs on --------------------------------------------------------------

    def reads(self, expression: nodes.Expression, hidden: Iterable[str] = ()) -> Reading:
        """What an expression reads, also through the functions it calls."""
        own = reading(expression, self.outline, self.names, hidden)
        names, changing = dict(own.names), set(own.changing)
        for name, span in own.functions.items():
            inner = self._function_readings[name]
            changing |= inner.changing
            for read in inner.names:
                names.setdefault(read, span)
        return Reading(names, own.functions, frozenset(changing))

    def _read_functions(self) -> None:
        for name in self.function_order:
            function = self.outline.functions[name]
            arguments = [argument.id for argument in function.arguments]
            broken = name in self.broken_functions
            self._function_readings[name] = NOTHING_READ if broken else self.reads(function.expression, arguments)

    def reading_of(self, name: str) -> Reading:
        """What the definition of `name` reads."""
        if name not in self._readings:
            self._readings[name] = self.reads(self.outline.definitions[name].expression)
        return self._readings[name]

    def is_state(self, name: str) -> bool:
        outline = self.outline
        declared = name in self.assigned and name in outline.declarations
        return name in outline.differentials or name in outline.initials or declared or name in self._initials

    def is_initial(self, name: str) -> bool:
        """Whether the definition of `name` is the initial value of a state that blocks assign."""
        return name in self._initials

    def changing(self, name: str) -> Changing:
        """What the value of `name` hangs on, as seen by those who read it."""
        if self.is_state(name):
            return frozenset({"state"})
        return self._changing.get(name, NEVER)

    def _formula_changing(self, name: str) -> Changing:
        reading = self.reading_of(name)
        found = reading.changing.union(*(self.changing(read) for read in reading.names))
        return found - {"draw"} if has_flag(self.outline.definitions[name], "constant") else found

    def _arrange(self) -> None:
        """Put the definitions in an order in which each uses only those before it, and find the circles."""
        definitions = self.outline.definitions
        uses = {name: [read for read in self.reading_of(name).names if read in definitions] for name in definitions}
        for path in circles(uses, self.order):
            self._report_circle(path)
        self.order[:] = [name for name in self.order if name not in self.in_circles]

    def _report_circle(self, names: list[str]) -> None:
        if not self.in_circles & set(names):
            spans = [self.outline.definitions[name].name.span for name in names]
            self.mistakes.append(Cycle(spans[0], tuple(names), tuple(spans[1:])))
        self.in_circles.update(names)

    def role(self, name: str) -> Role:
        """What a name of the model is."""
        if name in self.outline.callables:
            return Role.EXTERNAL
        if self.is_state(name):
            return Role.STATE
        found = self.changing(name)
        if "noise" in found:
            return Role.NOISE
        if found & {"state", "event", "reduction", "draw"}:
            return Role.DERIVED
        return Role.INPUT if "time" in found else Role.PARAMETER


def has_flag(statement: nodes.Statement, text: str) -> bool:
    return any(flag.text == text for flag in getattr(statement, "flags", ()))
