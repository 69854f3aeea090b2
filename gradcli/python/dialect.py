"""Which libraries a text uses: its nodes come in, the names of the libraries come out.

What the methods of arrays mean depends on it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from gradcli.python.spellings import ARRAYS, LIBRARIES
from gradcli.syntax.foreign_calls import PYTORCH_KEYWORDS

OF_ARRAYS = frozenset(path.partition(".")[0] for path in ARRAYS) - {"math", "cmath", "scipy"}


def libraries_of(nodes: Iterable[ast.AST], inputs: Collection[str] = ()) -> frozenset[str]:
    """The libraries that a text imports, or uses by their usual names without an import.

    PyTorch is one of them, too, where methods have arguments that only PyTorch has and no library
    of arrays is imported. `nodes` are all of the text, `inputs` are names of arrays.
    """
    imported, bound = set[str](), set(inputs)
    roots, methods = set[str](), set[str]()
    for node in nodes:
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            roots.add(node.value.id)
        elif isinstance(node, ast.Call) and any(k.arg in PYTORCH_KEYWORDS for k in node.keywords):
            methods |= _method(node.func)
    used = {LIBRARIES[name].partition(".")[0] for name in (roots - bound - {"nn"}) & set(LIBRARIES)}
    found = imported | used
    if "nn" in roots - bound and "jax" not in found:
        found.add("torch")
    if methods - bound and not imported & OF_ARRAYS:
        found.add("torch")
    return frozenset(found)


def _method(function: ast.expr) -> set[str]:
    """The name of a method that is called, in a set; of a library's function nothing."""
    if not isinstance(function, ast.Attribute):
        return set()
    root = function.value
    while isinstance(root, ast.Attribute):
        root = root.value
    of_library = isinstance(root, ast.Name) and root.id in LIBRARIES
    return set() if of_library else {function.attr}
