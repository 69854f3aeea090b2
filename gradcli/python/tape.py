"""The tape: operations in the order in which they were done, each with its value.

An operation is appended by its row of the table; its value is computed at once by the row's own
kernel, so that shapes, branches and indices are known when the next statement is read. The tape is
a draft of the graph: steps with inputs, constants and operations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import NO_OPTIONS, Literal, Operand, Step
from gradcli.graph.misfits import misfit_error
from gradcli.graph.operators import array_text
from gradcli.ops.operation import Misfit, Operation, Shape, Type
from gradcli.ops.table.indexing import Places
from gradcli.python.limits import Budget
from gradcli.python.values import (
    Array,
    Scalar,
    Unknown,
    Unread,
    Value,
    View,
    Where,
    unread,
)
from gradcli.syntax.tree import Name, Operator

BYTES_OF_A_PLACE = 80
"""What the place of an element takes that is stored or picked."""
FEW = 12
"""A nameless array of up to so many numbers stands inside the operation that uses it."""


class Tape:
    """Operations and their values; a node is its place on the tape."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source, self.budget = source, budget
        self.steps: list[Step] = []
        self.types: list[Type] = []
        self.values: list[Any] = []
        self.kernels: list[Any] = []
        """For every operation what computes it, None for the others."""
        self.names: dict[str, int] = {}
        self.fixed: dict[int, str] = {}
        """Nodes whose values decided how the text was read (a branch, an index), and for what."""

    # --- nodes ---

    def input(self, name: str, value: Any, span: Span) -> int:
        """An input."""
        tree = Name(name, span)
        self.names[name] = len(self.steps)
        return self._append(
            Step("input", name, None, (), NO_OPTIONS, tree, span, span),
            Type(np.shape(value)),
            value,
        )

    def _append(self, step: Step, of: Type, value: Any, kernel: Any = None) -> int:
        self.kernels.append(kernel)
        self.steps.append(step)
        self.types.append(of)
        self.values.append(value)
        return len(self.steps) - 1

    def apply(
        self,
        operation: Operation | str,
        operands: Sequence[Operand],
        where: Where,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> int:
        """Do an operation, without NumPy's warnings where the caller has silenced them.

        Raises `Unread` for operands that do not fit.
        """
        if isinstance(operation, str):
            operation = ops.operation(operation)
        operands = tuple(operands)
        types = tuple(self.types[o] if isinstance(o, int) else o.type for o in operands)
        carried = any(type(o) is int and self.steps[o].kind != "constant" for o in operands)
        step = Step(
            "operation" if carried else "constant",
            None,
            operation,
            operands,
            options,
            self._tree(operands, where),
            where.span,
            where.symbol,
        )
        try:
            out, kernel, bound = operation.bind(types, options, numpy_rules=True)
        except Misfit as misfit:
            raise self._misfit(step, types, misfit) from None
        self.budget.elements(max(out.size, *(t.size for t in types), 0))
        if operation.contracts:
            self.budget.products(out.size * (types[0].shape or (1,))[-1])
        elif "terms" in bound:  # the letters of a sum of products
            axes = {c: n for term, t in zip(bound["terms"], types, strict=True)
                    for c, n in zip(term, t.shape, strict=True)}  # fmt: skip
            self.budget.products(math.prod(axes.values()))
        elif operation.factorises or operation.minors or operation.failure == "singular":
            self.budget.products(int(max(t.size for t in types) ** 1.5))
        values = [self.values[o] if isinstance(o, int) else o.value for o in operands]
        value = kernel(*values)
        if type(value) is not np.float64 and not value.ndim:
            value = np.float64(value)
        self.budget.keep(value.nbytes)
        return self._append(step, out, value, kernel)

    def _tree(self, operands: tuple[Operand, ...], where: Where) -> Operator:
        spans = where.operands if len(where.operands) == len(operands) else ()
        parts = tuple(Name("", span) for span in spans)
        return Operator("", parts, where.span, where.symbol)

    def _misfit(self, step: Step, types: tuple[Type, ...], misfit: Misfit) -> Unread:
        named = [s if s.name else s._replace(name="…") for s in self.steps]
        found = misfit_error(self.source, named, step, types, misfit)
        kind = str(found.kind)
        return Unread(
            Unknown(found.message, found.span, found.hint, kind, "ValueError", found.labels)
        )

    def give_name(self, node: int, name: str, more: Sequence[str]) -> None:
        """Name a node that has no name; `more` makes the name another one if it is taken."""
        if self.steps[node].name is not None:
            return
        if name in self.names:
            forms = [f"{name} ({', '.join(more[: i + 1])})" for i in range(len(more))]
            name = next((form for form in forms if form not in self.names), "")
            if not name:
                return
        self.names[name] = node
        self.steps[node] = self.steps[node]._replace(name=name)

    # --- values ---

    def value(self, of: Value) -> Any:
        """What NumPy would have: a number or an array, of the dtype that it has there."""
        if isinstance(of, Scalar):
            return of.value
        if not isinstance(of, Array):
            return of
        if of.view is not None:
            return of.view.look(self.value(of.view.parent))
        if of.node is None:
            return of.data
        found = self.values[of.node]
        return found if of.kind == "f" else found.astype(bool if of.kind == "b" else np.int64)

    def node(self, of: Array) -> int | None:
        """The node of an array as it is now; None for plain data."""
        if of.view is None:
            return of.node
        above = self.node(of.view.parent)
        if above is None:
            return None
        if of.seen is None or of.seen[0] != above:
            of.seen = above, of.view.make(above)
        return of.seen[1]

    def operand(self, of: Value) -> Operand:
        """A value as an operand: a node, or a literal. Raises `Unread` for what is no number."""
        if isinstance(of, Scalar):
            return of.node
        if isinstance(of, Array):
            found = self.node(of)
            return self.constant(of) if found is None else found
        if isinstance(of, bool | int | float | np.generic):
            return literal(of)
        if isinstance(of, Unknown):
            raise Unread(of)
        raise unread(f"{described(of)} isn't a number")

    def constant(self, of: Array) -> Operand:
        """Plain data as an operand; a named or large array is a row of its own."""
        found = np.array(self.value(of), dtype=np.float64, order="C")
        label = of.label or of.root.label
        texts = [number_text(float(v)) for v in found.ravel()] if found.size <= FEW else []
        if found.size <= FEW and not label:
            found.setflags(write=False)
            return Literal(found, array_text(texts, found.shape))
        if of.constant is not None and np.array_equal(self.values[of.constant], found):
            return of.constant
        text = array_text(texts, found.shape) if texts else "[…]"
        self.budget.keep(found.nbytes)
        of.constant = self._constant(Literal(found, text), label)
        if label:
            self.give_name(of.constant, label, ["constant"])
        return of.constant

    def _constant(self, literal: Literal, label: str = "") -> int:
        span = Span(0, 0)
        tree = Name(label, span)
        step = Step("constant", None, None, (literal,), NO_OPTIONS, tree, span, span)
        return self._append(step, literal.type, literal.value)

    def row_major(self, node: int, where: Where) -> int:
        """A node with the elements row by row in memory, as `.copy()` has them.

        What `ravel` and `reshape` look at, and what they copy, depends on it.
        """
        if self.values[node].flags.c_contiguous:
            return node
        copy = self.apply("identity", (node,), where)
        self.values[copy] = np.ascontiguousarray(self.values[copy])
        return copy

    def wrap(self, node: int, kind: str = "f") -> Value:
        """The value of a node: a scalar, or a new array."""
        if self.types[node].shape:
            return Array(node=node, kind=kind)
        value = self.values[node]
        if kind != "f":
            value = np.bool_(value) if kind == "b" else np.int64(value)
        return Scalar(node, value, kind)

    def plain(self, value: Any) -> Value:
        """The value of something that NumPy has computed of plain data."""
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "fiub":
                raise unread(f"an array of {value.dtype} can't be differentiated")
            if value.ndim == 0:
                return value[()]
            self.budget.hold(value)
            return Array(data=value, kind=value.dtype.kind if value.dtype.kind in "fb" else "i")
        return value

    def shape(self, of: Value) -> Shape:
        """The shape of a number or array."""
        return tuple(np.shape(self.value(of)))

    # --- views ---

    def view(
        self, of: Array, look: Any, row: str, options: Mapping[str, Any], where: Where
    ) -> Value:
        """An array seen otherwise: a view where NumPy has one, else a copy.

        `row` is the operation that makes it of the array's node, empty for a choice by places.
        """
        value = self.value(of)
        seen = look(value)
        if not isinstance(seen, np.ndarray) or not np.may_share_memory(seen, value):
            above = self.node(of)
            if above is None:
                return self.plain(seen)
            return self.wrap(self._seen(above, look, row, options, where), of.root.kind)

        def make(above: int) -> int:
            return self._seen(above, look, row, options, where)

        return Array(kind=of.root.kind, view=View(of, look, make))

    def _seen(
        self,
        above: int,
        look: Any,
        row: str,
        options: Mapping[str, Any],
        where: Where,
    ) -> int:
        if row:
            return self.apply(row, (above,), where, options)
        shape = self.types[above].shape
        places = np.asarray(look(np.arange(math.prod(shape)).reshape(shape)))
        self.budget.keep(BYTES_OF_A_PLACE * places.size)
        at = Places(tuple(places.ravel().tolist()))
        return self.apply("pick", (above,), where, {"at": at, "shape": places.shape})

    def as_node(self, root: Array) -> int:
        """The node that stands for a root's data."""
        found = self.constant(root)
        return found if isinstance(found, int) else self._constant(found)


def literal(value: Any) -> Literal:
    """A number inside of an operation. Raises `Unread` for one that no float can be."""
    try:
        number = np.float64(value)
    except OverflowError:
        raise unread("a whole number is too large for a float") from None
    except (TypeError, ValueError):
        raise unread(f"{described(value)} isn't a real number") from None
    return Literal(number, number_text(float(number)))


def number_text(value: float) -> str:
    """The shortest text of a number."""
    return repr(value).removesuffix(".0")


def described(value: Value) -> str:
    """What a value is, in a word or two."""
    if value is None:
        return "None"
    names: dict[type, str] = {
        Scalar: "a number",
        Array: "an array",
        float: "a number",
        str: "a text",
        tuple: "a tuple",
        list: "a list",
        dict: "a dictionary",
    }
    for kind, name in names.items():
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__.lower()}"


def as_error(unknown: Unknown, source: Source) -> GradcliError:
    """The error of a value that could not be found out."""
    return GradcliError(
        Kind(unknown.kind),
        unknown.message,
        source=source,
        span=unknown.span,
        labels=unknown.labels,
        hint=unknown.hint,
    )
