"""Functions of libraries that are several operations, written in the Python that is read.

They are read like a user's own; their operations stand where they are called.
"""

from __future__ import annotations

import ast
from functools import cache

from gradcli.python import prelude_arrays, prelude_networks

TEXT = prelude_arrays.TEXT + prelude_networks.TEXT

NAMES = frozenset(line[4 : line.index("(")] for line in TEXT.split("\n") if line.startswith("def "))
"""The functions that are here."""


@cache
def function_of(name: str) -> ast.FunctionDef:
    """A function of the prelude, parsed when it is needed."""
    start = TEXT.index(f"\ndef {name}(") + 1
    end = TEXT.find("\ndef ", start)
    (found,) = ast.parse(TEXT[start : end if end >= 0 else len(TEXT)]).body
    assert isinstance(found, ast.FunctionDef)
    return found
