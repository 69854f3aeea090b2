"""Backward passes in the styles of several courses, with slips in them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Course:
    """A task, its right solution, and slips: the line as it is made wrong, and possible tags."""

    task: str
    wrt: str
    right: str
    slips: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The new line by the old one, with the tags of which one is to appear."""
    functions: str = ""
    """The functions alone, without their call."""

    def slip(self, old: str) -> tuple[str, int]:
        """The solution with a line made wrong, and the number of that line."""
        lines = self.right.split("\n")
        number = next(i for i, line in enumerate(lines) if line.strip() == old)
        indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
        lines[number] = indent + self.slips[old][0]
        return "\n".join(lines), number + 1


RELU_FUNCTIONS = """import numpy as np

def forward(X, W1, c1, W2, c2):
    Z = X @ W1 + c1
    H = np.maximum(Z, 0)
    return H @ W2 + c2, (X, Z, H, W2)

def backward(dS, cache):
    X, Z, H, W2 = cache
    dW2 = H.T.dot(dS)
    dc2 = dS.sum(axis=0)
    dH = dS.dot(W2.T)
    dZ = dH.copy()
    dZ[Z <= 0] = 0
    dW1 = X.T.dot(dZ)
    dc1 = dZ.sum(axis=0)
    return dW1, dc1, dW2, dc2
"""

COURSES = {
    "cache": Course(
        task="""#: X = [[0.5, -1.2], [1.5, 0.3], [-0.8, 0.9]]
#: W1 = [[0.3, -0.8, 0.5], [1.1, 0.6, -0.4]]
#: c1 = [0.1, -0.2, 0.3]
#: W2 = [[0.7, -0.5], [0.2, 0.9], [-1.1, 0.4]]
#: c2 = [0.2, -0.1]
#: dS = [[0.5, -0.3], [0.8, 0.2], [-0.6, 1.1]]
Z = X @ W1 + row(c1)
H = maximum(Z, 0)
S = H @ W2 + row(c2)
L = sum(S * dS)
""",
        wrt="W1,c1,W2,c2",
        right=RELU_FUNCTIONS
        + """
S, cache = forward(X, W1, c1, W2, c2)
dW1, dc1, dW2, dc2 = backward(dS, cache)
""",
        functions=RELU_FUNCTIONS,
        slips={
            "dW2 = H.T.dot(dS)": ("dW2 = Z.T.dot(dS)", "same-operand wrong-place"),
            "dc2 = dS.sum(axis=0)": ("dc2 = dS", "not-summed shape"),
            "dH = dS.dot(W2.T)": ("dH = -dS.dot(W2.T)", "sign"),
            "dZ[Z <= 0] = 0": ("dZ[Z > 0] = 0", "wrong-rule"),
            "dW1 = X.T.dot(dZ)": ("dW1 = X.T.dot(dH)", "same-operand wrong-place"),
            "dc1 = dZ.sum(axis=0)": ("dc1 = 2*dZ.sum(axis=0)", "factor"),
        },
    ),
    "loops": Course(
        task="""#: x = [0.5, -0.8, 1.2]
#: w = [0.7, 0.2, -0.4]
#: u = 0.6
h1 = tanh(w[0]*x[0])
h2 = tanh(w[1]*x[1] + u*h1)
h3 = tanh(w[2]*x[2] + u*h2)
L = h3^2/2
""",
        wrt="w,u",
        right="""h = {-1: 0.0}
for t in range(3):
    h[t] = np.tanh(w[t] * x[t] + u * h[t - 1])
dw = np.zeros(3)
du = 0
dh = h[2]
for t in reversed(range(3)):
    da = dh * (1 - h[t] ** 2)
    dw[t] = da * x[t]
    du += da * h[t - 1]
    dh = da * u
""",
        slips={
            "da = dh * (1 - h[t] ** 2)": ("da = dh * (1 - h[t])", "wrong-rule wrong-place"),
            "dw[t] = da * x[t]": ("dw[t] = da * w[t]", "same-operand"),
            "du += da * h[t - 1]": ("du += da * h[t]", "same-operand"),
        },
    ),
    "class": Course(
        task="""#: X = [[0.2, 0.9], [1.4, -0.7], [-0.5, 0.3]]
#: y = [[1.0], [0.0], [1.0]]
#: theta = [[0.4], [-1.1]]
#: bias = 0.3
p = sigmoid(X @ theta + bias)
J = -sum(y*log(p) + (1 - y)*log(1 - p))/3
""",
        wrt="theta,bias",
        right="""class Logistic:
    def __init__(self, theta, bias):
        self.theta, self.bias = theta, bias

    def predict(self, X):
        return 1 / (1 + np.exp(-(X @ self.theta + self.bias)))

    def gradients(self, X, y):
        m = len(X)
        error = self.predict(X) - y
        grads = {}
        grads['theta'] = X.T @ error / m
        grads['bias'] = error.sum() / m
        return grads

model = Logistic(theta, bias)
grads = model.gradients(X, y)
for epoch in range(1000):
    grads = model.gradients(X, y)
    model.theta = model.theta - 0.1 * grads['theta']
    model.bias -= 0.1 * grads['bias']
""",
        slips={
            "grads['theta'] = X.T @ error / m": (
                "grads['theta'] = X.T @ error",
                "mean-for-sum factor",
            ),
            "grads['bias'] = error.sum() / m": (
                "grads['bias'] = error.mean() / m",
                "mean-for-sum factor",
            ),
        },
    ),
    "staged": Course(
        task="""#: a = [0.5, 1.5, -0.4]
#: b = [1.2, 0.3, 0.8]
d = a - mean(a)
v = mean(d^2)
s = sqrt(v + 0.1)
L = sum(b * d/s)
""",
        wrt="a,b",
        right="""n = a.shape[0]
d = a - np.sum(a) / n
v = np.sum(d ** 2) / n
s = np.sqrt(v + 0.1)
z = d / s
db = z
dz = b
ds = np.sum(dz * (-d / s ** 2))
dv = ds * 0.5 / s
dd = dz / s
dd = dd + dv * 2 * d / n
da = dd - np.sum(dd) / n
""",
        slips={
            "ds = np.sum(dz * (-d / s ** 2))": ("ds = np.sum(dz * (d / s ** 2))", "sign"),
            "dv = ds * 0.5 / s": ("dv = ds / s", "factor wrong-rule"),
            "dd = dd + dv * 2 * d / n": ("dd = dd + dv * 2 * d", "mean-for-sum factor"),
            "da = dd - np.sum(dd) / n": ("da = dd", "dropped-path"),
        },
    ),
}
