"""Every refusal of a submission, as it is shown: one snapshot for each family.

When a message changes on purpose: `pytest tests/test_homework_reading_errors.py --snapshot-update`.
"""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

from gradcli.diagnostics.error import GradcliError, Kind, render
from gradcli.grading.submission.read import read_submission
from gradcli.grading.submission.types import Vocabulary

TASK = Vocabulary(("x", "y", "W"), ("x", "y", "W", "a", "b", "dx", "fdx", "f"), "f")


def _notebook(*cells: object) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4})


SUBMISSIONS = {
    ("blocks", "a.py"): [
        "x = 1\nfor i in range(3):\n    x = x + i",
        "while x: x = 1",
        "if x: y = 2",
        "else: y = 2",
        "with a as b: c",
        "try:\n  x = 1",
        "class A:\n  x = 1",
        "async def f(x): return x",
        "match x:\n  case 1: y",
        "@jit\ndef f(x): return x",
        "x = 1\n  y = 2",
    ],
    ("statements", "a.py"): [
        "del x",
        "global x",
        "raise x",
        "yield x",
        "await x",
        "return x",
        "*a, b = c",
        "a, *b = c",
        "a, b[0] = c",
        "a = b = 1, 2",
        "a, b = (c = 3), 2",
        "a, b = {'c': 3}",
        "x -= 0.1 * delta_x",
        "x *= 2",
        "x //= 2",
        "W[0] = 3",
        "self.x = 3",
        "block f(x) = x",
    ],
    ("expressions", "a.py"): [
        "x = 1 if y else 2",
        "x = [i for i in y]",
        "x = g(lambda t: t)",
        "x = (y := 3)",
        'x = "s"',
        'x = f"{y}"',
        "x = {1: 2}",
        "x = {'a': {'b': 2}}",
        "x = {**y}",
        "x = y['a b']",
        "x = y + {'a': 2}",
        "x = a and b",
        "x = not b",
        "x = print(3)",
        "x = y.ndim",
        "x = y.grad.foo",
        "x = np.random.randn(3)",
        "x = 3 +",
        "x = (3",
        "x y",
        "∂f = 3",
        "ᚷ = 3",
        "x = np.array([1.5], dtype=int)",
        "x = np.array([1], dtype=complex)",
        "x = np.array()",
        "x = y.copy(1, 2)",
    ],
    ("calls and strings", "a.py"): [
        "x.backward()",
        "plt.plot(x, 'r-')",
        "np.exp(x)",
        "x + foo(3)",
        'x = "abc',
        "'''abc",
        'print("a"',
        "print('a').b",
    ],
    ("functions", "a.py"): [
        "def f(x):\n    y = x\n    for i in y: x\n    return y",
        "def f(x):\n    def g(y):\n        return y\n    return g(x)",
        "def f(x):\n    y = 2\n      z = 3\n    return z",
        "def f(x):\n    return x\n    return 2*x",
        "def f(x):\n    '''only words'''",
        "def f(x=3): return x",
        "def f(*x): return x",
        "def f(x) return x",
        "def f(x): return x, (x, {'a': x})",
        "def f(x): return {x: 3}",
        "f = lambda: 3",
        "f = lambda x, y=3: x",
        "f = lambda x",
        "lambda x: x",
    ],
    ("tables", "a.csv"): [
        "a,1\n\ndelta_z,3",
        "delta_aa,3",
        "z,3",
        "y,1\nb,2\ndelta_y,2",
        "dx,3",
        "dfdx,3",
        "a,abc",
        "a,1,5",
        "a,1,2,3",
        "a;1,5",
        "a,2*3",
        "a",
        'a,"3',
        "W,[[1, 2], [3]]",
        "W,[1, [2]]",
        "W,[1, 2",
        "W,[1,,2]",
        "W,[1] 2",
        "W[0, 0],1\nW[1, 1],2",
        "W[0, 0],1\nW[0],2",
        "W[0],1\nW[0],2",
        "W[0],[1, 2]",
        "W,[1, 2]\nW[0],2",
        "x<-q,3",
        "x<-a<-b,3",
    ],
    ("JSON", "a.json"): [
        "[1, 2]",
        '{"a": 1',
        '{"a": 1,\n "delta_z": 2}',
        '{"y": 1,\n "dy": 2}',
        '{"a": true}',
        '{"a": {"b": 1}}',
        '{"a": [{"b": 1}]}',
        '{"W": [[1, 2], [3]]}',
        '{"W": []}',
        "[" * 100,
    ],
    ("notebooks", "a.ipynb"): [
        "not JSON",
        "[]",
        '{"cells": 3}',
        _notebook(3),
        _notebook({"cell_type": "code", "source": 3}),
        _notebook({"cell_type": "markdown", "source": "a"}),
        _notebook(
            {"cell_type": "code", "source": ["a = 1\n", "b = 2\n"]},
            {"cell_type": "code", "source": "c = 3\nfor i in c: d"},
        ),
    ],
    ("sheets", "a.txt"): [
        "Forward pass   x = 3\na = sigmoid(y)\n",
        "Forward pass   x = 3\na = sigmoid(y) = 3,5  (1)\n",
        "Forward pass   x = 3\nq = sigmoid(y) = 3.5  (1)\n",
        "Forward pass\nthe a = sigmoid(y) = 3.5  (1)\n",
        "Forward pass\na = sigmoid(y) = 3  (1)\na = sigmoid(y) = 4  (1)\n",
        "step  node  operation  value\n(1)   a     3\n",
    ],
    ("files", "a.txt"): ["", " \n", "x = 1\0", "%PDF-1.4", "PK\x03\x04", "x = " + "1" * 300_000],
}


@pytest.mark.parametrize("family", list(SUBMISSIONS), ids=lambda family: family[0])
def test_refusals(family: tuple[str, str], snapshot: SnapshotAssertion) -> None:
    shown = []
    for text in SUBMISSIONS[family]:
        with pytest.raises(GradcliError) as caught:
            read_submission(text.encode(), family[1], TASK)
        error = caught.value
        assert error.kind is Kind.SUBMISSION
        assert error.exit_code == 5
        assert not set("ᚷᚦᛋᛁ") & set(error.message + (error.hint or "")) or "ᚷ" in text
        shown.append(render(error))
    assert "\n\n".join(shown) == snapshot


def test_bytes_that_are_no_text(snapshot: SnapshotAssertion) -> None:
    contents = [b"x = \xff\xfe", "δ = 1".encode("latin-1", "replace") + b"\xe9", b"\xff\xfex"]
    shown = []
    for content in [*contents, b"\xff\xfe\0\0x\0\0\0", b"\x89PNG\r\n", b"x" * 2_000_001]:
        with pytest.raises(GradcliError) as caught:
            read_submission(content, "a.py", TASK)
        shown.append(render(caught.value))
    assert "\n\n".join(shown) == snapshot
