"""The call of a function that was handed in without one.

The code of a submission and the `#: call` line of its task come in; the code goes out, with the
call as its last line where the function is defined and never called.
"""

from __future__ import annotations

import ast

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.python.source import module_of, without_magics
from gradcli.syntax.task_lines import CallLine


def with_call(text: str, call: CallLine | None) -> str:
    """The code with the call that its task states, if it needs one."""
    if call is None or call.function not in text:
        return text
    try:
        tree = module_of(Source(without_magics(text)))
    except GradcliError:
        return text
    defined = any(isinstance(n, ast.FunctionDef) and n.name == call.function for n in tree.body)
    called = any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == call.function
        for n in ast.walk(tree)
    )
    if not defined or called:
        return text
    return f"{text.rstrip()}\n{call.text}\n"
