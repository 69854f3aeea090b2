"""The graph as a picture: boxes and wires (`model`), and what draws them."""
