"""Every refusal of a submission, as it is shown: one snapshot for each family.

When a message changes on purpose: `pytest FILE --snapshot-update` for this file.
"""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

from gradcli.diagnostics.error import GradcliError, Kind, render
from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import make_task
from gradcli.grading.submission.read import read_submission
from gradcli.grading.submission.types import Vocabulary
from gradcli.program import Program

TASK = Vocabulary(("x", "y", "W"), ("x", "y", "W", "a", "b", "dx", "fdx", "f"), "f")

CODE = make_task(Program("#: x = [1, 2]\n#: y = 3\n#: W = [[1, 2], [3, 4]]\nsum(W @ x)*y"))


def _notebook(*cells: object) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4})


SUBMISSIONS = {
    ("not Python", "a.py"): [
        "x = 1\nfor i in range(3)\n    x = x + i",
        "else: y = 2",
        "x = 1\n  y = 2",
        "a, b = (c = 3), 2",
        "x = 3 +",
        "x = (3",
        "x y",
        "∂f = 3",
        'x = "abc',
        "'''abc",
        'print("a"',
        "def f(x) return x",
        "f = lambda x",
        "block f(x) = x",
    ],
    ("statements", "a.py"): [
        "dx = undefined",
        "dx = foo(3)",
        "dx = np.foo(x)",
        "dx = y['a b']",
        "dx = x + 'a'",
        "a, b = 1, 2, 3",
        "def f(x):\n    return g(x)\ndx = f(x)",
        "dx = 9**9**9**9 + undefined",
        "async def f(x): return x\ndx = f(x)",
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
        'a,"1,500"',
        "a;1,500\nb;0.5",
        "a,2*x",
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
            {"cell_type": "code", "source": "c = 3\nfor i in c d"},
        ),
    ],
    ("sheets", "a.txt"): [
        "Forward pass   x = 3\na = sigmoid(y)\n",
        "Forward pass   x = 3\na = sigmoid(y) = 3,500  (1)\n",
        "Forward pass   x = 3\nq = sigmoid(y) = 3.5  (1)\n",
        "Forward pass\nthe a = sigmoid(y) = 3.5  (1)\n",
        "Forward pass\na = sigmoid(y) = 3  (1)\na = sigmoid(y) = 4  (1)\n",
        "step  node  operation  value\n(1)   a     3\n",
    ],
    ("files", "a.txt"): ["", " \n", "x = 1\0", "%PDF-1.4", "PK\x03\x04", "x = " + "1" * 300_000],
}


def handed_in(content: bytes, name: str) -> None:
    if name in ("a.py", "a.ipynb"):
        graded(CODE, content, name, Scheme(), NEVER)
    else:
        read_submission(content, name, TASK)


@pytest.mark.parametrize("family", list(SUBMISSIONS), ids=lambda family: family[0])
def test_refusals(family: tuple[str, str], snapshot: SnapshotAssertion) -> None:
    shown = []
    for text in SUBMISSIONS[family]:
        with pytest.raises(GradcliError) as caught:
            handed_in(text.encode(), family[1])
        error = caught.value
        assert error.kind is Kind.SUBMISSION
        assert error.exit_code == 5
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
