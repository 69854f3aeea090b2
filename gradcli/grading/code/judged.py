"""Code that was read at the task's point, and which of its gradients are right."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.source import Source
from gradcli.grading.code.finals import finals
from gradcli.grading.code.replay import same
from gradcli.grading.listing.functions import Code
from gradcli.grading.listing.reader import CodeReader, read_code
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import CODE, Tolerance


class Judged:
    """The code of one submission, its gradients, and which of them are right."""

    def __init__(
        self,
        task: Task,
        source: Source,
        sides: Sequence[Mapping[str, Any]],
        deadline: Deadline,
        tolerance: Tolerance,
    ) -> None:
        self.rtol = max(CODE, min(tolerance.rtol or CODE, tolerance.most))
        self.deadline = deadline
        self.task, self.source, self.sides = task, source, sides
        self.code = Code.of(source, task.vocabulary)
        self.tree = self.code.tree
        self.reader = self.read(self.tree)
        self.asked = task.wanted("listing")
        self.finals = finals(self.reader, self.asked, task.vocabulary)
        self.sign = 1.0

    def read(self, tree: ast.Module, *, snapshots: bool = False) -> CodeReader:
        """Read code at the task's point."""
        flow, graph = self.task.flow, self.task.result.graph
        names = self.task.vocabulary
        code = replace(self.code, tree=tree)
        found = read_code(self.source, code, flow.values, names, graph, snapshots=snapshots)
        if found.exhausted is not None:
            raise found.exhausted
        return found

    def true(self, name: str) -> Any:
        """The true gradient, in the direction that the code goes."""
        return self.sign * np.asarray(self.sides[0][name])

    def is_right(self, name: str, value: Any) -> bool:
        """Whether a value is the true gradient, on any side of kinks."""
        return any(
            same(value, self.sign * np.asarray(side[name]), self.rtol) for side in self.sides
        )

    def right(self, found: Mapping[str, Any]) -> frozenset[str]:
        """The names whose values are right."""
        return frozenset(n for n, v in found.items() if v is not None and self.is_right(n, v))
