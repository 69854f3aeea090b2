"""A marked submission as the files that graders read: Gradescope, PrairieLearn, CodeRunner.

`Marked` comes in, or the error that says why a submission can't be read; an object for strict
JSON goes out. What a student wrote is shown with its control characters as escapes, and
escaped for HTML, since a page shows it. Right answers are in it only if `reveal` is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, TypeAlias

from gradcli.diagnostics.error import GradcliError, visible
from gradcli.grading.marking.result import Marked, MarkedRow, Status
from gradcli.grading.model.task import Task
from gradcli.report.homework.marked import (
    RIGHT,
    followers,
    label,
    note_text,
    placed,
    shown,
    what,
    whole,
)

Outcome: TypeAlias = Marked | GradcliError
"""What became of a submission: marked, or not readable and why."""

DIGITS = 6
LONGEST_VALUE = 200
"""An array that takes more characters is cut: a page is no place for it."""


def gradescope(
    outcome: Outcome, task: Task | None, *, reveal: bool = False, points: float | None = None
) -> dict[str, Any]:
    """The `results.json` of Gradescope: a test for each row, marks as points.

    Without a task, which could not be evaluated in time, the outcome is the error about that.
    `points` is what everything is worth together, where that is settled.
    """
    top = {"visibility": "visible", "stdout_visibility": "hidden"}
    if isinstance(outcome, GradcliError):
        if points is None:
            points = sum(map(task.marks, task.wanted("listing"))) if task else 0.0
        reason = _safe(_reason(outcome))
        test = _test("reading the submission", 1, 0, points, f"<p>{reason}</p>")
        return {"score": 0, "tests": [test], **top, "output": reason}
    tests = []
    for number, row in enumerate(outcome.rows, 1):
        status = "passed" if row.status in RIGHT else "failed"
        html = _html(row, reveal=reveal)
        test = _test(_safe(what(row)), number, row.earned, row.max, html, status, row.tags)
        tests.append(test)
    return {"score": whole(outcome.score), "tests": tests, **top, "output": _summary(outcome)}


def _test(
    name: str, number: int, score: float, most: float, html: str,
    status: str = "failed", tags: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """A row of Gradescope's results."""
    return {
        "name": name,
        "number": str(number),
        "score": whole(score),
        "max_score": whole(most),
        "status": status,
        "output": html,
        "output_format": "html",
        "tags": list(tags),
    }


def prairielearn(
    outcome: Outcome,
    task: Task | None,
    *,
    reveal: bool = False,
    points: float | None = None,  # noqa: ARG001 - its score is a share
) -> dict[str, Any]:
    """The results of PrairieLearn's external graders: a score from 0 to 1.

    What can't be read is not gradable, which costs no attempt.
    """
    if isinstance(outcome, GradcliError) or task is None:
        assert isinstance(outcome, GradcliError)
        reason = _safe(_reason(outcome))
        return {
            "gradable": False,
            "score": 0,
            "format_errors": [reason],
            "message": reason,
            "tests": [],
        }
    return {
        "gradable": True,
        "score": _share(outcome),
        "format_errors": [],
        "message": _summary(outcome),
        "tests": [
            {
                "name": _safe(what(row)),
                "description": _safe(_meaning(row, task)),
                "points": whole(row.earned),
                "max_points": whole(row.max),
                "message": _safe("\n".join(_remarks(row, reveal=reveal)), keep="\n"),
            }
            for row in outcome.rows
        ],
    }


def coderunner(
    outcome: Outcome,
    task: Task | None,  # noqa: ARG001
    *,
    reveal: bool = False,
    points: float | None = None,  # noqa: ARG001 - its fraction is a share
) -> dict[str, Any]:
    """What a combinator template grader of CodeRunner prints: a fraction and a table.

    Of the header's columns `iscorrect` is CodeRunner's own: it becomes a tick or a cross.
    """
    header = ["iscorrect", "Line", "Row", "Yours", "Marks", "Remark"]
    if isinstance(outcome, GradcliError):
        reason = _safe(_reason(outcome))
        return {"fraction": 0, "testresults": [header], "prologuehtml": f"<p>{reason}</p>"}
    rows = [
        [
            int(row.status in RIGHT),
            str(row.line or "") if row.cell is None else row.place,
            _safe(what(row)),
            "" if row.submitted is None else _safe(_value(row.submitted)),
            f"{row.earned:g} / {row.max:g}",
            _safe("\n".join(_remarks(row, reveal=reveal, code=False)), keep="\n"),
        ]
        for row in outcome.rows
    ]
    return {
        "fraction": _share(outcome),
        "testresults": [header, *rows],
        "prologuehtml": "".join(f"<p>{line}</p>" for line in _summary(outcome).split("\n")),
    }


# --- what is said ------------------------------------------------------------------------


def _meaning(row: MarkedRow, task: Task) -> str:
    if row.kind == "value":
        return f"the value of {row.name}"
    if row.kind == "gradient":
        return f"the gradient of {task.output} by {row.name}"
    return f"what {' and '.join(row.sources)} sends to {row.name}"


def _remarks(row: MarkedRow, *, reveal: bool, code: bool = True) -> list[str]:
    """The lines about a row: where, which mistake, what follows from it."""
    lines: list[str] = []
    if row.line and code:
        lines.append(placed(row, row.text))
    if row.tags:
        lines.append(f"{label(row, ' or ')}: {row.message}")
    elif row.message:
        lines.append(row.message)
    if row.status is Status.CARRIED:
        lines.append("follows from your own rows before it")
    if row.follow:
        lines.append(followers(row))
    if reveal and row.true is not None and row.status is not Status.OK:
        lines.append(f"right: {_value(row.true)}")
    return lines


def _html(row: MarkedRow, *, reveal: bool) -> str:
    """The same as paragraphs, the student's line unchanged."""
    code = f"<pre>{_safe(placed(row, row.text))}</pre>" if row.line else ""
    remarks = _remarks(row, reveal=reveal, code=False)
    return code + "".join(f"<p>{_safe(remark)}</p>" for remark in remarks)


def _summary(marked: Marked) -> str:
    """The score, where to look first, and the notes: a line each, escaped."""
    lines = [f"score {marked.score:g} / {marked.max_score:g}"]
    if marked.roots:
        first = marked.roots[0]
        where = placed(first, what(first), ", ")
        lines.append(f"look first at {where}: {label(first, ' or ')}")
    lines += map(note_text, marked.notes)
    return _safe("\n".join(lines), keep="\n")


def _reason(error: GradcliError) -> str:
    hint = "" if error.hint is None else f" (hint: {' '.join(error.hint.split())})"
    return f"the submission can't be read: {error.message}{hint}"


def _safe(text: str, keep: str = "") -> str:
    return escape(visible(text, keep), quote=False)


# --- numbers -----------------------------------------------------------------------------


def _value(value: Any) -> str:
    text = shown(value, DIGITS)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _share(marked: Marked) -> float:
    """The score from 0 to 1; where nothing is worth anything, whether all is right."""
    if not marked.max_score:
        return float(marked.right)
    return min(1.0, max(0.0, marked.score / marked.max_score))
