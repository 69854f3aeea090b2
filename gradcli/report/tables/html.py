"""The table as HTML: for notebooks, and as a file of its own.

Whatever comes from outside is escaped. Numbers stand flush right, verdicts other than agreement are
bold as well as coloured.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from gradcli.report.document import html_head
from gradcli.report.numbers import inline, is_small, shape_text, shown, summary
from gradcli.report.tables import rows
from gradcli.report.tables.model import Cell, Name, Number, Operation, Shape, Table, Words

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
    heads = zip(classes, table.columns, strict=True)
    cells = (f"<th{kind}>{escape(shown(column.title, style))}</th>" for kind, column in heads)
    yield f"<table>\n<thead><tr>{''.join(cells)}</tr></thead>\n<tbody>\n"
    for row in table.rows:
        cells = (
            f"<td{kind}>{_cell(cell, style)}</td>" for kind, cell in zip(classes, row, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody>\n</table>\n"


def _cell(cell: Cell, style: Style) -> str:
    match cell:
        case Number(value, precision, places, sized):
            if value is None:
                return ""
            if places is not None:
                return f"{value:.{places}f}"
            large = sized and not is_small(value)
            return escape(
                str(summary(value, precision)) if large else inline(value, precision, style)
            )
        case Shape(axes):
            return shape_text(axes, style)
        case Words(text):
            return escape(shown(text, style))
        case Name(text) | Operation(text):
            return f"<code>{escape(shown(text, style))}</code>"
    return escape(cell)
