"""Code that can be read at a task's point.

The text of a listing and its task come in. Out comes `Code`: the syntax tree with the places of its
nodes, and what every reading of it asks: which libraries, bundles and functions the code has, and
which numbers the task holds without a name.

A function such as `sigmoid(z)` is a word for an expression, and a statement that calls it stays one
step. A function such as `forward(x, y)` or `backward(cache)` holds the steps themselves: its lines
count as if they stood in the listing. Which one it is, the names in it tell: steps have names that
the task knows, or that have a gradient somewhere.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.source import Source
from gradcli.grading.listing.notation import python_of
from gradcli.grading.listing.trees import called_in, targets
from gradcli.grading.model.task import Task
from gradcli.grading.submission.labels import last_part, readings
from gradcli.grading.submission.types import Vocabulary
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
    with_steps: dict[ast.AST, bool] = field(default_factory=dict)
    """Whether names in each function are known to the task, or have a gradient somewhere."""

    @classmethod
    def of(cls, source: Source, task: Task) -> Code:
        """The code of a listing. Raises `GradcliError` of kind syntax with its place."""
        return cls(source, task, *python_of(source))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in the tree, walked once."""
        return list(ast.walk(self.tree))

    @cached_property
    def libraries(self) -> frozenset[str]:
        """The libraries that the code imports or uses."""
        return libraries_of(self.nodes, self.task.vocabulary.inputs)

    @cached_property
    def bundles(self) -> frozenset[str]:
        """The names that the code takes apart by keys, or into the names of a tuple."""
        found: list[ast.expr] = []
        for node in self.nodes:
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

    # --- functions ---

    @cached_property
    def defined(self) -> list[ast.FunctionDef]:
        """The functions and methods."""
        return [n for n in self.nodes if isinstance(n, ast.FunctionDef)]

    def all_in(self, node: ast.AST) -> list[ast.AST]:
        """Everything in a node, and in the functions and methods of the module that it calls."""
        found: list[ast.AST] = []
        waiting, seen = [node], {node}
        while waiting:
            inside = list(ast.walk(waiting.pop()))
            found += inside
            names = set(called_in(inside))
            called = [f for f in self.defined if f.name in names and f not in seen]
            seen.update(called)
            waiting += called
        return found

    @cached_property
    def called(self) -> Counter[str]:
        """How often each function is called, by its name."""
        return Counter(called_in(self.nodes))

    @cached_property
    def targets(self) -> frozenset[str]:
        """The names that are given a value."""
        return frozenset(map(last_part, targets(self.nodes)))

    def is_open(self, function: ast.AST, call: ast.AST) -> bool:
        """Whether a function's lines are steps of the computation in this call."""
        if not isinstance(function, ast.FunctionDef):
            return False
        if function not in self.with_steps:
            self.with_steps[function] = self._has_steps(function)
        if not self.with_steps[function] or not isinstance(call, ast.Call):
            return self.with_steps[function]  # not called: read with what its parameters name
        names = [p.arg for p in function.args.args if p.arg != "self"]
        given = [one.id if isinstance(one, ast.Name) else "" for one in call.args]
        return given == names or self.called[function.name] <= 1

    def _has_steps(self, function: ast.FunctionDef) -> bool:
        local = {last_part(label) for label in targets(ast.walk(function))}
        if any(readings(name, self.task.vocabulary) for name in local):
            return True
        output = self.task.vocabulary.output
        nothing = Vocabulary((), (), output)
        own = {last_part(label) for label in targets(ast.walk(function), computed=True)} - {output}
        found = (readings(name, nothing, own) for name in self.targets)
        return any(reading.kind == "gradient" for of in found for reading in of)
