"""A submission from its bytes to its marks, with a second reading of code.

A listing is marked statement by statement on its own forward pass (`marking.mark`). Code that
can't be read so, or that is not all right so, is read once more as `gradcli.python` reads code, and
marked by the gradients that it comes to: what it computes right is right, however it is staged.
"""

from __future__ import annotations

from pathlib import Path

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.grading.marking.expected import Scheme, sides_of
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status, in_cells
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task
from gradcli.grading.submission.read import code_of, read_submission
from gradcli.grading.submission.types import Listing
from gradcli.python.limits import ExhaustedError


def graded(
    task: Task,
    submission: str | Path | bytes,
    name: str | None,
    scheme: Scheme,
    deadline: Deadline,
    inside: str | Path | None = None,
) -> Marked:
    """Mark what was handed in. Raises `GradcliError` of kind submission where it can't be read."""
    called = _by_its_call(task, submission, name, scheme, deadline, inside)
    if called is not None:
        return called
    try:
        handed = read_submission(submission, name, task.vocabulary, inside=inside)
        marked = mark(task, handed, scheme, deadline.half)
    except GradcliError as refusal:
        if refusal.kind is not Kind.SUBMISSION or isinstance(refusal, ExhaustedError):
            raise
        code = code_of(submission, name, inside=inside)
        if code is None:
            raise
        try:
            found = _by_code(task, code, scheme, deadline)
        except GradcliError as unread:
            raise (refusal if unread.source is None else unread) from None
        if found is None:
            raise refusal from None
        return found
    elsewhere = marked.elsewhere or any(row.elsewhere for row in marked.rows)
    if marked.right or elsewhere or not isinstance(handed, Listing):
        return marked
    try:
        explained = len(marked.roots) == 1 and bool(marked.roots[0].tags)
        found = _by_code(task, handed, scheme, deadline, explain=not explained)
    except GradcliError:
        return marked
    return found if found is not None and _is_better(task, found, marked) else marked


def _by_its_call(
    task: Task,
    submission: str | Path | bytes,
    name: str | None,
    scheme: Scheme,
    deadline: Deadline,
    inside: str | Path | None,
) -> Marked | None:
    """The marks of a function that is called as the task says; None where there is none."""
    call = task.lines.call
    code = None if call is None else code_of(submission, name, inside=inside, call=call)
    if call is None or code is None or not code.source.text.endswith(f"\n{call.text}\n"):
        return None
    return _by_code(task, code, scheme, deadline)


def _by_code(
    task: Task, code: Listing, scheme: Scheme, deadline: Deadline, *, explain: bool = True
) -> Marked | None:
    """The marks by what the code comes to; None where it speaks of no gradient that is asked for.

    Raises `GradcliError` of kind submission for what is no Python, takes too much, or has a
    gradient that is made of something unread: then with the place of that.
    """
    # Thirty modules, and most submissions are marked without.
    from gradcli.grading.code.marking import mark_code  # noqa: PLC0415
    from gradcli.python.source import without_magics  # noqa: PLC0415

    text = without_magics(code.source.text) if code.cells else code.source.text
    sides = [task.flow.passes({}, side=side)[0] for side in sides_of(task.flow)]
    source = Source(text, code.source.name)
    try:
        marked = mark_code(task, source, sides, deadline, scheme, explain=explain)
    except GradcliError as error:
        raise code.located(error) from None
    if marked is None:
        return None
    marked = in_cells(marked, code)
    return marked if scheme.points is None else marked.out_of(scheme.points)


def _is_better(task: Task, found: Marked, marked: Marked) -> bool:
    """Whether the second reading says more than the first.

    It does where all that is asked for is right, unless the output is not the task's; and where
    fewer marks are lost for the same, or more of the mistakes have a name.
    """
    output = any(
        row.kind == "value" and row.name == task.output and row.status is Status.WRONG
        for row in marked.rows
    )
    if output:
        return False
    if all(row.status is Status.OK for row in found.rows):
        return all(row.kind != "part" for row in marked.rows)
    return _cost(found) < _cost(marked)


def _cost(marked: Marked) -> tuple[float, int, int]:
    """The marks that are lost, and how many mistakes have no name, and how many there are."""
    unnamed = sum(not row.tags for row in marked.roots if row.status is not Status.MISSING)
    return marked.max_score - marked.score, unnamed, len(marked.roots)
