z = W @ x + b
a = np.maximum(z, 0)
J = np.sum(a)
da = np.ones(2)
dz = da * (z > 0)
dW = np.outer(x, dz)
db = dz
dx = W.T @ dz
