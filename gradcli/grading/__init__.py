"""Homework: submissions are read, marked, and their mistakes named."""
