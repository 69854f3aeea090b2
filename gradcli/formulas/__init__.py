"""Formulas of derivatives: the adjoint graph as expressions, simplified, written and checked."""
