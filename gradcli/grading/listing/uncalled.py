"""Functions and methods that code defines and never calls: called by what their parameters name."""

from __future__ import annotations

import ast
from typing import Any

from gradcli.grading.listing.offers import Offered
from gradcli.grading.listing.training import Training
from gradcli.python.values import Class, Function, Instance, Unknown, Unread, Value

_SMALL = "eps epsilon reg lam lambd lambda_ reg_strength alpha lmbda weight_decay"
SMALL = frozenset(_SMALL.split())
"""Parameters that are a number which the task has written into its program."""
SMALLEST_RATE = 1e-3
"""A default above it is what the code means; one below may be the task's eps."""


class Uncalled(Training):
    """Calls what the code itself does not."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.entered: set[ast.AST] = set()
        """The functions that were called."""
        self.results: list[tuple[str, Value, int]] = []
        """What functions gave back that no name took: a name, a value, the line."""

    def call_function(self, function: Function, a: Any, k: Any, node: Any) -> Value:
        """Call a function, and remember that it was called."""
        self.entered.add(function.node)
        return super().call_function(function, a, k, node)

    def stands_alone(self, value: Value, node: ast.Expr) -> None:
        """Keep what a call gives back where no name gets it."""
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
        finally:
            self.put_back()
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
