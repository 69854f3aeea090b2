"""Grading from a notebook: a task and a mapping such as `globals()` come in, `Marked` goes out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcli.diagnostics.error import expect_choice
from gradcli.diagnostics.failures import problem, reason
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked
from gradcli.grading.model.deadline import SECONDS, Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import CODE, Tolerance
from gradcli.notebook.answers import Found
from gradcli.program import Program
from gradcli.syntax.task_lines import ASK


def grade_values(
    task: str | Path | Program | Task,
    namespace: Mapping[str, Any],
    inputs: Mapping[str, Any] | None = None,
    /,
    *,
    data: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    ask: str | None = None,
    rtol: float = CODE,
    carried: float = 1.0,
    eta: float | None = None,
    seed: int = 0,
    time_limit: float = SECONDS,
    **point: Any,
) -> Marked:
    """Mark the values and gradients that code has computed: `gradcli grade` from a notebook.

    `task` is a program's text, a file with it, or a `Program`; its point is in its `#:` lines, in
    `data`, or given by keyword (`inputs` is a mapping for names that are parameters here).
    `namespace` maps names to numbers, nested lists or arrays, and may be `globals()`: gradients
    under all their names (`delta_x`, `dx`, `dfdx`, …), in dictionaries (`grads["W1"]`) and as
    `x.grad`, values of the forward pass under theirs. All other names are ignored.

    `ask` is "inputs" for the gradients of the inputs alone, "named" for those of the nodes that the
    task names too; without it the task's `#: ask` line says so, or what is there. `rtol` is the
    relative tolerance, `carried` what right work on a wrong number earns, `eta` the step of
    gradient descent, `wrt` the gradients asked for. After `time_limit` seconds no further mistake
    is named. Raises `GradcliError` for a task that can't be evaluated, never for the namespace.

    >>> marked = grade_values("x*y + x", {"dx": 3, "dy": -3}, x=3, y=2)
    >>> marked.score, marked.max_score, marked.right
    (1.0, 2.0, False)
    >>> print(marked)
    dy                                                                      sign
      the sign of what a sends is wrong.
    score 1 / 2
    """
    if ask is not None:
        expect_choice("ask", ask, ASK)
    deadline = Deadline.of_naming(time_limit)
    with warnings.catch_warnings(), np.errstate(all="ignore"), collector_paused():
        warnings.simplefilter("ignore")
        if isinstance(task, Task):
            made = task if ask is None else replace(task, ask=ask)
        else:
            at = {**(inputs or {}), **point}
            made = make_task(program_of(task), at, data=data, wrt=wrt, seed=seed, ask=ask)
        found = Found(made, rtol)
        found.read(namespace)
        return found.marked(Scheme(Tolerance(rtol), carried, eta), deadline)


def program_of(task: str | Path | Program) -> Program:
    """The program itself, that of a file if there is one of that name, else that of the text."""
    if isinstance(task, Program):
        return task
    try:
        is_file = isinstance(task, Path) or (len(task) < 1000 and Path(task).is_file())
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return Program(str(task))
    try:
        text = Path(task).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise problem(str(task), f"can't be read: {reason(error).lower()}") from None
    return Program(text, name=str(task))
