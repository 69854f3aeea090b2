"""`gradcli graph`: the computational graph as a picture, with values and δ on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gradcli.cli.command import Outcome, declare
from gradcli.cli.evaluation import steps_of
from gradcli.cli.options import DrawingOutput, PointOptions, in_report
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcli.picture.model import Drawing
    from gradcli.report import Style
    from gradcli.trace.steps import Steps

DRAWN_BY_DOT = ("svg", "png", "pdf")
INSTALL = (
    "apt install graphviz, brew install graphviz, or winget install graphviz; "
    "--format text, dot and mermaid need none"
)


class PictureOptions(DrawingOutput):
    """What is drawn, and where it goes."""

    formats = ("text", "dot", "mermaid", *DRAWN_BY_DOT)
    name = "graph"
    json = pretty = False

    only: Literal["forward", "backward"] | None = in_report(
        "--pass PASS", "forward: values alone; backward: gradients"
    )
    by: Literal["operation", "statement"] = in_report(
        "--by STEP", "one box per operation, or per statement", default="operation"
    )
    blank: bool = in_report("--blank", "numbers left out; inputs without a value are numbers")
    direction: Literal["right", "down"] | None = in_report(
        "--direction WAY", "where pictures go: right or down; without it, deep graphs go down"
    )

    def style(self) -> Style:
        """How it is to look: only text depends on the stream that it goes to."""
        style, form = super().style(), self.chosen_format()
        if form == "text":
            return style
        ascii_only = style.ascii if form not in DRAWN_BY_DOT else self.ascii
        return style._replace(width=None, color=False, ascii=ascii_only)


@declare(
    "graph",
    examples=(
        'gradcli graph "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli graph "x*y + sin(x)" --x 1 --y 2 --out graph.svg',
        'gradcli graph "x*y + sin(x)" --blank --format mermaid',
    ),
)
def command(point: PointOptions, picture: PictureOptions) -> Outcome:
    """The computational graph with values and gradients on it.

    Operations are boxes, variables are the wires between them: the value stands above a wire,
    the gradient below it. Where a variable forks, each of its wires has the contribution that
    comes back along it. text, dot and mermaid need nothing else; svg, png and pdf are drawn by
    Graphviz' program dot.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    from gradcli.picture.model import DEEP, drawing
    from gradcli.report.trace.listing import Choice

    form = picture.chosen_format()
    if form in DRAWN_BY_DOT:
        _dot()
    choice = Choice(picture.only != "backward", picture.only != "forward", picture.blank)
    style = picture.style()
    steps = _steps(point, picture, gradient=choice.backward)
    found = drawing(steps, style, choice, narrow=form != "text")
    down = found.depth > DEEP if picture.direction is None else picture.direction == "down"
    return Outcome(_drawn(found, form, style, down=down), 0, picture.file)


def _drawn(found: Drawing, form: str, style: Style, *, down: bool) -> Iterable[str] | bytes:
    """A drawing in its format."""
    if form == "text":
        from gradcli.picture.text import drawn

        return drawn(found, style)
    if form == "mermaid":
        from gradcli.picture import mermaid

        return mermaid.pieces(found, down=down)
    from gradcli.picture import dot

    pieces = dot.pieces(found, down=down)
    if form == "dot":
        return pieces
    return _rendered("".join(pieces), form)


def _steps(point: PointOptions, picture: PictureOptions, *, gradient: bool) -> Steps:
    """Both passes; a blank drawing takes inputs without a value for numbers."""
    from gradcli.cli.inputs import unbound

    read = point.point()
    inputs: dict[str, Any] = dict(read.inputs)
    if picture.blank:
        inputs |= dict.fromkeys(unbound(read.program, {*inputs, *read.data}), 1.0)
    result = read.program.evaluate(
        inputs,
        **read.options,
        gradient=gradient,
        check=False,
        allow_nonfinite=point.allow_nonfinite or picture.blank,
    )
    return steps_of(result, read.program, picture.by)


# --- Graphviz' program dot ---------------------------------------------------------------


def _dot() -> str:
    """Where `dot` is. Raises `GradcliError` of kind option if it is not installed."""
    from shutil import which

    found = which("dot")
    if found is None:
        raise usage_error("svg, png and pdf are drawn by Graphviz, which is not installed", INSTALL)
    return found


def _rendered(text: str, form: str) -> bytes:
    """A picture of a graph. Raises `GradcliError` of kind option where `dot` fails."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the text is not an argument
            [_dot(), f"-T{form}"], input=text.encode(), capture_output=True, check=False
        )
    except OSError as error:
        raise usage_error(f"Graphviz' dot can't be run: {error.strerror}", INSTALL) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise usage_error(f"Graphviz' dot has failed: {said[0]}", "--format dot shows its input")
    return done.stdout
