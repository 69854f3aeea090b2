"""What a task gives to code that has no value for a name: its nodes, alone and in bundles.

A name may be a node of the task, one that differs in case alone, a plural (`weights` for w1 and
w2), the labels that the task's loss chooses, or the accumulator of the output. What has another
name (`cache`, `parameters`, `self`) is a bundle: it is asked for the task's nodes by the names that
it is taken apart to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.grading.listing.functions import Code
from gradcli.grading.submission.labels import readings, spellings
from gradcli.grading.submission.types import Vocabulary
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph
from gradcli.python.interpreter import Interpreter
from gradcli.python.limits import Budget
from gradcli.python.spellings import CONSTANTS
from gradcli.python.values import Array, Builtin, Instance, Unread, Value, unread

LABELS = frozenset(["y", "labels", "label", "targets", "target", "y_true", "t", "classes", "ys"])


def numbered(name: str, inputs: Sequence[str]) -> list[str]:
    """The inputs that a plural stands for: `w1`, `w2` for `weights`, `Ws` or `w`."""
    first = name[:1].lower()
    word = name.lower() in (first, f"{first}s", "weights", "biases", "params")
    return [n for n in inputs if word and re.fullmatch(rf"(?i){first}_?\d+", n)]


def labels_of(graph: Graph) -> Any:
    """The classes of a loss that picks an element of every row (or column): `log(p[1, 2])`.

    None where the task picks nothing of the kind.
    """
    picked: dict[int, list[tuple[int, int]]] = {}
    for node in graph.nodes:
        items: Any = node.options.get("items", ()) if node.operation is not None else ()
        of = node.operands[0] if node.operands else None
        if isinstance(of, int) and len(items) == 2 and all(isinstance(i, int) for i in items):
            picked.setdefault(of, []).append((items[0], items[1]))
    for of, places in picked.items():
        for axis in (0, 1):
            order = sorted(places, key=lambda place: place[axis])
            if [place[axis] for place in order] == list(range(graph.nodes[of].type.shape[axis])):
                return np.array([place[1 - axis] for place in order])
    return None


def literal_of(graph: Graph) -> float | None:
    """The one number that the task has written into its program and that is no whole one."""
    operands = (o for node in graph.nodes for o in node.operands)
    numbers = {float(o.value) for o in operands if isinstance(o, Literal) and not np.ndim(o.value)}
    numbers = {n for n in numbers if not n.is_integer()}
    return numbers.pop() if len(numbers) == 1 else None


def bundles_of(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that code takes apart by keys, or into the names of a tuple."""
    found: list[ast.expr] = []
    for node in nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found += [node.value] if isinstance(node.slice.value, str) else []
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            found.append(node.value)
    return frozenset(n.id for n in found if isinstance(n, ast.Name))


@dataclass(frozen=True)
class Offered:
    """A name for several of the task's nodes, such as `cache`: its keys or parts tell which."""

    name: str


