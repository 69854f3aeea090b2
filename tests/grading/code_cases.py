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
    "lists": Course(
        task="""#: X = [[0.5, -1.2], [0.3, 0.8], [1.1, 0.4]]
#: y = [1, 0, 1]
#: w = [0.4, -0.7]
#: b = 0.2
p = sigmoid(X @ w + b)
J = -sum(y*log(p) + (1 - y)*log(1 - p))/3
""",
        wrt="w,b",
        right="""import math
m, n = 3, 2
def sig(t):
    return 1.0 / (1.0 + math.exp(-t))
dj_dw = [0.0] * n
dj_db = 0.0
for i in range(m):
    f_wb_i = b
    for j in range(n):
        f_wb_i += X[i][j] * w[j]
    err_i = sig(f_wb_i) - y[i]
    for j in range(n):
        dj_dw[j] = dj_dw[j] + err_i * X[i][j]
    dj_db = dj_db + err_i
for j in range(n):
    dj_dw[j] = dj_dw[j] / m
dj_db = dj_db / m
""",
        slips={"dj_db = dj_db / m": ("dj_db = dj_db", "mean-for-sum")},
    ),
    "layers": Course(
        task="""#: X = [[0.5, -1.2], [0.3, 0.8], [1.1, 0.4]]
#: W1 = [[0.3, -0.5, 0.2], [0.8, 0.2, -0.7]]
#: b1 = [0.1, 0.2, 0.6]
#: W2 = [[0.7], [-0.6], [0.2]]
#: b2 = [0.05]
#: y = [[1.0], [0.5], [-0.3]]
h = relu(X @ W1 + row(b1))
out = h @ W2 + b2
loss = mean((out - y)^2)
""",
        wrt="W1,b1,W2,b2",
        right="""import numpy as np

class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

class ReLU:
    def forward(self, x):
        self.mask = (x > 0).astype(float)
        return x * self.mask
    def backward(self, dout):
        return dout * self.mask

class MSE:
    def forward(self, pred, y):
        self.diff = pred - y
        return np.mean(self.diff ** 2)
    def backward(self):
        return 2 * self.diff / self.diff.size

layers = [Dense(W1, b1), ReLU(), Dense(W2, b2)]
out = X
for layer in layers:
    out = layer.forward(out)
crit = MSE()
loss = crit.forward(out, y)
grad = crit.backward()
for layer in layers[::-1]:
    grad = layer.backward(grad)
dW1, db1 = layers[0].dW, layers[0].db
dW2, db2 = layers[2].dW, layers[2].db
""",
        slips={"return 2 * self.diff / self.diff.size": ("return 2 * self.diff", "mean-for-sum")},
    ),
    "rate": Course(
        task="""#: X = [[0.5, -1.2], [0.3, 0.8], [1.1, 0.4]]
#: W1 = [[0.3, -0.5, 0.2], [0.8, 0.2, -0.7]]
#: b1 = [0.1, 0.2, 0.6]
#: W2 = [[0.7, -0.6], [0.2, 0.9], [-0.3, 0.5]]
#: b2 = [0.05, -0.05]
h = relu(X @ W1 + row(b1))
p = softmax(h @ W2 + b2, axis=1)
loss = -(log(p[0,1]) + log(p[1,0]) + log(p[2,1]))/3 + 0.05*(sum(W1^2) + sum(W2^2))
""",
        wrt="W1,b1,W2,b2",
        right="""import numpy as np

class TwoLayerNet(object):
    def __init__(self, W1, b1, W2, b2, reg=0.1):
        self.params = {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}
        self.reg = reg

    def loss(self, X, y):
        W1, b1, W2, b2 = [self.params[k] for k in ('W1', 'b1', 'W2', 'b2')]
        N = X.shape[0]
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(N), y]).sum() / N
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        grads = {}
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads['W2'] = hidden.T.dot(dscores) + self.reg * W2
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0
        grads['W1'] = X.T.dot(dhidden) + self.reg * W1
        grads['b1'] = np.sum(dhidden, axis=0)
        return loss, grads

net = TwoLayerNet(W1, b1, W2, b2, reg=0.1)
loss, grads = net.loss(X, np.array([1, 0, 1]))
""",
        functions="""import numpy as np

class TwoLayerNet(object):
    def __init__(self, W1, b1, W2, b2, reg=0.1):
        self.params = {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}
        self.reg = reg

    def loss(self, X, y):
        W1, b1, W2, b2 = [self.params[k] for k in ('W1', 'b1', 'W2', 'b2')]
        N = X.shape[0]
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(N), y]).sum() / N
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        grads = {}
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads['W2'] = hidden.T.dot(dscores) + self.reg * W2
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0
        grads['W1'] = X.T.dot(dhidden) + self.reg * W1
        grads['b1'] = np.sum(dhidden, axis=0)
        return loss, grads
""",
    ),
    "nielsen": Course(
        task="""#: x = [[0.5], [-1.2]]
#: y = [[1.0]]
#: w1 = [[0.3, -0.5], [0.8, 0.2], [-0.4, 0.9]]
#: b1 = [[0.1], [-0.2], [0.3]]
#: w2 = [[0.7, -0.6, 0.2]]
#: b2 = [[0.05]]
a1 = sigmoid(w1 @ x + b1)
a2 = sigmoid(w2 @ a1 + b2)
C = sum((a2 - y)^2)/2
""",
        wrt="w1,b1,w2,b2",
        right="""import numpy as np

class Network(object):
    def __init__(self, biases, weights):
        self.num_layers = 3
        self.biases = biases
        self.weights = weights

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation = x
        activations = [x]
        zs = []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):
            z = zs[-l]
            sp = sigmoid_prime(z)
            delta = np.dot(self.weights[-l+1].transpose(), delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())
        return (nabla_b, nabla_w)

    def cost_derivative(self, output_activations, y):
        return (output_activations - y)

def sigmoid(z):
    return 1.0/(1.0+np.exp(-z))

def sigmoid_prime(z):
    return sigmoid(z)*(1-sigmoid(z))

net = Network([b1, b2], [w1, w2])
nabla_b, nabla_w = net.backprop(x, y)
""",
        slips={
            "delta = np.dot(self.weights[-l+1].transpose(), delta) * sp": (
                "delta = np.dot(self.weights[-l+1].transpose(), delta)",
                "missing-local",
            )
        },
    ),
}
