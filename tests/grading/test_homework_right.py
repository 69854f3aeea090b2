"""Right work loses no mark, however it is written."""

import json
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_text

TASK = make_task(gradcli.Program("(x + sigmoid(y)) / (x^2 + y)"), {"x": 3, "y": -4})
VALUES = {name: float(TASK.flow.values[name]) for name in TASK.flow.stages}
DELTAS = {f"delta_{k}": float(v) for k, v in TASK.flow.passes({})[0].items() if k != "f"}
KINKS = make_task(gradcli.Program("z = x*w\nr = relu(z)\nf = r*w + abs(x)"), {"x": 0, "w": 2})

LISTINGS = {
    "tutorial": """\
import numpy as np
x = 3
y = -4
a = 1.0 / (1 + np.exp(-y))
b = x + a
c = x**2
d = c + y
e = 1.0/d
f = b*e
delta_b = e
delta_e = b
delta_d = delta_e * (-1/d**2)
delta_c = delta_d
delta_y = delta_d
delta_x = delta_c*2*x
delta_x += delta_b
delta_a = delta_b
delta_y += delta_a * a*(1-a)
print(delta_x, delta_y)
""",
    "one-liner": """\
f = (x + 1/(1+np.exp(-y)))/(x**2 + y)
s = 1/(1+np.exp(-y))
dfdx = 1/(x**2+y) - (x+s)*2*x/(x**2+y)**2
dfdy = s*(1-s)/(x**2+y) - (x+s)/(x**2+y)**2
""",
    "one-liner no forward": """\
delta_x = 1/(x**2+y) - (x+1/(1+np.exp(-y)))*2*x/(x**2+y)**2
delta_y = np.exp(-y)/(1+np.exp(-y))**2/(x**2+y) - (x+1/(1+np.exp(-y)))/(x**2+y)**2
""",
    "num/den": """\
num = x + 1/(1+np.exp(-y))
den = x**2 + y
f = num/den
dnum = 1/den
dden = -num/den**2
dx = dnum + 2*x*dden
s = 1/(1+np.exp(-y))
dy = dnum*s*(1-s) + dden
""",
    "cs231n": """\
sigy = 1.0 / (1 + math.exp(-y))
num = x + sigy
sqr = x**2
den = sqr + y
invden = 1.0 / den
f = num * invden
dnum = invden
dinvden = num
dden = (-1.0 / (den**2)) * dinvden
dsqr = (1) * dden
dy = (1) * dden
dx = 2*x*dsqr
dx += (1) * dnum
dsigy = (1) * dnum
dy += ((1 - sigy) * sigy) * dsigy
""",
    "function": """\
def sigmoid(z): return 1/(1+np.exp(-z))
s = sigmoid(y)
n = x + s
d = x*x + y
f = n/d
df = 1.0
dn = df/d
dd = -df*n/d**2
dx = dn + dd*2*x
dy = dd + dn*s*(1-s)
""",
    "lambda": """\
sigma = lambda z: 1/(1+np.exp(-z))
dsigma = lambda z: sigma(z)*(1-sigma(z))
f = (x+sigma(y))/(x**2+y)
u = x**2+y
grad_x = 1/u - (x+sigma(y))/u**2*2*x
grad_y = dsigma(y)/u - (x+sigma(y))/u**2
""",
    "delta=delta+": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x*x
d = c+y
f = b/d
delta_b = 1/d
delta_d = -b/d**2
delta_c = delta_d
delta_x = delta_b
delta_x = delta_x + delta_c*x
delta_x = delta_x + delta_c*x
delta_a = delta_b
delta_y = delta_d
delta_y = delta_a*a*(1-a) + delta_y
""",
    "delta_f": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
delta_f = 1
delta_b = delta_f*e
delta_e = delta_f*b
delta_d = delta_e * -1/(d*d)
delta_c = delta_d * 1
delta_x = delta_b * 1 + delta_c * 2 * x
delta_a = delta_b
delta_y = delta_a * a * (1-a) + delta_d
""",
    "helpers": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
delta_b = e
delta_e = b
local_d = -1/d**2
delta_d = delta_e*local_d
from_b = delta_b*1
from_c = delta_d*2*x
delta_x = from_b + from_c
t1 = delta_d
t2 = delta_b*a*(1-a)
delta_y = t1
delta_y += t2
""",
    "zero-init": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
delta_x = 0
delta_y = 0
delta_b = 0
delta_b += e
delta_e = b
delta_d = -delta_e/d**2
delta_y += delta_d
delta_x += delta_d*2*x
delta_x += delta_b
delta_a = delta_b
delta_y += delta_a*a*(1-a)
""",
    "numbers only": """\
delta_x = -0.5243
delta_y = -0.1172
""",
    "quotient rule": """\
u = x + sigmoid(y)
v = x**2 + y
f = u/v
du = 1/v
dv = -u/v**2
dx = du*1 + dv*2*x
dy = du*sigmoid(y)*(1-sigmoid(y)) + dv
""",
    "scipy expit": """\
from scipy.special import expit
a = expit(y)
f = (x+a)/(x**2+y)
dx = 1/(x**2+y) - (x+a)*2*x/(x**2+y)**2
dy = a*(1-a)/(x**2+y) - (x+a)/(x**2+y)**2
""",
    "paren continuation": """\
a = 1/(1+np.exp(-y))
f = (x + a) / (
    x**2 + y
)
dx = (1/(x**2+y)
  - (x+a)*2*x/(x**2+y)**2)
dy = a*(1-a)/(x**2+y) - \\
  (x+a)/(x**2+y)**2
""",
    "pow": """\
a = 1/(1+np.exp(-y))
b = x + a
c = pow(x, 2)
d = c + y
e = d**-1
f = b*e
db=e
de=b
dd=de*(-1)*d**-2
dc=dd
dx=db+dc*2*x
da=db
dy=dd+da*a*(1-a)""",
    "semicolon": """\
dx=-0.524316690390902;dy=-0.117186907155825;
""",
    "d_form": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
d_b = e
d_e = b
d_d = -d_e/d**2
d_c = d_d
d_x = d_b + 2*x*d_c
d_y = d_d + d_b*a*(1-a)
""",
    "df_d": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
df_db = e
df_de = b
df_dd = -df_de/d**2
df_dc = df_dd
df_dx = df_db + 2*x*df_dc
df_dy = df_dd + df_db*a*(1-a)
""",
    "dfd local": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
df_db = e
de_dd = -1/d**2
df_de = b
df_dd = df_de*de_dd
dd_dc = 1
dc_dx = 2*x
db_dx = 1
df_dx = df_db*db_dx + df_dd*dd_dc*dc_dx
da_dy = a*(1-a)
db_da = 1
dd_dy = 1
df_dy = df_dd*dd_dy + df_db*db_da*da_dy
""",
    "greek": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
δb = e
δe = b
δd = -δe/d**2
δ_c = δd
δx = δb + 2*x*δ_c
δy = δd + δb*a*(1-a)
""",
    ".grad": """\
a = 1/(1+np.exp(-y))
b = x+a
c = x**2
d = c+y
e = 1/d
f = b*e
b.grad = e
e.grad = b
d.grad = -e.grad/d**2
c.grad = d.grad
x.grad = b.grad + 2*x*c.grad
y.grad = d.grad + b.grad*a*(1-a)
""",
}

