"""A listing worked through, statement by statement, by NumPy's rules.

A `Listing` and the `Task` come in; out comes the `Work`: the flow of the student's own forward
pass (or the task's, where the student has none) and, for every gradient, the lines that wrote it
with the values that they had. Nothing is executed but operations of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from time import process_time
from typing import Any

import numpy as np

from gradcli.errors import GradcliError, Kind
from gradcli.homework.cells import Cell, Line, Work
from gradcli.homework.flow import Flow, Key
from gradcli.homework.gradient_names import read_name
from gradcli.homework.python_text import original_name
from gradcli.homework.stage import MOST_ELEMENTS, Stage, of_tree
from gradcli.homework.submission import Listing, Vocabulary, Written
from gradcli.homework.written import written
from gradcli.language.tree import (
    Array,
    Assign,
    Augment,
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
from gradcli.notation import folded, number, rebuilt, substitute
from gradcli.ops.operation import Type

LONGEST_SECONDS = 1.0
"""Of processor time, for all statements together."""
FEW = 5e-3
"""How far a number of few digits may be from a value to be it."""
LONGEST = 20_000
"""Parts of a statement after the functions that it calls have been put in."""


def work_through(
    listing: Listing,
    flow: Flow,
    vocabulary: Vocabulary,
    assumed: Mapping[str, Any] | None = None,
) -> Work:
    """Work through a listing. Raises `GradcliError` of kind submission.

    `assumed` are gradients, by the name of the node, for lines that can't be computed.
    """
    return _Reader(listing, flow, vocabulary, assumed or {}).work()


class _Reader:
    def __init__(
        self,
        listing: Listing,
        flow: Flow,
        vocabulary: Vocabulary,
        assumed: Mapping[str, Any],
    ) -> None:
        self.listing, self.task, self.vocabulary = listing, flow, vocabulary
        self.assumed = assumed
        largest = max((int(np.size(value)) for value in flow.values.values()), default=1)
        self.most = max(MOST_ELEMENTS, 4 * largest)
        self.started, self.elements = process_time(), 0
        self.current: dict[str, Cell] = {
            name: Cell(name, "variable", value, key=name) for name, value in flow.values.items()
        }
        self.functions: dict[str, Define] = {}
        self.own: list[Cell] = []
        self.gradients: dict[str, list[list[Line]]] = {}
        """By name: groups of lines, each of which begins with `=`."""
        self.notes: list[tuple[str, int | None, str]] = []
        self.originals: dict[Key, Any] = {}
        self.begun = False
        self.last_forward: Cell | None = None

    def work(self) -> Work:
        for statement in self.listing.statements:
            match statement:
                case Define():
                    self.functions[statement.name.name] = statement
                case Assign():
                    self.assign(statement.name, statement.value, statement, None)
                case Augment():
                    if not isinstance(statement.target, Name):
                        raise self.refused(statement, "'+=' on single elements is not read")
                    self.assign(statement.target, statement.value, statement, statement.symbol)
                case _:
                    pass
        return self.finished()

    # --- statements ---

    def assign(self, name: Name, value: Tree, statement: Tree, symbol: str | None) -> None:
        label = original_name(name.name)
        extra = tuple(dict.fromkeys(cell.name for cell in self.own))
        reading = read_name(label, self.vocabulary, extra)
        cell = self.evaluated(name.name, value, statement)
        if reading.kind == "gradient":
            self.gradient(reading.name, cell, statement, symbol)
            self.begun = True
            self.current[name.name] = self.gradients[reading.name][-1][-1].cell
        elif symbol is not None and name.name not in self.current:
            raise self.refused(statement, f"'{label}' has no value yet", "the first line has '='")
        elif symbol is not None:
            added = Operator("+", (name, value), statement.span, statement.span)
            self.variable(name.name, self.evaluated(name.name, added, statement), statement)
        else:
            self.variable(name.name, cell, statement)

    def gradient(self, node: str, cell: Cell, statement: Tree, symbol: str | None) -> None:
        groups = self.gradients.setdefault(node, [])
        own = cell.value
        cell.name, cell.kind = node, "gradient"
        before = groups[-1][-1].cell if groups else None
        if symbol is None and before is not None and _adds_to_itself(cell, before):
            # delta_x = delta_x + …: what is added is what counts.
            symbol, own = "+", _difference(cell.value, before.value)
        elif symbol is not None:
            if before is None:
                self.notes.append(
                    ("first-plus", cell.line, f"the first line of delta_{node} has '=', not '+='")
                )
            else:
                cell.before = before
                self.alias(node, groups[-1], cell)
                cell.value = self.sum(before, cell, statement)
        if cell.value is None:
            cell.stand_in = self.assumed.get(node)
        line = Line(cell, "=" if symbol is None else "+=", self.text(statement), own)
        if symbol is None or not groups:
            groups.append([line])
        else:
            groups[-1].append(line)

    def sum(self, before: Cell, cell: Cell, statement: Tree) -> Any:
        if before.passed_on is None or cell.value is None:
            return None
        try:
            total = np.add(before.passed_on, cell.value)
        except ValueError:
            shapes = f"{np.shape(before.passed_on)} and {np.shape(cell.value)}"
            cell.problem = self.refused(statement, f"shapes {shapes} do not add up")
            return None
        return None if before.value is None else total

    def alias(self, node: str, group: list[Line], cell: Cell) -> None:
        """In NumPy `delta_y = delta_a` is the same array, and `+=` then changes both."""
        first = group[-1].cell
        bare = first.tree is not None and isinstance(first.tree, Name) and first.reads
        if bare and len(group) == 1 and np.ndim(first.value):
            other = first.reads[0]
            if other.kind == "gradient":
                text = (
                    f"delta_{node} and delta_{other.name} are one array in NumPy: "
                    f"'+=' changes both; write delta_{node} = delta_{other.name}.copy()"
                )
                self.notes.append(("aliased", cell.line, text))

    def variable(self, name: str, cell: Cell, statement: Tree) -> None:
        """A value of the forward pass, or one on the way between gradients."""
        cell.text = self.text(statement)
        if cell.value is None:
            cell.stand_in = self.task.values.get(name)
        if any(read.after_gradients for read in cell.reads):
            cell.kind = "helper"
        if name in self.vocabulary.inputs:
            if self.input(name, cell, statement):
                return
        elif cell.kind == "variable":
            earlier = sum(c.name == name for c in self.own) + (name in self.task.values)
            cell.key = f"{name}#{earlier + 1}" if earlier else name
            self.own.append(cell)
            if not self.begun:
                self.last_forward = cell
        self.current[name] = cell

    def input(self, name: str, cell: Cell, statement: Tree) -> bool:
        """An input that is given a value. True where it keeps the task's."""
        given = self.task.values[name]
        if cell.value is not None and np.size(cell.value) == np.size(given):
            same = np.allclose(np.ravel(cell.value), np.ravel(given), rtol=1e-6, atol=0)
            if same and cell.kind == "variable":
                self.current[name] = Cell(name, "variable", _like(cell.value), cell.line, key=name)
                return True
        if cell.kind == "helper":  # a descent step
            cell.key = name
            self.originals[name] = given
            return False
        raise self.refused(
            statement,
            f"'{name}' has another value here than in the task",
            f"the task has {name} = {_short(given)}",
        )

    # --- expressions ---

    def evaluated(self, name: str, tree: Tree, statement: Tree) -> Cell:
        """An expression's value with all that it was computed from."""
        line = self.line(statement)
        number = _as_written(tree)
        if number is not None:
            return Cell(name, "variable", number.value, line, written=number, tree=tree)
        tree = self.measured(self.inlined(tree, statement, self.functions))
        words = {n.name for n in postorder(tree) if isinstance(n, Name) and not n.qualified}
        known: dict[str, Cell] = {}
        for word in words:
            cell = self.cell(word)
            if cell is not None:
                known[word] = cell
        types = {word: Type(np.shape(cell.passed_on)) for word, cell in known.items()}
        reads, names = tuple(known.values()), tuple(known)
        lost = [word for word, cell in known.items() if cell.passed_on is None]
        if lost:
            problem = self.refused(statement, f"'{original_name(lost[0])}' could not be computed")
            return Cell(
                name, "variable", None, line, reads=reads, words=names, problem=problem, tree=tree
            )
        try:
            stage = of_tree(self.listing.source, tree, types, line, self.most)
        except GradcliError as error:
            if error.kind is Kind.SHAPE:
                error.source = self.listing.source
                return Cell(
                    name, "variable", None, line, reads=reads, words=names, problem=error, tree=tree
                )
            raise self.refused(statement, error.message, error.hint, error) from None
        reads = tuple(known[read] for read in stage.reads)
        inner = stage.values([cell.passed_on for cell in reads])
        self.expect_finite(stage, inner, statement)
        value = inner[stage.graph.output]
        return Cell(name, "variable", _like(value), line, stage, reads, stage.reads, tree=tree)

    def expect_finite(self, stage: Stage, values: list[Any], statement: Tree) -> None:
        """Refuse numbers that explode, `9**9**9`, and listings that take too long."""
        for node, value in zip(stage.graph.nodes, values, strict=True):
            constant = node.kind == "constant" and node.operation is not None
            if constant and not np.all(np.isfinite(value)):
                raise self.refused(statement, "a number is too large here, or not defined")
        if process_time() - self.started > LONGEST_SECONDS:
            raise self.refused(
                statement,
                f"the listing takes more than {LONGEST_SECONDS:g} seconds to work through",
            )

    def cell(self, word: str) -> Cell | None:
        """What a name stands for here; the output's gradient is 1 until it is given."""
        if word in self.current:
            return self.current[word]
        label = original_name(word)
        extra = tuple(dict.fromkeys(cell.name for cell in self.own))
        reading = read_name(label, self.vocabulary, extra)
        if reading.kind != "gradient":
            return None
        groups = self.gradients.get(reading.name)
        if groups:
            return groups[-1][-1].cell
        last = self.own[-1].name if self.own else None
        if reading.name in (self.vocabulary.output, last):
            one = np.ones(np.shape(self.task.values[self.task.output]))[()]
            return Cell(reading.name, "gradient", one)
        return None

    def inlined(self, tree: Tree, statement: Tree, functions: Mapping[str, Define]) -> Tree:
        """The tree with the bodies of these functions in the place of their calls."""
        if not any(isinstance(n, Call) and n.name in functions for n in postorder(tree)):
            return tree

        def made(node: Tree, children: tuple[Tree, ...]) -> Tree:
            new = rebuilt(node, children, {})
            if isinstance(new, Call) and not new.qualified and new.name in functions:
                return self.body(new, statement, functions)
            return new

        return folded(tree, made)

    def measured(self, tree: Tree) -> Tree:
        """The tree with numbers for `len(X)`, `X.size`, `X.shape` and `X.shape[0]`."""
        return folded(tree, self._measure)

    def _measure(self, node: Tree, children: tuple[Tree, ...]) -> Tree:
        match node:
            case Name() if "." in (written := original_name(node.name)):
                of, _, what = written.rpartition(".")
                shape = self._shape(of)
                if what == "shape" and shape is not None:
                    return Tuple(tuple(_count(n) for n in shape), node.span)
                if what == "size" and shape is not None:
                    return _count(prod(shape))
            case Call(name="len") if len(children) == 1 and isinstance(children[0], Name):
                shape = self._shape(children[0].name)
                if shape:
                    return _count(shape[0])
            case Index() if isinstance(children[0], Tuple) and isinstance(children[1], Number):
                sizes, i = children[0].elements, int(children[1].value)
                if len(children) == 2 and -len(sizes) <= i < len(sizes):
                    return sizes[i]
        if all(new is old for new, old in zip(children, node.children(), strict=True)):
            return node
        return rebuilt(node, children, {})

    def _shape(self, name: str) -> tuple[int, ...] | None:
        cell = self.cell(name)
        return None if cell is None or cell.passed_on is None else np.shape(cell.passed_on)

    def body(self, call: Call, statement: Tree, functions: Mapping[str, Define]) -> Tree:
        function = functions[call.name]
        if call.keywords or len(call.arguments) != len(function.parameters):
            names = ", ".join(p.name for p in function.parameters)
            raise self.refused(statement, f"'{call.name}' is called as {call.name}({names})")
        meaning = {p.name: a for p, a in zip(function.parameters, call.arguments, strict=True)}
        others = {name: of for name, of in functions.items() if name != call.name}
        made = substitute(self.inlined(function.body, statement, others), meaning)
        for size, _ in enumerate(postorder(made)):
            if size > LONGEST:
                raise self.refused(statement, "functions of functions are nested too deep here")
        return made

    # --- at the end ---

    def finished(self) -> Work:
        output = None if self._as_in_task() else self._output()
        flow, names = self.task, {cell.key: cell.name for cell in self.own}
        problems = {c.key: c.problem for c in self.own if c.problem is not None}
        if output is not None:
            stages, values = dict(flow.stages), dict(flow.values)
            for name in self.vocabulary.inputs:
                values[name] = self._first_value(name)
            for cell in self.own:
                values[cell.key] = cell.passed_on
                if cell.stage is not None:
                    variables = tuple(read.key for read in cell.reads)
                    stages[cell.key] = Stage(cell.stage.graph, variables, cell.line)
                elif cell.name in self.task.stages and (
                    cell.value is None or self._is_tasks(cell, FEW)
                ):
                    meant = self.task.stages[cell.name]
                    variables = tuple(self._before(cell, read) for read in meant.reads)
                    stages[cell.key] = Stage(meant.graph, variables, cell.line)
            flow = Flow(stages, values, output.key, own=True, names=names)
        else:
            given = {c.name: c.value for c in self.own if c.name in flow.values}
            flow = flow.with_values(
                {n: v for n, v in given.items() if v is not None and self._fits(n, v)}
            )
            problems = {self.base(key): problem for key, problem in problems.items()}
        lines: dict[Key, list[Line]] = {}
        for name, groups in self.gradients.items():
            keys = self._versions(name, flow)
            for i, group in enumerate(groups):
                lines.setdefault(keys[min(i, len(keys) - 1)], []).extend(group)
        where = {c.key if flow.own else c.name: c.line or 0 for c in self.own}
        texts = {c.key if flow.own else c.name: c.text for c in self.own}
        numbers = {
            c.key if flow.own else c.name: c.written for c in self.own if c.written is not None
        }
        if flow.own:
            numbers = {key: n for key, n in numbers.items() if key in flow.stages}
        return Work(flow, lines, where, texts, problems, self.notes, self.originals, numbers)

    def _fits(self, name: str, value: Any) -> bool:
        return bool(np.shape(value) == np.shape(self.task.values[name]))

    def _as_in_task(self) -> bool:
        """Whether the forward pass is the task's own, if with less or with nothing but numbers.

        Then a gradient may be that of a node that the listing never computes.
        """
        known = [cell for cell in self.own if cell.name in self.task.stages]
        if known and all(cell.written is not None for cell in self.own):
            return len(known) == len(self.own)
        own = {*self.vocabulary.inputs, *(cell.name for cell in self.own)}
        unknown = set(self.gradients) - own
        return bool(
            unknown
            and set(self.gradients) <= set(self.task.values)
            and all(self._is_tasks(cell, 1e-9) for cell in known)
        )

    def _is_tasks(self, cell: Cell, rtol: float) -> bool:
        """Whether a value is that of the task's node of its name."""
        true = self.task.values[cell.name]
        same = cell.value is not None and np.shape(cell.value) == np.shape(true)
        return same and np.allclose(cell.value, true, rtol=rtol, atol=0)

    def _before(self, cell: Cell, name: str) -> Key:
        """The variable of a name that stands before a cell."""
        earlier = self.own[: self.own.index(cell)]
        return next((c.key for c in reversed(earlier) if c.name == name), name)

    def base(self, key: Key) -> str:
        return key.partition("#")[0]

    def _first_value(self, name: str) -> Any:
        cell = self.current[name]
        return self.task.values[name] if cell.kind == "helper" else cell.value

    def _versions(self, name: str, flow: Flow) -> list[Key]:
        """The variables of a name that the output depends on, the latest first."""
        own = [cell.key for cell in reversed(self.own) if cell.name == name] if flow.own else []
        return [key for key in own if key in flow.reached] or own[:1] or [name]

    def _output(self) -> Cell | None:
        """The student's own output; None if the forward pass is the task's."""
        named = [cell for cell in self.own if cell.name == self.vocabulary.output]
        if named:
            return named[-1]
        true = self.task.values[self.task.output]
        for cell in reversed(self.own):
            same = cell.value is not None and np.shape(cell.value) == np.shape(true)
            if same and np.allclose(cell.value, true, rtol=1e-9, atol=0):
                return cell
        strangers = {c.name for c in self.own} - set(self.vocabulary.nodes)
        if self.last_forward is not None and strangers & set(self.gradients):
            return self.last_forward
        return None

    # --- places ---

    def line(self, tree: Tree) -> int:
        return self.listing.source.position(tree.span.start)[0]

    def text(self, tree: Tree) -> str:
        return " ".join(self.listing.source.text[tree.span.start : tree.span.end].split())

    def refused(
        self,
        statement: Tree,
        message: str,
        hint: str | None = None,
        error: GradcliError | None = None,
    ) -> GradcliError:
        span = statement.span
        if error is not None and error.span is not None and error.span.start >= span.start:
            span = error.span
        message = f"line {self.line(statement)}: {message}"
        source = self.listing.source
        return GradcliError(Kind.SUBMISSION, message, source=source, span=span, hint=hint)


def _adds_to_itself(cell: Cell, before: Cell) -> bool:
    """Whether a line is `delta_x = delta_x + …` (or `… + delta_x`)."""
    tree = cell.tree
    if not isinstance(tree, Operator) or tree.symbol != "+":
        return False
    places = [i for i, read in enumerate(cell.reads) if read is before]
    if not places or cell.stage is None:
        return False
    name = cell.stage.reads[places[0]]
    spine: Tree = tree
    while isinstance(spine, Operator) and spine.symbol == "+":
        if any(isinstance(o, Name) and o.name == name for o in spine.operands):
            return sum(isinstance(n, Name) and n.name == name for n in postorder(tree)) == 1
        spine = spine.operands[0]
    return False


def _difference(total: Any, before: Any) -> Any:
    if total is None or before is None or np.shape(total) != np.shape(before):
        return total
    return total - before


def _like(value: Any) -> Any:
    """A number as a number, an array as an array."""
    return np.asarray(value, dtype=np.float64)[()]


def _count(n: int) -> Number:
    return number(float(n))


def _short(value: Any) -> str:
    return f"{float(value):.6g}" if np.ndim(value) == 0 else "another array"


def _as_written(tree: Tree) -> Written | None:
    """How a bare number or an array of numbers was written."""
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
