"""Deltas in loops: each turn is a step of its own, and a mistake in a loop is one mistake."""

from __future__ import annotations

import json
from textwrap import dedent

import numpy as np
import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import Task, make_task
from gradcli.program import Program

ACTIVATIONS = {
    "tanh": ("np.tanh(z)", "1 - {a}**2", "1 - {a}"),
    "sigmoid": ("1/(1 + np.exp(-z))", "{a}*(1 - {a})", "{a}*(1 + {a})"),
    "sin": ("np.sin(z)", "np.cos({z})", "np.sin({z})"),
    "exp": ("np.exp(z)", "{a}", "{z}"),
}
"""By the name in the language: in NumPy, its derivative, a wrong one."""


def network(layers: int, name: str, seed: int) -> Task:
    """A chain of layers, two numbers wide, at a random point."""
    draw = np.random.default_rng(seed)
    lines = [f"#: h0 = {np.round(draw.normal(size=2), 2).tolist()}"]
    lines += [f"#: W{i} = {np.round(draw.normal(size=(2, 2)), 2).tolist()}" for i in range(layers)]
    for i in range(layers):
        lines += [f"z{i + 1} = W{i} @ h{i}", f"h{i + 1} = {name}(z{i + 1})"]
    return make_task(Program("\n".join([*lines, f"L = sum(h{layers}^2)"])))


def in_a_loop(layers: int, name: str, local: str) -> str:
    """Both passes as loops over the layers."""
    weights = ", ".join(f"W{i}" for i in range(layers))
    local = local.format(a="hs[l + 1]", z="zs[l + 1]")
    return dedent(f"""\
        Ws, h, hs, zs = [{weights}], h0, [h0], [None]
        for l in range({layers}):
            z = Ws[l] @ h
            h = {ACTIVATIONS[name][0]}
            zs.append(z)
            hs.append(h)
        L = np.sum(h**2)
        dh = 2*h
        dWs = {{}}
        for l in reversed(range({layers})):
            dz = dh * ({local})
            dWs["W" + str(l)] = np.outer(dz, hs[l])
            dh = Ws[l].T @ dz
        dh0 = dh
        """) + "".join(f"dW{i} = dWs['W{i}']\n" for i in range(layers))


def marked(task: Task, text: str, name: str = "a.py") -> Marked:
    return graded(task, text.encode(), name, Scheme(), NEVER)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_a_network_as_a_loop_over_its_layers(layers: int, name: str) -> None:
    task = network(layers, name, layers)
    _, right, wrong = ACTIVATIONS[name]
    found = marked(task, in_a_loop(layers, name, right))
    assert (found.right, found.score) == (True, layers + 1)
    assert [row.turn for row in found.rows if row.name == "z"] == [
        f"l = {l}" for l in reversed(range(layers))
    ]
    found = marked(task, in_a_loop(layers, name, wrong))
    (root,) = found.roots
    assert root.text.startswith("dz = ")
    assert (root.line, root.turn) == (11, f"l = {layers - 1}")
    assert found.max_score - found.score == 1
    others = {row.status for row in found.rows if row is not root}
    assert others <= {Status.OK, Status.CARRIED}


def test_the_turn_is_said() -> None:
    task = network(2, "tanh", 0)
    text = in_a_loop(2, "tanh", "1 - {a}")
    words = ("grade", task.program.source.text, "-")
    environment = Environment.captured(stdin=text.encode())
    assert run(words, environment) == 4
    assert environment.written()[0].startswith("line 11, l = 1   dz = dh * (1 - hs[l + 1])")
    environment = Environment.captured(stdin=text.encode())
    assert run((*words, "--json"), environment) == 4
    rows = json.loads(environment.written()[0])["rows"]
    assert {row["turn"] for row in rows if "turn" in row} == {"l = 1", "l = 0"}


@pytest.mark.parametrize(
    ("text", "tag", "line"),
    [
        ("dw2 = g\nw2 -= 0.5*dw2\ndg = w2", "updated-weights", 6),
        ("dw2 = g\nw2 = w2 - 0.5*dw2\ndg = w2", "updated-weights", 6),
        ("dw2 = g\nw2 -= 0.5*dw2\ng = np.tanh(w1*x)\nf = w2*g\ndg = w2", "", None),
        ("for i in range(100):\n    dw2 = g\n    dg = w2\n    w2 -= 0.5*dw2", "", None),
        ("for i in range(100):\n    dw2 = g\n    w2 -= 0.5*dw2\n    dg = w2", "updated-weights", 7),
    ],
)
def test_a_step_of_descent_ends_the_backward_pass(text: str, tag: str, line: int | None) -> None:
    task = make_task(
        Program("#: w1 = 0.7\n#: w2 = -1.1\n#: x = 0.5\nh = w1*x\ng = tanh(h)\nf = w2*g")
    )
    before, after = (
        "h = w1*x\ng = np.tanh(h)\nf = w2*g\n",
        "dh = dg*(1 - g**2)\ndw1, dx = dh*x, dh*w1\n",
    )
    found = marked(task, f"{before}{text}\n{after}")
    assert [(row.tags, row.line) for row in found.roots] == ([((tag,), line)] if tag else [])


def test_an_index_that_is_off_by_one() -> None:
    task = network(3, "tanh", 5)
    (root,) = marked(task, in_a_loop(3, "tanh", "1 - hs[l]**2")).roots
    assert root.line == 11
    assert "wrong-place" in root.tags


def test_what_is_passed_over_is_said() -> None:
    task = make_task(Program("#: x = 3\n#: y = -4\nx^2*y"))
    found = marked(task, "x = 5\nprint(x)\nplt.plot(x)\nfoo(x)\ndx, dy = 2*x*y, x**2\n")
    assert found.right
    assert [(note.tag, note.line) for note in found.notes] == [
        ("other-point", 1),
        ("passed-over", 4),
    ]