NETWORK = """\
X = [[0.5, -1.2, 0.8], [1.5, 0.3, -0.7], [-0.4, 0.9, 1.1], [0.2, -0.6, 1.3]]
W = [[0.7, -0.3], [0.2, 1.1], [-0.9, 0.4]]
b = [0.1, -0.2]
Y = [[1, 0], [0, 1], [1, 1], [0, 0]]
"""
ARRAYS = {
    "step by step": """\
Z = X @ W + b
A = 1/(1 + np.exp(-Z))
E = A - Y
L = np.sum(E**2)
dE = 2*E
dA = dE
dY = -dE
dZ = dA * A * (1 - A)
dW = X.T @ dZ
db = dZ.sum(axis=0)
dX = dZ @ W.T
""",
    "fewer steps": """\
A = 1/(1 + np.exp(-(X @ W + b)))
L = np.sum((A - Y)**2)
dZ = 2*(A - Y) * A * (1 - A)
dW = np.dot(X.T, dZ)
db = np.sum(dZ, axis=0)
dX = np.dot(dZ, W.T)
dY = -2*(A - Y)
""",
    "other names": """\
H = X.dot(W)
H2 = H + b
S = 1/(1 + np.exp(-H2))
loss = ((S - Y)**2).sum()
dS = 2*(S - Y)
dH2 = dS*S*(1 - S)
dH = dH2
dW = np.dot(X.T, dH)
db = dH2.sum(0)
dX = dH @ W.T
dY = -dS
""",
    "transposed twice": """\
dZ = 2*(sigmoid(X @ W + b) - Y) * sigmoid(X @ W + b) * (1 - sigmoid(X @ W + b))
dW = (dZ.T @ X).T
db = np.ones(4) @ dZ
dX = (W @ dZ.T).T
dY = -2*(sigmoid(X @ W + b) - Y)
""",
}


