"""A listing's code read at the task's point: its steps, and what it says of gradients.

`Code` comes in, a `CodeReader` that has read it goes out. It is the interpreter of `gradcli.python`
with the task's values for the names that the code does not define. With a step comes what `staging`
wants to know of it: the statement, whether it is one of the computation's own steps, and (where
asked for) what the names around it stood for.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.calls import Calls
from gradcli.grading.listing.code import Code
from gradcli.grading.listing.numbers import is_of_numbers
from gradcli.grading.listing.offers import Offered
from gradcli.grading.listing.trees import label_of, whole_label
from gradcli.grading.model.tolerance import alike
from gradcli.grading.submission.labels import last_part
from gradcli.python.limits import ExhaustedError
from gradcli.python.statements import changed_names, stored_places
from gradcli.python.values import (
    NOWHERE,
    Array,
    Instance,
    Scope,
    Unknown,
    Unread,
    Value,
    is_traced,
)

_Names: TypeAlias = dict[str, Value]
_SIMPLE = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return


@dataclass(frozen=True)
class Place:
    """Where a step was made."""

    statement: ast.stmt
    own: bool
    """Whether it is a step of the computation; those of a function such as `sigmoid` are not."""
    entries: Mapping[Any, Value] = field(default_factory=dict)
    """Of a dictionary that was given a name: what was in it then."""
    around: _Names = field(default_factory=dict)
    """What the names stood for before the statement, where that is asked for."""


@dataclass(frozen=True)
class Lost:
    """A label whose value could not be found out."""

    label: str
    why: Unknown
    place: Place
    at: int
    """How many steps stand before it."""
    stand_in: Value | None
    """The value that later statements use."""


class CodeReader(Calls):
    """Reads a submission's code."""

    def __init__(self, code: Code, assumed: Mapping[str, Any] | None, *, snapshots: bool) -> None:
        super().__init__(code)
        self.assumed, self.snapshots = assumed, snapshots
        self.around: _Names = {}
        """What the names stood for before the statement that is read."""
        self.places: list[Place] = []
        """Of every step."""
        self.lost: list[Lost] = []
        self.replaced_by: dict[int, int] = {}
        """Of steps: the node of an assumed value that stands for theirs."""
        self.exhausted: ExhaustedError | None = None
        """Where the budget was used up; what had been read until then counts."""

    # --- steps ---

    def one(self, node: ast.stmt) -> int:
        """One statement, with the names around it as they are before."""
        before = self.around
        if self.snapshots and self.given is None and isinstance(node, _SIMPLE):
            self.around = {n: self._as_now(v) for n, v in self.scope.names.items()}
        try:
            return super().one(node)
        except GradcliError as error:
            if error is self.budget.gradual or self.given is not None:
                raise
            return self.lose(node, Unknown(error.message, self.span(node), kind="overflow"))
        finally:
            self.around = before

    def _as_now(self, value: Value) -> Value:
        """A value as it is now, whatever is stored into it later."""
        if isinstance(value, Array):
            node = self.tape.node(value)
            if node is not None:
                return Array(node=node, kind=value.root.kind)
            return Array(data=np.array(self.tape.value(value)), kind=value.root.kind)
        if isinstance(value, dict):
            return {k: self._as_now(v) for k, v in value.items()}
        if isinstance(value, list) and len(value) < 100:
            return [self._as_now(v) for v in value]
        if isinstance(value, Instance):
            return Instance(value.of, {k: self._as_now(v) for k, v in value.names.items()})
        return value

    def step(self, *arguments: Any, **named: Any) -> None:
        """Take note of a step, and of where it is."""
        count = len(self.reading.steps)
        super().step(*arguments, **named)
        if len(self.reading.steps) == count:
            return
        name, value, node = arguments[0], arguments[2], arguments[5]
        held = dict(value) if isinstance(value, dict) else {}
        self.places.append(Place(node, self.is_own, held, self.around))
        if self.is_own and not self.is_gradient(last_part(name)):
            self.own.setdefault(last_part(whole_label(name)))

    @cached_property
    def made(self) -> dict[int, list[int]]:
        """The steps that gave each node a name, once all is read."""
        found: dict[int, list[int]] = {}
        for i, step in enumerate(self.reading.steps):
            if step.whole is not None:
                found.setdefault(step.whole, []).append(i)
        return found

    def makers(self, node: int | None) -> list[int]:
        """The steps that gave a node a name."""
        return [] if node is None else self.made.get(node, [])

    def evaluated(self, node: ast.expr, step: int, given: Mapping[str, Any] | None = None) -> Any:
        """The number that an expression has in the place of a step; None where it has none.

        Below zero are the steps that were lost: -1 is the first. `given` are values that some names
        have instead.
        """
        place, outer = self.places[step] if step >= 0 else self.lost[-1 - step].place, self.scope
        self.budget.renew()
        self.scope = Scope(outer.module)
        self.scope.names |= place.around
        for name, value in (given or {}).items():
            self.scope.names[name] = self.as_node(name, value)[1]
        try:
            with np.errstate(all="ignore"):
                found = self.numeric(self.value(node), NOWHERE)
                return self.tape.value(found) if self.is_number(found) else None
        except (Unread, GradcliError, ValueError, TypeError):
            return None
        finally:
            self.scope = outer

    # --- what is given a name ---

    def give(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Give a target a value; a number that stands for a row is a node of its own."""
        if self.given is not None or isinstance(target, ast.Tuple | ast.List | ast.Starred):
            super().give(target, value, node)
            return
        label = label_of(target)
        if isinstance(value, Unknown):
            super().give(target, value, node)
            self._lose(label, value, node, target)
            return
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._with_dictionary(target.value, target.slice)
        shown = isinstance(value, list | tuple) and value and _is_display(node)
        if shown and self.readings(last_part(label)):
            with suppress(Unread):
                value = self.array(value, NOWHERE)
        if self.is_number(value) and not isinstance(value, bool):
            value = self._as_row(label, value, node)
        super().give(target, value, node)
        self._go_on(label, value, target)

    def _with_dictionary(self, name: ast.Name, key: ast.expr) -> None:
        """A dictionary by a name that has no value, and gets an entry."""
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            try:
                found = self.look_up(name.id, name)
            except Unread:
                found = Offered(name.id)
            if isinstance(found, Offered):
                self.set_name(name.id, {})

    def _as_row(self, label: str, value: Value, node: ast.stmt) -> Value:
        """A number by the name of a row as a node; a gradient that is another's name as a copy."""
        found = self.readings(last_part(label))
        if not found:
            return value
        gradient = found[0].kind == "gradient"
        if is_traced(value):
            code = getattr(node, "value", None)
            other = code.id if isinstance(code, ast.Name) and isinstance(value, Array) else ""
            if gradient and other and value.view is None and self.is_gradient(other):
                return Array(node=value.node, kind=value.kind)
            return value
        number = self.tape.value(value)
        name = found[0].name
        if not gradient and (name in self.vocabulary.inputs or self.is_another(name, number)):
            return value
        place, made = self.as_node(label, np.array(number, dtype=np.float64)[()], self.kind(value))
        if isinstance(value, Array) and value.view is None:  # its other names see it too
            value.node, value.data, value.constant = place, None, None
            return value
        return value if isinstance(value, Array) else made

    def is_another(self, name: str, number: Any) -> bool:
        """Whether a number has nothing to do with the output whose name it has: `L = len(Y)`."""
        if name != self.vocabulary.output or not np.all(np.isfinite(number)):
            return False
        return not alike(number, self.given_values[name], 0.5)

    def _go_on(self, label: str, value: Value, target: ast.expr) -> None:
        """Go on with what is assumed, where a value has another shape, or is no number."""
        assumed = self.assumed_of(label)
        if assumed is None or not self.is_number(value):
            return
        number = self.tape.value(value)
        other = label in (self.assumed or {}) and np.shape(number) != np.shape(assumed)
        if other or (np.all(np.isfinite(assumed)) and not np.all(np.isfinite(number))):
            node, stand_in = self.as_node(label, assumed)
            self.replaced_by[len(self.reading.steps) - 1] = node
            with suppress(Unread):
                self.set_target(target, stand_in)

    def assumed_of(self, label: str) -> Any:
        """What stands for a label that can't be computed: of a node of the task its value."""
        if self.assumed is None:
            return None
        return self.assumed.get(label, self.given_values.get(last_part(label)))

    def _lose(
        self, label: str, why: Unknown, node: ast.stmt, target: ast.expr | None = None
    ) -> None:
        """Take note of a label without a value."""
        assumed, stand_in = self.assumed_of(label), None
        if assumed is not None:
            _, stand_in = self.as_node(label, assumed)
            with suppress(Unread):
                self.set_target(target or ast.Name(label, ast.Store()), stand_in)
        place = Place(node, self.is_own, around=self.around)
        self.lost.append(Lost(label, why, place, len(self.reading.steps), stand_in))

    def _augmented(self, node: ast.AugAssign) -> int:
        """`dx += …`, which begins at zero where there is no dx yet."""
        target = node.target
        name = target.id if self.given is None and isinstance(target, ast.Name) else ""
        if name and self.is_gradient(name) and not self._is_bound(name):
            self.set_name(name, 0.0)
        return super()._augmented(node)

    def _is_bound(self, name: str) -> bool:
        scope: Scope | None = self.scope
        while scope is not None and name not in scope.names:
            scope = scope.outer
        return scope is not None or any(
            r.kind == "value" or r.name == self.vocabulary.output for r in self.readings(name)
        )

    def lose(self, node: ast.stmt, why: Unknown) -> int:
        """Everything that a statement may change is unknown."""
        end = super().lose(node, why)
        if self.given is None:
            for name in changed_names(node):
                self._lose(name, why, node)
            for target in stored_places(node):
                self._lose(label_of(target), why, node, target)
        return end


def _is_display(statement: ast.stmt) -> bool:
    """Whether a statement's value is nothing but numbers in brackets."""
    code = getattr(statement, "value", None)
    return isinstance(code, ast.List | ast.Tuple) and is_of_numbers(code)


def read_code(
    code: Code, *, assumed: Mapping[str, Any] | None = None, snapshots: bool = False
) -> CodeReader:
    """Read a submission's code. Raises `GradcliError` where it takes too much.

    `assumed` are values, by their labels, for what can't be computed or has another shape; a node
    of the task has the task's. None where nothing stands for it.
    """
    reader = CodeReader(code, assumed, snapshots=snapshots)
    reader.scope.names["__name__"] = "__main__"
    with np.errstate(all="ignore"):
        try:
            reader.libraries = code.libraries
            reader.run(code.tree.body)
            reader.call_uncalled()
        except ExhaustedError as error:
            reader.exhausted = error
    return reader
