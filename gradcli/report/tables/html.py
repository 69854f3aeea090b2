"""The table as HTML: for notebooks, and as a file of its own.

Whatever comes from outside is escaped. Numbers stand flush right, verdicts other than agreement are
bold as well as coloured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from gradcli.report.document import html_head
from gradcli.report.numbers import shown
from gradcli.report.tables import rows
from gradcli.report.tables.model import Cell, Name, Operation, Table, cell_text

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8886; text-align: left; }
td { vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; }
pre { font-weight: 600; }
.scroll { overflow-x: auto; }
"""
GREEN, RED = "#1a7f37", "#c62828"


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """A document with the program and the table."""
    program = shown(result.program.strip(), style).replace("\\n", "\n")
    head = escape(program.partition("\n")[0])
    yield html_head(head, STYLE) + f"<pre>{escape(program)}</pre>\n"
    yield from fragment(result, style, command)
    yield "</body>\n</html>\n"


def fragment(result: Result, style: Style, command: str) -> Iterator[str]:
    """The table, and the gradient below it."""
    yield '<div class="scroll">\n'
    yield from written(rows.table(result, style, command), style)
    yield "</div>\n"
    end = escape(shown(rows.checked(result), style))
    color = {"pass": GREEN, "fail": RED}.get(result.verdict or "")
    if color:
        end = f'<span style="color: {color}">{end}</span>'
    items = [f"<code>{escape(item)}</code>" for item in rows.gradient_items(result, style)]
    gradient = "" if command == "check" or not items else f"<b>Gradient</b> {', '.join(items)}; "
    yield f"<p>{gradient}{end}</p>\n"


def written(table: Table, style: Style) -> Iterator[str]:
    """Any table, line by line."""
    classes = [' class="number"' if column.numbers else "" for column in table.columns]

    def line(tag: str, texts: Iterable[str]) -> str:
        cells = zip(classes, texts, strict=True)
        return f"<tr>{''.join(f'<{tag}{kind}>{text}</{tag}>' for kind, text in cells)}</tr>"

    heads = (escape(shown(column.title, style)) for column in table.columns)
    yield f"<table>\n<thead>{line('th', heads)}</thead>\n<tbody>\n"
    for row in table.rows:
        yield line("td", (_cell(cell, style) for cell in row)) + "\n"
    yield "</tbody>\n</table>\n"


def _cell(cell: Cell, style: Style) -> str:
    text = escape(cell_text(cell, style))
    return f"<code>{text}</code>" if isinstance(cell, Name | Operation) else text
