"""What tables of every format have in common: rows, columns, last line.

A `Result` becomes `Entry` after `Entry`, values not yet text. The table and CSV
choose from an entry the columns of the command; Markdown, LaTeX and HTML write the `Table` that
`table` makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.report.numbers import folded, inline, is_small, number, shown, summarised
from gradcli.report.style import Style
from gradcli.report.tables.model import Cell, Column, Name, Number, Operation, Shape, Table, Words

if TYPE_CHECKING:
    from gradcli.graph.graph import Graph, Node
    from gradcli.results.result import Result, Row

EVAL = ("name", "operation", "shape", "value", "delta", "slope", "words")
CHECK = ("name", "shape", "delta", "slope", "error", "digits", "words")

HEADINGS: tuple[dict[str, str], dict[str, str]] = (
    {"name": "node", "delta": "δ", "slope": "finite diff.", "words": "check"},
    {"name": "node", "delta": "gradient", "words": "verdict"},
)
"""Those of eval and of check that are not the column's key."""

NUMBERS = ("value", "delta", "slope", "error", "digits")
"""Those of the columns that hold numbers."""

INDENT = 10
"""Where the gradient's entries begin in the last line."""

AGREEING = ("pass", "zero")
COUNTED = {
    "fail": ("WRONG", "WRONG"),
    "kink": ("corner", "corners"),
    "jump": ("jump", "jumps"),
    "edge": ("edge", "edges"),
}
"""Verdicts whose word in the last line is not their key: for one, and for several."""


class Entry(NamedTuple):
    """A row of a report. What does not apply to it is None or empty."""

    node: Node
    name: str
    kind: str
    step: int | None
    operation: str
    shape: tuple[int, ...]
    value: Any
    delta: Any
    slope: Any
    """The finite difference; for an array checked along random directions there is none."""
    error: float | None
    digits: float | None
    verdict: str | None
    words: str
    """The verdict in words, or why there is none."""


def entries(result: Result, command: str) -> Iterator[Entry]:
    """A row per node, the inputs first; for `check`, only those that were checked."""
    for row in result.rows():
        if row.check is not None or command != "check":
            yield _entry(result, row)


def _entry(result: Result, row: Row) -> Entry:
    node, check = row.node, row.check
    measured: tuple[Any, ...] = (None,) * 4
    if check is not None:
        slope, error = check.finite_difference, check.error_estimate
        measured = slope, error, check.digits, str(check.verdict)
    expression = "input" if node.kind == "input" else row.expression
    return Entry(
        *(node, node.name, node.kind, row.step, expression, node.type.shape),
        *(row.value, row.delta, *measured, _words(result, row)),
    )


def _words(result: Result, row: Row) -> str:
    if row.check is not None:
        from gradcli.check.wording import describe  # noqa: PLC0415 - not needed with --no-check

        return describe(row.check, row.delta)
    if row.node.kind == "constant":
        return "constant"
    return "not checked" if result.checks is not None and row.delta is not None else ""


def precision_of(entry: Entry, key: str, precision: int) -> int:
    """With how many digits a number is shown: a wrong accumulator with those that show it.

    That is one more than it takes until it looks different from the finite difference.
    """
    if entry.verdict != "fail" or key not in ("delta", "slope") or entry.slope is None:
        return precision
    if not is_small(entry.delta) or not np.all(np.isfinite(entry.delta)):
        return precision
    worst = np.argmax(np.abs(np.ravel(entry.delta) - np.ravel(entry.slope)))
    pair = [float(np.ravel(value)[worst]) for value in (entry.delta, entry.slope)]
    if number(pair[0], precision) != number(pair[1], precision):
        return precision
    apart = (p for p in range(precision, 17) if number(pair[0], p) != number(pair[1], p))
    return next(apart, 16) + 1


def columns(result: Result, command: str) -> tuple[str, ...]:
    """The columns that this result fills, in order."""
    empty = set() if any(node.type.shape for node in result.graph.nodes) else {"shape"}
    if command != "check" and result.checks is None:
        empty |= {"slope", "words"}
    if command != "check" and not result.gradient:
        empty |= {"delta", "slope", "words"}
    return tuple(key for key in (CHECK if command == "check" else EVAL) if key not in empty)


