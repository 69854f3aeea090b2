"""The arguments of a function that is called without any: the task's values, by name.

A task and a function come in; the arguments go out, as fresh arrays, so that a function that
changes them changes nothing else.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.grading.model.task import Task


class NoValueError(Exception):
    """A parameter that is no name of the task."""


def arguments_of(task: Task, function: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments. Raises `NoValueError`."""
    call = task.lines.call
    if call is not None:
        tree = ast.parse(call.text).body[0]
        assert isinstance(tree, ast.Assign | ast.Expr)
        assert isinstance(tree.value, ast.Call)
        named = {k.arg: _value(task, k.value) for k in tree.value.keywords if k.arg is not None}
        return [_value(task, one) for one in tree.value.args], named
    args: list[Any] = []
    named = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = _of_node(task, name)
        if value is None and parameter.default is not parameter.empty:
            continue
        if value is None:
            raise NoValueError(f"its parameter '{name}' is no name of the task: hand it over")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            named[name] = value
    return args, named


def _of_node(task: Task, name: str) -> Any:
    """The task's value of a node; None where it has no such node."""
    found = task.flow.values.get(name)
    return None if found is None else np.array(found, dtype=np.float64)[()]


def _value(task: Task, tree: ast.expr) -> Any:
    """The value of an argument: names of the task in tuples, lists and dictionaries."""
    match tree:
        case ast.Name(id=name):
            value = _of_node(task, name)
            if value is None:
                raise NoValueError(f"'{name}' is no name of the task")
            return value
        case ast.Tuple(elts=parts):
            return tuple(_value(task, part) for part in parts)
        case ast.List(elts=parts):
            return [_value(task, part) for part in parts]
        case ast.Dict(keys=keys, values=values):
            return {
                ast.literal_eval(k): _value(task, v)
                for k, v in zip(keys, values, strict=True)
                if k is not None
            }
        case _:
            return ast.literal_eval(tree)
