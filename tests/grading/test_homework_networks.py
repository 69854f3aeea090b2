"""Networks as students write them: layers, dictionaries, shared weights; what mistakes do there."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, MarkedRow, Status
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_submission
from gradcli.program import Program

NETWORK = make_task(
    Program(
        """\
#: X = [[0.5, -1.2, 0.3], [1.1, 0.4, -0.7]]
#: W1 = [[0.2, -0.4], [0.7, 0.1], [-0.3, 0.5]]
#: b1 = [[0.1], [-0.2], [0.05]]
#: W2 = [[0.6, -0.1, 0.8]]
#: b2 = [[0.3]]
#: Y = [[1, 0, 1]]
Z1 = W1 @ X + b1
A1 = tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = mean((A2 - Y)^2)
"""
    ),
    wrt=("W1", "b1", "W2", "b2"),
)
RECURRENT = make_task(
    Program(
        """\
#: x1 = [0.5, -1]
#: x2 = [1.5, 0.3]
#: h0 = [0.1, -0.2, 0.4]
#: Wx = [[0.2, -0.4], [0.7, 0.1], [-0.3, 0.5]]
#: Wh = [[0.1, 0.4, -0.2], [-0.6, 0.3, 0.2], [0.5, -0.1, 0.7]]
#: b = [0.1, 0, -0.3]
#: v = [1, -0.5, 0.25]
#: t = 0.4
h1 = tanh(Wx @ x1 + Wh @ h0 + b)
h2 = tanh(Wx @ x2 + Wh @ h1 + b)
y = v @ h2
L = (y - t)^2
"""
    ),
    wrt=("Wx", "Wh", "b"),
)


def marked(task: Task, text: str, name: str = "a.py") -> Marked:
    return mark(task, read_submission(dedent(text).encode(), name, task.vocabulary))


def root(found: Marked) -> MarkedRow:
    (row,) = found.roots
    return row


# --- networks ----------------------------------------------------------------------------

LAYERS = """\
def sigmoid(Z):
    A = 1/(1 + np.exp(-Z))
    cache = Z
    return A, cache

def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    cache = (A, W, b)
    return Z, cache

