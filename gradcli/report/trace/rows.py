"""The trace as rows for other programs: CSV with every number in full, or Markdown.

CSV has a row per step of the forward pass and per line of the backward pass, in one table whose
first column says which pass it is. Markdown has a table for each pass, and the gradient below.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from gradcli.report.numbers import inline, shown
from gradcli.report.tables import csv, markdown, rows
from gradcli.report.tables.model import Cell, Column, Name, Number, Table, Words
from gradcli.report.trace.listing import BLANK, Choice, Late, move_fields, note, step_fields
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style

CSV = (
    *("pass", "step", "node", "to", "assign", "formula", "value"),
    *("upstream", "local", "local_value", "contribution", "accumulator", "final"),
)
FORWARD = ("step", "node", "operation", "value")
BACKWARD = ("step", "line", "upstream", "local value", "contribution", "accumulator", "")
RIGHT = {"value", "upstream", "local value", "contribution", "accumulator"}


def pieces(steps: Steps, form: str, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The rows in the format `csv` or `markdown`."""
    if form == "markdown":
        return _markdown(steps, style, choice, late)
    found: list[Iterator[dict[str, Any]]] = []
    if choice.forward:
        found.append(map(step_fields, steps.steps()))
    if choice.backward:
        found.append(map(move_fields, steps.moves()))

    def cell(value: Any) -> Cell:
        if isinstance(value, str):
            return Words(value)
        return "" if choice.blank else Number(value, style.precision)

    rows = ([cell(fields.get(key, "")) for key in CSV] for fields in chain(*found))
    return csv.written(Table([Column(key) for key in CSV], rows), style)


# --- Markdown ----------------------------------------------------------------------------


def _markdown(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    result = steps.result

    def number(value: Any) -> Cell:
        blank = choice.blank and value is not None
        return Words(BLANK) if blank else Number(value, style.precision)

    if choice.forward:
        yield "**Forward pass** "
        inputs = (
            f"{name} = {inline(v, style.precision, style)}"
            for name, v in steps.result.inputs.items()
        )
        yield ", ".join(markdown.code(shown(text, style)) for text in inputs) + "\n\n"
        forward: Iterator[list[Cell]] = (
            ["" if step.number is None else f"({step.number})", Name(step.node.name),
             Name(step.expression), number(step.value)]
            for step in steps.steps()
        )  # fmt: skip
        yield from markdown.written(Table(_columns(FORWARD), forward), style)
    if not choice.backward:
        return
    if choice.forward:
        yield "\n"
    yield "**Backward pass**\n\n"
    backward: Iterator[list[Cell]] = (
        [f"({move.step})", Name(move.text),
         *map(number, (move.upstream, move.local_value, move.value, move.accumulator)), note(move)]
        for move in steps.moves()
    )  # fmt: skip
    yield from markdown.written(Table(_columns(BACKWARD), backward), style)
    if not choice.blank and result.gradient:
        items = ", ".join(map(markdown.code, rows.gradient_items(result, style)))
        end = markdown.escaped(shown(rows.checked(late()), style))
        yield f"\n**Gradient** {items}; {end}\n"


def _columns(titles: tuple[str, ...]) -> list[Column]:
    return [Column(title, title in RIGHT) for title in titles]
