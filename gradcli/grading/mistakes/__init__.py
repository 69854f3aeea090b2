"""The table of mistakes, and how the one behind a wrong row is found."""
