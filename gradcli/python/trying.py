"""`try`, `raise`, `with`: what Python raises, and which handler takes it.

A statement comes in, how it ended comes out.

A value that is only not read is no exception of the text's: it stays unknown. What Python itself
would raise (a missing key, a division of whole numbers by zero, a `raise`) goes to the handler.
"""

from __future__ import annotations

import ast
from typing import Any

from gradcli.python.assignments import GOES_ON, RETURN
from gradcli.python.builtins import EXCEPTIONS
from gradcli.python.statements import Handler, Statements
from gradcli.python.values import (
    Builtin,
    Class,
    Instance,
    Unknown,
    Unread,
    Value,
)


def _try(reader: Statements, node: ast.Try) -> int:
    end = GOES_ON
    try:
        reader.trying += bool(node.handlers)
        try:
            end = reader.run(node.body)
        finally:
            reader.trying -= bool(node.handlers)
        if end == GOES_ON:
            end = reader.run(node.orelse)
    except Unread as stop:
        handler = _handler(reader, node, stop.unknown)
        if handler is None:
            reader.run(node.finalbody)
            raise
        if handler.name is not None:
            reader.set_name(handler.name, stop.unknown.message)
        caught, reader.caught = reader.caught, stop.unknown
        try:
            end = reader.run(handler.body)
        finally:
            reader.caught = caught
    return reader.run(node.finalbody) or end


def _handler(reader: Statements, node: ast.Try, raised: Unknown) -> ast.ExceptHandler | None:
    """The handler for an exception, None where none is for it."""
    for handler in node.handlers:
        if handler.type is None:
            return handler if raised.raised else None
        wanted = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if raised.raised and any(_is_for(reader, reader.soft(w), raised.raised) for w in wanted):
            return handler
    return None


def _is_for(reader: Statements, wanted: Value, raised: str) -> bool:
    """Whether an exception by the name `raised` is one of a kind."""
    names = [getattr(wanted, "name", "")]
    own = reader.exceptions.get(raised)
    if own is not None:
        return isinstance(wanted, Class | Builtin) and _comes_of(reader, own, wanted)
    kind, of = EXCEPTIONS.get(names[0]), EXCEPTIONS.get(raised)
    return kind is not None and (of is None or issubclass(of, kind))


def _comes_of(reader: Statements, one: Value, other: Value) -> bool:
    if one == other:
        return True
    if isinstance(one, Builtin) and isinstance(other, Builtin):
        mine, theirs = EXCEPTIONS.get(one.name), EXCEPTIONS.get(other.name)
        return mine is not None and theirs is not None and issubclass(mine, theirs)
    return isinstance(one, Class) and any(_comes_of(reader, b, other) for b in one.bases)


def _raise(reader: Statements, node: ast.Raise) -> int:
    if node.exc is None and reader.caught is not None:
        found = reader.caught
    else:
        of = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        kind = None if of is None else reader.soft(of)
        kind = kind.of if isinstance(kind, Instance) else kind
        name = getattr(kind, "name", "") or "Exception"
        if isinstance(kind, Class):
            reader.exceptions[name] = kind
        found = Unknown(f"the text raises an error here: {name}", reader.span(node), raised=name)
    if reader.trying:
        raise Unread(found)
    reader.result = found
    return RETURN


def _with(reader: Statements, node: ast.With) -> int:
    entered: list[Instance] = []
    for item in node.items:
        of = reader.soft(item.context_expr)
        given: Value = Unknown("what 'with' gives is not read")
        if isinstance(of, Instance):
            found = reader.call_method(of, "__enter__", [], node)
            if found is not NotImplemented:
                entered.append(of)
                given = found
        if item.optional_vars is not None:
            reader.bind(item.optional_vars, given)
    end = reader.run(node.body)
    for of in reversed(entered):
        reader.call_method(of, "__exit__", [None, None, None], node)
    return end


def _assert(reader: Statements, node: ast.Assert) -> int:
    value = reader.soft(node.test)
    if isinstance(value, Unknown):
        return GOES_ON
    if not reader.truth(value, "an assertion"):
        if reader.trying:
            why = "this assertion does not hold"
            raise Unread(Unknown(why, reader.span(node), raised="AssertionError"))
        reader.note("assert", node, "this assertion does not hold")
    return GOES_ON


def _delete(reader: Statements, node: ast.Delete) -> int:
    for target in node.targets:
        if isinstance(target, ast.Name):
            reader.scope.names.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            _delete_element(reader, reader.value(target.value), reader.value(target.slice))
    return GOES_ON


def _delete_element(reader: Statements, of: Value, index: Any) -> None:
    if isinstance(of, dict):
        of.pop(reader.key(index), None)
    elif isinstance(of, list):
        reader.budget.spend(len(of) // 50)
        del of[index if isinstance(index, slice) else reader.whole(index)]


HANDLERS: dict[type[ast.stmt], Handler] = {
    ast.Try: _try,
    ast.Raise: _raise,
    ast.With: _with,
    ast.Assert: _assert,
    ast.Delete: _delete,
}
