"""Methods, attributes and results of several parts, as NumPy and PyTorch have them.

`x.unsqueeze(0)`, `x.shape`, `x.max(dim=1).values`, `np.linalg.slogdet(A)[1]` come in as they were
written and go out as calls of the language's functions. Names that a library has besides those of
the table are aliases of the rows; here stand those that would be no good name of a function
(`x.t()`) and those that mean something else by the text they stand in: in a text of PyTorch,
`x.var()` divides by n - 1, `x.repeat(2, 1)` tiles and `x.transpose(0, 1)` swaps two axes.
"""

from __future__ import annotations

import re

from gradcli.diagnostics.source import Span
from gradcli.syntax.library.names import FUNCTION_NAMES, NAMES
from gradcli.syntax.tree import Call, Name, Number, Text, Tree, Tuple

PYTORCH_KEYWORDS = ("keepdim", "dim", "unbiased", "correction", "descending")
"""Arguments that only PyTorch has."""
_PYTORCH = (
    r"\btorch\.|(?<![\w.])F\.[a-z]\w*\((?!\)|-?[0-9]+ *[,)]|dim\b|axis\b)"
    rf"|\b(?:{'|'.join(PYTORCH_KEYWORDS)})\s*=(?!=)"
)
"""With an argument in it that is an array, `F.name(…)` is no method of a matrix F."""
_NN = r"(?<![\w.])nn\.[a-z]"
_JAX = r"(?<![\w.])(?:jnp|jax|lax)\."

TYPES = r"(?:u?int|float|double|half|bool|long)\d*_?"

METHODS = NAMES | {"t": "transpose", "numel": "size"}
"""Functions and methods of a library that need its prefix."""

AS_THEY_ARE = frozenset(
    """
    array asarray asanyarray ascontiguousarray as_tensor tensor from_numpy float float64 double
    item clone contiguous copy cpu numpy tolist to type astype requires_grad_ float_ float32
    """.split()  # noqa: SIM905 - a list of words
)
"""What gives its operand back: the type of the numbers is always the same."""

TAKES_NUMBERS = frozenset(
    {"reshape", "permute", "zeros", "ones", "expand", "tile", "broadcast_to", "transpose"}
)
"""Functions whose shape or axes may be given one by one: `x.view(2, -1)`."""

PARTS = {
    ("slogdet", 0): "logdet_sign",
    ("slogdet", 1): "logdet",
    ("eigh", 0): "eigvalsh",
    ("eigh", 1): "eigenvectors",
    ("svd", 1): "svdvals",
    ("sort", 1): "argsort",
    ("max", 1): "argmax",
    ("min", 1): "argmin",
    **{(name, 0): name for name in ("max", "min", "sort", "lower_median", "lstsq", "cummax")},
}
"""Functions that give several arrays, and what is one of them."""

NAMED_PARTS = {
    "values": 0,
    "indices": 1,
    "eigenvalues": 0,
    "eigenvectors": 1,
    "sign": 0,
    "logabsdet": 1,
    "solution": 0,
    "S": 1,
}
CUT = {"split", "array_split", "chunk"}
"""Functions that cut an axis into parts."""

SEVERAL = {"slogdet", "eigh", "svd", "lstsq", *CUT}
"""Functions that always do; the others of `PARTS` only in PyTorch, and with an axis."""


def is_pytorch(text: str) -> bool:
    """Whether a program is written as in PyTorch; `nn` is JAX's only beside other names of JAX."""
    if not ("." in text or "=" in text):
        return False  # without compiling a pattern
    if re.search(_PYTORCH, text):
        return True
    return bool(re.search(_NN, text)) and not re.search(_JAX, text)


def unnamed(call: Call) -> tuple[Tree, ...]:
    """The arguments without a name."""
    return call.arguments[: len(call.arguments) - len(call.keywords)]


def named(call: Call) -> list[tuple[str, Tree]]:
    """The arguments with a name, and these names."""
    return list(zip(call.keywords, call.arguments[len(unnamed(call)) :], strict=True))


def _is_floating(tree: Tree) -> bool:
    """A type in which numbers stay what they are."""
    word = tree.name if isinstance(tree, Name) else tree.text if isinstance(tree, Text) else ""
    return word.startswith(("float", "double", "half"))


