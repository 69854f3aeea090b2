"""A submission's code read at the task's point: its steps, and what it says of gradients.

The interpreter of `gradcli.python` goes through the code with the task's values for the names that
it does not define. Functions that are never called are called by what their parameters name: a node
of the task, what an earlier function has returned, or a bundle (`cache`, `parameters`, `self`) that
is asked for the task's nodes by the names that it is taken apart to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.grading.submission.types import Vocabulary
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph
from gradcli.python.interpreter import Interpreter
from gradcli.python.limits import Budget
from gradcli.python.values import (
    NOWHERE,
    Array,
    Class,
    Function,
    Instance,
    Scalar,
    Scope,
    Unknown,
    Unread,
    Value,
    is_traced,
    unread,
)

SMALL = frozenset(
    [
        "eps",
        "epsilon",
        "reg",
        "lam",
        "lambd",
        "lambda_",
        "reg_strength",
        "alpha",
        "lmbda",
        "weight_decay",
    ]
)
"""Parameters that are a number which the task has written into its program."""


RETURN = "return"
"""The name of the step that gives back the value of an expression."""
SMALLEST_RATE = 1e-3
"""A default above it is what the code means; one below may be the task's eps."""
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
        items = node.options.get("items", ()) if node.operation is not None else ()
        if len(items) == 2 and all(isinstance(i, int) for i in items):
            picked.setdefault(node.operands[0], []).append(items)  # type: ignore[arg-type]
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


@dataclass(frozen=True)
class Offered:
    """Something that the task has to give: known by what it is taken apart to."""

    name: str


