"""Edits of Python's syntax trees: what a student may have meant instead.

An expression or a statement comes in, others like it go out, each with the tags of the mistakes
that it would undo. The trees that come in stay as they are; what goes out shares their parts.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

Edits: TypeAlias = tuple[tuple[str, ...], ...]
"""Of each edit: tags, the form of an expression, and what may stand in its place."""

EDITS: Edits = (
    ("sign", "-a", "a"),
    ("wrong-rule", "a > b", "a < b"),
    ("wrong-rule", "a < b", "a > b"),
    ("wrong-rule", "a >= b", "a <= b"),
    ("wrong-rule", "a <= b", "a >= b"),
    ("sign", "a + b", "a - b"),
    ("sign", "a - b", "a + b", "b - a"),
    ("mean-for-sum factor wrong-rule", "a * b", "a"),
    ("wrong-rule", "a * b", "a / b"),
    ("mean-for-sum factor wrong-rule", "a / b", "a"),
    ("wrong-rule", "a / b", "a * b"),
    ("transpose", "a @ b", "b @ a"),
    ("wrong-rule", "a**b", "a", "a**-b", "a ** (b - 1)"),
    ("wrong-rule", "c * a", "a**2"),
    ("wrong-rule", "a * c * b", "a * b**2"),
    ("transpose", "f.dot(a, b)", "f.dot(b, a)"),
    ("transpose", "f.matmul(a, b)", "f.matmul(b, a)"),
    ("transpose", "f.outer(a, b)", "f.outer(b, a)"),
    ("same-operand wrong-place", "::-a", ":"),
    ("transpose shape", "a.T", "a"),
    ("same-operand wrong-place", "a[i]", "a[i + 1]", "a[i - 1]"),
    ("factor wrong-rule", "n", "n * 2", "n / 2", "-n", "n + 1", "n - 1"),
    ("wrong-rule wrong-place", "v", "v**2"),
    ("transpose shape", "v", "v.T"),
)
"""Changes of one expression inside of a statement."""
TURNS: Edits = (
    ("transpose", "a @ b", "a.T @ b", "a @ b.T", "a.T @ b.T", "b @ a", "b.T @ a", "b @ a.T"),
    *(
        ("transpose", f"f.{name}(a, b)", "np.dot(a.T, b)", "np.dot(a, b.T)", "np.dot(a.T, b.T)",
         "np.dot(b, a)", "np.dot(b.T, a)", "np.dot(b, a.T)")
        for name in ("dot", "matmul")
    ),
    ("transpose", "a.T", "a"),
    ("transpose", "a", "a.T"),
)  # fmt: skip
"""A transpose put to, or taken from, an expression or the factors of its matrix product."""


def edited(part: ast.AST, edits: Edits = EDITS) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """An expression with each of the edits that fit it."""
    for tags, form, *others in edits:
        found: dict[str, Any] = {}
        if _fits(_form(form), part, found):
            for other in others:
                yield tuple(tags.split()), _filled(_form(other), found)


@cache
def _form(text: str) -> Any:
    """An expression or a slice from its text."""
    index = ast.parse(f"_[{text}]", mode="eval").body
    assert isinstance(index, ast.Subscript)
    return index.slice


def _fits(form: Any, part: Any, found: dict[str, Any]) -> bool:
    """Whether a part has a form; `found` takes what its letters stand for."""
    if isinstance(form, ast.Name):
        found[form.id] = part
        return isinstance(part, ast.expr) and _LETTERS.get(form.id, bool)(part)
    if isinstance(form, list):
        pairs = zip(form, part, strict=False)
        return len(form) == len(part) and all(_fits(*pair, found) for pair in pairs)
    if not isinstance(form, ast.AST):
        return form is None or bool(form == part)
    return type(form) is type(part) and all(
        _fits(value, getattr(part, field), found) for field, value in ast.iter_fields(form)
    )


def _filled(form: Any, found: Mapping[str, Any]) -> Any:
    """A form with parts for its letters."""
    return _Fill(found).visit(copy.deepcopy(form))


class _Fill(ast.NodeTransformer):
    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    def visit_Name(self, node: ast.Name) -> Any:
        return self.found.get(node.id, node)


def _is_read(part: ast.AST) -> bool:
    """Whether a part is a name, an attribute or an entry whose value is read."""
    if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
        return False
    own = ast.unparse(part)
    module = own in ("np", "self", "math") or own.startswith("np.")
    return isinstance(part.ctx, ast.Load) and not module


_LETTERS: dict[str, Callable[[Any], bool]] = {
    "c": lambda part: isinstance(part, ast.Constant),
    "i": lambda part: isinstance(part, ast.Name | ast.BinOp),
    "n": lambda part: isinstance(part, ast.Constant) and isinstance(part.value, int | float),
    "v": _is_read,
}
"""What the letters of a form stand for, if not for any expression."""


def with_atoms(part: ast.AST, atoms: list[str]) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """A part exchanged for, or joined with, something else of its shape."""
    if not _is_read(part):
        return
    own = ast.unparse(part)
    if atoms:
        yield ("wrong-rule", "wrong-place", "missing-local"), parsed("(__x__ > 0)", part)
    others = [atom for atom in atoms if atom != own]
    yield from ((("same-operand", "wrong-place"), parsed(atom, part)) for atom in others)
    yield from ((("dropped-path",), parsed(f"(__x__ + {atom})", part)) for atom in others)


def parsed(text: str, inner: Any) -> ast.expr:
    """An expression with another in the place of `__x__`."""
    found: ast.expr = _filled(ast.parse(text, mode="eval").body, {"__x__": inner})
    return found


def statement_of(text: str) -> ast.stmt:
    """The one statement that a text holds."""
    return ast.parse(text).body[0]


def with_value(statement: ast.stmt, value: ast.expr) -> ast.stmt:
    """The statement with another right-hand side."""
    new = copy.copy(statement)
    new.value = value  # type: ignore[attr-defined]
    return new


def with_other_sign(statement: ast.stmt) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
    """`+=` for `=`, and the reverse; `-=` for `+=`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            yield ("overwritten",), ast.AugAssign(target, ast.Add(), statement.value)
    elif isinstance(statement, ast.AugAssign):
        op = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
        yield ("sign",), ast.AugAssign(statement.target, op, statement.value)
        yield ("counted-twice", "not-zeroed"), ast.Assign([statement.target], statement.value)


def terms(value: ast.expr) -> list[ast.expr]:
    """The terms of a sum; of a product the whole."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        return [value, *terms(value.left), value.right]
    return [value]


def arrays(value: ast.expr) -> list[ast.expr]:
    """The whole, and the arguments of its calls and products of matrices."""
    found = [value]
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            found += [a for a in node.args if not isinstance(a, ast.Constant | ast.Starred)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            found += [node.left, node.right]
    return list({id(node): node for node in found}.values())[:8]


def product(term: ast.expr, factor: str) -> ast.expr:
    """A term times a factor."""
    return parsed(f"__x__ * {factor}", term)


def replaced(tree: Any, part: ast.AST, new: ast.expr) -> Any:
    """The tree with another part; all else is shared with it."""
    if tree is part:
        return new
    for field, old in ast.iter_fields(tree):
        parts = old if isinstance(old, list) else [old]
        for i, one in enumerate(parts):
            changed = replaced(one, part, new) if isinstance(one, ast.AST) else one
            if changed is not one:
                result = copy.copy(tree)
                several = [*parts[:i], changed, *parts[i + 1 :]]
                setattr(result, field, several if parts is old else changed)
                return result
    return tree
