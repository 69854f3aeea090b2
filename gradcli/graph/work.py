"""The loop of lowering: a stack of what is still to be done, and one of the values done.

An expression of any depth, and functions of functions of functions, are one loop. With it are the
steps made so far, and the constants that an expression must be where an option or index stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import NO_OPTIONS, Operand, Selection, Step
from gradcli.graph.names import Names
from gradcli.ops.operation import Operation
from gradcli.syntax.tree import (
    Array,
    Block,
    Compare,
    Name,
    Nothing,
    Number,
    Slice,
    Text,
    Tree,
    Tuple,
)

MOST_NESTED = 2
FARTHEST = 2.0**62
"""Larger than any index of an array."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What lowering asks of the engine, which is built on what is lowered."""

    constant_value: Callable[[Source, list[Step], Operand], Any]
    """The value of an operand that depends on no input: an axis, a size, an index."""
    block_operation: Callable[[Block, Names], Operation] | None = None
    """The row for a user's block; None where no block can be called."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean inside an expression."""

    local: Mapping[str, Operand] = field(default_factory=dict)
    """A function's parameters."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Names for option values, in formulas (`axis`, `keepdims`)."""
    selections: tuple[Selection, ...] = ()
    composed: bool = False
    """Within the text of a composition, where NumPy's rules of broadcasting hold."""


OUTSIDE = Scope()
"""The scope of a statement."""
_Task: TypeAlias = Callable[[Any, Scope], None]
"""A task of the stack: what to do with a tree, for example."""


