"""Results and programs as they show themselves: printed, and in a notebook.

`print(result)` is the table of `gradcli eval`. In a notebook a result is the table with the graph
below it, or both passes as equations where LaTeX is asked for; `result.trace()` is the page that
goes through both passes step by step, inside the cell.
"""

from __future__ import annotations

import sys
from html import escape
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from gradcli.results.display import show_by

if TYPE_CHECKING:
    from pathlib import Path

    from gradcli.program import Program
    from gradcli.report.style import Style
    from gradcli.results.result import Result
    from gradcli.trace.steps import Steps

MOST_BOXES = 60
"""Of a larger graph a notebook shows the table alone."""
HEIGHT = 640
"""The height of a page inside a cell, in pixels."""


class Page:
    """A page of HTML that a notebook shows in a frame; `save` writes it to a file."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return "Page: shown in a notebook; .save('page.html') writes a file"

    def save(self, file: str | Path) -> None:
        """Write the page to a file. Raises `OSError`."""
        with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a text or a path
            stream.write(self.html)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style touches nothing else."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="trace" '
            f'style="width: 100%; height: {HEIGHT}px; border: 1px solid #8886"></iframe>'
        )


class Shown:
    """The reports of gradcli as a `gradcli.results.display.Display`."""

    def text(self, result: Result) -> str:
        """The table of `gradcli eval`, as wide as the terminal."""
        from gradcli.report import render  # noqa: PLC0415 - when something is shown

        width = get_terminal_size().columns if sys.stdout.isatty() else None
        return render(result, "table", _style(width)).rstrip("\n")

    def html(self, what: Result | Program) -> str:
        """A table, or a program's text, and below it the graph if that is small enough.

        Inputs of a program that have no value are numbers.
        """
        from gradcli.results.result import Result  # noqa: PLC0415

        if not isinstance(what, Result):
            code = f"<pre>{escape(what.source.text.strip())}</pre>"
            steps = _blank(what)
            return code if steps is None else code + _picture(steps, values=False)
        from gradcli.report.tables import html  # noqa: PLC0415
        from gradcli.trace.steps import Steps  # noqa: PLC0415

        table = "".join(html.fragment(what, _style(), "eval"))
        return table + _picture(Steps(what), values=True)

    def latex(self, what: Result | Program) -> str:
        """Both passes as an `align*`; of a program the forward pass, without numbers."""
        from gradcli.report.trace.latex import equations, formulas  # noqa: PLC0415
        from gradcli.results.result import Result  # noqa: PLC0415
        from gradcli.trace.steps import Steps  # noqa: PLC0415

        if isinstance(what, Result):
            return equations(Steps(what), _style())
        steps = _blank(what)
        return "" if steps is None else formulas(steps)

    def trace(self, result: Result, by: str) -> Page:
        """The page, and the listing as its text."""
        from gradcli.picture import page  # noqa: PLC0415
        from gradcli.report.trace import listing  # noqa: PLC0415
        from gradcli.report.trace.listing import Choice  # noqa: PLC0415
        from gradcli.trace.statements import StatementSteps  # noqa: PLC0415
        from gradcli.trace.steps import Steps  # noqa: PLC0415

        steps: Steps = Steps(result)
        if by == "statement":
            from gradcli.program import Program  # noqa: PLC0415

            steps = StatementSteps(result, Program(result.program).statements)
        choice, style = Choice(), _style()
        html = "".join(page.pieces(steps, style, choice, lambda: result))
        text = "".join(listing.pieces(steps, style, choice, lambda: result))
        return Page(html, text.rstrip("\n"))


def _style(width: int | None = None) -> Style:
    from gradcli.report.style import Style  # noqa: PLC0415

    return Style(width=width, color=False, ascii=False)


def _blank(program: Program) -> Steps | None:
    """The steps of a program whose inputs are numbers where they have no value."""
    from gradcli.diagnostics.error import GradcliError  # noqa: PLC0415
    from gradcli.trace.steps import Steps  # noqa: PLC0415

    try:
        known = program.bind({})
        missing = dict.fromkeys((name for name in program.inputs if name not in known), 1.0)
        result = program.evaluate(missing, gradient=False, check=False, allow_nonfinite=True)
    except GradcliError:
        return None
    return Steps(result)


def _picture(steps: Steps, *, values: bool) -> str:
    """The graph as SVG; nothing where it is too large."""
    from gradcli.picture.model import drawing  # noqa: PLC0415
    from gradcli.picture.svg import Picture, standalone  # noqa: PLC0415
    from gradcli.report.trace.listing import Choice  # noqa: PLC0415

    if len(steps.graph.nodes) > MOST_BOXES:
        return ""
    gradient = values and bool(steps.result.gradient)
    found = drawing(steps, _style(), Choice(backward=gradient, blank=not values), narrow=True)
    return standalone(Picture(found), "computational graph")


def install() -> None:
    """Let results show themselves by the reports."""
    show_by(Shown())
