"""What is flagged `(shared)` has one value for the population: nothing in it may differ between neurons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...grammar import nodes
from ...grammar.source import Span
from ...grammar.walks import children
from ..functions import DRAWS, REDUCTIONS
from ..outline import Outline
from ..roles import has_flag
from ..scope import Role
from ..statement_mistakes import SharedDiffers
from .subject import Analysis

TOLD = "is told of each neuron"
DIFFERS = "differs between neurons"
SPECIAL: Mapping[str, str] = {"i": "is the index of the neuron", "spiked": TOLD, "not_refractory": TOLD, "lastspike": TOLD}
OF_EACH = frozenset({"rank", "one_of", "matmul"})  # reductions with a result for each neuron
NOTHING_HIDDEN = frozenset[str]()


def check_shared(a: Analysis) -> None:
    """Report what in a shared definition has one value a neuron, at its place."""
    search = Search(a.outline, frozenset(name for name in a.outline.names if a.roles.is_state(name)))
    for name, definition in a.outline.definitions.items():
        if has_flag(definition, "shared") and name in a.scope.entries and a.role(name) is not Role.STATE:
            for span, why in search.in_definition(definition):
                a.scope.report(SharedDiffers(span, name, why))
                break


@dataclass
class Search:
    """A search for what differs between neurons; `known` is what has been found of definitions and functions."""

    outline: Outline
    states: frozenset[str]
    known: dict[str, bool] = field(default_factory=dict)

    def in_definition(self, definition: nodes.Definition) -> Iterator[tuple[Span, str]]:
        """Draws that are made once may be one for all; what is drawn without `shared` is one a neuron."""
        one_draw = has_flag(definition, "shared") and has_flag(definition, "constant")
        return self.places(definition.expression, one_draw, NOTHING_HIDDEN)

    def places(self, node: nodes.Expression, one_draw: bool, hidden: frozenset[str]) -> Iterator[tuple[Span, str]]:
        """Each place in an expression that differs between neurons, and why; `hidden` are arguments of a function."""
        match node:
            case nodes.Name(id=name) if name not in hidden:
                why = self.of_name(name)
                if why is not None:
                    yield node.span, why
            case nodes.Call(function=name) if name in OF_EACH:
                yield node.span, DIFFERS
            case nodes.Call(function=name) if name in REDUCTIONS:
                return
            case nodes.Call(function=name) if name in DRAWS and not one_draw:
                yield node.span, "is drawn for each neuron"
            case nodes.Call(function=name) if name in self.outline.functions and self.of_function(name):
                yield node.span, DIFFERS
        for part in children(node):
            yield from self.places(part, one_draw, hidden)

    def of_name(self, name: str) -> str | None:
        if name in self.states:
            return "is a state of each neuron"
        if name not in self.outline.names:
            return SPECIAL.get(name)
        definition = self.outline.definitions.get(name)
        if name not in self.known and definition is not None:
            self.known[name] = False  # a circle is reported elsewhere
            self.known[name] = any(True for _ in self.in_definition(definition))
        return DIFFERS if self.known.get(name) else None

    def of_function(self, name: str) -> bool:
        """Whether the body of a function differs between neurons, its arguments aside; draws in it are those of the caller."""
        key = f"{name}()"
        if key not in self.known:
            self.known[key] = False
            function = self.outline.functions[name]
            hidden = frozenset(argument.id for argument in function.arguments)
            self.known[key] = any(True for _ in self.places(function.expression, True, hidden))
        return self.known[key]
