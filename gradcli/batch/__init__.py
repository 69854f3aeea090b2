"""Many points: a value and a gradient for every row of columns."""
