"""tanh(W @ x)^2 and its gradient by backpropagation."""

import numpy as np


def value_and_gradient(W, x):
    """Value and gradient of the program

        tanh(W @ x)^2

    W: an array of shape (1, 2)
    x: an array of shape (2,)

    Returns the value, and a dict with the gradient for each input, in the input's shape.
    """
    W = np.asarray(W, dtype=np.float64)
    if W.shape != (1, 2):
        raise ValueError(f"W must have shape (1, 2), not {W.shape}")
    x = np.asarray(x, dtype=np.float64)
    if x.shape != (2,):
        raise ValueError(f"x must have shape (2,), not {x.shape}")

    # Forward pass
    a = W @ x                             # (1)
    b = np.tanh(a)                        # (2)
    c = b**2                              # (3)

    # Backward pass
    delta_c = np.array([1.0])

    # Backprop c = b^2 (3)
    delta_b = delta_c * (2*b)

    # Backprop b = tanh(a) (2)
    delta_a = delta_b * (1 - b**2)

    # Backprop a = W @ x (1)
    delta_W = np.outer(delta_a, x)
    delta_x = W.T @ delta_a

    return c, {"W": delta_W, "x": delta_x}
