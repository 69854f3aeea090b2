"""What is asked of Python's syntax trees: labels, calls, returns and blocks in them.

Nodes of a tree come in. A label is what a statement gives a value: `x`, `self.W`, `grads["W1"]`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from gradcli.grading.submission.labels import base_and_key


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
