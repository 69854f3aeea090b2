Z = X @ W + b
A = np.tanh(Z)
E = A - Y
L = np.sum(E**2)
dE = 2*E
dA = dE
dY = -dE
dZ = dA * (1 - A**2)
dW = X.T @ dZ
db = dZ.sum(axis=0)
dX = dZ @ W.T
