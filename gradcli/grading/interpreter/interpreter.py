"""A listing worked through, statement by statement, by NumPy's rules.

A `Listing` and the `Task` come in; out comes the `Work`: the flow of the student's own forward
pass (or the task's, where the student has none) and, for every gradient, the lines that wrote it
with the values that they had. Functions that hold steps are read where they are called, with names
of their own; one that is never called is read at the end, if its parameters are known. Nothing is
executed but operations of the table.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.engine.notation import NOWHERE
from gradcli.grading.interpreter.assignments import Assignments
from gradcli.grading.interpreter.expressions import Expressions, count
from gradcli.grading.interpreter.forward_pass import finished
from gradcli.grading.interpreter.functions import (
    Procedures,
    all_steps,
    names_read,
    names_used,
    targets,
)
from gradcli.grading.interpreter.state import (
    Cell,
    Desk,
    Placed,
    Value,
    Work,
)
from gradcli.grading.model.flow import Flow
from gradcli.grading.submission.labels import Reading, read_name
from gradcli.grading.submission.python.rewrite import original_name
from gradcli.grading.submission.types import (
    Entries,
    Listing,
    Performed,
    Procedure,
    Returned,
    Several,
    Step,
    Vocabulary,
)
from gradcli.syntax.tree import (
    Assign,
    Augment,
    Call,
    Define,
    Index,
    Name,
    Tree,
    Tuple,
)

DEEPEST = 20
"""Functions that call one another."""


def work_through(
    listing: Listing,
    flow: Flow,
    vocabulary: Vocabulary,
    assumed: Mapping[str, Any] | None = None,
) -> Work:
    """Work through a listing. Raises `GradcliError` of kind submission.

    `assumed` are gradients, by the name of the node, for lines that can't be computed.
    """
    inputs: dict[str, Value] = {
        name: Cell(name, "variable", value, key=name) for name, value in flow.values.items()
    }
    read = names_used(listing.statements, returned=False)
    desk = Desk(listing, flow, vocabulary, assumed or {}, ChainMap(inputs), read=read)
    _Reader(desk).read()
    cells = (line.cell for of in desk.gradients.values() for group in of for line in group)
    if desk.problems and not assumed and all(cell.value is None for cell in cells):
        raise desk.problems[0]  # what is missing, not marks of 0
    work = finished(desk)
    work.unread.update(_unread(desk, work))
    return work


def _unread(desk: Desk, work: Work) -> dict[str, int]:
    """The names that are neither rows nor used for any, and their lines."""
    statements = desk.listing.statements
    known = {*desk.vocabulary.nodes, *desk.vocabulary.inputs, *desk.gradients}
    known |= names_used(statements, returned=True)
    known |= {cell.name for cell in (*desk.own, *desk.spoilt) if cell.problem is not None}
    known |= {name for name, value in desk.scope.items() if not isinstance(value, Cell)}
    known.add(work.flow.name(work.flow.output))
    unread: dict[str, int] = {}
    for step in all_steps(statements):
        for name in targets(step):
            label = original_name(name)
            if label.isidentifier() and not {name, label} & known:
                gradient = read_name(label, desk.vocabulary, desk.names).kind == "gradient"
                if not gradient:
                    unread.setdefault(label, desk.line(step))
    return unread


class _Reader:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.procedures = Procedures(desk.listing, desk.vocabulary)
        self.expressions = Expressions(desk, self.procedures, self.number_from)
        self.evaluated = self.expressions.evaluated
        self.names = Assignments(desk, self.expressions)
        self.active: list[str] = []
        """The functions that are being read."""
        self.given_back: list[tuple[Procedure, Value]] = []
        """What functions with steps have come to."""

    def read(self) -> None:
        """All statements, and then the functions that are never called."""
        for step in self.desk.listing.statements:
            self.step(step)
        for function in list(self.procedures.never_called()):
            self.uncalled(function)
        for name, of in list(self.procedures.one_expression.items()):
            if not self.procedures.counts[name] and name not in self.procedures.called:
                self.uncalled_expression(of)
        self.from_results()

    def step(self, step: Step) -> None:
        """One statement."""
        match step:
            case Define() | Procedure():
                self.procedures.define(step)
            case Assign():
                self.names.assign(step.name, self.value(step.name.name, step.value, step), step)
            case Augment():
                if not isinstance(step.target, Name):
                    raise self.desk.refused(step, "'+=' on single elements is not read")
                self.names.augment(step.target, step.value, step)
            case Several():
                self.several(step)
            case Entries():
                found = self.entries(step.keys, step.values, step)
                self.desk.scope[step.target.name] = {}
                for key, value in found.items():
                    self.names.entry(step.target.name, key, value, step)
            case Performed():
                self.performed(step)
            case _:
                pass

    # --- values ---

    def value(self, name: str, tree: Tree, statement: Placed) -> Value:
        """What an expression stands for; also a tuple or a dictionary."""
        if isinstance(tree, Name):
            known = self.desk.scope.get(tree.name)
            if known is not None and not isinstance(known, Cell):
                return known
        if isinstance(tree, Tuple):
            return tuple(_known(self.value(name, one, statement)) for one in tree.elements)
        if isinstance(tree, Call) and not tree.qualified and tree.name in self.procedures.called:
            if self.procedures.is_open(tree) or tree.name not in self.procedures.results:
                return self.perform(tree, statement)
            results = self.procedures.results[tree.name]
            if len(results) > 1:
                return self.results(tree, results, statement)
        return self.evaluated(name, tree, statement)

    def results(self, call: Call, results: Sequence[Tree], statement: Placed) -> Value:
        """The values of a function that are expressions of its parameters."""
        of = self.procedures.called[call.name]
        found: list[Value] = []
        for result in results:
            alone = Define(of.name, of.parameters, result, of.span)
            tree = self.expressions.body(call, statement, {call.name: alone})
            found.append(self.evaluated(call.name, tree, statement))
        return tuple(found)

    def entries(
        self, keys: Sequence[Name], values: Sequence[Tree], statement: Placed
    ) -> dict[str, Value]:
        """The values of a dictionary."""
        return {
            original_name(key.name): self.value(key.name, value, statement)
            for key, value in zip(keys, values, strict=True)
        }

    def several(self, step: Several) -> None:
        """Several names at once: all values are computed before any name is given one."""
        first = step.targets[0]
        if step.chain:
            for target in step.targets:
                self.names.assign(target, self.value(target.name, step.values[0], step), step)
            return
        values = [self.value(first.name, value, step) for value in step.values]
        if step.bundle:
            self.names.assign(first, tuple(_known(value) for value in values), step)
            return
        if len(values) == 1:
            values = self.unpacked(values[0], step)
        if len(values) != len(step.targets):
            those = "1 value" if len(values) == 1 else f"{len(values)} values"
            message = f"{len(step.targets)} names are given {those}"
            raise self.desk.refused(step, message)
        for target, value in zip(step.targets, values, strict=True):
            self.names.assign(target, value, step, together=True)

    def unpacked(self, value: Value, step: Several) -> list[Value]:
        """The elements of a tuple, or of an array along its first axis."""
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, dict):
            raise self.desk.refused(step, "a dictionary is not read as several values")
        shape = np.shape(value.passed_on)
        if not shape or shape[0] > len(step.targets):
            return [value]
        indices = range(shape[0])
        of = step.values[0]
        return [self.evaluated("", Index(of, (count(i),), NOWHERE), step) for i in indices]

    # --- functions ---

    def performed(self, step: Performed) -> None:
        """A call that stands alone: what it gives back is not used."""
        name = step.call.name
        if name in self.procedures.called:
            self.perform(step.call, step)
        elif name in self.procedures.one_expression:
            self.evaluated(name, step.call, step)
        else:
            message = f"'{name}' is called before it is defined"
            raise self.desk.refused(step, message, "put the call below the def")

    def number_from(self, call: Call, statement: Placed) -> Cell:
        """What a function gives back within an expression: one number or array."""
        value = self.perform(call, statement)
        if not isinstance(value, Cell):
            message = f"'{call.name}' does not give back one number or array"
            raise self.desk.refused(statement, message)
        return self.names.anonymous(f"{call.name}(…)", value, statement)

    def perform(self, call: Call, statement: Placed) -> Value:
        """Read a function's lines with the arguments of a call. What it gives back."""
        function = self.procedures.called[call.name]
        names = tuple(p.name for p in function.parameters)
        arguments = self.expressions.arguments(call, names, statement)
        steps = self.procedures.is_open(call)
        given: dict[str, Value] = {}
        value: Value
        for name, tree in arguments.items():
            value = self.value(name, tree, statement)
            if isinstance(value, Cell):
                point = self.names.of_point(name, value) if steps else None
                value = point or self.names.anonymous(f"{call.name}.{name}", value, statement)
            given[name] = value
        return self.lines_of(function, given, statement, steps=steps)

    def lines_of(
        self, function: Procedure, given: dict[str, Value], statement: Placed, *, steps: bool
    ) -> Value:
        """A function's lines, in a scope of their own."""
        name = function.name.name
        if name in self.active:
            raise self.desk.refused(statement, f"'{name}' calls itself: that is not read")
        if len(self.active) >= DEEPEST:
            message = f"more than {DEEPEST} functions that call one another are not read"
            raise self.desk.refused(statement, message)
        desk = self.desk
        outer, within, around = desk.scope, desk.within, desk.function
        desk.scope = ChainMap(given, outer.maps[-1])
        if not steps and desk.within is None:
            desk.within = name
        desk.function = name
        self.active.append(name)
        result: Value = ()
        for step in function.body:
            if isinstance(step, Returned):
                result = self.returned(name, step)
            else:
                self.step(step)
        self.active.pop()
        desk.scope, desk.within, desk.function = outer, within, around
        if steps:
            self.given_back.append((function, result))
        return result

    def returned(self, name: str, step: Returned) -> Value:
        """What a function gives back; of one value the cell as it is."""
        before = len(step.values) - len(step.keys or ())
        values = [_known(self.value(name, value, step)) for value in step.values[:before]]
        if step.keys is not None:
            found = self.entries(step.keys, step.values[before:], step)
            values.append({k: self.kept(f"{name}.{k}", v, step) for k, v in found.items()})
        return values[0] if len(values) == 1 else tuple(values)

    def kept(self, name: str, value: Value, statement: Placed) -> Value:
        """A value of a dictionary that outlives its function."""
        return self.names.anonymous(name, value, statement) if isinstance(value, Cell) else value

    def uncalled(self, function: Procedure) -> None:
        """A function with steps that is never called: as called with what its parameters name."""
        desk = self.desk
        given: dict[str, Value] = {}
        used = names_read(function)
        for parameter in function.parameters:
            value = desk.scope.get(parameter.name)
            if value is not None:
                given[parameter.name] = value
            elif parameter.name in used:
                text = f"'{function.name.name}' is not called, and so not read"
                desk.notes.append(("not-called", desk.line(function), text))
                return
        result = self.lines_of(function, given, function, steps=True)
        if isinstance(result, Cell):
            self.names.assign(function.name, result, function)

    def from_results(self) -> None:
        """`def grad(x, y): …; return …, …` whose values have no names: the gradients in order."""
        inputs = self.desk.vocabulary.inputs
        for function, given_back in reversed(self.given_back):
            if any(name in self.desk.gradients for name in inputs):
                return
            names = tuple(p.name for p in function.parameters)
            result = self.elements(given_back, function)
            if names != inputs or not isinstance(result, tuple) or len(result) != len(inputs):
                continue
            for name, value in zip(inputs, result, strict=True):
                if isinstance(value, Cell):
                    reading = Reading("gradient", name)
                    self.names.given(name, reading, value, function, together=True)

    def elements(self, cell: Value, function: Procedure) -> Value:
        """`np.array([dx, dy])` of numbers as a tuple; anything else as it is."""
        if not isinstance(cell, Cell):
            return cell
        inputs = self.desk.vocabulary.inputs
        numbers = all(np.ndim(self.desk.task.values[name]) == 0 for name in inputs)
        if not numbers or len(inputs) < 2 or np.shape(cell.passed_on) != (len(inputs),):
            return cell
        word = f"{function.name.name}(…)"
        self.desk.scope[word] = self.names.anonymous(word, cell, function)
        return tuple(
            self.evaluated(word, Index(Name(word, NOWHERE), (count(i),), NOWHERE), function)
            for i in range(len(inputs))
        )

    def uncalled_expression(self, function: Define) -> None:
        """`def dfdx(x, y): return …` that is never called: a gradient, or the output itself."""
        desk, name = self.desk, function.name
        known = all(parameter.name in desk.scope for parameter in function.parameters)
        gradient = self.names.reading(name.name).kind == "gradient"
        given = name.name in desk.names or name.name in self.procedures.targets
        if known and not given and (gradient or name.name == desk.vocabulary.output):
            call = Call(name.name, function.parameters, (), NOWHERE, NOWHERE)
            self.names.assign(name, self.evaluated(name.name, call, function), function)


def _known(value: Value) -> Value:
    """A cell by its first name, where it is another name for one."""
    if isinstance(value, Cell) and not value.key and value.source is not None:
        return value.source
    return value
