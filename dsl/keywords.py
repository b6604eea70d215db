"""The keyword form: `threshold=`, `reset=`, `refractory=`, `events=`, `method=`, `parameters=` as the statements they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from ..grammar.parse import parse_block, parse_expression, parse_unit
from ..grammar.source import Source, Span, whole
from ..grammar.walks import names_used
from .name_mistakes import DefinedTwice, GivenAndDefined, MissingThreshold, NotAnIdentifier
from .scope import UNREADABLE


@dataclass(frozen=True)
class Bound:
    """A parameter whose value the caller keeps (an array, an input): only its unit goes into the model; None: to be inferred."""

    unit: str | None


@dataclass(frozen=True)
class CallableOf:
    """A function of time (`arity` 1) or of time and neuron (2) that the caller keeps, and the unit of what it gives."""

    unit: str
    arity: int


@dataclass(frozen=True)
class FunctionOf:
    """A Python function that the caller keeps: the names of its arguments, and the units that it says (None where it says none)."""

    arguments: tuple[str, ...]
    units: tuple[str | None, ...]
    unit: str | None


GivenParameter = str | int | float | Bound | CallableOf | FunctionOf
EventText = str | tuple[str, str]  # a condition, or a condition and a block


def with_keywords(
    declaration: nodes.ModelDeclaration,
    threshold: str | None = None,
    reset: str | None = None,
    refractory: str | None = None,
    events: Mapping[str, EventText] | None = None,
    method: str | None = None,
    parameters: Mapping[str, GivenParameter] | None = None,
) -> tuple[nodes.ModelDeclaration, tuple[Mistake, ...]]:
    """A model with what the keywords say added to its statements, and the mistakes in these texts.

    Parameters that the text does not use are left out; one that it declares without a value (`tau : second`) gets the value.
    A name that the text gives an equation keeps it, as in Brian2.
    """
    reader = KeywordReader()
    statements = list(declaration.statements)
    statements += reader.events(statements, threshold, reset, events or {})
    statements += reader.single(statements, "refractory", refractory)
    statements += reader.single(statements, "method", method)
    statements = reader.with_parameters(statements, parameters or {})
    return replace(declaration, statements=tuple(statements)), tuple(reader.mistakes)


class KeywordReader:
    """Reads the texts of keywords; what is wrong with them goes to `mistakes`."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def expression(self, source: Source) -> nodes.Expression | None:
        node, mistakes = parse_expression(source)
        self.mistakes += mistakes
        return None if mistakes else node

    def block(self, text: str | None, name: str) -> tuple[nodes.Assignment, ...]:
        if text is None or not text.strip():
            return ()
        block, mistakes = parse_block(Source(text, name))
        self.mistakes += mistakes
        return block

    # ---- events ---------------------------------------------------------------------------------

    def events(
        self, statements: Sequence[nodes.Statement], threshold: str | None, reset: str | None, events: Mapping[str, EventText]
    ) -> Iterator[nodes.Statement]:
        present = {statement.name.id: statement.name.span for statement in statements if isinstance(statement, nodes.Event)}
        if threshold is not None:
            yield from self.event("spike", "threshold", threshold, "reset", reset, present)
        elif reset is not None and reset.strip():
            self.mistakes.append(MissingThreshold(whole(Source(reset, "reset"))))
        for name, given in events.items():
            condition, block = (given, None) if isinstance(given, str) else given
            yield from self.event(name, f"events[{name!r}]", condition, f"events[{name!r}]", block, present)

    def event(
        self, name: str, where: str, condition: str, block_where: str, block: str | None, present: Mapping[str, Span]
    ) -> Iterator[nodes.Statement]:
        source = Source(condition, where)
        node, assignments = self.expression(source), self.block(block, block_where)
        if name in present:
            self.mistakes.append(DefinedTwice(whole(source), f"the event `{name}`", present[name]))
        elif node is not None:
            yield nodes.Event(whole(source), "", nodes.Name(whole(source), name), node, assignments)

    # ---- refractory, method -----------------------------------------------------------------------

    def single(self, statements: Sequence[nodes.Statement], keyword: str, text: str | None) -> Iterator[nodes.Statement]:
        """`refractory` and `method`: at most one, in the text or as a keyword."""
        if text is None:
            return
        source = Source(text, keyword)
        kind = nodes.Refractory if keyword == "refractory" else nodes.Method
        present = [statement.span for statement in statements if isinstance(statement, kind)]
        node = self.expression(source)
        if present:
            self.mistakes.append(DefinedTwice(whole(source), f"`{keyword}`", present[0]))
        elif node is not None and keyword == "refractory":
            yield nodes.Refractory(whole(source), "", node, False, ())
        elif isinstance(node, nodes.Name):
            yield nodes.Method(whole(source), "", node, ())
        elif isinstance(node, nodes.Call):
            order = tuple(argument for argument in node.arguments if isinstance(argument, nodes.Name))
            yield nodes.Method(whole(source), "", nodes.Name(node.name_span, node.function), order)
        elif node is not None:
            self.mistakes.append(NotAnIdentifier(whole(source), text))

    # ---- parameters -------------------------------------------------------------------------------

    def with_parameters(
        self, statements: list[nodes.Statement], parameters: Mapping[str, GivenParameter]
    ) -> list[nodes.Statement]:
        """The statements with the parameters that they use, or that those use."""
        waiting = [name for statement in statements for name in names_read(statement)]
        waiting += [statement.name.id for statement in statements if isinstance(statement, nodes.Declaration)]
        present = {name: statement for statement in statements if (name := introduced(statement)) is not None}
        taken: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in parameters or name in taken:
                continue
            taken.add(name)
            old = present.get(name)
            given = parameters[name]
            if isinstance(given, FunctionOf) and not isinstance(old, nodes.Definition | nodes.FunctionDefinition):
                declared = old if isinstance(old, nodes.CallableDeclaration) else None
                function = self.function(name, given, declared)
                statements = [*statements, function] if declared is None else put(statements, declared, function)
                continue
            if old is not None and not isinstance(old, nodes.Declaration):
                self.clash(name, old, parameters[name])
                continue
            statement = self.parameter(name, parameters[name], old)
            if statement is not None:
                statements = [*statements, statement] if old is None else put(statements, old, statement)
                waiting += names_read(statement)
        return statements

    def clash(self, name: str, old: nodes.Statement, given: GivenParameter) -> None:
        """A name that the text defines: an equation wins, as in Brian2; for a formula the person has to choose."""
        if isinstance(old, nodes.Definition | nodes.FunctionDefinition):
            shown = "a function" if isinstance(given, FunctionOf) else str(given)
            source = Source(shown, f"parameters[{name!r}]")
            self.mistakes.append(GivenAndDefined(whole(source), name, old.name.span))

    def parameter(self, name: str, given: GivenParameter, old: nodes.Declaration | None) -> nodes.Statement | None:
        """The statement that a given parameter amounts to; None where nothing is to be said."""
        where = f"parameters[{name!r}]"
        if isinstance(given, FunctionOf):
            return self.function(name, given, None)
        if isinstance(given, (Bound, CallableOf)):
            return self.bound(name, given, old, where)
        source = Source(given if isinstance(given, str) else repr(given), where)
        node = self.expression(source) if isinstance(given, str) else number(given, whole(source))
        if node is None:  # reported; the name is there all the same, so that nobody calls it unknown
            node = nodes.Name(whole(source), UNREADABLE)
        unit = old.unit if old is not None else None
        flags = tuple(flag for flag in old.flags if flag.text not in ("required", "linked")) if old is not None else ()
        identifier = nodes.Name(old.name.span if old is not None else whole(source), name)
        return nodes.Definition(whole(source), old.comment if old is not None else "", identifier, node, unit, flags)

    def function(self, name: str, given: FunctionOf, old: nodes.CallableDeclaration | None) -> nodes.CallableDeclaration:
        """The declaration of a Python function: what the text says of it, and where that is silent, what the function says itself."""
        where = f"parameters[{name!r}]"
        plain = nodes.Unit(whole(Source("1", where)), ())
        said = [self.unit(unit, where) for unit in given.units]
        if old is None:
            span = whole(Source(name, where))
            arguments = tuple(nodes.Name(span, argument) for argument in given.arguments)
            units = tuple(unit or plain for unit in said)
            return nodes.CallableDeclaration(
                span, "", nodes.Name(span, name), arguments, self.unit(given.unit, where) or plain, units
            )
        said = [*said, *(None for _ in old.arguments)]
        written = old.units or (None,) * len(old.arguments)
        return replace(old, units=tuple(mine or theirs or plain for mine, theirs in zip(written, said, strict=False)))

    def unit(self, text: str | None, where: str) -> nodes.Unit | None:
        if text is None:
            return None
        unit, mistakes = parse_unit(Source(text, where))
        self.mistakes += mistakes
        return unit

    def bound(self, name: str, given: Bound | CallableOf, old: nodes.Declaration | None, where: str) -> nodes.Statement | None:
        source = Source(given.unit or "1", where)
        if isinstance(given, Bound) and (old is not None or given.unit is None):
            return old
        unit, mistakes = parse_unit(source)
        self.mistakes += mistakes
        if unit is None:
            return None
        span = whole(source)
        if isinstance(given, Bound):
            return nodes.Declaration(span, "", nodes.Name(span, name), unit, (nodes.Flag(span, "required"),))
        arguments = tuple(nodes.Name(span, argument) for argument in ("t", "i")[: given.arity])
        return nodes.CallableDeclaration(span, "", nodes.Name(span, name), arguments, unit)


def number(value: float, span: Span) -> nodes.Expression:
    """A plain number; infinities by their name, negative ones with their sign."""
    if value != value or value in (float("inf"), float("-inf")):
        inner: nodes.Expression = nodes.Name(span, "inf" if value == value else "nan")
    else:
        inner = nodes.Number(span, abs(value))
    return nodes.Unary(span, "-", inner) if value < 0 else inner


def put(statements: list[nodes.Statement], old: nodes.Statement, new: nodes.Statement) -> list[nodes.Statement]:
    """The statements with one of them replaced."""
    return [new if statement is old else statement for statement in statements]


def introduced(statement: nodes.Statement) -> str | None:
    """The name that a statement gives a meaning to, but for events."""
    kinds = (nodes.Differential, nodes.Definition, nodes.Declaration, nodes.CallableDeclaration, nodes.FunctionDefinition)
    return statement.name.id if isinstance(statement, kinds) else None


def names_read(statement: nodes.Statement) -> list[str]:
    """The names and the functions that a statement uses; what a block assigns is among them."""
    block = statement.block if isinstance(statement, nodes.Event | nodes.EachStep) else ()
    return list(dict.fromkeys((*(assignment.target.id for assignment in block), *names_used(statement))))
