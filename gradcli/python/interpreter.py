"""The interpreter: what can be called comes in with its arguments, its value comes out.

It calls functions and classes of the text itself, and asks the tables for all others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.source import Source
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.python import definitions, displays, matching, prelude, trying
from gradcli.python.assignments import RETURN
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.generators import generated, yields
from gradcli.python.limits import Budget
from gradcli.python.methods import call_method
from gradcli.python.modules import call_builtin
from gradcli.python.spellings import is_harmless
from gradcli.python.statements import Statements
from gradcli.python.tape import described
from gradcli.python.values import (
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Method,
    Partial,
    Scope,
    Stream,
    Unknown,
    Unread,
    Value,
    unread,
)

Supply = Callable[[str, Any], Value]
"""What a name stands for that the text gives no value; raises `Unread` where it is nothing."""


class Interpreter(Statements):
    """Goes through a module, and calls its functions."""

    visitors = Statements.visitors | displays.VISITORS

    def __init__(self, source: Source, budget: Budget, supply: Supply | None = None) -> None:
        super().__init__(source, budget)
        handlers = definitions.HANDLERS | trying.HANDLERS | matching.HANDLERS
        self.handlers |= {of: partial(handle, self) for of, handle in handlers.items()}
        self.supply = supply
        self.given_scope = Scope()
        """The functions that come with gradcli, as far as they were called."""

    def free(self, name: str, node: Any) -> Value:
        """A name that nothing gives a value."""
        if self.given is not None:
            return self._given_function(name) or Builtin("numpy", name)
        if self.supply is None:
            raise self.no_value(name)
        found = self.supply(name, node)
        self.scope.module.names[name] = found
        return found

    def no_value(self, name: str) -> Unread:
        """The exception for a name that nothing gives a value, with what may be meant."""
        known: set[str] = set()
        scope: Scope | None = self.scope
        while scope is not None:
            known |= scope.names.keys()
            scope = scope.outer
        hint = did_you_mean(name, sorted(known - {"__name__"}))
        if hasattr(np, name) and not name.startswith("_"):
            hint = f"write 'np.{name}', or begin with 'from numpy import *'"
        elif ops.is_function(name):
            hint = f"'{name}' is a function of gradcli's own language: write the program in it"
        return unread(f"'{name}' has no value here", hint, kind="name", raised="NameError")

    # --- calls ---

    def call(self, function: Value, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call whatever can be called. Raises `Unread`."""
        self.known(function)
        if isinstance(function, Function):
            return self.call_function(function, a, k, node)
        if isinstance(function, Method):
            return call_method(self, function, a, k, node)
        if isinstance(function, Builtin):
            return call_builtin(self, function, a, k, node)
        if isinstance(function, Class):
            return self._make(function, a, k, node)
        if isinstance(function, Instance):
            found = function.of.find("__call__") or function.of.find("forward")
            if found is not None:
                return self.call(found, [function, *a], k, node)
        if isinstance(function, Partial):
            given = [*function.arguments, *a]
            return self.call(function.function, given, {**function.keywords, **k}, node)
        if isinstance(function, Library) and is_harmless(function.path):
            return a[0] if a else None
        raise unread(f"{described(function)} can't be called", raised="TypeError")

    def _make(self, of: Class, a: Arguments, k: Keywords, node: Any) -> Value:
        """An object of a class of the text."""
        self.budget.spend()
        found = Instance(of)
        start = of.find("__init__")
        if start is not None:
            self.call(start, [found, *a], k, node)
        elif of.fields:
            self._fill(found, a, k, node)
        elif (a or k) and of.known:
            raise unread(f"the class {of.name} has no __init__ that takes arguments")
        return found

    def _fill(self, found: Instance, a: Arguments, k: Keywords, node: Any) -> None:
        """The fields of a dataclass or a named tuple, from arguments and defaults."""
        of, given = found.of, dict(k)
        if len(a) > len(of.fields):
            raise unread(f"{of.name} takes {len(of.fields)} arguments, not {len(a)}")
        for i, name in enumerate(of.fields):
            if i < len(a):
                found.names[name] = a[i]
            elif name in given:
                found.names[name] = given.pop(name)
            else:
                default = of.find(name)
                if isinstance(default, Partial):  # field(default_factory=…)
                    default = self.call(default.function, [], {}, node)
                elif default is None and not of.has(name):
                    raise unread(f"{of.name} needs '{name}'", kind="binding", raised="TypeError")
                found.names[name] = default
        if given:
            raise unread(f"{of.name} has no field '{next(iter(given))}'", raised="TypeError")
        after = of.find("__post_init__")
        if after is not None:
            self.call(after, [found], {}, node)

    def call_function(self, function: Function, a: Arguments, k: Keywords, node: Any) -> Value:
        """Go through a function's statements with its arguments."""
        method = function if function.owner is not None else None
        scope = Scope(function.scope, function.name, method)
        scope.names |= self.arguments(function, a, k)
        if isinstance(function.node, ast.FunctionDef) and yields(function.node):
            return Stream(self.in_scope(generated(self, function.node), scope))
        outer, given, calls, turns = self.scope, self.given, self.calls, self.turns
        if function.given and given is None:
            self.given = self.where(node)
        elif not function.given:
            self.given = None
        self.scope = scope
        self.calls = calls if function.given else [*calls, function.name]
        self.turns = list(turns)
        try:
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body)
            self.result = None
            end = self.run(function.node.body)
            found = self.result if end == RETURN else None
            self.result = None
        finally:
            self.scope, self.given, self.calls, self.turns = outer, given, calls, turns
        if isinstance(found, Unknown):
            raise Unread(found)
        return found

    def arguments(self, function: Function, a: Arguments, k: Keywords) -> dict[str, Value]:
        """What each parameter gets. Raises `Unread` where a call does not fit."""
        of = function.node.args
        names = [p.arg for p in (*of.posonlyargs, *of.args)]
        found: dict[str, Value] = dict(zip(names, a, strict=False))
        rest = list(a[len(names) :])
        more = dict(k)
        for name in (*names, *(p.arg for p in of.kwonlyargs)):
            if name in more:
                if name in found:
                    raise unread(f"{function.name} gets '{name}' twice")
                found[name] = more.pop(name)
        defaults = function.optional()
        for name in (*names, *(p.arg for p in of.kwonlyargs)):
            if name not in found:
                if name not in defaults:
                    raise unread(f"{function.name} needs '{name}'", kind="binding")
                found[name] = defaults[name]
        if of.vararg is not None:
            found[of.vararg.arg] = tuple(rest)
        elif rest:
            raise unread(f"{function.name} gets {len(a)} arguments, it takes {len(names)}")
        if of.kwarg is not None:
            found[of.kwarg.arg] = more
        elif more:
            raise unread(f"{function.name} has no argument '{next(iter(more))}'")
        return found

    # --- the prelude ---

    def from_prelude(self, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call a function that comes with gradcli."""
        function = self._given_function(name)
        if function is None:
            raise unread(f"'{name}' is not read", kind="name")
        names = {"lo": "a_min", "hi": "a_max", "p": "ord", "axis": "dim", "keepdims": "keepdim"}
        of = function.node.args
        parameters = {p.arg for p in (*of.args, *of.kwonlyargs)}
        k = {key if key in parameters else names.get(key, key): v for key, v in k.items()}
        return self.call_function(function, a, k, node)

    def _given_function(self, name: str) -> Function | None:
        """A function that comes with gradcli; None where there is none of the name."""
        if name not in prelude.NAMES:
            return None
        known = self.given_scope.names.get(name)
        if isinstance(known, Function):
            return known
        node = prelude.function_of(name)
        defaults = [ast.literal_eval(d) for d in node.args.defaults]
        keyword = [None if d is None else ast.literal_eval(d) for d in node.args.kw_defaults]
        shown = re.sub("^(torch|jax|math)_", "", name)
        found = Function(shown, node, self.given_scope, defaults, keyword, given=True)
        self.given_scope.names[name] = found
        return found
