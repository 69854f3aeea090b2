"""Evaluation: the forward and the backward pass, formulas, and the backward pass as a graph."""
