"""Trees of the language as mathematics: LaTeX and MathML."""
