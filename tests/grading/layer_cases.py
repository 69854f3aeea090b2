"""Layers as courses have them: a task, right code for it, and slips with the tags that name them.

A slip is a part of a line and what stands there instead; in code with several such lines the last
is changed.
"""

from __future__ import annotations

from typing import NamedTuple

X = "#: X = [[0.5, -1.2], [1.1, 0.4], [-0.6, 0.9]]\n"
UP = "#: G = [[0.3, -0.2], [0.6, 0.1], [-0.5, 0.4]]\n"
W = "#: W = [[0.3, -0.5], [0.7, 0.2]]\n#: b = [0.1, -0.3]\n"


class Layer(NamedTuple):
    """A task with answers."""

    task: str
    code: str
    slips: tuple[tuple[str, str, str], ...]


LAYERS = {
    "attention": Layer(
        "#: Q = [[0.5, -1.2], [1.1, 0.4], [-0.6, 0.9]]\n"
        "#: K = [[0.2, 0.7], [-0.5, 1.3], [0.8, -0.1]]\n"
        "#: V = [[1, 0.5], [-0.4, 0.6], [0.3, -1.1]]\n" + UP + "#: wrt Q, K, V\n"
        "S = Q @ K.T / sqrt(2)\nP = softmax(S, 1)\nO = P @ V\nL = sum(O*G)\n",
        """import numpy as np
d = Q.shape[1]
S = Q @ K.T / np.sqrt(d)
E = np.exp(S - S.max(axis=1, keepdims=True))
P = E / E.sum(axis=1, keepdims=True)
O = P @ V
L = np.sum(O * G)
dO = G
dV = P.T @ dO
dP = dO @ V.T
dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))
dQ = dS @ K / np.sqrt(d)
dK = dS.T @ Q / np.sqrt(d)
""",
        (
            ("dQ = dS @ K / np.sqrt(d)", "dQ = dS @ K", "factor"),
            ("dK = dS.T @ Q / np.sqrt(d)", "dK = dS.T @ Q / d", "factor"),
            ("dK = dS.T", "dK = dS", "transpose"),
            ("dV = P.T", "dV = P", "transpose"),
            (
                "dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))",
                "dS = P * (1 - P) * dP",
                "wrong-rule",
            ),
            ("dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))", "dS = P * dP", "wrong-rule"),
            ("np.sum(dP * P, axis=1, keepdims=True)", "np.sum(dP * P)", "wrong-rule"),
            ("np.sum(dP * P, axis=1, keepdims=True)", "np.sum(dP * P, axis=0)", "wrong-rule"),
        ),
    ),
    "convolution": Layer(
        "#: x = [0.5, -1.2, 1.1, 0.4, -0.6]\n#: k = [0.3, -0.7, 0.9]\n#: wrt x, k\n"
        "y0 = x[0]*k[0] + x[1]*k[1] + x[2]*k[2]\ny1 = x[1]*k[0] + x[2]*k[1] + x[3]*k[2]\n"
        "y2 = x[2]*k[0] + x[3]*k[1] + x[4]*k[2]\nL = y0^2 + 2*y1 + y2^3\n",
        """import numpy as np
n, m = len(x), len(k)
y = np.zeros(n - m + 1)
for i in range(n - m + 1):
    y[i] = np.sum(x[i:i+m] * k)
L = y[0]**2 + 2*y[1] + y[2]**3
dy = np.array([2*y[0], 2.0, 3*y[2]**2])
dx = np.zeros_like(x)
dk = np.zeros_like(k)
for i in range(n - m + 1):
    dx[i:i+m] += dy[i] * k
    dk += dy[i] * x[i:i+m]
""",
        (
            ("dx[i:i+m] +=", "dx[i:i+m] =", "overwritten"),
            ("dk += ", "dk = ", "overwritten"),
            ("dx[i:i+m] += dy[i] * k", "dx[i:i+m] += dy[i] * k[::-1]", "same-operand"),
            ("dk += dy[i] * x", "dk -= dy[i] * x", "sign"),
        ),
    ),
    "convolution of images": Layer(
        "#: A = [[0.5, -1.2, 0.3], [1.1, 0.4, -0.8], [-0.6, 0.9, 0.2]]\n"
        "#: F = [[0.3, -0.7], [0.9, 0.4]]\n#: c = 0.1\n#: wrt A, F, c\n"
        "p = sum(A[0:2, 0:2]*F) + c\nq = sum(A[0:2, 1:3]*F) + c\nr = sum(A[1:3, 0:2]*F) + c\n"
        "s = sum(A[1:3, 1:3]*F) + c\nL = (p^2 + q^2 + r^2 + s^2)/2\n",
        """import numpy as np
def forward(A, F, c):
    Z = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            Z[i, j] = np.sum(A[i:i+2, j:j+2] * F) + c
    return Z
Z = forward(A, F, c)
L = 0.5 * np.sum(Z**2)
dZ = Z
dA = np.zeros(A.shape)
dF = np.zeros(F.shape)
dc = 0
for i in range(2):
    for j in range(2):
        dA[i:i+2, j:j+2] += F * dZ[i, j]
        dF += A[i:i+2, j:j+2] * dZ[i, j]
        dc += dZ[i, j]
""",
        (
            ("dA[i:i+2, j:j+2] +=", "dA[i:i+2, j:j+2] =", "overwritten"),
            ("dF += A", "dF = A", "overwritten"),
            ("dc += dZ", "dc = dZ", "overwritten"),
            ("F * dZ[i, j]", "F * dZ[j, i]", "transpose"),
            ("dZ = Z", "dZ = 2 * Z", "factor"),
        ),
    ),
    "batch normalisation": Layer(
        X + UP + "#: gamma = [1.2, 0.7]\n#: beta = [0.1, -0.3]\n#: wrt X, gamma, beta\n"
        "mu = mean(X, 0)\nv = mean((X - mu)^2, 0)\nxhat = (X - mu) / sqrt(v + 1e-5)\n"
        "out = gamma*xhat + beta\nL = sum(out*G)\n",
        """import numpy as np
N = X.shape[0]
mu = X.mean(axis=0)
xc = X - mu
v = (xc**2).mean(axis=0)
std = np.sqrt(v + 1e-5)
istd = 1/std
xhat = xc * istd
out = gamma * xhat + beta
L = np.sum(out * G)
dgamma = (G * xhat).sum(axis=0)
dbeta = G.sum(axis=0)
dxhat = G * gamma
distd = (dxhat * xc).sum(axis=0)
dstd = -distd / std**2
dv = 0.5 * dstd / std
dxc = dxhat * istd
dxc += 2 * xc * dv / N
dmu = -dxc.sum(axis=0)
dX = dxc + dmu / N
""",
        (
            ("dX = dxc + dmu / N", "dX = dxc", "dropped-path"),
            ("dX = dxc + dmu / N", "dX = dxc + dmu", "mean-for-sum"),
            ("dxc += 2 * xc * dv / N", "dxc += 2 * xc * dv", "mean-for-sum"),
            ("dxc += 2 * xc * dv / N", "dxc = 2 * xc * dv / N", "overwritten"),
            ("dmu = -dxc", "dmu = dxc", "sign"),
            ("dv = 0.5 * dstd / std", "dv = dstd / std", "wrong-rule"),
            ("dgamma = (G * xhat)", "dgamma = (G * X)", "same-operand"),
            ("dbeta = G.sum(axis=0)", "dbeta = G.mean(axis=0)", "mean-for-sum"),
        ),
    ),
    "softmax and cross-entropy": Layer(
        X + W + "#: Y = [[1, 0], [0, 1], [1, 0]]\n#: wrt W, b\nZ = X @ W + b\nP = softmax(Z, 1)\n"
        "J = -sum(Y*log(P))/3\n",
        """import numpy as np
class Softmax:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, X, Y):
        Z = X @ self.W + self.b
        Z = Z - Z.max(axis=1, keepdims=True)
        self.P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
        self.X, self.Y = X, Y
        return -np.sum(Y * np.log(self.P)) / len(X)
    def backward(self):
        d = self.P - self.Y
        d = d / len(self.X)
        self.dW = self.X.T @ d
        self.db = d.sum(axis=0)
        return self.dW, self.db
net = Softmax(W, b)
J = net.forward(X, Y)
dW, db = net.backward()
""",
        (
            ("d = self.P - self.Y", "d = self.P + self.Y", "sign"),
            ("d = d / len(self.X)", "pass", "mean-for-sum"),
            ("self.dW = self.X.T @ d", "self.dW = d.T @ self.X", "transpose"),
            ("self.db = d.sum(axis=0)", "self.db = d.mean(axis=0)", "mean-for-sum"),
        ),
    ),
    "labels": Layer(
        X + W + "#: wrt W, b\n"
        "Z = X @ W + b\nL = (logsumexp(Z[0]) - Z[0, 0] + logsumexp(Z[1]) - Z[1, 1]\n"
        "     + logsumexp(Z[2]) - Z[2, 0])/3\n",
        """import numpy as np
n, t = X.shape[0], np.array([0, 1, 0])
scores = X.dot(W) + b
scores -= np.max(scores, axis=1, keepdims=True)
probs = np.exp(scores)
probs /= np.sum(probs, axis=1, keepdims=True)
loss = -np.mean(np.log(probs[range(n), t]))
dscores = probs.copy()
dscores[range(n), t] -= 1
dscores /= n
dW = X.T.dot(dscores)
db = np.sum(dscores, axis=0)
""",
        (
            ("dscores[range(n), t] -= 1", "dscores[range(n), t] += 1", "sign"),
            ("dW = X.T.dot(dscores)", "dW = X.T.dot(probs)", "same-operand"),
        ),
    ),
    "recurrent": Layer(
        "#: xs = [0.5, -0.8, 0.3]\n#: w = 0.7\n#: u = -0.4\n#: h = 0.1\n#: wrt w, u, h\n"
        "h1 = tanh(w*h + u*xs[0])\nh2 = tanh(w*h1 + u*xs[1])\nh3 = tanh(w*h2 + u*xs[2])\n"
        "L = (h3 - 1)^2/2\n",
        """import numpy as np
hs = {-1: h}
for t in range(3):
    hs[t] = np.tanh(w * hs[t-1] + u * xs[t])
L = 0.5 * (hs[2] - 1)**2
dw, du = 0.0, 0.0
dnext = hs[2] - 1
for t in reversed(range(3)):
    draw = dnext * (1 - hs[t]**2)
    dw += draw * hs[t-1]
    du += draw * xs[t]
    dnext = draw * w
dh = dnext
""",
        (
            ("dw += draw", "dw = draw", "overwritten"),
            ("du += draw", "du = draw", "overwritten"),
            ("dw += draw * hs[t-1]", "dw += draw * hs[t]", "same-operand"),
            ("draw = dnext * (1 - hs[t]**2)", "draw = dnext * (1 - hs[t])", "wrong-rule"),
            ("draw = dnext * (1 - hs[t]**2)", "draw = dnext", "missing-local"),
            ("dnext = draw * w", "dnext = draw", "missing-local"),
        ),
    ),
    "two layers": Layer(
        X + "#: Y = [[1], [0], [1]]\n#: W1 = [[0.3, -0.5, 0.8, 0.1], [0.7, 0.2, -0.4, 0.6]]\n"
        "#: b1 = [[0.1, -0.2, 0.05, 0.3]]\n#: W2 = [[0.6], [-0.9], [0.4], [0.2]]\n#: b2 = [[0.2]]\n"
        "#: wrt W1, b1, W2, b2\nZ1 = X @ W1 + b1\nA1 = relu(Z1)\nZ2 = A1 @ W2 + b2\n"
        "A2 = sigmoid(Z2)\nJ = -mean(Y*log(A2) + (1 - Y)*log(1 - A2))\n",
        """import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def propagate(params, X, Y):
    m = X.shape[0]
    Z1 = X @ params['W1'] + params['b1']
    A1 = np.maximum(0, Z1)
    A2 = sigmoid(A1 @ params['W2'] + params['b2'])
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = (A2 - Y) / m
    grads = {}
    grads['W2'] = A1.T @ dZ2
    grads['b2'] = dZ2.sum(axis=0, keepdims=True)
    dA1 = dZ2 @ params['W2'].T
    dZ1 = dA1 * (Z1 > 0)
    grads['W1'] = X.T @ dZ1
    grads['b1'] = dZ1.sum(axis=0, keepdims=True)
    return cost, grads
params = {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}
J, grads = propagate(params, X, Y)
""",
        (
            ("dZ2 = (A2 - Y) / m", "dZ2 = A2 - Y", "mean-for-sum"),
            ("dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1", "missing-local"),
            ("dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * Z1", "wrong-rule"),
            ("grads['W1'] = X.T @ dZ1", "grads['W1'] = X.T @ dA1", "missing-local"),
            ("grads['b2'] = dZ2.sum(axis=0, keepdims=True)", "grads['b2'] = dZ2", "not-summed"),
        ),
    ),
    "least squares": Layer(
        X + "#: y = [1, 0, 2]\n#: w = [0.2, -0.4]\n#: b = 0.3\n#: lam = 0.1\n#: wrt w, b\n"
        "#: fixed lam\nr = X @ w + b - y\nL = mean(r^2) + lam*sum(w^2)\n",
        """def loss(w, b):
    r = X @ w + b - y
    return (r**2).mean() + lam * (w @ w)
def grad(w, b):
    n = len(y)
    r = X @ w + b - y
    gw = 2 * X.T @ r / n + 2 * lam * w
    gb = 2 * r.sum() / n
    return gw, gb
L = loss(w, b)
dw, db = grad(w, b)
""",
        (
            ("2 * X.T @ r / n + 2", "2 * X.T @ r + 2", "mean-for-sum"),
            (" + 2 * lam * w", "", "dropped-path"),
            ("2 * lam * w", "lam * w", "factor"),
            ("gb = 2 * r.sum() / n", "gb = r.sum() / n", "factor"),
        ),
    ),
    "layer normalisation": Layer(
        "#: x = [0.5, -1.2, 0.8]\n#: g = [1.1, 0.9, -0.4]\n#: u = [0.3, -0.7, 0.2]\n#: wrt x, g\n"
        "m = mean(x)\ns = sqrt(mean((x - m)^2) + 1e-5)\nh = (x - m)/s\nL = sum(u*g*h)\n",
        """import numpy as np
D = x.size
m = x.mean()
s = np.sqrt(((x - m)**2).mean() + 1e-5)
h = (x - m) / s
L = np.sum(u * g * h)
dg = u * h
dh = u * g
dx = (dh - dh.mean() - h * (dh * h).mean()) / s
""",
        (
            ("dx = (dh - dh.mean() - h * (dh * h).mean()) / s", "dx = dh / s", ""),
            ("dh = u * g", "dh = u", ""),
            ("dg = u * h", "dg = u * x", "same-operand"),
            ("h * (dh * h).mean()", "h * (dh * h).sum()", "mean-for-sum"),
        ),
    ),
}
