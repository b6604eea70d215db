"""A text cut into statements: physical lines joined where one goes on, split at `;`, nested by headers and indentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import syntax_mistakes as wrong
from .mistakes import Mistake
from .source import Source, Span
from .spelling import nearest
from .tokens import Token, tokenise
from .words import FLAGS, KEYWORDS, OPENERS, SECOND_WORDS, SECTIONS

MAX_BLOCKS = 4  # a statement inside a block inside a model is three


@dataclass
class Piece:
    """One statement: its tokens, the comment on its last line, and, for a header with a colon, the statements of its block."""

    tokens: list[Token]
    comment: str = ""
    colon: Token | None = None
    body: list[Piece] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # the comment lines directly below a header
    above: Token | None = None  # the last token of the statement before


@dataclass
class _Row:
    """One line of the text, or several that were joined."""

    indent: int
    tokens: list[Token]
    comment: str
    number: int
    remarks: list[str] = field(default_factory=list)


def lay_out(source: Source) -> tuple[list[Piece], list[Mistake]]:
    """The statements of a text, nested, and the mistakes of its layout."""
    rows = _join(_rows(source))
    layout = _Layout(source, rows)
    pieces = layout.block(None, strict=False, depth=0)
    return pieces, layout.mistakes


# ---- physical lines ----------------------------------------------------------------------------


def _rows(source: Source) -> list[_Row]:
    rows: list[_Row] = []
    current: list[Token] = []
    number, line_start = 1, 0
    comment: str | None = None

    def close() -> None:
        if current:
            indent = len(source.text[line_start : current[0].start].replace("\ufeff", "").expandtabs(8))
            rows.append(_Row(indent, list(current), comment or "", number))
        elif comment is not None and rows and rows[-1].number + len(rows[-1].remarks) + 1 == number:
            rows[-1].remarks.append(comment)
        current.clear()

    for token in tokenise(source):
        if token.type == "NEWLINE":
            close()
            comment, number, line_start = None, number + 1, token.stop
        elif token.type == "COMMENT":
            comment = token.value[1:].strip()
        else:
            current.append(token)
            if token.type in ("DOCSTRING", "OPEN_DOCSTRING"):
                number += token.value.count("\n")
    close()
    _indent_opening_line(source, rows)
    return rows


def _indent_opening_line(source: Source, rows: list[_Row]) -> None:
    """Text on the line of the opening quote counts as indented like the least indented other line.

    A header there keeps column 0 where that would leave it without a block: `model adex:` is the first line of most files.
    """
    if len(rows) < 2 or rows[0].number != 1 or rows[0].indent:
        return
    least = min(row.indent for row in rows[1:])
    header, model = rows[0].tokens[-1].type == "COLON", rows[0].tokens[0].value == "model"
    if not header or (rows[1].indent > least and not model):
        rows[0].indent = least


# ---- joining -----------------------------------------------------------------------------------

_GOES_ON_AFTER = frozenset({"ADD", "MUL", "POWER", "COMPARE", "COMMA", "ASSIGN", "AND", "OR", "NOT", "IF", "ELSE", "LPAR"})
_GOES_ON_WITH = frozenset({"ADD", "MUL", "POWER", "COMPARE", "COMMA", "ASSIGN", "AND", "OR", "RPAR", "COLON"})


@dataclass
class _Openness:
    """What is open at the end of the lines read so far, since the last `;`."""

    depth: int = 0
    assigned: bool = False
    colon_inside: bool = False
    surrogate: bool = False

    def close(self) -> None:
        self.depth, self.assigned, self.colon_inside, self.surrogate = 0, False, False, False

    def read(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            kind = token.type
            if kind == "SEMICOLON":
                self.close()
            elif kind == "LPAR":
                self.depth += 1
            elif kind == "RPAR":
                self.depth = max(self.depth - 1, 0)
            elif kind == "ASSIGN" and not self.depth:
                self.assigned = True
            elif kind == "COLON" and self.depth:
                self.colon_inside = True
            elif kind == "NAME" and token.value == "surrogate":
                self.surrogate = True


def _join(rows: list[_Row]) -> list[_Row]:
    joined: list[_Row] = []
    open_ = _Openness()
    for row in rows:
        if joined and _continues(joined[-1].tokens[-1], open_, row.tokens):
            before = joined[-1]
            before.tokens += row.tokens
            before.comment, before.remarks, before.number = row.comment, row.remarks, row.number
        else:
            open_ = _Openness()
            joined.append(row)
        open_.read(row.tokens)
    return joined


def _continues(last: Token, open_: _Openness, row: list[Token]) -> bool:
    """Whether a line goes on the statement of the lines before it."""
    first = row[0]
    if first.type in ("DOCSTRING", "OPEN_DOCSTRING") or last.type in ("DOCSTRING", "SEMICOLON") or _leads(row):
        return False
    if _assigns(row) and not open_.surrogate and (open_.assigned or open_.depth):
        return first.type == "ASSIGN" and not open_.assigned
    if open_.depth:
        declares = first.type == "NAME" and len(row) > 1 and row[1].type == "COLON"
        inside = not open_.colon_inside or last.type == "COMMA"  # `f(v : mV,` goes on, `x = (3 : mV` does not
        return inside and (not declares or last.type in _GOES_ON_AFTER)
    if last.type == "COLON":  # of a header: what follows is its block
        return False
    if last.type in _GOES_ON_AFTER or (last.type == "OTHER" and last.value in ("\\", "?")):
        return True
    if first.type in ("IF", "ELSE"):
        return not _is_if_statement(row)
    if first.type == "OTHER":
        return first.value in ("?", "&&", "||")
    holding = first.value == "holding" and len(row) > 1 and row[1].type == "NAME"
    return first.type in _GOES_ON_WITH or holding or _is_flags(row)


def _leads(row: list[Token]) -> bool:
    """Whether a line can only be the start of a keyword statement: two words side by side, the first a keyword."""
    if row[0].type != "NAME" or len(row) < 2 or row[0].value not in KEYWORDS:
        return False
    return row[1].type in ("NAME", "NUMBER")


def _assigns(row: list[Token]) -> bool:
    """Whether a line has an `=` that is not inside a bracket which the line itself, or one before it, opened."""
    depth = 0
    for token in row:
        if token.type == "LPAR":
            depth += 1
        elif token.type == "RPAR":
            depth -= 1
            if depth < 0:
                return False
        elif depth == 0 and token.type in ("ASSIGN", "SEMICOLON"):
            return token.type == "ASSIGN"
    return False


def _is_if_statement(row: list[Token]) -> bool:
    """`if c: ...` and `else: ...` as other languages write them, not the middle of `a if c else b`."""
    kinds = [token.type for token in row]
    if kinds[0] == "ELSE":
        return len(kinds) > 1 and kinds[1] == "COLON"
    return "COLON" in kinds and "ELSE" not in kinds[: kinds.index("COLON")]


def _is_flags(row: list[Token]) -> bool:
    """A line that is one bracket of flags."""
    if row[0].type != "LPAR" or row[-1].type != "RPAR":
        return False
    return all(words in FLAGS for words in flag_texts(row[1:-1]))


def flag_texts(tokens: Sequence[Token]) -> list[str]:
    """The comma separated texts between two brackets, words joined by one space, `event-driven` without."""
    texts = [""]
    for token in tokens:
        if token.type == "COMMA":
            texts.append("")
        else:
            glued = not texts[-1] or texts[-1].endswith("-") or token.value == "-"
            texts[-1] += str(token.value) if glued else f" {token.value}"
    return texts


# ---- statements and blocks ---------------------------------------------------------------------


def header_colon(tokens: list[Token]) -> int | None:
    """Where the colon stands that opens a block, None where the statement opens none."""
    colon = _first_colon(tokens)
    if not colon:
        return None
    head = tokens[:colon]
    if head[0].type in ("IF", "ELSE"):
        return colon
    if head[0].type != "NAME":
        return None
    if len(head) == 1:
        return colon if colon == len(tokens) - 1 and head[0].value in SECTIONS else None
    return colon if _opens_block(head, ends=colon == len(tokens) - 1) else None


def _opens_block(head: list[Token], ends: bool) -> bool:
    word, second = head[0].value, head[1]
    if second.type != "NAME":
        return False
    if word in OPENERS or word in ("elif", "while", "for"):
        return True
    if "ASSIGN" in (token.type for token in head):
        return False
    whens = [token.value for token in head[1:3] if token.type == "NAME"]
    return "when" in whens or nearest(word, OPENERS) is not None or ends


def _first_colon(tokens: list[Token]) -> int | None:
    """The first colon outside brackets; failing that, inside (the bracket is then unclosed)."""
    depth, inside = 0, None
    for k, token in enumerate(tokens):
        if token.type == "LPAR":
            depth += 1
        elif token.type == "RPAR":
            depth = max(depth - 1, 0)
        elif token.type == "COLON":
            if not depth:
                return k
            inside = k if inside is None else inside
    return inside


def _pieces(tokens: list[Token], comment: str, depth: int) -> list[Piece]:
    """The statements of one joined line; a header with a colon takes the rest of the line as its block."""
    pieces: list[Piece] = []
    start = 0
    while start < len(tokens):
        stop = next((k for k in range(start, len(tokens)) if tokens[k].type == "SEMICOLON"), len(tokens))
        statement = tokens[start:stop]
        colon = header_colon(statement) if statement and depth < MAX_BLOCKS else None
        if colon is not None:
            body = _pieces(tokens[start + colon + 1 :], comment, depth + 1)
            pieces.append(Piece(statement[:colon], "" if body else comment, statement[colon], body))
            return pieces
        if statement:
            pieces.append(Piece(statement))
        start = stop + 1
    if pieces:
        pieces[-1].comment = comment
    return pieces


class _Layout:
    """The nesting of joined lines by their indentation."""

    def __init__(self, source: Source, rows: list[_Row]) -> None:
        self.source = source
        self.rows = rows
        self.place = 0
        self.mistakes: list[Mistake] = []

    def block(self, parent: int | None, strict: bool, depth: int) -> list[Piece]:
        """The statements of the lines that are indented more than `parent`, from the present one on."""
        pieces: list[Piece] = []
        column: int | None = None
        while self.place < len(self.rows):
            row = self.rows[self.place]
            if parent is not None and row.indent <= parent:
                break
            self.place += 1
            column = row.indent if column is None else column
            if strict and row.indent != column:
                self._bad_indentation(row, column, pieces)
            pieces += self._statements(row, pieces, depth)
        return pieces

    def _statements(self, row: _Row, before: list[Piece], depth: int) -> list[Piece]:
        pieces = _pieces(row.tokens, row.comment, depth)
        for earlier, piece in zip([*before[-1:], *pieces], pieces, strict=False):
            if earlier is not piece:
                piece.above = earlier.tokens[-1]
        last = pieces[-1] if pieces else None
        while last is not None and last.body:
            last = last.body[-1]
        if last is not None and last.colon is not None:
            last.remarks = [remark for remark in (last.comment, *row.remarks) if remark]
            section = len(last.tokens) == 1
            if depth < MAX_BLOCKS:
                last.body = self.block(row.indent, strict=not section, depth=depth + 1)
            if not last.body and not section and last.tokens[0].value != "model":
                self.mistakes.append(wrong.EmptyBlock(last.colon.span(self.source)))
        return pieces

    def _bad_indentation(self, row: _Row, column: int, before: list[Piece]) -> None:
        first = row.tokens[0]
        last = before[-1] if before else None
        opens = last is not None and last.colon is None and last.tokens[0].value in SECOND_WORDS and row.indent > column
        if opens and last is not None and last.tokens[0].value in ("spike", "on", "each"):
            end = last.tokens[-1]
            self.mistakes.append(wrong.MissingBlockColon(Span(self.source, end.start, end.stop)))
            return
        start = first.start - min(row.indent, first.start)
        span = Span(self.source, max(start, self.source.text.rfind("\n", 0, first.start) + 1), first.stop)
        self.mistakes.append(wrong.BadIndentation(span, row.indent + 1, column + 1))
