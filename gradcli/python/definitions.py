"""Definitions and imports: `def`, `class`, `import`, and the names that a function shares.

A statement comes in; after it a function, a class or a library has a name.
"""

from __future__ import annotations

import ast

from gradcli.python import spellings
from gradcli.python.array_table import NUMPY
from gradcli.python.assignments import GOES_ON
from gradcli.python.statements import Handler, Statements
from gradcli.python.values import (
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Scope,
    Value,
)


def _def(reader: Statements, node: ast.FunctionDef) -> int:
    function = reader.function_of(node.name, node)
    for one in node.decorator_list:
        name = _called(one)
        if name in ("staticmethod", "classmethod", "property"):
            function.kind = name
        elif name == "setter":
            return GOES_ON
    plain = function
    for one in reversed(node.decorator_list):
        function = _decorated(reader, function, one)
    if function is not plain:
        reader.note("decorator", node, f"the decorator of {node.name} is called")
    reader.scope.names[node.name] = function
    return GOES_ON


def _decorated(reader: Statements, function: Value, decorator: ast.expr) -> Value:
    """What a decorator of the text makes of a function; those of libraries leave it."""
    of = reader.soft(decorator)
    if isinstance(of, Function | Class | Instance):
        return reader.call(of, [function], {}, decorator)
    return function


def _class(reader: Statements, node: ast.ClassDef) -> int:
    outer = reader.scope
    bases = [reader.soft(b) for b in node.bases]
    reader.scope = Scope(outer, outer.function)
    try:
        reader.run(node.body)
        names = reader.scope.names
    finally:
        reader.scope = outer
    known = all(isinstance(b, Class) for b in bases)
    tuples = any(isinstance(b, Builtin) and b.name == "NamedTuple" for b in bases)
    found = Class(node.name, bases, names, known, is_tuple=tuples)
    if tuples or "dataclass" in map(_called, node.decorator_list):
        inherited = [f for b in bases if isinstance(b, Class) for f in b.fields]
        found.fields = tuple(dict.fromkeys([*inherited, *_fields(node)]))
    for value in names.values():
        if isinstance(value, Function) and value.scope.outer is outer:
            value.scope, value.owner = outer, found
    reader.scope.names[node.name] = found
    return GOES_ON


def _global(reader: Statements, node: ast.Global) -> int:
    reader.scope.shared |= dict.fromkeys(node.names, reader.scope.module)
    return GOES_ON


def _nonlocal(reader: Statements, node: ast.Nonlocal) -> int:
    for name in node.names:
        scope = reader.scope.outer
        while scope is not None and name not in scope.names:
            scope = scope.outer
        if scope is not None:
            reader.scope.shared[name] = scope
    return GOES_ON


def _import(reader: Statements, node: ast.Import) -> int:
    for one in node.names:
        name = one.asname or one.name.split(".")[0]
        reader.scope.names[name] = Library(one.name if one.asname else name)
    return GOES_ON


def _import_from(reader: Statements, node: ast.ImportFrom) -> int:
    path = node.module or ""
    for one in node.names:
        if one.name == "*":
            _all_of(reader, path)
            continue
        if path.split(".")[0] == "typing" or path == "__future__":
            reader.scope.names[one.asname or one.name] = Builtin("typing", one.name)
        else:
            found = reader.of_library(Library(path), one.name)
            reader.scope.names[one.asname or one.name] = found
    return GOES_ON


def _all_of(reader: Statements, path: str) -> None:
    """`from numpy import *`: the names that a text of mathematics uses."""
    if path == "math":
        for name in spellings.MATH:
            reader.scope.names[name] = reader.of_library(Library(path), name)
    elif path in spellings.ARRAYS:
        for name in sorted(NUMPY - {"all", "any", "abs", "sum", "max", "min", "pow", "round"}):
            reader.scope.names.setdefault(name, Builtin(path, name))
        for name in spellings.STARRED:
            reader.scope.names.setdefault(name, reader.of_library(Library(path), name))


def _called(decorator: ast.expr) -> str:
    """The name of a decorator: `dataclass` of `@dataclasses.dataclass(frozen=True)`."""
    of = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(of, "attr", getattr(of, "id", ""))


def _fields(node: ast.ClassDef) -> list[str]:
    """The annotated names of a class, in order."""
    return [
        one.target.id
        for one in node.body
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and "ClassVar" not in ast.unparse(one.annotation)
    ]


HANDLERS: dict[type[ast.stmt], Handler] = {
    ast.FunctionDef: _def,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
}
