"""NumPy code, read and never run: source → statements → steps and graph (docs/python.md)."""
