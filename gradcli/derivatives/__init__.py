"""Jacobians and Hessians, read off the graph of the backward pass."""
