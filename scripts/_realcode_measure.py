"""How code of real courses is marked: right code in full, a slip in its line, and by its name.

A case is a folder with task.grad, right.py, slip.py, perhaps functions_only.py, and case.json
(`wrt`, `slip_line`, `tags`). `measure_realcode(cases)` counts; without such folders the tests' own
courses are taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.program import Program


class Case(NamedTuple):
    """A task, code for it by kind, and where the slip is."""

    task: Task
    code: dict[str, str]
    line: int
    tags: frozenset[str]


def cases(folders: Iterable[Path]) -> Iterator[Case]:
    """The cases in some folders."""
    for folder in folders:
        for place in sorted(folder.iterdir()):
            about = place / "case.json"
            if about.exists():
                meta: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
                text = (place / "task.grad").read_text(encoding="utf-8")
                task = make_task(Program(text), wrt=meta["wrt"].split(","))
                code = {p.stem: p.read_text(encoding="utf-8") for p in place.glob("*.py")}
                yield Case(task, code, meta["slip_line"], frozenset(meta["tags"]))


def own_cases() -> Iterator[Case]:
    """The courses of the tests, each with every slip."""
    from code_cases import COURSES  # noqa: PLC0415 - of tests/grading, where the path has it

    for course in COURSES.values():
        task = make_task(Program(course.task), wrt=course.wrt.split(","))
        for old in course.slips:
            slip, line = course.slip(old)
            code = {"right": course.right, "slip": slip}
            yield Case(task, code, line, frozenset(course.slips[old][1].split()))


def measure_realcode(found: Iterable[Case]) -> dict[str, tuple[int, int]]:
    """By what is counted: how many, and of how many."""
    counts: dict[str, list[int]] = {}

    def count(what: str, *, yes: bool) -> None:
        pair = counts.setdefault(what, [0, 0])
        pair[0] += yes
        pair[1] += 1

    for case in found:
        for kind in ("right", "functions_only"):
            if kind in case.code:
                marked = _marked(case.task, case.code[kind])
                full = marked is not None and marked.score == marked.max_score
                count(f"{kind}: full marks", yes=full)
                count(f"{kind}: marked down", yes=marked is not None and not full)
        marked = _marked(case.task, case.code["slip"])
        roots = () if marked is None else marked.roots
        count("slip: its line", yes=any(row.line == case.line for row in roots))
        count("slip: its name", yes=any(case.tags & set(row.tags) for row in roots))
    return {what: (some, of) for what, (some, of) in counts.items()}


def _marked(task: Task, code: str) -> Marked | None:
    try:
        return graded(task, code.encode(), "code.py", Scheme(), Deadline.of(10))
    except GradcliError:
        return None
