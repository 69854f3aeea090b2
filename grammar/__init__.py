"""A package without code, so that the grammar is found wherever gradcli is installed."""
