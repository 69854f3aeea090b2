"""Where a text begins as a program: its tree comes in, a function or the module comes out.

With it come the inputs: parameters, or names that are read before they are given.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.python import spellings
from gradcli.python.array_table import NUMPY
from gradcli.python.builtins import NAMES

FunctionNode = ast.FunctionDef | ast.Lambda
EVALUATES = ("__call__", "forward", "evaluate", "fun", "func", "f", "loss", "objective", "value")
"""Methods that give the value of a class."""


@dataclass(frozen=True)
class Entry:
    """What is evaluated: a function of the text, or all of it."""

    function: str | None
    node: FunctionNode | None
    """The function's definition; None for the module."""
    free: dict[str, Any]
    """The inputs by name, each with a node of `ast` where it stands."""
    literals: frozenset[str]
    """Of a module: the names that are given a number or an array of numbers and nothing else."""

    def optional(self) -> frozenset[str]:
        """Parameters that have a default of any kind."""
        if self.node is None:
            return self.literals
        of = self.node.args
        names = [p.arg for p in (*of.posonlyargs, *of.args)]
        keyword = zip(of.kwonlyargs, of.kw_defaults, strict=True)
        some = names[len(names) - len(of.defaults) :]
        return frozenset([*some, *(p.arg for p, d in keyword if d is not None)])


def entry_of(tree: ast.Module, source: Source, wanted: str | None) -> Entry:
    """Choose the function. Raises `GradcliError` of kind name where there is no choice."""
    functions = _functions(tree)
    if wanted is not None:
        found = functions.get(wanted) or _methods(tree).get(wanted)
        if found is None:
            known = [*functions, *_methods(tree)]
            listed = f"its functions are {', '.join(known[:12])}" if known else "it has none"
            raise GradcliError(Kind.NAME, f"the text has no function '{wanted}'", hint=listed)
        return _of_function(wanted, found)
    if functions and not _computes(tree, set(functions)):
        return _chosen(tree, functions)
    methods = {} if functions or _computes(tree, set()) else _methods(tree)
    if methods:
        return _chosen(tree, methods)
    if not tree.body:
        raise GradcliError(Kind.SYNTAX, "the text has no statement", source=source)
    return _of_module(tree)


def _chosen(tree: ast.Module, functions: dict[str, FunctionNode]) -> Entry:
    """The one function that nothing else uses. Raises `GradcliError` where there are several."""
    called = _called_by_others(functions)
    top = [name for name in functions if name not in called]
    if len(top) > 1:
        used = {
            n.id
            for one in tree.body
            if isinstance(one, ast.Assign | ast.AnnAssign | ast.ClassDef)
            for n in ast.walk(one)
            if isinstance(n, ast.Name)
        }
        top = [name for name in top if name not in used] or top
    if len(functions) == 1 or len(top) == 1:
        name = top[0] if top else next(iter(functions))
        return _of_function(name, functions[name])
    listed = ", ".join(top or functions)
    raise GradcliError(
        Kind.NAME,
        f"the text has {len(functions)} functions: which one?",
        hint=f"--function NAME takes one of {listed}",
    )


def _functions(tree: ast.Module) -> dict[str, FunctionNode]:
    """The functions of the text, also `f = lambda x: …` and a lone lambda."""
    found: dict[str, FunctionNode] = {}
    for one in tree.body:
        if isinstance(one, ast.FunctionDef):
            found[one.name] = one
        elif isinstance(one, ast.Assign) and isinstance(one.value, ast.Lambda):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = one.value
        elif isinstance(one, ast.Expr) and isinstance(one.value, ast.Lambda):
            found["lambda"] = one.value
    return found


def _methods(tree: ast.Module) -> dict[str, FunctionNode]:
    """The methods of classes that can be called with numbers: `Sphere.evaluate`.

    Those of a class that is made without arguments, named like what evaluates, or the only one.
    """
    found: dict[str, FunctionNode] = {}
    for one in tree.body:
        if not isinstance(one, ast.ClassDef):
            continue
        methods = {m.name: m for m in one.body if isinstance(m, ast.FunctionDef)}
        start = methods.get("__init__")
        if start is not None and len(start.args.args) - len(start.args.defaults) > 1:
            continue
        public = [n for n in methods if not n.startswith("_")]
        names = [n for n in EVALUATES if n in methods] or (public if len(public) == 1 else [])
        found |= {f"{one.name}.{name}": methods[name] for name in names[:1]}
    return found


