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
from gradcli.report.trace.listing import BLANK, Choice, Late, note
from gradcli.syntax.printer import print_tree
from gradcli.trace.steps import Move, Step, Steps

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
    if form == "csv":
        return _csv(steps, style, choice)
    return _markdown(steps, style, choice, late)


# --- CSV ---------------------------------------------------------------------------------


def _csv(steps: Steps, style: Style, choice: Choice) -> Iterator[str]:
    found: list[Iterator[dict[str, Any]]] = []
    if choice.forward:
        found.append(map(_step, steps.steps()))
    if choice.backward:
        found.append(map(_move, steps.moves()))
    rows = ([_cell(fields.get(key), style, choice) for key in CSV] for fields in chain(*found))
    return csv.written(Table([Column(key) for key in CSV], rows), style)


def _cell(found: Any, style: Style, choice: Choice) -> Cell:
    if isinstance(found, str):
        return Words(found)
    return "" if choice.blank else Number(found, style.precision)


def _step(step: Step) -> dict[str, Any]:
    return {
        "pass": "forward",
        "step": "" if step.number is None else str(step.number),
        "node": step.node.name,
        "assign": "=",
        "formula": step.expression,
        "value": step.value,
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "pass": "backward",
        "step": str(move.step),
        "node": move.node.name,
        "to": move.to.name,
        "assign": move.assign,
        "formula": move.formula,
        "upstream": move.upstream,
        "local": None if move.local is None else print_tree(move.local, spaced=False),
        "local_value": move.local_value,
        "contribution": move.value,
        "accumulator": move.accumulator,
        "final": "true" if move.final else "false",
    }


# --- Markdown ----------------------------------------------------------------------------


def _markdown(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    result = steps.result
    if choice.forward:
        yield "**Forward pass** "
        inputs = (
            f"{name} = {inline(v, style.precision, style)}"
            for name, v in steps.result.inputs.items()
        )
        yield ", ".join(markdown.code(shown(text, style)) for text in inputs) + "\n\n"
        yield from markdown.written(Table(_columns(FORWARD), _forward(steps, style, choice)), style)
    if not choice.backward:
        return
    if choice.forward:
        yield "\n"
    yield "**Backward pass**\n\n"
    yield from markdown.written(Table(_columns(BACKWARD), _backward(steps, style, choice)), style)
    if not choice.blank and result.gradient:
        items = ", ".join(map(markdown.code, rows.gradient_items(result, style)))
        end = markdown.escaped(shown(rows.checked(late()), style))
        yield f"\n**Gradient** {items}; {end}\n"


def _columns(titles: tuple[str, ...]) -> list[Column]:
    return [Column(title, title in RIGHT) for title in titles]


def _forward(steps: Steps, style: Style, choice: Choice) -> Iterator[list[Cell]]:
    for step in steps.steps():
        place = "" if step.number is None else f"({step.number})"
        value = _number(step.value, style, choice)
        yield [place, Name(step.node.name), Name(step.expression), value]


def _backward(steps: Steps, style: Style, choice: Choice) -> Iterator[list[Cell]]:
    for move in steps.moves():
        numbers = (move.upstream, move.local_value, move.value, move.accumulator)
        cells = (_number(value, style, choice) for value in numbers)
        yield [f"({move.step})", Name(move.text), *cells, note(move)]


def _number(value: Any, style: Style, choice: Choice) -> Cell:
    blank = choice.blank and value is not None
    return Words(BLANK) if blank else Number(value, style.precision)
