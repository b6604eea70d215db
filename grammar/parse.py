"""Source to Module: every statement is read on its own, so all mistakes of a text are found together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from . import nodes
from . import syntax_mistakes as wrong
from .balance import balanced
from .build import BadUnit, Builder, Declared, Equation, Head, Terminal
from .classify import classify, classify_assignment, depth_of, misplaced_unit
from .diagnose import brackets, diagnose, piece_mistake
from .fold import fold, fold_expression, fold_unit
from .habits import habits
from .layout import Piece, lay_out
from .mistakes import Mistake
from .source import Source, Span
from .tokens import Token, tokenise

MAX_LENGTH = 65_000
MAX_MISTAKES = 100  # what is wrong in so many places is no text of this language
MAX_DEPTH = 150  # what the stages after this one can walk by recursion


@dataclass(frozen=True)
class Parsed:
    """What a text says, as far as it could be read, and all its mistakes of syntax.

    `unread` holds the names that statements with a mistake seem to define, so that nobody calls them unknown.
    """

    module: nodes.Module
    mistakes: tuple[Mistake, ...]
    unread: frozenset[str] = field(default=frozenset())


def parse(source: Source) -> Parsed:
    """Read a whole text: a bare body, or named models. Never raises for what a person typed."""
    if (long := _too_long(source)) is not None:
        return Parsed(nodes.Module(_whole(source), ()), (long,))
    pieces, mistakes = lay_out(source)
    reader = _Reader(source, mistakes)
    module = reader.module(pieces)
    reader.mistakes += keywords_defined(module)
    return Parsed(module, _in_order(reader.mistakes), frozenset(reader.unread))


def parse_expression(source: Source) -> tuple[nodes.Expression | None, tuple[Mistake, ...]]:
    """Read a lone expression or condition (`v > V_t`, `2 ms`); None where it cannot be read."""
    if (long := _too_long(source)) is not None:
        return None, (long,)
    reader = _Reader(source, [])
    tokens = [token for token in tokenise(source) if token.type not in ("NEWLINE", "COMMENT")]
    return reader.expression(tokens), _in_order(reader.mistakes)


def parse_block(source: Source) -> tuple[tuple[nodes.Assignment, ...], tuple[Mistake, ...]]:
    """Read the statements of a block, on lines or between `;` (`v = 0; w += 1`)."""
    if (long := _too_long(source)) is not None:
        return (), (long,)
    pieces, mistakes = lay_out(source)
    reader = _Reader(source, mistakes)
    return reader.block(pieces), _in_order(reader.mistakes)


def parse_unit(source: Source) -> tuple[nodes.Unit | None, tuple[Mistake, ...]]:
    """Read a lone unit expression: `mV`, `nS/cm^2`, `1`."""
    if (long := _too_long(source)) is not None:
        return None, (long,)
    reader = _Reader(source, [])
    tokens = [token for token in tokenise(source) if token.type not in ("NEWLINE", "COMMENT")]
    return reader.unit(tokens), _in_order(reader.mistakes)


def _too_long(source: Source) -> Mistake | None:
    text = source.text
    # blanks count less, so that the text of a model, printed in good order, can be read again
    length = len(text) if len(text) > 3 * MAX_LENGTH else len(text) - text.count(" ")
    return wrong.TextTooLong(Span(source, 0, 1), length, MAX_LENGTH) if length > MAX_LENGTH else None


def _whole(source: Source) -> Span:
    return Span(source, 0, len(source.text))


def _in_order(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: (mistake.span.start, mistake.span.stop)))


# ---- the grammar --------------------------------------------------------------------------------

Start = Literal["statement", "expression", "unit"]


@cache
def grammar() -> Any:
    """The LALR parser of `neuron.lark`, built once a process."""
    from lark import Lark
    from lark.lexer import Lexer

    class Ready(Lexer):
        """Terminals come ready from `fold`; the grammar has no lexer of its own."""

        def __init__(self, configuration: Any) -> None:
            pass

        def lex(self, state: Any, parser_state: Any) -> Any:
            raise NotImplementedError

    text = Path(__file__).with_name("neuron.lark").read_text("utf-8")
    starts = ["statement", "expression", "unit"]
    return Lark(text, parser="lalr", strict=True, lexer=Ready, start=starts, maybe_placeholders=True, transformer=Builder())


@dataclass(frozen=True)
class _End:
    """The terminal after the last one."""

    type: str = "$END"


@dataclass(frozen=True)
class Stop:
    """Where the grammar could not go on: the terminal (its number, the count of all at the end) and what it would have taken."""

    place: int
    expected: frozenset[str]


def read(terminals: Sequence[Terminal], start: Start) -> Any:
    """What the rule `start` makes of the terminals, or the `Stop` where they fit no rule."""
    from lark.exceptions import UnexpectedToken

    parser = grammar().parse_interactive(start=start)
    state = parser.parser_state
    place = 0
    try:
        for place, terminal in enumerate(terminals):  # noqa: B007
            state.feed_token(terminal)
        place = len(terminals)
        return state.feed_token(_End(), True)
    except UnexpectedToken:
        return Stop(place, frozenset(parser.accepts()))


# ---- statements ---------------------------------------------------------------------------------


class _Reader:
    """Reads the statements of one text and gathers its mistakes."""

    def __init__(self, source: Source, mistakes: list[Mistake]) -> None:
        self.source = source
        self.mistakes = mistakes
        self.unread: set[str] = set()
        self._names: frozenset[str] | None = None

    def names(self) -> frozenset[str]:
        """The names of the text that stand somewhere else than behind a number; looked up only for a mistake."""
        if self._names is None:
            tokens = list(tokenise(self.source))
            pairs = zip([None, *tokens], tokens, strict=False)
            self._names = frozenset(b.value for a, b in pairs if b.type == "NAME" and (a is None or a.type != "NUMBER"))
        return self._names

    # ---- models

    def module(self, pieces: list[Piece]) -> nodes.Module:
        models: list[nodes.ModelDeclaration] = []
        bare: list[Piece] = []
        for piece in pieces:
            head = self._model_head(piece)
            if head is None:
                bare.append(piece)
            else:
                models.append(self._model(piece, *head.parts))
        if models:
            self._stray(bare)
        elif bare or not any(isinstance(mistake, wrong.MisspeltWord) for mistake in self.mistakes):
            docstring, rest = self._docstring(bare, [])
            name = nodes.Name(_whole(self.source), self.source.name)
            models.append(nodes.ModelDeclaration(_whole(self.source), name, None, docstring, self.statements(rest), bare=True))
        return nodes.Module(_whole(self.source), tuple(models))

    def _model_head(self, piece: Piece) -> Head | None:
        """The parts of `model NAME(BASE):`, also where the word is misspelt; None for any other statement."""
        first = piece.tokens[0]
        if piece.colon is None or first.type != "NAME":
            return None
        meant = piece_mistake(self.source, piece) if first.value != "model" else None
        if first.value == "model":
            head = self._read(piece.tokens, "statement")
            if head is None:  # the name cannot be read: the statements below still can
                return Head("model", (nodes.Name(first.span(self.source), self.source.name), None))
            return head if isinstance(head, Head) and head.form == "model" else None
        if isinstance(meant, wrong.MisspeltWord) and meant.meant == "model":
            self.mistakes.append(meant)
            tokens = [first._replace(value="model"), *piece.tokens[1:]]
            head = self._read(tokens, "statement")
            return head if isinstance(head, Head) else None
        return None

    def _model(self, piece: Piece, name: nodes.Name, base: nodes.Name | None) -> nodes.ModelDeclaration:
        docstring, body = self._docstring(piece.body, piece.remarks)
        statements = self.statements(body)
        span = Span(self.source, piece.tokens[0].start, _end(piece))
        return nodes.ModelDeclaration(span, name, base, docstring, statements)

    def _docstring(self, pieces: list[Piece], remarks: list[str]) -> tuple[str, list[Piece]]:
        if pieces and pieces[0].tokens[0].type == "DOCSTRING" and len(pieces[0].tokens) == 1:
            return dedented(pieces[0].tokens[0].value[3:-3]), pieces[1:]
        return "\n".join(remarks), pieces

    def _stray(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if len(piece.tokens) == 1 and piece.tokens[0].type == "DOCSTRING":
                continue  # a description of the whole file
            before = len(self.mistakes)
            self.statements([piece])
            if len(self.mistakes) == before:
                self.mistakes.append(wrong.MixedText(Span(self.source, piece.tokens[0].start, piece.tokens[-1].stop)))

    # ---- statements and blocks

    def statements(self, pieces: list[Piece]) -> tuple[nodes.Statement, ...]:
        found: list[nodes.Statement] = []
        for piece in pieces:
            if self._given_up(piece):
                break
            if (mistake := piece_mistake(self.source, piece)) is not None:
                self._fail(mistake, piece)
                found += self._inside(piece, mistake)
            elif (statement := self._statement(piece)) is not None:
                found.append(statement)
        return tuple(found)

    def _inside(self, piece: Piece, mistake: Mistake) -> tuple[nodes.Statement, ...]:
        """What stands under a header that is itself a mistake: read all the same, for its own mistakes."""
        if isinstance(mistake, wrong.SectionHeader | wrong.ModelInside):
            return self.statements(piece.body)
        if not isinstance(mistake, wrong.SynapseText):
            self.block(piece.body)
        return ()

    def _statement(self, piece: Piece) -> nodes.Statement | None:
        form = self._read(piece.tokens, "statement", piece)
        block = self.block(piece.body) if piece.body else ()
        if form is None:
            return None
        span = Span(self.source, piece.tokens[0].start, _end(piece))
        made = classify(form, span, piece.comment, block, piece.colon is not None)
        if isinstance(made, Mistake):
            self._fail(made, piece)
            return None
        return made

    def block(self, pieces: list[Piece]) -> tuple[nodes.Assignment, ...]:
        found: list[nodes.Assignment] = []
        for piece in pieces:
            if self._given_up(piece):
                break
            if (mistake := piece_mistake(self.source, piece, in_block=True)) is not None:
                self._fail(mistake, piece)
                self.block(piece.body)
                continue
            form = self._read(piece.tokens, "statement", piece, in_block=True)
            if form is None:
                continue
            span = Span(self.source, piece.tokens[0].start, piece.tokens[-1].stop)
            made = classify_assignment(form, span, piece.comment)
            if isinstance(made, Mistake):
                self._fail(made, piece)
            else:
                found.append(made)
        return tuple(found)

    def _given_up(self, piece: Piece) -> bool:
        """Whether so much is wrong already that the rest is not read; its names count as defined."""
        if len(self.mistakes) < MAX_MISTAKES:
            return False
        if not isinstance(self.mistakes[-1], wrong.TooManyMistakes):
            self.mistakes.append(
                wrong.TooManyMistakes(Span(self.source, piece.tokens[0].start, piece.tokens[-1].stop), MAX_MISTAKES)
            )
            self.unread |= self.names()
        return True

    def _fail(self, mistake: Mistake, piece: Piece) -> None:
        self.mistakes.append(mistake)
        self.unread |= _defined(piece.tokens)

    # ---- one statement, expression or unit

    def _read(self, tokens: list[Token], start: Start, piece: Piece | None = None, in_block: bool = False) -> Any:
        """The form of a statement, or None with its mistakes put down."""
        found = habits(self.source, tokens, in_block) or brackets(self.source, tokens, MAX_DEPTH)
        if found is None:
            terminals, mistakes = (fold if start == "statement" else fold_expression)(self.source, tokens, self.names)
            form = self._parse(terminals, start, piece, in_block, quiet=bool(mistakes))
            self.mistakes += mistakes
            if _too_deep(form):
                form = _balanced(form)
                if (deep := _too_deep(form)) is not None:
                    found, form = wrong.NestedTooDeeply(deep.span, MAX_DEPTH), None
            if (unit := misplaced_unit(*_annotated(form))) is not None:
                found, form = wrong.UnitOfArgument(unit.span, unit.span.text), None
            if form is None or mistakes:
                self.unread |= _defined(tokens)
            if found is None:
                return form
        self.mistakes.append(found)
        self.unread |= _defined(tokens)
        return None

    def _parse(self, terminals: list[Terminal], start: Start, piece: Piece | None, in_block: bool, quiet: bool) -> Any:
        try:
            form = read(terminals, start)
        except BadUnit as bad:
            self.mistakes.append(wrong.BadUnitSyntax(bad.span, bad.span.text))
            return None
        if isinstance(form, Stop):
            if not quiet:
                above = piece.above if piece is not None else None
                self.mistakes.append(diagnose(self.source, terminals, form.place, form.expected, start, above, in_block))
            return None
        return form

    def expression(self, tokens: list[Token]) -> nodes.Expression | None:
        if not tokens:
            self.mistakes.append(wrong.MissingExpression(_whole(self.source), ""))
            return None
        form: nodes.Expression | None = self._read(tokens, "expression")
        return form

    def unit(self, tokens: list[Token]) -> nodes.Unit | None:
        if not tokens:
            self.mistakes.append(wrong.MissingExpression(_whole(self.source), ""))
            return None
        found = habits(self.source, tokens, False) or brackets(self.source, tokens, MAX_DEPTH)
        if found is not None:
            self.mistakes.append(found)
            return None
        terminals, mistakes = fold_unit(self.source, tokens)
        self.mistakes += mistakes
        form: nodes.Unit | None = self._parse(terminals, "unit", None, False, quiet=bool(mistakes))
        return form


def dedented(docstring: str) -> str:
    """A docstring without the indentation that its lines share (the line of the closing quotes counts) and without blank ends."""
    first, *rest = docstring.expandtabs(8).split("\n")
    margins = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    if rest and not rest[-1].strip():
        margins.append(len(rest[-1]))
    margin = min(margins, default=0)
    return "\n".join([first.strip(), *(line[margin:].rstrip() for line in rest)]).strip("\n")


def _end(piece: Piece) -> int:
    last = piece
    while last.body:
        last = last.body[-1]
    return last.colon.stop if last.colon is not None else last.tokens[-1].stop


def _expressions(form: Any) -> list[nodes.Expression]:
    match form:
        case Equation():
            return [form.left, form.right]
        case Declared():
            return [form.left]
        case Head():
            settings = [
                value
                for part in form.parts
                if isinstance(part, tuple)
                for pair in part
                if isinstance(pair, tuple)
                for value in pair
            ]
            return [part for part in (*form.parts, *settings) if isinstance(part, nodes.Expression)]
    return [form] if isinstance(form, nodes.Expression) else []


def _annotated(form: Any) -> list[nodes.Expression]:
    """The expressions of a form in which no argument has a unit: all but the declaration `f(v : mV) : nS`."""
    declares = isinstance(form, Declared) and isinstance(form.left, nodes.Call)
    return list(form.left.arguments) if declares else _expressions(form)


def _too_deep(form: Any) -> nodes.Expression | None:
    return next((expression for expression in _expressions(form) if depth_of(expression) > MAX_DEPTH), None)


def _balanced(form: Any) -> Any:
    """The form with its long sums and products as shallow trees."""
    match form:
        case Equation():
            return replace(form, left=balanced(form.left), right=balanced(form.right))
        case Declared():
            return replace(form, left=balanced(form.left))
        case Head():
            return Head(form.form, tuple(_balanced(part) for part in form.parts))
        case tuple():
            return tuple(_balanced(part) for part in form)
    return balanced(form) if isinstance(form, nodes.Expression) else form


def _defined(tokens: list[Token]) -> set[str]:
    """The name that a statement which cannot be read seems to define."""
    names = [
        token.value
        for token in tokens[: next((k for k, t in enumerate(tokens) if t.type in ("ASSIGN", "COLON")), 4)]
        if token.type == "NAME"
    ]
    derivatives = {name[1:] for name in names if name.startswith("d") and name != "dt" and "dt" in names}
    return derivatives | set(names[:2])


def keywords_defined(module: nodes.Module) -> list[Mistake]:
    """`refractory = 2 ms` where nothing uses a name `refractory`."""
    from .classify import names_used

    suspects = [
        statement
        for model in module.models
        for statement in model.statements
        if isinstance(statement, nodes.Definition) and statement.name.id in ("refractory", "spike", "threshold", "reset")
    ]
    if not suspects:
        return []
    used = {name for model in module.models for statement in model.statements for name in names_used(statement)}
    return [wrong.keyword_defined(statement) for statement in suspects if statement.name.id not in used]
