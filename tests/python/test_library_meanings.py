"""A library's name means what it means there, in programs of the language and in Python alike.

The numbers are the libraries' own, in data/libraries.json; data/make_libraries.py writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradcli import GradcliError, Program

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

DATA = json.loads((Path(__file__).parents[1] / "data" / "libraries.json").read_text("utf-8"))
POINT = {name: np.array(v, dtype=float) for name, v in DATA.pop("point").items()}
IMPORTS = """
import numpy as np, scipy, torch, jax, scipy.special, scipy.linalg
import jax.numpy as jnp, torch.nn.functional as F, tensorflow as tf
"""
OF_VECTORS = re.compile(r"(np|jnp|torch)\.(transpose|t|matrix_transpose)\(v\b")
"""The transpose of a vector is a row in the language."""
SINGLE = re.compile(r"F\.hard(sigmoid|swish)")
"""PyTorch has the constants of these in single precision."""


def in_the_language(text: str) -> Any:
    """The value of a program."""
    program = Program(text)
    given = {name: POINT[name] for name in program.names.inputs(POINT)}
    return program.evaluate(given, check=False, gradient=False).value


def in_python(text: str) -> Any:
    """The value of a function in Python."""
    names = [n for n in POINT if re.search(rf"(?<![\w.'=]){n}\b|={n}\b", text)] or ["v"]
    program = Program(f"{IMPORTS}\ndef f({', '.join(names)}):\n    return {text}", function="f")
    return program.evaluate({n: POINT[n] for n in names}, check=False, gradient=False).value


@pytest.mark.parametrize("module", DATA)
@pytest.mark.parametrize("road", [in_the_language, in_python], ids=["language", "python"])
def test_the_librarys_value_or_a_refusal(
    module: str, road: Callable[[str], Any], snapshot: SnapshotAssertion
) -> None:
    """And which functions are never read is known."""
    wrong, read, asked = [], set(), set()
    for text, wanted in DATA[module]:
        if road is in_the_language and OF_VECTORS.match(text):
            continue
        name = text.partition("(")[0]
        asked.add(name)
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(road(text), dtype=float)
        except GradcliError as refused:
            assert refused.span is not None, text
            continue
        read.add(name)
        close = 1e-6 if SINGLE.match(text) else 1e-9
        true = np.asarray(wanted, dtype=float)
        if value.shape != true.shape or not np.allclose(value, true, rtol=close, atol=1e-11):
            wrong.append((text, value, wanted))
    assert not wrong
    assert " ".join(sorted(asked - read)) == snapshot
