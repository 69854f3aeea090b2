"""Code that can be read at a task's point.

The text of a listing and its task come in. Out comes `Code`: the syntax tree with the places of its
nodes, and what every reading of it asks: which functions, libraries and bundles the code has, and
which numbers the task holds without a name.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.source import Source
from gradcli.grading.listing.functions import Functions
from gradcli.grading.listing.notation import python_of
from gradcli.grading.model.task import Task
from gradcli.graph.draft import Literal
from gradcli.python.core import Text
from gradcli.python.dialect import libraries_of


@dataclass(frozen=True, eq=False)
class Code:
    """A listing's code, parsed once and read as often as it takes."""

    source: Source
    task: Task
    tree: ast.Module
    text: Text

    @classmethod
    def of(cls, source: Source, task: Task) -> Code:
        """The code of a listing. Raises `GradcliError` of kind syntax with its place."""
        return cls(source, task, *python_of(source))

    @cached_property
    def functions(self) -> Functions:
        """The functions, and which of them hold steps."""
        return Functions(self.tree, self.task.vocabulary)

    @cached_property
    def libraries(self) -> frozenset[str]:
        """The libraries that the code imports or uses."""
        return libraries_of(self.functions.nodes, self.task.vocabulary.inputs)

    @cached_property
    def bundles(self) -> frozenset[str]:
        """The names that the code takes apart by keys, or into the names of a tuple."""
        found: list[ast.expr] = []
        for node in self.functions.nodes:
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found += [node.value] if isinstance(node.slice.value, str) else []
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                found.append(node.value)
        return frozenset(n.id for n in found if isinstance(n, ast.Name))

    @cached_property
    def classes(self) -> Any:
        """The classes of a loss that picks an element of every row (or column): `log(p[1, 2])`.

        None where the task picks nothing of the kind.
        """
        graph = self.task.result.graph
        picked: dict[int, list[tuple[int, int]]] = {}
        for node in graph.nodes:
            items: Any = node.options.get("items", ()) if node.operation is not None else ()
            of = node.operands[0] if node.operands else None
            if isinstance(of, int) and len(items) == 2 and all(isinstance(i, int) for i in items):
                picked.setdefault(of, []).append((items[0], items[1]))
        for of, places in picked.items():
            for axis in (0, 1):
                order = sorted(places, key=lambda place: place[axis])
                length = range(graph.nodes[of].type.shape[axis])
                if [place[axis] for place in order] == list(length):
                    return np.array([place[1 - axis] for place in order])
        return None

    @cached_property
    def literal(self) -> float | None:
        """The one number in the task's program that is no whole one: its eps, or its rate."""
        operands = (o for node in self.task.result.graph.nodes for o in node.operands)
        scalars = (o.value for o in operands if isinstance(o, Literal) and not np.ndim(o.value))
        numbers = {n for n in map(float, scalars) if not n.is_integer()}
        return numbers.pop() if len(numbers) == 1 else None
