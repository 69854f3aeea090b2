"""Marking code of any form by the gradients that it comes to, and finding the line at fault."""
