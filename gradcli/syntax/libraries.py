"""Calls by another library's full name: `scipy.special.polygamma(n, x)`, `np.max(x, 0)`.

Most functions have the arguments of their namesakes. Where the library's order, default or meaning
is another one (`library.meanings`), the call comes in as it was written and goes out as the
language has it, or is refused with what to write. A name that the library does not have keeps the
language's arguments.
"""

from __future__ import annotations

from typing import Any

from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.foreign_calls import general, named, unnamed
from gradcli.syntax.library.meanings import meaning
from gradcli.syntax.library.meant import ALL, Meant, Refused
from gradcli.syntax.library.names import MODULES
from gradcli.syntax.tree import Call, Nothing, Number, Text, Tree, Tuple

PYTORCH_NN = "torch.nn.functional"
"""What `nn` stands for in a text of PyTorch."""
_BY_NAME = "give further arguments by name: axis=…, keepdims=…"
_UNREAD = {
    "out": ("an array for the result", "of more than two arrays write 'max(a, b, c)'"),
    "dtype": ("the type of the numbers", _BY_NAME),
    "weights": ("the weights", "a weighted mean is sum(w*x)/sum(w)"),
    "return_sign": ("whether to give the sign too", "the sign is sign(sum(b*exp(x)))"),
}
"""Arguments of libraries that the language does not have, and what to write instead."""


def translated(call: Call, library: str, *, torch: bool = False) -> Tree:
    """The call in the language. `library` is the prefix, as `np.linalg`.

    In a text of PyTorch (`torch`) a function means what it does there. Raises `GradcliError` of
    kind syntax for a call that means something else in the library.
    """
    if library.rpartition(".")[2] == "norm":
        return call.taking(call.arguments, call.keywords, f"norm_{call.name}")
    module = PYTORCH_NN if torch and library == "nn" else module_of(library)
    found = general(call, torch=torch and not module.startswith("numpy"), method=False)
    if not isinstance(found, Call):
        return found
    return _meant(found, module, call.name, f"{library}.{call.name}")


def translated_method(call: Call, *, torch: bool = False) -> Tree:
    """`x.max(0)` as `max(x, axis=0)`: a method's further arguments are not compared with x."""
    found = general(call, torch=torch, method=True)
    if not isinstance(found, Call):
        return found
    module = "torch.Tensor" if torch else "numpy"
    return _meant(found, module, call.name, f"x.{call.name}")


def module_of(prefix: str) -> str:
    """The module that a prefix stands for."""
    if prefix in MODULES:
        return MODULES[prefix]
    first, dot, rest = prefix.partition(".")
    return f"{MODULES.get(first, first)}{dot}{rest}"


def _meant(call: Call, module: str, name: str, written: str) -> Tree:
    """The call as the module means it; `name` is what it is called there."""
    plain = _Plain()
    positional = [plain.value(a) for a in unnamed(call)]
    keywords = {k: plain.value(a) for k, a in named(call)}
    try:
        found = meaning(module, name, positional, keywords)
    except Refused as refused:
        where = written if "{}" not in refused.message else refused.message.format(written)
        raise syntax_error(where, call.span, refused.hint) from None
    if found is None:
        return call
    for word, (what, hint) in _UNREAD.items():
        if word in found.keywords:
            value = found.keywords[word]
            place = positional.index(value) + 1 if value in positional else f"'{word}'"
            span = value.span if isinstance(value, Tree) else call.span
            raise syntax_error(f"argument {place} of {written} is {what}", span, hint)
    return plain.call(found, call)


class _Plain:
    """Arguments as values: truth values, texts and None are themselves, all else stays a tree."""

    def __init__(self) -> None:
        self.trees: dict[int, Tree] = {}

    def value(self, tree: Tree) -> Any:
        """An argument as `meaning` takes it."""
        found: Any = tree
        match tree:
            case Nothing():
                return None
            case Number(text="True" | "False"):
                return tree.text == "True"
            case Text():
                found = tree.text
                self.trees[id(found)] = tree
        return found

    def tree(self, value: Any, call: Call) -> Tree:
        """A value as an argument at the end of the call, unless it stands somewhere in it."""
        place = Span(call.span.end, call.span.end)
        if isinstance(value, Tree):
            return value
        if isinstance(value, Meant):
            return self.call(value, call)
        if id(value) in self.trees:
            return self.trees[id(value)]
        if value is ALL or value is None:
            return Nothing(place)
        if isinstance(value, str):
            return Text(value, place)
        if isinstance(value, tuple):
            return Tuple(tuple(self.tree(v, call) for v in value), place)
        return Number(float(value), str(value), place)

    def call(self, meant: Meant, call: Call) -> Call:
        """A call in the language at the place of the call that is translated."""
        values = (*meant.operands, *meant.keywords.values())
        trees = tuple(self.tree(v, call) for v in values)
        return call.taking(trees, tuple(meant.keywords), meant.name)
