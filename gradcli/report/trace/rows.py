"""The trace as rows for other programs: CSV with every number in full, or Markdown.

CSV has a row per step of the forward pass and per line of the backward pass, in one table whose
first column says which pass it is. Markdown has a table for each pass, and the gradient below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.report.numbers import inline, shown
from gradcli.report.tables import markdown, rows
from gradcli.report.tables.csv import line as csv_line
from gradcli.report.tables.csv import value as csv_value
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
    yield csv_line(CSV)
    if choice.forward:
        for step in steps.steps():
            yield _row(_step(step), style, choice)
    if choice.backward:
        for move in steps.moves():
            yield _row(_move(move), style, choice)


def _row(fields: dict[str, Any], style: Style, choice: Choice) -> str:
    return csv_line(tuple(_cell(fields.get(key), style, choice) for key in CSV))


def _cell(found: Any, style: Style, choice: Choice) -> str:
    if found is None:
        return ""
    if isinstance(found, str):
        return shown(found, style)
    return "" if choice.blank else csv_value(found, style)


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
        inputs = (f"{name} = {inline(v, style.precision, style)}" for name, v in _inputs(steps))
        yield ", ".join(markdown.code(shown(text, style)) for text in inputs) + "\n\n"
        yield from _head(FORWARD)
        for step in steps.steps():
            number = "" if step.number is None else f"({step.number})"
            texts = markdown.code(shown(step.node.name, style)), _code(step.expression, style)
            yield markdown.line((number, *texts, _number(step.value, style, choice)))
    if not choice.backward:
        return
    if choice.forward:
        yield "\n"
    yield "**Backward pass**\n\n"
    yield from _head(BACKWARD)
    for move in steps.moves():
        numbers = (move.upstream, move.local_value, move.value, move.accumulator)
        cells = (_number(value, style, choice) for value in numbers)
        yield markdown.line((f"({move.step})", _code(move.text, style), *cells, note(move)))
    if not choice.blank and result.gradient:
        items = ", ".join(map(markdown.code, rows.gradient_items(result, style)))
        end = markdown.escaped(shown(rows.checked(late()), style))
        yield f"\n**Gradient** {items}; {end}\n"


def _inputs(steps: Steps) -> Iterator[tuple[str, Any]]:
    yield from steps.result.inputs.items()


def _head(keys: tuple[str, ...]) -> Iterator[str]:
    yield markdown.line(keys)
    yield markdown.line("---:" if key in RIGHT else "---" for key in keys)


def _code(text: str, style: Style) -> str:
    return markdown.code(shown(text, style))


def _number(value: Any, style: Style, choice: Choice) -> str:
    if value is None:
        return ""
    return markdown.escaped(BLANK) if choice.blank else inline(value, style.precision, style)
