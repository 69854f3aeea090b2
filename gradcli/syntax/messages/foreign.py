"""Words and signs of other notations that students write, and what to write instead.

They are Python's, LaTeX's, and those of mathematics on paper. The words are not reserved here:
`lambda` and `in` are names like others, and only where no name can stand is one of them taken
for what it is in Python.
"""

from __future__ import annotations

import re

from gradcli.diagnostics.characters import DERIVATIVES

_QUOTIENT = r"\bd(?:[^\W\d_]\w?)?/d[^\W\d_]\w?\b"


def derivative_at(text: str, place: int) -> str | None:
    """The `df/dx` or `d/dx` that stands at a place of a text, if one does."""
    start = max(0, place - 10)
    start = max(start, text.rfind("\n", start, place) + 1)
    for found in re.compile(_QUOTIENT).finditer(text, start, place + 10):
        if found.start() <= place < found.end():
            return found[0]
    return None


# --- words of Python ---------------------------------------------------------------------

PYTHON_WORDS = {
    **dict.fromkeys(
        ("for", "while"),
        ("there are no loops in this language", "sums over arrays are sum(x), A @ x"),
    ),
    **dict.fromkeys(
        ("if", "elif", "else"),
        ("there is no 'if' in this language", "a choice is where(condition, a, b)"),
    ),
    **dict.fromkeys(
        ("def", "lambda", "function"), ("a function is defined by '=' alone", "f(x) = x^2")
    ),
    **dict.fromkeys(
        ("import", "from"),
        ("there is nothing to import", "all functions are known by name: exp(x), np.exp(x)"),
    ),
    **dict.fromkeys(
        ("return", "print"),
        ("the value of the last statement is the output", "write the expression alone"),
    ),
    **dict.fromkeys(
        ("class", "try", "del", "assert"),
        ("there are no classes, and no blocks of Python", "a program has a definition a line"),
    ),
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
_AND, _OR = "write the product: (a > 0)*(b > 0)", "write maximum(a > 0, b > 0)"
_ALONE = "leave it out: values and gradients are plain numbers"

INSTEAD_OF_FUNCTIONS = {word: hint for word, (_, hint) in PYTHON_WORDS.items()} | {
    "matrix": _ARRAY,
    "identity": "the identity matrix is eye(n)",
    "float32": _NUMBER,
    "int": "the whole number below is floor(x), the nearest round(x)",
    "range": "numbers in a row are arange(n)",
    "logical_and": _AND,
    "logical_or": _OR,
    "logical_not": "not c is 1 - c",
    "factorial": "n! is gamma(n + 1)",
    "sec": "write 1/cos(x)",
    "csc": "write 1/sin(x)",
    "cot": "write 1/tan(x)",
    "cosec": "write 1/sin(x)",
    "tg": "write tan(x)",
    "ctg": "write 1/tan(x)",
    "arctg": "write atan(x)",
    "sh": "write sinh(x)",
    "ch": "write cosh(x)",
    "th": "write tanh(x)",
    "arsinh": "write asinh(x)",
    "arcosh": "write acosh(x)",
    "artanh": "write atanh(x)",
    "lg": "write log10(x)",
    "ld": "write log2(x)",
    "lb": "write log2(x)",
    "tr": "write trace(A)",
    "asec": "write acos(1/x)",
    "acsc": "write asin(1/x)",
    "acot": "write atan(1/x)",
    **{f"{name}d": f"write {name}(deg2rad(x))" for name in ("sin", "cos", "tan")},
    **{f"{name}d": f"write rad2deg({name}(x))" for name in ("asin", "acos", "atan")},
    "logistic": "write sigmoid(x)",
    "eigh": "of a symmetric matrix eigvalsh(A) are the eigenvalues, eigenvectors(A) the vectors",
    "svd": "the singular values are svdvals(A)",
    **dict.fromkeys(("split", "chunk"), "name the part: split(x, 3)[0]"),
    "sigmoid_cross_entropy": "write binary_cross_entropy_with_logits(z, y)",
    "slogdet": "the logarithm of a determinant above 0 is logdet(A)",
    "Σ": "write sum(x)",
    "Π": "write prod(x)",
    **dict.fromkeys(("D", "Diff", "deriv", "derivative", "differentiate"), DERIVATIVES),
    **dict.fromkeys(("grad", "gradient", "nabla", "backward", "autograd"), DERIVATIVES),
    "jacobian": "write what it is of: the command is gradcli jacobian",
    "hessian": "write what it is of: the command is gradcli hessian",
    **dict.fromkeys(
        ("integrate", "integral", "int_"), "gradcli works out derivatives, no integrals"
    ),
    **dict.fromkeys(("item", "detach", "numpy", "requires_grad_"), _ALONE),
    "normal": _RANDOM,
    "uniform": _RANDOM,
    "rand": _RANDOM,
    "randn": _RANDOM,
    "random": _RANDOM,
}
"""A function of Python or NumPy that the language lacks: what to write instead."""

OF_OTHER_LIBRARIES = frozenset(
    """
    lsqr simpson bincount histogram searchsorted unique cumulative_trapezoid group_norm dropout
    logm sqrtm fft ifft rfft convolve correlate conv1d conv2d max_pool2d avg_pool2d eig
    eigvals qr lu schur null_space rank matrix_rank cond ndtri jv yv kv iv airy zeta ellipk
    ellipe hyp2f1 hyp1f1 expi exp1 erfcx dawsn fresnel lambertw voigt_profile struve
    nan_to_num nansum nanmean nanmax nanmin corrcoef cov triu_indices meshgrid baddbmm
    """.split()  # noqa: SIM905 - a list of words
)
"""Functions of NumPy, SciPy, PyTorch and JAX that the language lacks: no misspellings."""


def instead_of_function(word: str) -> str | None:
    """What to write instead of a function that the language lacks; None if nothing is like it."""
    if word in INSTEAD_OF_FUNCTIONS:
        return INSTEAD_OF_FUNCTIONS[word]
    if word in OF_OTHER_LIBRARIES:
        return "other libraries have it, the language does not; 'gradcli ops' lists all functions"
    return None


INSTEAD_OF_NAMES = {
    "i": "there are no complex numbers",
    "j": "there are no complex numbers",
    "NaN": "what is not a number is written 'nan'",
    **dict.fromkeys(("Inf", "Infinity", "INF"), "infinity is written 'inf'"),
    "true": "a true value is written 'True' or 1",
    "false": "a false value is written 'False' or 0",
    **dict.fromkeys(("null", "nil"), "nothing is written 'None'"),
    "PI": "the constant is written 'pi'",
    "Pi": "the constant is written 'pi'",
}
"""A name that stands for something in another notation, and is an input like others here."""


# --- signs ---------------------------------------------------------------------------------

CHARACTERS = {
    "%": (
        "'%' is not an operator of this language",
        "the remainder is mod(a, b), 5 percent are 0.05; a comment begins with '#'",
    ),
    "&": ("'&' is not an operator of this language", "of two conditions, write the product"),
    "!": ("'!' is not an operator of this language", "n! is gamma(n + 1); not c is 1 - c"),
    "~": ("'~' is not an operator of this language", "not c is 1 - c"),
    "{": ("there are no braces in this language", "brackets are ( ) and [ ]"),
    "}": ("there are no braces in this language", "brackets are ( ) and [ ]"),
    "$": ("'$' is not part of the language", "write the formula without it"),
    "\\": (
        "'\\' is not part of the language",
        "a command of LaTeX has letters; a line goes on if it is in brackets",
    ),
    "?": ("'?' is not part of the language", "a choice is where(condition, a, b)"),
    "⁻": ("a raised sign stands before raised digits", "write x⁻¹ or x^(-1)"),
    "⁺": ("a raised sign stands before raised digits", "write x⁺² or x^2"),
}
"""A character that begins no token: (message, hint)."""

_REMARK = "a comment begins with '#'"

SEQUENCES = {
    "===": ("there is no '==='", "equal is '=='"),
    "...": ("there is no '...'", "in an index write ':' for each axis"),
    "***": ("there is no '***'", "a power is x^2"),
    "^^": ("there is no '^^'", "a power is x^2"),
    "/*": ("there is no '/*'", _REMARK),
    "//": ("there is no '//'", f"division to a whole number is floor(a/b); {_REMARK}"),
    "->": ("there is no '->'", "a function is written f(x) = …"),
    "=>": ("there is no '=>'", "greater or equal is '>='"),
    "=<": ("there is no '=<'", "less or equal is '<='"),
    "<>": ("there is no '<>'", "not equal is '!='"),
    ":=": ("there is no ':='", "a value is named by '='"),
    "++": ("there is no '++'", "write 'x + 1'"),
    "--": ("there is no '--'", "write 'x - 1'"),
    "..": ("there is no '..'", "in an index write a range as 'a:b', elsewhere arange(a, b)"),
    "&&": ("there is no '&&'", "of two conditions, write the product: (a > 0)*(b > 0)"),
}
"""Operators of other languages, which are read as two or three of this one."""

LATEX = {
    **dict.fromkeys(("frac", "dfrac", "tfrac"), "a fraction is written (a)/(b)"),
    "sqrt": "a root is written sqrt(x)",
    **dict.fromkeys(("cdot", "times", "ast", "odot"), "a product is written a*b"),
    **dict.fromkeys(("left", "right", "bigl", "bigr", "big", "Big"), "write the bracket alone"),
    "sigma": "the logistic function is written sigmoid(x) or σ(x)",
    "sum": "the sum of an array is written sum(x)",
    "prod": "the product of an array is written prod(x)",
    **dict.fromkeys(("partial", "nabla"), DERIVATIVES),
    **dict.fromkeys(("top", "intercal"), "the transpose is written A.T"),
    **dict.fromkeys(("lVert", "rVert", "Vert", "lvert", "rvert", "vert"), "write '|' or '||'"),
    **dict.fromkeys(("le", "leq", "ge", "geq", "ne", "neq"), "comparisons are < <= > >= == !="),
    "infty": "write 'inf'",
    **dict.fromkeys(("int", "iint", "oint"), "integrals are not computed"),
    **dict.fromkeys(("lim", "to", "rightarrow", "mapsto"), "limits are not computed"),
    **dict.fromkeys(("quad", "qquad", "displaystyle", "limits", "nonumber"), "leave it out"),
    **dict.fromkeys(("in", "forall", "exists", "mathbb"), "leave the condition out"),
    **dict.fromkeys(("begin", "end"), "an array is written [1, 2], [[1, 2], [3, 4]]"),
    **dict.fromkeys(
        ("mathbf", "mathrm", "mathit", "boldsymbol", "bm", "text", "operatorname"),
        "write the name alone",
    ),
}
"""A command of LaTeX, and what to write. What is not listed is written without its backslash."""
