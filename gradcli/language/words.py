"""Words of Python that students write, and what to write instead.

They are no reserved words here: `lambda` and `in` are names like others. Only where no name
can stand is one of them taken for what it is in Python.
"""

from __future__ import annotations

_LOOP = ("there are no loops in this language", "sums over arrays are sum(x), A @ x")
_CONDITION = (
    "there is no 'if' in this language",
    "a choice is where(condition, a, b)",
)
_FUNCTION = ("a function is defined by '=' alone", "f(x) = x^2")
_IMPORT = (
    "there is nothing to import",
    "all functions are known by name: exp(x), np.exp(x)",
)
_OUTPUT = ("the value of the last statement is the output", "write the expression alone")
_CLASS = ("there are no classes, and no blocks of Python", "a program has a definition a line")

PYTHON_WORDS = {
    "for": _LOOP,
    "while": _LOOP,
    "if": _CONDITION,
    "elif": _CONDITION,
    "else": _CONDITION,
    "def": _FUNCTION,
    "lambda": _FUNCTION,
    "function": _FUNCTION,
    "import": _IMPORT,
    "from": _IMPORT,
    "return": _OUTPUT,
    "print": _OUTPUT,
    "class": _CLASS,
    "try": _CLASS,
    "del": _CLASS,
    "assert": _CLASS,
    "let": ("a value is named by '=' alone", "y = x^2"),
    "and": ("there is no 'and' in this language", "write the product: (a > 0)*(b > 0)"),
    "or": ("there is no 'or' in this language", "write maximum(a > 0, b > 0)"),
    "not": ("there is no 'not' in this language", "not c is 1 - c"),
    "is": ("there is no 'is' in this language", "equal is '=='"),
    "in": ("there is no 'in' in this language", "a range is a chain: 0 < x < 1"),
}
"""Word: (message, hint)."""
