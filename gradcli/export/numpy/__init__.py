"""The NumPy code of operations, passes and helpers."""
