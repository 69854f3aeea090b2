"""A listing as the steps of a computation: its own forward pass, and the lines of its gradients."""
