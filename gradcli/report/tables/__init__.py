"""A result's table in every format."""
