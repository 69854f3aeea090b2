"""Code at the task's point: what it gives the inputs, and its steps of gradient descent.

Statements that give an input a value come in; the value that it has from then on goes out. It is
the task's, whatever number or random start the code gives it. A step of
descent, `W -= eta*dW`, moves a weight for the statements of the backward pass that follow (which is
a mistake to be seen); a new forward pass, another turn of the loop and whatever comes behind it
begin at the task's point again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.grading.listing.code import Code
from gradcli.grading.listing.offers import Offered, Offers
from gradcli.grading.listing.trees import label_of, labels_in, targets
from gradcli.grading.model.tolerance import alike
from gradcli.grading.submission.labels import last_part
from gradcli.python.values import (
    Array,
    Instance,
    Scalar,
    Unknown,
    Unread,
    Value,
    is_traced,
)

_GRADIENT = re.compile(
    r"(d|delta|grad|nabla)_?[A-Za-z]?\w{0,3}$|\w+_(grad|gradient|delta)$|g[wb]\d?$"
)
"""What a gradient is called, whatever it is by."""


class Training(Offers):
    """Keeps the inputs at the task's point."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.trains_here = False
        """The loop that begins trains: its first turn is read."""
        self.moved: dict[str, Callable[[], None]] = {}
        """The weights that a step of descent has moved: what puts each back."""
        self.known_loops: dict[ast.For, bool] = {}
        """Whether each loop trains."""

    # --- the task's point ---

    def give(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Give a target a value; an input of the task keeps the task's."""
        if self.given is not None:
            super().give(target, value, node)
            return
        name = _last(target)
        if isinstance(value, Offered) and name:
            found = self.offer(name)
            value = value if isinstance(found, Offered) else found
        kept = self._kept(target, name, value)
        if kept is not None:
            self.set_target(target, kept)
            return
        if self._is_descent(target, node):
            self._move(target)
        super().give(target, value, node)

    def _kept(self, target: ast.expr, name: str, value: Value) -> Value | None:
        """The task's value for what the code gives an input: a random start, or the same number."""
        name = self.written_for.get(name, name)
        if name not in self.vocabulary.inputs or is_traced(value):
            return None
        if isinstance(value, Unknown):
            return self.input_of(name)
        if not self.is_number(value) and not isinstance(value, list):
            return None
        true = self.given_values[name]
        try:
            plain = np.asarray(self._plain_nested(value), dtype=float)
        except (Unread, ValueError, TypeError):
            return None
        if plain.size != np.size(true):
            return None
        if not alike(np.ravel(plain), np.ravel(true)):
            outside = isinstance(target, ast.Name) and self.scope.outer is None
            if not outside or plain.shape != np.shape(true):
                return None
            text = f"{name} has another value here; the task's is taken"
            self.note("other-point", target, text)
        return self.input_of(name)

    # --- descent ---

    def _is_descent(self, target: ast.expr, node: ast.stmt) -> bool:
        """`W = W - eta*dW`, of an input that has the task's value."""
        value = getattr(node, "value", None)
        if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Sub | ast.Add):
            return False
        place = isinstance(value.left, ast.Name | ast.Attribute | ast.Subscript)
        same = place and ast.unparse(value.left) == ast.unparse(target)
        return same and self._is_input(node)

    def _is_input(self, statement: Any) -> bool:
        """Whether a statement changes an input: a number under another name, if by a gradient."""
        target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
        found = self.soft(target)
        if isinstance(found, Scalar) and isinstance(target, ast.Name):
            own = {name for name, value in self.inputs.items() if value is found}
            if own and target.id not in own and not self._speaks_of_gradients(statement.value):
                return False
        node = self.node_of_value(found)
        return node is not None and node in map(self.node_of_value, self.inputs.values())

    def _augmented(self, node: ast.AugAssign) -> int:
        # What is added is a rate times something: no part of the forward pass.
        added = isinstance(node.op, ast.Add) and isinstance(node.value, ast.BinOp)
        gradient = added or isinstance(node.op, ast.Sub)
        if self.given is None and gradient and self._is_input(node):
            self._move(node.target)
        return super()._augmented(node)

    def _move(self, target: ast.expr) -> None:
        """Take note of a step of descent, and of how it is taken back."""
        label, held = label_of(target), self.soft(target)
        if label in self.moved:
            return
        root = held.root if isinstance(held, Array) else None
        node = None if root is None else root.node
        scope = self.scope.shared.get(label, self.scope)
        of = self.soft(target.value) if isinstance(target, ast.Attribute | ast.Subscript) else None
        key = self.soft(target.slice) if isinstance(target, ast.Subscript) else None

        def put_back() -> None:
            if root is not None:
                root.node = node
            if isinstance(target, ast.Name):
                scope.names[target.id] = held
            elif isinstance(of, Instance) and isinstance(target, ast.Attribute):
                of.names[target.attr] = held
            elif isinstance(of, dict):
                of[key] = held

        self.moved[label] = put_back

    def put_back(self) -> None:
        """Take back all steps of descent."""
        for one in self.moved.values():
            one()
        self.moved.clear()

    def one(self, node: ast.stmt) -> int:
        """One statement; a new forward pass begins at the task's point."""
        if self.moved and self.given is None and self._is_forward(node):
            self.put_back()
        return super().one(node)

    def _is_forward(self, node: ast.stmt) -> bool:
        """Whether a statement reads a weight that was moved, and has no gradient in it."""
        if isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.If | ast.With
        ):
            return False
        read = labels_in(node)
        bundles = {label.partition("[")[0] for label in self.moved}
        if not read & {*self.moved, *bundles}:
            return False
        labels = {*read, *targets(ast.walk(node))}
        return not any(map(self.is_gradient, labels))

    # --- loops that train ---

    def _for(self, node: ast.For) -> int:
        self.trains_here = self.given is None and self._trains(node)
        return super()._for(node)

    def iterated(self, value: Value, where: Any) -> Any:
        """The items of a loop; of one that trains, the first: the weights stay where they are."""
        trains, self.trains_here = self.trains_here, False
        for i, item in enumerate(super().iterated(value, where)):
            if i and trains:
                self.put_back()
                return
            yield item

    def _trains(self, node: ast.For) -> bool:
        """Whether a step of descent is taken in a loop, or in a function that it calls."""
        if node not in self.known_loops:
            self.known_loops[node] = any(map(self._descends, self.code.all_in(node)))
        return self.known_loops[node]

    def _descends(self, node: ast.AST) -> bool:
        """Whether something goes down a gradient here: `v - eta*dv`, `v -= eta*dv`."""
        match node:
            case ast.AugAssign(target=place, op=ast.Sub(), value=step):
                pass
            case ast.BinOp(left=place, op=ast.Sub(), right=step):
                pass
            case _:
                return False
        by_name = isinstance(place, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
        return by_name and not self._speaks_of_gradients(place) and self._speaks_of_gradients(step)

    def _speaks_of_gradients(self, node: ast.AST) -> bool:
        texts = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
        words = {*map(last_part, labels_in(node)), *(t for t in texts if isinstance(t, str))}
        return any(_GRADIENT.match(word) or self.is_gradient(word) for word in words - {""})


def _last(target: ast.expr) -> str:
    """The name that a target ends with: of `self.W1` and `p["W1"]` the same."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return target.slice.value if isinstance(target.slice.value, str) else ""
    return ""
