"""Outside of `gradcli/ops/` no operation is told by its name: a row says what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradcli
from gradcli import ops

PACKAGE = Path(gradcli.__file__).parent
NAMES = {row.name for row in ops.TABLE}

NAMED = re.compile(r"\b(operation|row|op)\.name\b")
EXCEPTIONS = {
    # A method for each row whose spelling in NumPy is decided by shapes.
    ("export/numpy/calls.py", "getattr(self, f'_{operation.name}', spelled)"),
    # mpmath's own function, where a row names none.
    ("check/mpmath_ops.py", "getattr(mp, given or operation.name)"),
    # A dictionary of all rows, made a line above from the table itself.
    ("report/reference/operations.py", "titles[row.name]"),
}


def of_operation(node: ast.AST) -> bool:
    """Whether an expression is the name of an operation: `node.operation.name`, `row.name`."""
    if not (isinstance(node, ast.Attribute) and node.attr == "name"):
        return False
    owner = node.value
    word = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return word in {"operation", "row", "op"}


def constants(node: ast.AST) -> bool:
    """Whether an expression is names of rows, or a collection that is written in capitals."""
    if isinstance(node, ast.Name | ast.Attribute):
        word = node.id if isinstance(node, ast.Name) else node.attr
        return word.isupper()
    return any(isinstance(n, ast.Constant) and n.value in NAMES for n in ast.walk(node))


def told_apart(tree: ast.AST) -> Iterator[ast.AST]:
    """Where an operation's name decides: compared, matched, looked up."""
    aliases = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and of_operation(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def is_name(node: ast.AST) -> bool:
        return of_operation(node) or (isinstance(node, ast.Name) and node.id in aliases)

    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = (left, *others)
                found = any(map(is_name, sides)) and any(map(constants, sides))
            case ast.Match(subject=subject):
                found = any(map(is_name, ast.walk(subject)))
            case ast.Subscript(slice=index):
                found = is_name(index)
            case ast.Call(func=ast.Attribute(attr="get"), args=[first, *_]):
                found = is_name(first)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, word, *_]):
                found = any(map(is_name, ast.walk(word)))
            case _:
                found = False
        if found:
            yield node


def test_no_name_of_an_operation_is_compared_elsewhere() -> None:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        text = path.read_text(encoding="utf-8")
        if place.parts[0] != "ops" and NAMED.search(text):
            tree = ast.parse(text)
            found |= {(place.as_posix(), ast.unparse(node)) for node in told_apart(tree)}
    assert found == EXCEPTIONS


@pytest.mark.parametrize(
    "text",
    [
        'if node.operation.name == "matmul": pass',
        'x = operation.name not in ("neg", "square")',
        "x = row.name in FAMILY",
        "x = TABLE[operation.name]",
        "x = TABLE.get(row.name)",
        "name = row.name\nif name == 'add': pass",
        "match operation.name, 1:\n    case 'sum', 1: pass",
    ],
)
def test_a_comparison_is_found(text: str) -> None:
    assert list(told_apart(ast.parse(text)))