def sigmoid_backward(dA, cache):
    Z = cache
    s = 1/(1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ

def tanh_backward(dA, cache):
    return dA * (1 - np.tanh(cache)**2)

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db

Z1, lin1 = linear_forward(X, W1, b1)
A1 = np.tanh(Z1)
Z2, lin2 = linear_forward(A1, W2, b2)
A2, act2 = sigmoid(Z2)
J = np.mean((A2 - Y)**2)
grads = {}
dA2 = 2*(A2 - Y)/Y.shape[1]
dZ2 = sigmoid_backward(dA2, act2)
dA1, grads["dW2"], grads["db2"] = linear_backward(dZ2, lin2)
dZ1 = tanh_backward(dA1, Z1)
_, grads["dW1"], grads["db1"] = linear_backward(dZ1, lin1)
"""

PROPAGATION = """\
def forward_propagation(X, parameters):
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = 1/(1 + np.exp(-Z2))
    assert A2.shape == (1, X.shape[1])
    cache = {"Z1": Z1,
             "A1": A1,
             "Z2": Z2,
             "A2": A2}
    return A2, cache

def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = 2/m*(A2 - Y)*A2*(1 - A2)
    dW2 = np.dot(dZ2, A1.T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2)*(1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
"""
CALLS = """\
parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
A2, cache = forward_propagation(X, parameters)
cost = np.mean((A2 - Y)**2)
grads = backward_propagation(parameters, cache, X, Y)
"""


@pytest.mark.parametrize("text", [LAYERS, PROPAGATION, PROPAGATION + CALLS])
def test_a_network_in_functions_and_dictionaries(text: str) -> None:
    found = marked(NETWORK, text)
    assert found.right
    assert {"W1", "b1", "W2", "b2", "Z1", "Z2"} <= {row.name for row in found.rows}


@pytest.mark.parametrize(
    ("right", "wrong", "row", "tags"),
    [
        ("dZ2 = sigmoid_backward(dA2, act2)", "dZ2 = dA2", "Z2", ("missing-local",)),
        ("dZ1 = tanh_backward(dA1, Z1)", "dZ1 = tanh_backward(dA1, A1)", "Z1", ("wrong-place",)),
    ],
)
def test_a_mistake_between_layers(right: str, wrong: str, row: str, tags: tuple[str]) -> None:
    found = root(marked(NETWORK, LAYERS.replace(right, wrong)))
    assert (found.name, found.tags) == (row, tags)
    assert found.line == LAYERS[: LAYERS.index(right)].count("\n") + 1


def test_a_mistake_in_a_function_that_is_called_twice() -> None:
    text = LAYERS.replace("db = np.sum(dZ, axis=1, keepdims=True)", "db = dZ")
    found = marked(NETWORK, text)
    assert [(r.name, r.tags) for r in found.roots] == [
        ("b1", ("not-summed",)),
        ("b2", ("not-summed",)),
    ]


def test_parameters_and_gradients_in_dictionaries() -> None:
    text = """\
    p = {}
    p["W1"] = np.array([[0.2, -0.4], [0.7, 0.1], [-0.3, 0.5]])
    p['b1'], p["W2"], p["b2"] = b1, np.copy(W2), b2
    c = {"Z1": p["W1"] @ X + p["b1"]}
    c["A1"] = np.tanh(c["Z1"])
    c["Z2"] = p["W2"] @ c["A1"] + p["b2"]
    c["A2"] = 1/(1 + np.exp(-c["Z2"]))
    J = np.mean((c["A2"] - Y)**2)
    grads = {"A2": 2*(c["A2"] - Y)/3}
    grads["Z2"] = grads["A2"]*c["A2"]*(1 - c["A2"])
    grads["W2"] = grads["Z2"] @ c["A1"].T
    grads["b2"] = grads["Z2"].sum(axis=1, keepdims=True)
    grads["A1"] = p["W2"].T @ grads["Z2"]
    grads["Z1"] = grads["A1"]
    grads["W1"] = grads["Z1"] @ X.T
    grads["b1"] = grads["Z1"].sum(axis=1, keepdims=True)
    p["W1"] = p["W1"] - 0.1*grads["W1"]
    """
    found = root(marked(NETWORK, text))
    assert (found.name, found.tags, found.follow) == ("Z1", ("missing-local",), 2)
    assert found.text == 'grads["Z1"] = grads["A1"]'


STEPS = """\
z1 = Wx @ x1 + Wh @ h0 + b
h1 = np.tanh(z1)
z2 = Wx @ x2 + Wh @ h1 + b
h2 = np.tanh(z2)
y = v @ h2
L = (y - t)**2
dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
dy = 2*(y - t)
dh2 = dy*v
dz2 = dh2*(1 - h2**2)
dWx += np.outer(dz2, x2)
dWh += np.outer(dz2, h1)
db += dz2
dh1 = Wh.T @ dz2
dz1 = dh1*(1 - h1**2)
dWx += np.outer(dz1, x1)
dWh += np.outer(dz1, h0)
db += dz1
"""


@pytest.mark.parametrize(
    ("right", "wrong", "row", "tags", "said"),
    [
        ("dWh += np.outer(dz1, h0)", "dWh = np.outer(dz1, h0)", "Wh", ("overwritten",), "z2"),
        ("db += dz1\n", "", "b", ("dropped-path",), "what z1 sends is missing"),
        ("np.outer(dz2, h1)", "np.outer(dz2, h2)", "Wh", (), "h2 stands where h1 belongs."),
        ("np.outer(dz2, h1)", "np.outer(h1, dz2)", "Wh", ("transpose",), ""),
        ("dh1 = Wh.T", "dh1 = Wx.T", "h1", ("shape",), "Wx stands where Wh belongs."),
        ("dh1 = Wh.T @ dz2", "dh1 = Wh.T @ dh2", "h1", ("missing-local",), "delta_h2 is taken"),
        ("dz1 = dh1*(1 - h1**2)", "dz1 = dh1", "z1", ("missing-local",), "delta_h1 is passed on"),
    ],
)
def test_a_recurrent_network(
    right: str, wrong: str, row: str, tags: tuple[str, ...], said: str
) -> None:
    assert marked(RECURRENT, STEPS).right
    assert not marked(RECURRENT, STEPS).notes
    found = root(marked(RECURRENT, STEPS.replace(right, wrong)))
    assert (found.name, found.tags) == (row, tags)
    assert said in found.message


def test_shared_weights_through_functions_of_a_step() -> None:
    text = """\
    def step(x, h):
        z = Wx @ x + Wh @ h + b
        return np.tanh(z)
    def back(dh, h, x, before):
        dz = dh*(1 - h**2)
        return np.outer(dz, x), np.outer(dz, before), dz, Wh.T @ dz
    h1 = step(x1, h0)
    h2 = step(x2, h1)
    y = v @ h2
    L = (y - t)**2
    dy = 2*(y - t)
    dh2 = dy*v
    gx2, gh2, gb2, dh1 = back(dh2, h2, x2, h1)
    gx1, gh1, gb1, _ = back(dh1, h1, x1, h0)
    dWx = gx1 + gx2
    dWh = gh1
    db = gb1 + gb2
    """
    found = root(marked(RECURRENT, text))
    assert (found.name, found.tags) == ("Wh", ("dropped-path",))


# --- what a skipped or wrong row does to others ------------------------------------------

FLAT = """\
Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = 1/(1 + np.exp(-Z2))
J = np.mean((A2 - Y)**2)
dA2 = 2*(A2 - Y)/3
dZ2 = dA2*A2*(1 - A2)
dW2 = dZ2 @ A1.T
db2 = dZ2.sum(axis=1, keepdims=True)
dA1 = W2.T @ dZ2
dZ1 = dA1*(1 - A1**2)
dW1 = dZ1 @ X.T
db1 = dZ1.sum(axis=1, keepdims=True)
"""


def test_a_stage_that_is_skipped_costs_once() -> None:
    skipped = FLAT.replace("dZ1 = dA1*(1 - A1**2)\n", "").replace("dZ1", "dA1")
    found = root(marked(NETWORK, skipped))
    assert (found.name, found.tags) == ("W1", ("missing-local",))
    assert "the derivative of A1 by Z1 is left out" in found.message
    once = root(marked(NETWORK, FLAT.replace("dW1 = dZ1", "dW1 = dA1")))
    assert (once.name, once.tags) == ("W1", ("missing-local",))


def test_the_derivative_of_a_function_within_a_statement_is_left_out() -> None:
    text = """\
    h = np.tanh(W1 @ X + b1)
    p = 1/(1 + np.exp(-(W2 @ h + b2)))
    J = np.mean((p - Y)**2)
    dp = 2*(p - Y)/3
    ds = dp*p*(1 - p)
    dW2 = ds @ h.T
    db2 = ds.sum(axis=1, keepdims=True)
    dh = W2.T @ ds
    dW1 = dh @ X.T
    db1 = (dh*(1 - h**2)).sum(axis=1, keepdims=True)
    """
    found = root(marked(NETWORK, text))
    assert (found.name, found.tags) == ("W1", ("missing-local",))
    assert found.message == "the derivative of tanh in h is left out."


def test_a_line_that_reads_a_wrong_row_is_right_work() -> None:
    task = make_task(NETWORK.program, wrt=("W2", "Y"))
    text = FLAT.replace("2*(A2 - Y)/3", "2*(A2 - Y)") + "dY = -dA2\n"
    found = marked(task, text)
    assert (root(found).name, root(found).tags) == ("A2", ("mean-for-sum", "factor"))
    assert [row.status for row in found.rows if row.name == "Y"] == [Status.CARRIED]
    again = marked(task, text.replace("dY = -dA2", "dY = dA2"))
    assert [row.name for row in again.roots] == ["A2", "Y"]


def test_a_gradient_of_a_wrong_shape_spoils_no_others() -> None:
    found = root(marked(NETWORK, FLAT.replace("dA1 = W2.T @ dZ2", "dA1 = dZ2.sum(axis=1)")))
    assert (found.name, found.tags) == ("A1", ("shape",))


@pytest.mark.parametrize(
    ("right", "wrong", "tags", "said"),
    [
        ("dW2 = dZ2 @ A1.T", "dW2 = dZ2 @ Z1.T", (), "Z1 stands where A1 belongs."),
        ("dW1 = dZ1 @ X.T", "dW1 = dZ1 @ A1.T", ("shape",), "A1 stands where X belongs."),
        ("(axis=1, keepdims=True)\ndA1", "(axis=1)\ndA1", ("shape",), "(1, 1); here it is (1,)"),
        ("dW1 = dZ1 @ X.T", "dW1 = dZ1 @ X.T/3", ("mean-for-sum", "factor"), "a mean where"),
        ("dA1 = W2.T @ dZ2", "dA1 = 2*W2.T @ dZ2", ("factor",), "a constant factor"),
    ],
)
def test_what_is_said_of_a_row(right: str, wrong: str, tags: tuple[str, ...], said: str) -> None:
    assert marked(NETWORK, FLAT).right
    found = root(marked(NETWORK, FLAT.replace(right, wrong)))
    assert found.tags == tags
    assert said in found.message
    assert "Or:" not in found.message


def test_the_marks_are_those_of_the_same_lines_without_functions() -> None:
    flat = marked(NETWORK, FLAT)
    inside = marked(NETWORK, LAYERS)
    for one, other in zip(flat.rows, inside.rows, strict=True):
        assert (one.name, one.kind, one.status) == (other.name, other.kind, other.status)
        np.testing.assert_allclose(one.submitted, other.submitted, rtol=1e-12)


def test_a_mean_that_is_forgotten_is_told_of_the_first_row() -> None:
    """Also where the row of the mean itself was not handed in."""
    text = FLAT.replace("dA2 = 2*(A2 - Y)/3\n", "").replace("dZ2 = dA2", "dZ2 = 2*(A2 - Y)")
    found = root(marked(NETWORK, text))
    assert (found.name, found.tags) == ("Z2", ("mean-for-sum", "factor"))
    known = (*NETWORK.named, *NETWORK.vocabulary.inputs)
    deltas = {n: 3 * v for n, v in NETWORK.flow.passes({})[0].items() if n in known}
    deltas = {f"delta_{name}": value for name, value in deltas.items()}
    row = marked(NETWORK, table(NETWORK, 6, **deltas), "a.csv").roots[0]
    assert (row.name, row.tags) == ("A2", ("mean-for-sum", "factor"))


# --- tables of numbers -------------------------------------------------------------------


def table(task: Task, decimals: int, **changed: object) -> str:
    """All that the task names, rounded; some of it changed."""
    named = [*task.named, task.output]
    rows = {name: task.flow.values[name] for name in named}
    deltas = task.flow.passes({})[0]
    rows |= {f"delta_{n}": v for n, v in deltas.items() if n in (*named, *task.vocabulary.inputs)}
    rows |= changed
    lines = [f'{name},"{np.round(value, decimals).tolist()}"' for name, value in rows.items()]
    return "\n".join(["name,value", *lines])


def test_small_elements_of_a_rounded_array_are_right() -> None:
    """Four decimals are four decimals, also for an element of 0.0011."""
    for task in (NETWORK, RECURRENT):
        found = marked(task, table(task, 4), "a.csv")
        assert found.right, str(found)
    slipped = NETWORK.flow.values["Z1"] * 0.7
    follows = NETWORK.flow.with_values({"Z1": slipped})
    known = (*NETWORK.named, *NETWORK.vocabulary.inputs)
    deltas = {f"delta_{n}": v for n, v in follows.passes({})[0].items() if n in known}
    values = {name: follows.values[name] for name in (*NETWORK.named, "J")}
    row = root(marked(NETWORK, table(NETWORK, 4, **values, **deltas), "a.csv"))
    assert (row.name, row.tags) == ("Z1", ("forward-slip",))


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("[1.25, 0.01]", True),
        ("[1.25, 0.0]", True),  # as Python writes what was rounded to 0.00
        ("[1.25, 0.02]", False),
        ("[1.2, 0.01]", False),  # one of two digits alone is too few
        ("[1.25, 0.1]", False),
    ],
)
def test_decimals_of_an_array(written: str, right: bool) -> None:  # noqa: FBT001
    task = make_task(Program("#: x = [1, 2]\n#: c = [1.2502, 0.00501]\nsum(c*x)"), wrt=("x",))
    assert marked(task, f'x,"{written}"', "a.csv").right is right


def test_few_digits_accuse_nobody_of_a_mistake() -> None:
    found = marked(RECURRENT, table(RECURRENT, 2), "a.csv")
    assert found.roots
    for row in found.roots:
        assert row.tags == ()
        assert "too few digits" in row.message


def test_paths_are_told_by_the_statements_of_the_task() -> None:
    first = RECURRENT.flow.passes({})[1]["Wh"][0].value
    row = root(marked(RECURRENT, table(RECURRENT, 6, delta_Wh=first), "a.csv"))
    assert row.tags == ("overwritten", "dropped-path")
    assert row.message.startswith("Wh feeds h1 and h2; this line replaces what h1 had sent.")
