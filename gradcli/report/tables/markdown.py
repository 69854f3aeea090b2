"""The table for GitHub, GitLab and notebooks: Markdown with the pipe extension.

Whatever comes from outside stands in a code span, where Markdown and HTML mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gradcli.report.numbers import (
    inline,
    is_small,
    number,
    shape_text,
    shown,
    summary,
)
from gradcli.report.tables import rows

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.report.tables.rows import Entry
    from gradcli.results.result import Result

FLUSH_RIGHT = ("value", "delta", "slope", "error", "digits")


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """The table, and the gradient below it."""
    keys = rows.columns(result, command)
    yield line(shown(rows.heading(key, command), style) for key in keys)
    yield line("---:" if key in FLUSH_RIGHT else "---" for key in keys)
    for entry in rows.entries(result, command):
        yield line(_cell(entry, key, style) for key in keys)
    end = escaped(shown(rows.checked(result), style))
    items = [code(item) for item in rows.gradient_items(result, style)]
    if command == "check" or not items:
        yield f"\n{end}\n"
    else:
        yield f"\n**Gradient** {', '.join(items)}; {end}\n"


def _cell(entry: Entry, key: str, style: Style) -> str:
    if key == "name":
        return code(shown(entry.name, style))
    if key == "operation":
        return code(shown(entry.operation, style)) if entry.kind != "input" else entry.operation
    if key == "shape":
        return shape_text(entry.shape, style)
    if key == "words":
        return escaped(shown(entry.words, style))
    precision = rows.precision_of(entry, key, style.precision)
    return _number(getattr(entry, key), key, precision, style)


def _number(value: Any, key: str, precision: int, style: Style) -> str:
    if value is None:
        return ""
    if key == "digits":
        return f"{value:.1f}"
    if key == "error":
        return number(value, 2)
    if not is_small(value):
        return str(summary(value, precision))
    return inline(value, precision, style)


def line(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |\n"


def code(text: str) -> str:
    """A code span, which may stand in a cell."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def escaped(text: str) -> str:
    """Words in which nothing is markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#~" else c for c in text)
