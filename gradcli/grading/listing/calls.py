"""Calls of the code's own functions: what they give back, and which of their lines are steps.

Calls come in as they are read, with their arguments kept at the task's point; `Returned` and the
results that no name takes go out. Functions and methods that the code defines and never calls are
called by what their parameters name.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from gradcli.grading.listing.code import Code
from gradcli.grading.listing.offers import Offered
from gradcli.grading.listing.training import Training
from gradcli.grading.listing.trees import called_in, label_of, parameters
from gradcli.grading.model.tolerance import alike
from gradcli.python.values import Class, Function, Instance, Unknown, Unread, Value, is_traced

RETURN = "return"
"""The name of the step that gives back the value of an expression."""
_SMALL = "eps epsilon reg lam lambd lambda_ reg_strength alpha lmbda weight_decay"
SMALL = frozenset(_SMALL.split())
"""Parameters that are a number which the task has written into its program."""
SMALLEST_RATE = 1e-3
"""A default above it is what the code means; one below may be the task's eps."""


@dataclass(frozen=True)
class Returned:
    """What a function of the code gave back."""

    function: Function
    value: Value
    own: bool
    """Whether its lines are steps of the computation."""
    uncalled: bool
    """Whether the code itself never calls it."""
    at: int
    """How many steps stand before its end."""


class Calls(Training):
    """Calls the code's functions, those too that the code itself does not call."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.is_own = True
        """Whether steps are the computation's own here."""
        self.entered: set[ast.AST] = set()
        """The functions that were called."""
        self.returned: list[Returned] = []
        self.results: list[tuple[str, Value, int]] = []
        """What functions gave back that no name took: a name, a value, the line."""

    def call_function(self, function: Function, a: Any, k: Any, node: Any) -> Value:
        """Call a function, and remember what it gave back, and whether it holds steps."""
        self.entered.add(function.node)
        outer = self.is_own
        self.is_own = outer and self.code.is_open(function.node, node)
        if self.is_own and self.given is None and isinstance(node, ast.Call):
            names = [p.arg for p in function.node.args.args][-len(a) :] if a else []
            a = [self._of_point(n, v) for n, v in zip(names, a, strict=False)] + a[len(names) :]
            k = {n: self._of_point(n, v) for n, v in k.items()}
        try:
            value = super().call_function(function, a, k, node)
            if not function.given:
                uncalled, at = not isinstance(node, ast.Call), len(self.reading.steps)
                self.returned.append(Returned(function, value, self.is_own, uncalled, at))
            return value
        finally:
            self.is_own = outer

    def _of_point(self, name: str, value: Value) -> Value:
        """The input whose value an argument is, by its name or as the only one of that value."""
        if is_traced(value) or isinstance(value, bool) or not self.is_number(value):
            return value
        number, inputs = self.tape.value(value), self.vocabulary.inputs
        same = [one for one in inputs if alike(number, self.given_values[one])]
        found = name if name in same else same[0] if len(same) == 1 else None
        return value if found is None else self.input_of(found)

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
        """Keep what a call gives back where no name gets it; `hs.append(h)` is a step of `hs`."""
        if not isinstance(node.value, ast.Call):
            return
        self.results.append((ast.unparse(node.value.func), value, self.line(node)))
        match node.value:
            case ast.Call(func=ast.Attribute(value=of, attr="append"), args=[_]):
                held = self.soft(of)
                if isinstance(held, list) and held and self.is_number(held[-1]):
                    self.step(label_of(of), "=", held[-1], held[-1], None, node)

    # --- what the code does not call ---

    def call_uncalled(self) -> None:
        """Call the functions and methods that the code itself never calls."""
        inside = (n for f in self.code.defined for n in ast.walk(f))
        inner = set(called_in(inside))
        for one in self.code.tree.body:
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
        calls = (n for m in methods for n in ast.walk(m) if isinstance(n, ast.Call))
        inner = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
        for method in methods:
            if not method.name.startswith("__") and method.name not in inner:
                self._offered_call(made.find(method.name), [instance])

    def _offered_call(self, function: Value, first: list[Value]) -> None:
        """Call a function with what its parameters name."""
        if not isinstance(function, Function) or function.node in self.entered:
            return
        if not isinstance(function.node, ast.FunctionDef):
            return
        names, of_optional = parameters(function.node), function.node.args.defaults
        defaults = dict(zip(reversed(names), reversed(of_optional), strict=False))
        k: dict[str, Value] = {}
        for name in names[len(first) :]:
            found = self.offer(name)
            if isinstance(found, Offered) and name in SMALL and not _is_rate(defaults.get(name)):
                found = found if self.code.literal is None else self.code.literal
            if not isinstance(found, Offered) or name not in defaults:
                k[name] = found
        try:
            value = self.call_function(function, first, k, function.node)
        except Unread:
            return
        finally:
            self.put_back()
        self._keep(function.node, value)
        self.results.append((function.name, value, self.line(function.node)))

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


def _is_rate(default: ast.expr | None) -> bool:
    """Whether a parameter's default is a rate, not a zero or a tiny eps."""
    number = getattr(default, "value", None)
    return isinstance(number, int | float) and abs(number) > SMALLEST_RATE
