"""The table for people: a row per node, and the gradient in the last line.

On a terminal (`Style.width` is given) it has the layout that fits, and Rich draws it where there
are colours; at most `MOST_ROWS` rows are drawn, the first, the last, and those that don't agree
in between, since Rich would take minutes for a hundred thousand rows. In a pipe it is plain text
with every row in it, made row by row; Rich is not even imported.

Colour says nothing that words do not say. The colours are those that can be read on light and
on dark: bold, dim, and the terminal's own green and red.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

from gradcli.graph.draft import Literal
from gradcli.report.numbers import folded, inline, painted, shown
from gradcli.report.tables import grid, rows
from gradcli.report.tables.layout import Column, Columns, Plan, parted
from gradcli.report.tables.rows import AGREEING, Entry

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result

MOST_ROWS = 200
MOST_NAMES = 10
MEASURED = 10_000
"""In a pipe, this many rows decide how wide the columns are; wider cells below stick out."""

VERDICT_STYLES = {"pass": "green", "zero": "green", "fail": "bold red"}


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """The table, what it could not show, and the last line."""
    keys = rows.columns(result, command)
    entries = rows.entries(result, command)
    drawn = _plain if style.width is None else _fitted
    above = ""
    for text in drawn(entries, keys, style, command):
        yield text
        above = "\n"
    yield above + _closing(result, style, command) + "\n"


# --- in a pipe ---------------------------------------------------------------------------


def _plain(
    entries: Iterator[Entry], keys: tuple[str, ...], style: Style, command: str
) -> Iterator[str]:
    first = list(islice(entries, MEASURED))
    if not first:
        return
    columns, plan = Columns(first, style, command), Plan(keys)
    details: dict[str, list[str]] = {}

    def cells() -> Iterator[list[list[str]]]:
        for entry in chain(first, entries):
            _keep_detail(entry, plan, details)
            yield [columns.cell(entry, key, plan) for key in keys]

    yield from _unpainted(columns.of(plan), cells(), {}, style)
    yield from below(_details(details), style)


# --- on a terminal -----------------------------------------------------------------------


def _fitted(
    entries: Iterable[Entry], keys: tuple[str, ...], style: Style, command: str
) -> Iterator[str]:
    found, gaps = _chosen(list(entries))
    if not found:
        return
    columns = Columns(found, style, command)
    plan = columns.best(keys)
    if plan is None:
        yield from _stacked(columns, gaps, keys)
    else:
        table = columns.of(plan)
        if style.color:
            yield _painted(table, found, gaps, plan, style)
        else:
            cells = ([column.cells[i] for column in table] for i in range(len(found)))
            yield from _unpainted(table, cells, gaps, style)
    yield from _notes(columns, plan, gaps, keys)


def _chosen(entries: list[Entry]) -> tuple[list[Entry], dict[int, int]]:
    """The rows to draw, and how many are left out before each of them."""
    if len(entries) <= MOST_ROWS:
        return entries, {}
    ends = MOST_ROWS // 4
    kept = [*range(ends), *range(len(entries) - ends, len(entries))]
    between = range(ends, len(entries) - ends)
    notable = (i for i in between if entries[i].verdict not in (None, *AGREEING))
    kept = sorted([*kept, *islice(notable, MOST_ROWS - 2 * ends)])
    gaps = {k: here - last - 1 for k, (last, here) in enumerate(pairwise(kept), 1)}
    return [entries[i] for i in kept], {k: n for k, n in gaps.items() if n}


def _unpainted(
    table: list[Column], rows: Iterable[list[list[str]]], gaps: dict[int, int], style: Style
) -> Iterator[str]:
    """The table without colours, for which Rich need not be imported; rows that are tall apart."""
    widths = [column.width for column in table]
    yield grid.line((column.heading for column in table), widths) + "\n"
    yield grid.rule(grid.width_of(widths), style)
    tall = False
    for i, cells in enumerate(rows):
        height = max(map(len, cells))
        if i and (tall or height > 1):
            yield "\n"
        if i in gaps:
            yield (":" if style.ascii else "⋮") + "\n" + "\n" * (height > 1)
        tall = height > 1
        yield from grid.lines(cells, widths)


def _painted(
    table: list[Column], entries: list[Entry], gaps: dict[int, int], plan: Plan, style: Style
) -> str:
    from rich.box import Box  # noqa: PLC0415 - only for a table on a terminal
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    line = "--" if style.ascii else "──"
    box = Box("    \n    \n" + f" {line} \n" + "    \n" * 5, ascii=style.ascii)
    # The gap is part of the columns and of the box, since what padding an edge gets depends on
    # Rich's version.
    drawn = Table(box=box, show_edge=False, border_style="dim", padding=0)
    for i, column in enumerate(table, 1):
        width = column.width + (grid.GAP - 1 if i < len(table) else 0)
        title = Text(column.heading, style="bold")
        drawn.add_column(title, no_wrap=True, overflow="fold", width=width)
    heights = [max(len(column.cells[i]) for column in table) for i in range(len(entries))]
    for i, entry in enumerate(entries):
        if i in gaps:
            drawn.add_row(":" if style.ascii else "⋮", end_section=heights[i] > 1)
        texts = [
            Text("\n".join(column.cells[i]), style=_cell_style(key, entry))
            for key, column in zip(plan.keys, table, strict=True)
        ]
        spaced = heights[i] > 1 or (i + 1 < len(entries) and heights[i + 1] > 1)
        drawn.add_row(*texts, end_section=spaced)
    stream = io.StringIO()
    off = dict.fromkeys(("force_jupyter", "legacy_windows", "markup", "emoji", "highlight"), False)
    looks: dict[str, Any] = {"color_system": "standard", "force_terminal": True, **off}
    console = Console(file=stream, width=style.width, _environ={}, **looks)
    console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _cell_style(key: str, entry: Entry) -> str:
    if entry.kind == "constant":
        return "dim"
    if key == "name":
        return "bold"
    if key == "words" and entry.verdict is not None:
        return VERDICT_STYLES.get(entry.verdict, "bold")
    return ""


def _stacked(columns: Columns, gaps: dict[int, int], keys: tuple[str, ...]) -> Iterator[str]:
    """Each row from top to bottom, for a terminal narrower than any table."""
    width = columns.style.width or 0
    plan = Plan(keys, 1, "full", max(8, width - 4))
    names = [key for key in keys if key not in {"name", "operation", "words"}]
    titles = {key: columns.column(key, Plan((), line=1)).heading for key in names}
    longest = max(map(len, titles.values()))
    for i, entry in enumerate(columns.entries):
        if i in gaps:
            yield "...\n"
        equals = f" = {entry.operation}" if "operation" in keys else ""
        if entry.kind == "input":
            equals = " (input)"
        for line in folded(shown(entry.name + equals, columns.style), max(1, width)):
            yield f"{line}\n"
        for key in names:
            cell = columns.cell(entry, key, plan)
            cell = cell if len(cell) > 1 else [cell[0].strip()]
            for k, line in enumerate(cell if any(cell) else ()):
                yield f"  {'' if k else titles[key]:<{longest}} {line}".rstrip() + "\n"
        if entry.words:
            for line in folded(shown(entry.words, columns.style), max(8, width - 2)):
                yield f"  {line}\n"


def _notes(
    columns: Columns, plan: Plan | None, gaps: dict[int, int], keys: tuple[str, ...]
) -> Iterator[str]:
    """What the table could not show."""
    style = columns.style
    notes: list[str] = []
    if plan is not None:
        details: dict[str, list[str]] = {}
        for entry in columns.entries:
            _keep_detail(entry, plan, details)
        notes += _details(details)
    if gaps:
        count = sum(gaps.values())
        notes.append(f"{count:,} rows are left out; --format csv and --json have all of them")
    if plan is not None and plan.keys != keys:
        missing = [rows.heading(key, columns.command) for key in keys if key not in plan.keys]
        need = columns.widest_need(keys)
        notes.append(f"no room for: {', '.join(missing)} (needs {need} columns)")
    if plan is not None and plan.digits is not None:
        need = columns.widest_need(keys, digits=True)
        asked = style.precision
        notes.append(f"arrays have {plan.digits} digits here ({asked} from {need} columns on)")
    yield from below(notes, style)


def _keep_detail(entry: Entry, plan: Plan, found: dict[str, list[str]]) -> None:
    """Take note of what the verdict's cell of a row leaves out."""
    detail = parted(entry.words, plan.words)[1]
    if detail:
        found.setdefault(detail, []).append(entry.name)


