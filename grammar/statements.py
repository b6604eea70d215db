"""The statements of a text, one by one: blocks, models, and the mistakes on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from . import nodes
from . import syntax_mistakes as wrong
from .brackets import brackets
from .build import BadUnit, Head, Terminal
from .classify import classify, classify_assignment, misplaced_unit
from .diagnose import diagnose
from .fold import fold, fold_expression, fold_unit
from .forms import annotated, balanced_form, too_deep
from .habits import habits
from .headers import piece_mistake
from .layout import Piece
from .mistakes import Mistake
from .parser import Start, Stop, read
from .source import Source, Span, whole
from .tokens import Token, tokenise

MAX_MISTAKES = 100  # what is wrong in so many places is no text of this language
MAX_DEPTH = 150  # what the stages after this one can walk by recursion


class StatementReader:
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
            name = nodes.Name(whole(self.source), self.source.name)
            models.append(nodes.ModelDeclaration(whole(self.source), name, None, docstring, self.statements(rest), bare=True))
        return nodes.Module(whole(self.source), tuple(models))

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
            if too_deep(form, MAX_DEPTH):
                form = balanced_form(form)
                if (deep := too_deep(form, MAX_DEPTH)) is not None:
                    found, form = wrong.NestedTooDeeply(deep.span, MAX_DEPTH), None
            if (unit := misplaced_unit(*annotated(form))) is not None:
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
            self.mistakes.append(wrong.MissingExpression(whole(self.source), ""))
            return None
        form: nodes.Expression | None = self._read(tokens, "expression")
        return form

    def unit(self, tokens: list[Token]) -> nodes.Unit | None:
        if not tokens:
            self.mistakes.append(wrong.MissingExpression(whole(self.source), ""))
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
    return "\n".join([first.strip(), *(line[margin:].rstrip() for line in rest)]).strip()


def _end(piece: Piece) -> int:
    last = piece
    while last.body:
        last = last.body[-1]
    return last.colon.stop if last.colon is not None else last.tokens[-1].stop


def _defined(tokens: list[Token]) -> set[str]:
    """The name that a statement which cannot be read seems to define."""
    names = [
        token.value
        for token in tokens[: next((k for k, t in enumerate(tokens) if t.type in ("ASSIGN", "COLON")), 4)]
        if token.type == "NAME"
    ]
    derivatives = {name[1:] for name in names if name.startswith("d") and name != "dt" and "dt" in names}
    before = {a.value for a, b in pairwise(tokens) if a.type == "NAME" and b.type == "ASSIGN"}  # `par tau=10, I=3`
    return derivatives | set(names[:2]) | before
