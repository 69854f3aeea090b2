"""A listing's Python text, turned into the language's own."""
