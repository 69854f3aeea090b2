Z = X @ W + b
A = 1/(1 + np.exp(-Z))
E = A - Y
L = np.sum(E**2)
dE = -2*E
dA = dE
dY = -dE
dZ = dA * A*(1 - A)
dW = X.T @ dZ
db = dZ.sum(axis=0)
dX = dZ @ W.T
