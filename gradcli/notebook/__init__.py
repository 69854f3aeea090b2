"""Grading in a notebook's own process: the names that are there, or what a function returns."""
