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

_ARRAY = "an array is its square brackets alone: [1, 2], [[1, 2], [3, 4]]"
_NUMBER = "leave it out: every number is a double"
_RANDOM = "random numbers are values of inputs: --x 'normal(3)', --x 'uniform(3, 2)'"
_CONTRACTION = "write it with A @ B, outer(a, b), trace(A) or sum(A*B)"
_AND, _OR = "write the product: (a > 0)*(b > 0)", "write maximum(a > 0, b > 0)"

INSTEAD_OF_FUNCTIONS = {word: hint for word, (_, hint) in PYTHON_WORDS.items()} | {
    "hstack": "concat((a, b)) joins vectors, concat((A, B), axis=1) matrices side by side",
    "vstack": "stack((a, b)) makes rows of vectors, concat((A, B)) puts matrices one on another",
    "column_stack": "stack((a, b), axis=1) makes columns of vectors",
    "array": _ARRAY,
    "asarray": _ARRAY,
    "matrix": _ARRAY,
    "tensor": _ARRAY,
    "identity": "the identity matrix is eye(n)",
    "einsum": _CONTRACTION,
    "tensordot": _CONTRACTION,
    "vdot": "write dot(a, b)",
    "float": _NUMBER,
    "float32": _NUMBER,
    "float64": _NUMBER,
    "int": "the whole number below is floor(x), the nearest round(x)",
    "range": "numbers in a row are arange(n)",
    "len": "write the number: n = 3",
    "logical_and": _AND,
    "logical_or": _OR,
    "logical_not": "not c is 1 - c",
    "factorial": "n! is gamma(n + 1)",
    "sgn": "write sign(x)",
    "sec": "write 1/cos(x)",
    "csc": "write 1/sin(x)",
    "cot": "write 1/tan(x)",
    "normal": _RANDOM,
    "uniform": _RANDOM,
    "rand": _RANDOM,
    "randn": _RANDOM,
    "random": _RANDOM,
}
"""A function of Python or NumPy that is none here: what to write instead."""
