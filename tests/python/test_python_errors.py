"""Errors in Python text: of every kind one, underlined in the text as it was given."""

from __future__ import annotations

from typing import Any

import pytest

from gradcli.diagnostics.error import GradcliError, Kind, render
from gradcli.program import Program

ERRORS = {
    "syntax": "def f(x):\n    return (x +\n",
    "syntax: not read": "def f(x):\n    async def g(): pass\n    return g()",
    "syntax: returns no number": "def f(x):\n    return {'a': x}",
    "syntax: too much": "def f(x):\n    return x * len(list(range(10**9)))",
    "syntax: too large": "def f(x):\n    y = np.zeros(10**9)\n    return y.sum() * x",
    "syntax: too deep": "def f(x):\n    return f(x)",
    "syntax: no generator left": (
        "def f(x):\n    g = iter(x)\n    return [next(g) for i in range(9)]"
    ),
    "syntax: the text raises": (
        "def f(x):\n    if len(x) > 2:\n        raise ValueError('long')\n    return x"
    ),
    "name: bare function": "def f(x):\n    return np.sum(sin(x))",
    "name: slip": "def f(x):\n    total = x * 2\n    return totl.sum()",
    "name: of a library": "def f(x):\n    return np.tahn(x)",
    "name: refused": "def f(x):\n    return eval('x')",
    "name: attribute": "class A: pass\ndef f(x):\n    return A().weight * x",
    "binding": "def f(x, rate):\n    return x * rate",
    "shape: product": "def f(x):\n    return np.ones((2, 2)) @ x",
    "shape: sum": "def f(x):\n    return x + np.ones(2)",
    "shape: index": "def f(x):\n    return x[7]",
    "shape: unpacked": "def f(x):\n    a, b = x\n    return a * b",
    "domain": "def f(x):\n    return np.log(-x).sum()",
    "domain: Python's own": "def f(x):\n    scale = 1 / 0\n    return x.sum() * scale",
    "overflow": "def f(x):\n    return np.exp(x * 1000).sum()",
    "singular": "def f(x):\n    return np.linalg.inv(np.outer(x, x)).sum()",
    "edge": "def f(x):\n    return np.sqrt(x - x).sum()",
}


@pytest.mark.parametrize("name", ERRORS)
def test_is_drawn_in_the_text(name: str, snapshot: Any) -> None:
    with pytest.raises(GradcliError) as caught:
        Program(ERRORS[name], name="f.py").evaluate(x=[1.0, 2.0, 3.0], check=False)
    assert caught.value.kind is Kind(name.partition(":")[0])
    assert caught.value.span is not None
    text = render(caught.value, 100)
    assert text == snapshot