def _details(found: dict[str, list[str]]) -> Iterator[str]:
    """A line for each thing that is said, with the nodes of which it is said."""
    for detail, names in found.items():
        listed = ", ".join(names[:MOST_NAMES])
        more = len(names) - MOST_NAMES
        yield f"{listed}{f' and {more} more' if more > 0 else ''}: {detail}"


def below(notes: Iterable[str], style: Style) -> Iterator[str]:
    """Notes below a table."""
    for i, note in enumerate(notes):
        text = shown(note, style)
        lines = [text] if style.width is None else folded(text, max(8, style.width - 2))
        yield ("" if i else "\n") + "\n  ".join(lines) + "\n"


# --- the end -----------------------------------------------------------------------------


def _closing(result: Result, style: Style, command: str) -> str:
    """The gradient and what the check says of it, in one line as far as it fits."""
    end = shown(rows.checked(result), style)
    if command == "check":
        lines = ["   ".join(filter(None, [end, shown(rows.worst(result), style)]))]
    elif result.gradient:
        lines = rows.last_line(rows.gradient_items(result, style), end, style.width)
    else:
        value = inline(result.value, style.precision, style)
        name = shown(result.output.name, style)
        way = _as_inputs(result, style)
        lines = [f"Value     {name} = {value}   no inputs, so no gradient{way}"]
    if style.width is not None and len(lines) == 1:
        lines = folded(lines[0], max(8, style.width))
    return "\n".join(_colored(lines, result, style) if style.color else lines)


def _as_inputs(result: Result, style: Style) -> str:
    """How names that the program gives a plain number become inputs; of Python they are inputs."""
    text = result.graph.source.text.replace(" ", "")
    fixed = [
        (node.name, str(node.operands[0].text))
        for node in result.graph.nodes
        if node.operation is None and isinstance(node.operands[0], Literal)
        if f"{node.name}={node.operands[0].text}".replace(" ", "") in text
    ]
    if not fixed:
        return ""
    statements = ", ".join(f"'{name} = {value}'" for name, value in fixed)
    quoted = (f'"{value}"' if value.startswith("[") else value for _, value in fixed)
    options = " ".join(f"--{name} {value}" for (name, _), value in zip(fixed, quoted, strict=True))
    return shown(f". Leave out {statements} and give {options}", style)


def _colored(lines: list[str], result: Result, style: Style) -> Iterator[str]:
    """The lines with their first word bold, and the check's part as green or red as it is."""
    mood = {"pass": "green", "fail": "bold red"}.get(result.verdict or "", "bold")
    checking = False
    for line in lines:
        head, found, tail = ("", "", line) if checking else line.partition("checked:")
        checking = checking or bool(found)
        label = re.match(r"\w*", head)
        word = label[0] if label else ""
        yield painted(word, "bold", style) + head[len(word) :] + painted(found + tail, mood, style)