def _computes(tree: ast.Module, functions: set[str]) -> bool:
    """Whether the module itself computes something, besides its constants and definitions.

    With functions: something that it calls one of them for, from a name that is no function.
    """
    for one in tree.body:
        if not isinstance(one, ast.Assign | ast.AugAssign | ast.AnnAssign) or one.value is None:
            continue
        if isinstance(one.value, ast.Lambda):
            continue
        reads = {n.id for n in ast.walk(one.value) if isinstance(n, ast.Name)}
        names = reads - functions - spellings.LIBRARIES.keys() - NAMES
        if names and (not functions or reads & functions):
            return True
        if isinstance(one, ast.AugAssign) and not functions:
            return True
    return False


def _called_by_others(functions: dict[str, FunctionNode]) -> set[str]:
    return {
        n.id
        for name, function in functions.items()
        for n in ast.walk(function)
        if isinstance(n, ast.Name) and n.id != name and n.id in functions
    }


def _of_function(name: str, node: FunctionNode) -> Entry:
    arguments = node.args
    first = arguments.args[1:] if "." in name else arguments.args  # without self
    parameters = [*arguments.posonlyargs, *first, arguments.vararg, *arguments.kwonlyargs]
    return Entry(name, node, {p.arg: p for p in parameters if p is not None}, frozenset())


# --- modules -----------------------------------------------------------------------------


def _of_module(tree: ast.Module) -> Entry:
    order = _Order()
    for one in tree.body:
        order.visit(one)
    for body in order.later:  # a function reads the module's names when it is called
        order.inside(body)
    literals = frozenset(
        name for name, value in order.literals.items() if order.count[name] == 1 and value
    )
    free = {n: place for n, place in order.read.items() if n not in literals}
    return Entry(None, None, {**free, **{n: order.given[n] for n in literals}}, literals)


class _Order(ast.NodeVisitor):
    """Which names are read before they are given, in the order of the text."""

    def __init__(self) -> None:
        self.read: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self.count: dict[str, int] = {}
        self.literals: dict[str, bool] = {}
        self.later: list[Any] = []
        self.local: list[set[str]] = []

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            known = node.id in self.given or any(node.id in names for names in self.local)
            python = node.id in NAMES or node.id in ("__name__", "__file__")
            if not known and not python and node.id not in spellings.LIBRARIES:
                self.read.setdefault(node.id, node)
        elif not self.local:
            self.given.setdefault(node.id, node)
            self.count[node.id] = self.count.get(node.id, 0) + 1

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        mathematics = name is not None and (name in NUMPY or hasattr(math, name))
        parts = [*node.args, *node.keywords]
        if not mathematics or name in self.given:  # such a function is no input
            parts.insert(0, node.func)
        for part in parts:
            self.visit(part)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            if isinstance(target, ast.Name) and not self.local:
                self.literals[target.id] = is_literal(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.visit_Name(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_comprehension_of(self, node: Any) -> None:
        names = {
            n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)
        }
        self.local.append(names)
        self.generic_visit(node)
        self.local.pop()

    visit_ListComp = visit_SetComp = visit_comprehension_of  # noqa: N815 - names of `ast`
    visit_GeneratorExp = visit_DictComp = visit_comprehension_of  # noqa: N815

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.given.setdefault(node.name, node)
        self.count[node.name] = self.count.get(node.name, 0) + 1
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self.later.append(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.later.append(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.given.setdefault(node.name, node)
        self.count[node.name] = self.count.get(node.name, 0) + 1
        self.later += [one for one in node.body if isinstance(one, ast.FunctionDef)]

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for one in node.names:
            name = (one.asname or one.name).split(".")[0]
            self.given.setdefault(name, node)

    visit_ImportFrom = visit_Import  # noqa: N815

    def inside(self, function: Any) -> None:
        """The names that a function reads from outside."""
        of = function.args
        names = {
            p.arg for p in (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg) if p
        }
        names |= {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        names |= {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)}
        self.local.append(names)
        body = function.body if isinstance(function.body, list) else [function.body]
        for one in body:
            self.visit(one)
        self.local.pop()


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a number, or an array of numbers."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return is_literal(node.operand)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("array", "tensor", "asarray", "float64", "float32", "float"):
            return _numbers(node.args[0])
    return False


def _numbers(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(_numbers, node.elts))
    return is_literal(node)
