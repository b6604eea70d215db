"""Small tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

LEFT = "text-align:left; padding:0.15em 1em 0.15em 0"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a line of headings (may be empty), everything aligned left."""
    head = f"<thead>{_row(header, 'th')}</thead>" if header else ""
    return f"<table>{head}<tbody>{''.join(_row(row, 'td') for row in rows)}</tbody></table>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag} style='{LEFT}'>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def folded(title: str, content: str) -> str:
    """What is seen when the title is clicked on."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"
