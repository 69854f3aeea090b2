"""Homework: what a student hands in, read, marked, and its mistakes named.

The way goes from left to right: `reading` makes a `Submission` of a file, `marking` compares it
with the `Task` and finds the first mistakes, `mistakes` names them, and reports print the
`Marked` result. Nothing of a submission is executed.
"""
