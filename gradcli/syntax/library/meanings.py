"""What functions of libraries mean where they mean something of their own.

A library's function that has its namesake's arguments, in their order and with their defaults,
needs no row. The others have one, for programs in the language and in Python alike: in `rows` where
only names, order and defaults differ, else in `own`, a function with the library's parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.syntax.library.meant import Meant, Refused
from gradcli.syntax.library.names import KEYWORDS, NAMES, OPERANDS
from gradcli.syntax.library.own import OWN, Meaning
from gradcli.syntax.library.rows import Parameter, Row, rows

BASES = {
    "autograd.numpy": "numpy",
    "autograd.numpy.linalg": "numpy.linalg",
    "autograd.scipy.special": "scipy.special",
    "cupy": "numpy",
    "jax.numpy": "numpy",
    "jax.numpy.linalg": "numpy.linalg",
    "jax.scipy.special": "scipy.special",
    "jax.scipy.linalg": "scipy.linalg",
    "torch.Tensor": "torch",
    "torch.nn.functional": "torch",
    "torch.special": "torch",
    "torch.linalg": "torch",
    **dict.fromkeys(
        (
            *("tensorflow.math", "tensorflow.linalg", "tensorflow.nn"),
            *("tensorflow.keras.activations", "tensorflow.keras.losses"),
        ),
        "tensorflow",
    ),
}
"""The module whose rows hold for another one too."""

LOSSES = re.compile(r".*(_loss|entropy|_logits|kl_div)")


def _parameters(function: Meaning | Row) -> list[Parameter]:
    if isinstance(function, Row):
        return function.parameters
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    first = len(names) - len(defaults)
    return [
        Parameter(n, n, defaults[i - first] if i >= first else None, i < first)
        for i, n in enumerate(names)
    ]


def _found(module: str, name: str) -> Meaning | Row | Refused | None:
    """What a module means by a name: by itself, by another name, or as the module it builds on."""
    path: str | None = module
    while path is not None:
        for word in (name, NAMES.get(name, name)):
            found = OWN.get(f"{path}.{word}") or rows().get(f"{path}.{word}")
            if found is not None:
                return found
        path = BASES.get(path)
    return None


def meaning(
    module: str, name: str, positional: Sequence[Any], keywords: Mapping[str, Any]
) -> Meant | None:
    """What a call means in the language; None where it means what its namesake does.

    Operands may be anything; truth values, texts and None are themselves. Raises `Refused`.
    """
    if module == "torch" and LOSSES.fullmatch(name):
        raise Refused("{} is not the loss that PyTorch documents", f"write 'F.{name}(…)'")
    function = _found(module, name)
    if function is None:
        return None
    if isinstance(function, Refused):
        raise Refused(function.message, function.hint)
    parameters = _parameters(function)
    if len(positional) > len(parameters):
        raise Refused(f"{{}} has {len(parameters)} arguments, not {len(positional)}")
    places = {_plain(p.theirs): i for i, p in enumerate(parameters)}
    values = [*positional, *[None] * (len(parameters) - len(positional))]
    given = set(range(len(positional)))
    more = {}
    for word, value in keywords.items():
        place = places.get(_plain(word))
        if place is None and 0 not in given and word in OPERANDS:
            place = 0
        if place is None:
            more[word] = value
            continue
        if place in given:
            raise Refused(f"{{}} gets '{word}' twice")
        given.add(place)
        values[place] = value
    for i, parameter in enumerate(parameters):
        if i not in given:
            if parameter.required:
                raise Refused(f"{{}} needs '{parameter.theirs}'")
            values[i] = parameter.default
    found = function(*values)
    return found._replace(keywords=found.keywords | more)


def _plain(word: str) -> str:
    """The one name of an argument that has several, in every library."""
    return KEYWORDS.get(word, word)
