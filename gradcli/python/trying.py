"""`try`, `raise`, `with`: what Python raises, and which handler takes it.

A value that is only not read is no exception of the text's: it stays unknown. What Python itself
would raise (a missing key, a division of whole numbers by zero, a `raise`) goes to the handler.
"""

from __future__ import annotations

import ast
from typing import Any

from gradcli.python.assignments import GOES_ON, RETURN
from gradcli.python.builtins import EXCEPTIONS
from gradcli.python.matching import Matching
from gradcli.python.values import (
    Builtin,
    Class,
    Instance,
    Unknown,
    Unread,
    Value,
)


class Trying(Matching):
    """Exceptions of the text."""

    def _try(self, node: ast.Try) -> int:
        end = GOES_ON
        try:
            self.trying += bool(node.handlers)
            try:
                end = self.run(node.body)
            finally:
                self.trying -= bool(node.handlers)
            if end == GOES_ON:
                end = self.run(node.orelse)
        except Unread as stop:
            handler = self._handler(node, stop.unknown)
            if handler is None:
                self.run(node.finalbody)
                raise
            if handler.name is not None:
                self.set_name(handler.name, stop.unknown.message)
            caught, self.caught = self.caught, stop.unknown
            try:
                end = self.run(handler.body)
            finally:
                self.caught = caught
        return self.run(node.finalbody) or end

    def _handler(self, node: ast.Try, raised: Unknown) -> ast.ExceptHandler | None:
        """The handler for an exception, None where none is for it."""
        for handler in node.handlers:
            if handler.type is None:
                return handler if raised.raised else None
            wanted = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if raised.raised and any(self._is_for(self.soft(w), raised.raised) for w in wanted):
                return handler
        return None

    def _is_for(self, wanted: Value, raised: str) -> bool:
        """Whether an exception by the name `raised` is one of a kind."""
        names = [getattr(wanted, "name", "")]
        own = self.exceptions.get(raised)
        if own is not None:
            return isinstance(wanted, Class | Builtin) and self._comes_of(own, wanted)
        kind, of = EXCEPTIONS.get(names[0]), EXCEPTIONS.get(raised)
        return kind is not None and (of is None or issubclass(of, kind))

    def _comes_of(self, one: Value, other: Value) -> bool:
        if one == other:
            return True
        if isinstance(one, Builtin) and isinstance(other, Builtin):
            mine, theirs = EXCEPTIONS.get(one.name), EXCEPTIONS.get(other.name)
            return mine is not None and theirs is not None and issubclass(mine, theirs)
        return isinstance(one, Class) and any(self._comes_of(b, other) for b in one.bases)

    def _raise(self, node: ast.Raise) -> int:
        if node.exc is None and self.caught is not None:
            found = self.caught
        else:
            of = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            kind = None if of is None else self.soft(of)
            kind = kind.of if isinstance(kind, Instance) else kind
            name = getattr(kind, "name", "") or "Exception"
            if isinstance(kind, Class):
                self.exceptions[name] = kind
            found = Unknown(f"the text raises an error here: {name}", self.span(node), raised=name)
        if self.trying:
            raise Unread(found)
        self.result = found
        return RETURN

    def _with(self, node: ast.With) -> int:
        entered: list[Instance] = []
        for item in node.items:
            of = self.soft(item.context_expr)
            given: Value = Unknown("what 'with' gives is not read")
            if isinstance(of, Instance):
                found = self.call_method(of, "__enter__", [], node)
                if found is not NotImplemented:
                    entered.append(of)
                    given = found
            if item.optional_vars is not None:
                self.bind(item.optional_vars, given)
        end = self.run(node.body)
        for of in reversed(entered):
            self.call_method(of, "__exit__", [None, None, None], node)
        return end

    def _assert(self, node: ast.Assert) -> int:
        value = self.soft(node.test)
        if isinstance(value, Unknown):
            return GOES_ON
        if not self.truth(value, "an assertion"):
            if self.trying:
                why = "this assertion does not hold"
                raise Unread(Unknown(why, self.span(node), raised="AssertionError"))
            self.note("assert", node, "this assertion does not hold")
        return GOES_ON

    def _delete(self, node: ast.Delete) -> int:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.names.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                self._delete_element(self.value(target.value), self.value(target.slice))
        return GOES_ON

    def _delete_element(self, of: Value, index: Any) -> None:
        if isinstance(of, dict):
            of.pop(self.key(index), None)
        elif isinstance(of, list):
            self.budget.spend(len(of) // 50)
            del of[index if isinstance(index, slice) else self.whole(index)]
