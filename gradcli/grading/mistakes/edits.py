"""Edits of Python's syntax trees: one expression or statement in, others like it out.

Each edit comes with the tags of the mistakes that it would undo. The trees that come in stay as
they are; what comes out shares their unchanged parts.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any


def of_part(part: ast.AST) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """Changes of one expression inside of a statement."""
    match part:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield ("sign",), inner
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            flips = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
            if type(op) in flips:
                yield ("wrong-rule",), ast.Compare(left, [flips[type(op)]()], [right])
        case ast.BinOp(left=left, op=op, right=right):
            swapped: dict[type, Any] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
            if type(op) in swapped:
                yield ("sign",), ast.BinOp(left, swapped[type(op)](), right)
                yield ("sign",), ast.BinOp(right, op, left)
            if isinstance(op, ast.Mult | ast.Div):
                yield ("mean-for-sum", "factor", "wrong-rule"), left
                other = ast.Div() if isinstance(op, ast.Mult) else ast.Mult()
                yield ("wrong-rule",), ast.BinOp(left, other, right)
            if isinstance(op, ast.MatMult):
                yield ("transpose",), ast.BinOp(right, op, left)
            if isinstance(op, ast.Pow):
                yield ("wrong-rule",), left
                yield ("wrong-rule",), ast.BinOp(left, op, ast.UnaryOp(ast.USub(), right))
                yield ("wrong-rule",), ast.BinOp(left, op, parsed("__x__ - 1", right))
            if isinstance(op, ast.Mult) and isinstance(left, ast.Constant):
                yield ("wrong-rule",), parsed("__x__**2", right)
            match (op, left):
                case ast.Mult(), ast.BinOp(left=first, op=ast.Mult(), right=ast.Constant()):
                    squared = parsed("__x__**2", right)
                    yield ("wrong-rule",), ast.BinOp(first, ast.Mult(), squared)
        case ast.Call(func=function, args=[first, second], keywords=[]):
            name = getattr(function, "attr", "")
            if name in ("dot", "matmul", "outer"):
                yield ("transpose",), ast.Call(function, [second, first], [])
        case ast.Slice(step=ast.UnaryOp(op=ast.USub())):
            yield ("same-operand", "wrong-place"), ast.Slice()
        case ast.Attribute(value=inner, attr="T"):
            yield ("transpose", "shape"), inner
        case ast.Subscript(value=of, slice=ast.Name() | ast.BinOp() as at, ctx=ast.Load()):
            for form in ("__x__ + 1", "__x__ - 1"):
                yield (
                    ("same-operand", "wrong-place"),
                    ast.Subscript(of, parsed(form, at), ast.Load()),
                )
        case ast.Constant(value=int() | float() as number):
            for factor in (number * 2, number / 2, -number, number + 1, number - 1):
                yield ("factor", "wrong-rule"), ast.Constant(factor)
    if _is_read(part):
        yield ("wrong-rule", "wrong-place"), parsed("__x__**2", part)
        yield ("transpose", "shape"), parsed("__x__.T", part)


def _is_read(part: ast.AST) -> bool:
    """Whether a part is a name, an attribute or an entry whose value is read."""
    if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
        return False
    own = ast.unparse(part)
    module = own in ("np", "self", "math") or own.startswith("np.")
    return isinstance(part.ctx, ast.Load) and not module


def with_atoms(part: ast.AST, atoms: list[str]) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """A part exchanged for, or joined with, something else of its shape."""
    if not _is_read(part):
        return
    own = ast.unparse(part)
    if atoms:
        yield ("wrong-rule", "wrong-place", "missing-local"), parsed("(__x__ > 0)", part)
    for atom in atoms:
        if atom != own:
            yield ("same-operand", "wrong-place"), parsed(atom, part)
    for atom in atoms:
        if atom != own:
            yield ("dropped-path",), parsed(f"(__x__ + {atom})", part)


def parsed(text: str, inner: Any) -> ast.expr:
    """An expression with another in the place of `__x__`."""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.Name) and tree.id == "__x__":
        same_tree: ast.expr = copy.deepcopy(inner)
        return same_tree

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return copy.deepcopy(inner) if node.id == "__x__" else node

    found: ast.expr = Put().visit(tree)
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
    result = copy.copy(tree)
    for field, old in ast.iter_fields(tree):
        if isinstance(old, ast.AST):
            changed = replaced(old, part, new)
            if changed is not old:
                setattr(result, field, changed)
                return result
        elif isinstance(old, list):
            for i, one in enumerate(old):
                if isinstance(one, ast.AST):
                    changed = replaced(one, part, new)
                    if changed is not one:
                        setattr(result, field, [*old[:i], changed, *old[i + 1 :]])
                        return result
    return tree