def marked(text: str, suffix: str = ".py", task: Task = TASK) -> Marked:
    return mark(task, read_text(text, f"answer{suffix}", task.vocabulary, suffix))


def expect_all_marks(found: Marked) -> None:
    assert found.right, str(found)
    assert found.score == found.max_score
    assert {str(row.status) for row in found.rows} == {"ok"}
    assert not found.notes


@pytest.mark.parametrize("name", LISTINGS)
def test_listings(name: str) -> None:
    expect_all_marks(marked(LISTINGS[name]))


@pytest.mark.parametrize("name", ARRAYS)
def test_listings_of_arrays(name: str) -> None:
    point = "".join(f"#: {line}\n" for line in NETWORK.splitlines())
    text = f"{point}Z = X @ W + b\nA = sigmoid(Z)\nE = A - Y\nL = sum(E^2)"
    expect_all_marks(marked(ARRAYS[name], task=make_task(gradcli.Program(text))))


@pytest.mark.parametrize(
    "form",
    ["delta_{}", "d_{}", "d{}", "dfd{}", "df_d{}", "grad_{}", "{}.grad", "δ{}", "δ_{}", "∂f/∂{}"],
)
def test_every_form_of_a_gradients_name(form: str) -> None:
    rows = {form.format(k.removeprefix("delta_")): v for k, v in DELTAS.items()}
    expect_all_marks(marked(json.dumps(rows), ".json"))
    expect_all_marks(marked("".join(f"{k},{v}\n" for k, v in rows.items()), ".csv"))


@pytest.mark.parametrize("digits", range(3, 18))
def test_rounded_values(digits: int) -> None:
    rows = {k: f"{v:.{digits}g}" for k, v in (VALUES | DELTAS).items()}
    expect_all_marks(marked("".join(f"{k},{v}\n" for k, v in rows.items()), ".csv"))
    expect_all_marks(marked("".join(f"{k} = {v}\n" for k, v in rows.items())))
    final = {k: rows[k] for k in ("delta_x", "delta_y")}
    expect_all_marks(marked("".join(f"{k},{v}\n" for k, v in final.items()), ".csv"))


@pytest.mark.parametrize("digits", range(3, 18))
def test_going_on_with_rounded_values(digits: int) -> None:
    """As one works by hand: every number is made of those that were written before."""

    def rounded(value: float) -> float:
        return float(f"{value:.{digits}g}")

    a = rounded(1 / (1 + float(np.exp(4))))
    b, c, d, e = rounded(3 + a), 9.0, 5.0, 0.2
    rows = {"a": a, "b": b, "c": c, "d": d, "e": e, "f": rounded(b * e)}
    delta_d = rounded(-b / 25)
    rows |= {"delta_b": e, "delta_e": b, "delta_d": delta_d, "delta_c": delta_d, "delta_a": e}
    rows |= {"delta_x": rounded(e + 6 * delta_d), "delta_y": rounded(delta_d + e * a * (1 - a))}
    expect_all_marks(marked(json.dumps(rows), ".json"))


@pytest.mark.parametrize("of_relu", [0, 1])
@pytest.mark.parametrize("of_abs", [0, 1, -1])
def test_any_convention_at_a_kink(of_relu: int, of_abs: int) -> None:
    found = marked(json.dumps({"delta_w": 0, "delta_x": 4 * of_relu + of_abs}), ".json", KINKS)
    assert {str(row.status) for row in found.rows} == {"ok"}
    listing = f"""\
z = x*w
r = np.maximum(z, 0)
f = r*w + abs(x)
delta_r = w
delta_z = delta_r * {of_relu}
delta_w = r + delta_z*x
delta_x = delta_z*w + {of_abs}
"""
    found = marked(listing, task=KINKS)
    assert {str(row.status) for row in found.rows} == {"ok"}


@pytest.mark.parametrize("relation", [">", ">="])
def test_a_kink_in_code(relation: str) -> None:
    listing = f"""\
z = x*w
r = np.where(z {relation} 0, z, 0)
f = r*w + abs(x)
delta_r = w
delta_z = delta_r * (z {relation} 0)
delta_w = r + delta_z*x
delta_x = delta_z*w + np.sign(x)
"""
    found = marked(listing, task=KINKS)
    assert found.score == found.max_score


@pytest.mark.parametrize("slopes", [(4, 0), (2, 2), (3, 1)])
def test_a_tie_of_max(slopes: tuple[Any, Any]) -> None:
    task = make_task(gradcli.Program("max(x, y)*x"), {"x": 2, "y": 2})
    rows = {"delta_x": slopes[0], "delta_y": slopes[1]}
    assert marked(json.dumps(rows), ".json", task).right
