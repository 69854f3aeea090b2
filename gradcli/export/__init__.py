"""Both passes as code: NumPy listings, a Python function, a graph in JSON."""
