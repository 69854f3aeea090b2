"""The entrance of grading: a submission from its bytes to its marks.

A task and what was handed in come in, `Marked` goes out. A listing is marked statement by
statement on its own forward pass (`marking.mark`). Code that can't be read so, or that is not all
right so, is marked once more by the gradients that it comes to (`code.marking`): what it computes
right is right, however it is staged.
"""

from __future__ import annotations

from pathlib import Path

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
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
    call = task.lines.call
    if call is not None:  # the function that the task calls
        code = code_of(submission, name, inside=inside, call=call)
        if code is not None and code.source.text.endswith(f"\n{call.text}\n"):
            called = _by_code(task, code, scheme, deadline)
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
    explained = len(marked.roots) == 1 and bool(marked.roots[0].tags)
    try:
        found = _by_code(task, handed, scheme, deadline, explain=not explained)
    except GradcliError:
        return marked
    return found if found is not None and _is_better(task, found, marked) else marked


def _by_code(
    task: Task, code: Listing, scheme: Scheme, deadline: Deadline, *, explain: bool = True
) -> Marked | None:
    """The marks by what the code comes to, as `mark_code` gives them."""
    # Thirty modules, and most submissions are marked without.
    from gradcli.grading.code.marking import mark_code  # noqa: PLC0415

    return mark_code(task, code, deadline, scheme, explain=explain)


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
