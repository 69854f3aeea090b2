"""The commands of LaTeX that are read, by family, without their backslash."""

from __future__ import annotations

_LETTERS = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma
    tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"""
GREEK = {letter: letter for letter in _LETTERS.split()} | {
    **{f"var{letter}": letter for letter in ["epsilon", "theta", "rho", "sigma", "phi", "kappa"]},
    "ell": "ell",
}
"""A letter, and the name that it is in a program."""

_SAME = """sin cos tan sinh cosh tanh exp log max min det relu erf softmax floor ceil sign trace
    diag mean var std sigmoid gelu silu elu selu mish softplus inv norm"""
FUNCTIONS = {name: name for name in _SAME.split()} | {
    "ln": "log",
    "lg": "log10",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arsinh": "asinh",
    "arcosh": "acosh",
    "artanh": "atanh",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "sgn": "sign",
    "tr": "trace",
}
"""A function, and its name in the language."""

NAMED = FUNCTIONS | {"vec": "flatten", "chol": "cholesky", "cof": "cofactor"}
"""The same for the argument of `operatorname`."""

SYMBOLS = {"pi": "pi", "infty": "inf"}
OPERATORS = {
    **dict.fromkeys(("cdot", "times", "ast", "odot"), "*"),
    **dict.fromkeys(("le", "leq", "leqslant"), "<="),
    **dict.fromkeys(("ge", "geq", "geqslant"), ">="),
    **dict.fromkeys(("ne", "neq"), "!="),
    "lt": "<",
    "gt": ">",
    "div": "/",
    # The language refuses these signs, each with its hint.
    "circ": "∘",
    "otimes": "⊗",
    "pm": "±",
    "mp": "∓",
    "ldots": "…",
    "cdots": "…",
    "dots": "…",
    "to": "→",
    "approx": "≈",
}
_SPACES = "quad qquad displaystyle textstyle limits nolimits nonumber notag thinspace"
SPACES = frozenset(_SPACES.split())
SIZES = frozenset(
    f"{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r")
) | {"left", "right"}
BRACKETS = {
    "lVert": "||",
    "lvert": "|",
    "lbrace": "(",
    "lparen": "(",
    "lfloor": "floor(",
    "lceil": "ceil(",
    "langle": "dot(",
}
CLOSINGS = {
    "rVert": ("lVert", "||"),
    "rvert": ("lvert", "|"),
    "rbrace": ("lbrace", ")"),
    "rparen": ("lparen", ")"),
    "rfloor": ("lfloor", ")"),
    "rceil": ("lceil", ")"),
    "rangle": ("langle", ")"),
}
"""What closes, which command it closes, and what is written for it."""

_FONTS = "mathbf mathrm mathit mathsf mathtt mathcal mathbb boldsymbol bm text textbf textit"
FONTS = frozenset(_FONTS.split())
ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "bar": "\u0304",
    "overline": "\u0304",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "vec": "\u20d7",
}
"""An accent, and the mark that a letter gets."""

MATRICES = frozenset({"matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array"})
_DISPLAYS = "align aligned equation gather gathered split multline document"
DISPLAYS = frozenset(_DISPLAYS.split())
