Z = X @ W + b
A = 1/(1 + np.exp(-Z))
E = A - Y
L = np.sum(E**2)
dE = 2*E
dA = dE
dY = -dE
dZ = dA * Z*(1 - Z)
dW = X.T @ dZ
db = dZ.sum(axis=0)
dX = dZ @ W.T