class Work:
    """Trees that wait, values that are done, and the steps made on the way."""

    def __init__(self, source: Source, engine: Engine) -> None:
        self.source = source
        self.engine = engine
        self.steps: list[Step] = []
        self.static_depth = 0
        self.work: list[tuple[_Task, Any, Scope]] = []
        self.values: list[Operand] = []
        self.visitors: dict[type[Tree], _Task] = {}
        """What is done with each kind of tree."""

    def evaluate(self, tree: Tree, scope: Scope) -> Operand:
        """Lower one expression."""
        work = self.work
        bottom = len(work)
        self.visitors[type(tree)](tree, scope)
        while len(work) > bottom:
            task, subject, inside = work.pop()
            task(subject, inside)
        return self.values.pop()

    def visit(self, tree: Tree, scope: Scope) -> None:
        """Lower a tree as the next thing to do."""
        self.work.append((self.visitors[type(tree)], tree, scope))

    def then(self, task: _Task, subject: Any, scope: Scope) -> None:
        """Do something once all that is pushed after this call is done."""
        self.work.append((task, subject, scope))

    def visit_all(self, trees: Sequence[Tree], scope: Scope) -> None:
        """Lower trees one after the other as the next things to do."""
        work, visitors = self.work, self.visitors
        for tree in reversed(trees):
            work.append((visitors[type(tree)], tree, scope))

    def pop(self, count: int) -> tuple[Operand, ...]:
        """Take the last values that are done, in order."""
        if count == 0:
            return ()
        values = self.values
        if count == 1:
            return (values.pop(),)
        taken = tuple(values[-count:])
        del values[-count:]
        return taken

    def add_input(self, name: str, tree: Tree) -> int:
        """Append an input and return its number."""
        span = tree.span
        self.steps.append(Step("input", name, None, (), NO_OPTIONS, tree, span, span))
        return len(self.steps) - 1

    def add(
        self,
        operation: Operation,
        operands: tuple[Operand, ...],
        tree: Tree,
        symbol_span: Span,
        scope: Scope,
        *,
        options: Mapping[str, Any] = NO_OPTIONS,
        span: Span | None = None,
        name: str | None = None,
    ) -> int:
        """Append an operation and return its number; `span` where it is not all of `tree`."""
        steps = self.steps
        span = tree.span if span is None else span
        kind = "constant"
        for operand in operands:
            if type(operand) is int and steps[operand][0] != "constant":
                kind = "operation"
                break
        row = (
            *(kind, name, operation, operands, options, tree, span, symbol_span),
            *(scope.selections, scope.composed),
        )
        steps.append(tuple.__new__(Step, row))  # half the time of a call of the class
        return len(steps) - 1

    def carries(self, operand: Operand) -> bool:
        """Whether an operand depends on an input."""
        return isinstance(operand, int) and self.steps[operand].kind != "constant"

    def push(
        self,
        operation: Operation,
        operands: tuple[Operand, ...],
        tree: Tree,
        symbol_span: Span,
        scope: Scope,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> None:
        """Append an operation, which is the value of what was lowered."""
        self.values.append(self.add(operation, operands, tree, symbol_span, scope, options=options))

    def fail(self, kind: Kind, message: str, span: Span, hint: str | None = None) -> NoReturn:
        """Raise `GradcliError` at a place in the text."""
        raise GradcliError(kind, message, source=self.source, span=span, hint=hint)

    # --- constants that are no values: axes, shapes, indices ---

    def static(self, tree: Tree, scope: Scope) -> Any:
        """What an option is: None, a number (int where whole), or a tuple of them."""
        match tree:
            case Nothing():
                return None
            case Text():
                return tree.text
            case Number():
                return _whole(tree.value)
            case Tuple() | Array():
                return tuple(self.static_item(element, scope) for element in tree.elements)
            case Name() if tree.name in scope.constants and not tree.qualified:
                return scope.constants[tree.name]
            case Name() if not tree.qualified and tree.name == "inf":
                return np.inf
        self.static_depth += 1
        if self.static_depth > 20:
            self.fail(Kind.SYNTAX, "indices in indices are nested too deep", tree.span)
        value = self.constant(self.evaluate(tree, scope), tree)
        self.static_depth -= 1
        return value

    def static_item(self, tree: Tree, scope: Scope, depth: int = 1) -> Any:
        """An element of an option that is a tuple: `((1, 1), (0, 0))` is the deepest there is."""
        if not isinstance(tree, Tuple | Array):
            return self.static(tree, scope)
        if depth > MOST_NESTED:
            self.fail(Kind.SHAPE, "this is nested too deep here", tree.span)
        return tuple(self.static_item(element, scope, depth + 1) for element in tree.elements)

    def constant(self, operand: Operand, tree: Tree) -> Any:
        """The number that an expression without inputs equals."""
        if self.carries(operand):
            hint = "write the number, or give it a name in the program: n = 2"
            if isinstance(tree, Compare):
                hint = "elements are chosen by where(x > 0, x, 0): the others become 0"
            self.fail(
                Kind.SHAPE,
                "a constant is needed here, and this depends on an input",
                tree.span,
                hint,
            )
        value = self.engine.constant_value(self.source, self.steps, operand)
        if np.ndim(value) > 0:
            return tuple(_whole(v) for v in np.ravel(value))
        return _whole(float(value))

    def index_item(self, item: Tree, scope: Scope) -> Any:
        """What stands between the brackets of an index: a number, a slice, None, `...`, a tuple."""
        if isinstance(item, Slice):
            return slice(*(_in_range(self.static(part, scope)) for part in item.parts))
        if isinstance(item, Nothing):
            return None
        if isinstance(item, Text) and item.text == "...":
            return ...
        if isinstance(item, Array):
            return tuple(map(_in_range, self.static(item, scope)))
        value = _in_range(self.static(item, scope))
        if not isinstance(value, int) or isinstance(value, bool):
            hint = "slices are written x[0:2], several elements x[[0, 2]]"
            self.fail(Kind.SHAPE, "an index is a whole number", item.span, hint)
        return value


def _whole(value: float) -> int | float:
    return int(value) if abs(value) < 2**53 and float(value).is_integer() else float(value)


def _in_range(value: Any) -> Any:
    """A whole number too large for an index as the largest (or smallest) there is."""
    if isinstance(value, float) and value.is_integer():
        return int(max(-FARTHEST, min(value, FARTHEST)))
    return value
