"""Expressions of a listing evaluated, by NumPy's rules.

A tree and what its names stand for come in; a `Cell` goes out, with its value and all that it was
computed from. Calls of the listing's own functions are replaced by their bodies where they are one
expression, so that a statement is one step; what a function of several statements gives back is
computed by the interpreter of statements (`perform`). Nothing is executed but operations of the
table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from time import process_time
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.notation import (
    NOWHERE,
    folded,
    number,
    rebuilt,
    substitute,
)
from gradcli.grading.interpreter.functions import Procedures
from gradcli.grading.interpreter.state import Cell, Desk, Placed
from gradcli.grading.model.stage import MOST_ELEMENTS, Stage, of_tree
from gradcli.grading.submission.decimals import fraction_of, written
from gradcli.grading.submission.labels import read_name
from gradcli.grading.submission.python.rewrite import base_and_key, original_name
from gradcli.grading.submission.types import Written
from gradcli.graph.graph import ConstantNode
from gradcli.ops.operation import Type
from gradcli.syntax.tree import (
    Array,
    Call,
    Define,
    Index,
    Name,
    Number,
    Operator,
    Tree,
    Tuple,
    postorder,
)

COMPUTING = frozenset({Kind.SHAPE, Kind.NAME, Kind.DOMAIN, Kind.OVERFLOW, Kind.EDGE, Kind.SINGULAR})
"""Errors of a statement that can be read and not computed."""
LONGEST_SECONDS = 1.0
"""Of processor time, for all statements together."""
LONGEST = 20_000
"""Parts of a statement after the functions that it calls have been put in."""


class Expressions:
    """Evaluates the expressions of one listing."""

    def __init__(
        self, desk: Desk, procedures: Procedures, perform: Callable[[Call, Placed], Cell]
    ) -> None:
        self.desk, self.procedures, self.perform = desk, procedures, perform
        largest = max((int(np.size(value)) for value in desk.task.values.values()), default=1)
        self.most = max(MOST_ELEMENTS, 4 * largest)
        self.started = process_time()

    def evaluated(self, name: str, tree: Tree, statement: Placed) -> Cell:
        """An expression's value with all that it was computed from.

        Raises `GradcliError` of kind submission; what can't be computed (shapes that do not go
        together, a function that there is not, a logarithm of 0) is the cell's `problem`.
        """
        desk = self.desk
        line, text = desk.line(statement), desk.text(statement)
        number = as_written(tree)
        if number is not None:
            return Cell(name, "variable", number.value, line, written=number, tree=tree, text=text)
        tree = self.inlined(tree, statement, self.procedures.one_expression)
        tree = self.measured(self.performed(tree, statement))
        words = {n.name for n in postorder(tree) if isinstance(n, Name) and not n.qualified}
        known: dict[str, Cell] = {}
        for word in words:
            cell = self.cell(word, statement)
            if cell is not None:
                known[word] = cell
        types = {word: Type(np.shape(cell.passed_on)) for word, cell in known.items()}
        reads, names = tuple(known.values()), tuple(known)
        lost = [word for word, cell in known.items() if cell.passed_on is None]
        problem: GradcliError | None = None
        if lost:
            problem = desk.refused(statement, f"'{original_name(lost[0])}' could not be computed")
            cause = known[lost[0]].problem
            problem.kind = problem.kind if cause is None else cause.kind
        else:
            try:
                stage = of_tree(desk.listing.source, tree, types, line, self.most)
            except GradcliError as error:
                if error.kind not in COMPUTING:
                    raise desk.refused(statement, error.message, error.hint, error) from None
                error.source, problem = desk.listing.source, error
        if problem is None:
            self.expect_time(statement)
            reads, names = tuple(known[read] for read in stage.reads), stage.reads
            operands = [cell.passed_on for cell in reads]
            inner = stage.values(operands)
            value = like(inner[stage.graph.output])
            problem = self.spoiled(name, stage, operands, inner)
            if problem is None:
                return Cell(
                    name, "variable", value, line, stage, reads, names, text=text, tree=tree
                )
        if not lost and problem.kind not in (Kind.SHAPE, Kind.DOMAIN):
            desk.problems.append(desk.refused(statement, problem.message, problem.hint, problem))
        return Cell(
            name, "variable", None, line, reads=reads, words=names, problem=problem,
            tree=tree, text=text,
        )  # fmt: skip

    def spoiled(
        self, name: str, stage: Stage, operands: Sequence[Any], values: Sequence[Any]
    ) -> GradcliError | None:
        """What to say where constants explode in a statement, as in `9**9**9`, or it is no number.

        An infinity that was there before, or is right, is none of its own.
        """
        given = [*operands, self.desk.task.values.get(name, 0.0)]
        message = "this gives no number: it is not defined, or too large"
        for node, value in zip(stage.graph.nodes, values, strict=True):
            if isinstance(node, ConstantNode):
                given.append(value)
            elif node.kind == "constant" and not np.all(np.isfinite(value)):
                return GradcliError(Kind.OVERFLOW, message)
        if np.all(np.isfinite(values[stage.graph.output])):
            return None
        own = all(np.all(np.isfinite(value)) for value in given)
        return GradcliError(Kind.DOMAIN, message) if own else None

    def expect_time(self, statement: Placed) -> None:
        """Refuse listings that take too long."""
        if process_time() - self.started > LONGEST_SECONDS:
            raise self.desk.refused(
                statement,
                f"the listing takes more than {LONGEST_SECONDS:g} seconds to work through",
            )

    def cell(self, word: str, statement: Placed) -> Cell | None:
        """What a name stands for here; the output's gradient is 1 until it is given."""
        desk = self.desk
        value = desk.scope.get(word)
        if isinstance(value, Cell):
            return value
        if value is not None:
            what = "dictionary" if isinstance(value, dict) else "tuple"
            message = f"'{original_name(word)}' is a {what}, not a number or an array"
            raise desk.refused(statement, message)
        entry = base_and_key(word)
        if entry is not None:
            return self.entry(*entry, statement)
        reading = read_name(original_name(word), desk.vocabulary, desk.names)
        if reading.kind != "gradient":
            return None
        groups = desk.gradients.get(reading.name)
        if groups:
            return groups[-1][-1].cell
        last = desk.own[-1].name if desk.own else None
        if reading.name in (desk.vocabulary.output, last):
            one = np.ones(np.shape(desk.task.values[desk.task.output]))[()]
            return Cell(reading.name, "gradient", one)
        return None

    def entry(self, base: str, key: str, statement: Placed) -> Cell | None:
        """An entry of a dictionary; of one that comes from elsewhere, the name of the entry."""
        of = self.desk.scope.get(base)
        if of is None:
            return self.cell(key, statement)
        if not isinstance(of, dict):
            raise self.desk.refused(statement, f"'{base}' isn't a dictionary")
        value = of.get(key)
        if isinstance(value, Cell):
            return value
        what = "has no entry" if value is None else "has no number or array in its entry"
        raise self.desk.refused(statement, f"'{base}' {what} '{key}'")

    # --- calls of the listing's own functions ---

    def inlined(self, tree: Tree, statement: Placed, functions: Mapping[str, Define]) -> Tree:
        """The tree with the bodies of these functions in the place of their calls."""
        if not any(isinstance(n, Call) and n.name in functions for n in postorder(tree)):
            return tree

        def made(node: Tree, children: tuple[Tree, ...]) -> Tree:
            new = rebuilt(node, children, {})
            own = isinstance(new, Call) and not new.qualified and new.name in functions
            if own and not self.procedures.is_open(new):  # type: ignore[arg-type]
                return self.body(new, statement, functions)  # type: ignore[arg-type]
            return new

        return folded(tree, made)

    def body(self, call: Call, statement: Placed, functions: Mapping[str, Define]) -> Tree:
        """The body of a function with a call's arguments in it."""
        function = functions[call.name]
        arguments = self.arguments(call, tuple(p.name for p in function.parameters), statement)
        others = {name: of for name, of in functions.items() if name != call.name}
        made = substitute(self.inlined(function.body, statement, others), arguments)
        for size, _ in enumerate(postorder(made)):
            if size > LONGEST:
                message = "functions of functions are nested too deep here"
                raise self.desk.refused(statement, message)
        return made

    def arguments(
        self, call: Call, parameters: tuple[str, ...], statement: Placed
    ) -> dict[str, Tree]:
        """What each parameter stands for in a call."""
        positional = call.arguments[: len(call.arguments) - len(call.keywords)]
        named = dict(zip(call.keywords, call.arguments[len(positional) :], strict=True))
        found = dict(zip(parameters, positional, strict=False)) | named
        if len(call.arguments) != len(parameters) or set(found) != set(parameters):
            names = ", ".join(map(original_name, parameters))
            message = f"'{call.name}' is called as {call.name}({names})"
            raise self.desk.refused(statement, message)
        return found

    def performed(self, tree: Tree, statement: Placed) -> Tree:
        """The tree with a name for what each function of several statements gives back."""
        own = self.procedures.called
        if not any(isinstance(n, Call) and n.name in own for n in postorder(tree)):
            return tree
        count = 0

        def made(node: Tree, children: tuple[Tree, ...]) -> Tree:
            nonlocal count
            new = rebuilt(node, children, {})
            if not isinstance(new, Call) or new.qualified or new.name not in own:
                return new
            count += 1
            word = f"{new.name}(…)" + (f" {count}" if count > 1 else "")
            self.desk.scope[word] = self.perform(new, statement)
            return Name(word, NOWHERE)

        return folded(tree, made)

    # --- sizes ---

    def measured(self, tree: Tree) -> Tree:
        """The tree with numbers for `len(X)`, `X.size`, `X.shape` and `X.shape[0]`."""
        return folded(tree, self._measure)

    def _measure(self, node: Tree, children: tuple[Tree, ...]) -> Tree:
        match node:
            case Name() if "." in (written := original_name(node.name)):
                of, _, what = written.rpartition(".")
                shape = self._shape(of)
                if what == "shape" and shape is not None:
                    return Tuple(tuple(count(n) for n in shape), node.span)
                if what == "size" and shape is not None:
                    return count(prod(shape))
            case Call(name="len") if len(children) == 1 and isinstance(children[0], Name):
                shape = self._shape(children[0].name)
                if shape:
                    return count(shape[0])
            case Index() if isinstance(children[0], Tuple) and isinstance(children[1], Number):
                sizes, i = children[0].elements, int(children[1].value)
                if len(children) == 2 and -len(sizes) <= i < len(sizes):
                    return sizes[i]
        if all(new is old for new, old in zip(children, node.children(), strict=True)):
            return node
        return rebuilt(node, children, {})

    def _shape(self, name: str) -> tuple[int, ...] | None:
        value = self.desk.scope.get(name)
        cell = value if isinstance(value, Cell) else None
        return None if cell is None or cell.passed_on is None else np.shape(cell.passed_on)


def like(value: Any) -> Any:
    """A number as a number, an array as an array."""
    return np.asarray(value, dtype=np.float64)[()]


def count(n: int) -> Number:
    """A whole number as a tree."""
    return number(float(n))


def as_written(tree: Tree) -> Written | None:
    """How a bare number, an array of numbers or a fraction such as `-5243/10000` was written."""
    if isinstance(tree, Operator) and tree.symbol == "/":
        above, below = tree.operands
        if isinstance(above, Number) and isinstance(below, Number):
            fraction = fraction_of(f"{above.text}/{below.text}")
            return fraction if fraction is not None and fraction.radius else None
    if not isinstance(tree, Number | Array):
        return None
    for node in postorder(tree):
        if not isinstance(node, Number | Array):
            return None
    return written(_texts(tree))


def _texts(tree: Tree) -> Any:
    if isinstance(tree, Number):
        return tree.text
    return [_texts(element) for element in tree.children()]
