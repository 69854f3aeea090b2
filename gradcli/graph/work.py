"""The loop of lowering: each tree's work waits until its operands are done.

What is done with a kind of tree is a generator (`operators`, `calls`): it yields the trees that it
needs, with their scope, gets their values, and returns its own. So an expression of any depth, and
functions of functions of functions, are one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import NO_OPTIONS, Operand, Selection, Step
from gradcli.graph.names import Definition, Names
from gradcli.ops.operation import Operation
from gradcli.syntax.tree import Block, Tree


class Engine(NamedTuple):
    """What lowering asks of the engine, which is built on what is lowered."""

    constant_value: Callable[[Source, list[Step], Operand], Any]
    """The value of an operand that depends on no input: an axis, a size, an index."""
    block_operation: Callable[[Block, Names], Operation] | None = None
    """The row for a user's block; None where no block can be called."""


class Scope(NamedTuple):
    """What names mean inside an expression."""

    local: Mapping[str, Operand] = {}
    """A function's parameters."""
    constants: Mapping[str, Any] = {}
    """Names for option values, in formulas (`axis`, `keepdims`)."""
    selections: tuple[Selection, ...] = ()
    composed: bool = False
    """Within the text of a composition, where NumPy's rules of broadcasting hold."""


OUTSIDE = Scope()
"""The scope of a statement."""

Lowered: TypeAlias = Generator[tuple[Sequence[Tree], Scope], list[Operand], Operand]
"""The work on one tree: it yields trees with their scope, gets their values, returns its own."""


Leaves: TypeAlias = Mapping[type[Tree], Callable[["Work", Any, Scope], Operand]]
Inner: TypeAlias = Mapping[type[Tree], Callable[["Work", Any, Scope], Lowered]]
"""What is done with each kind of tree that has no operands, and that has some."""


class Work:
    """The steps made so far, and what the names of the program mean by now."""

    def __init__(
        self,
        leaves: Leaves,
        inner: Inner,
        source: Source,
        engine: Engine,
        names: Names | None = None,
        *,
        keep_divisions: bool = True,
    ) -> None:
        """Without `names` nothing is known but the language; `keep_divisions` makes no 1/q."""
        self.leaves, self.inner = leaves, inner
        self.source, self.engine, self.names = source, engine, names
        self.definitions: Mapping[str, Definition] = names.definitions if names else {}
        self.keep_divisions = keep_divisions
        self.steps: list[Step] = []
        self.nodes: dict[str, int] = {}
        self.blocks: dict[str, Operation] = {}
        self.static_depth = 0

    def evaluate(self, tree: Tree, scope: Scope) -> Operand:
        """Lower one expression."""
        leaves, inner = self.leaves, self.inner
        waiting: list[tuple[Lowered, Sequence[Tree], Scope, list[Operand]]] = []
        work = _alone(tree, scope)
        trees, inside = next(work)
        values: list[Operand] = []
        while True:
            while len(values) < len(trees):
                tree = trees[len(values)]
                leaf = leaves.get(type(tree))
                if leaf is not None:
                    values.append(leaf(self, tree, inside))
                else:
                    waiting.append((work, trees, inside, values))
                    work, values = inner[type(tree)](self, tree, inside), []
                    trees, inside = next(work)
            try:
                trees, inside = work.send(values)
                values = []
            except StopIteration as done:
                if not waiting:
                    value: Operand = done.value
                    return value
                work, trees, inside, values = waiting.pop()
                values.append(done.value)

    def add_input(self, name: str, tree: Tree) -> int:
        """Append an input and return its number."""
        span = tree.span
        self.steps.append(Step("input", name, None, (), NO_OPTIONS, tree, span, span))
        return len(self.steps) - 1

    def add(
        self,
        operation: Operation,
        operands: Sequence[Operand],
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
            *(kind, name, operation, tuple(operands), options, tree, span, symbol_span),
            *(scope.selections, scope.composed),
        )
        steps.append(tuple.__new__(Step, row))  # half the time of a call of the class
        return len(steps) - 1

    def carries(self, operand: Operand) -> bool:
        """Whether an operand depends on an input."""
        return isinstance(operand, int) and self.steps[operand].kind != "constant"

    def fail(self, kind: Kind, message: str, span: Span, hint: str | None = None) -> NoReturn:
        """Raise `GradcliError` at a place in the text."""
        raise GradcliError(kind, message, source=self.source, span=span, hint=hint)


def _alone(tree: Tree, scope: Scope) -> Lowered:
    (value,) = yield (tree,), scope
    return value
