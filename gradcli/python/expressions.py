"""Expressions: a node of `ast` that has a value comes in, the value comes out.

`displays` has the forms that are written out or made by loops: lists, dictionaries, f-strings.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from gradcli.diagnostics.error import GradcliError
from gradcli.python import spellings
from gradcli.python.array_shapes import joined_along
from gradcli.python.attributes import Attributes
from gradcli.python.builtins import NAMES, REFUSED
from gradcli.python.core import PLAIN_ERRORS
from gradcli.python.limits import DEEPEST
from gradcli.python.values import (
    Builtin,
    Function,
    Library,
    Scope,
    Unknown,
    Unread,
    Value,
    unread,
)

FAILURES = {"ZeroDivisionError": "domain", "OverflowError": "overflow", "LinAlgError": "singular"}
"""The kind of error where the mathematics fails, by Python's exception."""


_OF_SHAPES = ("shape", "broadcast", "mismatch", "dimension")
"""Words in what NumPy says of shapes that do not go together."""


class Expressions(Attributes):
    """`value(node)` is what an expression stands for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.trying = 0
        """How many `try` are around."""
        self.caught: Unknown | None = None
        """What the handler around was called for."""
        self.exceptions: dict[str, Value] = {}
        """The classes of the text that were raised, by their names."""

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for. Raises `Unread` with its place."""
        budget = self.budget
        budget.spend()
        budget.depth += 1
        try:
            if budget.depth > DEEPEST:
                raise budget.exceeded("calls or brackets inside of one another, too deep")
            visit = self.visitors.get(type(node))
            if visit is None:
                raise unread(f"{_words(node)} is not read")
            return visit(self, node)
        except Unread as stop:
            if stop.unknown.span is not None:
                raise
            raise self.placed(stop, node) from None
        except GradcliError as error:
            self.locate(error, node)
            raise
        except (MemoryError, RecursionError) as stop:
            deep = isinstance(stop, RecursionError)
            what = "calls inside of one another, too deep" if deep else "more memory than there is"
            refusal = self.budget.exceeded(what)
            self.locate(refusal, node)
            raise refusal from None
        except IndexError as error:
            found = Unknown(_brief(error), self.span(node), None, "shape", "IndexError")
            raise Unread(found) from None
        except PLAIN_ERRORS as error:
            name = type(error).__name__
            text = f"Python stops here: {name}: {_brief(error)}"
            raise Unread(Unknown(text, self.span(node), None, kind_of(error), name)) from None
        finally:
            budget.depth -= 1

    def placed(self, stop: Unread, node: Any) -> Unread:
        """The exception with its place."""
        found = stop.unknown
        return stop if found.span is not None else Unread(replace(found, span=self.span(node)))

    def soft(self, node: ast.expr) -> Value:
        """The value, unknown where it can't be read; what a `try` takes goes on to it."""
        try:
            return self.value(node)
        except Unread as stop:
            if self.trying and stop.unknown.raised:
                raise
            return stop.unknown

    # --- leaves ---

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, bytes | complex):
            raise unread(f"{type(node.value).__name__} numbers are not read")
        return node.value

    def _name(self, node: ast.Name) -> Value:
        return self.look_up(node.id, node)

    def look_up(self, name: str, node: Any) -> Value:
        """What a name stands for here. Raises `Unread`."""
        scope: Scope | None = self.scope
        if name in self.scope.shared:
            scope = self.scope.shared[name]
        while scope is not None:
            if name in scope.names:
                return self.known(scope.names[name])
            scope = scope.outer
        if name in REFUSED:
            raise unread(f"'{name}' is not read: nothing of the text is run", kind="name")
        if name in NAMES:
            return Builtin("", name)
        if name in spellings.LIBRARIES:
            return self.module(name)
        return self.free(name, node)

    def module(self, name: str) -> Value:
        """A library by the name that stands for it without an import."""
        of_torch = name == "nn" and "torch" in self.libraries
        return Library("torch.nn" if of_torch else spellings.LIBRARIES[name])

    @abstractmethod
    def free(self, name: str, node: Any) -> Value:
        """A name that nothing gives a value: an input, in a program without a function."""

    # --- operators ---

    def _binary(self, node: ast.BinOp) -> Value:
        """A chain of operators on the left is one loop: `a + b + c + …` of any length."""
        chain: list[ast.BinOp] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            chain.append(left)
            left = left.left
        value = self.value(left)
        for one in reversed(chain):
            right = self.value(one.right)
            where = self.where(one, one.left, one.right)
            value = self.binary(type(one.op), value, right, where, one)
            self.budget.spend()
        return value

    def _unary(self, node: ast.UnaryOp) -> Value:
        return self.unary(node.op, self.value(node.operand), self.where(node, node.operand), node)

    def _compare(self, node: ast.Compare) -> Value:
        left, place = self.value(node.left), node.left
        found: Value = True
        for op, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            found = self.compared(op, left, right, self.where(node, place, other), node)
            if len(node.ops) > 1 and not self.truth(found):
                return found
            left, place = right, other
        return found

    def _logical(self, node: ast.BoolOp) -> Value:
        """`a and b`: the first that decides."""
        stop = isinstance(node.op, ast.Or)
        found: Value = None
        for one in node.values:
            found = self.value(one)
            if self.truth(found) == stop:
                return found
        return found

    def _choice(self, node: ast.IfExp) -> Value:
        chosen = self.branch(node.test)
        return self.value(node.body if chosen else node.orelse)

    def branch(self, test: ast.expr) -> bool:
        """Which way a condition goes, with a note where an input decides."""
        before = len(self.tape.fixed)
        found = self.truth(self.value(test), "a branch")
        if len(self.tape.fixed) > before:
            self.note("branch", test, f"the branch at this point: the condition is {found}")
        return found

    # --- displays ---

    def items_of(self, elements: list[ast.expr]) -> list[Value]:
        """The values of a display, with `*more` taken apart."""
        found: list[Value] = []
        for one in elements:
            if isinstance(one, ast.Starred):
                found += self.listed(self.value(one.value), self.where(one))
            else:
                found.append(self.soft(one))
        return found

    @abstractmethod
    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a name (or names in a tuple) a value, without a step."""

    # --- elements and attributes ---

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.value(node.value), node.attr, node)

    def _subscript(self, node: ast.Subscript) -> Value:
        of = self.value(node.value)
        index = self.value(node.slice)
        place = self.where(node)
        if self.given is None:
            base = self.text.span(node.value)
            place = place._replace(symbol=type(base)(base.end, place.span.end), operands=(base,))
        if isinstance(of, Builtin | Library):
            if isinstance(of, Builtin) and of.name in ("r_", "c_"):
                return joined_along(self, of.name, index, place)
            return of  # a type in brackets: `list[float]`
        return self.element(of, index, place)

    def _slice(self, node: ast.Slice) -> Value:
        parts = (node.lower, node.upper, node.step)
        return self.slice_of([None if p is None else self.value(p) for p in parts])

    # --- functions and texts ---

    def _call(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        arguments = self.items_of(node.args)
        keywords: dict[str, Value] = {}
        for one in node.keywords:
            if one.arg is None:
                more = self.value(one.value)
                if not isinstance(more, dict):
                    raise unread("'**' takes a dictionary")
                self.budget.spend(len(more))
                keywords |= {str(k): v for k, v in more.items()}
            else:
                keywords[one.arg] = self.soft(one.value)
        return self.call(function, arguments, keywords, node)

    def _lambda(self, node: ast.Lambda) -> Value:
        return self.function_of("lambda", node)

    def function_of(self, name: str, node: ast.FunctionDef | ast.Lambda) -> Function:
        """A function with its defaults, which are computed where it is defined."""
        defaults = [self.soft(d) for d in node.args.defaults]
        keyword = [None if d is None else self.soft(d) for d in node.args.kw_defaults]
        return Function(name, node, self.scope, defaults, keyword, given=self.given is not None)

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.bind(node.target, value)
        return value

    visitors: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Value]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Compare: _compare,
        ast.BoolOp: _logical,
        ast.IfExp: _choice,
        ast.Call: _call,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.Lambda: _lambda,
        ast.NamedExpr: _walrus,
    }
    """What gives the value of each form, of an interpreter and a node."""


def _words(node: ast.AST) -> str:
    names = {"Await": "await", "Yield": "yield", "YieldFrom": "yield", "Starred": "'*'"}
    return names.get(type(node).__name__, f"this ({type(node).__name__})")


def kind_of(error: Exception) -> str:
    """What is wrong where Python or NumPy stops: no number, shapes, or anything else."""
    text = str(error)
    if isinstance(error, ValueError) and any(word in text for word in _OF_SHAPES):
        return "shape"
    return FAILURES.get(type(error).__name__, "domain" if "domain" in text else "syntax")


def _brief(error: Exception) -> str:
    text = str(error).split("\n", maxsplit=1)[0]
    return text if len(text) < 120 else text[:117] + "…"
