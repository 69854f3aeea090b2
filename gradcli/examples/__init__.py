"""Ready programs: each a file beside this one, with its title and its inputs' values on top.

They are found wherever the package is, in a folder or in an archive. `gradcli examples` lists,
shows and runs them, and docs/examples.md is made from them.
"""

from __future__ import annotations

from importlib.resources import files

ORDER = (
    "kamper",
    "network",
    "product",
    "neuron",
    "gates",
    "recurrent",
    "residual",
    "softmax",
    "batchnorm",
    "challenger",
    "rosenbrock",
)
"""From the first that somebody should look at to the last. A test compares it with the folder."""


def text(name: str) -> str:
    """The program with its header. Raises `KeyError` if there is no example of that name."""
    if name not in ORDER:
        raise KeyError(name)
    return files("gradcli.examples").joinpath(f"{name}.grad").read_text("utf-8")


def title(name: str) -> str:
    """What the example is, in one line. Raises `KeyError`."""
    first, _, _ = text(name).partition("\n")
    return first.removeprefix("#: title ")
