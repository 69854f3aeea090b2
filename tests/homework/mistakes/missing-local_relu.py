z = W @ x + b
a = np.maximum(z, 0)
J = np.sum(a)
da = np.ones(2)
dz = da
dW = np.outer(dz, x)
db = dz
dx = W.T @ dz
