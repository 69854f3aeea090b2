"""What a name of a listing is given: a variable of the forward pass, or a line of a gradient.

A name and a value come in and are recorded in the `Desk`. What a name stands for, its form
tells (`gradient_names`); within a function that is a word for an expression, names are its own
business and stand for nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.engine.notation import NOWHERE
from gradcli.grading.interpreter.expressions import Expressions, like
from gradcli.grading.interpreter.state import (
    Cell,
    Desk,
    Line,
    Placed,
    Value,
)
from gradcli.grading.submission.labels import Reading, read_name, readings, subscript
from gradcli.grading.submission.python.rewrite import base_and_key, keyed, original_name
from gradcli.syntax.tree import (
    Augment,
    Name,
    Operator,
    Tree,
    postorder,
)

GRADIENTS = frozenset({"grads", "grad", "gradients", "gradient", "d", "delta", "deltas"})
"""What a dictionary is called whose entries are gradients by their names alone: `grads["W1"]`."""


class Assignments:
    """Gives names what they stand for."""

    def __init__(self, desk: Desk, expressions: Expressions) -> None:
        self.desk = desk
        self.expressions, self.evaluated = expressions, expressions.evaluated
        self.begun = False
        """Whether there was a gradient already."""

    def reading(self, name: str) -> Reading:
        """What a name that is given a value stands for."""
        label = original_name(name)
        if self.desk.within is not None:
            return Reading("value", label)
        entry = base_and_key(name)
        if entry is None:
            if name in self.desk.read and subscript(label, self.desk.vocabulary) is not None:
                return Reading("value", label)  # f(x) on the way, no gradient
            return read_name(label, self.desk.vocabulary, self.desk.names)
        base, key = entry
        reading = read_name(key, self.desk.vocabulary, self.desk.names)
        known = bool(readings(key, self.desk.vocabulary, self.desk.names))
        if base.lower() in GRADIENTS and known:
            return Reading("gradient", reading.name)
        return reading

    def assign(
        self, name: Name, value: Value, statement: Placed, *, together: bool = False
    ) -> None:
        """`name = value`; `together` where the value comes out of a tuple."""
        entry = base_and_key(name.name)
        if entry is not None:
            self.entry(*entry, value, statement)
            return
        reading = self.reading(name.name)
        if not isinstance(value, Cell):
            if reading.kind == "gradient" or name.name in self.desk.vocabulary.inputs:
                hint = "an array is np.array([a, b])"
                message = f"'{original_name(name.name)}' is given several values"
                raise self.desk.refused(statement, message, hint)
            self.desk.scope[name.name] = value
            return
        self.desk.scope[name.name] = self.given(name.name, reading, value, statement, together)

    def entry(self, base: str, key: str, value: Value, statement: Placed) -> None:
        """`base["key"] = value`."""
        of = self.dictionary(base, statement)
        if isinstance(value, Cell):
            reading = self.reading(keyed(base, key))
            if reading.kind != "gradient" and value.source is not None:
                of[key] = value.source
                return
            name = key
            if key in self.desk.vocabulary.inputs:
                if self._is_point(key, value):
                    of[key] = self.input(key, value, statement)
                    return
                name = f"{base}[{key}]"
            value = self.given(name, reading, value, statement, together=True)
        of[key] = value

    def dictionary(self, name: str, statement: Placed) -> dict[str, Value]:
        """The dictionary of a name; a new one where the listing has given it no value."""
        known = self.desk.scope.get(name)
        if isinstance(known, dict):
            return known
        ours = isinstance(known, Cell) and known.line is None
        if known is not None and (not ours or name in self.desk.vocabulary.inputs):
            raise self.desk.refused(statement, f"'{name}' isn't a dictionary")
        made: dict[str, Value] = {}
        self.desk.scope[name] = made
        return made

    def given(
        self,
        name: str,
        reading: Reading,
        cell: Cell,
        statement: Placed,
        together: bool,  # noqa: FBT001
    ) -> Cell:
        """The cell that a name stands for from here on."""
        source = cell if cell.key or cell.kind == "gradient" else cell.source
        if reading.kind == "gradient":
            if source is not None and (source.kind, source.name) == ("gradient", reading.name):
                return source
            if source is cell:
                cell = self.renamed(cell, statement)
            return self.gradient(reading.name, cell, statement, None)
        if source is not None and source.kind == "variable" and source.key:
            if name in (source.name, source.key):
                return source
            if name not in self.desk.vocabulary.inputs:
                if "." in source.name and self.desk.within is None:
                    return self.adopted(name, source)
                if together:
                    return source
        if source is cell:
            if cell.kind == "gradient" and name not in self.desk.vocabulary.inputs:
                return cell
            cell = self.renamed(cell, statement)
        return self.variable(name, cell, statement)

    def adopted(self, name: str, cell: Cell) -> Cell:
        """A variable of a function's own, by the name that it gets outside."""
        cell.key = self.new_key(name)
        cell.name = name
        if not self.begun and name.isidentifier():
            self.desk.last_forward = cell
        return cell

    def new_key(self, name: str) -> str:
        """The key of another variable of a name."""
        desk = self.desk
        earlier = sum(cell.name == name and bool(cell.key) for cell in desk.own)
        earlier += name in desk.task.values
        return f"{name}#{earlier + 1}" if earlier else name

    def renamed(self, cell: Cell, statement: Placed) -> Cell:
        """Another cell of the same value: `delta_y = delta_a`."""
        word = f"{cell.name} "
        self.desk.scope[word] = cell
        return self.evaluated(cell.name, Name(word, NOWHERE), statement)

    def augment(self, name: Name, tree: Tree, statement: Augment) -> None:
        """`name += value`."""
        reading = self.reading(name.name)
        if reading.kind == "gradient":
            value = self.evaluated(name.name, tree, statement)
            cell = self.gradient(reading.name, value, statement, statement.symbol)
        else:
            known = self.expressions.cell(name.name, statement)
            if known is None:
                message = f"'{original_name(name.name)}' has no value yet"
                raise self.desk.refused(statement, message, "the first line has '='")
            added = Operator("+", (name, tree), statement.span, statement.span)
            cell = self.variable(name.name, self.evaluated(name.name, added, statement), statement)
        entry = base_and_key(name.name)
        if entry is None:
            self.desk.scope[name.name] = cell
        else:
            self.dictionary(entry[0], statement)[entry[1]] = cell

    def gradient(self, node: str, cell: Cell, statement: Placed, symbol: str | None) -> Cell:
        """A line that gives a gradient, or adds to it."""
        desk = self.desk
        self.begun = True
        groups = desk.gradients.setdefault(node, [])
        own = cell.value
        cell.name, cell.kind = node, "gradient"
        before = groups[-1][-1].cell if groups else None
        if symbol is None and before is not None and _adds_to_itself(cell, before):
            # delta_x = delta_x + …: what is added is what counts.
            symbol, own = "+", _difference(cell.value, before.value)
        elif symbol is not None:
            if before is None:
                text = f"the first line of delta_{node} has '=', not '+='"
                desk.notes.append(("first-plus", cell.line, text))
            else:
                cell.before = before
                self.alias(node, groups[-1], cell)
                cell.value = self.sum(before, cell, statement)
        meant = desk.assumed.get(node)
        if cell.value is None or (meant is not None and np.shape(meant) != np.shape(cell.value)):
            cell.stand_in, cell.replaced = meant, True
        line = Line(cell, "=" if symbol is None else "+=", cell.text, own)
        if symbol is None or not groups:
            groups.append([line])
        elif _starts_empty(groups[-1]):
            groups[-1][:] = [line]
        else:
            groups[-1].append(line)
        return cell

    def of_point(self, name: str, cell: Cell) -> Cell | None:
        """The input whose value a bare number is, by its name or as the only one of that value."""
        if cell.written is None or cell.key:
            return None
        inputs = self.desk.vocabulary.inputs
        same = [one for one in inputs if self._is_point(one, cell)]
        found = name if name in same else same[0] if len(same) == 1 else None
        known = None if found is None else self.desk.scope.maps[-1].get(found)
        return known if isinstance(known, Cell) else None

    def _is_point(self, name: str, cell: Cell) -> bool:
        """Whether a value is the one that the task gives to an input."""
        given = self.desk.task.values[name]
        if cell.value is None or np.size(cell.value) != np.size(given):
            return False
        return bool(np.allclose(np.ravel(cell.value), np.ravel(given), rtol=1e-6, atol=0))

    def sum(self, before: Cell, cell: Cell, statement: Placed) -> Any:
        """The result of `+=`; None where the shapes do not go together."""
        known = before.passed_on if before.value is None else before.value
        if known is None or cell.value is None:
            return None
        try:
            total = np.add(known, cell.value)
        except ValueError:
            shapes = f"{np.shape(known)} and {np.shape(cell.value)}"
            cell.problem = self.desk.refused(statement, f"shapes {shapes} do not add up")
            return None
        return None if before.value is None else total

    def alias(self, node: str, group: list[Line], cell: Cell) -> None:
        """In NumPy `delta_y = delta_a` is the same array, and `+=` then changes both."""
        first = group[-1].cell
        bare = first.tree is not None and isinstance(first.tree, Name) and first.reads
        if bare and len(group) == 1 and first.before is None and np.ndim(first.value):
            other = first.reads[0]
            if other.kind == "gradient":
                text = (
                    f"delta_{node} and delta_{other.name} are one array in NumPy: "
                    f"'+=' changes both; write delta_{node} = delta_{other.name}.copy()"
                )
                self.desk.notes.append(("aliased", cell.line, text))

    def anonymous(self, name: str, cell: Cell, statement: Placed) -> Cell:
        """A cell that others can be computed from, without a name of the student's own."""
        if cell.key or cell.kind == "gradient":
            return cell
        return cell.source or self.variable(name, cell, statement)

    def variable(self, name: str, cell: Cell, statement: Placed) -> Cell:
        """A value of the forward pass, or one on the way between gradients."""
        desk = self.desk
        if desk.within is not None and "." not in name:
            name = f"{desk.within}.{name}"
        cell.name = name
        if cell.value is None:
            cell.stand_in = desk.task.values.get(name)
        if any(read.after_gradients for read in cell.reads):
            cell.kind = "helper"
            if cell.spoils:
                desk.spoilt.append(cell)
        local = desk.function is not None and cell.kind == "variable"
        if name in desk.vocabulary.inputs and local and not self._is_point(name, cell):
            name = cell.name = f"{desk.function}.{name}"  # a parameter that is given a value
        if name in desk.vocabulary.inputs:
            return self.input(name, cell, statement)
        if cell.kind == "variable":
            cell.key = self.new_key(name)
            desk.own.append(cell)
            if not self.begun and name.isidentifier():
                desk.last_forward = cell
        return cell

    def input(self, name: str, cell: Cell, statement: Placed) -> Cell:
        """An input that is given a value: the task's, or that of a descent step."""
        given = self.desk.task.values[name]
        if cell.kind == "variable" and self._is_point(name, cell):
            kept = Cell(name, "variable", like(cell.value), cell.line, key=name)
            self.desk.scope.maps[-1][name] = kept
            return kept
        if cell.kind == "helper":  # a descent step
            cell.key = name
            self.desk.originals[name] = given
            return cell
        raise self.desk.refused(
            statement,
            f"'{name}' has another value here than in the task",
            f"the task has {name} = {_short(given)}",
        )


def _starts_empty(group: list[Line]) -> bool:
    """Whether all there is so far is `delta_x = 0`, or `np.zeros_like(x)`."""
    first = group[0]
    known = first.own is not None and not any(r.after_gradients for r in first.cell.reads)
    return len(group) == 1 and known and not np.any(first.own)


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


def _short(value: Any) -> str:
    return f"{float(value):.6g}" if np.ndim(value) == 0 else "another array"