def without(call: Call, *names: str) -> Call:
    """The call without the arguments of these names."""
    if not set(names) & set(call.keywords):
        return call
    first = len(unnamed(call))
    kept = [(k, a) for k, a in named(call) if k not in names]
    arguments = (*call.arguments[:first], *(a for _, a in kept))
    return call.taking(arguments, tuple(k for k, _ in kept))


def is_type(name: str) -> bool:
    """Whether a library's constant is a type of numbers: `np.float64`."""
    return re.fullmatch(TYPES, name) is not None


def general(call: Call, *, torch: bool, method: bool) -> Tree:
    """What methods and functions with a prefix have in common."""
    call = without(call, "device", "inplace", "requires_grad")
    if all(_is_floating(a) for k, a in named(call) if k == "dtype"):
        call = without(call, "dtype")
    name = call.name if call.name in FUNCTION_NAMES else METHODS.get(call.name, call.name)
    arguments = unnamed(call)
    same = name in AS_THEY_ARE and arguments and not call.keywords
    if same and all(map(_is_floating, arguments[1:])):
        return arguments[0]
    if name == "flatten" and len(arguments) > 1:
        name = "flatten_from"
    if name in {"transpose", "permute"} and len(arguments) > 1:
        pair = len(arguments) == 3 and name == "transpose" and not isinstance(arguments[1], Tuple)
        name = "swapaxes" if pair else "permute"
    if torch and name == "pad":
        name = "pad_last"
    if torch and name == "repeat" and method:
        name = "tile"
    if name in TAKES_NUMBERS and (torch or method):
        arguments = _one_tuple(arguments, 0 if name in {"zeros", "ones"} else 1)
    by_name = call.arguments[len(unnamed(call)) :]
    if (name, arguments) == (call.name, unnamed(call)):
        return call
    return call.taking((*arguments, *by_name), call.keywords, name)


def _one_tuple(arguments: tuple[Tree, ...], first: int) -> tuple[Tree, ...]:
    """The arguments from the first on as one tuple, where there are several."""
    rest = arguments[first:]
    if len(rest) < 2 or any(isinstance(a, Tuple) for a in rest):
        return arguments
    shape = Span(rest[0].span.start, rest[-1].span.end)
    return (*arguments[:first], Tuple(rest, shape))


def translated_attribute(base: Tree, name: Name) -> Tree | None:
    """`x.shape`, `x.mT`, `x.max(dim=1).values`; None for another attribute."""
    span = base.span.to(name.span)
    if isinstance(base, Call) and name.name in NAMED_PARTS:
        return _part(base, NAMED_PARTS[name.name], span)
    if isinstance(base, Name) and base.name in {"torch", "np", "jax", "F", "nn", "tf", "sp"}:
        return None
    if name.name in {"shape", "size"}:
        return Call(name.name, (base,), (), span, name.span, qualified=True)
    if name.name == "mT":
        return Call("matrix_transpose", (base,), (), span, name.span, qualified=True)
    if name.name in {"data", "real"}:
        return base
    return None


def part_of_several(call: Call, items: list[Tree], span: Span, *, torch: bool) -> Tree | None:
    """`slogdet(A)[1]`, `torch.max(x, 1)[0]`; None for what has elements."""
    if len(items) != 1 or not isinstance(items[0], Number):
        return None
    axis = "axis" in call.keywords or "dim" in call.keywords or len(unnamed(call)) > 1
    if call.name not in SEVERAL and not (torch and (axis or call.name == "sort")):
        return None
    return _part(call, int(items[0].value), span)


def _part(call: Call, place: int, span: Span) -> Tree | None:
    if call.name in CUT and len(call.arguments) > 1:
        x, n, *rest = call.arguments
        number = Number(float(place), str(place), span)
        keywords = call.keywords[: len(rest)]
        arguments = (x, n, number, *rest)
        return Call("split_part", arguments, keywords, span, call.name_span, qualified=True)
    name = PARTS.get((call.name, place))
    if name is None:
        return None
    call = without(call, "full_matrices", "rcond") if name in {"svdvals", "lstsq"} else call
    found = call.taking(call.arguments, call.keywords, name)
    found.span = span
    return found
