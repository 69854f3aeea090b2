"""Right code that is written in other ways, and what one line costs: each way of a real course."""

from __future__ import annotations

import pytest

from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import make_task
from gradcli.program import Program

TASKS = {
    "one weight": """#: w = 0.5
#: x = 1.5
#: wrt w
a = tanh(w*x)
L = a^2
""",
    "logistic regression": """#: X = [[0.5, -1.2], [1.1, 0.4], [-0.6, 0.9]]
#: Y = [1, 0, 1]
#: w = [0.2, -0.4]
#: b = 0.3
#: wrt w, b
z = X @ w + b
p = sigmoid(z)
J = -mean(Y*log(p) + (1 - Y)*log(1 - p))
""",
    "least squares": """#: X = [[0.5, -1.2], [1.1, 0.4], [-0.6, 0.9]]
#: Y = [1, 0, 1]
#: w = [0.2, -0.4]
#: b = 0.3
#: wrt w, b
z = X @ w + b
L = mean((z - Y)^2)
""",
    "two weights": """#: w1 = 0.5
#: w2 = -0.7
#: x = 1.5
#: wrt w1, w2
h = tanh(w1*x)
o = w2*h
J = (o - 1)^2/2
""",
    "tutorial": """#: x = 3
#: y = -4
f = (x + sigmoid(y)) / (x^2 + y)
""",
}
RIGHT = {
    "a name of the output": (
        "least squares",
        """L = len(Y)
e = X @ w + b - Y
dw = 2*X.T @ e/L
db = 2*e.sum()/L
""",
    ),
    "a rate by the name of the output": (
        "least squares",
        """L = 0.01
e = X @ w + b - Y
dw = 2*X.T @ e/3
db = 2*e.sum()/3
""",
    ),
    "a local by the name of the output": (
        "least squares",
        """def model(w, x):
    L = 2
    return x @ w
e = model(w, X) + b - Y
dw = 2*X.T @ e/3
db = 2*e.sum()/3
""",
    ),
    "a loop that trains a copy": (
        "one weight",
        """v = w
for i in range(3):
    a = np.tanh(v*x)
    dw = 2*a*(1-a**2)*x
    v -= 0.1*dw
""",
    ),
    "another copy": (
        "one weight",
        """v = w.copy()
for i in range(3):
    a = np.tanh(v*x)
    dw = 2*a*(1-a**2)*x
    v = v - 0.1*dw
""",
    ),
    "copies of an array and a number": (
        "logistic regression",
        """w_, b_ = w.copy(), b
for i in range(5):
    z = X @ w_ + b_
    p = 1/(1+np.exp(-z))
    dw = X.T @ (p-Y)/3
    db = (p-Y).mean()
    w_ -= 0.1*dw
    b_ -= 0.1*db
""",
    ),
    "a function of a step": (
        "least squares",
        """def step(W, B):
    e = X @ W + B - Y
    global dw, db
    dw = 2*X.T @ e/3
    db = 2*e.mean()
    return W - 0.1*dw, B - 0.1*db
W, B = w, b
for i in range(3):
    W, B = step(W, B)
""",
    ),
    "two weights by other names": (
        "two weights",
        """v1, v2 = w1, w2
for epoch in range(2):
    h = np.tanh(v1*x)
    o = v2*h
    do = o - 1
    dw2 = do*h
    dw1 = do*v2*(1-h**2)*x
    v2 = v2 - 0.1*dw2
    v1 = v1 - 0.1*dw1
""",
    ),
    "another name of an input": (
        "one weight",
        """v = w
s = np.tanh(v*x)
ds = 2*s
dv = ds*(1-s**2)*x
""",
    ),
    "a copy of an input": (
        "one weight",
        """v = w.copy()
s = np.tanh(v*x)
ds = 2*s
dv = ds*(1-s**2)*x
""",
    ),
    "long names": (
        "least squares",
        """weights, bias = w, b
pred = X @ weights + bias
error = pred - Y
weights_gradient = 2*X.T @ error/3
bias_gradient = 2*error.mean()
""",
    ),
    "a function whose values get one name": (
        "least squares",
        """def grad(w, b):
    e = X @ w + b - Y
    return 2*X.T @ e/3, 2*e.mean()
g = grad(w, b)
""",
    ),
    "a function that is printed": (
        "least squares",
        """def grad(w, b):
    e = X @ w + b - Y
    return 2*X.T @ e/3, 2*e.mean()
print(grad(w, b))
""",
    ),
    "a loss beside the gradient": (
        "one weight",
        """def loss_and_grad(w, x):
    a = np.tanh(w*x)
    loss = a**2
    grad = 2*a*(1-a**2)*x
    return loss, grad
loss, grad = loss_and_grad(w, x)
""",
    ),
    "a tuple behind the loss": (
        "least squares",
        """def f(w, b):
    e = X @ w + b - Y
    return np.mean(e**2), (2*X.T @ e/3, 2*e.mean())
loss, grads = f(w, b)
""",
    ),
    "an array of gradients": (
        "tutorial",
        """def gradient(x, y):
    a = 1/(1+np.exp(-y))
    d = x**2+y
    return np.array([1/d - (x+a)/d**2*2*x, a*(1-a)/d - (x+a)/d**2])
print(gradient(3, -4))
""",
    ),
    "an array that is filled later": (
        "least squares",
        """grads = [np.zeros(2), np.zeros(1)]
dw = grads[0]
e = X @ w + b - Y
grads[0][...] = 2*X.T @ e/3
db = 2*e.mean()
""",
    ),
    "a step size by the name of a gradient": (
        "one weight",
        """a = np.tanh(w*x)
grad_w = 2*a*(1-a**2)*x
dw = 1e-5
num = (np.tanh((w+dw)*x)**2 - np.tanh((w-dw)*x)**2)/(2*dw)
""",
    ),
    "an estimate beside it": (
        "one weight",
        """a = np.tanh(w*x)
dw_analytic = 2*a*(1-a**2)*x
h = 1e-5
dw_numeric = (np.tanh((w+h)*x)**2 - np.tanh((w-h)*x)**2)/(2*h)
""",
    ),
    "a loop that never ends behind it": (
        "least squares",
        """e = X @ w + b - Y
dw = 2*X.T @ e/3
db = 2*e.mean()
for i in range(10**7): pass
""",
    ),
    "commands of a notebook": (
        "least squares",
        """np.exp?
e = X @ w + b - Y
dw = 2*X.T @ e/3
t = %timeit -o dw
if True:
    %timeit dw
    !ls
db = 2*e.mean()
""",
    ),
}


