"""The trace in every style."""
