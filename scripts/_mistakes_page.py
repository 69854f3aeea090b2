"""docs/mistakes.md: every mistake of the table with an example and what is said of it.

Where the mistake's own rule can write the wrong lines, the example is made by it: planted in a
right solution of a small task, and the lines are shown beside the right ones. Where it can't
(arrays, a slip of the forward pass) the example is the submission of that name in
tests/homework/mistakes. Either way the report is what marking says of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from _homework_measure import SOLUTIONS, Solution, backward_lines

from _environment import ROOT
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.table import MISTAKES, Mistake, slips
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_text
from gradcli.program import Program
from gradcli.report import Style
from gradcli.report.homework.marked import pieces

FOLDER = Path(ROOT, "tests", "homework", "mistakes")
STYLE = Style(width=None, color=False, ascii=False)


class Example(NamedTuple):
    """A wrong submission, and what marking says of it."""

    task: Task
    marked: Marked
    wrong: tuple[str, ...]
    right: tuple[str, ...] = ()
    """The lines as they should be, where the rule knows them."""


def mistakes_sections() -> str:
    """The sections of the page, a heading and an example for each tag."""
    return "\n".join("\n".join(_section(mistake)) + "\n" for mistake in MISTAKES)


def _section(mistake: Mistake) -> Iterator[str]:
    example = _planted(mistake) or _stored(mistake)
    yield f"## {mistake.tag}\n"
    first = mistake.what[:1]
    yield f"{first.upper() if first.isascii() else first}{mistake.what[1:]}.\n"
    yield "```text"
    yield from _program(example.task)
    yield "```\n"
    yield "```python"
    if example.right:
        yield from ("# right", *example.right, "# wrong")
    yield from (*example.wrong, "```\n")
    yield from ("```text", "".join(pieces(None, example.marked, STYLE, reveal=False)).rstrip())
    yield "```"


def _program(task: Task) -> Iterator[str]:
    """The task without the values of its arrays."""
    for line in task.program.source.text.strip().split("\n"):
        name, is_array, _ = line.partition(" = [")
        yield f"{name} = […]" if is_array and line.startswith("#:") else line


def _planted(mistake: Mistake) -> Example | None:
    """The first example of the mistake's own rule that is named so and nothing else."""
    if not mistake.rules or mistake.tag == "not-final":
        return None
    for solution in SOLUTIONS:
        task = solution.task
        follows, parts = task.flow.passes({})
        for row in follows:
            case = Case(task.flow, row, parts, follows)
            right = case.lines(term.text for term in case.terms)
            for _, slip in slips(case, [mistake]):
                if all(line.partition("= ")[2] for line in slip.lines) and slip.lines != right:
                    marked = _handed_in(solution, task, row, mistake.tag, slip)
                    wrong = [r for r in marked.rows if r.status is Status.WRONG]
                    if len(wrong) == 1 and wrong[0].tags == (mistake.tag,):
                        return Example(task, marked, slip.lines, right)
    return None


def _handed_in(solution: Solution, task: Task, row: str, tag: str, slip: Slip) -> Marked:
    lines = backward_lines(task.flow, row, tag, slip)
    text = solution.forward[0] + "\n".join(lines) + "\n"
    return mark(task, read_text(text, "answer.py", task.vocabulary, ".py"))


def _stored(mistake: Mistake) -> Example:
    """The example of the tests; its lines at fault, or all of them where that is none."""
    name = f"{mistake.tag}.py"
    if not (FOLDER / name).exists():
        name = next(f.name for f in sorted(FOLDER.glob(f"{mistake.tag}_*.py")))
    entry = tomllib.loads((FOLDER / "index.toml").read_text("utf-8"))[name]
    program = (FOLDER / entry["task"]).read_text("utf-8")
    task = make_task(Program(program))
    text = (FOLDER / name).read_text("utf-8")
    marked = mark(task, read_text(text, name, task.vocabulary, ".py"))
    return Example(task, marked, tuple(text.rstrip().split("\n")))