@pytest.mark.parametrize("way", RIGHT)
def test_right_code_has_full_marks(way: str) -> None:
    name, text = RIGHT[way]
    task = make_task(Program(TASKS[name]))
    found = graded(task, text.encode(), "a.py", Scheme(), NEVER)
    assert (found.right, found.score) == (True, found.max_score)


COSTS_ONE = {
    "a missing key": (
        "tutorial",
        """a = 1/(1+np.exp(-y))
d = {'v': x**2+y}
dx = 1/d['w']
dy = a*(1-a)/d['v'] - (x+a)/d['v']**2
""",
    ),
    "None in a sum": (
        "tutorial",
        """a = 1/(1+np.exp(-y))
d = x**2+y
dx = 1/d + None
dy = a*(1-a)/d - (x+a)/d**2
""",
    ),
    "an accumulator of another shape": (
        "least squares",
        """e = X @ w + b - Y
dz = 2*e/3
dw = np.zeros(3)
dw += X.T @ dz
db = dz.sum()
""",
    ),
    "weights that were updated in a loop": (
        "two weights",
        """for epoch in range(50):
    h = np.tanh(w1*x)
    o = w2*h
    do = o - 1
    dw2 = do*h
    w2 -= 0.1*dw2
    dw1 = do*w2*(1-h**2)*x
    w1 -= 0.1*dw1
""",
    ),
}


@pytest.mark.parametrize("mistake", COSTS_ONE)
def test_one_line_costs_one_mark(mistake: str) -> None:
    name, text = COSTS_ONE[mistake]
    task = make_task(Program(TASKS[name]))
    found = graded(task, text.encode(), "a.py", Scheme(), NEVER)
    assert found.max_score - found.score == 1
    assert len(found.roots) == 1


COPIES = {
    "array": ("grad = np.array([{x}, {y}])", "dx, dy = grad"),
    "array by index": ("grad = np.array([{x}, {y}])", "dx = grad[0]", "dy = grad[1]"),
    "tuple": ("grads = ({x}, {y})", "dx, dy = grads"),
    "list by index": ("grads = [{x}, {y}]", "dx = grads[0]", "dy = grads[1]"),
    "elements": ("grad = np.zeros(2)", "grad[0] = {x}", "grad[1] = {y}", "dx, dy = grad"),
    "backwards": ("grad = np.zeros(2)", "grad[1] = {y}", "grad[0] = {x}", "dx, dy = grad"),
    "appended": ("grads = []", "grads.append({x})", "grads.append({y})", "(dx, dy) = grads"),
    "names": ("p = {x}", "q = {y}", "dx = p", "dy = q"),
    "names of names": ("p = {x}", "q = {y}", "r = [p, q]", "dx, dy = r"),
    "function": ("def back(g):", "    p = {x}", "    q = {y}", "    return p, q",
                 "dx, dy = back(g)"),
    "unpacked later": ("def back(g):", "    p = {x}", "    q = {y}", "    return p, q",
                       "both = back(g)", "dx, dy = both"),
}  # fmt: skip


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize(("slip", "wrong"), [("x", "g*x"), ("y", "g*y"), ("x", "-g*y")])
def test_the_line_at_fault_is_the_one_that_makes_the_number(
    way: str, slip: str, wrong: str
) -> None:
    task = make_task(Program("a = x*y\nb = sin(a)\nf = a + b^2"), {"x": 3, "y": -4})
    above = ["import numpy as np", "a = x*y", "b = np.sin(a)", "f = a + b**2"]
    above += ["g = 1 + 2*b*np.cos(a)"]
    right = {"x": "g*y", "y": "g*x"}
    for forms, root in ((right, None), ({**right, slip: wrong}, f"{{{slip}}}")):
        lines = [*above, *(line.format(**forms) for line in COPIES[way])]
        text = "\n".join(lines).encode()
        found = graded(task, text, "a.py", Scheme(), NEVER)
        at = [i for i, line in enumerate(COPIES[way], start=6) if root and root in line]
        assert [row.line for row in found.roots] == at