class CodeReader(Interpreter):
    """The interpreter with the names of a task."""

    def __init__(self, source: Source, values: Mapping[str, Any], vocabulary: Vocabulary) -> None:
        super().__init__(source, Budget(), self._supplied)
        self.keeps_numbers = True
        self.given_values, self.vocabulary = values, vocabulary
        self.inputs: dict[str, Value] = {}
        self.offers: dict[str, Value] = {}
        self.entered: set[ast.AST] = set()
        self.missing: dict[str, None] = {}
        self.descended = False
        self.results: list[tuple[str, Value, int]] = []
        """What functions gave back that no name took: a name, a value, the line."""
        self.labels: Any = None
        """The classes that the task's loss chooses, as an array of whole numbers."""
        self.snapshots: dict[int, dict[str, Value]] | None = None
        """For every step what the names around it stood for, where that is asked for."""
        self.literal: float | None = None
        """The one number of the task that is no whole one: its eps, or its rate."""

    # --- the task's values ---

    def node_of(self, name: str) -> Value | None:
        """A node of the task, as an input of the code; None where there is none."""
        if name not in self.inputs:
            if name not in self.given_values:
                return None
            value = self.given_values[name]
            node = self.tape.input(name, value, self.text.span(_FIRST))
            found = self.tape.wrap(node)
            if isinstance(found, Array):
                found.label = name
            self.inputs[name] = found
        return self.inputs[name]

    def _supplied(self, name: str, node: Any) -> Value:
        found = self.node_of(name)
        if found is None:
            self.missing[name] = None
            raise unread(f"'{name}' has no value", kind="name")
        del node
        return found

    def offer(self, name: str) -> Value:
        """What the task, or an earlier function, has under a name.

        Also under one that differs in case alone, as `weights` for `w1` and `w2`, and as labels
        for the places that the task's loss chooses.
        """
        if name in self.offers:
            return self.offers[name]
        found = self.node_of(name)
        if found is not None:
            return found
        same = [n for n in self.vocabulary.inputs if n.lower() == name.lower()]
        if len(same) == 1:
            return self.node_of(same[0])
        if name.lower() in LABELS and self.labels is not None:
            return Array(data=np.array(self.labels), kind="i", label=name)
        several = numbered(name, self.vocabulary.inputs)
        if len(several) > 1:
            return [self.node_of(n) for n in several]
        return Offered(name)

    # --- bundles ---

    def known(self, value: Value) -> Value:
        """The value; of something offered the task's, if it has one of that name."""
        if isinstance(value, Offered):
            self.missing[value.name] = None
            raise unread(f"'{value.name}' is not known: the task has no node of that name")
        return super().known(value)

    def look_up(self, name: str, node: Any) -> Value:
        """What a name stands for here."""
        scope = self.scope.names.get(name)
        return scope if isinstance(scope, Offered) else super().look_up(name, node)

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
        return super().unpacked(target, value)

    # --- the task's point, and steps of descent ---

    def give(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Give a target a value; an input of the task keeps the task's."""
        name = _last(target)
        if isinstance(value, Offered) and name:
            found = self.offer(name)
            value = value if isinstance(found, Offered) else found
        kept = self._kept(target, name, value)
        if kept is not None:
            if isinstance(target, ast.Name):
                self.set_name(target.id, kept)
            else:
                self._store(target, kept)
            return
        if self._is_descent(target, node):
            self.descended = True
            return
        super().give(target, value, node)

    def _kept(self, target: ast.expr, name: str, value: Value) -> Value | None:
        """The task's value for what the code gives an input: a random start, or the same number."""
        if name not in self.vocabulary.inputs or has_node(value):
            return None
        if isinstance(value, Unknown):
            return self.node_of(name)
        if not isinstance(target, ast.Name) or self.scope.outer is not None:
            return None
        if not self.is_number(value) and not isinstance(value, list):
            return None
        true = self.given_values[name]
        try:
            plain = np.asarray(self._plain_nested(value), dtype=float)
        except (Unread, ValueError, TypeError):
            return None
        if plain.size != np.size(true):
            return None
        if plain.shape != np.shape(true) and not np.allclose(np.ravel(plain), np.ravel(true)):
            return None
        if not np.allclose(np.ravel(plain), np.ravel(true), rtol=1e-6, atol=0):
            line = self.line(target)
            text = f"{name} has another value here; the task's is taken"
            self.reading.notes.append(("other-point", line, text))
        return self.node_of(name)

    def _is_descent(self, target: ast.expr, node: ast.stmt) -> bool:
        """`W = W - eta*dW`, of an input that has the task's value."""
        value = getattr(node, "value", None)
        left = value.left if isinstance(value, ast.BinOp) else None
        same = left is not None and ast.dump(left) == ast.dump(target).replace("Store()", "Load()")
        return same and isinstance(value.op, ast.Sub | ast.Add) and self._is_input(target)  # type: ignore[union-attr]

    def _is_input(self, target: ast.expr) -> bool:
        """Whether a target is an input of the task: a number under another name is a copy."""
        found = self.soft(target)
        node = found.node if isinstance(found, Scalar) else None
        if node is not None and isinstance(target, ast.Name):
            own = {name for name, value in self.inputs.items() if value is found}
            node = node if target.id in own or not own else None
        if isinstance(found, Array):
            node = self.tape.node(found)
        return node is not None and self.tape.steps[node].kind == "input"

    def _augmented(self, node: ast.AugAssign) -> int:
        gradient = isinstance(node.op, ast.Sub | ast.Add)
        if gradient and self._is_input(node.target) and self._is_step(node):
            self.descended = True
            return 0
        return super()._augmented(node)

    def _is_step(self, node: ast.AugAssign) -> bool:
        """Whether what is subtracted is a rate times something: no part of the forward pass."""
        return isinstance(node.op, ast.Sub) or isinstance(node.value, ast.BinOp)

    def _for(self, node: ast.For) -> int:
        self.descended = False
        return super()._for(node)

    def iterated(self, value: Value, where: Any) -> Any:
        """The items of a loop; of one that trains, the first: the weights stay where they are."""
        before = self.descended
        for i, item in enumerate(super().iterated(value, where)):
            if i and self.descended and not before and isinstance(value, range) and len(value) > 20:
                return
            yield item

    def step(self, *arguments: Any, **named: Any) -> None:
        """Take note of a step, and of the names around it."""
        count = len(self.reading.steps)
        super().step(*arguments, **named)
        if self.snapshots is not None and len(self.reading.steps) > count:
            self.snapshots[count] = {n: self._held_now(v) for n, v in self.scope.names.items()}

    def _held_now(self, value: Value) -> Value:
        """A value as it is now, whatever is stored into it later."""
        if isinstance(value, Array):
            node = self.tape.node(value)
            if node is not None:
                return Array(node=node, kind=value.root.kind)
            return Array(data=np.array(self.tape.value(value)), kind=value.root.kind)
        if isinstance(value, dict):
            return {k: self._held_now(v) for k, v in value.items()}
        if isinstance(value, list) and len(value) < 100:
            return [self._held_now(v) for v in value]
        if isinstance(value, Instance):
            return Instance(value.of, {k: self._held_now(v) for k, v in value.names.items()})
        return value

    def before(self, step: int) -> int:
        """The step before one in the same function, whose names are those it had."""
        steps = self.reading.steps
        own = steps[step].calls
        return next((i for i in reversed(range(step)) if steps[i].calls == own), step)

    def evaluated(self, node: ast.expr, step: int) -> Any:
        """The number that an expression has among the names of a step; None where it has none."""
        assert self.snapshots is not None
        outer = self.scope
        self.budget.__init__()  # type: ignore[misc]
        self.scope = Scope(outer.module)
        self.scope.names |= self.snapshots.get(step, {})
        try:
            with np.errstate(all="ignore"):
                found = self.numeric(self.value(node), NOWHERE)
                return self.tape.value(found) if self.is_number(found) else None
        except (Unread, GradcliError, ValueError, TypeError):
            return None
        finally:
            self.scope = outer

    # --- functions ---

    def call(self, function: Value, a: Any, k: Any, node: Any) -> Value:
        """Call whatever can be called; `get` of a bundle is a look into it."""
        if isinstance(function, Offered) and function.name == ".get" and a:
            found = self.offer(a[0])
            if isinstance(found, Offered):
                found = self.literal if self.literal is not None else (a[1] if len(a) > 1 else None)
            return found
        return super().call(function, a, k, node)

    def call_function(self, function: Function, a: Any, k: Any, node: Any) -> Value:
        """Call a function, and remember that it was called."""
        self.entered.add(function.node)
        return super().call_function(function, a, k, node)

    def _return(self, node: ast.Return) -> int:
        code = super()._return(node)
        if isinstance(node.value, ast.Tuple) and isinstance(self.result, tuple):
            parts = list(zip(node.value.elts, self.result, strict=False))
        else:
            parts = [] if node.value is None else [(node.value, self.result)]
        for tree, value in parts:
            if not isinstance(tree, ast.Name) and self.is_number(value):
                self.step(RETURN, "=", value, value, None, node)
        return code

    def stands_alone(self, value: Value, node: ast.Expr) -> None:
        """What a call gives back that nobody takes."""
        if isinstance(node.value, ast.Call):
            self.results.append((ast.unparse(node.value.func), value, self.line(node)))

    def call_uncalled(self, tree: ast.Module) -> None:
        """Call the functions and methods that the code itself never calls."""
        inner = {
            getattr(n.func, "id", getattr(n.func, "attr", ""))
            for f in ast.walk(tree)
            if isinstance(f, ast.FunctionDef)
            for n in ast.walk(f)
            if isinstance(n, ast.Call)
        }
        for one in tree.body:
            if isinstance(one, ast.FunctionDef) and one.name not in inner:
                self._offered_call(self.scope.names.get(one.name), [])
            elif isinstance(one, ast.ClassDef):
                self._methods(one)

    def _methods(self, node: ast.ClassDef) -> None:
        made = self.scope.names.get(node.name)
        methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
        if not isinstance(made, Class) or any(m in self.entered for m in methods):
            return
        instance = Instance(made, {"": None})
        self._offered_call(made.find("__init__"), [instance])
        inner = {
            n.func.attr
            for m in methods
            for n in ast.walk(m)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
        }
        for method in methods:
            if not method.name.startswith("__") and method.name not in inner:
                self._offered_call(made.find(method.name), [instance])

    def _offered_call(self, function: Value, first: list[Value]) -> None:
        """Call a function with what its parameters name."""
        if not isinstance(function, Function) or function.node in self.entered:
            return
        if not isinstance(function.node, ast.FunctionDef):
            return
        of = function.node.args
        names = [p.arg for p in (*of.posonlyargs, *of.args)][len(first) :]
        optional = set(names[len(names) - len(of.defaults) :]) if of.defaults else set()
        k: dict[str, Value] = {}
        for name in names:
            found = self.offer(name)
            if isinstance(found, Offered) and self.literal is not None and name in SMALL:
                found = found if _own_rate(of, name) else self.literal
            if not isinstance(found, Offered) or name not in optional:
                k[name] = found
        line = self.text.line(self.text.span(function.node))
        try:
            value = self.call_function(function, first, k, function.node)
        except Unread:
            return
        self._keep(function.node, value)
        self.results.append((function.name, value, line))

    def _keep(self, node: ast.FunctionDef, value: Value) -> None:
        """What a function has returned, by the names that stand in its return."""
        last = next((s for s in reversed(node.body) if isinstance(s, ast.Return)), None)
        if last is None or last.value is None:
            return
        names = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        values = value if isinstance(value, tuple) and len(names) > 1 else (value,)
        for one, part in zip(names, values, strict=False):
            if isinstance(one, ast.Name) and not isinstance(part, Unknown):
                self.offers.setdefault(one.id, part)


def _own_rate(of: ast.arguments, name: str) -> bool:
    """Whether a parameter has a default that is a rate, not a zero or a tiny eps."""
    names = [p.arg for p in (*of.posonlyargs, *of.args)]
    defaults = dict(zip(reversed(names), reversed(of.defaults), strict=False))
    number = getattr(defaults.get(name), "value", None)
    return isinstance(number, int | float) and abs(number) > SMALLEST_RATE


def has_node(value: Value) -> bool:
    """Whether a value depends on the task's."""
    return is_traced(value)


def _last(target: ast.expr) -> str:
    """The name that a target ends with: of `self.W1` and `p["W1"]` the same."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return target.slice.value if isinstance(target.slice.value, str) else ""
    return ""


_FIRST = ast.Constant(0, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)


def read_code(
    source: Source,
    tree: ast.Module,
    values: Mapping[str, Any],
    vocabulary: Vocabulary,
    graph: Graph,
    *,
    snapshots: bool = False,
) -> CodeReader:
    """Read a submission's code. Raises `GradcliError` where it takes too much."""
    reader = CodeReader(source, values, vocabulary)
    reader.snapshots = {} if snapshots else None
    reader.literal, reader.labels = literal_of(graph), labels_of(graph)
    reader.scope.names["__name__"] = "__main__"
    with np.errstate(all="ignore"):
        reader.run(tree.body)
        reader.call_uncalled(tree)
    return reader
