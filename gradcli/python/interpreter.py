"""The interpreter: calls of functions and classes of the text, and names without a value."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from gradcli.diagnostics.source import Source
from gradcli.python.assignments import RETURN
from gradcli.python.library_calls import Arguments, Keywords
from gradcli.python.limits import Budget
from gradcli.python.prelude import TEXT
from gradcli.python.spellings import HARMLESS, TYPES
from gradcli.python.statements import Statements
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Method,
    Scope,
    Super,
    Unknown,
    Unread,
    Value,
    unread,
)

Supply = Callable[[str, Any], Value]
"""What a name stands for that the text gives no value; raises `Unread` where it is nothing."""


class Interpreter(Statements):
    """Goes through a module, and calls its functions."""

    def __init__(self, source: Source, budget: Budget, supply: Supply | None = None) -> None:
        super().__init__(source, budget)
        self.supply = supply
        self.prelude: Scope | None = None

    def free(self, name: str, node: Any) -> Value:
        """A name that nothing gives a value."""
        if self.given is not None:
            return Builtin("numpy", name)
        if self.supply is None:
            raise unread(f"'{name}' has no value here", kind="name")
        found = self.supply(name, node)
        self.scope.module.names[name] = found
        return found

    # --- calls ---

    def call(self, function: Value, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call whatever can be called. Raises `Unread`."""
        self.known(function)
        if isinstance(function, Function):
            return self.call_function(function, a, k, node)
        if isinstance(function, Method):
            return self.method_call(function, a, k, node)
        if isinstance(function, Builtin):
            return self._call_builtin(function, a, k, node)
        if isinstance(function, Class):
            return self._make(function, a, k, node)
        if isinstance(function, Instance):
            found = function.of.find("__call__") or function.of.find("forward")
            if found is not None:
                return self.call(found, [function, *a], k, node)
        if isinstance(function, Library) and self._is_harmless(function.path):
            return a[0] if a else None
        raise unread(f"{described(function)} can't be called")

    def _is_harmless(self, path: str) -> bool:
        return any(path == h or path.startswith(f"{h}.") for h in HARMLESS)

    def _call_builtin(self, function: Builtin, a: Arguments, k: Keywords, node: Any) -> Value:
        name = function.name
        if not function.library:
            if name == "super":
                return self._super()
            return self.python(name, a, k, node)
        if self._is_harmless(function.library):
            return a[0] if a and name in ("tqdm", "trange") else None
        if name in TYPES:
            return self.cast(a[0] if a else 0.0, name, self.where(node))
        if name.endswith((".at", ".reduce", ".outer", ".accumulate")):
            return self._of_ufunc(function, a, k, node)
        if function.library == "copy":
            return self._copied(a[0], node)
        if function.library == "functools" and name == "reduce":
            items = [*([a[2]] if len(a) > 2 else []), *self.listed(a[1], self.where(node))]
            total = items[0]
            for item in items[1:]:
                total = self.call(a[0], [total, item], {}, node)
            return total
        if function.library == "jax" and name in ("jit", "checkpoint"):
            return a[0]
        if name in ("no_grad", "enable_grad", "manual_seed", "set_printoptions", "seterr",
                    "errstate", "set_default_dtype", "test"):  # fmt: skip
            return None
        if function.library == "scipy.stats.norm" or name.startswith("norm."):
            return self.from_prelude(f"norm_{name.rpartition('.')[2]}", a, k, node)
        return self.library(function, a, k, node)

    def _super(self) -> Value:
        """`super()` in a method: its first parameter's object."""
        scope: Scope | None = self.scope
        while scope is not None:
            for value in scope.names.values():
                if isinstance(value, Instance):
                    return Super(value, value.of)
                break
            scope = scope.outer
        raise unread("super() is read in methods alone")

    def _copied(self, value: Value, node: Any) -> Value:
        """`copy.deepcopy`."""
        self.budget.spend()
        if isinstance(value, Array):
            return self.copied(value, self.where(node))
        if isinstance(value, tuple | list):
            return type(value)(self._copied(v, node) for v in value)
        if isinstance(value, dict):
            return {key: self._copied(v, node) for key, v in value.items()}
        if isinstance(value, Instance):
            names = {key: self._copied(v, node) for key, v in value.names.items()}
            return Instance(value.of, names)
        return value

    def _of_ufunc(self, function: Builtin, a: Arguments, k: Keywords, node: Any) -> Value:
        """`np.add.at`, `np.maximum.reduce`, `np.multiply.outer`."""
        name, _, method = function.name.rpartition(".")
        where = self.where(node)
        if method == "at" and name in ("add", "subtract"):
            of, index, value = a
            if not isinstance(of, Array):
                raise unread(f"np.{name}.at changes an array")
            value = self.numeric(value, where)
            if name == "subtract":
                value = self.unary(ast.USub(), value, where, node)
            before = self._held(of)
            self.tape.store(of, self.items(index), value, where, add=True)
            self.step(of.label or "…", "+=", of, value, before, node, of)
            return None
        reductions = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}
        if method == "reduce" and name in reductions:
            axis = a[1] if len(a) > 1 else k.get("axis", 0)
            return self.library(Builtin("numpy", reductions[name]), [a[0]], {"axis": axis}, node)
        if method == "accumulate" and name in ("add", "multiply"):
            to = {"add": "cumsum", "multiply": "cumprod"}[name]
            return self.library(Builtin("numpy", to), [a[0]], {"axis": k.get("axis", 0)}, node)
        if method == "outer":
            return self.from_prelude("outer_of", [Builtin("numpy", name), *a], k, node)
        raise unread(f"np.{function.name} is not read")

    def _make(self, of: Class, a: Arguments, k: Keywords, node: Any) -> Value:
        """An object of a class of the text."""
        self.budget.spend()
        found = Instance(of)
        start = of.find("__init__")
        if start is not None:
            self.call(start, [found, *a], k, node)
        elif a or k:
            raise unread(f"the class {of.name} has no __init__ that takes arguments")
        return found

    def call_function(self, function: Function, a: Arguments, k: Keywords, node: Any) -> Value:
        """Go through a function's statements with its arguments."""
        if _gives_in_turns(function.node):
            raise unread("functions with 'yield' are not read")
        scope = Scope(function.scope, function.name)
        scope.names |= self.arguments(function, a, k)
        outer, given, calls, turns = self.scope, self.given, self.calls, self.turns
        if function.given and given is None:
            self.given = self.where(node)
        elif not function.given:
            self.given = None
        self.scope = scope
        self.calls = [*calls, function.name]
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
        defaults = dict(
            zip(names[len(names) - len(function.defaults) :], function.defaults, strict=True)
        )
        defaults |= {
            p.arg: d
            for p, d in zip(of.kwonlyargs, function.keyword_defaults, strict=True)
            if d is not None or of.kw_defaults[of.kwonlyargs.index(p)] is not None
        }
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
        if self.prelude is None:
            scope = Scope()
            for one in _prelude().body:
                assert isinstance(one, ast.FunctionDef)
                defaults = [ast.literal_eval(d) for d in one.args.defaults]
                scope.names[one.name] = Function(one.name, one, scope, defaults, [], given=True)
            self.prelude = scope
        function = self.prelude.names.get(name)
        if function is None:
            raise unread(f"'{name}' is not read", kind="name")
        names = {"lo": "a_min", "hi": "a_max", "p": "ord"}
        parameters = {p.arg for p in function.node.args.args}
        k = {key if key in parameters else names.get(key, key): v for key, v in k.items()}
        return self.call_function(function, a, k, node)


@lru_cache(maxsize=256)
def _gives_in_turns(function: ast.AST) -> bool:
    return any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Await) for n in ast.walk(function))


@cache
def _prelude() -> ast.Module:
    return ast.parse(TEXT)