def test_behind_a_copy_the_line_at_fault_is_where_it_began() -> None:
    task = make_task(Program("a = x*y\nb = sin(a)\nf = a + b^2"), {"x": 3, "y": -4})
    for copy in (COPIES["array"], COPIES["elements"], COPIES["names"], ("dx = g*y", "dy = g*x")):
        lines = ["a = x*y", "b = np.sin(a)", "f = a + b**2", "g = 1 + 2*b*np.sin(a)"]
        lines += [line.format(x="g*y", y="g*x") for line in copy]
        found = graded(task, "\n".join(lines).encode(), "a.py", Scheme(), NEVER)
        assert [(row.line, row.tags) for row in found.roots] == [(4, ("wrong-rule",))]


BATCH = """#: X = [[0.5, -1.2], [1.1, 0.4], [-0.6, 0.9]]
#: Y = [[1], [0], [1]]
#: W1 = [[0.3, -0.5, 0.8], [0.7, 0.2, -0.4]]
#: b1 = [[0.1, -0.2, 0.05]]
#: W2 = [[0.6], [-0.9], [0.4]]
#: b2 = [[0.2]]
#: wrt W1, b1, W2, b2
Z1 = X @ W1 + b1
A1 = tanh(Z1)
Z2 = A1 @ W2 + b2
A2 = sigmoid(Z2)
J = -mean(Y*log(A2) + (1 - Y)*log(1 - A2))
"""
BATCH_CODE = """import numpy as np
m = X.shape[0]
Z1 = X @ W1 + b1
A1 = np.tanh(Z1)
Z2 = A1 @ W2 + b2
A2 = 1/(1 + np.exp(-Z2))
J = -np.mean(Y*np.log(A2) + (1 - Y)*np.log(1 - A2))
dZ2 = A2 - Y
dW2 = A1.T @ dZ2 / m
db2 = np.sum(dZ2, axis=0, keepdims=True) / m
dA1 = dZ2 @ W2.T
dZ1 = dA1 * (1 - A1**2)
dW1 = X.T @ dZ1 / m
db1 = np.sum(dZ1, axis=0, keepdims=True) / m"""
NO_VALUE = (
    "{} / 0",
    "np.log(0*({}))/0",
    "{} / undefined_name",
    "unknown + {}",
    "({}) / (m - m)",
)


def test_deltas_of_examples_beside_a_line_without_a_value() -> None:
    """Only that line is wrong, wherever it stands; the output's own line is no exception."""
    task = make_task(Program(BATCH))
    lines = BATCH_CODE.split("\n")
    assert graded(task, BATCH_CODE.encode(), "a.py", Scheme(), NEVER).right
    for number in (7, 9, 10, 13, 14):
        name, _, value = lines[number - 1].partition(" = ")
        for form in NO_VALUE:
            text = "\n".join(
                [*lines[: number - 1], f"{name} = {form.format(value)}", *lines[number:]]
            )
            found = graded(task, text.encode(), "a.py", Scheme(), NEVER)
            assert [row.line for row in found.roots] == [number]
            assert not found.roots[0].tags
            assert found.score == 3
            assert [note.tag for note in found.notes if note.tag != "not-read"] == ["per-example"]


def test_a_weights_gradient_without_the_mean_is_a_slip() -> None:
    """A gradient that is asked for has to be divided where it is a sum over examples."""
    task = make_task(Program(BATCH))
    lines = BATCH_CODE.split("\n")
    for number in (9, 10, 13, 14):
        slip = lines[number - 1].removesuffix(" / m")
        text = "\n".join([*lines[: number - 1], slip, *lines[number:]])
        found = graded(task, text.encode(), "a.py", Scheme(), NEVER)
        assert [row.line for row in found.roots] == [number]
        assert "mean-for-sum" in found.roots[0].tags
