"""Roles: what each name of a model is, from what its formula hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.source import Span
from .functions import DRAWS, REDUCTIONS
from .name_mistakes import Cycle, Recursion
from .outline import Outline
from .scope import Role

Changing = frozenset[str]  # of "state", "time", "draw", "noise", "event", "reduction"
NEVER: Changing = frozenset()
SPECIAL: Mapping[str, str] = {"t": "time", "step": "time", "spiked": "event", "not_refractory": "event", "lastspike": "event"}


def parts(node: nodes.Expression) -> tuple[nodes.Expression, ...]:
    """The expressions directly inside an expression."""
    match node:
        case nodes.Unary(operand=operand):
            return (operand,)
        case nodes.Binary(left=left, right=right):
            return (left, right)
        case nodes.Comparison(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case nodes.Logical(operands=operands):
            return operands
        case nodes.Conditional(then=then, condition=condition, otherwise=otherwise):
            return (then, condition, otherwise)
        case nodes.Call(arguments=arguments):
            return arguments
    return ()


def walk(node: nodes.Expression) -> Iterator[nodes.Expression]:
    """An expression and all that is inside it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(parts(current))


@dataclass(frozen=True)
class Reading:
    """What an expression reads: names of the model with their first place, functions of the text, and what changes."""

    names: Mapping[str, Span]
    functions: Mapping[str, Span]
    changing: Changing


def reading(node: nodes.Expression, outline: Outline, names: Iterable[str], hidden: Iterable[str] = ()) -> Reading:
    """What one expression reads itself; `hidden` are the arguments of a function."""
    model, mine = set(names), set(hidden)
    found: dict[str, Span] = {}
    functions: dict[str, Span] = {}
    changing: set[str] = set()
    for part in walk(node):
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
                changing.add("time")
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
        self.broken_functions = self._recursive_functions()
        self._readings: dict[str, Reading] = {}
        self._function_readings: dict[str, Reading] = {}
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
        calls = {name: list(self._own_calls(f)) for name, f in self.outline.functions.items()}
        broken: set[str] = set()
        for name, function in self.outline.functions.items():
            path = circle(name, calls)
            if path is None:
                continue
            if not broken & set(path):
                self.mistakes.append(Recursion(function.name.span, tuple(path)))
            broken.update(path)
        return frozenset(broken)

    def _own_calls(self, function: nodes.FunctionDefinition) -> Iterator[str]:
        for part in walk(function.expression):
            if isinstance(part, nodes.Call) and part.function in self.outline.functions:
                yield part.function

    # ---- what a formula hangs on --------------------------------------------------------------

    def reads(self, expression: nodes.Expression, hidden: Iterable[str] = ()) -> Reading:
        """What an expression reads, also through the functions it calls."""
        own = reading(expression, self.outline, self.names, hidden)
        names, changing = dict(own.names), set(own.changing)
        for name, span in own.functions.items():
            inner = self._reading_of_function(name)
            changing |= inner.changing
            for read in inner.names:
                names.setdefault(read, span)
        return Reading(names, own.functions, frozenset(changing))

    def _reading_of_function(self, name: str) -> Reading:
        if name in self.broken_functions:
            return Reading({}, {}, NEVER)
        if name not in self._function_readings:
            function = self.outline.functions[name]
            self._function_readings[name] = self.reads(function.expression, [argument.id for argument in function.arguments])
        return self._function_readings[name]

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
        done: set[str] = set()
        for first in self.outline.definitions:
            path: dict[str, Iterator[str]] = {} if first in done else {first: iter(self.reading_of(first).names)}
            while path:
                name = next(reversed(path))
                read = next((r for r in path[name] if r in self.outline.definitions and r not in done), None)
                if read is None:
                    del path[name]
                    done.add(name)
                    self.order += [] if name in self.in_circles else [name]
                elif read in path:
                    self._report_circle([*path][[*path].index(read) :])
                else:
                    path[read] = iter(self.reading_of(read).names)

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


def circle(name: str, calls: Mapping[str, list[str]]) -> list[str] | None:
    """A way from a name back to itself, or None."""
    waiting: list[list[str]] = [[name]]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        for called in calls[path[-1]]:
            if called == name:
                return path
            if called not in seen:
                seen.add(called)
                waiting.append([*path, called])
    return None


def has_flag(statement: nodes.Statement, text: str) -> bool:
    return any(flag.text == text for flag in getattr(statement, "flags", ()))
