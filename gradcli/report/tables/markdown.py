"""The table for GitHub, GitLab and notebooks: Markdown with the pipe extension.

Whatever comes from outside stands in a code span, where Markdown and HTML mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gradcli.report.numbers import shown
from gradcli.report.tables import rows
from gradcli.report.tables.model import Cell, Number, Shape, Table, Words, cell_text

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """The table, and the gradient below it."""
    yield from written(rows.table(result, style, command), style)
    end = escaped(shown(rows.checked(result), style))
    items = [code(item) for item in rows.gradient_items(result, style)]
    if command == "check" or not items:
        yield f"\n{end}\n"
    else:
        yield f"\n**Gradient** {', '.join(items)}; {end}\n"


def written(table: Table, style: Style) -> Iterator[str]:
    """Any table, line by line."""
    heads = ((column, shown(column.title, style)) for column in table.columns)
    yield _line(code(head) if column.typed else head for column, head in heads)
    yield _line("---:" if column.numbers else "---" for column in table.columns)
    for row in table.rows:
        yield _line(_cell(cell, style) for cell in row)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(cell: Cell, style: Style) -> str:
    text = cell_text(cell, style)
    if isinstance(cell, str | Number | Shape):
        return text
    return escaped(text) if isinstance(cell, Words) else code(text)


def code(text: str) -> str:
    """A code span, which may stand in a cell."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#~"})


def escaped(text: str) -> str:
    """Words in which nothing is markup."""
    return text.translate(_ESCAPES)
