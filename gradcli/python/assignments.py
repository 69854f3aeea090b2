"""Assignments: a target and a value come in; the name, element or attribute has it afterwards.

A step is noted for each, and the node gets the name.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from gradcli.python.expressions import Expressions
from gradcli.python.operators import BINARY
from gradcli.python.steps import Step
from gradcli.python.stores import store
from gradcli.python.values import (
    Array,
    Class,
    Instance,
    Scalar,
    Unknown,
    Value,
    is_traced,
    unread,
)

GOES_ON, BREAK, CONTINUE, RETURN = range(4)
"""How a statement ends."""


class Assignments(Expressions):
    """Gives names, elements and attributes their values."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.outside = 0
        """How many of them a program begins with, and are not said in names."""
        self.keeps_numbers = False
        """Whether steps remember the arrays that depend on no input."""
        self.times: dict[str, int] = {}
        """How often each name was given a value."""

    def set_name(self, name: str, value: Value) -> None:
        """Give a name a value, in the scope that it belongs to."""
        scope = self.scope.shared.get(name, self.scope)
        scope.names[name] = value
        if isinstance(value, Array) and not value.label and self.given is None:
            value.label = name

    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a target a value, without a step: the variable of a loop."""
        if isinstance(target, ast.Name):
            self.set_name(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            for one, part in zip(target.elts, self.unpacked(target, value), strict=True):
                self.bind(one, part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        else:
            self._store(target, value)

    def unpacked(self, target: ast.Tuple | ast.List, value: Value) -> list[Value]:
        """The values for the targets of a tuple. Raises `Unread` where their number differs."""
        wanted = target.elts
        if isinstance(value, Unknown):
            return [value] * len(wanted)
        if self.is_number(value) and not self.tape.shape(value):
            raise unread(f"1 value for {len(wanted)} names", kind="shape", raised="TypeError")
        found = self.listed(value, self.where(target))
        star = next((i for i, t in enumerate(wanted) if isinstance(t, ast.Starred)), None)
        if star is not None and len(found) >= len(wanted) - 1:
            after = len(wanted) - star - 1
            middle = found[star : len(found) - after]
            return [*found[:star], middle, *found[len(found) - after :]]
        if len(found) != len(wanted):
            text = f"{len(found)} value{'s'[: len(found) != 1]} for {len(wanted)} names"
            raise unread(text, kind="shape", raised="ValueError")
        return found

    def _assign(self, node: ast.Assign) -> int:
        value = self.soft(node.value)
        for target in node.targets:
            self.give(target, value, node)
        return GOES_ON

    def _annotated(self, node: ast.AnnAssign) -> int:
        if node.value is not None:
            self.give(node.target, self.soft(node.value), node)
        return GOES_ON

    def give(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Give a target a value, and make a step of it."""
        if isinstance(target, ast.Tuple | ast.List):
            for one, part in zip(target.elts, self.unpacked(target, value), strict=True):
                self.give(one, part, node)
            return
        if isinstance(target, ast.Starred):
            target = target.value
        if isinstance(target, ast.Name):
            if isinstance(value, Unknown):
                self.reading.unknown.append((target.id, value))
            self.set_name(target.id, value)
            self.step(target.id, "=", value, value, None, node)
            return
        if isinstance(target, ast.Subscript):
            of, index = self.value(target.value), self.value(target.slice)
            before = self.held(of)
            self.store(of, index, value, self.where(target))
            name = self._element_name(target, index)
            self.step(name, "=", value, value, before, node, of)
            return
        self._store(target, value)
        self.step(self.target_name(target), "=", value, value, None, node)

    def held(self, of: Value) -> int | None:
        """The node that stands for an array before a store into it; -1 where it has none yet."""
        if not isinstance(of, Array):
            return None
        node = self.tape.node(of.root)
        return -1 if node is None else node

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Attribute):
            of = self.value(target.value)
            if isinstance(of, Array | Scalar):
                if target.attr == "data" and isinstance(of, Array):
                    store(self.tape, of, Ellipsis, value, self.where(target))
                else:
                    self.attributes[self.written(target)] = value
                return
            if isinstance(of, Class):
                of.names[target.attr] = value
                return
            if not isinstance(of, Instance):
                raise unread("an attribute is stored into what is no object of the text")
            of.names[target.attr] = value
        elif isinstance(target, ast.Subscript):
            of = self.value(target.value)
            self.store(of, self.value(target.slice), value, self.where(target))
        elif isinstance(target, ast.Starred):
            self._store(target.value, value)
        else:
            self.bind(target, value)

    def target_name(self, target: ast.expr) -> str:
        """A target as it is written, its indices as they are now: `h[2]`, `grads["W1"]`."""
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            return f"{self.target_name(target.value)}.{target.attr}"
        if isinstance(target, ast.Subscript):
            return self._element_name(target, self.soft(target.slice))
        return self.written(target)

    def _element_name(self, target: ast.Subscript, index: Value) -> str:
        text = self.written(target.slice)
        if isinstance(index, str):
            text = f'"{index}"'
        elif isinstance(index, Scalar | int):
            text = str(self.tape.value(index))
        return f"{self.target_name(target.value)}[{text}]"

    def step(
        self,
        name: str,
        sign: str,
        value: Value,
        own: Value,
        before: int | None,
        node: Any,
        of: Value = None,
    ) -> None:
        """Take note of a step, and name its node; `of` is the array that was stored into."""
        if self.given is not None:
            return
        self.budget.spend()
        span = self.span(node)
        line = self.text.line(span)
        own_node, made = self.node_of_value(own), self.node_of_value(value)
        whole = self.node_of_value(of.root) if isinstance(of, Array) else made
        calls = self.calls[self.outside :]
        more = [*reversed(calls), f"line {line}"]
        if self.turns:
            more = [", ".join(f"{v} = {n}" for v, n in self.turns), *more]
        again = self.times[name] = self.times.get(name, 0) + 1
        if made is not None:
            self.tape.give_name(made, name, [*more, str(again)])
        if whole is not None and whole != made and isinstance(of, Array) and of.root.label:
            self.tape.give_name(whole, of.root.label, [*more, str(again)])
        self.reading.steps.append(
            Step(
                name=name,
                sign=sign,
                value=value,
                own=own,
                node=made,
                own_node=own_node,
                before=before,
                number=self._number(value),
                whole=whole,
                span=span,
                line=line,
                turns=tuple(self.turns),
                calls=tuple(calls),
            )
        )

    def _number(self, value: Value) -> Any:
        """The value as it is now: what is plain may be changed in place later."""
        if not self.is_number(value):
            return None
        found = self.tape.value(value)
        if not isinstance(found, np.ndarray) or is_traced(value):
            return found
        if not self.keeps_numbers:
            return None
        self.budget.keep(found.nbytes)
        return np.array(found)

    def node_of_value(self, value: Value) -> int | None:
        """The node of a value as it is now; None for what has none."""
        if isinstance(value, Scalar):
            return value.node
        return self.tape.node(value) if isinstance(value, Array) else None

    def _augmented(self, node: ast.AugAssign) -> int:
        """`a += b`: in place where a is an array, as NumPy does it."""
        target, sign = node.target, f"{BINARY[type(node.op)][3]}="
        of: Value = None
        index: Value = None
        if isinstance(target, ast.Subscript):
            of, index = self.value(target.value), self.value(target.slice)
            old = self.element(of, index, self.where(target))
            name = self._element_name(target, index)
        elif isinstance(target, ast.Attribute):
            of = self.value(target.value)
            old, name = self.attribute(of, target.attr, target), self.target_name(target)
        else:
            old, name = self.value(target), target.id
        right = self.value(node.value)
        if self._changed_itself(old, right, node):
            return GOES_ON
        held = self.held(of)
        if held is None:
            held = -1 if (whole := self.node_of_value(old)) is None else whole
        where = self.where(node, target, node.value)
        new = self.binary(type(node.op), old, right, where, node)
        if isinstance(old, Array) and (not isinstance(of, Array) or old.view is not None):
            if self.tape.shape(new) != self.tape.shape(old):
                text = f"shapes do not fit: {self.tape.shape(new)} into {self.tape.shape(old)}"
                raise unread(text, kind="shape")
            store(self.tape, old, Ellipsis, new, where)
            new, of = old, of if isinstance(of, Array) else old
        elif isinstance(target, ast.Subscript):
            self.store(of, index, new, where)
        else:
            self.set_target(target, new)
            of = None
        self.step(name, sign, new, right, held, node, of)
        return GOES_ON

    def _changed_itself(self, old: Value, right: Value, node: ast.AugAssign) -> bool:
        """Whether it is a list, a dictionary or an object, which changes itself."""
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            more = self.listed(right, self.where(node))
            self.budget.spend(len(more))
            old.extend(more)
        elif isinstance(old, dict) and isinstance(node.op, ast.BitOr):
            old |= self.binary(ast.BitOr, old, right, self.where(node), node)
        elif isinstance(old, Instance):
            name = BINARY[type(node.op)][2].replace("__", "__i", 1)
            found = self.call_method(old, name, [right], node)
            if found is NotImplemented:
                return False
            self.set_target(node.target, found)
        else:
            return False
        return True

    def set_target(self, target: ast.expr, value: Value) -> None:
        """Give a single target a value."""
        if isinstance(target, ast.Name):
            self.set_name(target.id, value)
        else:
            self._store(target, value)
