"""Statements: what changes names, and the ways through a text."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from gradcli.python import spellings
from gradcli.python.assignments import BREAK, CONTINUE, GOES_ON, RETURN, Assignments
from gradcli.python.core import PLAIN_ERRORS
from gradcli.python.limits import DEEPEST
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Method,
    Scalar,
    Scope,
    Unknown,
    Unread,
    Value,
    unread,
)

HARMLESS_CALLS = frozenset(["print", "display", "input"])


class Statements(Assignments):
    """`run(body)` goes through statements."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.result: Value = None
        """What the function has returned that was called last."""
        self.handlers: dict[type[ast.stmt], Callable[[Any], int]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.For: self._for,
            ast.While: self._while,
            ast.If: self._if,
            ast.FunctionDef: self._def,
            ast.ClassDef: self._class,
            ast.Return: self._return,
            ast.Assert: self._assert,
            ast.Delete: self._delete,
            ast.With: self._with,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Raise: self._raise,
            ast.Try: self._try,
            ast.Pass: lambda _node: GOES_ON,
            ast.Break: lambda _node: BREAK,
            ast.Continue: lambda _node: CONTINUE,
        }

    def run(self, body: list[ast.stmt]) -> int:
        """Go through statements; how the last one ended."""
        for statement in body:
            end = self.one(statement)
            if end != GOES_ON:
                return end
        return GOES_ON

    def one(self, node: ast.stmt) -> int:
        """One statement. What it can't read makes unknown what it was to change."""
        self.budget.spend()
        self.budget.depth += 1
        try:
            if self.budget.depth > DEEPEST:
                raise self.budget.exceeded("calls or loops inside of one another, too deep")
            handler = self.handlers.get(type(node))
            if handler is None:
                raise unread(f"this statement ({type(node).__name__}) is not read")
            return handler(node)
        except Unread as stop:
            found = stop.unknown
            if found.span is None:
                found = Unknown(found.message, self.span(node), found.hint, found.kind)
        except PLAIN_ERRORS as error:
            found = Unknown(f"Python stops here: {error}"[:200], self.span(node))
        finally:
            self.budget.depth -= 1
        return self.lose(node, found)

    def lose(self, node: ast.stmt, why: Unknown) -> int:
        """Everything that a statement may change is unknown; a function that returns gives it."""
        for name in _changed(node):
            self.set_name(name, why)
            self.reading.unknown.append((name, why))
        for target in _stored(node):
            self._spoil(target, why)
        if any(isinstance(n, ast.Return) for n in ast.walk(node)) and not isinstance(
            node, ast.FunctionDef | ast.ClassDef
        ):
            self.result = why
            return RETURN
        return GOES_ON

    def _spoil(self, target: ast.expr, why: Unknown) -> None:
        """An element or attribute that was to be stored into: what holds it is not known."""
        if isinstance(target, ast.Attribute):
            of = self.soft(target.value)
            if isinstance(of, Instance):
                of.names[target.attr] = why
        elif isinstance(target, ast.Subscript):
            of = self.soft(target.value)
            if isinstance(of, dict):
                key = self.soft(target.slice)
                if isinstance(key, str | int | tuple):
                    of[key] = why
                    return
            if isinstance(target.value, ast.Name):
                self.set_name(target.value.id, why)
                self.reading.unknown.append((target.value.id, why))

    # --- loops and branches ---

    def _for(self, node: ast.For) -> int:
        items = self.value(node.iter)
        depth = len(self.turns)
        for i, item in enumerate(self.iterated(items, self.where(node.iter))):
            self.bind(node.target, item)
            self.turns[depth:] = [self._turn(node.target, item, i)]
            end = self.run(node.body)
            if end == RETURN:
                del self.turns[depth:]
                return end
            if end == BREAK:
                break
        else:
            del self.turns[depth:]
            return self.run(node.orelse)
        del self.turns[depth:]
        return GOES_ON

    def _turn(self, target: ast.expr, item: Value, i: int) -> tuple[str, Any]:
        """The variable of a loop and its value, as a step remembers it."""
        if isinstance(target, ast.Name) and isinstance(item, int | str):
            return target.id, item
        if isinstance(target, ast.Tuple) and isinstance(item, tuple):
            for one, part in zip(target.elts, item, strict=False):
                if isinstance(one, ast.Name) and isinstance(part, int | str):
                    return one.id, part
        return "turn", i + 1

    def _while(self, node: ast.While) -> int:
        depth, turn = len(self.turns), 0
        while self.branch(node.test):
            turn += 1
            self.budget.spend()
            self.turns[depth:] = [("turn", turn)]
            end = self.run(node.body)
            if end in (RETURN, BREAK):
                del self.turns[depth:]
                return RETURN if end == RETURN else GOES_ON
        del self.turns[depth:]
        return self.run(node.orelse)

    def _if(self, node: ast.If) -> int:
        return self.run(node.body if self.branch(node.test) else node.orelse)

    def _with(self, node: ast.With) -> int:
        for item in node.items:
            if item.optional_vars is not None:
                self.bind(item.optional_vars, Unknown("what 'with' gives is not read"))
        return self.run(node.body)

    def _try(self, node: ast.Try) -> int:
        self.note("try", node, "only what is tried is read, not what catches errors")
        end = self.run(node.body)
        if end == GOES_ON:
            end = self.run(node.orelse)
        return self.run(node.finalbody) or end

    def _raise(self, node: ast.Raise) -> int:
        self.result = Unknown("the text raises an error here", self.span(node))
        return RETURN

    # --- definitions ---

    def _def(self, node: ast.FunctionDef) -> int:
        function = self.function_of(node.name, node)
        for one in node.decorator_list:
            name = getattr(one, "id", getattr(one, "attr", ""))
            if name in ("staticmethod", "classmethod", "property"):
                function.kind = name
            else:
                self.note("decorator", node, f"the decorator of {node.name} is passed over")
        self.scope.names[node.name] = function
        return GOES_ON

    def _class(self, node: ast.ClassDef) -> int:
        outer = self.scope
        bases = [self.soft(b) for b in node.bases]
        self.scope = Scope(outer, outer.function)
        try:
            self.run(node.body)
            names = self.scope.names
        finally:
            self.scope = outer
        for value in names.values():
            if isinstance(value, Function) and value.scope.outer is outer:
                value.scope = outer
        known = all(isinstance(b, Class) for b in bases)
        self.scope.names[node.name] = Class(node.name, bases, names, known)
        return GOES_ON

    def _return(self, node: ast.Return) -> int:
        self.result = None if node.value is None else self.soft(node.value)
        return RETURN

    def _global(self, node: ast.Global) -> int:
        self.scope.shared |= dict.fromkeys(node.names, self.scope.module)
        return GOES_ON

    def _nonlocal(self, node: ast.Nonlocal) -> int:
        for name in node.names:
            scope = self.scope.outer
            while scope is not None and name not in scope.names:
                scope = scope.outer
            if scope is not None:
                self.scope.shared[name] = scope
        return GOES_ON

    def _import(self, node: ast.Import) -> int:
        for one in node.names:
            self.imported.add(one.name.split(".")[0])
            name = one.asname or one.name.split(".")[0]
            self.scope.names[name] = Library(one.name if one.asname else name)
        return GOES_ON

    def _import_from(self, node: ast.ImportFrom) -> int:
        path = node.module or ""
        self.imported.add(path.split(".")[0])
        for one in node.names:
            if one.name == "*":
                self._all_of(path)
                continue
            if path.split(".")[0] == "typing" or path == "__future__":
                self.scope.names[one.asname or one.name] = Builtin("typing", one.name)
            else:
                found = self._of_library(Library(path), one.name)
                self.scope.names[one.asname or one.name] = found
        return GOES_ON

    def _all_of(self, path: str) -> None:
        """`from numpy import *`: the names that a text of mathematics uses."""
        if path in spellings.ARRAYS:
            for name in sorted(
                spellings.PLAIN - {"all", "any", "abs", "sum", "max", "min", "round"}
            ):
                self.scope.names.setdefault(name, Builtin(path, name))
            for name in ("array", "zeros_like", "ones_like", "dot", "pi", "e", "exp", "tanh"):
                self.scope.names.setdefault(name, self._of_library(Library(path), name))

    # --- the rest ---

    def _assert(self, node: ast.Assert) -> int:
        value = self.soft(node.test)
        known = not isinstance(value, Unknown)
        if known and not isinstance(value, Array | Scalar) and not self.truth(value):
            self.note("assert", node, "this assertion does not hold")
        return GOES_ON

    def _delete(self, node: ast.Delete) -> int:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.names.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                of = self.value(target.value)
                if isinstance(of, dict):
                    of.pop(self.key(self.value(target.slice)), None)
                elif isinstance(of, list):
                    del of[self.whole(self.value(target.slice))]
        return GOES_ON

    def _expression(self, node: ast.Expr) -> int:
        """A call that stands alone: what it changes counts; what can't be read is passed over."""
        if isinstance(node.value, ast.Constant):
            return GOES_ON
        try:
            found = self.value(node.value)
        except Unread as stop:
            self._passed_over(node, stop.unknown)
            return GOES_ON
        self.stands_alone(found, node)
        return GOES_ON

    def stands_alone(self, value: Value, node: ast.Expr) -> None:
        """The value of an expression that no name gets."""

    def _passed_over(self, node: ast.Expr, why: Unknown) -> None:
        """A call that is not read: what it was given may have been changed by it."""
        call = node.value
        function = self.soft(call.func) if isinstance(call, ast.Call) else None
        self.note("passed-over", node, why.message)
        if not isinstance(call, ast.Call) or _is_harmless(function):
            return
        inside = isinstance(function, Function | Class) or (
            isinstance(function, Method) and isinstance(function.of, Instance | list | dict | Array)
        )
        given = [self.soft(a) for a in call.args if not isinstance(a, ast.Starred)]
        if isinstance(function, Method):
            given.append(function.of)
        if inside or isinstance(function, Unknown):
            for value in given:
                self._lost(value, why)

    def _lost(self, value: Value, why: Unknown) -> None:
        """What is in a value that something unread may have changed."""
        for scope in (self.scope, self.scope.module):
            for name, held in list(scope.names.items()):
                if held is value and isinstance(value, Array | list | dict):
                    scope.names[name] = why
        if isinstance(value, Instance):
            value.names = dict.fromkeys(value.names, why)


def _is_harmless(function: Value) -> bool:
    path = function.library if isinstance(function, Builtin) else ""
    if isinstance(function, Library):
        path = function.path
    if isinstance(function, Builtin) and not path:
        return function.name in HARMLESS_CALLS
    return any(path == h or path.startswith(f"{h}.") for h in spellings.HARMLESS) or bool(path)


def _changed(node: ast.stmt) -> list[str]:
    """The names that a statement may give a value, those of its functions not counted."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    found: dict[str, None] = {}
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            found[one.name] = None
            continue
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del):
            found[one.id] = None
        waiting += ast.iter_child_nodes(one)
    return list(found)


def _stored(node: ast.stmt) -> list[ast.expr]:
    """The elements and attributes that a statement may store into."""
    return [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store)
    ]
