z = W @ x + b
a = np.tanh(z)
y = v @ a
J = np.mean(y**2)
dy = 2*y/4
dv = dy @ a.T
da = v.T @ dy
dz = da*(1 - a**2)
dW = da @ x.T
db = dz.sum(axis=1, keepdims=True)
dx = W.T @ dz
