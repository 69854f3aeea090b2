"""What Python writes around a value and the project's own language does not.

A statement's tree comes in and is freed, in place, of calls that change nothing but the type or
the digits: `np.array([1, 2])`, `x.copy()`, `float(x)` and `np.round(x, 4)` are their arguments.
What would change numbers is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcli.diagnostics.source import Source
from gradcli.grading.submission.python.tokens import refused
from gradcli.syntax.tree import (
    Call,
    Name,
    Number,
    Statement,
    Tree,
    postorder,
)

_SAME = frozenset({"array", "asarray", "copy", "asfarray", "ascontiguousarray"})
_CASTS = frozenset({"float", "float64", "float32", "double", "astype", "item"})
_METHODS_ONLY = frozenset({"astype"})
_ROUNDED = frozenset({"round", "around", "round_"})
_TYPES = frozenset({"float", "float64", "float32", "double", "f", "d", "f4", "f8"})
_WHOLE = frozenset({"int", "int32", "int64", "i"})


def unwrapped(statement: Statement, source: Source, own: frozenset[str]) -> Statement:
    """The statement with `np.array(…)` and the like replaced by their arguments, in place.

    `own` are the listing's own functions. Raises `GradcliError` of kind submission.
    """
    if not any(isinstance(node, Call) for node in postorder(statement)):
        return statement
    replaced: dict[int, Tree] = {}
    for node in list(postorder(statement)):
        if replaced:
            _replace_children(node, replaced)
        if isinstance(node, Call) and (node.qualified or node.name not in own):
            inner = _inner(node, source)
            if inner is not node:
                replaced[id(node)] = inner
    return statement


def _replace_children(node: Tree, replaced: Mapping[int, Tree]) -> None:
    for slot in type(node).__slots__:
        part = getattr(node, slot)
        if isinstance(part, Tree):
            setattr(node, slot, replaced.get(id(part), part))
        elif isinstance(part, tuple) and any(id(element) in replaced for element in part):
            setattr(node, slot, tuple(replaced.get(id(element), element) for element in part))


def _inner(call: Call, source: Source) -> Tree:
    """The argument of a call that changes nothing but the type; else the call."""
    name, arguments = call.name, call.arguments
    positional = len(arguments) - len(call.keywords)
    if "dtype" in call.keywords:
        call = _without_dtype(call, source)
        arguments = call.arguments
    if name in _SAME or (name in _CASTS and (positional == 1 or name in _METHODS_ONLY)):
        most = 2 if name in _SAME or name in _METHODS_ONLY else 1
        if 1 <= positional <= most and (len(arguments) == positional):
            if positional == 2:
                _check_type(arguments[1], arguments[0], source)
            return arguments[0]
        hint = f"np.{name}([…]) alone" if name in _SAME else None
        message = f"these arguments of '{name}' are not read"
        raise refused(source, call.span, message, hint)
    if name in _ROUNDED and len(arguments) == 2:  # to some digits: for whoever reads them
        return arguments[0]
    return call


def _without_dtype(call: Call, source: Source) -> Call:
    """The call without its `dtype=`; a type that would change numbers is refused."""
    first = len(call.arguments) - len(call.keywords)
    at = first + call.keywords.index("dtype")
    _check_type(call.arguments[at], call.arguments[0], source)
    call.arguments = call.arguments[:at] + call.arguments[at + 1 :]
    call.keywords = tuple(word for word in call.keywords if word != "dtype")
    return call


def _check_type(given: Tree, of: Tree, source: Source) -> None:
    name = given.name if isinstance(given, Name) else ""
    if name in _TYPES:
        return
    numbers = [node for node in postorder(of) if not node.children()]
    whole = all(isinstance(n, Number) and n.value.is_integer() for n in numbers)
    if name in _WHOLE and whole:
        return
    message = f"the type '{name}' is not read" if name else "this type is not read"
    raise refused(source, given.span, message, "all numbers are floats here")
