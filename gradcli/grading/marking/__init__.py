"""Rows are judged: the true, the carried and the submitted number."""