def table(result: Result, style: Style, command: str) -> Table:
    """The rows of a result as a table for the formats that have no width."""
    keys = columns(result, command)
    heads = [Column(heading(key, command), key in NUMBERS) for key in keys]
    return Table(heads, cells(result, style, command, keys))


def cells(
    result: Result, style: Style, command: str, keys: Sequence[str]
) -> Iterator[Iterator[Cell]]:
    """The cells of every entry: a column for each of these fields of it."""
    for entry in entries(result, command):
        yield (_cell(result.graph, entry, key, style.precision) for key in keys)


def _cell(graph: Graph, entry: Entry, key: str, precision: int) -> Cell:
    value = getattr(entry, key)
    match key:
        case "operation" if entry.kind != "input":
            return Operation(value, graph, entry.node)
        case "digits":
            return Number(value, precision, places=1)
        case "error":
            return Number(value, 2)
        case "shape":
            return Shape(value)
        case "name" | "words":
            return Name(value) if key == "name" else Words(value)
    if key in NUMBERS:
        return Number(value, precision_of(entry, key, precision), sized=True)
    return "" if value is None else str(value)


def heading(key: str, command: str) -> str:
    """What stands above a column."""
    return HEADINGS[command == "check"].get(key, key)


# --- the last line -----------------------------------------------------------------------


def objective(result: Result) -> str:
    """What the gradient is of: the output's name, or J where ∂J/∂output was given."""
    start = result.upstream
    given = start is not None and (np.size(start) != 1 or bool(np.any(np.asarray(start) != 1)))
    return "J" if given else result.output.name


def gradient_items(result: Result, style: Style) -> Iterator[str]:
    """`∂f/∂x = -0.524317` for every input that was asked for."""
    top = objective(result)
    for name, value in result.gradient.items():
        slope = f"∂{top}/∂{name}"
        if is_small(value):
            text = f"{slope} = {inline(value, style.precision, style)}"
        else:
            text = f"{slope}: {summarised(value, style.precision, style)}"
        yield shown(text, style)


def checked(result: Result) -> str:
    """`checked: 8 of 8 agree`, with the other verdicts counted by name."""
    if result.checks is None:
        return "not checked"
    rows = sum(delta is not None for delta in result.accumulators)
    omitted, local = result.checks.omitted, result.checks.local
    if not rows:
        return "nothing to check"
    agree = sum(result.counts.get(verdict, 0) for verdict in AGREEING)
    others = disagreeing(result.counts)
    if omitted:
        others.append(f"{omitted} not checked for want of time")
    text = ", ".join([f"checked: {agree} of {rows} agree", *others])
    if result.checks.in_part:
        text += f"; {result.checks.in_part} checked in part"
    return text if local is None else f"{text}; local derivatives checked: {local}"


def disagreeing(counts: Mapping[str, int]) -> list[str]:
    """The verdicts that are no agreement, each with its number: `1 WRONG`, which comes first."""
    return [
        f"{count} {COUNTED.get(verdict, (verdict, verdict))[count != 1]}"
        for verdict, count in {"fail": 0, **counts}.items()
        if count and verdict not in AGREEING
    ]


def worst(result: Result) -> str:
    """The node that agrees to the fewest digits."""
    if result.worst is None:
        return ""
    name, digits = result.worst
    return f"fewest digits: {digits:.1f} ({name})"


def last_line(items: Iterable[str], end: str, width: int | None) -> list[str]:
    """`Gradient  ∂f/∂x = …, ∂f/∂y = …   checked: …`, in more lines where one is too short."""
    start = f"{'Gradient':<{INDENT}}"
    whole = f"{start}{', '.join(items := tuple(items))}   {end}"
    if width is None or cell_width(whole) <= width:
        return [whole]
    lines, room = [start], max(8, width - INDENT)
    for item in [*(f"{item}," for item in items[:-1]), items[-1]]:
        if lines[-1] == start or cell_width(f"{lines[-1]} {item}") > width:
            first, *more = folded(item, room)
            lines += [" " * INDENT + line for line in (first, *more)]
        else:
            lines[-1] += f" {item}"
    lines[:2] = [start + lines[1].lstrip()]
    return lines + [" " * INDENT + line for line in folded(end, room)]
