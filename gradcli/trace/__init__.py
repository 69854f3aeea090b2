"""The steps of both passes: by operation, by statement, by path."""
