"""Statements: one comes in, names and arrays are changed, and out comes how it ended.

Here are loops, branches, and calls that stand alone; `definitions`, `trying` and `matching` have
functions for the others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gradcli.diagnostics.error import GradcliError
from gradcli.python import spellings
from gradcli.python.assignments import BREAK, CONTINUE, GOES_ON, RETURN, Assignments
from gradcli.python.core import PLAIN_ERRORS
from gradcli.python.expressions import kind_of
from gradcli.python.limits import DEEPEST
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Method,
    Unknown,
    Unread,
    Value,
    unread,
)

Handler: TypeAlias = Callable[[Any, Any], int]
"""Goes through a statement: takes the interpreter and the statement, gives how it ended."""
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
            ast.While: self._loop,
            ast.If: self._if,
            ast.Return: self._return,
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
                raise unread(f"'{_word(node)}' is not read")
            return handler(node)
        except Unread as stop:
            if self.trying and stop.unknown.raised:
                raise self.placed(stop, node) from None
            found = self.placed(stop, node).unknown
        except GradcliError as error:
            self.locate(error, node)
            raise
        except PLAIN_ERRORS as error:
            text = f"Python stops here: {error}"[:200]
            raised = type(error).__name__
            found = Unknown(text, self.span(node), kind=kind_of(error), raised=raised)
            if self.trying:
                raise Unread(found) from None
        finally:
            self.budget.depth -= 1
        return self.lose(node, found)

    def lose(self, node: ast.stmt, why: Unknown) -> int:
        """Everything that a statement may change is unknown; a function that returns gives it."""
        for name in changed_names(node):
            self.set_name(name, why)
            self.reading.unknown.append((name, why))
        for target in stored_places(node):
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
        return self._loop(node)

    def _loop(self, node: ast.For | ast.While) -> int:
        before, depth = self.budget.share(), len(self.turns)
        try:
            for _ in self.turns_of(node):
                end = self.run(node.body)
                if end in (RETURN, BREAK):
                    return RETURN if end == RETURN else GOES_ON
            return self.run(node.orelse)
        except GradcliError as error:
            self.blame(error, node, node.iter if isinstance(node, ast.For) else node.test, before)
            raise
        finally:
            del self.turns[depth:]

    def turns_of(self, node: ast.For | ast.While) -> Iterator[None]:
        """Each turn of a loop, its variable set."""
        depth, turn = len(self.turns), 0
        if isinstance(node, ast.For):
            for item in self.iterated(self.value(node.iter), self.where(node.iter)):
                self.bind(node.target, item)
                turn += 1
                self.turns[depth:] = [_turn(node.target, item, turn)]
                yield
        else:
            while self.branch(node.test):
                self.budget.spend()
                turn += 1
                self.turns[depth:] = [("turn", turn)]
                yield
        del self.turns[depth:]

    def _if(self, node: ast.If) -> int:
        try:
            while not self.branch(node.test):
                match node.orelse:
                    case [ast.If() as other]:
                        self.budget.spend()
                        node = other
                    case _:
                        return self.run(node.orelse)
        except Unread as stop:
            if self.trying and stop.unknown.raised:
                raise
            return self.lose(node, self.placed(stop, node).unknown)
        return self.run(node.body)

    def _return(self, node: ast.Return) -> int:
        self.result = None if node.value is None else self.soft(node.value)
        return RETURN

    # --- calls that stand alone ---

    def _expression(self, node: ast.Expr) -> int:
        """A call that stands alone: what it changes counts; what can't be read is passed over."""
        if isinstance(node.value, ast.Constant):
            return GOES_ON
        try:
            found = self.value(node.value)
            if found is None and self.as_program:
                self._harmless_note(node)
        except Unread as stop:
            if self.trying and stop.unknown.raised:
                raise
            self._passed_over(node, stop.unknown)
            return GOES_ON
        self.stands_alone(found, node)
        return GOES_ON

    def stands_alone(self, value: Value, node: ast.Expr) -> None:
        """The value of an expression that no name gets."""

    def _harmless_note(self, node: ast.Expr) -> None:
        """Note a call that prints, plots or sets something that moves no number."""
        call = node.value
        if not isinstance(call, ast.Call):
            return
        function = self.soft(call.func)
        seeds = getattr(function, "name", "") in ("seed", "manual_seed")
        if isinstance(function, Builtin | Library) and (_is_harmless(function) or seeds):
            self.note("passed-over", node, f"passed over: {self.written(call.func)}")

    def _passed_over(self, node: ast.Expr, why: Unknown) -> None:
        """A call that is not read: what it was given may have been changed by it."""
        call = node.value
        function = self.soft(call.func) if isinstance(call, ast.Call) else None
        self.note("passed-over", node, f"passed over: {why.message}")
        if not isinstance(call, ast.Call) or _is_harmless(function):
            return
        inside = isinstance(function, Function | Class) or (
            isinstance(function, Method) and isinstance(function.of, Instance | list | dict | Array)
        )
        of_arrays = isinstance(function, Builtin) and spellings.ARRAYS.get(function.library)
        inside = inside or bool(of_arrays)
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


def _turn(target: ast.expr, item: Value, turn: int) -> tuple[str, Any]:
    """The variable of a loop and its value, as a step remembers it."""
    if isinstance(target, ast.Name) and isinstance(item, int | str):
        return target.id, item
    if isinstance(target, ast.Tuple) and isinstance(item, tuple):
        for one, part in zip(target.elts, item, strict=False):
            if isinstance(one, ast.Name) and isinstance(part, int | str):
                return one.id, part
    return "turn", turn


def _word(node: ast.stmt) -> str:
    """What a statement begins with."""
    name = type(node).__name__
    return name.lower() if not name.startswith("Async") else "async"


def _is_harmless(function: Value) -> bool:
    """Whether a call of a function changes nothing that is differentiated."""
    if not isinstance(function, Builtin | Library):
        return False
    path = function.path if isinstance(function, Library) else function.library
    if not path:
        return isinstance(function, Builtin) and function.name in HARMLESS_CALLS
    return spellings.is_harmless(path) or path not in spellings.ARRAYS


def changed_names(node: ast.stmt) -> list[str]:
    """The names that a statement may give a value, those of its functions not counted."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
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


def stored_places(node: ast.stmt) -> list[ast.expr]:
    """The elements and attributes that a statement may store into."""
    return [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store)
    ]
