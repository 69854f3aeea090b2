"""The listing's own functions: which hold steps of the computation, and which are one step.

A module's syntax tree and the task's names come in; `Functions` goes out. A function such as
`sigmoid(z)` is a word for an expression, and a statement that calls it stays one step. A function
such as `forward(x, y)` or `backward(cache)` holds the steps themselves: its lines count as if they
stood in the listing. Which one it is, the names in it tell: steps have names that the task knows,
or that have a gradient somewhere.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

from gradcli.grading.submission.labels import base_and_key, last_part, readings
from gradcli.grading.submission.types import Vocabulary


class Functions:
    """The functions and methods of a module."""

    def __init__(self, tree: ast.Module, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.nodes = list(ast.walk(tree))
        """Everything in the module, walked once."""
        self.defined = [n for n in self.nodes if isinstance(n, ast.FunctionDef)]
        self.counts = Counter(called_in(self.nodes))
        self.targets = frozenset(map(last_part, targets(self.nodes)))

    def all_in(self, node: ast.AST) -> list[ast.AST]:
        """Everything in a node, and in the functions and methods of the module that it calls."""
        found: list[ast.AST] = []
        waiting, seen = [node], {node}
        while waiting:
            inside = list(ast.walk(waiting.pop()))
            found += inside
            names = called_in(inside)
            called = [f for f in self.defined if f.name in names and f not in seen]
            seen.update(called)
            waiting += called
        return found

    def is_open(self, function: ast.AST, call: ast.AST) -> bool:
        """Whether a function's lines are steps of the computation in this call."""
        if not isinstance(function, ast.FunctionDef) or function not in self.with_steps:
            return False
        if not isinstance(call, ast.Call):
            return True  # it is never called, and read with what its parameters name
        names = [p.arg for p in function.args.args if p.arg != "self"]
        given = [one.id if isinstance(one, ast.Name) else "" for one in call.args]
        return given == names or self.counts[function.name] <= 1

    @cached_property
    def with_steps(self) -> frozenset[ast.FunctionDef]:
        """The functions in which names are known to the task, or have a gradient somewhere."""
        return frozenset(filter(self._has_steps, self.defined))

    def _has_steps(self, function: ast.FunctionDef) -> bool:
        local = {last_part(label) for label in targets(ast.walk(function))}
        if any(readings(name, self.vocabulary) for name in local):
            return True
        nothing = Vocabulary((), (), self.vocabulary.output)
        own = {last_part(label) for label in targets(ast.walk(function), computed=True)}
        own -= {self.vocabulary.output}
        found = (readings(name, nothing, own) for name in self.targets)
        return any(reading.kind == "gradient" for of in found for reading in of)


def called_in(nodes: Iterable[ast.AST]) -> list[str]:
    """The names of the functions and methods that are called among some nodes."""
    called = (n.func for n in nodes if isinstance(n, ast.Call))
    return [getattr(f, "id", getattr(f, "attr", "")) for f in called]


def parameters(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    """The names of a function's positional parameters."""
    return [p.arg for p in (*function.args.posonlyargs, *function.args.args)]


def returns_of(node: ast.AST) -> list[ast.Return]:
    """Every `return` in a node."""
    return [n for n in ast.walk(node) if isinstance(n, ast.Return)]


def labels_in(node: ast.AST) -> set[str]:
    """The labels of all expressions in a node."""
    return {label_of(n) for n in ast.walk(node) if isinstance(n, ast.expr)} - {""}


def label_of(target: ast.AST) -> str:
    """What is assigned to, as a label: `x`, `self.W`, `grads["W1"]`; of elements the array's."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return f"{label_of(target.value)}.{target.attr}"
    if isinstance(target, ast.Subscript):
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        base = label_of(target.value)
        return f'{base}["{key}"]' if isinstance(key, str) else base
    return ""


def whole_label(name: str) -> str:
    """The label of a step's name: of elements the array's."""
    return name if base_and_key(name) is not None else name.partition("[")[0]


def targets(nodes: Iterable[ast.AST], *, computed: bool = False) -> Iterator[str]:
    """The labels that are given a value, those of functions inside among them.

    With `computed` only those whose value is an expression, not just another name for one.
    """
    for node in nodes:
        if isinstance(node, ast.Assign):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            alias = all(isinstance(v, ast.Name) for v in values) or isinstance(node.value, ast.Dict)
            if computed and alias:
                continue
            for target in node.targets:
                parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                yield from map(label_of, parts)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            yield label_of(node.target)
        elif isinstance(node, ast.Dict) and not computed:
            for key in node.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def blocks_of(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """All lists of statements."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block
