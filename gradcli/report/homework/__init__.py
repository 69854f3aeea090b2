"""Marks, lint and class reports as text, and the files of graders."""