class Offers(Interpreter):
    """The interpreter with the names of a task."""

    rounds = False

    def __init__(
        self, source: Source, code: Code, values: Mapping[str, Any], vocabulary: Vocabulary
    ) -> None:
        super().__init__(source, Budget(), self._supplied)
        self.text, self.functions = code.text, code.functions
        self.keeps_numbers = True
        self.given_values, self.vocabulary = values, vocabulary
        self.written_for = spellings(vocabulary)
        self.inputs: dict[str, Value] = {}
        self.given_nodes: dict[int, str] = {}
        """The nodes of the tape that are the task's."""
        self.seeds: dict[int, str] = {}
        """Nodes that are the accumulator of the output, which starts at 1: of which variable."""
        self.offers: dict[str, Value] = {}
        """What functions called with the task's nodes returned, by the names in their `return`."""
        self.missing: dict[str, None] = {}
        """Names for which neither the code nor the task has a value."""
        self.bundles: frozenset[str] = frozenset()
        """Names that the code takes apart by keys or attributes."""
        self.own: dict[str, None] = {}
        """The code's own variables so far, by name."""
        self.labels: Any = None
        """The classes that the task's loss chooses, as an array of whole numbers."""
        self.literal: float | None = None
        """The one number of the task that is no whole one: its eps, or its rate."""

    # --- names ---

    def input_of(self, name: str) -> Value | None:
        """A node of the task, as an input of the code; None where there is none."""
        if name not in self.given_values:
            name = self.written_for.get(name, name)
        if name not in self.inputs:
            if name not in self.given_values:
                return None
            node, self.inputs[name] = self.as_node(name, self.given_values[name])
            self.given_nodes[node] = name
        return self.inputs[name]

    def as_node(self, name: str, value: Any, kind: str = "f") -> tuple[int, Value]:
        """A value as an input on the tape, which other values are made of: its node, and it."""
        node = self.tape.input(name, value, self.text.span(_FIRST))
        found = self.tape.wrap(node, kind)
        if isinstance(found, Array):
            found.label = name
        return node, found

    def _supplied(self, name: str, node: Any) -> Value:
        del node
        found = self.input_of(name)
        if found is not None:
            return found
        seeded = self._seed(name)
        if seeded is not None:
            return seeded
        if name in CONSTANTS:
            return CONSTANTS[name]
        if ops.is_function(name):
            return Builtin("numpy", name)
        if name in self.bundles:
            return Offered(name)
        self.missing[name] = None
        raise unread(f"'{name}' has no value here", kind="name")

    def _seed(self, name: str) -> Value | None:
        """The accumulator of the output, or of the last variable of the code's own: 1."""
        last = next(reversed(self.own), None)
        of = {r.name for r in self.readings(name) if r.kind == "gradient"}
        of &= {self.vocabulary.output, last}
        if not of:
            return None
        (*_, variable) = sorted(map(str, of), key=lambda one: one == self.vocabulary.output)
        ones = np.ones(np.shape(self.given_values[self.vocabulary.output]))[()]
        node, found = self.as_node(name, ones)
        self.seeds[node] = variable
        return found

    def readings(self, label: str) -> list[Any]:
        """All that a label may stand for, here."""
        try:
            return readings(label, self.vocabulary, self.own)
        except GradcliError:
            return []

    def is_gradient(self, label: str) -> bool:
        """Whether a label may stand for a gradient, here."""
        return any(reading.kind == "gradient" for reading in self.readings(label))

    def offer(self, name: str) -> Value:
        """What the task, or an earlier function, has under a name.

        Also under one that differs in case alone, as `weights` for `w1` and `w2`, and as labels
        for the places that the task's loss chooses.
        """
        if name in self.offers:
            return self.offers[name]
        found = self.input_of(name)
        if found is not None:
            return found
        same = [n for n in self.vocabulary.inputs if n.lower() == name.lower()]
        if len(same) == 1:
            return self.input_of(same[0])
        if name.lower() in LABELS and self.labels is not None:
            return Array(data=np.array(self.labels), kind="i", label=name)
        several = numbered(name, self.vocabulary.inputs)
        if len(several) > 1:
            return [self.input_of(n) for n in several]
        return Offered(name)

    # --- bundles ---

    def known(self, value: Value) -> Value:
        """The value; of something offered the task's, if it has one of that name."""
        if isinstance(value, Offered):
            self.missing[value.name] = None
            text = f"'{value.name}' is not known: the task has no node of that name"
            raise unread(text, kind="binding")
        return super().known(value)

    def look_up(self, name: str, node: Any) -> Value:
        """What a name stands for here."""
        found = self.scope.names.get(name)
        return found if isinstance(found, Offered) else super().look_up(name, node)

    def module(self, name: str) -> Value:
        """A library by the name that stands for it without an import, if no input has it."""
        if self.given is None and name in self.vocabulary.inputs:
            return self.free(name, None)
        return super().module(name)

    def attribute(self, of: Value, name: str, node: Any) -> Value:
        """`of.name`."""
        if isinstance(of, Offered) and name == "get":
            return Offered(".get")
        return self.offer(name) if isinstance(of, Offered) else super().attribute(of, name, node)

    def _of_instance(self, of: Instance, name: str, node: Any) -> Value:
        lenient = "" in of.names
        if lenient and name not in of.names and of.of.find(name) is None:
            of.names[name] = self.offer(name)
        return super()._of_instance(of, name, node)

    def element(self, of: Value, index: Value, where: Any) -> Value:
        """`of[index]`."""
        if isinstance(of, Offered):
            return self.offer(index) if isinstance(index, str) else self.known(of)
        return super().element(of, index, where)

    def unpacked(self, target: Any, value: Value) -> list[Value]:
        """The values for the targets of a tuple."""
        if isinstance(value, Offered):
            return [self.offer(one.id if isinstance(one, ast.Name) else "") for one in target.elts]
        try:
            return super().unpacked(target, value)
        except Unread as stop:  # names without a value, and no number of a wrong shape
            raise Unread(replace(stop.unknown, kind="binding")) from None

    def call(self, function: Value, a: Any, k: Any, node: Any) -> Value:
        """Call whatever can be called; `get` of a bundle is a look into it."""
        if isinstance(function, Offered) and function.name == ".get" and a:
            found = self.offer(a[0])
            if isinstance(found, Offered):
                found = self.literal if self.literal is not None else (a[1] if len(a) > 1 else None)
            return found
        return super().call(function, a, k, node)


_FIRST = ast.Constant(0, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
"""What has the place of the task's values: the beginning of the text."""
