"""The NumPy functions that the rows of the table call."""
