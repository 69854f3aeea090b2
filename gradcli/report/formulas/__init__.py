"""Reports of formulas: a `Derivative` comes in, text, JSON, LaTeX or a page goes out."""
